//! Schemas in words.

use super::types;
use crate::value::Value;

/// Up to twelve names.
pub(in crate::spec) fn list_some(names: &[&str]) -> String {
    let mut text = names
        .iter()
        .take(12)
        .copied()
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > 12 {
        text.push_str(", …");
    }
    text
}

/// A scalar as it would be written.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        Value::Null => "~".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The types in words: `a whole number or text`.
pub(super) fn type_words(allowed: u8) -> String {
    let mut words = Vec::new();
    if allowed & types::NUM != 0 {
        words.push("a number");
    } else if allowed & types::INT != 0 {
        words.push("a whole number");
    }
    for (bit, word) in [
        (types::BOOL, "`true` or `false`"),
        (types::STR, "text"),
        (types::LIST, "a list"),
        (types::MAP, "a map"),
    ] {
        if allowed & bit != 0 {
            words.push(word);
        }
    }
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
