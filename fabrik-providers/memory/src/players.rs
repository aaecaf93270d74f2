//! Playing the roles runtime and dns, beside other providers.

use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::role::{DNS, Parts, Player, PlayerFacts, RUNTIME};
use fabrik_core::value::{Map, Path, Value};

/// Where every app is reached.
pub(crate) const INGRESS: &str = "192.0.2.10";

/// Pretends to run apps.
#[derive(Clone, Copy, Debug)]
pub struct RuntimePlayer;

impl Player for RuntimePlayer {
    fn role(&self) -> &'static str {
        RUNTIME
    }

    fn facts(&self) -> PlayerFacts {
        PlayerFacts {
            wants_dns: true,
            ends_tls: false,
        }
    }

    fn cannot(&self) -> &[&'static str] {
        &[
            "files",
            "hooks",
            "limits",
            "redirects",
            "tls.enabled",
            "volumes",
        ]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let mut inputs = Map::new();
        inputs.insert("name".into(), required(intent, "name")?);
        let source = intent.get("source").and_then(|source| source.get("path"));
        let command = intent
            .get("command")
            .filter(|command| command.as_list().is_none());
        for (name, value) in [
            ("run", intent.get("image").or(source).or(command)),
            ("env", intent.get("env")),
            ("replicas", intent.get("replicas")),
        ] {
            if let Some(value) = value {
                inputs.insert(name.into(), value.clone());
            }
        }
        let domains = intent
            .get("domains")
            .and_then(Value::as_list)
            .unwrap_or_default();
        let hosts: Vec<Value> = domains
            .iter()
            .filter_map(|domain| domain.get("name").cloned())
            .collect();
        if !hosts.is_empty() {
            inputs.insert("hosts".into(), Value::list(hosts));
        }
        let app = parts.add("app", "memory.app", Value::Map(Arc::new(inputs)))?;
        Ok(Value::map([
            ("url", Parts::output(&app, "url")),
            ("ingress", Parts::output(&app, "ingress")),
            ("ingress_kind", Value::from("address")),
        ]))
    }
}

/// Pretends to make DNS records.
#[derive(Clone, Copy, Debug)]
pub struct DnsPlayer;

impl Player for DnsPlayer {
    fn role(&self) -> &'static str {
        DNS
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let mut inputs = Map::new();
        for name in ["name", "target"] {
            inputs.insert(name.into(), required(intent, name)?);
        }
        if let Some(ttl) = intent.get("ttl") {
            inputs.insert("ttl".into(), ttl.clone());
        }
        let record = parts.add("", "memory.dns", Value::Map(Arc::new(inputs)))?;
        Ok(Value::map([("name", Parts::output(&record, "name"))]))
    }
}

fn required(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}
