//! Variables in a Compose file: `$NAME`, `${NAME:-default}`, `${NAME:?error}`, `${NAME:+other}`,
//! and `$$` for a dollar sign.

use std::collections::BTreeMap;

use fabrik_core::spec::node::{Data, Node, ScalarKind, plain_kind};

/// How deep defaults may be nested in each other.
const MAX_DEPTH: usize = 16;

/// What a text is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// A variable.
    Variable(Variable),
}

/// A variable in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What happens when it is not set.
    pub otherwise: Otherwise,
    /// Whether one that is set and empty counts as not set (the forms with `:`).
    pub empty_is_unset: bool,
}

/// What happens when a variable is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Otherwise {
    /// It gives an empty text, and Compose warns.
    Empty,
    /// It gives another text.
    Default(Vec<Piece>),
    /// It is an error with this text.
    Refuse(Vec<Piece>),
    /// It gives an empty text; when it *is* set it gives this text.
    Instead(Vec<Piece>),
}

/// A text that cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

fn problem(message: impl Into<String>, hint: impl Into<String>) -> Problem {
    Problem {
        message: message.into(),
        hint: hint.into(),
    }
}

/// Takes a text apart.
///
/// # Errors
/// A `$` that begins no variable.
pub fn pieces(text: &str) -> Result<Vec<Piece>, Problem> {
    let mut reader = Reader { rest: text };
    reader.pieces(false, 0)
}

/// Whether a text has variables, or a `$` that is written twice.
pub(crate) fn has_variables(text: &str) -> bool {
    text.contains('$')
}

/// A text that gives itself when it is filled in.
pub fn escape(text: &str) -> String {
    text.replace('$', "$$")
}

/// Fills in a text.
///
/// # Errors
/// A text that cannot be read, or a variable that must be set and is not.
pub fn fill(text: &str, variables: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
    filled(&pieces(text)?, variables)
}

fn filled(pieces: &[Piece], variables: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(variable) => {
                let value = variables(&variable.name)
                    .filter(|value| !(variable.empty_is_unset && value.is_empty()));
                match (&variable.otherwise, value) {
                    (Otherwise::Instead(_) | Otherwise::Empty, None) => {}
                    (Otherwise::Instead(text), Some(_)) => out.push_str(&filled(text, variables)?),
                    (_, Some(value)) => out.push_str(&value),
                    (Otherwise::Default(text), None) => out.push_str(&filled(text, variables)?),
                    (Otherwise::Refuse(text), None) => {
                        let why = filled(text, variables)?;
                        let name = &variable.name;
                        let message = if why.is_empty() {
                            format!("the variable `{name}` must be set")
                        } else {
                            format!("the variable `{name}` must be set: {why}")
                        };
                        return Err(problem(
                            message,
                            format!("set `{name}`, or put it in `.env`"),
                        ));
                    }
                }
            }
        }
    }
    Ok(out)
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn pieces(&mut self, inside: bool, depth: usize) -> Result<Vec<Piece>, Problem> {
        if depth > MAX_DEPTH {
            return Err(problem(
                format!("variables are nested deeper than {MAX_DEPTH}"),
                "set the default elsewhere",
            ));
        }
        let mut found = Vec::new();
        let mut text = String::new();
        while let Some(next) = self.rest.chars().next() {
            if inside && next == '}' {
                break;
            }
            self.rest = &self.rest[next.len_utf8()..];
            if next != '$' {
                text.push(next);
            } else if let Some(rest) = self.rest.strip_prefix('$') {
                self.rest = rest;
                text.push('$');
            } else {
                let variable = self.variable(depth)?;
                if !text.is_empty() {
                    found.push(Piece::Text(std::mem::take(&mut text)));
                }
                found.push(Piece::Variable(variable));
            }
        }
        if !text.is_empty() {
            found.push(Piece::Text(text));
        }
        Ok(found)
    }

    fn name(&mut self) -> String {
        let end = self
            .rest
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_alphabetic() || *c == '_' || (*at > 0 && c.is_ascii_digit()))
            })
            .map_or(self.rest.len(), |(at, _)| at);
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    /// What follows a `$`.
    fn variable(&mut self, depth: usize) -> Result<Variable, Problem> {
        const FORMS: &str =
            "write `${NAME}`, `${NAME:-default}` or `${NAME:?error}`, and `$$` for a dollar sign";
        let braced = self.rest.strip_prefix('{');
        if let Some(rest) = braced {
            self.rest = rest;
        }
        let name = self.name();
        if name.is_empty() {
            return Err(problem("a `$` begins no variable here", FORMS));
        }
        let mut variable = Variable {
            name,
            otherwise: Otherwise::Empty,
            empty_is_unset: false,
        };
        if braced.is_none() {
            return Ok(variable);
        }
        if let Some(rest) = self.rest.strip_prefix(':') {
            variable.empty_is_unset = true;
            self.rest = rest;
        }
        let sign = self.rest.chars().next();
        if let Some(sign @ ('-' | '?' | '+')) = sign {
            self.rest = &self.rest[1..];
            let text = self.pieces(true, depth + 1)?;
            variable.otherwise = match sign {
                '-' => Otherwise::Default(text),
                '?' => Otherwise::Refuse(text),
                _ => Otherwise::Instead(text),
            };
        } else if variable.empty_is_unset || !matches!(sign, Some('}') | None) {
            let name = &variable.name;
            return Err(problem(
                format!("`${{{name}` goes on with something Compose does not know"),
                FORMS,
            ));
        }
        let Some(rest) = self.rest.strip_prefix('}') else {
            let name = &variable.name;
            return Err(problem(format!("`${{{name}` has no `}}`"), FORMS));
        };
        self.rest = rest;
        Ok(variable)
    }
}

