//! One value on one line; secrets masked, unknown values with what they wait for.

use std::borrow::Cow;

use fabrik_core::expr::{self, Target};
use fabrik_core::plan::AttributeDiff;
use fabrik_core::secrets::Redactor;
use fabrik_core::value::{SECRET_TEXT, Value};

use super::super::style::{Line, Tone};
use super::super::text;

/// An attribute's values before, after and as last sent, safe to compare in the open: where one of
/// them is secret all are, and what another of them holds of a secret is marked.
pub(super) fn guarded(diff: &AttributeDiff) -> Cow<'_, AttributeDiff> {
    let values = [
        Some(&diff.before),
        Some(&diff.after),
        diff.last_sent.as_ref(),
    ];
    let values = values.into_iter().flatten();
    if !values.clone().any(Value::has_secret) {
        return Cow::Borrowed(diff);
    }
    let redactor = Redactor::default();
    values.clone().for_each(|value| redactor.learn(value));
    let secret = values.clone().any(Value::is_secret);
    let guard = |value: &Value| match value {
        Value::Null | Value::Expr(_) => value.clone(),
        other if secret => other.clone().into_secret(),
        other => redactor.mark(other),
    };
    Cow::Owned(AttributeDiff {
        before: guard(&diff.before),
        after: guard(&diff.after),
        last_sent: diff.last_sent.as_ref().map(guard),
        ..diff.clone()
    })
}

/// A value on one line.
pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Num(number) => number.to_string(),
        // Masked before it came here.
        Value::Str(text) if **text == *SECRET_TEXT => SECRET_TEXT.to_owned(),
        Value::Str(text) => quoted(text),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(map) if map.is_empty() => "{}".to_owned(),
        Value::Map(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, item)| format!("{}: {}", text::one_line(key), inline(item)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Asset(asset) => {
            let hash: String = asset.sha256.chars().take(8).collect();
            format!("file ({}, sha256 {hash}…)", text::bytes(asset.len))
        }
        Value::Expr(_) => unknown(value),
        Value::Secret(_) | Value::Sealed(_) => SECRET_TEXT.to_owned(),
    }
}

/// A value as a fact in a sentence: short text without quotes.
pub(super) fn bare(value: &Value) -> String {
    match value {
        Value::Str(text) if !text.is_empty() && !text.contains(['\n', '\t', ',']) => {
            text::one_line(text)
        }
        other => inline(other),
    }
}

/// The tone of a value that is not simply there.
pub(super) fn tone(value: &Value) -> Tone {
    match value {
        Value::Expr(_) => Tone::Hint,
        Value::Null | Value::Secret(_) | Value::Sealed(_) => Tone::Dim,
        _ => Tone::Plain,
    }
}

/// What an unknown value waits for.
fn unknown(value: &Value) -> String {
    let references = expr::references(value);
    let secrets = |reference: &expr::Reference| matches!(reference.target, Target::Secret(_));
    if !references.is_empty() && references.iter().all(secrets) {
        return SECRET_TEXT.to_owned();
    }
    let names: Vec<String> = references
        .iter()
        .filter(|reference| !secrets(reference))
        .map(|reference| text::one_line(&reference.to_string()))
        .collect();
    if names.is_empty() {
        "(known after apply)".to_owned()
    } else {
        format!("(known after apply: {})", names.join(", "))
    }
}

/// Text with parts that are not known yet, the parts said in words.
pub(super) fn template(expr: &expr::Expr) -> String {
    match expr {
        expr::Expr::Concat(parts) => parts.iter().map(template).collect(),
        expr::Expr::Literal(Value::Str(text)) => text::one_line(text),
        expr::Expr::Literal(value) => inline(value),
        other => unknown(&Value::from(other.clone())),
    }
}

/// Text in quotes, on one line.
fn quoted(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() + 2);
    out.push('"');
    for character in text::printable(raw).chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// One text cut to a number of columns, saying how long it is.
pub(super) fn shortened(shown: &str, columns: usize) -> String {
    if text::width(shown) <= columns {
        return shown.to_owned();
    }
    let note = format!(" ({})", text::count(shown.chars().count(), "character"));
    let room = columns.saturating_sub(note.len()).max(12);
    text::shorten(shown, room) + &note
}

/// Two texts cut so that where they begin to differ stays in sight.
pub(super) fn shortened_pair(before: &str, after: &str, columns: usize) -> (String, String) {
    const LEAD: usize = 16;
    let same = before
        .chars()
        .zip(after.chars())
        .take_while(|(left, right)| left == right)
        .count();
    let cut = |shown: &str| {
        if text::width(shown) <= columns || same <= LEAD * 2 {
            return shortened(shown, columns);
        }
        let tail: String = shown.chars().skip(same - LEAD).collect();
        let length = shown.chars().count();
        let note = format!(" ({})", text::count(length, "character"));
        let room = columns.saturating_sub(note.len() + 1).max(LEAD + 12);
        format!("…{}{note}", text::shorten(&tail, room))
    };
    (cut(before), cut(after))
}

/// Longest text whose characters are compared one by one.
const FINE: usize = 300;

/// Two texts with what differs between them marked.
pub(super) fn marked(before: &str, after: &str, color: bool) -> (Line, Line) {
    let whole = || {
        (
            Line::default().add(Tone::Bad, before),
            Line::default().add(Tone::Good, after),
        )
    };
    if !color || before.len() > FINE || after.len() > FINE {
        return whole();
    }
    // What both begin and end with is the same in any case; only the middles are compared.
    let lead = common(before.chars(), after.chars());
    let (old, new) = (&before[lead..], &after[lead..]);
    let tail = common(old.chars().rev(), new.chars().rev());
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    if lead + tail + 4 < (old.len() + new.len()) / 3 {
        return whole();
    }
    let start = Line::default().plain(&before[..lead]);
    let (mut left, mut right) = (start.clone(), start);
    let diff = similar::TextDiff::from_chars(old, new);
    if diff.ratio() < 0.6 {
        left.push(Tone::BadMark, old);
        right.push(Tone::GoodMark, new);
    } else {
        for change in diff.iter_all_changes() {
            match change.tag() {
                similar::ChangeTag::Delete => left.push(Tone::BadMark, change.value()),
                similar::ChangeTag::Insert => right.push(Tone::GoodMark, change.value()),
                similar::ChangeTag::Equal => {
                    left.push(Tone::Plain, change.value());
                    right.push(Tone::Plain, change.value());
                }
            }
        }
    }
    let end = &before[before.len() - tail..];
    (left.plain(end), right.plain(end))
}

/// How many bytes two texts share from their start.
fn common(left: impl Iterator<Item = char>, right: impl Iterator<Item = char>) -> usize {
    left.zip(right)
        .take_while(|(left, right)| left == right)
        .map(|(same, _)| same.len_utf8())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_on_one_line() {
        let value = Value::map([
            ("a", Value::list([Value::from("x\"\u{1b}"), Value::Null])),
            ("b", Value::secret("hunter2hunter2")),
        ]);
        assert_eq!(inline(&value), "{a: [\"x\\\"\\u{1b}\", null], b: (secret)}");
    }

    #[test]
    fn the_difference_stays_in_sight() {
        let long = "x".repeat(200);
        let (before, after) = shortened_pair(&format!("{long}1.4"), &format!("{long}1.5"), 50);
        assert_eq!(before, "…xxxxxxxxxxxxxx1.4 (203 characters)");
        assert_eq!(after, "…xxxxxxxxxxxxxx1.5 (203 characters)");
    }
}
