//! Files of `KEY=VALUE` lines.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// Reads a `.env` file.
///
/// *Behaviour*
/// - `KEY=VALUE`, optionally after `export `; names are letters, digits and `_`, not first a digit.
/// - without quotes the value ends at the line's end or at a `#` after white space, and white space
///   around it is dropped.
/// - in `'single quotes'` everything stands for itself; in `"double quotes"` `\n`, `\r`, `\t`,
///   `\"`, `\\` and `\$` are escapes. Both may span lines. Nothing is expanded.
/// - of several lines for one name the last counts.
///
/// # Errors
/// [`ErrorKind::Invalid`] naming `name` and the line; never repeats a value.
pub fn parse_dotenv(name: &str, text: &str) -> Result<BTreeMap<String, String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        name,
        rest: text,
        line: 1,
    };
    let mut found = BTreeMap::new();
    while !reader.rest.is_empty() {
        if let Some((key, value)) = reader.line()? {
            found.insert(key, value);
        }
    }
    Ok(found)
}

struct Reader<'a> {
    name: &'a str,
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn line(&mut self) -> Result<Option<(String, String)>> {
        self.skip_blanks();
        if self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#']) {
            self.take_line();
            return Ok(None);
        }
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with([' ', '\t'])
        {
            self.rest = after;
            self.skip_blanks();
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let key = self.rest[..end].to_owned();
        self.rest = &self.rest[end..];
        if key.is_empty() || key.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.wrong("expected a name of letters, digits and `_`"));
        }
        self.skip_blanks();
        let Some(after) = self.rest.strip_prefix('=') else {
            // What stands there may be a piece of a value: it is not repeated.
            return Err(self.wrong("expected `NAME=value`"));
        };
        self.rest = after;
        self.skip_blanks();
        let value = if let Some(quote @ ('"' | '\'')) = self.rest.chars().next() {
            let value = self.quoted(quote, &key)?;
            self.skip_blanks();
            if !(self.rest.is_empty() || self.rest.starts_with(['\n', '\r', '#'])) {
                return Err(self.wrong(&format!("unexpected text after the value of `{key}`")));
            }
            self.take_line();
            value
        } else {
            let line = self.take_line();
            let end = line
                .char_indices()
                .find(|(at, c)| *c == '#' && (*at == 0 || line[..*at].ends_with([' ', '\t'])))
                .map_or(line.len(), |(at, _)| at);
            line[..end].trim().to_owned()
        };
        Ok(Some((key, value)))
    }

    fn quoted(&mut self, quote: char, key: &str) -> Result<String> {
        let (opened, mut value) = (self.line, String::new());
        let mut chars = self.rest[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                _ if c == quote => {
                    self.rest = &self.rest[at + 2..];
                    return Ok(value);
                }
                '\\' if quote == '"' => match chars.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, 'r')) => value.push('\r'),
                    Some((_, 't')) => value.push('\t'),
                    Some((_, c @ ('"' | '\\' | '$'))) => value.push(c),
                    Some((_, other)) => {
                        self.line += usize::from(other == '\n');
                        value.extend(['\\', other]);
                    }
                    None => break,
                },
                '\r' if self.rest[at + 2..].starts_with('\n') => {}
                _ => {
                    self.line += usize::from(c == '\n');
                    value.push(c);
                }
            }
        }
        self.line = opened;
        Err(self.wrong(&format!(
            "the quote that opens the value of `{key}` is not closed"
        )))
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take_line(&mut self) -> &str {
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        (self.rest, self.line) = (rest, self.line + 1);
        line
    }

    fn wrong(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Invalid,
            format!("{}, line {}: {what}", self.name, self.line),
        )
        .code(crate::codes::DOTENV)
        .hint("a line is `NAME=value`, `NAME=\"value\"`, or a comment that begins with `#`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        parse_dotenv(".env", text).unwrap().remove("K").unwrap()
    }

    #[test]
    fn forms_of_a_line() {
        for (text, expected) in [
            ("K=v", "v"),
            ("K=v\r\n", "v"),
            ("\u{feff}K=v", "v"),
            ("  export\tK = v w  ", "v w"),
            ("K=a#b # note", "a#b"),
            ("K=# note", ""),
            ("K=", ""),
            ("K=a=b", "a=b"),
            ("K=$HOME", "$HOME"),
            ("K='a \"b\" \\n $c' # note", "a \"b\" \\n $c"),
            (r#"K="a\nb\t\"c\" \\ \$d \x""#, "a\nb\t\"c\" \\ $d \\x"),
            (
                "K=\"-----BEGIN\r\nline\n-----END\"\nL=1",
                "-----BEGIN\nline\n-----END",
            ),
            ("K='a\nb'", "a\nb"),
            ("# K=no\n\nK=yes", "yes"),
            ("K=1\nK=2", "2"),
            ("K=\"\u{fc}\u{1f980}\"", "\u{fc}\u{1f980}"),
            ("exportK=1\nK=2", "2"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_name_the_line_and_never_a_value() {
        for (text, line, words) in [
            ("A=1\nhunter2", 2, "expected `NAME=value`"),
            ("A=\"x\ny\"\n\n1B=hunter2", 4, "expected a name"),
            ("A='hunter2", 1, "not closed"),
            ("\nA=\"hunter2\\", 2, "not closed"),
            ("A=\"1\n2\" hunter2", 2, "unexpected text"),
            ("A-B=hunter2", 1, "expected `NAME=value`"),
            ("=hunter2", 1, "expected a name"),
        ] {
            let error = parse_dotenv("app.env", text).unwrap_err();
            let shown = format!("{error:?}");
            assert!(shown.contains(&format!("app.env, line {line}:")), "{shown}");
            assert!(shown.contains(words), "{shown}");
            assert!(
                text == "A=1\nhunter2" || !shown.contains("hunter2"),
                "{shown}"
            );
        }
    }
}
