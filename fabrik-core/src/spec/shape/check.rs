//! A value against a [`Schema`]: every mistake, each with its path.

use crate::codes;
use crate::diagnostic::did_you_mean;
use crate::value::{Path, Segment, Value};

use super::words::{list_some, plain, type_words};
use super::{Id, Others, Schema, Shape, type_of, types};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::spec) struct Problem {
    /// Where.
    pub path: Path,
    /// The key itself is meant, not its value.
    pub key: bool,
    /// The code.
    pub code: &'static str,
    /// What is wrong.
    pub summary: String,
    /// What to do.
    pub help: Option<String>,
}

/// Checks a value, after [`coerce`]. What is not known yet is taken as right.
pub(in crate::spec) fn check(schema: &Schema, value: &Value) -> Vec<Problem> {
    let mut checker = Checker {
        schema,
        path: Path::root(),
        found: Vec::new(),
        trials: 0,
    };
    checker.value(value, 0, None, false);
    let mut found = checker.found;
    let mut unique: Vec<Problem> = Vec::with_capacity(found.len());
    for problem in found.drain(..) {
        if unique.len() > 200 || !unique.contains(&problem) {
            unique.push(problem);
        }
    }
    unique
}

/// Shapes that hold at the same place, outermost last.
pub(super) struct Frame<'a> {
    pub(super) id: Id,
    pub(super) outer: Option<&'a Frame<'a>>,
}

pub(super) struct Checker<'a> {
    pub(super) schema: &'a Schema,
    pub(super) path: Path,
    pub(super) found: Vec<Problem>,
    pub(super) trials: usize,
}

