//! The one tree of data that flows from spec to service and back.
//!
//! A [`Value`] is JSON-like, with two marks nothing may forget: an *expression* over outputs
//! that are not known yet, and a *secret*. Marks are variants of the type, never string tricks.
//!
//! ```
//! use fabrik_core::value::Value;
//!
//! let password = Value::secret("hunter2hunter2");
//! assert_eq!(format!("{password:?}"), "(secret)");
//! assert!(serde_json::to_string(&password).is_err(), "a clear secret cannot be serialised");
//! ```

mod codec;
mod map;
mod number;
mod path;
pub(crate) mod share;
mod wire;

use std::fmt;
use std::sync::Arc;

pub use map::{Iter, Map};
pub use number::Number;
pub use path::{Path, Segment};
pub use wire::{from_json, to_wire, to_wire_masked};

use crate::expr::Expr;

/// Text shown wherever a secret would stand.
pub const SECRET_TEXT: &str = "(secret)";

/// A tree of data with marks for *unknown until apply* and *secret*.
///
/// Cloning is cheap: containers are shared. Maps are ordered by key, so equality and hashes do
/// not depend on the order in a file.
#[derive(Clone, PartialEq, Default)]
pub enum Value {
    /// Nothing; in inputs the same as an absent field.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A number with its digits kept as written.
    Num(Number),
    /// Text.
    Str(Arc<str>),
    /// An ordered list.
    List(Arc<Vec<Value>>),
    /// Named values.
    Map(Arc<Map>),
    /// Content that is streamed, never held: identified by hash and length.
    Asset(Arc<Asset>),
    /// An expression that cannot be evaluated yet: a reference to another object's output, or
    /// something computed from one.
    Expr(Arc<Expr>),
    /// A secret: never printed, never serialised in clear.
    Secret(Arc<Value>),
    /// A secret encrypted for storage (see [`crate::secrets::Cipher`]).
    Sealed(Arc<[u8]>),
}

/// Content identified by its hash; see [`Value::Asset`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Asset {
    /// Lower-case hexadecimal SHA-256 of the content.
    pub sha256: Arc<str>,
    /// Length in bytes.
    pub len: u64,
    /// Where to stream it from; the hash is checked while streaming.
    pub path: Arc<str>,
}

impl Value {
    /// A secret text value.
    pub fn secret(text: impl Into<Arc<str>>) -> Value {
        Value::Secret(Arc::new(Value::Str(text.into())))
    }

