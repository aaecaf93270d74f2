//! Where inside a written scalar a piece of its text stands.

use std::ops::Range;

use crate::diagnostic::{SourceMap, Span};

/// The place of `range` (bytes of the decoded text) within a scalar written at `span`.
pub(super) fn inside(sources: &SourceMap, span: Span, text: &str, range: &Range<usize>) -> Span {
    let Some((file, raw_range)) = sources.file_of(span) else {
        return span;
    };
    let raw = file.text.get(raw_range).unwrap_or_default();
    let (Some(start), Some(end)) = (align(raw, text, range.start), align(raw, text, range.end))
    else {
        return span;
    };
    let offset = |at: usize| span.start + u32::try_from(at).unwrap_or(0);
    Span {
        start: offset(start),
        end: offset(end.max(start)),
    }
}

/// The byte of `raw` (as written: quotes, escapes, indentation) that stands for byte `target` of
/// `text` (as read).
fn align(raw: &str, text: &str, target: usize) -> Option<usize> {
    let quote = raw.chars().next();
    let double = quote == Some('"');
    let single = quote == Some('\'');
    let mut at = usize::from(double || single);
    if matches!(quote, Some('|' | '>')) {
        at = raw.find('\n')? + 1;
    }
    for (offset, wanted) in text.char_indices() {
        at = skip(raw, at, wanted, double);
        if offset >= target {
            return Some(at);
        }
        let here = raw.get(at..)?.chars().next()?;
        at += if double && here == '\\' {
            escape_len(&raw[at..])
        } else if single && here == '\'' {
            2
        } else {
            here.len_utf8()
        };
    }
    Some(at)
}

/// Skips what was written and not read (indentation, folded line breaks) up to `wanted`.
fn skip(raw: &str, mut at: usize, wanted: char, double: bool) -> usize {
    while let Some(here) = raw.get(at..).and_then(|rest| rest.chars().next()) {
        let folded = wanted == ' ' && here == '\n';
        let escape = double && here == '\\';
        if here == wanted || folded || (escape && !raw[at..].starts_with("\\\n")) {
            break;
        }
        if escape {
            at += 2;
        } else if here.is_whitespace() {
            at += here.len_utf8();
        } else {
            break;
        }
    }
    at
}

fn escape_len(rest: &str) -> usize {
    let len = match rest.as_bytes().get(1) {
        Some(b'x') => 4,
        Some(b'u') => 6,
        Some(b'U') => 10,
        _ => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
    };
    len.min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn through_quotes_escapes_and_blocks() {
        for (raw, text, needle) in [
            ("a ${x}", "a ${x}", "${x}"),
            ("\"a ${x}\"", "a ${x}", "${x}"),
            ("\"a\\\"\\u00e9 ${x}\"", "a\"é ${x}", "${x}"),
            ("'it''s ${x}'", "it's ${x}", "${x}"),
            ("|\n    one\n    two ${x}\n", "one\ntwo ${x}\n", "${x}"),
            (">-\n    one\n    two ${x}\n", "one two ${x}", "${x}"),
            ("one\n  two ${x}", "one two ${x}", "${x}"),
        ] {
            let at = align(raw, text, text.find(needle).unwrap()).unwrap();
            assert!(raw[at..].starts_with(needle), "{raw:?}: {:?}", &raw[at..]);
        }
    }
}
