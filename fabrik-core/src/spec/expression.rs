//! The grammar of `${…}`.
//!
//! ```text
//! text      = { character | "$${" | "${" comparison "}" }
//! comparison= primary [ ("==" | "!=") primary ]
//! primary   = string | number | "true" | "false" | "null" | call | reference | "(" comparison ")"
//! call      = name "(" [ comparison { "," comparison } ] ")"
//! reference = name { "." name | "[" string "]" | "[" digits "]" }
//! ```

use std::ops::Range;
use std::sync::Arc;

use crate::expr::Function;
use crate::value::{Number, Segment, Value};

/// How deep calls and parentheses may be nested.
const MAX_DEPTH: usize = 32;

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

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: usize,
}

fn starts_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn here(&self) -> Range<usize> {
        let len = self.rest().chars().next().map_or(0, char::len_utf8);
        self.at..self.at + len
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        match self.rest().chars().next() {
            None => Fault {
                at: self.open..self.open + 2,
                text: "this `${` is not closed".to_owned(),
                help: Some("close it with `}`, or write `$${` for the text `${`".to_owned()),
                function: false,
            },
            Some('+' | '*' | '/' | '?' | '&' | '|' | '<' | '>') => Fault {
                at: self.here(),
                text: "there is no calculation in expressions".to_owned(),
                help: Some(
                    "an expression is a reference, a function call, or `==` and `!=`".to_owned(),
                ),
                function: false,
            },
            Some(character) => Fault {
                at: self.here(),
                text: format!("expected {wanted}, found `{}`", character.escape_debug()),
                help: None,
                function: false,
            },
        }
    }

    fn fault(at: Range<usize>, text: impl Into<String>) -> Fault {
        Fault {
            at,
            text: text.into(),
            help: None,
            function: false,
        }
    }

    fn comparison(&mut self, depth: usize) -> Result<Ast, Fault> {
        if depth > MAX_DEPTH {
            return Err(Self::fault(
                self.here(),
                "the expression is nested too deep",
            ));
        }
        let left = self.primary(depth)?;
        self.space();
        let equal = if self.eat("==") {
            true
        } else if self.eat("!=") {
            false
        } else {
            return Ok(left);
        };
        let right = self.primary(depth)?;
        Ok(Ast {
            at: left.at.start..right.at.end,
            kind: AstKind::Compare(equal, Box::new(left), Box::new(right)),
        })
    }

    fn primary(&mut self, depth: usize) -> Result<Ast, Fault> {
        self.space();
        let start = self.at;
        let literal = |value: Value, at: Range<usize>| Ast {
            at,
            kind: AstKind::Literal(value),
        };
        match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                let text = self.string(quote)?;
                Ok(literal(Value::from(text), start..self.at))
            }
            Some(b'(') => {
                self.at += 1;
                let inner = self.comparison(depth + 1)?;
                self.space();
                if !self.eat(")") {
                    return Err(self.unexpected("`)`"));
                }
                Ok(inner)
            }
            Some(byte) if byte.is_ascii_digit() || byte == b'-' => {
                self.at += 1;
                while self
                    .peek()
                    .is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
                {
                    self.at += 1;
                }
                match Number::parse(&self.text[start..self.at]) {
                    Some(number) => Ok(literal(Value::Num(number), start..self.at)),
                    None => Err(Self::fault(start..self.at, "this is not a number")),
                }
            }
            Some(byte) if starts_name(byte) => {
                let name = self.name();
                self.space();
                if self.peek() == Some(b'(') {
                    return self.call(start..start + name.len(), &name, depth);
                }
                let at = start..start + name.len();
                self.at = at.end;
                let alone = !matches!(self.peek(), Some(b'.' | b'['));
                match &*name {
                    "true" if alone => Ok(literal(Value::Bool(true), at)),
                    "false" if alone => Ok(literal(Value::Bool(false), at)),
                    "null" if alone => Ok(literal(Value::Null, at)),
                    _ => self.reference(at, name),
                }
            }
            Some(b'}') => Err(Self::fault(
                self.open..self.at + 1,
                "there is nothing in this expression",
            )),
            _ => Err(self.unexpected("a reference, a function or a value")),
        }
    }

    fn name(&mut self) -> Arc<str> {
        let start = self.at;
        while self.peek().is_some_and(in_name) {
            self.at += 1;
        }
        self.text[start..self.at].into()
    }

    fn string(&mut self, quote: u8) -> Result<String, Fault> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(character) = self.rest().chars().next() {
            self.at += character.len_utf8();
            if character == char::from(quote) {
                return Ok(text);
            }
            if character != '\\' {
                text.push(character);
                continue;
            }
            let escaped = self.rest().chars().next();
            self.at += escaped.map_or(0, char::len_utf8);
            match escaped {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some(other @ ('"' | '\'' | '\\' | '$' | '{' | '}')) => text.push(other),
                Some(_) => {
                    return Err(Self::fault(
                        self.at - 2..self.at,
                        "unknown escape in the text of an expression",
                    ));
                }
                None => break,
            }
        }
        Err(Self::fault(start..start + 1, "this quote is not closed"))
    }

    fn reference(&mut self, at: Range<usize>, name: Arc<str>) -> Result<Ast, Fault> {
        let start = at.start;
        let mut steps = vec![Step {
            at,
            segment: Segment::Key(name),
            quoted: false,
        }];
        loop {
            let from = self.at;
            if self.eat(".") {
                let from = self.at;
                if !self.peek().is_some_and(in_name) {
                    return Err(self.unexpected("a name after the dot"));
                }
                let name = self.name();
                steps.push(Step {
                    at: from..self.at,
                    segment: Segment::Key(name),
                    quoted: false,
                });
            } else if self.eat("[") {
                let (segment, quoted) = match self.peek() {
                    Some(quote @ (b'"' | b'\'')) => {
                        (Segment::Key(self.string(quote)?.into()), true)
                    }
                    Some(byte) if byte.is_ascii_digit() => {
                        let digits = self.name();
                        let index = digits.parse().map_err(|_| {
                            Self::fault(from + 1..self.at, "a position is a whole number")
                        })?;
                        (Segment::Index(index), false)
                    }
                    _ => return Err(self.unexpected("`\"key\"` or a position")),
                };
                if !self.eat("]") {
                    return Err(self.unexpected("`]`"));
                }
                steps.push(Step {
                    at: from..self.at,
                    segment,
                    quoted,
                });
            } else {
                break;
            }
        }
        Ok(Ast {
            at: start..self.at,
            kind: AstKind::Ref(steps),
        })
    }

    fn call(&mut self, at: Range<usize>, name: &str, depth: usize) -> Result<Ast, Fault> {
        self.at += 1;
        let mut arguments = Vec::new();
        self.space();
        if !self.eat(")") {
            loop {
                arguments.push(self.comparison(depth + 1)?);
                self.space();
                if self.eat(")") {
                    break;
                }
                if !self.eat(",") {
                    return Err(self.unexpected("`,` or `)`"));
                }
            }
        }
        let whole = at.start..self.at;
        let wrong = |text: String, help: Option<String>, at: Range<usize>| Fault {
            at,
            text,
            help,
            function: true,
        };
        if name == "file" {
            let count = arguments.len();
            return match (arguments.pop(), count) {
                (Some(argument), 1) => Ok(Ast {
                    at: whole,
                    kind: AstKind::File(Box::new(argument)),
                }),
                _ => Err(wrong(
                    format!("`file` takes 1 argument, not {count}"),
                    Some("write `${file(\"PATH\")}`".to_owned()),
                    whole,
                )),
            };
        }
        let Some(function) = Function::named(name) else {
            let names = || Function::names().chain(["file"]);
            let help = crate::diagnostic::did_you_mean(name, names()).map_or_else(
                || {
                    format!(
                        "the functions are {}",
                        names().collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!("did you mean `{near}`?"),
            );
            return Err(wrong(
                format!("there is no function `{name}`"),
                Some(help),
                at,
            ));
        };
        let arity = function.arity();
        if !arity.contains(&arguments.len()) {
            let wanted = match (arity.start(), arity.end()) {
                (1, 1) => "1 argument".to_owned(),
                (least, most) if least == most => format!("{least} arguments"),
                (least, _) => format!("{least} or more arguments"),
            };
            return Err(wrong(
                format!("`{name}` takes {wanted}, not {}", arguments.len()),
                None,
                whole,
            ));
        }
        Ok(Ast {
            at: whole,
            kind: AstKind::Call(function, arguments),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> AstKind {
        match parse(text).unwrap() {
            Template::Whole(ast) => ast.kind,
            other => panic!("{other:?}"),
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
