//! `vars`: declarations, overrides, types, values.

use std::sync::Arc;

use super::node::{Data, Entry, Node, ScalarKind};
use super::parse::parse;
use super::world::{Place, Where, World, poison};
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::value::{Number, Value};

/// The keys of a variable in long form.
const LONG: &[&str] = &["type", "default", "required", "description"];

/// What a variable may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VarType {
    Text,
    Number,
    Bool,
    List,
    Map,
}

const TYPES: &[(&str, VarType)] = &[
    ("string", VarType::Text),
    ("number", VarType::Number),
    ("boolean", VarType::Bool),
    ("list", VarType::List),
    ("map", VarType::Map),
];

impl VarType {
    fn name(self) -> &'static str {
        TYPES
            .iter()
            .find(|row| row.1 == self)
            .map_or("", |row| row.0)
    }
}

/// A variable as declared, with the value it takes.
pub(super) struct Var {
    pub(super) name: Arc<str>,
    pub(super) span: Span,
    pub(super) kind: Option<VarType>,
    pub(super) value: Option<Node>,
    /// It must get a value.
    pub(super) required: bool,
    /// The value comes from the command line and is taken as it is.
    pub(super) literal: bool,
}

/// Whether a written variable is a declaration and not a map that is the value.
fn is_long(node: &Node) -> bool {
    node.entries().is_some_and(|entries| {
        entries.iter().any(|entry| LONG[..3].contains(&&*entry.key))
            && entries
                .iter()
                .all(|entry| LONG.contains(&&*entry.key) || entry.key.starts_with("x-"))
    })
}

/// Lays a variable over one declared before: a plain value is its new default.
pub(super) fn lay_over(base: Node, change: Node) -> Node {
    if is_long(&change) {
        return super::merge::patch(base, change);
    }
    if !is_long(&base) {
        return super::merge::patch(base, change);
    }
    let mut base = base;
    let old = base.take("default");
    let span = change.span;
    let value = match old {
        Some(old) => super::merge::patch(old.value, change),
        None => change,
    };
    if let Data::Map(entries) = &mut base.data {
        entries.push(Entry {
            key: "default".into(),
            key_span: span,
            value,
        });
    }
    base
}

