//! Which apps a spec asks for: every runtime and database player is replaced by one that writes its
//! intent down, so that a spec can be rendered whatever it runs on.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo, Registry, TypeInfo};
use fabrik_core::role::{BACKUP, DATABASE, Parts, Player, RUNTIME};
use fabrik_core::stack::Stack;
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use crate::render::App;

/// The type of a part that holds an intent.
const INTENT: &str = "compose.intent";

/// The same providers; those that run apps and databases write down what they were asked for, and
/// those that back up do nothing. A spec that is loaded with them gives [`recorded`] apps.
pub fn recording(registry: &Registry) -> Registry {
    let mut recording = registry.clone();
    for provider in registry.providers() {
        recording.register_arc(Arc::new(Recording(provider.clone())));
    }
    recording.register(Scribe(scribe()));
    recording
}

/// The apps of a spec that was loaded with [`recording`] providers.
pub fn recorded(stack: &Stack) -> Vec<App> {
    let parts = stack.resources.values();
    parts
        .filter(|part| &*part.type_name == INTENT)
        .filter_map(|part| {
            let text = |field: &str| Some(part.inputs.get(field)?.as_str()?.to_owned());
            Some(App {
                name: text("name")?,
                address: Some(part.address.clone()),
                role: text("role")?,
                intent: part.inputs.get("intent")?.clone(),
            })
        })
        .collect()
}

/// The provider of the type that holds intents. Nothing is ever done with it.
struct Scribe(ProviderInfo);

fn scribe() -> ProviderInfo {
    let text = json!({"type": "string", "description": "As the app's role gives it."});
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": {"type": "string", "description": "The name of the service."},
            "role": {"type": "string", "description": "Who was asked."},
            "intent": {"description": "What was asked."},
        },
    });
    let outputs = json!({
        "type": "object",
        "properties": {
            "url": text, "host": text, "user": text, "password": text,
            "port": {"type": "integer", "description": "As the app's role gives it."},
        },
    });
    let mut info = TypeInfo::new(INTENT, schema, outputs);
    info.description = String::from("What an app asks of its platform.");
    ProviderInfo {
        name: "compose".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        description: "Holds what apps ask of their platform.".to_owned(),
        config: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        types: vec![Arc::new(info)],
        max_in_flight: 1,
    }
}

#[async_trait]
impl Provider for Scribe {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }

    async fn open(&self, _: &Cx, _: &Value) -> Result<Arc<dyn Instance>> {
        let text = "what apps ask for is written down, not carried out";
        Err(Error::new(ErrorKind::Unsupported, text))
    }
}

struct Recording(Arc<dyn Provider>);

#[async_trait]
impl Provider for Recording {
    fn info(&self) -> &ProviderInfo {
        self.0.info()
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        self.0.open(cx, config).await
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        let players = self.0.players().into_iter();
        players
            .map(|player| match player.role() {
                RUNTIME | DATABASE | BACKUP => Arc::new(Recorder(player)) as Arc<dyn Player>,
                _ => player,
            })
            .collect()
    }
}

/// Writes intents down.
struct Recorder(Arc<dyn Player>);

impl Player for Recorder {
    fn role(&self) -> &str {
        self.0.role()
    }

    fn version(&self) -> u32 {
        self.0.version()
    }

    fn options(&self) -> Json {
        self.0.options()
    }

    fn runs(&self) -> &[&'static str] {
        &["service", "worker", "cron", "static"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        if self.role() == BACKUP {
            return Ok(Value::map([("id", Value::from("none"))]));
        }
        // Others reach it by the name of the app, not by that of the database inside.
        let name = app_name(parts.base().as_str());
        let inputs = Value::map([
            ("name", Value::from(name)),
            ("role", Value::from(self.role())),
            ("intent", intent.clone()),
        ]);
        let part = parts.add("intent", INTENT, inputs)?;
        let outputs: &[&'static str] = match self.role() {
            DATABASE => &["url", "host", "port", "user", "password"],
            _ => &["url", "host", "port"],
        };
        let answers = intent.get("kind").and_then(Value::as_str) != Some("worker")
            && intent.get("kind").and_then(Value::as_str) != Some("cron");
        let given = outputs.iter().filter(|_| answers);
        Ok(Value::map(
            given.map(|name| (*name, Parts::output(&part, name))),
        ))
    }
}

/// `apps.eu.api` and `apps.web["a"]` as names of services.
fn app_name(address: &str) -> String {
    let text = address.strip_prefix("apps.").unwrap_or(address);
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_matches('-').to_owned()
}
