//! What is wrong with a provider's schemas, seen without its service: the conformance suite's cases
//! S1, S2, S4 and S6, and the spelling of `x-fabrik` facts.

use std::collections::BTreeSet;

use fabrik_core::provider::{Mode, ProviderInfo, TypeInfo};
use serde_json::Value as Json;

/// A thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lint {
    /// The case of the conformance suite.
    pub(crate) case: &'static str,
    /// Where: a type or `PROVIDER (configuration)`, and the field.
    pub(crate) place: String,
    /// What is wrong.
    pub(crate) problem: String,
}

const FLAGS: [&str; 7] = [
    "replace",
    "sensitive",
    "write_only",
    "computed",
    "sticky",
    "data_loss",
    "deprecated",
];
const SAMENESS: [&str; 9] = [
    "lower", "trim_dot", "json", "yaml", "cidr", "duration", "url", "number", "text",
];
/// Words in the names of fields that hold secrets.
const SECRET_WORDS: [&str; 6] = ["token", "secret", "password", "passphrase", "apikey", "key"];
/// Words beside them that say it is none.
const NO_SECRET_WORDS: [&str; 9] = [
    "public",
    "id",
    "name",
    "type",
    "file",
    "path",
    "fingerprint",
    "algorithm",
    "field",
];

/// Everything wrong with a provider's schemas.
pub(crate) fn provider(info: &ProviderInfo) -> Vec<Lint> {
    let mut found = Found::default();
    let config = format!("{} (configuration)", info.name);
    if info.description.trim().is_empty() {
        found.add("S2", &config, "the configuration has no description");
    }
    found.schema(&config, &info.config, true);
    for kind in &info.types {
        found.kind(&info.name, kind);
    }
    found.0.into_iter().collect()
}

#[derive(Default)]
struct Found(BTreeSet<Lint>);

impl Found {
    fn add(&mut self, case: &'static str, place: &str, problem: impl Into<String>) {
        self.0.insert(Lint {
            case,
            place: place.to_owned(),
            problem: problem.into(),
        });
    }

    fn kind(&mut self, provider: &str, info: &TypeInfo) {
        let place = &*info.name;
        let own = place
            .strip_prefix(provider)
            .and_then(|rest| rest.strip_prefix('.'));
        if !own.is_some_and(is_name) {
            self.add(
                "S1",
                place,
                format!("is not `{provider}.` and a name of small letters, digits and `_`"),
            );
        }
        if info.description.trim().is_empty() {
            self.add("S2", place, "has no description");
        }
        self.schema(place, &info.schema, true);
        self.schema(&format!("{place} (outputs)"), &info.outputs, false);
        if info.mode == Mode::Managed && info.output_fields.properties.contains_key("id") {
            let id = info.outputs.pointer("/properties/id/type");
            if id.is_some_and(|kind| kind != "string") {
                self.add(
                    "S8",
                    place,
                    "the output `id` hides the object's own id: call it otherwise",
                );
            }
        }
    }

    fn schema(&mut self, place: &str, schema: &Json, strict: bool) {
        let is_object = schema.get("type").and_then(Json::as_str) == Some("object");
        if !is_object && schema.get("properties").is_none() {
            self.add("S1", place, "the schema is not an object");
        }
        self.object(place, "", schema, schema, strict, 0);
    }

    fn object(
        &mut self,
        place: &str,
        at: &str,
        schema: &Json,
        root: &Json,
        strict: bool,
        depth: usize,
    ) {
        if depth > 8 {
            return;
        }
        let schema = follow(schema, root);
        let fields = schema.get("properties").and_then(Json::as_object);
        if strict
            && fields.is_some()
            && schema.get("additionalProperties") != Some(&Json::Bool(false))
        {
            let what = if at.is_empty() {
                "unknown fields are taken"
            } else {
                "unknown fields below it are taken"
            };
            self.add(
                "S4",
                &named(place, at),
                format!("{what}: `#[serde(deny_unknown_fields)]`"),
            );
        }
        for (name, field) in fields.into_iter().flatten() {
            let at = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            self.field(place, &at, name, field, root);
            for below in below(field, root) {
                self.object(place, &at, below, root, strict, depth + 1);
            }
        }
    }

    fn field(&mut self, place: &str, at: &str, name: &str, field: &Json, root: &Json) {
        let target = follow(field, root);
        let place = named(place, at);
        let text = |schema: &Json| {
            let text = schema.get("description").and_then(Json::as_str);
            text.is_some_and(|text| !text.trim().is_empty())
        };
        if !text(field) && !text(target) {
            self.add("S2", &place, "has no description");
        }
        let facts = field.get("x-fabrik").or_else(|| target.get("x-fabrik"));
        if let Some(facts) = facts {
            self.facts(&place, facts);
        }
        let said = facts.and_then(|facts| facts.get("sensitive")).is_some();
        if sounds_secret(name) && holds_text(target, root) && !said {
            self.add(
                "S6",
                &place,
                "sounds like a secret: make it a `Secret`, or say `\"sensitive\": false`",
            );
        }
    }

