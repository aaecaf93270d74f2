//! Facts about fields, read once from a JSON Schema's `x-fabrik` objects.
//!
//! Keys understood: `replace`, `sensitive`, `write_only`, `computed`, `sticky`, `env`,
//! `data_loss`, `deprecated`, `list: set | ordered | ordered:FIELD | keyed:FIELD`,
//! `same: lower | trim_dot | json | yaml | cidr | duration | url | number`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::value::{Path, Segment};

/// How lists compare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListKind {
    /// Position matters.
    #[default]
    Ordered,
    /// Position and repetition do not matter.
    Set,
    /// Items are told apart by a field; position does not matter.
    Keyed(Arc<str>),
    /// Position matters, and items are told apart by a field: what was changed by hand is kept, where
    /// it is to be kept, item by item.
    OrderedBy(Arc<str>),
}

/// When two scalar values count as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Same {
    /// Exactly equal (numbers by value).
    #[default]
    Exact,
    /// Equal without regard to case.
    Lower,
    /// Equal without a final dot and without regard to case, as host names.
    TrimDot,
    /// Equal as parsed JSON.
    Json,
    /// Equal as parsed YAML.
    Yaml,
    /// Equal as text of a number or duration in seconds: `60` and `"60"`, `1m` and `60s`.
    Duration,
    /// Equal without a final slash.
    Url,
    /// Equal as text: `60` and `"60"`.
    Text,
}

/// The facts of a field and of what lies below it.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    /// A change needs a new object.
    pub replace: bool,
    /// Never shown.
    pub sensitive: bool,
    /// Sent, never shown by the service.
    pub write_only: bool,
    /// May be filled in by the service when not set.
    pub computed: bool,
    /// Stays as it is when no longer set.
    pub sticky: bool,
    /// Changing it loses data.
    pub data_loss: bool,
    /// The variable it is conventionally taken from.
    pub env: Option<Arc<str>>,
    /// How lists compare.
    pub list: ListKind,
    /// How scalars compare.
    pub same: Same,
    /// Named fields below.
    pub properties: BTreeMap<Arc<str>, Fields>,
    /// Items of a list, or values of a map with free keys.
    pub items: Option<Box<Fields>>,
    /// Default value, which an absent field equals.
    pub default: Option<crate::value::Value>,
}

static NONE: Fields = Fields {
    replace: false,
    sensitive: false,
    write_only: false,
    computed: false,
    sticky: false,
    data_loss: false,
    env: None,
    list: ListKind::Ordered,
    same: Same::Exact,
    properties: BTreeMap::new(),
    items: None,
    default: None,
};

impl Fields {
    /// Reads the facts of a schema. `$ref`s into its own `$defs` are followed.
    pub fn of_schema(schema: &Json) -> Fields {
        read(schema, schema, 0)
    }

    /// The facts at a path; default facts where the schema says nothing.
    pub fn at(&self, path: &Path) -> &Fields {
        path.segments()
            .iter()
            .fold(self, |here, segment| here.child(segment))
    }

    /// The facts one step down.
    pub fn child(&self, segment: &Segment) -> &Fields {
        let below = match segment {
            Segment::Key(key) => self.properties.get(key).or(self.items.as_deref()),
            Segment::Index(_) => self.items.as_deref(),
        };
        below.unwrap_or(&NONE)
    }

    /// Whether any field at or below this one satisfies the predicate.
    pub fn any(&self, predicate: &dyn Fn(&Fields) -> bool) -> bool {
        predicate(self)
            || self.properties.values().any(|field| field.any(predicate))
            || self
                .items
                .as_ref()
                .is_some_and(|field| field.any(predicate))
    }

    /// Inputs with what a provider found out (`computed` fields that are not set) as it was in other
    /// inputs: going back to those goes back to that too.
    #[must_use]
    pub(crate) fn computed_from(
        &self,
        inputs: &crate::value::Value,
        sent: &crate::value::Value,
    ) -> crate::value::Value {
        let (Some(map), Some(sent)) = (inputs.as_map(), sent.as_map()) else {
            return inputs.clone();
        };
        let missing = sent.iter().filter(|(key, _)| {
            let absent = map.get(key).is_none_or(crate::value::Value::is_null);
            absent && self.child(&Segment::Key((*key).clone())).computed
        });
        missing.fold(inputs.clone(), |inputs, (key, item)| {
            inputs.with(&Path::key(key.clone()), item.clone())
        })
    }

