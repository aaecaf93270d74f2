//! JSON Schemas, read once per type into a form that is quick to check against.

mod branches;
mod check;
mod coerce;
mod words;

use std::collections::HashMap;
use std::sync::Arc;

use regex::Regex;
use serde_json::Value as Json;

use crate::value::{Value, from_json};

pub(super) use check::{Problem, check};
pub(super) use coerce::{coerce, only_text};
pub(super) use words::list_some;

/// Index of a [`Shape`] in a [`Schema`].
pub(super) type Id = usize;

/// A read schema: the shapes it is made of; the first is the whole.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// All shapes.
    pub shapes: Vec<Shape>,
}

/// Bits of the JSON types a shape allows.
pub(super) mod types {
    pub(in crate::spec) const NULL: u8 = 1;
    pub(in crate::spec) const BOOL: u8 = 2;
    pub(in crate::spec) const INT: u8 = 4;
    pub(in crate::spec) const NUM: u8 = 8;
    pub(in crate::spec) const STR: u8 = 16;
    pub(in crate::spec) const LIST: u8 = 32;
    pub(in crate::spec) const MAP: u8 = 64;
    pub(in crate::spec) const ANY: u8 = 127;
}

/// What other keys or items are.
#[derive(Debug, Default, Clone, Copy)]
pub(super) enum Others {
    /// Anything.
    #[default]
    Any,
    /// Not allowed.
    Never,
    /// Of this shape.
    Shape(Id),
}

/// One schema object.
#[derive(Debug)]
pub(super) struct Shape {
    pub types: u8,
    pub properties: HashMap<Arc<str>, Id>,
    pub required: Vec<Arc<str>>,
    pub others: Others,
    pub patterns: Vec<(Regex, Id)>,
    pub names: Option<Id>,
    pub min_properties: Option<usize>,
    pub max_properties: Option<usize>,
    pub items: Others,
    pub prefix: Vec<Id>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    pub unique: bool,
    pub choices: Option<Vec<Value>>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub above: Option<f64>,
    pub below: Option<f64>,
    pub multiple: Option<f64>,
    pub min_len: Option<usize>,
    pub max_len: Option<usize>,
    pub pattern: Option<Regex>,
    pub all: Vec<Id>,
    pub any: Vec<Id>,
    pub cond: Vec<(Id, Option<Id>, Option<Id>)>,
    pub not: Option<Id>,
    pub sensitive: bool,
    /// Types of the short form, which is turned into the long one before checking.
    pub short: u8,
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            types: types::ANY,
            properties: HashMap::new(),
            required: Vec::new(),
            others: Others::Any,
            patterns: Vec::new(),
            names: None,
            min_properties: None,
            max_properties: None,
            items: Others::Any,
            prefix: Vec::new(),
            min_items: None,
            max_items: None,
            unique: false,
            choices: None,
            min: None,
            max: None,
            above: None,
            below: None,
            multiple: None,
            min_len: None,
            max_len: None,
            pattern: None,
            all: Vec::new(),
            any: Vec::new(),
            cond: Vec::new(),
            not: None,
            sensitive: false,
            short: 0,
        }
    }
}

impl Schema {
    /// Reads a schema. `$ref`s into the schema itself are followed, also recursive ones; a pattern
    /// that the regular expressions here cannot express is not checked.
    pub(super) fn read(schema: &Json) -> Schema {
        let mut reader = Reader {
            root: schema,
            schema: Schema::default(),
            known: HashMap::new(),
        };
        reader.shape(schema);
        reader.schema
    }

    /// The shape of an id.
    pub(super) fn shape(&self, id: Id) -> Option<&Shape> {
        self.shapes.get(id)
    }

    /// The shape a key leads to, looked for in the shape and everything it is composed of.
    pub(super) fn child(&self, id: Id, key: &str, depth: usize) -> Option<Id> {
        let shape = self.shapes.get(id).filter(|_| depth < 16)?;
        if let Some(found) = shape.properties.get(key) {
            return Some(*found);
        }
        let composed = shape
            .parts()
            .find_map(|part| self.child(part, key, depth + 1));
        composed.or(match shape.others {
            Others::Shape(others) => Some(others),
            _ => None,
        })
    }

