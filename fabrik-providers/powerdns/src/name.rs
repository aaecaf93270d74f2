//! Names of zones and records, and the ids made of them.
//!
//! In inputs and ids names are in lower case and without a final dot; the service wants the dot.

use fabrik_core::error::{Error, ErrorKind, Result};

/// The apex in a record's name.
pub(crate) const APEX: &str = "@";

/// A name in its one form: lower case, ASCII, no final dot. The root stays `.`.
///
/// # Errors
/// What is wrong with it, in words that follow the name.
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "." {
        return Ok(text.to_owned());
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    let ascii = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        match url::Host::parse(text) {
            Ok(url::Host::Domain(ascii)) => ascii,
            _ => return Err("is no host name".to_owned()),
        }
    };
    if ascii.len() > 253 {
        return Err("is longer than 253 characters".to_owned());
    }
    for label in ascii.split('.') {
        if label.is_empty() {
            return Err("has an empty label".to_owned());
        }
        if label.len() > 63 {
            return Err(format!("has a label longer than 63 characters, `{label}`"));
        }
        if let Some(bad) = label
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !"-_*/".contains(*c))
        {
            return Err(format!("holds `{bad}`, which names do not"));
        }
    }
    Ok(ascii)
}

/// A canonical name as the service writes it.
pub(crate) fn dotted(name: &str) -> String {
    if name == "." {
        name.to_owned()
    } else {
        format!("{name}.")
    }
}

/// The record's name within its zone: `www`, `_dmarc`, `@`. It may be given relative, as the full
/// name, or with a final dot, which is always the full name.
///
/// # Errors
/// What is wrong with it, in words that follow the name.
pub(crate) fn relative(name: &str, zone: &str) -> Result<String, String> {
    let text = name.trim();
    if text.is_empty() || text == APEX {
        return Ok(APEX.to_owned());
    }
    let full = canonical(text)?;
    if full == zone {
        return Ok(APEX.to_owned());
    }
    let below = if zone == "." {
        Some(full.as_str())
    } else {
        full.strip_suffix(zone)
            .and_then(|rest| rest.strip_suffix('.'))
    };
    match below {
        Some(below) => Ok(below.to_owned()),
        None if text.ends_with('.') => Err(format!("is not below the zone `{zone}`")),
        None => {
            canonical(&format!("{full}.{zone}"))?;
            Ok(full)
        }
    }
}

/// The full name of a record, without a final dot.
pub(crate) fn full(relative: &str, zone: &str) -> String {
    match (relative, zone) {
        (APEX, zone) => zone.to_owned(),
        (name, ".") => name.to_owned(),
        (name, zone) => format!("{name}.{zone}"),
    }
}

/// `ZONE/NAME/TYPE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SetId {
    pub(crate) zone: String,
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl SetId {
    /// Reads an id, also one written by hand.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], showing the form.
    pub(crate) fn parse(id: &str) -> Result<SetId> {
        let parts: Vec<String> = id.split('/').map(unescape).collect();
        let [zone, name, kind] = parts.as_slice() else {
            return Err(wrong_id(id, "ZONE/NAME/TYPE", "example.com/www/A"));
        };
        let bad = |why: String| {
            wrong_id(id, "ZONE/NAME/TYPE", "example.com/www/A").context("reason", why)
        };
        let zone = canonical(zone).map_err(bad)?;
        let name = relative(name, &zone).map_err(bad)?;
        if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(bad(format!("`{kind}` is no type of record")));
        }
        Ok(SetId {
            zone,
            name,
            kind: kind.to_ascii_uppercase(),
        })
    }

    /// The full name as the service writes it.
    pub(crate) fn dotted(&self) -> String {
        dotted(&full(&self.name, &self.zone))
    }
}

impl std::fmt::Display for SetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (zone, name) = (escape(&self.zone), escape(&self.name));
        write!(f, "{zone}/{name}/{}", self.kind)
    }
}

