//! The role `runtime`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::Expr;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{Parts, Player, RUNTIME};
use fabrik_core::value::{Path, Value};

use super::{Berth, Cargo, Ship};

/// Runs apps of kind `service`.
#[derive(Clone, Copy, Debug)]
pub struct Harbour;

impl Player for Harbour {
    fn role(&self) -> &str {
        RUNTIME
    }

    fn runs(&self) -> &[&'static str] {
        &["service"]
    }

    /// What stands below `pier` in an app.
    fn options(&self) -> serde_json::Value {
        let line = |about: &str| {
            serde_json::json!({"type": "string", "minLength": 1, "description": about})
        };
        serde_json::json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "install": line("Installs what the app needs, in the copy of its source."),
                "command": line("Starts the app; what the `Dockerfile` has as `CMD` unless set."),
                "grace": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Seconds the program may take to end before it is killed.",
                },
            },
        })
    }

    /// Everything that a plain process has nothing of.
    fn cannot(&self) -> &[&'static str] {
        &[
            "build", "files", "health.command", "hooks", "image", "limits", "redirects", "replicas",
            "stop", "strategy", "tls", "volumes",
        ]
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        let source = intent.get("source").and_then(|source| source.get("path"));
        let source = source.cloned().ok_or_else(|| {
            wrong("source", "the pier takes its cargo from a folder: give its `path`")
        })?;
        let mut berth = vec![("name", name.clone())];
        berth.extend(intent.get("port").map(|port| ("wish", port.clone())));
        let berth = parts.add("berth", Berth::TYPE, Value::map(berth))?;

        let mut cargo = vec![("name", name.clone()), ("source", source)];
        cargo.extend(own.get("install").map(|line| ("install", line.clone())));
        let cargo = parts.add("cargo", Cargo::TYPE, Value::map(cargo))?;

        let mut ship = vec![
            ("name", name),
            ("dir", Parts::output(&cargo, "path")),
            ("cargo", Parts::output(&cargo, "hash")),
            ("port", Parts::output(&berth, "port")),
        ];
        let command = own.get("command").or(intent.get("command"));
        ship.extend(command.map(|line| ("command", line.clone())));
        ship.extend(intent.get("env").map(|env| ("env", env.clone())));
        ship.extend(own.get("grace").map(|grace| ("grace", grace.clone())));
        let ship = parts.add("ship", Ship::TYPE, Value::map(ship))?;

        let host = host(intent)?;
        let url = Value::from(Expr::Concat(vec![
            Expr::Literal(Value::from(format!("http://{host}:"))),
            Expr::Literal(Parts::output(&berth, "port")),
        ]));
        Ok(Value::map([
            ("url", url),
            ("host", Value::from(host)),
            ("port", Parts::output(&berth, "port")),
            ("logs", Value::from(ship.as_str())),
        ]))
    }
}

/// The host name the app answers at: names under `localhost` lead to this machine by themselves.
fn host(intent: &Value) -> Result<String> {
    let domains = intent.get("domains").and_then(Value::as_list);
    let Some(first) = domains.and_then(<[Value]>::first) else {
        return Ok("127.0.0.1".to_owned());
    };
    let name = first.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.ends_with(".localhost") {
        return Ok(name.to_owned());
    }
    Err(wrong("domains", "the pier answers at names under `localhost` only"))
}

fn wrong(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, message).field(Path::key(field))
}

fn field(intent: &Value, name: &str) -> Result<Value> {
    let value = intent.get(name).cloned();
    value.ok_or_else(|| wrong(name, &format!("`{name}` is missing")))
}
