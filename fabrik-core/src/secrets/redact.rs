//! Removing known secrets, and control characters, from text that others wrote.

use std::sync::{Arc, RwLock};

use crate::value::{SECRET_TEXT, Value};

/// Shortest text that is looked for: shorter ones would hide ordinary words.
const MIN: usize = 8;

/// Knows every secret of a run and removes them from text. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor(Arc<RwLock<Vec<Arc<str>>>>);

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor(secret)")
    }
}

impl Redactor {
    /// Learns every secret inside a value (text of at least 8 characters, and the common encodings
    /// of it: as JSON, in a URL, in base64).
    pub fn learn(&self, value: &Value) {
        let mut found = Vec::new();
        collect(value, false, &mut found);
        if found.is_empty() {
            return;
        }
        let mut known = self
            .0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for text in found {
            for form in encodings(&text) {
                if form.len() >= MIN && !known.iter().any(|old| **old == *form) {
                    known.push(form.into());
                }
            }
        }
        known.sort_by_key(|text| std::cmp::Reverse(text.len()));
    }

    /// The text with every known secret replaced.
    pub fn clean(&self, text: &str) -> String {
        let known = self
            .0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = text.to_owned();
        for secret in known.iter() {
            if text.contains(&**secret) {
                text = text.replace(&**secret, SECRET_TEXT);
            }
        }
        text
    }

    /// Whether the text holds a known secret.
    pub fn knows(&self, text: &str) -> bool {
        let known = self
            .0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        known.iter().any(|secret| text.contains(&**secret))
    }

    /// Marks as secret every text inside the value that holds a known secret: for replies.
    #[must_use]
    pub fn mark(&self, value: &Value) -> Value {
        {
            let known = self
                .0
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if known.is_empty() {
                return value.clone();
            }
        }
        value
            .rewrite(&mut |node| {
                Ok::<_, std::convert::Infallible>(match &node {
                    Value::Str(text) if self.knows(text) => node.into_secret(),
                    _ => node,
                })
            })
            .unwrap_or_default()
    }
}

fn collect(value: &Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::Secret(inner) => collect(inner, true, found),
        Value::List(items) => items.iter().for_each(|item| collect(item, secret, found)),
        Value::Map(map) => map.values().for_each(|item| collect(item, secret, found)),
        Value::Str(text) if secret => {
            found.push(text.to_string());
            // A many-lined secret (a private key) is also known by its lines.
            if text.contains('\n') {
                found.extend(text.lines().map(str::to_owned));
            }
        }
        Value::Num(number) if secret => found.push(number.to_string()),
        _ => {}
    }
}

fn encodings(text: &str) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    use std::fmt::Write as _;

    let json = serde_json::Value::String(text.to_owned()).to_string();
    let percent = text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
        out
    });
    let mut forms = vec![text.to_owned(), json.trim_matches('"').to_owned(), percent];
    if text.len() >= MIN {
        forms.extend([
            STANDARD.encode(text),
            STANDARD_NO_PAD.encode(text),
            URL_SAFE_NO_PAD.encode(text),
        ]);
    }
    forms
}

/// The text with control characters (escape sequences among them) made visible, line breaks and
/// tabs kept: what others wrote must not command the terminal.
pub fn printable(text: &str) -> String {
    let harmless = |c: char| {
        c == '\n'
            || c == '\t'
            || !(c.is_control()
                || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    if text.chars().all(harmless) {
        return text.to_owned();
    }
    text.chars()
        .map(|c| match c {
            c if harmless(c) => c.to_string(),
            '\r' => String::new(),
            c => format!("\\u{{{:x}}}", u32::from(c)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_secrets_leave_text_in_every_encoding() {
        let redactor = Redactor::default();
        redactor.learn(&Value::map([("p", Value::secret("pa ss\"word1"))]));
        for text in [
            "x pa ss\"word1 y",
            "pa ss\\\"word1",
            "pa%20ss%22word1",
            "cGEgc3Mid29yZDE=",
        ] {
            let clean = redactor.clean(text);
            assert!(clean.contains(SECRET_TEXT), "{text} -> {clean}");
        }
        assert!(redactor.mark(&Value::from("see pa ss\"word1")).is_secret());
        assert_eq!(redactor.clean("nothing"), "nothing");
    }

    #[test]
    fn terminal_commands_are_made_visible() {
        assert_eq!(printable("a\u{1b}[31mb\r\n"), "a\\u{1b}[31mb\n");
        assert_eq!(printable("x\u{202e}y"), "x\\u{202e}y");
    }
}