    /// A map from pairs.
    pub fn map<K: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (K, Value)>) -> Value {
        Value::Map(Arc::new(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value))
                .collect(),
        ))
    }

    /// A list.
    pub fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(Arc::new(items.into_iter().collect()))
    }

    /// Marks the value as secret. Secrets are not nested: marking twice is marking once, and marks
    /// within become part of the new one.
    #[must_use]
    pub fn into_secret(self) -> Value {
        match self {
            Value::Secret(_) | Value::Sealed(_) => self,
            other if other.has_secret() => Value::Secret(Arc::new(other.bare())),
            other => Value::Secret(Arc::new(other)),
        }
    }

    /// A copy without secret marks.
    fn bare(&self) -> Value {
        match self {
            Value::Secret(inner) => inner.bare(),
            Value::List(items) => Value::list(items.iter().map(Value::bare)),
            Value::Map(map) => Value::map(map.iter().map(|(key, item)| (key.clone(), item.bare()))),
            other => other.clone(),
        }
    }

    /// The value below any secret mark.
    pub fn reveal(&self) -> &Value {
        match self {
            Value::Secret(inner) => inner,
            other => other,
        }
    }

    /// Whether this node itself carries the secret mark.
    pub fn is_secret(&self) -> bool {
        matches!(self, Value::Secret(_) | Value::Sealed(_))
    }

    /// Whether this is [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Text, seen through a secret mark.
    pub fn as_str(&self) -> Option<&str> {
        match self.reveal() {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// A truth value, seen through a secret mark.
    pub fn as_bool(&self) -> Option<bool> {
        match self.reveal() {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// A whole number, seen through a secret mark.
    pub fn as_i64(&self) -> Option<i64> {
        match self.reveal() {
            Value::Num(number) => number.as_i64(),
            _ => None,
        }
    }

    /// The entries of a map, seen through a secret mark.
    pub fn as_map(&self) -> Option<&Map> {
        match self.reveal() {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items of a list, seen through a secret mark.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self.reveal() {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// One named entry of a map.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map().and_then(|map| map.get(key))
    }

    /// The value at a path; the empty path is the value itself. A secret mark met on the way
    /// stays on what is returned.
    pub fn at(&self, path: &Path) -> Option<Value> {
        let mut here = self;
        let mut tainted = false;
        for segment in path.segments() {
            tainted |= here.is_secret();
            here = match (here.reveal(), segment) {
                (Value::Map(map), Segment::Key(key)) => map.get(key)?,
                (Value::List(items), Segment::Index(index)) => items.get(*index)?,
                (Value::List(items), Segment::Key(key)) => items.get(key.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        Some(if tainted {
            here.clone().into_secret()
        } else {
            here.clone()
        })
    }

    /// A copy with the value at `path` replaced; missing maps on the way are made.
    /// A path through a list must name an existing index, else the value is returned unchanged.
    #[must_use]
    pub fn with(&self, path: &Path, new: Value) -> Value {
        fn go(here: &Value, segments: &[Segment], new: Value) -> Value {
            let Some((first, rest)) = segments.split_first() else {
                return new;
            };
            match (here, first) {
                (Value::Secret(inner), _) => go(inner, segments, new).into_secret(),
                (Value::List(items), Segment::Index(index)) if *index < items.len() => {
                    let mut items = items.as_ref().clone();
                    items[*index] = go(&items[*index], rest, new);
                    Value::List(Arc::new(items))
                }
                (Value::Map(map), Segment::Key(key)) => {
                    let mut map = map.as_ref().clone();
                    let old = map.get(key).cloned().unwrap_or_default();
                    map.insert(key.clone(), go(&old, rest, new));
                    Value::Map(Arc::new(map))
                }
                (Value::Null, Segment::Key(key)) => {
                    Value::map([(key.clone(), go(&Value::Null, rest, new))])
                }
                _ => here.clone(),
            }
        }
        go(self, path.segments(), new)
    }

    /// A copy without the entry at `path`; unchanged when there is none.
    #[must_use]
    pub fn without(&self, path: &Path) -> Value {
        let Some((last, parents)) = path.segments().split_last() else {
            return Value::Null;
        };
        let parent_path = Path::from(parents.to_vec());
        match (self.at(&parent_path), last) {
            (Some(parent), Segment::Key(key)) => match parent.reveal() {
                Value::Map(map) if map.contains_key(key) => {
                    let mut map = map.as_ref().clone();
                    map.remove(key);
                    let new = Value::Map(Arc::new(map));
                    let new = if parent.is_secret() {
                        new.into_secret()
                    } else {
                        new
                    };
                    self.with(&parent_path, new)
                }
                _ => self.clone(),
            },
            _ => self.clone(),
        }
    }

    /// Whether any part is an unresolved expression.
    pub fn has_unknown(&self) -> bool {
        self.any(&|value| matches!(value, Value::Expr(_)))
    }

    /// Whether any part is secret.
    pub fn has_secret(&self) -> bool {
        self.any(&Value::is_secret)
    }

    /// Whether any node (secret marks are looked through) satisfies the predicate.
    pub fn any(&self, predicate: &dyn Fn(&Value) -> bool) -> bool {
        predicate(self)
            || match self {
                Value::List(items) => items.iter().any(|item| item.any(predicate)),
                Value::Map(map) => map.values().any(|item| item.any(predicate)),
                Value::Secret(inner) => inner.any(predicate),
                _ => false,
            }
    }

    /// Visits every node with its path, parents first.
    pub fn walk(&self, visit: &mut dyn FnMut(&Path, &Value)) {
        fn go(here: &Value, path: &mut Path, visit: &mut dyn FnMut(&Path, &Value)) {
            visit(path, here);
            match here {
                Value::List(items) => {
                    for (index, item) in items.iter().enumerate() {
                        path.push(Segment::Index(index));
                        go(item, path, visit);
                        path.pop();
                    }
                }
                Value::Map(map) => {
                    for (key, item) in map.iter() {
                        path.push(Segment::Key(key.clone()));
                        go(item, path, visit);
                        path.pop();
                    }
                }
                Value::Secret(inner) => match inner.as_ref() {
                    Value::List(_) | Value::Map(_) => go(inner, path, visit),
                    _ => {}
                },
                _ => {}
            }
        }
        go(self, &mut Path::root(), visit);
    }

    /// A copy with every node passed through `change`, children first.
    ///
    /// # Errors
    /// The first error `change` returns.
    pub fn rewrite<E>(
        &self,
        change: &mut dyn FnMut(Value) -> Result<Value, E>,
    ) -> Result<Value, E> {
        let inner = match self {
            Value::List(items) => Value::List(Arc::new(
                items
                    .iter()
                    .map(|item| item.rewrite(change))
                    .collect::<Result<_, E>>()?,
            )),
            Value::Map(map) => Value::Map(Arc::new(
                map.iter()
                    .map(|(key, item)| Ok((key.clone(), item.rewrite(change)?)))
                    .collect::<Result<_, E>>()?,
            )),
            Value::Secret(inner) => inner.rewrite(change)?.into_secret(),
            other => other.clone(),
        };
        change(inner)
    }

    /// A copy in which every secret is replaced by [`SECRET_TEXT`] and every expression by its
    /// `${…}` text: safe to print.
    #[must_use]
    pub fn masked(&self) -> Value {
        match self {
            Value::Secret(_) | Value::Sealed(_) => Value::from(SECRET_TEXT),
            Value::Expr(expr) => Value::from(expr.to_string()),
            Value::List(items) => Value::list(items.iter().map(Value::masked)),
            Value::Map(map) => {
                Value::map(map.iter().map(|(key, item)| (key.clone(), item.masked())))
            }
            other => other.clone(),
        }
    }

    /// What kind of value this is, in words for a message.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Num(_) => "a number",
            Value::Str(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Asset(_) => "a file",
            Value::Expr(_) => "an expression",
            Value::Secret(_) | Value::Sealed(_) => "a secret",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Str(text.into())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Str(text.into())
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Num(Number::from(number))
    }
}
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Value::Num(Number::from(number))
    }
}
impl From<Expr> for Value {
    fn from(expr: Expr) -> Self {
        Value::Expr(Arc::new(expr))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::Num(number) => write!(f, "{number}"),
            Value::Str(text) => write!(f, "{text:?}"),
            Value::List(items) => f.debug_list().entries(items.iter()).finish(),
            Value::Map(map) => f.debug_map().entries(map.iter()).finish(),
            Value::Asset(asset) => write!(f, "asset({})", asset.sha256),
            Value::Expr(expr) => write!(f, "{expr}"),
            Value::Secret(_) | Value::Sealed(_) => f.write_str(SECRET_TEXT),
        }
    }
}
