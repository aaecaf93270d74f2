//! Names of domains and records, and the ids made of them.

use fabrik_core::error::{Error, ErrorKind, Result};

/// The domain itself in a record's name.
pub(crate) const APEX: &str = "@";

/// A name in its one form: lower case, ASCII, no final dot.
///
/// # Errors
/// What is wrong with it, in words that follow the name.
pub(crate) fn canonical(text: &str) -> Result<String, String> {
    let text = text.trim();
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
            .find(|c| !c.is_ascii_alphanumeric() && !"-_*".contains(*c))
        {
            return Err(format!("holds `{bad}`, which names do not"));
        }
    }
    Ok(ascii)
}

/// A registered domain in its one form.
///
/// # Errors
/// What is wrong with it, in words that follow the name.
pub(crate) fn registered(text: &str) -> Result<String, String> {
    let name = canonical(text)?;
    match psl::domain_str(&name) {
        Some(domain) if domain == name => Ok(name),
        Some(domain) => Err(format!(
            "is not a registered domain, but a name below `{domain}`"
        )),
        None => Err("is not a registered domain, but a public suffix".to_owned()),
    }
}

/// The parts that commands want: `example`, `co.uk`.
pub(crate) fn split(domain: &str) -> (String, String) {
    let suffix = psl::suffix_str(domain).unwrap_or_default();
    let name = domain.strip_suffix(suffix).unwrap_or(domain);
    (name.trim_end_matches('.').to_owned(), suffix.to_owned())
}

/// The record's name within its domain. It may be given relative, as the full name, or with a final
/// dot, which is always the full name.
///
/// # Errors
/// What is wrong with it, in words that follow the name.
pub(crate) fn relative(name: &str, domain: &str) -> Result<String, String> {
    let text = name.trim();
    if text.is_empty() || text == APEX {
        return Ok(APEX.to_owned());
    }
    let full = canonical(text)?;
    if full == domain {
        return Ok(APEX.to_owned());
    }
    let below = full
        .strip_suffix(domain)
        .and_then(|rest| rest.strip_suffix('.'));
    match below {
        Some(below) => Ok(below.to_owned()),
        None if text.ends_with('.') => Err(format!("is not below the domain `{domain}`")),
        None => {
            canonical(&format!("{full}.{domain}"))?;
            Ok(full)
        }
    }
}

/// The full name of a record.
pub(crate) fn full(relative: &str, domain: &str) -> String {
    match relative {
        APEX => domain.to_owned(),
        name => format!("{name}.{domain}"),
    }
}

/// `DOMAIN/NAME/TYPE`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SetId {
    pub(crate) domain: String,
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl SetId {
    /// Reads an id, also one written by hand.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`], showing the form.
    pub(crate) fn parse(id: &str) -> Result<SetId> {
        let wrong = || wrong_id(id, "DOMAIN/NAME/TYPE", "example.com/www/A");
        let parts: Vec<&str> = id.split('/').collect();
        let [domain, name, kind] = parts.as_slice() else {
            return Err(wrong());
        };
        let bad = |why: String| wrong().context("reason", why);
        let domain = registered(domain).map_err(bad)?;
        let name = relative(name, &domain).map_err(bad)?;
        if kind.is_empty() || !kind.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(bad(format!("`{kind}` is no type of record")));
        }
        Ok(SetId {
            domain,
            name,
            kind: kind.to_ascii_uppercase(),
        })
    }
}

impl std::fmt::Display for SetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.domain, self.name, self.kind)
    }
}

/// An id that is none.
pub(crate) fn wrong_id(id: &str, form: &str, example: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("`{id}` is no id of this type"))
        .hint(format!("ids look like {form}, such as `{example}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_split_at_their_public_suffix() {
        let parts = |domain: &str| {
            let (name, suffix) = split(&registered(domain).unwrap());
            format!("{name} + {suffix}")
        };
        assert_eq!(parts("Example.com."), "example + com");
        assert_eq!(parts("example.co.uk"), "example + co.uk");
        assert_eq!(
            registered("www.example.co.uk").unwrap_err(),
            "is not a registered domain, but a name below `example.co.uk`"
        );
        assert_eq!(
            registered("co.uk").unwrap_err(),
            "is not a registered domain, but a public suffix"
        );
    }

    #[test]
    fn ids_read_back() {
        for id in ["example.com/www/A", "example.co.uk/@/MX"] {
            assert_eq!(SetId::parse(id).unwrap().to_string(), id);
        }
        let by_hand = SetId::parse("Example.com./WWW.example.com./url301").unwrap();
        assert_eq!(by_hand.to_string(), "example.com/www/URL301");
        for wrong in ["not an id", "example.com/www", "www.example.com/a/A"] {
            let error = SetId::parse(wrong).unwrap_err();
            assert!(
                error.hint_text().unwrap().contains("DOMAIN/NAME/TYPE"),
                "{wrong}"
            );
        }
    }
}