/// The id of something with a key in a zone: `ZONE/KEY`.
pub(crate) fn keyed_id(zone: &str, key: &str) -> String {
    format!("{}/{key}", escape(zone))
}

/// Reads `ZONE/KEY`.
///
/// # Errors
/// [`ErrorKind::Invalid`], showing the form.
pub(crate) fn parse_keyed_id(id: &str, form: &str, example: &str) -> Result<(String, String)> {
    let (zone, key) = id
        .split_once('/')
        .filter(|(_, key)| !key.is_empty() && !key.contains('/'))
        .ok_or_else(|| wrong_id(id, form, example))?;
    let zone = canonical(&unescape(zone))
        .map_err(|why| wrong_id(id, form, example).context("reason", why))?;
    Ok((zone, key.to_owned()))
}

/// An id that is none.
pub(crate) fn wrong_id(id: &str, form: &str, example: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("`{id}` is no id of this type"))
        .hint(format!("ids look like {form}, such as `{example}`"))
}

/// Classless reverse zones have slashes in their names.
fn escape(name: &str) -> String {
    name.replace('/', "%2F")
}

fn unescape(part: &str) -> String {
    part.replace("%2F", "/").replace("%2f", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        assert_eq!(canonical("Example.COM.").unwrap(), "example.com");
        assert_eq!(
            canonical("bücher.example").unwrap(),
            "xn--bcher-kva.example"
        );
        assert_eq!(canonical("*.a.b").unwrap(), "*.a.b");
        assert_eq!(canonical("a..b").unwrap_err(), "has an empty label");
        assert_eq!(
            canonical("a b").unwrap_err(),
            "holds ` `, which names do not"
        );
        let long = format!("{}.b", "a".repeat(64));
        assert!(
            canonical(&long)
                .unwrap_err()
                .starts_with("has a label longer")
        );
        let longest = vec!["a".repeat(62); 4].join(".");
        assert_eq!(canonical(&longest).unwrap(), longest);
        assert!(canonical(&format!("{longest}.cc")).is_err());
    }

    #[test]
    fn a_record_may_be_named_in_three_ways() {
        for text in ["www", "WWW.example.com", "www.Example.com."] {
            assert_eq!(relative(text, "example.com").unwrap(), "www", "{text}");
        }
        for text in ["", "@", "example.com", "example.com."] {
            assert_eq!(relative(text, "example.com").unwrap(), "@", "{text}");
        }
        assert_eq!(relative("a.b", "example.com").unwrap(), "a.b");
        assert_eq!(
            relative("notexample.com", "example.com").unwrap(),
            "notexample.com"
        );
        assert_eq!(
            relative("www.example.org.", "example.com").unwrap_err(),
            "is not below the zone `example.com`"
        );
        assert_eq!(full("@", "example.com"), "example.com");
        assert_eq!(full("a.b", "example.com"), "a.b.example.com");
    }

    #[test]
    fn ids_read_back() {
        for id in [
            "example.com/www/A",
            "example.com/@/MX",
            "0%2F26.2.0.192.in-addr.arpa/1/PTR",
        ] {
            assert_eq!(SetId::parse(id).unwrap().to_string(), id);
        }
        let by_hand = SetId::parse("Example.com./WWW.example.com./aaaa").unwrap();
        assert_eq!(by_hand.to_string(), "example.com/www/AAAA");
        for wrong in [
            "not an id",
            "example.com/www",
            "a b/www/A",
            "example.com/www/A/1",
        ] {
            let error = SetId::parse(wrong).unwrap_err();
            assert!(
                error.hint_text().unwrap().contains("ZONE/NAME/TYPE"),
                "{wrong}"
            );
        }
        let error = parse_keyed_id("x", "ZONE/KIND", "example.com/X-NOTE").unwrap_err();
        assert_eq!(
            error.hint_text().unwrap(),
            "ids look like ZONE/KIND, such as `example.com/X-NOTE`"
        );
    }
}
