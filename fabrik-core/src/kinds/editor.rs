//! The schema of what people write, from the schema of the long form.

use serde_json::{Map, Value as Json, json};

/// Turns the notes about short forms in a kind's schema into alternatives: what people may write,
/// for editors. (The schema itself describes the long form, after [`crate::role::Component::normalise`],
/// because errors against alternatives are hard to read.)
///
/// `x-fabrik: {shorthand: S}` beside a schema makes it `anyOf` both; `x-fabrik: {shorthands: {F: S}}`
/// beside the schema of a map adds the field `F`.
pub fn editor_schema(schema: &Json) -> Json {
    match schema {
        Json::Array(items) => Json::Array(items.iter().map(editor_schema).collect()),
        Json::Object(fields) => {
            let mut out: Map<String, Json> = fields
                .iter()
                .filter(|(name, _)| *name != "x-fabrik")
                .map(|(name, item)| (name.clone(), editor_schema(item)))
                .collect();
            let mut marks = fields
                .get("x-fabrik")
                .and_then(Json::as_object)
                .cloned()
                .unwrap_or_default();
            if let Some(Json::Object(more)) = marks.remove("shorthands")
                && let Some(Json::Object(properties)) = out.get_mut("properties")
            {
                properties.extend(more);
            }
            let shorthand = marks.remove("shorthand");
            if !marks.is_empty() {
                out.insert("x-fabrik".to_owned(), Json::Object(marks));
            }
            let long = Json::Object(out);
            match shorthand {
                Some(shorthand) => {
                    let mut both = json!({"anyOf": [shorthand, long]});
                    if let Some(description) = fields.get("description") {
                        both["description"] = description.clone();
                    }
                    both
                }
                None => long,
            }
        }
        other => other.clone(),
    }
}

/// The schema of the long form alone, without the notes: for intents, which have no short forms.
pub(super) fn long_only(schema: &Json) -> Json {
    match schema {
        Json::Array(items) => Json::Array(items.iter().map(long_only).collect()),
        Json::Object(fields) => Json::Object(
            fields
                .iter()
                .filter(|(name, _)| *name != "x-fabrik")
                .map(|(name, item)| (name.clone(), long_only(item)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_become_alternatives() {
        let schema = json!({
            "type": "object",
            "x-fabrik": {"shorthands": {"d": {"type": "string"}}, "other": 1},
            "properties": {
                "h": {"type": "object", "description": "H.", "x-fabrik": {"shorthand": {"type": "string"}}},
            },
        });
        assert_eq!(
            editor_schema(&schema),
            json!({
                "type": "object",
                "x-fabrik": {"other": 1},
                "properties": {
                    "d": {"type": "string"},
                    "h": {
                        "description": "H.",
                        "anyOf": [{"type": "string"}, {"type": "object", "description": "H."}],
                    },
                },
            })
        );
        assert!(!long_only(&schema).to_string().contains("x-fabrik"));
    }
}
