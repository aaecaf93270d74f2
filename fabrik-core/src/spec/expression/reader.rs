//! Reads what stands between `${` and `}`.

use std::ops::Range;
use std::sync::Arc;

use super::{Ast, AstKind, Fault, Step};
use crate::expr::Function;
use crate::value::{Number, Segment, Value};

/// How deep calls and parentheses may be nested.
const MAX_DEPTH: usize = 32;

/// Reads one expression of a text.
pub(super) struct Reader<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// The next byte.
    pub(super) at: usize,
    /// Where the `${` stands.
    pub(super) open: usize,
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

    pub(super) fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
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

    pub(super) fn unexpected(&self, wanted: &str) -> Fault {
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

    pub(super) fn comparison(&mut self, depth: usize) -> Result<Ast, Fault> {
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
