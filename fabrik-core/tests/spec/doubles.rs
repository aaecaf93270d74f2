//! Providers, players and one kind of app, as small as the tests allow.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo, Registry, TypeInfo};
use fabrik_core::role::{self, Component, ComponentCx, ComponentOut, Parts, Player, PlayerFacts};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

/// Everything the fixtures use.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(Double {
        info: info("demo", demo_types()),
        roles: &["runtime", "dns", "monitor"],
    });
    registry.register(Double {
        info: info("other", other_types()),
        roles: &["dns"],
    });
    registry.register(Double {
        info: info(
            "local",
            vec![Arc::new(TypeInfo::new("local.process", open(), open_out()))],
        ),
        roles: &["runtime"],
    });
    registry.register_component(Arc::new(Service));
    registry
}

fn open() -> Json {
    json!({"type": "object"})
}

fn open_out() -> Json {
    json!({"type": "object", "properties": {"url": {"type": "string"}}})
}

fn info(name: &str, types: Vec<Arc<TypeInfo>>) -> ProviderInfo {
    ProviderInfo {
        name: name.into(),
        version: "1.0.0".into(),
        description: format!("The {name} double."),
        config: json!({
            "type": "object",
            "properties": {
                "url": {"type": "string", "description": "Where it is."},
                "token": {
                    "type": "string",
                    "description": "What lets in.",
                    "x-fabrik": {"sensitive": true, "env": format!("{}_TOKEN", name.to_uppercase())},
                },
                "retries": {"type": "integer", "minimum": 0},
            },
            "required": if name == "demo" { json!(["token"]) } else { json!([]) },
            "additionalProperties": false,
        }),
        types,
        max_in_flight: 4,
    }
}

fn demo_types() -> Vec<Arc<TypeInfo>> {
    vec![
        Arc::new(TypeInfo::new(
            "demo.zone",
            json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "pattern": "^[a-z0-9.-]+$"},
                    "plan": {"enum": ["free", "pro"]},
                },
                "required": ["name"],
                "additionalProperties": false,
            }),
            json!({"type": "object", "properties": {
                "zone_id": {"type": "string"}, "name_servers": {"type": "array"},
            }}),
        )),
        Arc::new(TypeInfo::new(
            "demo.record",
            json!({
                "type": "object",
                "properties": {
                    "zone": {"type": "string"},
                    "type": {"type": "string", "enum": ["A", "AAAA", "CNAME", "MX", "TXT"]},
                    "name": {"type": "string"},
                    "values": {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    "ttl": {"type": "integer", "minimum": 60, "maximum": 86400, "default": 300},
                    "proxied": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                    "comment": {"type": ["string", "null"], "maxLength": 20},
                    "secret": {"type": "string", "x-fabrik": {"sensitive": true}},
                },
                "required": ["zone", "name"],
                "additionalProperties": false,
            }),
            json!({"type": "object", "properties": {"fqdn": {"type": "string"}}}),
        )),
        Arc::new(TypeInfo::new(
            "demo.bucket",
            json!({
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "size": {"type": "number", "exclusiveMinimum": 0},
                    "version": {"type": "string"},
                    "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                    "rule": {"$ref": "#/$defs/Rule"},
                    "rules": {"type": "array", "items": {"$ref": "#/$defs/Rule"}, "uniqueItems": true},
                    "access": {"oneOf": [
                        {"const": "public"}, {"const": "private"},
                        {"type": "object", "properties": {"users": {"type": "array", "items": {"type": "string"}}},
                         "required": ["users"], "additionalProperties": false},
                    ]},
                    "parent": {"$ref": "#"},
                },
                "required": ["name"],
                "additionalProperties": false,
                "$defs": {"Rule": {"oneOf": [
                    {"type": "object", "properties": {
                        "kind": {"const": "expire"}, "days": {"type": "integer", "minimum": 1}},
                     "required": ["kind", "days"], "additionalProperties": false},
                    {"type": "object", "properties": {
                        "kind": {"const": "move"}, "to": {"type": "string"}},
                     "required": ["kind", "to"], "additionalProperties": false},
                ]}},
            }),
            json!({"type": "object", "properties": {"endpoint": {"type": "string"}}}),
        )),
        Arc::new(TypeInfo::new(
            "demo.app",
            open(),
            json!({"type": "object", "properties": {
                "url": {"type": "string"}, "host": {"type": "string"},
            }}),
        )),
        Arc::new(TypeInfo::new("demo.monitor", open(), open_out())),
    ]
}

fn other_types() -> Vec<Arc<TypeInfo>> {
    vec![Arc::new(TypeInfo::new("other.record", open(), open_out()))]
}

/// A provider that is never opened.
struct Double {
    info: ProviderInfo,
    roles: &'static [&'static str],
}

#[async_trait]
impl Provider for Double {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn open(&self, _: &Cx, _: &Value) -> Result<Arc<dyn Instance>> {
        unreachable!("loading opens nothing")
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        self.roles
            .iter()
            .map(|role| {
                Arc::new(Plays {
                    provider: self.info.name.clone(),
                    role,
                }) as Arc<dyn Player>
            })
            .collect()
    }
}

struct Plays {
    provider: Arc<str>,
    role: &'static str,
}