    fn facts(&mut self, place: &str, facts: &Json) {
        let Some(facts) = facts.as_object() else {
            self.add("S1", place, "`x-fabrik` is not an object");
            return;
        };
        for (key, value) in facts {
            let fits = match key.as_str() {
                flag if FLAGS.contains(&flag) => value.is_boolean() || value.is_array(),
                "env" => value.is_string(),
                "list" => value.as_str().is_some_and(|kind| {
                    matches!(kind, "set" | "ordered") || kind.starts_with("keyed:")
                }),
                "same" => value.as_str().is_some_and(|same| SAMENESS.contains(&same)),
                _ => {
                    let known = FLAGS.into_iter().chain(["env", "list", "same"]);
                    let near = fabrik_core::diagnostic::did_you_mean(key, known);
                    let near =
                        near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    self.add("S1", place, format!("`x-fabrik` has no fact `{key}`{near}"));
                    continue;
                }
            };
            if !fits {
                self.add("S1", place, format!("the fact `{key}` cannot be `{value}`"));
            }
        }
    }
}

fn named(place: &str, at: &str) -> String {
    if at.is_empty() {
        return place.to_owned();
    }
    format!("{place} `{at}`")
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// What a field leads to that has fields again.
fn below<'a>(field: &'a Json, root: &'a Json) -> Vec<&'a Json> {
    let target = follow(field, root);
    let mut found = vec![target];
    found.extend(target.get("items"));
    found.extend(
        target
            .get("additionalProperties")
            .filter(|below| below.is_object()),
    );
    for key in ["anyOf", "oneOf", "allOf"] {
        found.extend(
            target
                .get(key)
                .and_then(Json::as_array)
                .into_iter()
                .flatten(),
        );
    }
    found
}

fn follow<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    let mut here = schema;
    for _ in 0..8 {
        let pointer = here.get("$ref").and_then(Json::as_str);
        match pointer.and_then(|text| root.pointer(text.strip_prefix('#')?)) {
            Some(found) => here = found,
            None => break,
        }
    }
    here
}

fn sounds_secret(name: &str) -> bool {
    let words: Vec<String> = name.split('_').map(str::to_ascii_lowercase).collect();
    words.iter().any(|word| SECRET_WORDS.contains(&&**word))
        && !words.iter().any(|word| NO_SECRET_WORDS.contains(&&**word))
        // A bare `key` is the key of a map or object store more often than a secret.
        && name != "key"
}

fn holds_text(schema: &Json, root: &Json) -> bool {
    let is_text = |kind: &Json| kind == "string";
    match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(is_text),
        Some(kind) => is_text(kind) && schema.get("enum").is_none(),
        None => ["anyOf", "oneOf"].iter().any(|key| {
            let parts = schema.get(key).and_then(Json::as_array);
            parts.into_iter().flatten().any(|part| {
                let part = follow(part, root);
                part.get("x-fabrik").is_none() && holds_text(part, root)
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn info(schema: Json) -> ProviderInfo {
        let mut kind = TypeInfo::new(
            "acme.note",
            schema,
            json!({"type": "object", "properties": {}}),
        );
        kind.description = "A note.".to_owned();
        ProviderInfo {
            name: "acme".into(),
            version: "1".into(),
            description: "Acme.".to_owned(),
            config: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            types: vec![kind.into()],
            max_in_flight: 1,
        }
    }

    #[test]
    fn what_is_wrong_is_said_where_it_is() {
        let schema = json!({
            "type": "object",
            "properties": {
                "title": {"type": "string"},
                "api_token": {"type": ["string", "null"], "description": "x"},
                "token_id": {"type": "string", "description": "x"},
                "public_key": {"type": "string", "description": "x"},
                "password": {"type": "string", "description": "x", "x-fabrik": {"sensitive": true}},
                "tags": {"type": "array", "items": {"$ref": "#/$defs/Tag"}, "description": "x",
                    "x-fabrik": {"list": "bag", "replaces": true}},
            },
            "$defs": {"Tag": {"type": "object", "properties": {"name": {"type": "string"}}}},
        });
        let found: Vec<String> = provider(&info(schema))
            .into_iter()
            .map(|lint| format!("{} {}: {}", lint.case, lint.place, lint.problem))
            .collect();
        insta::assert_snapshot!(found.join("\n"));
    }

    #[test]
    fn a_good_provider_has_nothing_to_mend() {
        let schema = json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {"title": {"type": "string", "description": "Its title."}},
        });
        assert_eq!(provider(&info(schema)), []);
    }
}
