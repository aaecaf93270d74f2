//! Names of things in a stack.

use std::fmt;
use std::sync::Arc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};

/// The stable name of a resource in a stack: `resources.mx["mx1"]`, `apps.api.route`,
/// `modules.eu.apps.api.dns`. The type is no part of it.
///
/// ```
/// use fabrik_core::address::Address;
///
/// let address = Address::parse("resources.mx[\"mx1\"]")?;
/// assert_eq!(address.to_string(), "resources.mx[\"mx1\"]");
/// assert!(Address::parse("resources.a b").is_err());
/// # Ok::<(), fabrik_core::error::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Arc<str>);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] when a segment is empty or holds anything but letters, digits, `_`
    /// and `-`, or a `["key"]` is malformed.
    pub fn parse(text: &str) -> Result<Address> {
        check(text)?;
        Ok(Address(text.into()))
    }

    /// The address of a raw resource: `resources.ID`.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn resource(id: &str) -> Result<Address> {
        Address::parse(&format!("resources.{id}"))
    }

    /// The address of one element of a `for_each`: `resources.ID["key"]`.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn with_key(&self, key: &str) -> Result<Address> {
        Address::parse(&format!("{self}[\"{key}\"]"))
    }

    /// The address of a part of an app or component: `apps.KEY.PART`.
    ///
    /// # Errors
    /// As [`Address::parse`].
    pub fn part(&self, part: &str) -> Result<Address> {
        Address::parse(&format!("{self}.{part}"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the address matches a glob: `*` within a segment, `**` across segments; a glob
    /// without wildcard also matches everything below it (`apps.api` matches `apps.api.route`,
    /// `resources.mx` matches `resources.mx["a"]`).
    pub fn matches(&self, glob: &str) -> bool {
        let text = self.as_str();
        if glob.contains('*') {
            glob_match(glob.as_bytes(), text.as_bytes())
        } else {
            text.strip_prefix(glob).is_some_and(|rest| {
                rest.is_empty() || rest.starts_with('.') || rest.starts_with('[')
            })
        }
    }
}

fn check(text: &str) -> Result<()> {
    let mut rest = text;
    let mut first = true;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        if !is_id(&rest[..end]) {
            return Err(invalid(text));
        }
        rest = &rest[end..];
        if let Some(inner) = rest.strip_prefix("[\"") {
            let Some((key, after)) = inner.split_once("\"]") else {
                return Err(invalid(text));
            };
            if key.is_empty() || key.contains(['"', '\\']) || key.chars().any(char::is_control) {
                return Err(invalid(text));
            }
            rest = after;
        }
        if rest.is_empty() {
            if first {
                return Err(invalid(text));
            }
            return Ok(());
        }
        let Some(after) = rest.strip_prefix('.') else {
            return Err(invalid(text));
        };
        rest = after;
        first = false;
    }
}

fn glob_match(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', b'*', rest @ ..] => (0..=text.len()).any(|skip| glob_match(rest, &text[skip..])),
        [b'*', rest @ ..] => (0..=text.len())
            .take_while(|skip| text[..*skip].iter().all(|byte| *byte != b'.'))
            .any(|skip| glob_match(rest, &text[skip..])),
        [first, rest @ ..] => text.first() == Some(first) && glob_match(rest, &text[1..]),
    }
}

/// Whether the text can be an id: letters, digits, `_`, `-`; no dots; at most 100 bytes.
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 100
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

fn invalid(text: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("`{text}` is not an address"))
        .hint("an address looks like `resources.ID`, `resources.ID[\"key\"]` or `apps.KEY.PART`")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Address;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an address")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Address, E> {
                check(text).map_err(E::custom)?;
                Ok(Address(crate::value::share::address(text)))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for good in [
            "resources.a",
            "apps.api.dns",
            "modules.eu.apps.api.dns",
            "resources.mx[\"a.b c\"].x",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "resources.",
            "resources..a",
            "resources.a[0]",
            "resources.a[\"\"]",
            "r.é",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn globs() {
        let address = Address::parse("apps.api.route").unwrap();
        for yes in [
            "apps.api",
            "apps.*.route",
            "apps.**",
            "**",
            "apps.api.route",
        ] {
            assert!(address.matches(yes), "{yes}");
        }
        for no in ["apps.ap", "apps.*", "resources.**"] {
            assert!(!address.matches(no), "{no}");
        }
        assert!(
            Address::parse("resources.mx[\"a\"]")
                .unwrap()
                .matches("resources.mx")
        );
    }
}
