//! What the YAML parser says, in words that help.

use std::ops::Range;

use super::parse::MAX_DEPTH;
use crate::codes;

/// A mistake in YAML.
pub(super) struct Mistake {
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    /// The code.
    pub(super) code: &'static str,
    /// What is wrong.
    pub(super) text: String,
    /// What to do.
    pub(super) help: Option<&'static str>,
}

/// What a parser's message begins with or holds, what it means, and what to do.
const MEANINGS: &[(&str, &str, &str, Option<&str>)] = &[
    (
        "unknown anchor",
        codes::ALIAS,
        "this alias names no anchor before it",
        Some("an anchor is set with `&name` on a value, and used with `*name` after it"),
    ),
    (
        "mapping values are not allowed",
        codes::SYNTAX,
        "a `:` is not allowed here",
        Some("put text that holds `: ` in quotes, and check the indentation of this line"),
    ),
    (
        "expected ',' or ']'",
        codes::SYNTAX,
        "a list that begins with `[` is not closed before this",
        Some("items are separated by `,` and the list ends with `]`"),
    ),
    (
        "expected ',' or '}'",
        codes::SYNTAX,
        "a map that begins with `{` is not closed before this",
        Some("entries are separated by `,` and the map ends with `}`"),
    ),
    (
        "did not find expected key",
        codes::SYNTAX,
        MISPLACED,
        Some(INDENT),
    ),
    ("simple key", codes::SYNTAX, MISPLACED, Some(INDENT)),
    (
        "did not find expected '-' indicator",
        codes::SYNTAX,
        MISPLACED,
        Some(INDENT),
    ),
    (
        "quoted scalar, found unexpected end",
        codes::SYNTAX,
        "a quote is opened and not closed",
        None,
    ),
    (
        "unknown escape",
        codes::SYNTAX,
        "unknown escape in text in double quotes",
        Some("write `\\\\` for a backslash, or use single quotes"),
    ),
];

const MISPLACED: &str = "this line does not fit what is above it";
const INDENT: &str = "check the indentation; every key is written as `key: value`";

/// A parser's message about byte `at` in words.
pub(super) fn describe(text: &str, at: usize, info: &str) -> Mistake {
    let end = text[at..]
        .chars()
        .next()
        .map_or(at, |character| at + character.len_utf8());
    let line = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let tab = line + text[line..].len() - text[line..].trim_start_matches(' ').len();
    let indented_by_tab = text[tab..].starts_with('\t');
    if indented_by_tab || info.contains("tab") {
        return Mistake {
            at: if indented_by_tab {
                tab..tab + 1
            } else {
                at..end
            },
            code: codes::SYNTAX,
            text: "a tab cannot be used for indentation".to_owned(),
            help: Some("indent with spaces"),
        };
    }
    if info.contains("recursion limit") {
        return Mistake {
            at: at..end,
            code: codes::TOO_DEEP,
            text: format!("nested deeper than {MAX_DEPTH} levels"),
            help: None,
        };
    }
    match MEANINGS.iter().find(|row| info.contains(row.0)) {
        Some((_, code, meaning, help)) => Mistake {
            at: at..end,
            code,
            text: (*meaning).to_owned(),
            help: *help,
        },
        None => Mistake {
            at: at..end,
            code: codes::SYNTAX,
            text: format!("this is not YAML: {info}"),
            help: None,
        },
    }
}
