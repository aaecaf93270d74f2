//! Building blocks of the block's JSON Schema, in the words of `fabrik_core::kinds`: short forms
//! are noted beside the long one as `x-fabrik: {shorthand: SCHEMA}`.

use serde_json::{Value as Json, json};

/// Identifiers of the spec: of pages, menus, forms.
pub(crate) const ID: &str = "^[a-z0-9]+([-_][a-z0-9]+)*$";
/// Slugs that WordPress keeps as they are.
pub(crate) const SLUG: &str = "^[a-z0-9]+([-_][a-z0-9]+)*$";

/// A map with just these fields.
pub(crate) fn object(description: &str, fields: &[(&str, Json)], required: &[&str]) -> Json {
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
pub(crate) fn map_of(description: &str, names: Option<&str>, item: &Json) -> Json {
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

/// A list.
pub(crate) fn list_of(description: &str, item: &Json) -> Json {
    json!({"type": "array", "description": description, "items": item})
}

/// Any text.
pub(crate) fn text(description: &str) -> Json {
    json!({"type": "string", "description": description})
}

/// Text that is not empty.
pub(crate) fn full_text(description: &str) -> Json {
    json!({"type": "string", "description": description, "minLength": 1})
}

/// Text of a form.
pub(crate) fn pattern(description: &str, pattern: &str) -> Json {
    json!({"type": "string", "description": description, "pattern": pattern})
}

/// One of some words.
pub(crate) fn choice(description: &str, names: &[&str]) -> Json {
    json!({"type": "string", "description": description, "enum": names})
}

/// A truth value.
pub(crate) fn flag(description: &str) -> Json {
    json!({"type": "boolean", "description": description})
}

/// A whole number.
pub(crate) fn whole(description: &str, least: u32, most: Option<u32>) -> Json {
    let mut schema = json!({"type": "integer", "description": description, "minimum": least});
    if let Some(most) = most {
        schema["maximum"] = json!(most);
    }
    schema
}

/// A mail address, roughly.
pub(crate) fn email(description: &str) -> Json {
    pattern(description, "^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$")
}

/// An `http` or `https` URL.
pub(crate) fn url(description: &str) -> Json {
    pattern(description, "^https?://[^\\s]+$")
}

/// Notes a short form beside the long one.
pub(crate) fn short(mut long: Json, shorthand: impl Into<Json>) -> Json {
    long["x-fabrik"] = json!({"shorthand": shorthand.into()});
    long
}
