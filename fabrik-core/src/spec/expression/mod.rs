//! The grammar of `${…}`.
//!
//! ```text
//! text      = { character | "$${" | "${" comparison "}" }
//! comparison= primary [ ("==" | "!=") primary ]
//! primary   = string | number | "true" | "false" | "null" | call | reference | "(" comparison ")"
//! call      = name "(" [ comparison { "," comparison } ] ")"
//! reference = name { "." name | "[" string "]" | "[" digits "]" }
//! ```

mod reader;

use std::ops::Range;

use crate::expr::Function;
use crate::value::{Segment, Value};

use reader::Reader;

/// A text with expressions, read.
#[derive(Clone, Debug, PartialEq)]
pub enum Template {
    /// One expression and nothing round it: keeps its type.
    Whole(Ast),
    /// Text and expressions, joined to text.
    Joined(Vec<Piece>),
}

/// A piece of a [`Template::Joined`].
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Text as it is.
    Text(String),
    /// An expression.
    Expr(Ast),
}

/// An expression with places relative to the text it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// What it is.
    pub kind: AstKind,
}

/// The kinds of [`Ast`].
#[derive(Clone, Debug, PartialEq)]
pub enum AstKind {
    /// A known value.
    Literal(Value),
    /// A reference: names and positions with their places.
    Ref(Vec<Step>),
    /// A function of a table.
    Call(Function, Vec<Ast>),
    /// `file("path")`.
    File(Box<Ast>),
    /// `==` (true) or `!=` (false).
    Compare(bool, Box<Ast>, Box<Ast>),
}

/// One step of a reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// The name or position.
    pub segment: Segment,
    /// Written as `["key"]`.
    pub quoted: bool,
}

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Bytes of the text.
    pub at: Range<usize>,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
    /// The function does not exist, or takes something else.
    pub function: bool,
}

/// Reads a text that holds `${`.
///
/// # Errors
/// The first mistake in it.
pub fn parse(text: &str) -> Result<Template, Fault> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("${") {
        let dollar = at + found;
        if found > 0 && text.as_bytes()[dollar - 1] == b'$' {
            plain.push_str(&text[at..dollar]);
            plain.push('{');
            at = dollar + 2;
            continue;
        }
        plain.push_str(&text[at..dollar]);
        let mut reader = Reader {
            text,
            at: dollar + 2,
            open: dollar,
        };
        let ast = reader.comparison(0)?;
        reader.space();
        if !reader.eat("}") {
            return Err(reader.unexpected("`}`"));
        }
        at = reader.at;
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Expr(ast));
    }
    plain.push_str(&text[at..]);
    if plain.is_empty()
        && let [Piece::Expr(ast)] = pieces.as_slice()
    {
        return Ok(Template::Whole(ast.clone()));
    }
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(Template::Joined(pieces))
}

impl Template {
    /// Every reference in it.
    pub fn references<'a>(&'a self, found: &mut Vec<&'a [Step]>) {
        match self {
            Template::Whole(ast) => ast.references(found),
            Template::Joined(pieces) => {
                for piece in pieces {
                    if let Piece::Expr(ast) = piece {
                        ast.references(found);
                    }
                }
            }
        }
    }
}

impl Ast {
    fn references<'a>(&'a self, found: &mut Vec<&'a [Step]>) {
        match &self.kind {
            AstKind::Literal(_) => {}
            AstKind::Ref(steps) => found.push(steps),
            AstKind::Call(_, arguments) => {
                for argument in arguments {
                    argument.references(found);
                }
            }
            AstKind::File(argument) => argument.references(found),
            AstKind::Compare(_, left, right) => {
                left.references(found);
                right.references(found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> AstKind {
        match parse(text).unwrap() {
            Template::Whole(ast) => ast.kind,
            other @ Template::Joined(_) => panic!("{other:?}"),
        }
    }

    #[test]
    fn shapes() {
        assert!(matches!(whole("${a.b[\"c d\"][0]}"), AstKind::Ref(steps) if steps.len() == 4));
        assert!(matches!(
            whole("${ slug(vars.name) }"),
            AstKind::Call(Function::Slug, _)
        ));
        assert!(matches!(
            whole("${vars.x == \"y\"}"),
            AstKind::Compare(true, ..)
        ));
        assert!(matches!(
            whole("${(1 != -2.5)}"),
            AstKind::Compare(false, ..)
        ));
        assert!(matches!(whole("${file('a.txt')}"), AstKind::File(_)));
        assert_eq!(
            parse("a $${x} ${y}!").unwrap(),
            Template::Joined(vec![
                Piece::Text("a ${x} ".to_owned()),
                Piece::Expr(Ast {
                    at: 10..11,
                    kind: AstKind::Ref(vec![Step {
                        at: 10..11,
                        segment: Segment::Key("y".into()),
                        quoted: false
                    }])
                }),
                Piece::Text("!".to_owned()),
            ])
        );
        assert_eq!(
            parse("$${x}").unwrap(),
            Template::Joined(vec![Piece::Text("${x}".to_owned())])
        );
    }

    #[test]
    fn faults_point_at_the_character() {
        for (text, at) in [
            ("${", 0..2),
            ("x ${a", 2..4),
            ("${}", 0..3),
            ("${a.}", 4..5),
            ("${a b}", 4..5),
            ("${slugg(x)}", 2..7),
            ("${slug()}", 2..8),
            ("${a + b}", 4..5),
            ("${\"x}", 2..3),
            ("${a[x]}", 4..5),
            ("${é}", 2..4),
        ] {
            assert_eq!(parse(text).unwrap_err().at, at, "{text}");
        }
        let deep = format!("${{{}1{}}}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(parse(&deep).is_err());
    }
}
