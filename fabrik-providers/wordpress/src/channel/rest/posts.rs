//! Pages and posts.

use fabrik_core::provider::Cx;
use serde_json::{Map, Value as Json, json};

use super::text::{of, path_of};
use super::wire::Wire;
use super::{Done, Track, expect, gone, hashed, refuse, same};
use crate::request::PostName;

fn route(kind: &str) -> Done<&'static str> {
    match kind {
        "page" => Ok("/wp/v2/pages"),
        "post" => Ok("/wp/v2/posts"),
        "wp_navigation" => Ok("/wp/v2/navigation"),
        other => refuse("no_rest", other, None),
    }
}

/// A row as the runner gives it.
fn raw(object: &Json, kind: &str) -> Json {
    let date = |key: &str| of(&object[key]).replace('T', " ");
    let raw_of = |key: &str| of(&object[key]["raw"]);
    let id_or_none = |key: &str| {
        Some(of(&object[key]))
            .filter(|id| id != "0")
            .unwrap_or_default()
    };
    let mut row = json!({
        "id": of(&object["id"]), "type": kind, "slug": of(&object["slug"]), "title": raw_of("title"),
        "status": object["status"], "parent": object.get("parent").map_or("0".to_owned(), of),
        "content": raw_of("content"), "excerpt": raw_of("excerpt"), "order": object["menu_order"].as_i64().unwrap_or(0),
        "author": of(&object["author"]), "date": date("date_gmt"), "template": of(&object["template"]),
        "thumbnail": id_or_none("featured_media"), "url": object["link"], "path": path_of(&of(&object["link"])),
        "modified": date("modified_gmt"), "mark": "", "meta": {},
    });
    if kind == "post" {
        let ids = object["categories"].as_array().into_iter().flatten();
        row["category"] = ids.map(|id| Json::String(of(id))).collect();
        row["post_tag"] = object["tag_names"]
            .as_array()
            .cloned()
            .unwrap_or_default()
            .into();
    }
    hashed(row)
}

/// The names of a post's tags, which REST gives by their numbers.
async fn with_tags(wire: &Wire, cx: &Cx, mut object: Json) -> Done {
    let tags: Vec<String> = object["tags"]
        .as_array()
        .into_iter()
        .flatten()
        .map(of)
        .collect();
    if !tags.is_empty() {
        let found = wire
            .all(
                cx,
                "/wp/v2/tags",
                &[("include", &tags.join(",")), ("orderby", "id")],
            )
            .await?;
        object["tag_names"] = found
            .iter()
            .map(|tag| Json::String(super::text::decoded(&of(&tag["name"]))))
            .collect();
    }
    Ok(object)
}

async fn one(wire: &Wire, cx: &Cx, kind: &str, id: &str) -> Done {
    let object = wire
        .get(
            cx,
            &format!("{}/{id}", route(kind)?),
            &[("context", "edit")],
        )
        .await?
        .some()?;
    if object.is_null() || object["status"] == "trash" || object["status"] == "auto-draft" {
        return Ok(Json::Null);
    }
    Ok(raw(&with_tags(wire, cx, object).await?, kind))
}

/// The names of pages and posts.
pub(super) async fn names(wire: &Wire, cx: &Cx) -> Done<Vec<PostName>> {
    let mut names = Vec::new();
    for kind in ["page", "post"] {
        let query = [
            ("status", "publish,future,draft,pending,private"),
            ("context", "edit"),
            ("_fields", "id,slug,parent,title"),
        ];
        for object in wire.all(cx, route(kind)?, &query).await? {
            names.push(PostName {
                id: of(&object["id"]),
                kind: kind.to_owned(),
                slug: of(&object["slug"]),
                parent: object.get("parent").map_or("0".to_owned(), of),
                title: of(&object["title"]["raw"]),
            });
        }
    }
    Ok(names)
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    let kind = of(&op["type"]);
    if op["do"] == "list" {
        let query = [
            ("status", "publish,future,draft,pending,private"),
            ("context", "edit"),
            ("orderby", "id"),
            ("order", "asc"),
        ];
        let mut rows = Vec::new();
        for object in wire.all(cx, route(&kind)?, &query).await? {
            rows.push(raw(&with_tags(wire, cx, object).await?, &kind));
        }
        return Ok(rows.into());
    }
    one(wire, cx, &kind, &of(&op["id"])).await
}

/// The fields of a request from those of an operation.
async fn body(wire: &Wire, cx: &Cx, set: &Map<String, Json>, track: &mut Track) -> Done {
    let mut body = Map::new();
    for (field, value) in set {
        let number = || json!(of(value).parse::<u64>().unwrap_or(0));
        match field.as_str() {
            "slug" | "title" | "status" | "content" | "excerpt" | "template" => {
                body.insert(
                    field.clone(),
                    if value.is_null() {
                        json!("")
                    } else {
                        value.clone()
                    },
                );
            }
            "parent" | "author" => {
                body.insert(field.clone(), number());
            }
            "order" => {
                body.insert("menu_order".into(), value.clone());
            }
            "thumbnail" => {
                body.insert("featured_media".into(), number());
            }
            "date" => {
                body.insert("date_gmt".into(), json!(of(value).replace(' ', "T")));
            }
            "category" => {
                let ids = value.as_array().into_iter().flatten();
                body.insert(
                    "categories".into(),
                    ids.map(|id| json!(of(id).parse::<u64>().unwrap_or(0)))
                        .collect(),
                );
            }
            "post_tag" => {
                let mut ids = Vec::new();
                for name in value.as_array().into_iter().flatten() {
                    ids.push(tag(wire, cx, &of(name), track).await?);
                }
                body.insert("tags".into(), ids.into());
            }
            "meta" if value.as_object().is_none_or(Map::is_empty) => {}
            other => return refuse("no_rest", other, Some(other)),
        }
    }
    Ok(body.into())
}