    /// The shape of the items of a list.
    pub(super) fn item(&self, id: Id, index: usize, depth: usize) -> Option<Id> {
        let shape = self.shapes.get(id).filter(|_| depth < 16)?;
        if let Some(found) = shape.prefix.get(index) {
            return Some(*found);
        }
        if let Others::Shape(items) = shape.items {
            return Some(items);
        }
        shape
            .parts()
            .find_map(|part| self.item(part, index, depth + 1))
    }

    /// Whether a key is named by the shape or anything it is composed of.
    pub(super) fn declares(&self, id: Id, key: &str, depth: usize) -> bool {
        let Some(shape) = self.shapes.get(id).filter(|_| depth < 16) else {
            return false;
        };
        shape.properties.contains_key(key)
            || shape.patterns.iter().any(|(regex, _)| regex.is_match(key))
            || matches!(shape.others, Others::Shape(_))
            || shape
                .parts()
                .any(|part| self.declares(part, key, depth + 1))
    }

    /// Every key the shape or anything it is composed of names.
    pub(super) fn keys<'a>(&'a self, id: Id, depth: usize, found: &mut Vec<&'a str>) {
        if let Some(shape) = self.shapes.get(id).filter(|_| depth < 16) {
            found.extend(shape.properties.keys().map(AsRef::as_ref));
            for part in shape.parts() {
                self.keys(part, depth + 1, found);
            }
        }
    }

    /// The types the shape allows, with what it is composed of.
    pub(super) fn types_of(&self, id: Id, depth: usize) -> u8 {
        let Some(shape) = self.shapes.get(id).filter(|_| depth < 16) else {
            return types::ANY;
        };
        let mut allowed = shape.types;
        for part in &shape.all {
            allowed &= self.types_of(*part, depth + 1);
        }
        if !shape.any.is_empty() {
            allowed &= shape
                .any
                .iter()
                .fold(0, |bits, part| bits | self.types_of(*part, depth + 1));
        }
        if let Some(choices) = &shape.choices {
            allowed &= choices.iter().fold(0, |bits, value| bits | type_of(value));
        }
        allowed
    }
}

impl Shape {
    /// Everything it is composed of at the same place.
    pub(super) fn parts(&self) -> impl Iterator<Item = Id> + '_ {
        let conditional = self
            .cond
            .iter()
            .flat_map(|(_, then, otherwise)| [*then, *otherwise].into_iter().flatten());
        self.all.iter().chain(&self.any).copied().chain(conditional)
    }
}

/// The bit of a value's type; everything for what is not known yet.
pub(super) fn type_of(value: &Value) -> u8 {
    match value {
        Value::Null => types::NULL,
        Value::Bool(_) => types::BOOL,
        Value::Num(number) if number.as_i64().is_some() => types::INT | types::NUM,
        Value::Num(number) => {
            let whole = number
                .as_str()
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'-');
            if whole {
                types::INT | types::NUM
            } else {
                types::NUM
            }
        }
        Value::Str(_) => types::STR,
        Value::List(_) => types::LIST,
        Value::Map(_) => types::MAP,
        Value::Secret(inner) => type_of(inner),
        Value::Asset(_) | Value::Expr(_) | Value::Sealed(_) => types::ANY,
    }
}