/// Splits a text at a sign that stands in no variable and no brackets.
pub(crate) fn split(text: &str, sign: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ if c == sign && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// What is known of a variable of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it must be set somewhere: there is a place without a default.
    pub is_needed: bool,
    /// Whether Compose refuses to go on without it.
    pub is_required: bool,
}

/// Every variable in the texts of a tree, by name. Keys have none.
pub(crate) fn wanted(node: &Node, found: &mut BTreeMap<String, Wanted>) {
    fn within(pieces: &[Piece], found: &mut BTreeMap<String, Wanted>) {
        for piece in pieces {
            let Piece::Variable(variable) = piece else {
                continue;
            };
            let known = found.entry(variable.name.clone()).or_default();
            match &variable.otherwise {
                Otherwise::Empty => known.is_needed = true,
                Otherwise::Refuse(_) => {
                    known.is_needed = true;
                    known.is_required = true;
                }
                Otherwise::Default(text) | Otherwise::Instead(text) => within(text, found),
            }
        }
    }
    match &node.data {
        Data::Scalar(scalar) => {
            if let Ok(pieces) = pieces(&scalar.text) {
                within(&pieces, found);
            }
        }
        Data::List(items) => items.iter().for_each(|item| wanted(item, found)),
        Data::Map(entries) => entries.iter().for_each(|entry| wanted(&entry.value, found)),
    }
}

/// Fills in every text of a tree. What is wrong is told with its place.
pub(crate) fn fill_tree(
    node: &mut Node,
    variables: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<(fabrik_core::diagnostic::Span, Problem)>,
) {
    let span = node.span;
    match &mut node.data {
        Data::Scalar(scalar) if scalar.text.contains('$') => match fill(&scalar.text, variables) {
            // What was written without quotes may become a number.
            Ok(text) => {
                if scalar.kind == ScalarKind::Plain {
                    scalar.kind = match plain_kind(&text) {
                        ScalarKind::Null => ScalarKind::Quoted,
                        kind => kind,
                    };
                }
                scalar.text = text.into();
            }
            Err(problem) => found.push((span, problem)),
        },
        Data::Scalar(_) => {}
        Data::List(items) => items
            .iter_mut()
            .for_each(|item| fill_tree(item, variables, found)),
        Data::Map(entries) => entries
            .iter_mut()
            .for_each(|entry| fill_tree(&mut entry.value, variables, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn every_form_gives_what_compose_gives() {
        for (text, want) in [
            ("plain", "plain"),
            ("$A/x", "a/x"),
            ("${A}x", "ax"),
            ("$$A", "$A"),
            ("$${A}", "${A}"),
            ("${A:-b}", "a"),
            ("${EMPTY:-b}", "b"),
            ("${EMPTY-b}", ""),
            ("${NONE-b}", "b"),
            ("${NONE:-${A}-${NONE:-c}}", "a-c"),
            ("${NONE}", ""),
            ("${A:+yes}", "yes"),
            ("${EMPTY:+yes}", ""),
            ("${EMPTY+yes}", "yes"),
            ("${NONE:+yes}", ""),
            ("${A:?must}", "a"),
            ("ünïcode $A é", "ünïcode a é"),
            ("${NONE:-http://x:80/y}", "http://x:80/y"),
        ] {
            assert_eq!(fill(text, &with).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_odd_is_said() {
        let said = |text: &str| fill(text, &with).unwrap_err().message;
        assert_eq!(
            said("${NONE:?say where}"),
            "the variable `NONE` must be set: say where"
        );
        assert_eq!(said("${EMPTY:?}"), "the variable `EMPTY` must be set");
        assert_eq!(said("a $ b"), "a `$` begins no variable here");
        assert_eq!(said("${1A}"), "a `$` begins no variable here");
        assert_eq!(said("${A"), "`${A` has no `}`");
        assert_eq!(
            said("${A:b}"),
            "`${A` goes on with something Compose does not know"
        );
        assert!(said(&"${A:-".repeat(40)).contains("nested deeper"));
    }

    #[test]
    fn escaped_text_gives_itself() {
        for text in ["a$b", "$$", "${X}", "no"] {
            assert_eq!(fill(&escape(text), &with).as_deref(), Ok(text));
        }
    }

    #[test]
    fn colons_of_variables_divide_nothing() {
        assert_eq!(split("${A:-b:c}:80", ':'), ["${A:-b:c}", "80"]);
        assert_eq!(split("[::1]:80:81", ':'), ["[::1]", "80", "81"]);
    }
}
