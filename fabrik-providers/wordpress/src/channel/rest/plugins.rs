//! Plugins that are installed: whether they are active.

use fabrik_core::provider::Cx;
use serde_json::{Value as Json, json};

use super::text::{decoded, of};
use super::wire::Wire;
use super::{Done, refuse};

const ROUTE: &str = "/wp/v2/plugins";

fn raw(object: &Json) -> Json {
    // REST leaves out the end of the file's name.
    let file = format!("{}.php", of(&object["plugin"]));
    let id = file.split_once('/').map_or_else(
        || file.trim_end_matches(".php").to_owned(),
        |(folder, _)| folder.to_owned(),
    );
    super::hashed(json!({
        "id": id, "file": file, "name": decoded(&of(&object["name"])), "version": of(&object["version"]),
        "active": object["status"] == "active" || object["status"] == "network-active",
        "requires_php": of(&object["requires_php"]), "requires_wp": of(&object["requires_wp"]),
    }))
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    let all = wire.get(cx, ROUTE, &[("context", "edit")]).await?.ok()?;
    let mut rows = all.as_array().into_iter().flatten().map(raw);
    if op["do"] == "list" {
        return Ok(rows.collect());
    }
    let row = rows.find(|row| row["id"] == op["id"]).unwrap_or_default();
    match op["do"].as_str() {
        Some("begin") => {
            let first = json!({"installed": row.get("version"), "active": row["active"] == true});
            Ok(json!({"id": op["id"], "row": row, "first": first}))
        }
        Some("switch") => {
            if row.is_null() {
                return refuse(
                    "gone",
                    format!("the plugin `{}` is not installed", of(&op["id"])),
                    Some("slug"),
                );
            }
            let path = format!("{ROUTE}/{}", of(&row["file"]).trim_end_matches(".php"));
            let status = if op["active"] == true {
                "active"
            } else {
                "inactive"
            };
            Ok(raw(&wire
                .post(cx, &path, &json!({"status": status}))
                .await?
                .ok()?))
        }
        _ => Ok(row),
    }
}
