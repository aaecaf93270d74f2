//! What a YAML text says, with a place for every key and value.

use std::sync::Arc;

use crate::diagnostic::Span;
use crate::value::{Number, Path, Segment, Value};

/// A value of a text a user wrote.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub data: Data,
}

/// The content of a [`Node`].
#[derive(Clone, Debug)]
pub enum Data {
    /// A scalar as written.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map in the order written.
    Map(Vec<Entry>),
}

/// A scalar: its text, and what YAML 1.2 takes it for.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text, without quotes and escapes.
    pub text: Arc<str>,
    /// What it is.
    pub kind: ScalarKind,
}

/// What the YAML 1.2 core schema takes a scalar for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// `~`, `null` or nothing.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// A number with a fraction or exponent.
    Float,
    /// Text without quotes.
    Plain,
    /// Text in quotes or a block.
    Quoted,
}

/// One entry of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A map.
    pub fn map(span: Span, entries: Vec<Entry>) -> Node {
        Node {
            span,
            data: Data::Map(entries),
        }
    }

    /// Text as if it had been written in quotes.
    pub fn text(span: Span, text: impl Into<Arc<str>>) -> Node {
        Node {
            span,
            data: Data::Scalar(Scalar {
                text: text.into(),
                kind: ScalarKind::Quoted,
            }),
        }
    }

    /// The entries, when it is a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.data {
            Data::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The items, when it is a list.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.data {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The scalar, when it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.data {
            Data::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The raw text of a scalar that is not null.
    pub fn as_text(&self) -> Option<&Arc<str>> {
        match &self.data {
            Data::Scalar(scalar) if scalar.kind != ScalarKind::Null => Some(&scalar.text),
            _ => None,
        }
    }

    /// Whether nothing is written.
    pub fn is_null(&self) -> bool {
        matches!(&self.data, Data::Scalar(scalar) if scalar.kind == ScalarKind::Null)
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|entry| &*entry.key == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Takes an entry out of a map.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        match &mut self.data {
            Data::Map(entries) => {
                let at = entries.iter().position(|entry| &*entry.key == key)?;
                Some(entries.remove(at))
            }
            _ => None,
        }
    }

    /// What it is, in words for a message.
    pub fn kind_name(&self) -> &'static str {
        match &self.data {
            Data::List(_) => "a list",
            Data::Map(_) => "a map",
            Data::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => "nothing",
                ScalarKind::Bool => "true or false",
                ScalarKind::Int | ScalarKind::Float => "a number",
                ScalarKind::Plain | ScalarKind::Quoted => "text",
            },
        }
    }

    /// Whether any text below holds `${`.
    pub fn has_expressions(&self) -> bool {
        match &self.data {
            Data::Scalar(scalar) => scalar.has_expression(),
            Data::List(items) => items.iter().any(Node::has_expressions),
            Data::Map(entries) => entries.iter().any(|entry| entry.value.has_expressions()),
        }
    }

    /// Where to point when the whole node is meant: the first key of a map, the first item of a
    /// list, a scalar itself.
    pub fn head(&self) -> Span {
        match &self.data {
            Data::Map(entries) => entries.first().map_or(self.span, |entry| entry.key_span),
            Data::List(items) => items.first().map_or(self.span, Node::head),
            Data::Scalar(_) => self.span,
        }
    }

    /// The place a path leads to: the value's, or with `key` the key's. Where the path leaves what
    /// was written, the last place on the way.
    pub fn locate(&self, path: &Path, key: bool) -> Span {
        let mut here = self;
        let mut span = self.head();
        for (position, segment) in path.segments().iter().enumerate() {
            let last = position + 1 == path.segments().len();
            let (key_span, value) = match (&here.data, segment) {
                (Data::Map(entries), Segment::Key(name)) => {
                    match entries.iter().find(|entry| entry.key == *name) {
                        Some(entry) => (entry.key_span, &entry.value),
                        None => return span,
                    }
                }
                (Data::List(items), Segment::Index(index)) => match items.get(*index) {
                    Some(item) => (item.head(), item),
                    None => return span,
                },
                _ => return span,
            };
            here = value;
            let block = !matches!(value.data, Data::Scalar(_)) && !last;
            span = if (last && key) || block || value.is_empty() {
                key_span
            } else if last {
                value.span
            } else {
                value.head()
            };
        }
        span
    }

    fn is_empty(&self) -> bool {
        self.span.start == self.span.end
    }

    /// The value as written, without regard to expressions. Text stays text.
    pub fn plain_value(&self) -> Value {
        match &self.data {
            Data::Scalar(scalar) => scalar.value(),
            Data::List(items) => Value::list(items.iter().map(Node::plain_value)),
            Data::Map(entries) => Value::map(
                entries
                    .iter()
                    .map(|entry| (entry.key.clone(), entry.value.plain_value())),
            ),
        }
    }

    /// How many nodes it is.
    pub fn count(&self) -> usize {
        1 + match &self.data {
            Data::Scalar(_) => 0,
            Data::List(items) => items.iter().map(Node::count).sum(),
            Data::Map(entries) => entries.iter().map(|entry| 1 + entry.value.count()).sum(),
        }
    }
}

