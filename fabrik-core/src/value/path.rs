//! Where inside a value something is.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A named entry of a map.
    Key(Arc<str>),
    /// A position in a list.
    Index(usize),
}

/// A place inside a value: `env.LOG_LEVEL`, `checks[0].url`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The value itself.
    pub fn root() -> Path {
        Path::default()
    }

    /// A path of one key.
    pub fn key(key: impl Into<Arc<str>>) -> Path {
        Path(vec![Segment::Key(key.into())])
    }

    /// The steps.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether this is the value itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes one step down.
    pub fn push(&mut self, segment: Segment) {
        self.0.push(segment);
    }

    /// Goes one step up.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }

    /// A copy one key further down.
    #[must_use]
    pub fn join(&self, key: impl Into<Arc<str>>) -> Path {
        let mut path = self.clone();
        path.push(Segment::Key(key.into()));
        path
    }

    /// Whether `self` is `other` or lies below it.
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Reads a JSON pointer (`/env/0`): digits become positions.
    pub fn from_pointer(pointer: &str) -> Path {
        Path(
            pointer
                .split('/')
                .skip(1)
                .map(|part| {
                    let part = part.replace("~1", "/").replace("~0", "~");
                    match part.parse::<usize>() {
                        Ok(index) => Segment::Index(index),
                        Err(_) => Segment::Key(part.into()),
                    }
                })
                .collect(),
        )
    }

    /// Reads the text form that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Path {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix("[\"") {
                let (key, after) = inner.split_once("\"]").unwrap_or((inner, ""));
                segments.push(Segment::Key(key.into()));
                rest = after;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (index, after) = inner.split_once(']').unwrap_or((inner, ""));
                segments.push(match index.parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key(index.into()),
                });
                rest = after;
            } else {
                let plain = rest.strip_prefix('.').unwrap_or(rest);
                let end = plain.find(['.', '[']).unwrap_or(plain.len());
                segments.push(Segment::Key(plain[..end].into()));
                rest = &plain[end..];
            }
        }
        Path(segments)
    }
}

impl From<Vec<Segment>> for Path {
    fn from(segments: Vec<Segment>) -> Self {
        Path(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if key.contains(['.', '[', ']', '"']) || key.is_empty() => {
                    write!(f, "[\"{key}\"]")?;
                }
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Path {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Path {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Path::parse(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in ["", "a", "a.b", "a[0].b", "env[\"a.b\"].c", "[3]"] {
            assert_eq!(Path::parse(text).to_string(), text);
        }
        assert_eq!(Path::from_pointer("/a/0/b~1c").to_string(), "a[0].b/c");
    }
}
