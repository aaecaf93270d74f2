//! Environment variables of applications, services and databases.

use fabrik_testkit::serve::Reply;
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, invalid, message, only, required};
use super::world::{Kind, Row, World};
use super::{fields, route};

pub(super) fn listed(world: &World, owner: &str) -> Vec<(String, Option<String>, bool)> {
    let rows = world.variables.iter().filter(|row| row.owner == owner);
    rows.map(|row| {
        (
            row.text("key"),
            row.fields
                .get("value")
                .and_then(Json::as_str)
                .map(str::to_owned),
            row.flag("is_preview"),
        )
    })
    .collect()
}

pub(super) fn by_hand(world: &mut World, owner: &str, key: &str, value: &str, own: bool) {
    let now = world.now();
    if let Some(row) = world
        .variables
        .iter_mut()
        .find(|row| row.owner == owner && row.text("key") == key && !row.flag("is_preview"))
    {
        row.set("value", json!(value));
        row.set("updated_at", json!(now));
        return;
    }
    let mut row = new_row(world, owner, key, false);
    row.set("value", json!(value));
    row.set("is_coolify", json!(own));
    world.variables.push(row);
}

fn new_row(world: &mut World, owner: &str, key: &str, is_preview: bool) -> Row {
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    Row::new(
        Kind::Storage,
        owner,
        json!({
            "id": id, "uuid": uuid, "key": key, "value": null, "is_preview": is_preview, "is_literal": false,
            "is_multiline": false, "is_shown_once": false, "is_runtime": true, "is_buildtime": true,
            "is_coolify": false, "comment": null, "created_at": now, "updated_at": now,
        }),
    )
}

fn shown(row: &Row, sensitive: bool) -> Json {
    let mut row = row.clone();
    let value = row.fields.get("value").cloned().unwrap_or_default();
    row.set("real_value", value);
    // Hidden for ever, even from sensitive tokens.
    let sensitive = sensitive && !row.flag("is_shown_once");
    row.shown(&["value", "real_value"], sensitive)
}

fn find(world: &World, owner: &str, key: &str, is_preview: bool) -> Option<usize> {
    world.variables.iter().position(|row| {
        row.owner == owner && row.text("key") == key && row.flag("is_preview") == is_preview
    })
}

fn check_key(item: &Map<String, Json>) -> Result<&str, Reply> {
    let key = item.get("key").and_then(Json::as_str).unwrap_or_default();
    let first = key.chars().next().unwrap_or('0');
    let fine = (first.is_ascii_alphabetic() || first == '_')
        && key.len() <= 255
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if fine {
        Ok(key)
    } else {
        Err(invalid("key", "The key format is invalid."))
    }
}

/// Sets what an item says of a variable. What it leaves out is reset, oddly.
fn set(world: &mut World, at: usize, item: &Map<String, Json>, kind: Kind) {
    let now = world.now();
    let row = &mut world.variables[at];
    let before = row.fields.clone();
    row.set("value", item.get("value").cloned().unwrap_or_default());
    row.set(
        "is_literal",
        json!(item.get("is_literal").and_then(Json::as_bool) == Some(true)),
    );
    row.set(
        "is_multiline",
        item.get("is_multiline").cloned().unwrap_or_default(),
    );
    row.set(
        "is_shown_once",
        item.get("is_shown_once").cloned().unwrap_or_default(),
    );
    if kind == Kind::Application {
        for flag in ["is_runtime", "is_buildtime"] {
            if let Some(value) = item.get(flag) {
                row.set(flag, value.clone());
            }
        }
    }
    if let Some(comment) = item.get("comment") {
        row.set("comment", comment.clone());
    }
    if row.fields != before {
        row.set("updated_at", json!(now));
    }
}

fn make(
    world: &mut World,
    kind: Kind,
    owner: &str,
    key: &str,
    is_preview: bool,
    item: &Map<String, Json>,
) -> usize {
    let row = new_row(world, owner, key, is_preview);
    world.variables.push(row);
    let at = world.variables.len() - 1;
    set(world, at, item, kind);
    // A variable of an application gets a twin for previews.
    if kind == Kind::Application && !is_preview && find(world, owner, key, true).is_none() {
        let twin = new_row(world, owner, key, true);
        world.variables.push(twin);
        let twin = world.variables.len() - 1;
        set(world, twin, item, kind);
    }
    at
}

pub(super) fn answer(
    world: &mut World,
    kind: Kind,
    owner: &str,
    method: &str,
    path: &[&str],
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    let is_preview = |item: &Map<String, Json>| {
        kind == Kind::Application && item.get("is_preview").and_then(Json::as_bool) == Some(true)
    };
    match (method, path) {
        ("GET", []) => {
            let rows = world.variables.iter().filter(|row| row.owner == owner);
            Ok(Reply::json(
                200,
                &rows.map(|row| shown(row, sensitive)).collect(),
            ))
        }
        ("POST", []) => {
            if kind == Kind::Application {
                only(world, body, &[fields::VARIABLE])?;
            }
            required(body, &["key"])?;
            let key = check_key(body)?.to_owned();
            if find(world, owner, &key, is_preview(body)).is_some() {
                return Err(message(
                    409,
                    "Environment variable already exists. Use PATCH request to update it.",
                ));
            }
            let at = make(world, kind, owner, &key, is_preview(body), body);
            Ok(Reply::json(
                201,
                &json!({"uuid": world.variables[at].uuid()}),
            ))
        }
        ("PATCH", []) => {
            if kind == Kind::Application {
                only(world, body, &[fields::VARIABLE])?;
            }
            required(body, &["key"])?;
            let key = check_key(body)?.to_owned();
            let at = find(world, owner, &key, is_preview(body))
                .ok_or_else(|| message(404, "Environment variable not found."))?;
            set(world, at, body, kind);
            Ok(Reply::json(201, &shown(&world.variables[at], sensitive)))
        }
        ("PATCH", ["bulk"]) => {
            let items = body.get("data").and_then(Json::as_array).cloned();
            let items = items.ok_or_else(|| message(400, "Bulk data is required."))?;
            let mut done = Vec::new();
            // All keys are looked at before anything is written.
            for item in items.iter().filter_map(Json::as_object) {
                check_key(item)?;
            }
            for item in items.iter().filter_map(Json::as_object) {
                let key = check_key(item)?.to_owned();
                let at = match find(world, owner, &key, is_preview(item)) {
                    Some(at) => {
                        set(world, at, item, kind);
                        at
                    }
                    None => make(world, kind, owner, &key, is_preview(item), item),
                };
                done.push(shown(&world.variables[at], sensitive));
            }
            Ok(Reply::json(201, &Json::Array(done)))
        }
        ("DELETE", [uuid]) => {
            let at = world
                .variables
                .iter()
                .position(|row| row.owner == owner && row.text("uuid") == *uuid);
            let at = at.ok_or_else(|| message(404, "Environment variable not found."))?;
            // The twin stays.
            world.variables.remove(at);
            Ok(message(200, "Environment variable deleted."))
        }
        _ => Err(route::nothing()),
    }
}