impl Scalar {
    /// Whether the text holds `${`.
    pub fn has_expression(&self) -> bool {
        matches!(self.kind, ScalarKind::Plain | ScalarKind::Quoted) && self.text.contains("${")
    }

    /// Whether it was written without quotes and is not text.
    pub fn is_bare(&self) -> bool {
        !matches!(self.kind, ScalarKind::Plain | ScalarKind::Quoted)
    }

    /// The value YAML takes it for.
    pub fn value(&self) -> Value {
        match self.kind {
            ScalarKind::Null => Value::Null,
            ScalarKind::Bool => Value::Bool(self.text.starts_with(['t', 'T'])),
            ScalarKind::Int | ScalarKind::Float => {
                number(&self.text).map_or_else(|| Value::Str(self.text.clone()), Value::Num)
            }
            ScalarKind::Plain | ScalarKind::Quoted => Value::Str(self.text.clone()),
        }
    }
}

/// What the core schema takes a plain scalar for.
pub fn plain_kind(text: &str) -> ScalarKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return ScalarKind::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return ScalarKind::Bool,
        _ => {}
    }
    let first = text.as_bytes().first().copied().unwrap_or_default();
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return ScalarKind::Plain;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return int_if(!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return int_if(!digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'7')));
    }
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (&body[..at], Some(&body[at + 1..])),
        None => (body, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let some = !whole.is_empty() || fraction.is_some_and(|part| !part.is_empty());
    let exponent_ok = exponent.is_none_or(|part| {
        let part = part.strip_prefix(['+', '-']).unwrap_or(part);
        !part.is_empty() && digits(part)
    });
    if !some || !digits(whole) || !fraction.is_none_or(digits) || !exponent_ok {
        ScalarKind::Plain
    } else if fraction.is_none() && exponent.is_none() {
        ScalarKind::Int
    } else {
        ScalarKind::Float
    }
}

fn int_if(good: bool) -> ScalarKind {
    if good {
        ScalarKind::Int
    } else {
        ScalarKind::Plain
    }
}

/// The number a scalar of kind `Int` or `Float` means, with its digits kept.
fn number(text: &str) -> Option<Number> {
    if let Some(number) = Number::parse(text) {
        return Some(number);
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok().map(Number::from);
        }
    }
    let (sign, body) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let body = body.trim_start_matches('0');
    let body = if body.starts_with(|c: char| c.is_ascii_digit()) {
        body.to_owned()
    } else {
        format!("0{body}")
    };
    let body = body.replace(".e", "e").replace(".E", "E");
    Number::parse(&format!("{sign}{}", body.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_schema() {
        use ScalarKind::{Bool, Float, Int, Null, Plain};
        for (text, kind) in [
            ("", Null),
            ("~", Null),
            ("nullx", Plain),
            ("true", Bool),
            ("yes", Plain),
            ("no", Plain),
            ("on", Plain),
            ("012", Int),
            ("-3", Int),
            ("+3", Int),
            ("0x1F", Int),
            ("0o17", Int),
            ("0o9", Plain),
            ("1.10", Float),
            (".5", Float),
            ("1.", Float),
            ("1e3", Float),
            (".", Plain),
            ("-", Plain),
            ("1.2.3", Plain),
            ("10.0.0.1", Plain),
            ("12:30", Plain),
            ("1_000", Plain),
            ("e3", Plain),
        ] {
            assert_eq!(plain_kind(text), kind, "{text}");
        }
    }

    #[test]
    fn numbers_of_yaml_become_numbers() {
        for (text, want) in [
            ("012", "12"),
            ("-007", "-7"),
            ("+3", "3"),
            ("0x1F", "31"),
            ("0o17", "15"),
            (".5", "0.5"),
            ("1.", "1"),
            ("1.e3", "1e3"),
            ("1.10", "1.10"),
            ("000", "0"),
        ] {
            assert_eq!(number(text).unwrap().to_string(), want, "{text}");
        }
    }
}