struct Reader<'a> {
    root: &'a Json,
    schema: Schema,
    /// Shapes of `$ref`s already met, by pointer.
    known: HashMap<&'a str, Id>,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, json: &'a Json) -> Id {
        let id = self.schema.shapes.len();
        self.schema.shapes.push(Shape::default());
        let shape = self.read(json);
        self.schema.shapes[id] = shape;
        id
    }

    fn list(&mut self, json: Option<&'a Json>) -> Vec<Id> {
        json.and_then(Json::as_array)
            .into_iter()
            .flatten()
            .map(|part| self.shape(part))
            .collect()
    }

    fn others(&mut self, json: Option<&'a Json>) -> Others {
        match json {
            None | Some(Json::Bool(true)) => Others::Any,
            Some(Json::Bool(false)) => Others::Never,
            Some(schema) => Others::Shape(self.shape(schema)),
        }
    }

    fn reference(&mut self, target: &'a str) -> Option<Id> {
        if let Some(id) = self.known.get(target) {
            return Some(*id);
        }
        let pointed = self.root.pointer(target.strip_prefix('#')?)?;
        let id = self.schema.shapes.len();
        self.schema.shapes.push(Shape::default());
        self.known.insert(target, id);
        let shape = self.read(pointed);
        self.schema.shapes[id] = shape;
        Some(id)
    }

    fn read(&mut self, json: &'a Json) -> Shape {
        let mut shape = Shape::default();
        if json == &Json::Bool(false) {
            shape.types = 0;
        }
        let Some(map) = json.as_object() else {
            return shape;
        };
        let get = |key: &str| map.get(key);
        let size = |key: &str| {
            get(key)
                .and_then(Json::as_u64)
                .and_then(|size| usize::try_from(size).ok())
        };
        let number = |key: &str| get(key).and_then(Json::as_f64);
        if let Some(target) = get("$ref").and_then(Json::as_str) {
            let id = self.reference(target);
            shape.all.extend(id);
        }
        shape.types = match get("type") {
            Some(Json::String(name)) => type_bit(name),
            Some(Json::Array(names)) => names
                .iter()
                .filter_map(Json::as_str)
                .fold(0, |bits, name| bits | type_bit(name)),
            _ => types::ANY,
        };
        for (name, property) in get("properties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let id = self.shape(property);
            shape.properties.insert(name.as_str().into(), id);
        }
        shape.required = get("required")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .map(Arc::from)
            .collect();
        shape.others =
            self.others(get("additionalProperties").or_else(|| get("unevaluatedProperties")));
        for (pattern, property) in get("patternProperties")
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            if let Ok(regex) = Regex::new(pattern) {
                let id = self.shape(property);
                shape.patterns.push((regex, id));
            }
        }
        shape.names = get("propertyNames").map(|names| self.shape(names));
        shape.min_properties = size("minProperties");
        shape.max_properties = size("maxProperties");
        shape.items = self.others(get("items"));
        shape.prefix = self.list(get("prefixItems"));
        shape.min_items = size("minItems");
        shape.max_items = size("maxItems");
        shape.unique = get("uniqueItems") == Some(&Json::Bool(true));
        shape.choices = match (get("const"), get("enum").and_then(Json::as_array)) {
            (Some(only), _) => Some(vec![from_json(only)]),
            (None, Some(choices)) => Some(choices.iter().map(from_json).collect()),
            (None, None) => None,
        };
        shape.min = number("minimum");
        shape.max = number("maximum");
        shape.above = number("exclusiveMinimum");
        shape.below = number("exclusiveMaximum");
        shape.multiple = number("multipleOf").filter(|step| *step > 0.0);
        shape.min_len = size("minLength");
        shape.max_len = size("maxLength");
        shape.pattern = get("pattern")
            .and_then(Json::as_str)
            .and_then(|pattern| Regex::new(pattern).ok());
        let all = self.list(get("allOf"));
        shape.all.extend(all);
        // `anyOf` and `oneOf` are told apart by nobody who writes a spec: the best branch is taken.
        let any = self.list(get("anyOf"));
        let one = self.list(get("oneOf"));
        match (any.is_empty(), one.is_empty()) {
            (false, false) => {
                shape.any = any;
                let id = self.schema.shapes.len();
                self.schema.shapes.push(Shape {
                    any: one,
                    ..Shape::default()
                });
                shape.all.push(id);
            }
            (_, true) => shape.any = any,
            (true, false) => shape.any = one,
        }
        if let Some(condition) = get("if") {
            let condition = self.shape(condition);
            let then = get("then").map(|then| self.shape(then));
            let otherwise = get("else").map(|otherwise| self.shape(otherwise));
            shape.cond.push((condition, then, otherwise));
        }
        shape.not = get("not").map(|not| self.shape(not));
        if let Some(short) = json.pointer("/x-fabrik/shorthand") {
            let id = self.shape(short);
            shape.short = self.schema.types_of(id, 0);
        }
        shape.sensitive =
            get("x-fabrik").is_some_and(|facts| facts.get("sensitive") == Some(&Json::Bool(true)));
        shape
    }
}

fn type_bit(name: &str) -> u8 {
    match name {
        "null" => types::NULL,
        "boolean" => types::BOOL,
        "integer" => types::INT,
        "number" => types::INT | types::NUM,
        "string" => types::STR,
        "array" => types::LIST,
        "object" => types::MAP,
        _ => types::ANY,
    }
}