impl Checker<'_> {
    fn problem(&mut self, code: &'static str, summary: String, help: Option<String>) {
        self.found.push(Problem {
            path: self.path.clone(),
            key: false,
            code,
            summary,
            help,
        });
    }

    /// The field's name for a message.
    fn name(&self) -> String {
        match self.path.segments().last() {
            Some(Segment::Key(key)) => format!("`{key}`"),
            Some(Segment::Index(_)) => {
                let named = self
                    .path
                    .segments()
                    .iter()
                    .rev()
                    .find_map(|segment| match segment {
                        Segment::Key(key) => Some(key),
                        Segment::Index(_) => None,
                    });
                named.map_or_else(|| "an item".to_owned(), |key| format!("an item of `{key}`"))
            }
            None => "this".to_owned(),
        }
    }

    pub(super) fn value(&mut self, value: &Value, id: Id, outer: Option<&Frame<'_>>, secret: bool) {
        let schema = self.schema;
        let Some(shape) = schema.shape(id) else {
            return;
        };
        let secret = secret || shape.sensitive || value.is_secret();
        let value = value.reveal();
        let kind = type_of(value);
        if matches!(value, Value::Expr(_) | Value::Asset(_) | Value::Sealed(_)) {
            return;
        }
        if kind & shape.types == 0 {
            self.wrong_type(value, schema.types_of(id, 0) & shape.types, secret);
            return;
        }
        if let Some(choices) = &shape.choices {
            self.choice(value, choices, secret);
        }
        match value {
            Value::Num(_) => self.number(value, shape),
            Value::Str(text) => self.text(text, shape),
            Value::List(items) => self.list(items, shape, secret),
            Value::Map(map) => {
                let frame = Frame { id, outer };
                self.map(map, shape, &frame, secret);
            }
            _ => {}
        }
        let frame = Frame { id, outer };
        for part in &shape.all {
            self.value(value, *part, Some(&frame), secret);
        }
        if !shape.any.is_empty() {
            self.branches(value, &shape.any, &frame, secret);
        }
        for (condition, then, otherwise) in &shape.cond {
            let branch = if self.holds(value, *condition) {
                then
            } else {
                otherwise
            };
            if let Some(branch) = branch {
                self.value(value, *branch, Some(&frame), secret);
            }
        }
        if let Some(not) = shape.not
            && !value.has_unknown()
            && self.holds(value, not)
        {
            let name = self.name();
            self.problem(
                codes::NOT_ALLOWED,
                format!("{name} has a value that is not allowed"),
                None,
            );
        }
    }

    pub(super) fn wrong_type(&mut self, value: &Value, allowed: u8, secret: bool) {
        let name = self.name();
        if value.is_null() {
            self.problem(
                codes::WRONG_TYPE,
                format!("{name} has no value"),
                Some(format!("write {}, or leave it out", type_words(allowed))),
            );
            return;
        }
        let found = match value {
            Value::Str(text) if !secret && text.len() <= 40 => format!("the text `{text}`"),
            Value::Num(number) if !secret => format!("the number {number}"),
            Value::Bool(flag) if !secret => format!("`{flag}`"),
            other => other.kind_name().to_owned(),
        };
        let help = match value {
            Value::Str(text) if allowed & types::BOOL != 0 => {
                match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
                    "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
                    _ => None,
                }
            }
            Value::Str(text)
                if allowed & (types::INT | types::NUM) != 0 && text.parse::<f64>().is_ok() =>
            {
                Some("write it without quotes".to_owned())
            }
            other if allowed & types::LIST != 0 && !matches!(other, Value::Map(_)) => {
                Some("write a list: `[…]`, or lines that begin with `- `".to_owned())
            }
            _ => None,
        };
        self.problem(
            codes::WRONG_TYPE,
            format!("{name} takes {}, not {found}", type_words(allowed)),
            help,
        );
    }

    pub(super) fn choice(&mut self, value: &Value, choices: &[Value], secret: bool) {
        if choices.contains(value) {
            return;
        }
        let name = self.name();
        let texts: Vec<String> = choices.iter().map(plain).collect();
        let near = match value {
            Value::Str(text) => did_you_mean(text, texts.iter().map(String::as_str)),
            _ => None,
        };
        let help = match (near, texts.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, [only]) => format!("write `{only}`"),
            (None, _) => format!(
                "one of {}",
                texts
                    .iter()
                    .map(|text| format!("`{text}`"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        let found = if secret || matches!(value, Value::List(_) | Value::Map(_)) {
            value.kind_name().to_owned()
        } else {
            format!("`{}`", plain(value))
        };
        self.problem(
            codes::NOT_ALLOWED,
            format!("{name} cannot be {found}"),
            Some(help),
        );
    }

    fn number(&mut self, value: &Value, shape: &Shape) {
        let Value::Num(number) = value else { return };
        let Ok(float) = number.as_str().parse::<f64>() else {
            return;
        };
        let wrong = match shape {
            Shape { min: Some(min), .. } if float < *min => Some(format!("at least {min}")),
            Shape { max: Some(max), .. } if float > *max => Some(format!("at most {max}")),
            Shape {
                above: Some(min), ..
            } if float <= *min => Some(format!("more than {min}")),
            Shape {
                below: Some(max), ..
            } if float >= *max => Some(format!("less than {max}")),
            Shape {
                multiple: Some(step),
                ..
            } if (float / step - (float / step).round()).abs() > 1e-9 => {
                Some(format!("a multiple of {step}"))
            }
            _ => None,
        };
        if let Some(wanted) = wrong {
            let name = self.name();
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} must be {wanted}"),
                None,
            );
        }
    }

    fn text(&mut self, text: &str, shape: &Shape) {
        if shape.min_len.is_none() && shape.max_len.is_none() && shape.pattern.is_none() {
            return;
        }
        let name = self.name();
        if let Some(min) = shape.min_len
            && text.chars().count() < min
        {
            let summary = if text.is_empty() {
                format!("{name} is empty")
            } else {
                format!("{name} is shorter than {min} characters")
            };
            self.problem(codes::OUT_OF_RANGE, summary, None);
        } else if let Some(max) = shape.max_len
            && text.chars().count() > max
        {
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} is longer than {max} characters"),
                None,
            );
        } else if let Some(pattern) = &shape.pattern
            && !pattern.is_match(text)
        {
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} does not have the right form"),
                Some(format!("it must match `{pattern}`")),
            );
        }
    }

    fn list(&mut self, items: &[Value], shape: &Shape, secret: bool) {
        if shape.min_items.is_some_and(|min| items.len() < min) {
            let name = self.name();
            let min = shape.min_items.unwrap_or_default();
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} needs at least {min} items"),
                None,
            );
        }
        if shape.max_items.is_some_and(|max| items.len() > max) {
            let name = self.name();
            let max = shape.max_items.unwrap_or_default();
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} takes at most {max} items"),
                None,
            );
        }
        if shape.unique {
            let mut seen = std::collections::HashSet::new();
            for (index, item) in items.iter().enumerate() {
                if !item.has_unknown() && !seen.insert(format!("{item:?}")) && !item.has_secret() {
                    let name = self.name();
                    self.path.push(Segment::Index(index));
                    self.problem(
                        codes::NOT_ALLOWED,
                        format!("{name} has this item twice"),
                        None,
                    );
                    self.path.pop();
                }
            }
        }
        for (index, item) in items.iter().enumerate() {
            let id = match (shape.prefix.get(index), shape.items) {
                (Some(id), _) => *id,
                (None, Others::Shape(id)) => id,
                (None, Others::Any | Others::Never) => continue,
            };
            self.path.push(Segment::Index(index));
            self.value(item, id, None, secret);
            self.path.pop();
        }
    }

    fn map(&mut self, map: &crate::value::Map, shape: &Shape, frame: &Frame<'_>, secret: bool) {
        for key in &shape.required {
            if map.get(key).is_none_or(Value::is_null) && !self.allows_null(shape, key, map) {
                let help = format!("add `{key}:`");
                let place = self.name();
                let summary = if self.path.is_root() {
                    format!("`{key}` is missing")
                } else {
                    format!("`{key}` is missing in {place}")
                };
                self.problem(codes::MISSING_FIELD, summary, Some(help));
            }
        }
        if shape.min_properties.is_some_and(|min| map.len() < min) {
            let name = self.name();
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} needs more entries"),
                None,
            );
        }
        if shape.max_properties.is_some_and(|max| map.len() > max) {
            let name = self.name();
            self.problem(
                codes::OUT_OF_RANGE,
                format!("{name} has too many entries"),
                None,
            );
        }
        for (key, item) in map {
            self.path.push(Segment::Key(key.clone()));
            if let Some(names) = shape.names {
                let before = self.found.len();
                self.value(&Value::Str(key.clone()), names, None, secret);
                for problem in &mut self.found[before..] {
                    problem.key = true;
                }
            }
            let mut known = false;
            if let Some(id) = shape.properties.get(key) {
                known = true;
                // Null is the same as absent.
                if !item.is_null() || shape.required.contains(key) {
                    self.nullable(item, *id, secret);
                }
            }
            for (pattern, id) in &shape.patterns {
                if pattern.is_match(key) {
                    known = true;
                    self.value(item, *id, None, secret);
                }
            }
            if !known {
                match shape.others {
                    Others::Any => {}
                    Others::Shape(id) => self.value(item, id, None, secret),
                    Others::Never => self.unknown_key(key, frame),
                }
            }
            self.path.pop();
        }
    }

    fn nullable(&mut self, item: &Value, id: Id, secret: bool) {
        if !item.is_null() {
            self.value(item, id, None, secret);
        }
    }

    fn allows_null(&self, shape: &Shape, key: &str, map: &crate::value::Map) -> bool {
        map.contains_key(key)
            && shape
                .properties
                .get(key)
                .is_some_and(|id| self.schema.types_of(*id, 0) & types::NULL != 0)
    }

    fn unknown_key(&mut self, key: &str, frame: &Frame<'_>) {
        if key.starts_with("x-") {
            return;
        }
        let mut here = Some(frame);
        let mut known = Vec::new();
        while let Some(frame) = here {
            if self.schema.declares(frame.id, key, 0) {
                return;
            }
            self.schema.keys(frame.id, 0, &mut known);
            here = frame.outer;
        }
        known.sort_unstable();
        known.dedup();
        let help = match did_you_mean(key, known.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if known.is_empty() => None,
            None => Some(format!("known here: {}", list_some(&known))),
        };
        self.found.push(Problem {
            path: self.path.clone(),
            key: true,
            code: codes::UNKNOWN_FIELD,
            summary: format!("unknown field `{key}`"),
            help,
        });
    }
}
