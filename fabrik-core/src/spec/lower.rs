//! From written values to [`Value`]s: expressions read and evaluated as far as is known.

use std::ops::Range;
use std::sync::Arc;

use super::expression::{self, Ast, AstKind, Fault, Piece, Template};
use super::node::{Data, Entry, Node, Scalar, ScalarKind};
use super::place::inside;
use super::shape::{Id, Schema, only_text};
use super::world::{Place, Where, World, poison};
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::expr::{self, Expr, Function};
use crate::value::{Path, Segment, Value};

/// A mistake in an expression, relative to its text.
pub(super) struct Wrong {
    /// The code.
    pub(super) code: &'static str,
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    /// What is wrong.
    pub(super) text: String,
    /// What to do.
    pub(super) help: Option<String>,
    /// It was reported before, elsewhere.
    pub(super) silent: bool,
}

impl Wrong {
    pub(super) fn new(
        code: &'static str,
        at: Range<usize>,
        text: impl Into<String>,
        help: Option<String>,
    ) -> Wrong {
        Wrong {
            code,
            at,
            text: text.into(),
            help,
            silent: false,
        }
    }

    /// Something else is wrong, and was reported there.
    pub(super) fn silent() -> Wrong {
        Wrong {
            silent: true,
            ..Wrong::new(codes::EVALUATION, 0..0, "", None)
        }
    }
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        let code = if fault.function {
            codes::FUNCTION
        } else {
            codes::EXPRESSION
        };
        Wrong::new(code, fault.at, fault.text, fault.help)
    }
}

/// Places of the fields of one value.
#[derive(Default)]
pub(super) struct Places {
    /// Each field's path and place.
    pub(super) fields: Vec<(Path, Span)>,
}

/// How many places are kept for one resource, and how deep.
const MOST_PLACES: usize = 64;
const DEEPEST_PLACE: usize = 4;

