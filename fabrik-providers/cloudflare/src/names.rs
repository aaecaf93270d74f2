//! Host names in the one form that is compared and sent: lower case, punycode, without a final dot.

/// The canonical form of a host name; `.` alone stays what it is.
///
/// Underscores and a leading `*` are fine: these are names of records.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "." {
        return Ok(text.to_owned());
    }
    let bare = text.strip_suffix('.').unwrap_or(text);
    let problem = |why: &str| format!("`{text}` is no host name: {why}");
    if bare.is_empty() {
        return Err(problem("it is empty"));
    }
    let mut labels = Vec::new();
    for label in bare.split('.') {
        let label = if label.is_ascii() {
            label.to_ascii_lowercase()
        } else {
            match url::Host::parse(label) {
                Ok(url::Host::Domain(label)) => label,
                _ => return Err(problem("a part of it has no form in punycode")),
            }
        };
        if label.is_empty() {
            return Err(problem("a part of it is empty"));
        }
        if label.len() > 63 {
            return Err(problem("a part of it is longer than 63 characters"));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_*/".contains(c);
        if !label.chars().all(fits) {
            return Err(problem(
                "only letters, digits, `-`, `_` and `*` can be in it",
            ));
        }
        labels.push(label);
    }
    let name = labels.join(".");
    if name.len() > 253 {
        return Err(problem("it is longer than 253 characters"));
    }
    Ok(name)
}

/// The full name of a record: `@`, a name below the zone, or the full name itself.
pub(crate) fn in_zone(name: &str, zone: &str) -> Result<String, String> {
    if name.trim() == "@" {
        return Ok(zone.to_owned());
    }
    let absolute = name.trim().ends_with('.');
    let name = host(name)?;
    if name == zone || is_below(&name, zone) {
        return Ok(name);
    }
    if absolute {
        return Err(format!("`{name}` is not in the zone `{zone}`"));
    }
    host(&format!("{name}.{zone}"))
}

/// Whether a name lies below another one.
pub(crate) fn is_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a text is an id as the service makes them.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_have_one_form() {
        assert_eq!(host("WWW.Example.COM."), Ok("www.example.com".into()));
        assert_eq!(host("bücher.example"), Ok("xn--bcher-kva.example".into()));
        assert_eq!(host("BÜCHER.example"), Ok("xn--bcher-kva.example".into()));
        assert_eq!(host("*._tcp.a-b.example"), Ok("*._tcp.a-b.example".into()));
        assert_eq!(host("."), Ok(".".into()));
        for wrong in ["", "a..b", "a b", &"x".repeat(64), &"abcdefgh.".repeat(30)] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_completed_with_the_zone() {
        let zone = "example.com";
        for (name, full) in [
            ("@", "example.com"),
            ("www", "www.example.com"),
            ("a.b", "a.b.example.com"),
            ("WWW.Example.com", "www.example.com"),
            ("example.com.", "example.com"),
            ("notexample.com", "notexample.com.example.com"),
        ] {
            assert_eq!(in_zone(name, zone), Ok(full.into()), "{name}");
        }
        let error = in_zone("www.example.org.", zone).unwrap_err();
        assert_eq!(error, "`www.example.org` is not in the zone `example.com`");
    }
}
