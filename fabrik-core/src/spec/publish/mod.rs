//! The published JSON Schema of the whole language, for editors and other programs.
//!
//! It is composed from what the registry has: the common fields, and by `if`/`then` the fields of
//! every kind of app and every type of resource. It takes what [`super::load`] takes in shape; what
//! only loading can know (names, cycles, roles, values of variables) it does not check.
//!
//! A kind whose block has shorthands says so in its schema: a field with
//! `x-fabrik: {shorthand: S}` also takes what S takes, and a map with
//! `x-fabrik: {shorthands: {F: S}}` has a further field F.

mod loosen;
mod sections;

use serde_json::{Map, Value as Json, json};

use super::apps::COMMON;
use super::expand::own_schema;
use super::options;
use super::top::TOP;
use crate::provider::Registry;

use loosen::Hoist;

/// Letters of an id.
pub(super) const ID: &str = "^[A-Za-z0-9_-]{1,100}$";
/// As [`ID`], in a map where keys that begin with `x-` are left alone.
pub(super) const KEY: &str =
    "^([A-Za-wyz0-9_-][A-Za-z0-9_-]{0,99}|x([A-Za-z0-9_][A-Za-z0-9_-]{0,98})?)$";

/// The JSON Schema (draft 2020-12) of a document.
///
/// ```
/// let schema = fabrik_core::spec::schema(&fabrik_core::provider::Registry::new());
/// assert_eq!(schema["properties"]["fabrik"]["const"], 1);
/// ```
pub fn schema(registry: &Registry) -> Json {
    let mut defs = sections::common();
    let kinds: Vec<&str> = registry.component_kinds().collect();
    for kind in &kinds {
        if let Some(component) = registry.component(kind) {
            let hoist = Hoist::new(&format!("kind.{kind}"));
            let block = hoist.block(&component.schema(), &mut defs);
            defs.insert(format!("kind.{kind}"), block);
        }
    }
    for info in registry.types() {
        let hoist = Hoist::new(&format!("type.{}", info.name));
        let inputs = hoist.schema(&info.schema, &mut defs);
        defs.insert(format!("type.{}", info.name), inputs);
    }
    for provider in registry.providers() {
        let info = provider.info();
        let hoist = Hoist::new(&format!("provider.{}", info.name));
        let config = hoist.config(&info.config, &mut defs);
        defs.insert(format!("provider.{}", info.name), config);
        let hoist = Hoist::new(&format!("own.{}", info.name));
        let own = hoist.schema(&own_schema(registry, &info.name), &mut defs);
        defs.insert(format!("own.{}", info.name), own);
    }
    defs.insert("own".to_owned(), own(registry));
    defs.insert("on".to_owned(), sections::on(registry));
    defs.insert("app".to_owned(), app(&kinds));
    defs.insert("resource".to_owned(), resource(registry));
    defs.insert("providers".to_owned(), providers(registry));
    root(&kinds, &defs)
}

fn reference(name: &str) -> Json {
    json!({"$ref": format!("#/$defs/{name}")})
}

/// The document: the long form, or with `kind` or `template` one app.
fn root(kinds: &[&str], defs: &Map<String, Json>) -> Json {
    let mut properties = Map::new();
    for top in TOP.iter().filter(|top| top.ready) {
        let mut schema = sections::top(top.name);
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), json!(top.about));
        }
        properties.insert(top.name.to_owned(), schema);
    }
    let several = ["apps", "resources"].map(|key| json!({"required": [key]}));
    let one = ["kind", "template"].map(|key| json!({"required": [key]}));
    let per_env: Vec<&str> = TOP
        .iter()
        .filter(|top| top.per_env && top.ready)
        .map(|top| top.name)
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fabrik spec",
        "description": "What is to run, where, under which names, and how it is checked.",
        "type": "object",
        "required": ["id"],
        "properties": properties,
        "patternProperties": {"^x-": true},
        "if": {"not": {"anyOf": several}, "anyOf": one},
        "then": {
            "allOf": by_kind(kinds),
            "properties": flat_common(),
            "patternProperties": {},
        },
        "else": {
            "properties": {
                "secrets": reference("secrets"),
                "verify": reference("checks"),
                "environments": {"additionalProperties": {
                    "propertyNames": {"anyOf": [{"enum": per_env}, {"pattern": "^x-"}]},
                }},
            },
        },
        "unevaluatedProperties": false,
        "$defs": defs,
    })
}

