//! Our fields of a monitor and Uptime Kuma's, side by side.

use serde_json::{Map, Value as Json, json};

use crate::values::Seconds;
use crate::version::{V2_0, V2_1, V2_4, Version};

/// Types of monitors that ask a URL.
pub(super) const HTTP: &[&str] = &["http", "keyword", "json-query"];

/// How a value is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it is.
    Plain,
    /// A number of seconds.
    Seconds,
    /// JSON in a text.
    JsonText,
    /// A number.
    Id,
    /// A list of expressions.
    Conditions,
}

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    /// Our name.
    pub(super) name: &'static str,
    /// Uptime Kuma's.
    pub(super) key: &'static str,
    pub(super) form: Form,
    /// Types that have it; empty for all.
    pub(super) types: &'static [&'static str],
    /// The release it came with.
    pub(super) since: Version,
    /// What is written when it is not set: at creation, and when it is set no longer.
    pub(super) usual: Usual,
}

/// A value that is meant when none is set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Usual {
    Null,
    Flag(bool),
    Number(u64),
    Text(&'static str),
    Empty,
    Statuses,
}

impl Usual {
    pub(super) fn json(self) -> Json {
        match self {
            Usual::Null => Json::Null,
            Usual::Flag(flag) => json!(flag),
            Usual::Number(number) => json!(number),
            Usual::Text(text) => json!(text),
            Usual::Empty => json!([]),
            Usual::Statuses => json!(["200-299"]),
        }
    }
}

const ANY: &[&str] = &[];
const JSON_QUERY: &[&str] = &["json-query"];
const KEYWORD: &[&str] = &["keyword"];
const PING: &[&str] = &["ping"];
const DNS: &[&str] = &["dns"];
const DOCKER: &[&str] = &["docker"];
const V1: Version = Version(1, 23, 0);

const fn field(
    name: &'static str,
    key: &'static str,
    form: Form,
    types: &'static [&'static str],
    since: Version,
    usual: Usual,
) -> Field {
    Field {
        name,
        key,
        form,
        types,
        since,
        usual,
    }
}

/// Fields that are one value there. Description, tags, notifications, credentials and whether it
/// runs are written in ways of their own.
#[rustfmt::skip]
pub(super) const FIELDS: &[Field] = &[
    field("name", "name", Form::Plain, ANY, V1, Usual::Null),
    field("type", "type", Form::Plain, ANY, V1, Usual::Null),
    field("parent", "parent", Form::Id, ANY, V1, Usual::Null),
    field("interval", "interval", Form::Seconds, ANY, V1, Usual::Number(60)),
    field("retry_interval", "retryInterval", Form::Seconds, ANY, V1, Usual::Number(60)),
    field("retries", "maxretries", Form::Plain, ANY, V1, Usual::Number(0)),
    field("timeout", "timeout", Form::Seconds, &["http", "keyword", "json-query", "ping", "port", "docker"], V1, Usual::Number(48)),
    field("resend_interval", "resendInterval", Form::Plain, ANY, V1, Usual::Number(0)),
    field("upside_down", "upsideDown", Form::Plain, ANY, V1, Usual::Flag(false)),
    field("url", "url", Form::Plain, HTTP, V1, Usual::Null),
    field("method", "method", Form::Plain, HTTP, V1, Usual::Text("GET")),
    field("headers", "headers", Form::JsonText, HTTP, V1, Usual::Null),
    field("body", "body", Form::Plain, HTTP, V1, Usual::Null),
    field("body_encoding", "httpBodyEncoding", Form::Plain, HTTP, V1, Usual::Null),
    field("accepted_statuscodes", "accepted_statuscodes", Form::Plain, HTTP, V1, Usual::Statuses),
    field("max_redirects", "maxredirects", Form::Plain, HTTP, V1, Usual::Number(10)),
    field("ignore_tls", "ignoreTls", Form::Plain, HTTP, V1, Usual::Flag(false)),
    field("expiry_notification", "expiryNotification", Form::Plain, HTTP, V1, Usual::Flag(true)),
    field("cache_bust", "cacheBust", Form::Plain, HTTP, V2_0, Usual::Flag(false)),
    field("keyword", "keyword", Form::Plain, KEYWORD, V1, Usual::Null),
    field("invert_keyword", "invertKeyword", Form::Plain, KEYWORD, V1, Usual::Flag(false)),
    field("json_path", "jsonPath", Form::Plain, JSON_QUERY, V1, Usual::Null),
    field("json_path_operator", "jsonPathOperator", Form::Plain, JSON_QUERY, V2_0, Usual::Text("==")),
    field("expected_value", "expectedValue", Form::Plain, JSON_QUERY, V1, Usual::Null),
    field("retry_only_on_status_code_failure", "retryOnlyOnStatusCodeFailure", Form::Plain, JSON_QUERY, V2_1, Usual::Flag(false)),
    field("hostname", "hostname", Form::Plain, &["port", "ping", "dns"], V1, Usual::Null),
    field("port", "port", Form::Plain, &["port", "dns"], V1, Usual::Number(53)),
    field("packet_size", "packetSize", Form::Plain, PING, V1, Usual::Number(56)),
    field("ping_count", "ping_count", Form::Plain, PING, V2_0, Usual::Number(1)),
    field("ping_numeric", "ping_numeric", Form::Plain, PING, V2_0, Usual::Flag(true)),
    field("ping_per_request_timeout", "ping_per_request_timeout", Form::Seconds, PING, V2_0, Usual::Number(2)),
    field("resolver", "dns_resolve_server", Form::Plain, DNS, V1, Usual::Text("1.1.1.1")),
    field("record_type", "dns_resolve_type", Form::Plain, DNS, V1, Usual::Text("A")),
    field("conditions", "conditions", Form::Conditions, DNS, V2_0, Usual::Empty),
    field("push_token", "pushToken", Form::Plain, &["push"], V1, Usual::Null),
    field("docker_container", "docker_container", Form::Plain, DOCKER, V1, Usual::Null),
    field("docker_host", "docker_host", Form::Id, DOCKER, V1, Usual::Null),
];