impl Player for Plays {
    fn role(&self) -> &str {
        self.role
    }

    fn options(&self) -> Json {
        match (&*self.provider, self.role) {
            ("demo", "runtime") => json!({
                "type": "object",
                "properties": {"server": {"type": "string"}, "build_pack": {"enum": ["nix", "docker"]}},
                "additionalProperties": false,
            }),
            ("demo", "dns") => json!({
                "type": "object",
                "properties": {"proxied": {"type": "boolean"}},
                "additionalProperties": false,
            }),
            _ => json!({"type": "object", "additionalProperties": false}),
        }
    }

    fn cannot(&self) -> &[&'static str] {
        if &*self.provider == "local" {
            &["replicas"]
        } else {
            &[]
        }
    }

    fn facts(&self) -> PlayerFacts {
        PlayerFacts {
            wants_dns: &*self.provider == "demo",
            ends_tls: &*self.provider == "demo",
        }
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let inputs = if own.as_map().is_some_and(|own| !own.is_empty()) {
            intent.with(&Path::key("own"), own.clone())
        } else {
            intent.clone()
        };
        let type_name = match (&*self.provider, self.role) {
            ("demo", "runtime") => "demo.app",
            ("demo", "dns") => "demo.record",
            ("demo", _) => "demo.monitor",
            ("other", _) => "other.record",
            _ => "local.process",
        };
        let address = parts.add(
            if self.role == "runtime" { "run" } else { "" },
            type_name,
            inputs,
        )?;
        Ok(Value::map([
            ("url", Parts::output(&address, "url")),
            ("ingress", Parts::output(&address, "host")),
        ]))
    }
}

/// A small `service`.
pub(crate) struct Service;

impl Component for Service {
    fn kind(&self) -> &'static str {
        "service"
    }

    fn schema(&self) -> Json {
        json!({
            "type": "object",
            "properties": {
                "image": {"type": "string", "description": "What is run."},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535},
                "domains": {"type": "array", "items": {"type": "string", "pattern": "^[^/ ]+$"}},
                "env": {"type": "object", "additionalProperties": {"type": "string"}},
                "secrets": {"type": "array", "items": {
                    "type": "object",
                    "x-fabrik": {"shorthand": {"type": "string"}},
                    "properties": {
                        "name": {"type": "string"}, "from": {"type": "string"},
                        "generate": {"type": "integer"}, "required": {"type": "boolean"},
                        "cmd": {"type": "array"},
                    },
                    "required": ["name"],
                    "additionalProperties": false,
                }},
                "health": {
                    "type": "object",
                    "x-fabrik": {"shorthand": {"type": "string", "pattern": "^/"}},
                    "properties": {
                        "path": {"type": "string", "pattern": "^/"},
                        "interval": {"type": "integer"},
                    },
                    "required": ["path"],
                    "additionalProperties": false,
                },
                "replicas": {"type": "integer", "minimum": 0, "default": 1},
                "monitor": {"type": "boolean"},
                "template": {"type": "string"},
            },
            "required": ["image"],
            "additionalProperties": false,
            "x-fabrik": {"shorthands": {"domain": {"type": "string", "pattern": "^[^/ ]+$"}}},
        })
    }

    fn normalise(&self, block: Value) -> Value {
        let mut block = block;
        if let Some(domain) = block.get("domain").cloned() {
            block = block
                .without(&Path::key("domain"))
                .with(&Path::key("domains"), Value::list([domain]));
        }
        if let Some(path @ Value::Str(_)) = block.get("health").cloned() {
            block = block.with(&Path::key("health"), Value::map([("path", path)]));
        }
        if let Some(items) = block.get("secrets").and_then(Value::as_list) {
            let long = Value::list(items.iter().map(|item| match item {
                Value::Str(_) => Value::map([("name", item.clone())]),
                other => other.clone(),
            }));
            block = block.with(&Path::key("secrets"), long);
        }
        block
    }

    fn expand(&self, block: &Value, cx: &mut dyn ComponentCx) -> Result<ComponentOut> {
        let run = cx.play(role::RUNTIME, "", block.clone())?;
        let mut url = run.get("url").cloned().unwrap_or_default();
        for domain in block
            .get("domains")
            .and_then(Value::as_list)
            .unwrap_or_default()
        {
            if cx.facts(role::RUNTIME)?.wants_dns {
                let intent = Value::map([
                    ("name", domain.clone()),
                    ("zone", Value::from("z")),
                    ("target", run.get("ingress").cloned().unwrap_or_default()),
                ]);
                cx.play(role::DNS, "dns", intent)?;
            }
            if let Some(domain) = domain.as_str() {
                url = Value::from(format!("https://{domain}"));
            }
        }
        if block
            .get("monitor")
            .and_then(Value::as_bool)
            .unwrap_or(false)
            && cx.has(role::MONITOR)
        {
            cx.play(role::MONITOR, "monitor", Value::map([("url", url.clone())]))?;
        }
        let base = cx.parts().base().clone();
        Ok(ComponentOut {
            outputs: [("url".into(), url.clone())].into(),
            url,
            version: block.get("image").cloned().unwrap_or_default(),
            logs: Some(base.part("run")?),
        })
    }
}