impl World<'_> {
    /// Reads the declarations and lays files and the command line over them.
    pub(super) fn declare_vars(&mut self, entries: Vec<Entry>) -> Vec<Var> {
        let mut vars: Vec<Var> = entries
            .into_iter()
            .filter_map(|entry| self.declare_var(entry))
            .collect();
        for file in &self.request.var_files {
            let Some(node) = self.read_text(file.name, file.bytes) else {
                continue;
            };
            let span = node.span;
            let Data::Map(values) = node.data else {
                let text = format!("a file of variables is a map, not {}", node.kind_name());
                self.report.error(codes::WRONG_TYPE, span, text, None);
                continue;
            };
            for entry in values {
                let span = entry.key_span;
                self.set(&mut vars, &entry.key, entry.value, span, false);
            }
        }
        for (name, text) in &self.request.vars {
            let label = format!("--var {name}");
            let base = self.sources.add(label.as_str(), text.as_str());
            let span = Span {
                start: base,
                end: base + u32::try_from(text.len()).unwrap_or(0),
            };
            let kind = vars
                .iter()
                .find(|var| &*var.name == name.as_str())
                .and_then(Var::wanted);
            let node = match kind {
                Some(VarType::Text) | None => Node::text(span, text.as_str()),
                Some(_) => {
                    let mut found = Vec::new();
                    match parse(text, base, &mut found) {
                        Some(node) => node,
                        None => Node::text(span, text.as_str()),
                    }
                }
            };
            self.set(&mut vars, name, node, span, true);
        }
        vars
    }

    fn set(&mut self, vars: &mut [Var], name: &str, value: Node, span: Span, literal: bool) {
        if let Some(var) = vars.iter_mut().find(|var| &*var.name == name) {
            if var.kind.is_none() {
                var.kind = var.wanted();
            }
            var.value = Some(value);
            var.literal = literal;
        } else {
            let help = self.report.suggest(name, vars.iter().map(|var| &*var.name));
            let text = format!("there is no variable `{name}` in this spec");
            self.report.error(codes::UNKNOWN_VAR, span, text, help);
        }
    }

    fn declare_var(&mut self, entry: Entry) -> Option<Var> {
        super::scalars::good_id(&entry.key, entry.key_span, "a variable", &mut self.report)
            .then_some(())?;
        let mut var = Var {
            name: entry.key,
            span: entry.key_span,
            kind: None,
            value: None,
            required: false,
            literal: false,
        };
        if !is_long(&entry.value) {
            var.value = Some(entry.value);
            return Some(var);
        }
        let mut node = entry.value;
        if let Some(kind) = node.take("type") {
            let name = kind.value.as_text().cloned().unwrap_or_default();
            var.kind = TYPES.iter().find(|row| row.0 == &*name).map(|row| row.1);
            if var.kind.is_none() {
                let help = self.report.suggest(&name, TYPES.iter().map(|row| row.0));
                let text = format!("a variable cannot be of type `{name}`");
                self.report
                    .error(codes::NOT_ALLOWED, kind.value.span, text, help);
            }
        }
        var.required = node
            .take("required")
            .is_some_and(|flag| super::scalars::flag(&flag.value, "required", &mut self.report));
        var.value = node.take("default").map(|entry| entry.value);
        Some(var)
    }

    /// Evaluates a variable.
    pub(super) fn evaluate_var(&mut self, var: &Var) {
        let value = match &var.value {
            None if !var.required => Value::Null,
            None => {
                let help = format!(
                    "give it with `--var {}=…`, a file of variables, or in the environment",
                    var.name
                );
                let text = format!("the variable `{}` has no value", var.name);
                self.report
                    .error(codes::VAR_MISSING, var.span, text, Some(help));
                poison()
            }
            Some(node) if var.literal => self.typed(var, node.plain_value(), node),
            Some(node) => {
                let raw_text = match node.scalar() {
                    Some(scalar) if var.kind == Some(VarType::Text) && scalar.is_bare() => {
                        self.warn_unquoted(var, scalar.kind, &scalar.text, node.span);
                        (scalar.kind != ScalarKind::Null).then(|| Value::Str(scalar.text.clone()))
                    }
                    _ => None,
                };
                let value = match raw_text {
                    Some(value) => value,
                    None => self.lower(node, None, &Place::new(Where::Vars)),
                };
                self.typed(var, value, node)
            }
        };
        let span = var.value.as_ref().map_or(var.span, |node| node.span);
        let known = self.known(value, span);
        self.vars.insert(var.name.clone(), known);
    }

    fn warn_unquoted(&mut self, var: &Var, kind: ScalarKind, text: &str, span: Span) {
        if kind == ScalarKind::Float {
            self.report.push(
                Diagnostic::warning(
                    codes::UNQUOTED,
                    format!(
                        "the variable `{}` is text, and `{text}` is written as a number",
                        var.name
                    ),
                )
                .at(Some(span), "")
                .help(format!("write `\"{text}\"`")),
            );
        }
    }

    /// Checks a value against the declared type.
    fn typed(&mut self, var: &Var, value: Value, node: &Node) -> Value {
        let Some(kind) = var.kind else { return value };
        let fits = match (kind, value.reveal()) {
            (_, Value::Expr(_) | Value::Null)
            | (VarType::Text, Value::Str(_) | Value::Asset(_))
            | (VarType::Number, Value::Num(_))
            | (VarType::Bool, Value::Bool(_))
            | (VarType::List, Value::List(_))
            | (VarType::Map, Value::Map(_)) => true,
            (VarType::Number, Value::Str(text)) => {
                if let Some(number) = Number::parse(text) {
                    return Value::Num(number);
                }
                false
            }
            (VarType::Text, Value::Num(number)) => return Value::from(number.as_str()),
            _ => false,
        };
        if fits {
            return value;
        }
        let text = format!(
            "the variable `{}` is a {}, not {}",
            var.name,
            kind.name(),
            value.kind_name()
        );
        let help = match (kind, value.as_str()) {
            (VarType::Bool, Some("yes" | "on")) => Some("write `true`".to_owned()),
            (VarType::Bool, Some("no" | "off")) => Some("write `false`".to_owned()),
            _ => None,
        };
        self.report.error(codes::VAR_TYPE, node.span, text, help);
        poison()
    }
}

impl Var {
    /// The type its values must have: as declared, or as its default shows.
    fn wanted(&self) -> Option<VarType> {
        self.kind.or_else(|| match &self.value.as_ref()?.data {
            Data::List(_) => Some(VarType::List),
            Data::Map(_) => Some(VarType::Map),
            Data::Scalar(scalar) => match scalar.kind {
                ScalarKind::Null => None,
                ScalarKind::Bool => Some(VarType::Bool),
                ScalarKind::Int | ScalarKind::Float => Some(VarType::Number),
                _ if scalar.has_expression() => None,
                ScalarKind::Plain | ScalarKind::Quoted => Some(VarType::Text),
            },
        })
    }
}