impl World<'_> {
    /// A written value with its expressions evaluated as far as is known. With a schema, bare
    /// scalars stand as text where only text is taken.
    pub(super) fn lower(
        &mut self,
        node: &Node,
        schema: Option<(&Schema, Id)>,
        place: &Place<'_>,
    ) -> Value {
        self.walk(node, schema, place, &mut Path::root(), None)
    }

    /// As [`World::lower`], for one field of a map with a schema.
    pub(super) fn lower_field(
        &mut self,
        entry: &Entry,
        schema: &Schema,
        place: &Place<'_>,
    ) -> Value {
        let below = schema.child(0, &entry.key, 0).map(|id| (schema, id));
        let mut path = Path::key(entry.key.clone());
        self.walk(&entry.value, below, place, &mut path, None)
    }

    /// As [`World::lower`], and keeps the places of fields.
    pub(super) fn lower_with_places(
        &mut self,
        node: &Node,
        schema: &Schema,
        place: &Place<'_>,
        places: &mut Places,
    ) -> Value {
        self.walk(
            node,
            Some((schema, 0)),
            place,
            &mut Path::root(),
            Some(places),
        )
    }

    fn walk(
        &mut self,
        node: &Node,
        schema: Option<(&Schema, Id)>,
        place: &Place<'_>,
        path: &mut Path,
        mut places: Option<&mut Places>,
    ) -> Value {
        let depth = path.segments().len();
        if let Some(places) = places.as_deref_mut()
            && depth > 0
            && depth <= DEEPEST_PLACE
            && places.fields.len() < MOST_PLACES
        {
            places.fields.push((path.clone(), node.span));
        }
        match &node.data {
            Data::Scalar(scalar) => {
                if scalar.has_expression() {
                    return self.text(scalar, node.span, place);
                }
                self.bare(scalar, node.span, schema, path)
            }
            Data::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let below =
                        schema.and_then(|(schema, id)| Some((schema, schema.item(id, index, 0)?)));
                    path.push(Segment::Index(index));
                    list.push(self.walk(item, below, place, path, places.as_deref_mut()));
                    path.pop();
                }
                Value::List(Arc::new(list))
            }
            Data::Map(entries) => {
                let mut map = Vec::with_capacity(entries.len());
                for entry in entries {
                    let below = schema
                        .and_then(|(schema, id)| Some((schema, schema.child(id, &entry.key, 0)?)));
                    path.push(Segment::Key(entry.key.clone()));
                    let value = self.walk(&entry.value, below, place, path, places.as_deref_mut());
                    path.pop();
                    map.push((entry.key.clone(), value));
                }
                Value::map(map)
            }
        }
    }

    fn bare(
        &mut self,
        scalar: &Scalar,
        span: Span,
        schema: Option<(&Schema, Id)>,
        path: &Path,
    ) -> Value {
        if !scalar.is_bare() || scalar.kind == ScalarKind::Null {
            return scalar.value();
        }
        let text_wanted = schema.is_some_and(|(schema, id)| only_text(schema, id));
        if scalar.kind == ScalarKind::Float && (text_wanted || schema.is_none()) {
            self.unquoted(&scalar.text, span, path);
        }
        if text_wanted {
            Value::Str(scalar.text.clone())
        } else {
            scalar.value()
        }
    }

    /// Warns of a version written as a number with a fraction.
    fn unquoted(&mut self, text: &str, span: Span, path: &Path) {
        let Some(Segment::Key(key)) = path.segments().last() else {
            return;
        };
        let versioned = ["version", "tag"]
            .iter()
            .any(|word| **word == **key || key.ends_with(&format!("_{word}")));
        if versioned {
            self.report.push(
                Diagnostic::warning(
                    codes::UNQUOTED,
                    format!("the {key} `{text}` is written as a number"),
                )
                .at(Some(span), "")
                .help(format!("write `\"{text}\"`: other tools read 1.10 as 1.1")),
            );
        }
    }

    /// A scalar with `${`.
    pub(super) fn text(&mut self, scalar: &Scalar, span: Span, place: &Place<'_>) -> Value {
        match self.template(&scalar.text, place) {
            Ok(value) => value,
            Err(wrong) => {
                if !wrong.silent {
                    let span = inside(&self.sources, span, &scalar.text, &wrong.at);
                    self.error(wrong.code, span, place, wrong.text, wrong.help);
                }
                poison()
            }
        }
    }

    fn template(&mut self, text: &str, place: &Place<'_>) -> Result<Value, Wrong> {
        match expression::parse(text)? {
            Template::Whole(ast) => self.evaluate(&ast, place),
            Template::Joined(pieces) => {
                let mut parts = Vec::with_capacity(pieces.len());
                for piece in &pieces {
                    parts.push(match piece {
                        Piece::Text(text) => Expr::Literal(Value::from(text.as_str())),
                        Piece::Expr(ast) => {
                            let value = self.evaluate(ast, place)?;
                            if !value.has_unknown() {
                                expr::to_text(&value).map_err(|error| refused(&error, ast))?;
                            }
                            expr::as_expr(value)
                        }
                    });
                }
                fold(&Expr::Concat(parts)).map_err(|error| {
                    Wrong::new(codes::EVALUATION, 0..text.len(), error.message(), None)
                })
            }
        }
    }

    /// Evaluates as far as is known.
    pub(super) fn evaluate(&mut self, ast: &Ast, place: &Place<'_>) -> Result<Value, Wrong> {
        match &ast.kind {
            AstKind::Literal(value) => Ok(value.clone()),
            AstKind::Ref(steps) => self.resolve(steps, &ast.at, place),
            AstKind::Call(function, arguments) => {
                let mut values = Vec::with_capacity(arguments.len());
                for (position, argument) in arguments.iter().enumerate() {
                    let optional = *function == Function::Default && position == 0;
                    values.push(match &argument.kind {
                        AstKind::Ref(steps) if optional && self.is_unset(steps, place) => {
                            Value::Null
                        }
                        _ => self.evaluate(argument, place)?,
                    });
                }
                let call = Expr::Call(*function, values.into_iter().map(expr::as_expr).collect());
                fold(&call).map_err(|error| refused(&error, ast))
            }
            AstKind::File(argument) => {
                let path = self.evaluate(argument, place)?;
                self.read_file(&path, argument)
            }
            AstKind::Compare(equal, left, right) => {
                let left = Box::new(expr::as_expr(self.evaluate(left, place)?));
                let right = Box::new(expr::as_expr(self.evaluate(right, place)?));
                let compare = if *equal {
                    Expr::Equal(left, right)
                } else {
                    Expr::NotEqual(left, right)
                };
                fold(&compare).map_err(|error| refused(&error, ast))
            }
        }
    }

    /// Whether a reference is to a variable of the process that is not set.
    fn is_unset(&self, steps: &[expression::Step], place: &Place<'_>) -> bool {
        let allowed = matches!(place.at, Where::Vars | Where::Providers | Where::Secrets);
        match steps {
            [root, name] => {
                allowed
                    && root.segment == Segment::Key("env".into())
                    && matches!(&name.segment, Segment::Key(name)
                        if !self.request.variables.contains_key(&**name))
            }
            _ => false,
        }
    }

    fn read_file(&mut self, path: &Value, argument: &Ast) -> Result<Value, Wrong> {
        let at = argument.at.clone();
        let wrong = |text: String, help: &str| {
            Wrong::new(codes::FILE, at.clone(), text, Some(help.to_owned()))
        };
        let Some(path) = path.as_str() else {
            return Err(wrong(
                "`file` takes a path that is known when planning".to_owned(),
                "write `${file(\"PATH\")}`",
            ));
        };
        if let Some(known) = self.files.get(path) {
            return Ok(known.clone());
        }
        let below = !path.is_empty()
            && !path.starts_with(['/', '~'])
            && !path.contains(['\\', ':', '\0'])
            && path.split('/').all(|part| !part.is_empty() && part != "..");
        if !below {
            return Err(wrong(
                format!("`{path}` is not below the spec's folder"),
                "`file` reads files in the spec's folder and below it, written with `/`",
            ));
        }
        match (self.request.read_file)(path) {
            Ok(text) => {
                let value = Value::from(text);
                self.files.insert(path.to_owned(), value.clone());
                Ok(value)
            }
            Err(error) => Err(wrong(
                format!("`{path}` cannot be read: {}", error.message()),
                "the path is relative to the spec's folder",
            )),
        }
    }
}

/// Evaluates what is known.
fn fold(expr: &Expr) -> crate::error::Result<Value> {
    let nothing = |_: &expr::Reference| Ok(None);
    expr::evaluate(expr, &nothing)
}

fn refused(error: &crate::error::Error, ast: &Ast) -> Wrong {
    Wrong::new(
        codes::EVALUATION,
        ast.at.clone(),
        error.message(),
        error.hint_text().map(str::to_owned),
    )
}
