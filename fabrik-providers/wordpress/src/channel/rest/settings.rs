//! General settings.

use fabrik_core::provider::Cx;
use serde_json::{Map, Value as Json, json};

use super::text::{decoded, of};
use super::wire::Wire;
use super::{Done, Track, expect, hashed, refuse};
use crate::content::values;

const ROUTE: &str = "/wp/v2/settings";

/// What REST calls an option. `url` is left out: it would move half of a site.
fn name(option: &str) -> Option<&'static str> {
    Some(match option {
        "blogname" => "title",
        "blogdescription" => "description",
        "timezone_string" => "timezone",
        "date_format" => "date_format",
        "time_format" => "time_format",
        "start_of_week" => "start_of_week",
        "posts_per_page" => "posts_per_page",
        "admin_email" => "email",
        "default_comment_status" => "default_comment_status",
        "site_icon" => "site_icon",
        "site_logo" => "site_logo",
        "WPLANG" => "language",
        "show_on_front" => "show_on_front",
        "page_on_front" => "page_on_front",
        "page_for_posts" => "page_for_posts",
        _ => return None,
    })
}

fn field(entry: &Json) -> Option<&'static str> {
    let whole = entry.get("path").is_none() && entry.get("member").is_none();
    name(entry["name"].as_str()?).filter(|_| whole)
}

fn raw(op: &Json, settings: &Json, url: &str) -> Json {
    let entries = op["entries"].as_array().into_iter().flatten();
    let values: Vec<Json> = entries
        .map(|entry| {
            let found = field(entry)
                .and_then(|field| settings.get(field))
                .filter(|found| !found.is_null());
            found.map_or(Json::Null, |found| match found {
                Json::String(text) if entry["html"] == true => json!({"value": decoded(text)}),
                // A language of its own is none.
                Json::String(text) if entry["name"] == "WPLANG" && text == "en_US" => {
                    json!({"value": ""})
                }
                other => json!({"value": other}),
            })
        })
        .collect();
    let mut row = hashed(json!({"id": op["id"], "values": values}));
    row["url"] = json!(url);
    row
}

async fn now(wire: &Wire, cx: &Cx) -> Done<(Json, String)> {
    let settings = wire.get(cx, ROUTE, &[]).await?.ok()?;
    let url = format!("{}/", of(&settings["url"]).trim_end_matches('/'));
    Ok((settings, url))
}

pub(super) async fn read(wire: &Wire, cx: &Cx, op: &Json) -> Done {
    let (settings, url) = now(wire, cx).await?;
    Ok(raw(op, &settings, &url))
}

pub(super) async fn write(wire: &Wire, cx: &Cx, op: &Json, track: &mut Track) -> Done {
    let (settings, url) = now(wire, cx).await?;
    let before = raw(op, &settings, &url);
    expect(op, &before)?;
    let mut send = Map::new();
    let entries = op["entries"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (entry, found) in entries
        .iter()
        .zip(before["values"].as_array().into_iter().flatten())
    {
        let value = entry.get("value");
        if value.is_none() && entry.get("unset").is_none() {
            continue;
        }
        let Some(name) = field(entry) else {
            let field = of(&entry["field"]);
            return refuse("no_rest", field.clone(), Some(&field));
        };
        if let Some(sent) = entry.get("if")
            && !found
                .get("value")
                .is_some_and(|found| values::same(sent, found))
        {
            continue;
        }
        let value = value.cloned().unwrap_or(Json::Null);
        if found
            .get("value")
            .is_some_and(|found| values::same(&value, found))
        {
            continue;
        }
        // Numbers are numbers here.
        let is_number = [
            "start_of_week",
            "posts_per_page",
            "site_icon",
            "site_logo",
            "page_on_front",
            "page_for_posts",
        ]
        .contains(&name);
        let value = match value {
            Json::String(text) if is_number => json!(text.parse::<u64>().unwrap_or(0)),
            other => other,
        };
        send.insert(name.to_owned(), value);
    }
    if !send.is_empty() {
        let back: Map<String, Json> = send
            .keys()
            .map(|name| (name.clone(), settings[name.as_str()].clone()))
            .collect();
        let done = wire.post(cx, ROUTE, &Json::Object(send)).await?;
        track.changed(ROUTE, back.into());
        done.ok()?;
    }
    let (settings, url) = now(wire, cx).await?;
    let mut row = raw(op, &settings, &url);
    for (entry, found) in entries
        .iter()
        .zip(row["values"].as_array().into_iter().flatten())
    {
        let Some(sent) = entry.get("value").filter(|_| entry.get("if").is_none()) else {
            continue;
        };
        if !found
            .get("value")
            .is_some_and(|found| values::same(sent, found))
        {
            let field = of(&entry["field"]);
            return refuse("altered", field.clone(), Some(&field));
        }
    }
    row["before"] = before;
    Ok(row)
}