/// The number of a tag, which is made where there is none.
async fn tag(wire: &Wire, cx: &Cx, name: &str, track: &mut Track) -> Done {
    let found = wire.all(cx, "/wp/v2/tags", &[("search", name)]).await?;
    let is = |tag: &&Json| super::text::decoded(&of(&tag["name"])).eq_ignore_ascii_case(name);
    if let Some(tag) = found.iter().find(is) {
        return Ok(tag["id"].clone());
    }
    let made = wire
        .post(cx, "/wp/v2/tags", &json!({"name": name}))
        .await?
        .ok()?;
    track.made(format!("/wp/v2/tags/{}", of(&made["id"])));
    Ok(made["id"].clone())
}

/// Refuses a slug that another has: WordPress would make another of it without a word.
async fn free(wire: &Wire, cx: &Cx, kind: &str, slug: &str, parent: &str, but: &str) -> Done<()> {
    let mut query = vec![
        ("slug", slug),
        ("status", "publish,future,draft,pending,private"),
        ("context", "edit"),
    ];
    if kind == "page" {
        query.push(("parent", if parent.is_empty() { "0" } else { parent }));
    }
    let found = wire.all(cx, route(kind)?, &query).await?;
    match found.iter().find(|other| of(&other["id"]) != but) {
        Some(other) => refuse("taken", of(&other["id"]), Some("slug")),
        None => Ok(()),
    }
}

/// What WordPress stored is what was sent.
fn check(row: &Json, set: &Map<String, Json>) -> Done<()> {
    for field in [
        "slug",
        "status",
        "content",
        "excerpt",
        "template",
        "parent",
        "thumbnail",
        "author",
    ] {
        let Some(sent) = set.get(field) else { continue };
        let nothing = |json: &Json| matches!(of(json).as_str(), "" | "0");
        if (row["status"] == "future" && field == "status")
            || (nothing(sent) && nothing(&row[field]))
        {
            continue;
        }
        if field == "slug" && of(sent) != of(&row["slug"]) {
            return refuse("slug", of(&row["slug"]), Some("slug"));
        }
        same(field, sent, &row[field])?;
    }
    if let Some(title) = set.get("title") {
        same("title", &json!(of(title).trim()), &row["title"])?;
    }
    Ok(())
}

pub(super) async fn write(wire: &Wire, cx: &Cx, op: &Json, track: &mut Track) -> Done {
    let kind = of(&op["type"]);
    let id = of(&op["id"]);
    let empty = Map::new();
    let set = op["set"].as_object().unwrap_or(&empty);
    let path = format!("{}/{id}", route(&kind)?);
    if op["do"] == "create" {
        if let Some(slug) = set.get("slug") {
            let parent = set.get("parent").map(of).unwrap_or_default();
            free(wire, cx, &kind, &of(slug), &parent, "").await?;
        }
        let sent = body(wire, cx, set, track).await?;
        let made = wire.post(cx, route(&kind)?, &sent).await?.ok()?;
        track.made(format!("{}/{}", route(&kind)?, of(&made["id"])));
        let row = raw(&with_tags(wire, cx, made).await?, &kind);
        check(&row, set)?;
        return Ok(row);
    }
    let before = one(wire, cx, &kind, &id).await?;
    if op["do"] == "delete" {
        if !before.is_null() {
            wire.delete(cx, &path, false).await?.ok()?;
            track.changed(
                &path,
                json!({"status": before["status"], "slug": before["slug"]}),
            );
            track.later(path);
        }
        return Ok(gone(op));
    }
    if before.is_null() {
        return refuse("gone", format!("{kind} {id} is gone"), None);
    }
    expect(op, &before)?;
    let changed: Map<String, Json> = set
        .iter()
        .filter(|(field, value)| before.get(*field) != Some(value))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    if changed.contains_key("slug") || changed.contains_key("parent") {
        let now = |field: &str| of(changed.get(field).unwrap_or(&before[field]));
        free(wire, cx, &kind, &now("slug"), &now("parent"), &id).await?;
    }
    let sent = body(wire, cx, &changed, track).await?;
    if sent.as_object().is_some_and(|sent| !sent.is_empty()) {
        let was: Map<String, Json> = changed
            .keys()
            .map(|field| (field.clone(), before[field.as_str()].clone()))
            .collect();
        let back = body(wire, cx, &was, track).await?;
        wire.post(cx, &path, &sent).await?.ok()?;
        track.changed(&path, back);
    }
    let mut row = one(wire, cx, &kind, &id).await?;
    check(&row, &changed)?;
    row["before"] = before;
    Ok(row)
}