/// Common fields of an app that do not stand at the top level anyway.
fn flat_common() -> Map<String, Json> {
    let mut properties = Map::new();
    for (name, about) in COMMON {
        if !TOP.iter().any(|top| top.name == *name) {
            properties.insert(
                (*name).to_owned(),
                described(sections::app_field(name), about),
            );
        }
    }
    properties
}

fn described(mut schema: Json, about: &str) -> Json {
    if let Some(object) = schema.as_object_mut() {
        object.insert("description".to_owned(), json!(about));
    }
    schema
}

/// What depends on `kind`; without one (a template decides) any kind's fields.
fn by_kind(kinds: &[&str]) -> Vec<Json> {
    let mut all: Vec<Json> = kinds
        .iter()
        .map(|kind| {
            json!({
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": reference(&format!("kind.{kind}")),
            })
        })
        .collect();
    let any: Vec<Json> = kinds
        .iter()
        .map(|kind| reference(&format!("kind.{kind}")))
        .collect();
    if !any.is_empty() {
        all.push(json!({"if": {"not": {"required": ["kind"]}}, "then": {"anyOf": any}}));
    }
    all.push(json!({"properties": {"kind": {"enum": kinds}}}));
    all.push(reference("own"));
    all
}

/// An app below `apps`.
fn app(kinds: &[&str]) -> Json {
    let mut properties = Map::new();
    for (name, about) in COMMON {
        properties.insert(
            (*name).to_owned(),
            described(sections::app_field(name), about),
        );
    }
    json!({
        "type": "object",
        "anyOf": [{"required": ["kind"]}, {"required": ["template"]}],
        "properties": properties,
        "patternProperties": {"^x-": true},
        "allOf": by_kind(kinds),
        "unevaluatedProperties": false,
    })
}

/// The blocks named after providers.
fn own(registry: &Registry) -> Json {
    let blocks: Map<String, Json> = registry
        .providers()
        .map(|provider| {
            let name = provider.info().name.to_string();
            let own = json!({"anyOf": [reference(&format!("own.{name}")), {"type": "null"}]});
            (name, own)
        })
        .collect();
    json!({"properties": blocks})
}

/// A resource below `resources`.
fn resource(registry: &Registry) -> Json {
    let mut properties = Map::new();
    for (name, about) in super::resources::KEYS.iter().chain(options::KEYS) {
        properties.insert(
            (*name).to_owned(),
            described(sections::resource_field(name), about),
        );
    }
    let types: Vec<&str> = registry.types().map(|info| &*info.name).collect();
    properties.insert(
        "type".to_owned(),
        json!({"enum": types, "description": "Its type: `PROVIDER.TYPE`."}),
    );
    let by_type: Vec<Json> = registry
        .types()
        .map(|info| {
            let needs = info
                .schema
                .get("required")
                .and_then(Json::as_array)
                .is_some_and(|required| !required.is_empty());
            let spec = reference(&format!("type.{}", info.name));
            let then = if needs {
                json!({"properties": {"spec": spec}, "required": ["spec"]})
            } else {
                json!({"properties": {"spec": {"anyOf": [spec, {"type": "null"}]}}})
            };
            json!({
                "if": {"properties": {"type": {"const": &*info.name}}, "required": ["type"]},
                "then": then,
            })
        })
        .collect();
    json!({
        "type": "object",
        "required": ["type"],
        "properties": properties,
        "patternProperties": {"^x-": true},
        "additionalProperties": false,
        "allOf": by_type,
    })
}

/// `providers`: by the provider's own name, or by any name with `provider:`.
fn providers(registry: &Registry) -> Json {
    let mut own_names = Map::new();
    let mut by_provider = Vec::new();
    let mut names = Vec::new();
    for provider in registry.providers() {
        let name = &*provider.info().name;
        let config = reference(&format!("provider.{name}"));
        names.push(name);
        own_names.insert(
            name.to_owned(),
            json!({
                "type": ["object", "null"],
                "properties": {"provider": {"const": name}},
                "allOf": [config],
                "unevaluatedProperties": false,
            }),
        );
        by_provider.push(json!({
            "if": {"properties": {"provider": {"const": name}}, "required": ["provider"]},
            "then": config,
        }));
    }
    json!({
        "type": "object",
        "properties": own_names,
        "patternProperties": {"^x-": true},
        "additionalProperties": {
            "type": "object",
            "required": ["provider"],
            "properties": {"provider": {"enum": names}},
            "allOf": by_provider,
            "unevaluatedProperties": false,
        },
    })
}
