//! Settings of zones. None can be deleted.

use std::collections::BTreeMap;

use fabrik_testkit::serve::Reply;
use serde_json::{Value as Json, json};

use super::envelope::{Refusal, ok};
use super::state::{Setting, State, Zone};

/// The only lifetimes that the service takes for files in browsers.
const TTLS: &[u64] = &[
    0, 30, 60, 120, 300, 1_200, 1_800, 3_600, 7_200, 10_800, 14_400, 18_000, 28_800, 43_200,
    57_600, 72_000, 86_400, 172_800, 259_200, 345_600, 432_000, 691_200, 1_382_400, 2_073_600,
    2_678_400, 5_356_800, 16_070_400, 31_536_000,
];
const SWITCH: &[&str] = &["on", "off"];

/// Name, value at the start, allowed values (none: a number), whether a free plan may change it.
fn table() -> Vec<(&'static str, Json, &'static [&'static str], bool)> {
    let levels: &[&str] = &[
        "off",
        "essentially_off",
        "low",
        "medium",
        "high",
        "under_attack",
    ];
    vec![
        ("always_online", json!("off"), SWITCH, true),
        ("always_use_https", json!("off"), SWITCH, true),
        ("automatic_https_rewrites", json!("on"), SWITCH, true),
        ("brotli", json!("on"), SWITCH, true),
        ("browser_cache_ttl", json!(14_400), &[], true),
        ("browser_check", json!("on"), SWITCH, true),
        (
            "cache_level",
            json!("aggressive"),
            &["aggressive", "basic", "simplified"],
            true,
        ),
        ("development_mode", json!("off"), SWITCH, true),
        ("early_hints", json!("off"), SWITCH, true),
        ("email_obfuscation", json!("on"), SWITCH, true),
        ("hotlink_protection", json!("off"), SWITCH, true),
        ("http2", json!("on"), SWITCH, false),
        ("http3", json!("on"), SWITCH, true),
        (
            "image_resizing",
            json!("off"),
            &["on", "off", "open"],
            false,
        ),
        ("ip_geolocation", json!("on"), SWITCH, true),
        ("ipv6", json!("on"), SWITCH, true),
        (
            "min_tls_version",
            json!("1.0"),
            &["1.0", "1.1", "1.2", "1.3"],
            true,
        ),
        ("opportunistic_encryption", json!("on"), SWITCH, true),
        ("polish", json!("off"), &["off", "lossless", "lossy"], false),
        ("rocket_loader", json!("off"), SWITCH, true),
        ("security_level", json!("medium"), levels, true),
        (
            "ssl",
            json!("flexible"),
            &["off", "flexible", "full", "strict", "origin_pull"],
            true,
        ),
        ("tls_1_3", json!("on"), &["on", "off", "zrt"], true),
        ("websockets", json!("on"), SWITCH, true),
        ("0rtt", json!("off"), SWITCH, true),
    ]
}

pub(super) fn start() -> BTreeMap<String, Setting> {
    let settings = table().into_iter().map(|(id, value, _, editable)| {
        let setting = Setting {
            value: value.clone(),
            start: value,
            editable,
        };
        (id.to_owned(), setting)
    });
    settings.collect()
}

/// What differs from the start.
pub(super) fn changed(zone: &Zone) -> Json {
    let changed = zone
        .settings
        .iter()
        .filter(|(_, setting)| setting.value != setting.start);
    Json::Object(
        changed
            .map(|(id, setting)| (id.clone(), setting.value.clone()))
            .collect(),
    )
}

fn shown(id: &str, setting: &Setting) -> Json {
    json!({"id": id, "value": setting.value, "editable": setting.editable, "modified_on": null})
}

pub(super) fn all(zone: &Zone) -> Reply {
    let all = zone.settings.iter().map(|(id, setting)| shown(id, setting));
    ok(&all.collect())
}

pub(super) fn one(zone: &Zone, id: &str) -> Result<Reply, Refusal> {
    let found = zone.settings.get(id).ok_or_else(unknown)?;
    Ok(ok(&shown(id, found)))
}

fn unknown() -> Refusal {
    Refusal::new(1003, "Undefined zone setting").status(404)
}

pub(super) fn edit(state: &mut State, zone: &str, id: &str, body: &Json) -> Result<Reply, Refusal> {
    let table = table();
    let (_, start, allowed, _) = table
        .iter()
        .find(|entry| entry.0 == id)
        .ok_or_else(unknown)?;
    let Some(setting) = state
        .zones
        .get_mut(zone)
        .and_then(|zone| zone.settings.get_mut(id))
    else {
        return Err(unknown());
    };
    if !setting.editable {
        let text = format!("Not allowed to edit setting for {id}");
        return Err(Refusal::new(1015, text).status(403));
    }
    let value = &body["value"];
    let fits = match value.as_str() {
        Some(text) => allowed.contains(&text),
        None => start.is_number() && value.as_u64().is_some_and(|value| TTLS.contains(&value)),
    };
    if !fits {
        return Err(Refusal::new(
            1007,
            format!("Invalid value for zone setting {id}"),
        ));
    }
    setting.value = value.clone();
    let setting = setting.clone();
    Ok(ok(&shown(id, &setting)))
}
