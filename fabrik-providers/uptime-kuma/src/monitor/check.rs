//! What a plan can tell of a monitor without asking.

use fabrik_core::provider::Finding;
use fabrik_core::value::{Path, Value};
use serde_json::Value as Json;

use super::fields::{FIELDS, OTHERS};
use super::spec::MonitorInputs;
use crate::lists::Lists;
use crate::values::{is_set, seconds_of, stop};
use crate::version::Version;

/// The longest interval in seconds, of both releases.
const LONGEST: u64 = 2_073_600;

/// What a type cannot do without.
const NEEDED: &[(&str, &[&str])] = &[
    ("http", &["url"]),
    ("keyword", &["url", "keyword"]),
    ("json-query", &["url", "json_path", "expected_value"]),
    ("port", &["hostname", "port"]),
    ("ping", &["hostname"]),
    ("dns", &["hostname"]),
    ("docker", &["docker_container", "docker_host"]),
];

/// What would be refused.
pub(super) fn findings(desired: &Value, version: Version) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(kind) = desired.get("type").and_then(Value::as_str) else {
        return findings;
    };
    let needed = NEEDED.iter().find(|(name, _)| *name == kind);
    for field in needed.into_iter().flat_map(|(_, fields)| *fields) {
        if !is_set(desired, field) {
            findings.push(stop(
                field,
                format!("`{field}` is missing: a monitor of type `{kind}` needs it"),
                format!("set `{field}`"),
            ));
        }
    }
    for field in FIELDS.iter().chain(OTHERS) {
        if !is_set(desired, field.name) {
            continue;
        }
        if !field.is_of(kind) {
            findings.push(stop(
                field.name,
                format!("a monitor of type `{kind}` has no `{}`", field.name),
                format!("it is for the types {}", field.types.join(", ")),
            ));
        } else if version < field.since {
            findings.push(stop(
                field.name,
                format!(
                    "`{}` needs Uptime Kuma {}, and the server is {version}",
                    field.name, field.since
                ),
                "take it out, or update Uptime Kuma",
            ));
        }
    }
    for field in ["interval", "retry_interval"] {
        let Some(seconds) = desired.get(field).and_then(seconds_of) else {
            continue;
        };
        let least = version.min_interval();
        if seconds < least {
            findings.push(stop(
                field,
                format!("`{field}` must be at least {least}s on Uptime Kuma {version}"),
                "choose a longer time",
            ));
        }
        if seconds > LONGEST {
            findings.push(stop(
                field,
                format!("`{field}` must be at most {LONGEST}s (24 days)"),
                "choose a shorter time",
            ));
        }
    }
    if is_set(desired, "basic_auth") && is_set(desired, "bearer_token") {
        findings.push(stop(
            "bearer_token",
            "`basic_auth` and `bearer_token` exclude each other",
            "keep one of them",
        ));
    }
    findings
}

/// Names of notifications become their ids.
pub(super) fn with_ids(desired: &Value, lists: &Lists) -> (Value, Vec<Finding>) {
    let mut findings = Vec::new();
    let Some(items) = desired.get("notifications").and_then(Value::as_list) else {
        return (desired.clone(), findings);
    };
    let known = lists.notifications.as_deref().unwrap_or_default();
    let resolved = items.iter().map(|item| {
        let Some(name) = item.as_str().filter(|name| !is_id(name)) else {
            return item.clone();
        };
        let ids: Vec<u64> = known
            .iter()
            .filter(|notification| notification["name"] == name)
            .filter_map(|notification| notification["id"].as_u64())
            .collect();
        match ids.as_slice() {
            [id] => return Value::from(id.to_string()),
            [] => findings.push(stop(
                "notifications",
                format!("no notification is named `{name}`"),
                "make it in the web interface, or refer to one of this stack by `${resources.NAME.id}`",
            )),
            several => findings.push(stop(
                "notifications",
                format!("{} notifications are named `{name}`", several.len()),
                "write the id of the one that is meant",
            )),
        }
        item.clone()
    });
    let resolved = Value::list(resolved.collect::<Vec<_>>());
    (
        desired.with(&Path::key("notifications"), resolved),
        findings,
    )
}

/// The field whose id refers to nothing.
pub(super) fn dangling(spec: &MonitorInputs, lists: &Lists) -> Option<&'static str> {
    let in_items = |items: &Option<Vec<Json>>, id: u64| {
        let mut items = items.iter().flatten();
        items.any(|item| item["id"].as_u64() == Some(id))
    };
    let monitors = lists.monitors.as_ref();
    let has_monitor = |id: u64| monitors.is_some_and(|monitors| monitors.contains_key(&id));
    if spec.parent.is_some_and(|id| !has_monitor(id.0)) {
        return Some("parent");
    }
    if spec
        .docker_host
        .is_some_and(|id| !in_items(&lists.docker_hosts, id.0))
    {
        return Some("docker_host");
    }
    let mut notifications = spec.notifications.iter().flatten();
    let is_there = |id: &String| {
        id.parse()
            .is_ok_and(|id| in_items(&lists.notifications, id))
    };
    notifications
        .any(|id| !is_there(id))
        .then_some("notifications")
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
