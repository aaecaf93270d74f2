//! From inputs to what Uptime Kuma takes, and back.

use std::collections::BTreeSet;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::OpId;
use fabrik_core::provider::typed::Observed;
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use serde_json::{Map, Value as Json, json};

use super::fields::{FIELDS, HTTP};
use super::spec::{MonitorInputs, MonitorOutputs};
use crate::mark;
use crate::version::Version;

fn encode(spec: &MonitorInputs) -> Result<Json> {
    serde_json::to_value(spec).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "a monitor's inputs do not serialise").cause(error)
    })
}

fn kind_of(spec: &Json) -> &str {
    spec["type"].as_str().unwrap_or_default()
}

/// What `add` takes: only columns of this release, and those that must be there.
pub(super) fn new_monitor(
    spec: &MonitorInputs,
    version: Version,
    op: OpId,
) -> Result<Map<String, Json>> {
    let ours = encode(spec)?;
    let kind = kind_of(&ours);
    let mut there = Map::new();
    for field in FIELDS {
        if version < field.since {
            continue;
        }
        let value = ours.get(field.name).filter(|value| !value.is_null());
        // For every type: without these the server crashes, or its database refuses.
        let is_needed = matches!(
            field.key,
            "accepted_statuscodes" | "conditions" | "interval" | "retryInterval" | "maxretries"
        );
        match value {
            Some(value) => there.insert(field.key.to_owned(), field.there(value)),
            None if is_needed || field.is_of(kind) && !field.usual.json().is_null() => {
                there.insert(field.key.to_owned(), field.usual.json())
            }
            None => None,
        };
    }
    if kind == "port" && spec.port.is_none() {
        there.remove("port");
    }
    let marked = mark::put(spec.description.as_deref(), &op.to_string());
    there.insert("description".to_owned(), json!(marked));
    there.insert("notificationIDList".to_owned(), links(spec)?);
    if spec.active == Some(false) {
        there.insert("active".to_owned(), json!(false));
    }
    credentials(spec, None, &mut there);
    Ok(there)
}

/// What `editMonitor` takes: the whole monitor as it is, with what changes. What Fabrik never set
/// stays as it is.
pub(super) fn changed_monitor(
    spec: &MonitorInputs,
    prior: Option<&MonitorInputs>,
    version: Version,
    there: &mut Map<String, Json>,
) -> Result<()> {
    let ours = encode(spec)?;
    let before = prior.map(encode).transpose()?.unwrap_or_default();
    for field in FIELDS {
        if version < field.since {
            continue;
        }
        let value = ours.get(field.name).filter(|value| !value.is_null());
        let was_set = before.get(field.name).is_some_and(|value| !value.is_null());
        match value {
            Some(value) => there.insert(field.key.to_owned(), field.there(value)),
            // A pushed token stays: others know it.
            None if was_set && field.name != "push_token" => {
                there.insert(field.key.to_owned(), field.usual.json())
            }
            None => None,
        };
    }
    let had_description = prior.is_some_and(|prior| prior.description.is_some());
    if spec.description.is_some() || had_description {
        let now = there.get("description").and_then(Json::as_str);
        let description = match (mark::take(now).1, spec.description.as_deref()) {
            (Some(op), text) => json!(mark::put(text, op)),
            (None, text) => json!(text),
        };
        there.insert("description".to_owned(), description);
    }
    if spec.notifications.is_some() || prior.is_some_and(|prior| prior.notifications.is_some()) {
        there.insert("notificationIDList".to_owned(), links(spec)?);
    }
    credentials(spec, prior, there);
    Ok(())
}

/// `{"3": true}`.
fn links(spec: &MonitorInputs) -> Result<Json> {
    let mut links = Map::new();
    for id in spec.notifications.iter().flatten() {
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("no notification is named `{id}`"),
            )
            .field(Path::key("notifications"))
            .hint("refer to a notification of this stack by its id: `${resources.NAME.id}`"));
        }
        links.insert(id.clone(), json!(true));
    }
    Ok(Json::Object(links))
}

