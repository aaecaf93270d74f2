//! A context that records what a kind asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{editor_schema, intent};
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::role::{Component, ComponentCx, Parts, PlayerFacts, RUNTIME};
use crate::value::{Value, from_json, to_wire_masked};
use crate::verify::duration_text;

/// The block in long form; checks that both forms fit their schemas.
pub(super) fn block(kind: &dyn Component, json: &Json) -> Value {
    let long = kind.normalise(from_json(json));
    assert_valid(&kind.schema(), &to_wire_masked(&long));
    let mut written = json.clone();
    if let Some(map) = written.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    assert_valid(&editor_schema(&kind.schema()), &written);
    long
}

pub(super) fn check_intent(role: &str, json: &Json) {
    assert_valid(&intent(role).unwrap(), json);
}

pub(super) fn assert_valid(schema: &Json, json: &Json) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{json:#}");
}

/// Plays every role with a part of one name, and records the intents.
pub(super) struct FakeCx {
    parts: Parts,
    facts: PlayerFacts,
    roles: BTreeSet<&'static str>,
    pub(super) outputs: BTreeMap<&'static str, Value>,
    pub(super) plays: Vec<(String, String, Value)>,
}

impl FakeCx {
    /// Somebody plays the runtime, with these facts.
    pub(super) fn new(base: &str, facts: PlayerFacts) -> FakeCx {
        let base = Address::parse(base).unwrap();
        FakeCx {
            parts: Parts::new(base, "fake".into(), Arc::default(), None),
            facts,
            roles: [RUNTIME].into(),
            outputs: BTreeMap::new(),
            plays: Vec::new(),
        }
    }

    /// Somebody plays this role too.
    pub(super) fn with(mut self, role: &'static str) -> FakeCx {
        self.roles.insert(role);
        self
    }

    /// What the runtime gives.
    pub(super) fn runtime(&mut self, outputs: &Json) {
        self.outputs.insert(RUNTIME, from_json(outputs));
    }

    /// The runtime gives references to its part.
    pub(super) fn runtime_refs(&mut self, names: &[&str]) {
        let part = self.parts.base().part("run").unwrap();
        let outputs = names.iter().map(|name| (*name, Parts::output(&part, name)));
        self.outputs.insert(RUNTIME, Value::map(outputs));
    }

    pub(super) fn played(&self) -> Json {
        self.plays
            .iter()
            .map(|(role, prefix, intent)| json!([role, prefix, to_wire_masked(intent)]))
            .collect()
    }

    pub(super) fn checks(&self) -> Json {
        let checks = self.parts.checks.iter();
        checks
            .map(|check| {
                json!({
                    "name": &*check.name,
                    "kind": &*check.kind,
                    "spec": to_wire_masked(&check.spec),
                    "within": duration_text(check.within),
                    "concerns": check.concerns,
                })
            })
            .collect()
    }
}

impl ComponentCx for FakeCx {
    fn parts(&mut self) -> &mut Parts {
        &mut self.parts
    }

    fn play(&mut self, role: &str, prefix: &str, intent: Value) -> Result<Value> {
        if !self.roles.contains(role) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("nobody plays {role}"),
            ));
        }
        let part = if prefix.is_empty() { "run" } else { "" };
        self.plays
            .push((role.to_owned(), prefix.to_owned(), intent));
        self.parts.scoped("fake".into(), prefix, |parts| {
            parts.add(part, "fake.thing", Value::map::<&str>([]))
        })?;
        Ok(self
            .outputs
            .get(role)
            .cloned()
            .unwrap_or_else(|| Value::map::<&str>([])))
    }

    fn facts(&mut self, _: &str) -> Result<PlayerFacts> {
        Ok(self.facts)
    }

    fn has(&mut self, role: &str) -> bool {
        self.roles.contains(role)
    }

    fn mistake(&mut self, error: Error) {
        panic!("{error}");
    }

    fn warn(&mut self, warning: Error) {
        panic!("{warning}");
    }
}

/// Every field of every schema has a description and refuses what it does not know.
#[test]
fn schemas_are_complete() {
    fn visit(schema: &Json, at: &str) {
        if let Some(properties) = schema["properties"].as_object() {
            assert!(schema.get("additionalProperties").is_some(), "{at}");
            for (name, field) in properties {
                let at = format!("{at}.{name}");
                assert!(field["description"].is_string(), "{at} has no description");
                visit(field, &at);
            }
        }
        for below in ["items", "additionalProperties"] {
            if schema[below].is_object() {
                visit(&schema[below], &format!("{at}[]"));
            }
        }
    }
    for kind in super::all() {
        for schema in [kind.schema(), editor_schema(&kind.schema())] {
            jsonschema::draft202012::meta::validate(&schema).unwrap();
            assert_eq!(schema["additionalProperties"], false);
            visit(&schema, kind.kind());
        }
    }
    for role in crate::role::ROLES {
        for schema in [intent(role).unwrap(), super::outputs(role).unwrap()] {
            jsonschema::draft202012::meta::validate(&schema).unwrap();
            visit(&schema, role);
        }
    }
    assert!(intent("unheard_of").is_none());
}

#[test]
fn blocks_are_refused_at_the_field() {
    let errors = |json: Json| -> Vec<String> {
        let service = super::Service;
        let schema = service.schema();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        let long = to_wire_masked(&service.normalise(from_json(&json)));
        validator
            .iter_errors(&long)
            .map(|error| error.instance_path().to_string())
            .collect()
    };
    assert_eq!(errors(json!({"port": 70_000})), ["/port"]);
    assert_eq!(errors(json!({"health": "up"})), ["/health/path"]);
    assert_eq!(
        errors(json!({"health": {"interval": "soon"}})),
        ["/health/interval"]
    );
    assert_eq!(errors(json!({"env": {"A": {"b": 1}}})), ["/env/A"]);
    assert_eq!(
        errors(json!({"domain": "https://a.b/"})),
        ["/domains/0/name"]
    );
    assert_eq!(errors(json!({"secrets": ["a-b"]})), ["/secrets/0/name"]);
    assert_eq!(errors(json!({"strategy": "yolo"})), ["/strategy/type"]);
    assert_eq!(
        errors(json!({"limits": {"memory": "much"}})),
        ["/limits/memory"]
    );
    assert_eq!(errors(json!({"prot": 1})).len(), 1);
}
