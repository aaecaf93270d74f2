//! Schemas of types and kinds as a person's file may meet them: with expressions in place of
//! values, numbers in place of text, `~` in place of what is optional, and shorthands.

use serde_json::{Map, Value as Json, json};

use super::super::secrets::SOURCES;
use super::sections::secret_fields;

/// Brings a schema under `$defs` of the published one.
pub(super) struct Hoist {
    /// The name it gets there, which its own definitions are put below.
    name: String,
}

impl Hoist {
    pub(super) fn new(name: &str) -> Hoist {
        Hoist {
            name: name.to_owned(),
        }
    }

    /// A type's inputs, or a provider's own block.
    pub(super) fn schema(&self, schema: &Json, defs: &mut Map<String, Json>) -> Json {
        self.definitions(schema, defs);
        self.inner(schema, true)
    }

    /// A kind's block: left open, because common fields stand beside its own.
    pub(super) fn block(&self, schema: &Json, defs: &mut Map<String, Json>) -> Json {
        let schema = &with_sources(schema);
        self.definitions(schema, defs);
        let mut block = self.inner(schema, true);
        open(&mut block);
        block
    }

    /// A provider's configuration: left open for `provider`, and without what its variables give.
    pub(super) fn config(&self, schema: &Json, defs: &mut Map<String, Json>) -> Json {
        self.definitions(schema, defs);
        let mut config = self.inner(schema, true);
        open(&mut config);
        // `NAME: ~` is an empty configuration.
        if let Some(object) = config.as_object_mut() {
            object.remove("type");
        }
        if let Some(required) = config.get_mut("required").and_then(Json::as_array_mut) {
            required.retain(|name| {
                let pointer = format!(
                    "/properties/{}/x-fabrik/env",
                    name.as_str().unwrap_or_default()
                );
                schema.pointer(&pointer).is_none()
            });
        }
        config
    }

    fn definitions(&self, schema: &Json, defs: &mut Map<String, Json>) {
        for (key, definition) in schema
            .get("$defs")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let hoisted = self.inner(definition, false);
            defs.insert(format!("{}.{key}", self.name), hoisted);
        }
    }

    /// A schema in the place of a value: an expression will do too, and a shorthand where there is
    /// one.
    fn outer(&self, schema: &Json) -> Json {
        let Some(object) = schema.as_object() else {
            return schema.clone();
        };
        if object.is_empty() {
            return schema.clone();
        }
        let mut any = vec![
            self.inner(schema, false),
            json!({"$ref": "#/$defs/expression"}),
        ];
        if let Some(short) = schema.pointer("/x-fabrik/shorthand") {
            any.push(self.inner(short, false));
        }
        let mut wrapped = json!({"anyOf": any});
        if let Some(about) = object.get("description") {
            wrapped["description"] = about.clone();
        }
        wrapped
    }

    /// A schema with everything below it loosened.
    fn inner(&self, schema: &Json, whole: bool) -> Json {
        let Some(object) = schema.as_object() else {
            return schema.clone();
        };
        let required: Vec<&str> = object
            .get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        let mut out = Map::new();
        for (key, value) in object {
            let value = match (key.as_str(), value) {
                ("$defs" | "$schema" | "$id" | "default", _) => continue,
                ("title", _) if whole => continue,
                ("$ref", Json::String(target)) => json!(self.target(target)),
                ("properties", Json::Object(map)) => map
                    .iter()
                    .map(|(name, schema)| {
                        let schema = self.outer(schema);
                        let optional = !required.contains(&name.as_str()) && schema.is_object();
                        let schema = if optional {
                            optional_of(schema)
                        } else {
                            schema
                        };
                        (name.clone(), schema)
                    })
                    .collect(),
                ("patternProperties", Json::Object(map)) => map
                    .iter()
                    .map(|(name, schema)| (name.clone(), self.outer(schema)))
                    .collect(),
                ("additionalProperties" | "unevaluatedProperties" | "items", schema) => {
                    self.outer(schema)
                }
                ("prefixItems", Json::Array(all)) => {
                    all.iter().map(|schema| self.outer(schema)).collect()
                }
                ("anyOf" | "allOf" | "oneOf", Json::Array(all)) => {
                    all.iter().map(|schema| self.inner(schema, false)).collect()
                }
                ("then" | "else", schema) => self.inner(schema, false),
                (_, other) => other.clone(),
            };
            // Loosened branches overlap, so exactly one is too much to ask.
            let key = if key == "oneOf" && !object.contains_key("anyOf") {
                "anyOf"
            } else {
                key
            };
            out.insert(key.to_owned(), value);
        }
        let more = schema
            .pointer("/x-fabrik/shorthands")
            .and_then(Json::as_object);
        for (key, schema) in more.into_iter().flatten() {
            let schema = self.outer(schema);
            let properties = out.entry("properties").or_insert_with(|| json!({}));
            if let Some(properties) = properties.as_object_mut() {
                properties.insert(key.clone(), schema);
            }
        }
        if is_text(&out) {
            out.insert("type".to_owned(), json!(["string", "number", "boolean"]));
        }
        let closed = out.get("additionalProperties") == Some(&Json::Bool(false));
        if closed {
            let patterns = out.entry("patternProperties").or_insert_with(|| json!({}));
            if let Some(patterns) = patterns.as_object_mut() {
                patterns.insert("^x-".to_owned(), Json::Bool(true));
            }
        }
        Json::Object(out)
    }

    fn target(&self, target: &str) -> String {
        match target.strip_prefix("#/$defs/") {
            Some(name) => format!("#/$defs/{}.{name}", self.name),
            None if target == "#" => format!("#/$defs/{}", self.name),
            None => target.to_owned(),
        }
    }
}

/// Whether a schema takes text only, in any wording: numbers and truth values are taken as text.
fn is_text(schema: &Map<String, Json>) -> bool {
    let text = match schema.get("type") {
        Some(Json::String(name)) => name == "string",
        Some(Json::Array(names)) => {
            names.contains(&json!("string"))
                && names.iter().all(|name| name == "string" || name == "null")
        }
        _ => false,
    };
    text && !schema.contains_key("enum") && !schema.contains_key("const")
}

/// A schema that also takes `~`.
fn optional_of(schema: Json) -> Json {
    match schema {
        Json::Object(mut object) if object.get("anyOf").is_some_and(Json::is_array) => {
            if let Some(Json::Array(any)) = object.get_mut("anyOf") {
                any.push(json!({"type": "null"}));
            }
            Json::Object(object)
        }
        Json::Object(object) if object.is_empty() => Json::Object(object),
        other => json!({"anyOf": [other, {"type": "null"}]}),
    }
}

/// Lets further keys stand beside those named.
fn open(schema: &mut Json) {
    if let Some(object) = schema.as_object_mut() {
        for key in ["additionalProperties", "unevaluatedProperties"] {
            if object.get(key) == Some(&Json::Bool(false)) {
                object.remove(key);
            }
        }
    }
}

/// A kind's schema whose secrets may also say where they come from: the loader takes that.
fn with_sources(schema: &Json) -> Json {
    let mut schema = schema.clone();
    for secrets in [
        "/properties/secrets",
        "/properties/build/properties/secrets",
    ] {
        let pointer = format!("{secrets}/items/properties");
        if let Some(Json::Object(properties)) = schema.pointer_mut(&pointer) {
            for (key, below) in secret_fields() {
                if SOURCES.contains(&key) {
                    properties.entry(key).or_insert(below);
                }
            }
        }
    }
    schema
}
