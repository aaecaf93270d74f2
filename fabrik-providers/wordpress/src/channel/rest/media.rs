//! Files of the media library.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fabrik_core::provider::Cx;
use serde_json::{Value as Json, json};

use super::text::of;
use super::wire::Wire;
use super::{Done, Track, gone, hashed, refuse, same};

const ROUTE: &str = "/wp/v2/media";

/// A row as the runner gives it. The content's hash is known as far as the slug tells it.
fn raw(object: &Json, sha256: &str) -> Json {
    let slug = of(&object["slug"]);
    let is_it = sha256.len() >= 16 && slug == format!("fabrik-{}", &sha256[..16]);
    hashed(json!({
        "id": of(&object["id"]), "slug": slug, "title": of(&object["title"]["raw"]),
        "caption": of(&object["caption"]["raw"]), "alt": of(&object["alt_text"]),
        "file": object["media_details"]["file"].as_str().map_or_else(|| of(&object["source_url"]), str::to_owned),
        "mime": object["mime_type"], "width": object["media_details"]["width"].as_u64().unwrap_or(0),
        "height": object["media_details"]["height"].as_u64().unwrap_or(0),
        "sha256": if is_it { sha256 } else { "" }, "url": object["source_url"], "there": true,
    }))
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    let known = of(&op["sha256"]);
    match op["do"].as_str().unwrap_or_default() {
        "list" => {
            let all = wire.all(cx, ROUTE, &[("context", "edit")]).await?;
            Ok(all.iter().map(|object| raw(object, &known)).collect())
        }
        "find" => {
            let found = wire
                .all(
                    cx,
                    ROUTE,
                    &[("context", "edit"), ("slug", &of(&op["slug"]))],
                )
                .await?;
            Ok(found
                .first()
                .map_or(Json::Null, |object| raw(object, &known)))
        }
        _ => {
            let object = wire
                .get(
                    cx,
                    &format!("{ROUTE}/{}", of(&op["id"])),
                    &[("context", "edit")],
                )
                .await?
                .some()?;
            Ok(if object.is_null() {
                Json::Null
            } else {
                raw(&object, &known)
            })
        }
    }
}

pub(super) async fn write(wire: &Wire, cx: &Cx, op: &Json, track: &mut Track) -> Done {
    let id = of(&op["id"]);
    let path = format!("{ROUTE}/{id}");
    let known = of(&op["sha256"]);
    if op["do"] == "delete" {
        // Media know no bin.
        track.later(path);
        return Ok(gone(op));
    }
    let fields = json!({"title": op["title"], "caption": op["caption"], "alt_text": op["alt"]});
    let object = if op["do"] == "create" {
        let (slug, title, caption, alt) = (
            of(&op["slug"]),
            of(&op["title"]),
            of(&op["caption"]),
            of(&op["alt"]),
        );
        if let Some(taken) = wire.all(cx, ROUTE, &[("slug", &slug)]).await?.first() {
            return refuse("taken", of(&taken["id"]), Some("source"));
        }
        let Ok(bytes) = BASE64.decode(of(&op["bytes"])) else {
            return refuse("refused", "the file was damaged on its way", None);
        };
        let query = [
            ("slug", slug.as_str()),
            ("title", &title),
            ("caption", &caption),
            ("alt_text", &alt),
            ("context", "edit"),
        ];
        let made = wire
            .upload(cx, &query, &of(&op["name"]), &of(&op["mime"]), bytes)
            .await?
            .ok()?;
        track.made(format!("{ROUTE}/{}", of(&made["id"])));
        if of(&made["slug"]) != slug {
            return refuse("taken", slug, Some("source"));
        }
        wire.get(
            cx,
            &format!("{ROUTE}/{}", of(&made["id"])),
            &[("context", "edit")],
        )
        .await?
        .ok()?
    } else {
        let before = wire.get(cx, &path, &[("context", "edit")]).await?.ok()?;
        let done = wire.post(cx, &path, &fields).await?.ok()?;
        track.changed(&path, json!({"title": before["title"]["raw"], "caption": before["caption"]["raw"], "alt_text": before["alt_text"]}));
        done
    };
    let row = raw(&object, &known);
    for field in ["title", "caption", "alt"] {
        same(field, &op[field], &row[field])?;
    }
    Ok(row)
}
