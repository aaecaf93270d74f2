//! The parts of the published schema that depend on no provider.

use serde_json::{Map, Value as Json, json};

use super::super::checks;
use super::super::notify::channel;
use super::super::roles::PLACES;
use super::{ID, KEY, reference};
use crate::provider::Registry;
use crate::role::ROLES;

/// Definitions every document shares.
pub(super) fn common() -> Map<String, Json> {
    let names =
        json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    let definitions = [
        ("expression", json!({"type": "string", "pattern": "\\$\\{"})),
        ("id", json!({"type": ["string", "integer"], "pattern": ID})),
        ("names", names),
        ("flag", json!({"type": "boolean"})),
        (
            "duration",
            json!({
                "type": ["string", "integer"],
                "pattern": "^ *([0-9]+|([0-9]+(ms|s|m|h|d))+) *$",
            }),
        ),
        (
            "condition",
            json!({"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/expression"}]}),
        ),
        (
            "each",
            json!({"anyOf": [
                {"type": "array", "items": {"type": ["string", "number"]}, "uniqueItems": true},
                {"type": "object"},
                {"$ref": "#/$defs/expression"},
            ]}),
        ),
        ("check", check()),
        (
            "checks",
            json!({"anyOf": [
                reference("check"), {"type": "array", "items": reference("check")}, {"type": "null"},
            ]}),
        ),
        ("variable", variable()),
        ("secret", secret()),
        ("secrets", secrets()),
        (
            "move",
            json!({
                "type": "object",
                "required": ["from", "to"],
                "properties": {"from": address(), "to": address()},
                "patternProperties": {"^x-": true},
                "additionalProperties": false,
            }),
        ),
    ];
    definitions
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

fn address() -> Json {
    json!({"type": "string", "pattern": "^(\\$\\{ *)?(apps|resources)\\."})
}

fn check() -> Json {
    let mut properties = Map::new();
    for (name, about) in checks::KEYS {
        let schema = if *name == "name" {
            reference("id")
        } else {
            reference("duration")
        };
        properties.insert((*name).to_owned(), super::described(schema, about));
    }
    let kinds: Vec<&str> = checks::KINDS.iter().map(|row| row.0).collect();
    let mut forms = vec![json!({"required": ["kind"]})];
    for (kind, _, about) in checks::KINDS {
        properties.insert((*kind).to_owned(), json!({"description": about}));
        let subject = match *kind {
            "container" => json!({}),
            "http" => json!({"anyOf": [
                {"type": "object"}, {"type": "string", "pattern": "^(/|https?://)|\\$\\{"},
            ]}),
            _ => json!({"not": {"type": "null"}}),
        };
        forms.push(json!({"required": [kind], "properties": {*kind: subject}}));
    }
    properties.insert("kind".to_owned(), json!({"enum": kinds}));
    properties.insert("spec".to_owned(), json!({"type": "object"}));
    json!({"type": "object", "properties": properties, "oneOf": forms})
}

fn variable() -> Json {
    json!({
        "if": {
            "type": "object",
            "anyOf": [{"required": ["type"]}, {"required": ["default"]}, {"required": ["required"]}],
            "propertyNames": {"anyOf": [
                {"enum": ["type", "default", "required", "description"]}, {"pattern": "^x-"},
            ]},
        },
        "then": {"properties": {
            "type": {"enum": ["string", "number", "boolean", "list", "map"]},
            "required": {"type": "boolean"},
        }},
    })
}

fn source() -> Json {
    json!({"anyOf": [
        {"type": "string", "pattern": "://|\\$\\{", "not": {"pattern": "^cmd:"}},
        {"type": "object", "required": ["cmd"], "properties": {"cmd": command()}},
    ]})
}

fn command() -> Json {
    json!({"type": "array", "minItems": 1, "items": {"type": ["string", "number", "boolean"]}})
}

/// What may be said of a secret.
pub(super) fn secret_fields() -> Vec<(&'static str, Json)> {
    vec![
        ("name", json!({"type": "string"})),
        ("from", source()),
        ("cmd", command()),
        (
            "generate",
            json!({"anyOf": [
                {"type": "integer", "minimum": 8, "maximum": 1024}, {"const": true},
            ]}),
        ),
        ("required", json!({"type": "boolean"})),
        ("description", json!({"type": "string"})),
    ]
}

