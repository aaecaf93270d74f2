//! Classic menus: one with all its items.

use fabrik_core::provider::Cx;
use serde_json::{Map, Value as Json, json};

use super::text::{decoded, of};
use super::wire::Wire;
use super::{Done, Track, expect, gone, hashed, refuse, same};

const ROUTE: &str = "/wp/v2/menus";
const ITEMS: &str = "/wp/v2/menu-items";

async fn items(wire: &Wire, cx: &Cx, menu: &str) -> Done<Vec<Json>> {
    let mut all = wire
        .all(
            cx,
            ITEMS,
            &[
                ("menus", menu),
                ("context", "edit"),
                ("status", "publish,draft"),
            ],
        )
        .await?;
    all.sort_by_key(|item| item["menu_order"].as_i64());
    Ok(all
        .iter()
        .map(|item| {
            let kind = of(&item["type"]);
            let raw = of(&item["title"]["raw"]);
            let custom = kind == "custom";
            json!({
                "id": of(&item["id"]), "parent": of(&item["parent"]), "type": kind, "object": item["object"],
                "target": of(&item["object_id"]), "url": if custom { of(&item["url"]) } else { String::new() },
                "title": raw, "shown": decoded(&of(&item["title"]["rendered"])), "window": of(&item["target"]),
            })
        })
        .collect())
}

async fn raw(wire: &Wire, cx: &Cx, menu: &Json) -> Done {
    let mut locations: Vec<String> = menu["locations"]
        .as_array()
        .into_iter()
        .flatten()
        .map(of)
        .collect();
    locations.sort();
    let id = of(&menu["id"]);
    let items = items(wire, cx, &id).await?;
    Ok(hashed(json!({
        "id": id, "name": decoded(&of(&menu["name"])), "slug": menu["slug"], "locations": locations, "items": items, "mark": "",
    })))
}

async fn one(wire: &Wire, cx: &Cx, id: &str) -> Done {
    let menu = wire
        .get(cx, &format!("{ROUTE}/{id}"), &[("context", "edit")])
        .await?
        .some()?;
    if menu.is_null() {
        return Ok(Json::Null);
    }
    raw(wire, cx, &menu).await
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    if op["do"] == "list" {
        let mut rows = Vec::new();
        for menu in wire.all(cx, ROUTE, &[("context", "edit")]).await? {
            rows.push(raw(wire, cx, &menu).await?);
        }
        return Ok(rows.into());
    }
    one(wire, cx, &of(&op["id"])).await
}

/// A tree of items as a list with parents by their place.
fn flat(items: &Json, parent: Option<usize>, into: &mut Vec<(Option<usize>, Json)>) {
    for item in items.as_array().into_iter().flatten() {
        let at = into.len();
        into.push((parent, item.clone()));
        flat(&item["children"], Some(at), into);
    }
}

/// Makes the items those wanted: new ones, then the old ones go.
async fn fill(
    wire: &Wire,
    cx: &Cx,
    menu: &str,
    wanted: &Json,
    former: &Json,
    track: &mut Track,
) -> Done<()> {
    let mut list = Vec::new();
    flat(wanted, None, &mut list);
    let mut made: Vec<u64> = Vec::new();
    for (order, (parent, item)) in list.iter().enumerate() {
        let mut body = json!({
            "title": of(&item["title"]), "type": item["type"], "menus": menu.parse::<u64>().unwrap_or(0),
            "menu_order": order + 1, "status": "publish", "target": of(&item["window"]),
            "parent": parent.map_or(0, |at| made[at]),
        });
        if item["type"] == "custom" {
            body["url"] = item["url"].clone();
        } else {
            body["object"] = item["object"].clone();
            body["object_id"] = json!(of(&item["target"]).parse::<u64>().unwrap_or(0));
        }
        let done = wire.post(cx, ITEMS, &body).await?.ok()?;
        let id = done["id"].as_u64().unwrap_or(0);
        track.made(format!("{ITEMS}/{id}"));
        made.push(id);
    }
    for old in former.as_array().into_iter().flatten() {
        track.later(format!("{ITEMS}/{}", of(&old["id"])));
    }
    Ok(())
}

fn body(set: &Map<String, Json>) -> Json {
    let fields = ["name", "slug", "locations"];
    fields
        .into_iter()
        .filter_map(|field| Some((field.to_owned(), set.get(field)?.clone())))
        .collect::<Map<_, _>>()
        .into()
}

fn check(row: &Json, set: &Map<String, Json>) -> Done<()> {
    // REST makes it of the name, whatever is sent.
    if let Some(slug) = set.get("slug").filter(|slug| **slug != row["slug"]) {
        let message = format!(
            "the slug `{}`: over REST a menu's slug is made of its name, here `{}`",
            of(slug),
            of(&row["slug"])
        );
        return refuse("refused", message, Some("slug"));
    }
    if let Some(name) = set.get("name") {
        same("name", name, &row["name"])?;
    }
    if let Some(wanted) = set.get("locations").and_then(Json::as_array) {
        let mut wanted: Vec<String> = wanted.iter().map(of).collect();
        wanted.sort();
        same("locations", &json!(wanted), &row["locations"])?;
    }
    Ok(())
}

pub(super) async fn write(wire: &Wire, cx: &Cx, op: &Json, track: &mut Track) -> Done {
    let id = of(&op["id"]);
    let empty = Map::new();
    let set = op["set"].as_object().unwrap_or(&empty);
    if op["do"] == "create" {
        let (slug, name) = (of(&set["slug"]), of(&set["name"]));
        for menu in wire.all(cx, ROUTE, &[("context", "edit")]).await? {
            if of(&menu["slug"]) == slug || decoded(&of(&menu["name"])) == name {
                return refuse("taken", of(&menu["id"]), Some("slug"));
            }
        }
        let made = wire.post(cx, ROUTE, &body(set)).await?.ok()?;
        let id = of(&made["id"]);
        track.made(format!("{ROUTE}/{id}"));
        fill(wire, cx, &id, &set["items"], &Json::Null, track).await?;
        let row = one(wire, cx, &id).await?;
        check(&row, set)?;
        return Ok(row);
    }
    let path = format!("{ROUTE}/{id}");
    let before = one(wire, cx, &id).await?;
    if op["do"] == "delete" {
        if !before.is_null() {
            track.later(path);
        }
        return Ok(gone(op));
    }
    if before.is_null() {
        return refuse("gone", format!("menu {id} is gone"), None);
    }
    expect(op, &before)?;
    let sent = body(set);
    if sent.as_object().is_some_and(|sent| !sent.is_empty()) {
        wire.post(cx, &path, &sent).await?.ok()?;
        let was: Map<String, Json> = set
            .keys()
            .map(|field| (field.clone(), before[field.as_str()].clone()))
            .collect();
        track.changed(&path, body(&was));
    }
    if let Some(wanted) = set.get("items") {
        fill(wire, cx, &id, wanted, &before["items"], track).await?;
    }
    let mut row = one(wire, cx, &id).await?;
    check(&row, set)?;
    // Those that go when all is done are no longer of it.
    if set.contains_key("items") {
        let old: Vec<String> = before["items"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| of(&item["id"]))
            .collect();
        if let Some(items) = row["items"].as_array_mut() {
            items.retain(|item| !old.contains(&of(&item["id"])));
        }
        row = hashed(row);
    }
    row["before"] = before;
    Ok(row)
}
