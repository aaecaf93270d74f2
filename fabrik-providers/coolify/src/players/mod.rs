//! How Coolify plays the roles runtime, database and backup.
//!
//! `runtime` turns programs into applications; `cron` and `wordpress` become services of a Compose
//! text, which `stack` puts together.

mod cron;
mod data;
mod runtime;
mod stack;
mod wordpress;

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Lookup as _, Resource as _};
use fabrik_core::role::Parts;
use fabrik_core::value::{Map, Path, Value};
use serde_json::{Value as Json, json};

use crate::project::Project;
use crate::server::Server;

pub use data::{BackupPlayer, DatabasePlayer};
pub use runtime::RuntimePlayer;

/// Inputs put together; what is not given is left out.
#[derive(Default)]
struct Inputs(Map);

impl Inputs {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.into(), value.into());
    }

    fn some(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.0.insert(name.into(), value.clone());
        }
    }

    fn value(self) -> Value {
        Value::Map(Arc::new(self.0))
    }
}

fn invalid(field: &str, message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message).field(Path::parse(field))
}

/// A field of a block, where it is set.
fn at(block: &Value, path: &str) -> Option<Value> {
    block
        .at(&Path::parse(path))
        .filter(|value| !value.is_null())
}

/// A text, or a number as text; `None` for what is not known yet.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Num(number) => Some(number.to_string()),
        _ => None,
    }
}

fn required(intent: &Value, name: &str) -> Result<Value> {
    at(intent, name).ok_or_else(|| invalid(name, format!("`{name}` is missing")))
}

/// Where things go: said in the block of whoever asks.
fn place_options() -> Vec<(&'static str, Json)> {
    let text =
        |description: &str| json!({"type": "string", "minLength": 1, "description": description});
    vec![
        (
            "server",
            text("The server, by name or id; not needed where Coolify has one only."),
        ),
        (
            "project",
            text("The id of the project; one of the app's own is made unless set."),
        ),
        (
            "environment",
            text("The name of the project's environment; `production` unless set."),
        ),
        (
            "destination",
            text("The id of the server's destination, where it has several."),
        ),
    ]
}

/// A schema of own options: those of the place, and more.
fn options(description: &str, more: &[(&'static str, Json)]) -> Json {
    let properties: serde_json::Map<String, Json> = place_options()
        .into_iter()
        .chain(more.iter().cloned())
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({"type": "object", "description": description, "additionalProperties": false, "properties": properties})
}

/// Finds the server, makes a project where none is named, and sets both, and the environment. Gives
/// the server's part.
fn place(name: &Value, own: &Value, inputs: &mut Inputs, parts: &mut Parts) -> Result<Address> {
    let mut wanted = Inputs::default();
    wanted.some("server", own.get("server"));
    let server = parts.add("server", Server::TYPE, wanted.value())?;
    inputs.set("server", Parts::output(&server, "uuid"));
    if let Some(project) = own.get("project") {
        inputs.set("project", project.clone());
    } else {
        // Names of projects have three characters at least.
        let name = match name.as_str() {
            Some(text) if text.chars().count() < 3 => Value::from(format!("{text} app")),
            _ => name.clone(),
        };
        let project = parts.add("project", Project::TYPE, Value::map([("name", name)]))?;
        inputs.set("project", Parts::output(&project, "uuid"));
    }
    inputs.some("environment", own.get("environment"));
    inputs.some("destination", own.get("destination"));
    Ok(server)
}
