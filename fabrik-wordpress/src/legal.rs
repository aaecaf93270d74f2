//! Legal pages from templates: plain texts, filled from `contact`. They are a start, and say so:
//! a lawyer has to look at them before they are used.

use fabrik_core::value::Value;

/// The pages there are templates for.
pub(crate) const KINDS: &[&str] = &["privacy", "terms", "cookies", "imprint"];
/// The languages there are templates in.
pub(crate) const LANGUAGES: &[&str] = &["en", "de"];
/// Fields of `contact` without which a legal page says nothing.
const NEEDED: &[&str] = &["company", "email", "address"];

/// The Markdown of a page in a language.
pub(crate) fn template(kind: &str, language: &str) -> Option<&'static str> {
    Some(match (kind, language) {
        ("privacy", "en") => include_str!("legal/privacy.en.md"),
        ("privacy", "de") => include_str!("legal/privacy.de.md"),
        ("terms", "en") => include_str!("legal/terms.en.md"),
        ("terms", "de") => include_str!("legal/terms.de.md"),
        ("cookies", "en") => include_str!("legal/cookies.en.md"),
        ("cookies", "de") => include_str!("legal/cookies.de.md"),
        ("imprint", "en") => include_str!("legal/imprint.en.md"),
        ("imprint", "de") => include_str!("legal/imprint.de.md"),
        _ => return None,
    })
}

/// The title of a page in a language.
pub(crate) fn title(kind: &str, language: &str) -> &'static str {
    match (kind, language) {
        ("privacy", "de") => "Datenschutz",
        ("terms", "de") => "AGB",
        ("cookies", "de") => "Cookies",
        ("imprint", "de") => "Impressum",
        ("privacy", _) => "Privacy policy",
        ("terms", _) => "Terms and conditions",
        ("cookies", _) => "Cookie policy",
        _ => "Legal notice",
    }
}

/// Fills a template: lines that name something that is not known are left out. Gives the text, and
/// the fields that are missing and must not be.
pub(crate) fn fill(template: &str, contact: Option<&Value>) -> (String, Vec<&'static str>) {
    let text = |field: &str| {
        let value = contact?.get(field)?;
        value.as_str().map(escape)
    };
    let address = contact
        .and_then(|contact| contact.get("address"))
        .map(|address| {
            let part = |field: &str| address.get(field).and_then(Value::as_str).map(escape);
            let town = [part("zip"), part("city")].into_iter().flatten();
            let town: Vec<String> = town.collect();
            [part("street"), Some(town.join(" ")), part("country")]
                .into_iter()
                .flatten()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        })
        .filter(|address| !address.is_empty());
    let known = |field: &str| match field {
        "company" => text("company").or_else(|| text("person")),
        "address" => address.clone(),
        other => text(other),
    };
    let mut missing: Vec<&'static str> = Vec::new();
    let mut lines = Vec::new();
    for line in template.lines() {
        let mut filled = line.to_owned();
        let mut whole = true;
        while let Some((before, rest)) = filled.split_once("{{") {
            let Some((field, after)) = rest.split_once("}}") else {
                break;
            };
            if let Some(text) = known(field) {
                filled = format!("{before}{text}{after}");
                continue;
            }
            whole = false;
            if let Some(needed) = NEEDED.iter().find(|needed| **needed == field)
                && !missing.contains(needed)
            {
                missing.push(needed);
            }
            break;
        }
        if whole {
            lines.push(filled);
        }
    }
    (lines.join("\n"), missing)
}

/// Text that Markdown takes for text.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_punctuation()
            && !matches!(
                c,
                '.' | ',' | '@' | '-' | ':' | '/' | '(' | ')' | '+' | '&' | '\''
            )
        {
            out.push('\\');
        }
        out.push(if c == '{' || c == '}' || c.is_control() {
            ' '
        } else {
            c
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use fabrik_core::value::from_json;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_template_is_filled() {
        let contact = from_json(&json!({
            "company": "Nordlicht *GmbH*", "email": "hallo@example.com",
            "address": {"street": "Hafenstraße 1", "zip": "20457", "city": "Hamburg", "country": "Germany"},
        }));
        for kind in KINDS {
            for language in LANGUAGES {
                let (text, missing) = fill(template(kind, language).unwrap(), Some(&contact));
                assert!(missing.is_empty(), "{kind}.{language}: {missing:?}");
                assert!(!text.contains("{{"), "{kind}.{language}");
                assert!(text.contains("Nordlicht \\*GmbH\\*"), "{kind}.{language}");
                assert!(text.len() > 400, "{kind}.{language}");
                let note = if *language == "de" {
                    "anwaltlich"
                } else {
                    "lawyer"
                };
                assert!(text.contains(note), "{kind}.{language}");
            }
        }
        let (text, missing) = fill(template("imprint", "en").unwrap(), None);
        assert_eq!(missing, ["company", "address", "email"]);
        assert!(!text.contains("VAT"));
    }
}
