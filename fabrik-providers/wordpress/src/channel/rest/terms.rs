//! Categories.

use fabrik_core::provider::Cx;
use serde_json::{Map, Value as Json, json};

use super::text::{decoded, of, path_of};
use super::wire::Wire;
use super::{Done, Track, expect, gone, hashed, refuse, same};
use crate::request::TermName;

const ROUTE: &str = "/wp/v2/categories";

fn raw(object: &Json) -> Json {
    hashed(json!({
        "id": of(&object["id"]), "slug": of(&object["slug"]), "name": decoded(&of(&object["name"])),
        "description": of(&object["description"]), "parent": of(&object["parent"]),
        "url": object["link"], "path": path_of(&of(&object["link"])), "mark": "",
    }))
}

pub(super) async fn names(wire: &Wire, cx: &Cx) -> Done<Vec<TermName>> {
    let mut names = Vec::new();
    for (taxonomy, route) in [("category", ROUTE), ("nav_menu", "/wp/v2/menus")] {
        for object in wire.all(cx, route, &[("context", "edit")]).await? {
            names.push(TermName {
                id: of(&object["id"]),
                taxonomy: taxonomy.to_owned(),
                slug: of(&object["slug"]),
                name: decoded(&of(&object["name"])),
            });
        }
    }
    Ok(names)
}

async fn one(wire: &Wire, cx: &Cx, id: &str) -> Done {
    let object = wire
        .get(cx, &format!("{ROUTE}/{id}"), &[("context", "edit")])
        .await?
        .some()?;
    Ok(if object.is_null() {
        Json::Null
    } else {
        raw(&object)
    })
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    if op["taxonomy"] != "category" {
        return refuse("no_rest", of(&op["taxonomy"]), None);
    }
    if op["do"] == "list" {
        let all = wire
            .all(cx, ROUTE, &[("context", "edit"), ("orderby", "id")])
            .await?;
        return Ok(all.iter().map(raw).collect());
    }
    one(wire, cx, &of(&op["id"])).await
}

fn body(set: &Map<String, Json>) -> Json {
    let mut body = set.clone();
    if let Some(parent) = body.get("parent") {
        let number = of(parent).parse::<u64>().unwrap_or(0);
        body.insert("parent".into(), json!(number));
    }
    body.into()
}

fn check(row: &Json, set: &Map<String, Json>) -> Done<()> {
    for field in ["slug", "name", "description", "parent"] {
        if let Some(sent) = set.get(field) {
            same(field, &json!(of(sent).trim()), &row[field])?;
        }
    }
    Ok(())
}

pub(super) async fn write(wire: &Wire, cx: &Cx, op: &Json, track: &mut Track) -> Done {
    let id = of(&op["id"]);
    let empty = Map::new();
    let set = op["set"].as_object().unwrap_or(&empty);
    let path = format!("{ROUTE}/{id}");
    if op["do"] == "create" {
        let slug = of(&set["slug"]);
        if let Some(taken) = wire.all(cx, ROUTE, &[("slug", &slug)]).await?.first() {
            return refuse("taken", of(&taken["id"]), Some("slug"));
        }
        let made = wire.post(cx, ROUTE, &body(set)).await?.ok()?;
        track.made(format!("{ROUTE}/{}", of(&made["id"])));
        let row = raw(&made);
        check(&row, set)?;
        return Ok(row);
    }
    let before = one(wire, cx, &id).await?;
    if op["do"] == "delete" {
        if !before.is_null() {
            // Terms know no bin: nothing of this one comes back, so it goes when all is done.
            track.later(path);
        }
        return Ok(gone(op));
    }
    if before.is_null() {
        return refuse("gone", format!("category {id} is gone"), None);
    }
    expect(op, &before)?;
    let done = wire.post(cx, &path, &body(set)).await?.ok()?;
    let was: Map<String, Json> = set
        .keys()
        .map(|field| (field.clone(), before[field.as_str()].clone()))
        .collect();
    track.changed(&path, body(&was));
    let mut row = raw(&done);
    check(&row, set)?;
    row["before"] = before;
    Ok(row)
}