fn secret() -> Json {
    let properties: Map<String, Json> = secret_fields()
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({"anyOf": [
        {"type": "null"},
        {"type": "string", "pattern": "://|\\$\\{", "not": {"pattern": "^cmd:"}},
        {
            "type": "object",
            "properties": properties,
            "not": {
                "required": ["generate", "required"],
                "properties": {"required": {"const": true}},
            },
            "patternProperties": {"^x-": true},
            "additionalProperties": false,
        },
    ]})
}

fn secrets() -> Json {
    json!({"anyOf": [
        {"type": "null"},
        {
            "type": "object",
            "propertyNames": {"pattern": ID},
            "additionalProperties": reference("secret"),
        },
        {"type": "array", "items": {"anyOf": [
            {"type": "string", "pattern": ID},
            {"allOf": [reference("secret"), {"type": "object", "required": ["name"]}]},
        ]}},
    ]})
}

/// `on`.
pub(super) fn on(registry: &Registry) -> Json {
    let mut properties = Map::new();
    for role in ROLES {
        properties.insert((*role).to_owned(), json!({"type": "string"}));
    }
    for place in PLACES {
        properties.insert((*place).to_owned(), json!({}));
    }
    // Roles that other crates add are known by their players.
    for provider in registry.providers() {
        for player in provider.players() {
            let role = player.role().to_owned();
            properties
                .entry(role)
                .or_insert_with(|| json!({"type": "string"}));
        }
    }
    json!({"anyOf": [
        {"type": ["string", "null"]},
        {
            "type": "object",
            "properties": properties,
            "patternProperties": {"^x-": true},
            "additionalProperties": false,
        },
    ]})
}

/// A section of the document.
pub(super) fn top(name: &str) -> Json {
    let map_of = |below: Json| {
        json!({
            "type": ["object", "null"],
            "propertyNames": {"pattern": "^(x-.*|[A-Za-z0-9_-]{1,100})$"},
            "additionalProperties": below,
        })
    };
    match name {
        "fabrik" => json!({"const": 1}),
        "id" => reference("id"),
        "requires" => json!({"type": ["string", "number"], "pattern": "^ *[<>=]* *[0-9]"}),
        "requires_env" => reference("flag"),
        "providers" => json!({"anyOf": [reference("providers"), {"type": "null"}]}),
        "defaults" => json!({
            "type": ["object", "null"],
            "properties": {"on": reference("on")},
            "patternProperties": {"^x-": true},
            "additionalProperties": false,
        }),
        "vars" => map_of(reference("variable")),
        "apps" => json!({
            "type": ["object", "null"],
            "patternProperties": {"^x-": true, KEY: reference("app")},
            "additionalProperties": false,
        }),
        "resources" => json!({"anyOf": [
            {"type": "null"},
            {"type": "array", "items": {"allOf": [
                reference("resource"), {"required": ["id"]},
            ]}},
            {
                "type": "object",
                "propertyNames": {"pattern": ID},
                "additionalProperties": reference("resource"),
            },
        ]}),
        "environments" => map_of(json!({"type": ["object", "null"]})),
        "outputs" => map_of(json!({})),
        "notify" => json!({
            "type": ["object", "null"],
            "patternProperties": {"^x-": true, KEY: channel()},
            "additionalProperties": false,
        }),
        "moved" => json!({"type": ["array", "null"], "items": reference("move")}),
        "on_failure" => json!({"enum": ["rollback", "keep", "ask", null]}),
        "on" => reference("on"),
        "name" | "description" => json!({"type": ["string", "number", "boolean", "null"]}),
        _ => json!({}),
    }
}

/// A common field of an app.
pub(super) fn app_field(name: &str) -> Json {
    match name {
        "kind" | "template" => json!({"type": "string"}),
        "on" => reference("on"),
        "verify" => reference("checks"),
        "notify" => reference("names"),
        other => resource_field(other),
    }
}

/// A field of a resource.
pub(super) fn resource_field(name: &str) -> Json {
    let schema = match name {
        "id" => return reference("id"),
        "spec" => return json!({"anyOf": [{"type": ["object", "null"]}, reference("expression")]}),
        "verify" => return reference("checks"),
        "for_each" => return reference("each"),
        "when" => return reference("condition"),
        "depends_on" | "replace_with" | "run_when_changed" | "ignore_changes" => reference("names"),
        "protect" | "retain" | "adopt" | "create_before_delete" => reference("flag"),
        "timeout" => reference("duration"),
        "on_drift" => json!({"enum": ["restore", "keep", "stop"]}),
        "import" => json!({"type": ["string", "number"]}),
        _ => json!({"type": ["string", "number", "boolean"]}),
    };
    json!({"anyOf": [schema, {"type": "null"}]})
}