    /// Marks as secret whatever the schema calls sensitive.
    #[must_use]
    pub fn mark(&self, value: &crate::value::Value) -> crate::value::Value {
        use crate::value::Value;
        if value.is_null() || value.is_secret() {
            return value.clone();
        }
        if self.sensitive {
            return value.clone().into_secret();
        }
        if !self.any(&|field| field.sensitive) {
            return value.clone();
        }
        match value {
            Value::Map(map) => Value::map(map.iter().map(|(key, item)| {
                (
                    key.clone(),
                    self.child(&Segment::Key(key.clone())).mark(item),
                )
            })),
            Value::List(items) => Value::list(
                items
                    .iter()
                    .map(|item| self.child(&Segment::Index(0)).mark(item)),
            ),
            other => other.clone(),
        }
    }
}

fn read(schema: &Json, root: &Json, depth: usize) -> Fields {
    let mut fields = Fields::default();
    if depth > 32 {
        return fields;
    }
    if let Some(target) = schema.get("$ref").and_then(Json::as_str)
        && let Some(pointed) = target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer))
    {
        fields = read(pointed, root, depth + 1);
    }
    // `Option<T>` is `anyOf [T, null]`; kinds are `allOf`/`oneOf` of parts.
    for combiner in ["anyOf", "allOf", "oneOf"] {
        for part in schema
            .get(combiner)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let part = read(part, root, depth + 1);
            fields.properties.extend(part.properties);
            fields.items = fields.items.or(part.items);
            fields.sensitive |= part.sensitive;
            fields.replace |= part.replace;
            fields.write_only |= part.write_only;
        }
    }
    if let Some(facts) = schema.get("x-fabrik").and_then(Json::as_object) {
        let flag = |name: &str| match facts.get(name) {
            Some(Json::Bool(flag)) => *flag,
            Some(Json::Array(list)) => !list.is_empty(),
            _ => false,
        };
        fields.replace |= flag("replace");
        fields.sensitive |= flag("sensitive");
        fields.write_only |= flag("write_only");
        fields.computed |= flag("computed");
        fields.sticky |= flag("sticky");
        fields.data_loss |= flag("data_loss");
        if let Some(env) = facts.get("env").and_then(Json::as_str) {
            fields.env = Some(env.into());
        }
        match facts.get("list").and_then(Json::as_str) {
            Some("set") => fields.list = ListKind::Set,
            Some(text) => {
                if let Some(key) = text.strip_prefix("keyed:") {
                    fields.list = ListKind::Keyed(key.into());
                } else if let Some(key) = text.strip_prefix("ordered:") {
                    fields.list = ListKind::OrderedBy(key.into());
                }
            }
            None => {}
        }
        fields.same = match facts.get("same").and_then(Json::as_str) {
            Some("lower") => Same::Lower,
            Some("trim_dot") => Same::TrimDot,
            Some("json") => Same::Json,
            Some("yaml") => Same::Yaml,
            Some("duration") => Same::Duration,
            Some("url") => Same::Url,
            Some("number" | "text" | "cidr") => Same::Text,
            _ => fields.same,
        };
    }
    for (name, property) in schema
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        fields
            .properties
            .insert(name.as_str().into(), read(property, root, depth + 1));
    }
    for items in ["items", "additionalProperties"] {
        if let Some(below) = schema.get(items).filter(|below| below.is_object()) {
            fields.items = Some(Box::new(read(below, root, depth + 1)));
        }
    }
    if let Some(default) = schema.get("default").filter(|default| !default.is_null()) {
        fields.default = Some(crate::value::from_json(default));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_found_through_refs_and_lists() {
        let schema = serde_json::json!({
            "properties": {
                "name": {"x-fabrik": {"replace": true, "same": "lower"}},
                "env": {"additionalProperties": {"$ref": "#/$defs/Env"}},
                "tags": {"items": {"type": "string"}, "x-fabrik": {"list": "set"}},
            },
            "$defs": {"Env": {"properties": {"value": {"x-fabrik": {"sensitive": true}}}}},
        });
        let fields = Fields::of_schema(&schema);
        assert!(fields.at(&Path::parse("name")).replace);
        assert!(fields.at(&Path::parse("env.A.value")).sensitive);
        assert_eq!(fields.at(&Path::parse("tags")).list, ListKind::Set);
        assert!(!fields.at(&Path::parse("nothing.here")).replace);
        let marked = fields.mark(&crate::value::from_json(
            &serde_json::json!({"env": {"A": {"value": "x"}}}),
        ));
        assert!(marked.at(&Path::parse("env.A.value")).unwrap().is_secret());
    }
}
