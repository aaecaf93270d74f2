//! Playing the role monitor.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{MONITOR, Parts, Player};
use fabrik_core::value::{Map, Path, Value};
use serde_json::{Value as Json, json};

use crate::monitor::Monitor;

/// Fields of a monitor that an app's own block may set.
const OWN: &[&str] = &[
    "accepted_statuscodes",
    "description",
    "keyword",
    "notifications",
    "parent",
    "retries",
    "retry_interval",
    "tags",
    "timeout",
];

/// Watches URLs of apps.
#[derive(Clone, Copy, Debug)]
pub struct MonitorPlayer;

impl Player for MonitorPlayer {
    fn role(&self) -> &'static str {
        MONITOR
    }

    fn options(&self) -> Json {
        let texts = json!({"type": "array", "items": {"type": "string", "minLength": 1}});
        let described = |mut schema: Json, text: &str| {
            schema["description"] = json!(text);
            schema
        };
        let duration = json!({"type": ["string", "integer"], "pattern": "^([0-9]+(s|m|h|d)?)+$", "minimum": 0});
        let tag = json!({
            "type": "object",
            "description": "A tag.",
            "additionalProperties": false,
            "required": ["tag"],
            "properties": {
                "tag": {"type": ["string", "integer"], "description": "The tag's id."},
                "value": {"type": "string", "description": "What the tag says of this monitor."},
            },
        });
        json!({
            "type": "object",
            "description": "How the app is watched.",
            "additionalProperties": false,
            "properties": {
                "accepted_statuscodes": described(texts.clone(), "Statuses that count as up, such as `200-299`."),
                "description": {"type": "string", "minLength": 1, "description": "What the monitor is for."},
                "keyword": {"type": "string", "minLength": 1, "description": "A text that the answer must hold."},
                "notifications": described(texts, "Who is told: ids, or names of notifications that exist."),
                "parent": {"type": ["string", "integer"], "description": "The id of the group it is in."},
                "retries": {"type": "integer", "minimum": 0, "description": "How often it is looked again before it counts as down."},
                "retry_interval": described(duration.clone(), "Time between these looks."),
                "tags": {"type": "array", "items": tag, "description": "Tags the monitor bears."},
                "timeout": described(duration, "How long one look may take."),
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let field = |name: &str| {
            intent.get(name).cloned().ok_or_else(|| {
                Error::new(ErrorKind::Invalid, format!("`{name}` is missing"))
                    .field(Path::key(name))
            })
        };
        let mut inputs = Map::new();
        inputs.insert("name".into(), field("name")?);
        inputs.insert("url".into(), field("url")?);
        for name in OWN {
            if let Some(value) = own.get(name).filter(|value| !value.is_null()) {
                inputs.insert((*name).into(), value.clone());
            }
        }
        let kind = if inputs.contains_key("keyword") {
            "keyword"
        } else {
            "http"
        };
        inputs.insert("type".into(), Value::from(kind));
        if let Some(interval) = intent.get("interval") {
            inputs.insert("interval".into(), interval.clone());
        }
        // The intent's names and the block's together: both want to be told.
        let notify = intent
            .get("notify")
            .and_then(Value::as_list)
            .unwrap_or_default();
        if !notify.is_empty() {
            let more = own.get("notifications").and_then(Value::as_list);
            let all = notify.iter().chain(more.unwrap_or_default()).cloned();
            inputs.insert("notifications".into(), Value::list(all));
        }
        let inputs = Value::Map(std::sync::Arc::new(inputs));
        let monitor = parts.add("", Monitor::TYPE, inputs)?;
        Ok(Value::map([("id", Parts::output(&monitor, "id"))]))
    }
}
