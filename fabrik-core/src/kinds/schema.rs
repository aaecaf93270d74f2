//! Building blocks of hand-made JSON Schemas.
//!
//! Schemas describe the long form. Where a field also has short forms, these are noted beside it
//! as `x-fabrik: {shorthand: SCHEMA}`; [`super::editor_schema`] turns the notes into alternatives.

use serde_json::{Value as Json, json};

pub(super) const DURATION: &str = "^([0-9]+(ms|s|m|h|d))+$";
pub(super) const SIZE: &str = "^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|K|M|G|T)?B?$";
pub(super) const ENV_NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";
const HOST: &str = "^(\\*\\.)?[^\\s/:@*?#]+$";

/// A map with just these fields.
pub(super) fn object(description: &str, fields: &[(&str, Json)], required: &[&str]) -> Json {
    let properties: serde_json::Map<String, Json> = fields
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    let mut schema = json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A map from names of the user's choice.
pub(super) fn map_of(description: &str, names: Option<&str>, item: &Json) -> Json {
    let mut schema = json!({
        "type": "object",
        "description": description,
        "additionalProperties": item,
    });
    if let Some(pattern) = names {
        schema["propertyNames"] = json!({"pattern": pattern});
    }
    schema
}

pub(super) fn list_of(description: &str, item: &Json) -> Json {
    json!({"type": "array", "description": description, "items": item})
}

pub(super) fn text(description: &str) -> Json {
    json!({"type": "string", "description": description})
}

/// Text; numbers and truth values are short for theirs.
pub(super) fn loose_text(description: &str) -> Json {
    short(
        text(description),
        json!({"type": ["number", "boolean"], "description": "Written as text."}),
    )
}

pub(super) fn full_text(description: &str) -> Json {
    json!({"type": "string", "description": description, "minLength": 1})
}

pub(super) fn pattern(description: &str, pattern: &str) -> Json {
    json!({"type": "string", "description": description, "pattern": pattern})
}

pub(super) fn host(description: &str) -> Json {
    pattern(description, HOST)
}

pub(super) fn choice(description: &str, names: &[&str]) -> Json {
    json!({"type": "string", "description": description, "enum": names})
}

pub(super) fn flag(description: &str) -> Json {
    json!({"type": "boolean", "description": description})
}

pub(super) fn whole(description: &str, least: u32, most: Option<u32>) -> Json {
    let mut schema = json!({"type": "integer", "description": description, "minimum": least});
    if let Some(most) = most {
        schema["maximum"] = json!(most);
    }
    schema
}

/// `30s`; a number of seconds is its short form.
pub(super) fn duration(description: &str) -> Json {
    short(
        pattern(description, DURATION),
        json!({"type": "integer", "minimum": 0, "description": "Seconds."}),
    )
}

/// `512Mi`; a number of bytes is its short form.
pub(super) fn size(description: &str) -> Json {
    short(
        pattern(description, SIZE),
        json!({"type": "integer", "minimum": 0, "description": "Bytes."}),
    )
}

/// A program and its arguments, or a line for the shell.
pub(super) fn command(description: &str) -> Json {
    json!({
        "type": ["array", "string"],
        "description": format!("{description} A list is a program and its arguments; a text is a line for `/bin/sh -c`."),
        "items": {"type": "string"},
        "minItems": 1,
        "minLength": 1,
    })
}

/// Notes a short form beside the long one.
pub(super) fn short(mut long: Json, shorthand: impl Into<Json>) -> Json {
    long["x-fabrik"] = json!({"shorthand": shorthand.into()});
    long
}