fn credentials(spec: &MonitorInputs, prior: Option<&MonitorInputs>, there: &mut Map<String, Json>) {
    let had_basic = prior.is_some_and(|prior| prior.basic_auth.is_some());
    let had_bearer = prior.is_some_and(|prior| prior.bearer_token.is_some());
    let mut set = |key: &str, value: Json| there.insert(key.to_owned(), value);
    if spec.basic_auth.is_none() && had_basic {
        set("authMethod", Json::Null);
        set("basic_auth_user", Json::Null);
        set("basic_auth_pass", Json::Null);
    }
    if spec.bearer_token.is_none() && had_bearer {
        set("authMethod", Json::Null);
        set("bearer_token", Json::Null);
    }
    if let Some(auth) = &spec.basic_auth {
        set("authMethod", json!("basic"));
        set("basic_auth_user", json!(auth.username));
        set("basic_auth_pass", json!(auth.password.expose()));
    }
    if let Some(token) = &spec.bearer_token {
        set("authMethod", json!("bearer"));
        set("bearer_token", json!(token.expose()));
    }
}

/// A monitor's tags: id and value, each pair once.
pub(super) fn tags_of(monitor: &Json) -> BTreeSet<(u64, String)> {
    let tags = monitor["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| {
        let value = tag["value"].as_str().unwrap_or_default();
        Some((tag["tag_id"].as_u64()?, value.to_owned()))
    })
    .collect()
}

/// The tags a monitor is to have.
pub(super) fn wanted_tags(spec: &MonitorInputs) -> BTreeSet<(u64, String)> {
    let tags = spec.tags.iter().flatten();
    tags.map(|tag| (tag.tag.0, tag.value.clone().unwrap_or_default()))
        .collect()
}

/// A monitor as Uptime Kuma shows it. `None` for types that Fabrik does not manage.
pub(super) fn observed(
    monitor: &Json,
    base: &str,
) -> Option<Observed<MonitorInputs, MonitorOutputs>> {
    let kind = monitor["type"].as_str()?;
    let mut ours = Map::new();
    for field in FIELDS.iter().filter(|field| field.is_of(kind)) {
        let value = field.ours(monitor.get(field.key).unwrap_or(&Json::Null));
        // An empty list is none; what is not set is an empty text for some fields.
        let is_nothing = value.as_array().is_some_and(Vec::is_empty) || value == json!("");
        if !is_nothing {
            ours.insert(field.name.to_owned(), value);
        }
    }
    let (description, _) = mark::take(monitor["description"].as_str());
    ours.insert("description".to_owned(), json!(description));
    let notifications: Vec<&String> = monitor["notificationIDList"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, on)| on.as_bool() != Some(false))
        .map(|(id, _)| id)
        .collect();
    if !notifications.is_empty() {
        ours.insert("notifications".to_owned(), json!(notifications));
    }
    let tags: Vec<Json> = tags_of(monitor)
        .into_iter()
        .map(|(tag, value)| {
            let value = Some(value).filter(|value| !value.is_empty());
            json!({"tag": tag.to_string(), "value": value})
        })
        .collect();
    if !tags.is_empty() {
        ours.insert("tags".to_owned(), json!(tags));
    }
    ours.insert("active".to_owned(), monitor["active"].clone());
    if HTTP.contains(&kind) {
        match monitor["authMethod"].as_str() {
            Some("basic") => {
                let auth = json!({
                    "username": monitor["basic_auth_user"].as_str().unwrap_or_default(),
                    "password": monitor["basic_auth_pass"].as_str().unwrap_or_default(),
                });
                ours.insert("basic_auth".to_owned(), auth);
            }
            Some("bearer") => {
                ours.insert("bearer_token".to_owned(), monitor["bearer_token"].clone());
            }
            _ => {}
        }
    }
    let spec: MonitorInputs = serde_json::from_value(Json::Object(ours)).ok()?;
    let token = spec.push_token.as_ref();
    let outputs = outputs(monitor["id"].as_u64()?, token, base);
    let seen = Observed::new(spec, outputs);
    // A paused group hides whether the monitor itself is paused.
    Some(if monitor["forceInactive"].as_bool() == Some(true) {
        seen.hidden(&["active"])
    } else {
        seen
    })
}

/// What is told of a monitor.
pub(super) fn outputs(id: u64, push_token: Option<&Secret>, base: &str) -> MonitorOutputs {
    MonitorOutputs {
        id: id.to_string(),
        push_url: push_token
            .filter(|token| !token.is_empty())
            .map(|token| Secret::from(format!("{base}/api/push/{}", token.expose()))),
    }
}