/// Fields with ways of their own that only some types or releases have.
#[rustfmt::skip]
pub(super) const OTHERS: &[Field] = &[
    field("basic_auth", "authMethod", Form::Plain, HTTP, V1, Usual::Null),
    field("bearer_token", "bearer_token", Form::Plain, HTTP, V2_4, Usual::Null),
];

impl Field {
    /// Whether monitors of a type have it.
    pub(super) fn is_of(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.contains(&kind)
    }

    /// As Uptime Kuma wants it.
    pub(super) fn there(&self, ours: &Json) -> Json {
        match self.form {
            Form::Plain => ours.clone(),
            Form::Seconds => serde_json::from_value::<Seconds>(ours.clone())
                .map_or(Json::Null, |seconds| json!(seconds.0)),
            Form::JsonText => json!(ours.to_string()),
            Form::Id => ours
                .as_str()
                .and_then(|id| id.parse::<u64>().ok())
                .or(ours.as_u64())
                .map_or(Json::Null, |id| json!(id)),
            Form::Conditions => ours.as_array().map_or(json!([]), |items| {
                let there = items.iter().map(|item| {
                    json!({
                        "type": "expression",
                        "variable": item["variable"], "operator": item["operator"],
                        "value": item["value"],
                        "andOr": item["and_or"].as_str().unwrap_or("and"),
                    })
                });
                json!(there.collect::<Vec<_>>())
            }),
        }
    }

    /// As we have it; null when there is nothing, or nothing we understand.
    pub(super) fn ours(&self, there: &Json) -> Json {
        if there.is_null() {
            return Json::Null;
        }
        match self.form {
            // SQLite keeps truth values as numbers, and not every field is turned back.
            Form::Plain if matches!(self.usual, Usual::Flag(_)) => match there.as_u64() {
                Some(number) => json!(number != 0),
                None => there.clone(),
            },
            Form::Plain => there.clone(),
            Form::Seconds => {
                let seconds = there.as_u64().or_else(|| whole(there.as_f64()?));
                seconds.map_or(Json::Null, |seconds| json!(Seconds(seconds)))
            }
            Form::JsonText => there
                .as_str()
                .and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok())
                .map_or(Json::Null, |map| {
                    Json::Object(map.into_iter().map(text_item).collect())
                }),
            Form::Id => there
                .as_u64()
                .map_or(Json::Null, |id| json!(id.to_string())),
            Form::Conditions => {
                let items = there.as_array().into_iter().flatten();
                let ours = items
                    .filter(|item| item["type"] == "expression")
                    .map(|item| {
                        let mut ours = json!({
                            "variable": item["variable"], "operator": item["operator"],
                            "value": item["value"],
                        });
                        if item["andOr"] == "or" {
                            ours["and_or"] = json!("or");
                        }
                        ours
                    });
                json!(ours.collect::<Vec<_>>())
            }
        }
    }
}

/// Header values are texts, also where somebody wrote a number.
fn text_item((key, value): (String, Json)) -> (String, Json) {
    let value = match value {
        Json::String(text) => Json::String(text),
        other => Json::String(other.to_string()),
    };
    (key, value)
}

/// Rounded up: `timeout` may have a fraction there.
fn whole(seconds: f64) -> Option<u64> {
    format!("{:.0}", seconds.ceil()).parse().ok()
}
