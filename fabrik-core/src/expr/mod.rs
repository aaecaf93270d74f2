//! Expressions: what `${…}` becomes. Pure, small, and partially evaluated: what is known is
//! filled in, the rest stays and says what it waits for.

mod functions;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Map, Path, Value};

pub use functions::Function;

/// Something computed from values that may not be known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// A known value.
    Literal(Value),
    /// A value found elsewhere.
    Ref(Reference),
    /// Text made of parts, each turned to text.
    Concat(Vec<Expr>),
    /// A pure function.
    Call(Function, Vec<Expr>),
    /// Whether two values are equal.
    Equal(Box<Expr>, Box<Expr>),
    /// Whether two values differ.
    NotEqual(Box<Expr>, Box<Expr>),
}

/// Where a referenced value is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// An output (or input) of another resource of the stack; `id` is its remote id.
    Resource(Address),
    /// A declared secret.
    Secret(Arc<str>),
    /// An output of another stack, read only.
    Stack(Arc<str>),
    /// A root of the spec language that expansion replaces before planning: `vars`, `each`,
    /// `fabrik`, `env`, `self`, or a name not yet resolved to a resource.
    Root(Arc<str>),
}

/// A reference: a target and a path into it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// Whose value.
    pub target: Target,
    /// Which part of it.
    #[serde(default)]
    pub path: Path,
}

impl Reference {
    /// A reference to an output of a resource.
    pub fn output(address: Address, path: Path) -> Reference {
        Reference {
            target: Target::Resource(address),
            path,
        }
    }

    /// A reference to a secret.
    pub fn secret(name: impl Into<Arc<str>>) -> Reference {
        Reference {
            target: Target::Secret(name.into()),
            path: Path::root(),
        }
    }
}

impl From<Reference> for Expr {
    fn from(reference: Reference) -> Self {
        Expr::Ref(reference)
    }
}

/// Answers references during evaluation.
pub trait Scope {
    /// The value of a reference: `Ok(None)` when it is not known yet. The value may itself hold
    /// expressions.
    ///
    /// # Errors
    /// When the reference can never have a value.
    fn lookup(&self, reference: &Reference) -> Result<Option<Value>>;
}

impl<F: Fn(&Reference) -> Result<Option<Value>>> Scope for F {
    fn lookup(&self, reference: &Reference) -> Result<Option<Value>> {
        self(reference)
    }
}

/// Evaluates as far as the scope knows. What is not known stays an expression; anything derived
/// from a secret is a secret.
///
/// # Errors
/// What the scope reports, or a function applied to something it cannot take.
pub fn evaluate(expr: &Expr, scope: &dyn Scope) -> Result<Value> {
    match expr {
        Expr::Literal(value) => resolve(value, scope),
        Expr::Ref(reference) => Ok(match scope.lookup(reference)? {
            Some(value) => value,
            None => Value::from(expr.clone()),
        }),
        Expr::Concat(parts) => concat(parts, scope),
        Expr::Call(function, arguments) => call(*function, arguments, scope),
        Expr::Equal(left, right) => compare(left, right, scope, true),
        Expr::NotEqual(left, right) => compare(left, right, scope, false),
    }
}

/// Evaluates every expression inside a value.
///
/// # Errors
/// As [`evaluate`].
pub fn resolve(value: &Value, scope: &dyn Scope) -> Result<Value> {
    Ok(resolved(value, scope)?.unwrap_or_else(|| value.clone()))
}

/// `None` when nothing in it changes: then the value is shared, not copied.
fn resolved(value: &Value, scope: &dyn Scope) -> Result<Option<Value>> {
    match value {
        Value::Expr(expr) => match expr.as_ref() {
            Expr::Ref(reference) => scope.lookup(reference),
            expr => evaluate(expr, scope).map(Some),
        },
        Value::List(items) => {
            let mut new: Option<Vec<Value>> = None;
            for (at, item) in items.iter().enumerate() {
                if let Some(item) = resolved(item, scope)? {
                    new.get_or_insert_with(|| items.to_vec())[at] = item;
                }
            }
            Ok(new.map(|items| Value::List(Arc::new(items))))
        }
        Value::Map(map) => {
            let mut new: Option<Map> = None;
            for (key, item) in map.iter() {
                if let Some(item) = resolved(item, scope)? {
                    let new = new.get_or_insert_with(|| map.as_ref().clone());
                    new.insert(key.clone(), item);
                }
            }
            Ok(new.map(|map| Value::Map(Arc::new(map))))
        }
        Value::Secret(inner) => Ok(resolved(inner, scope)?.map(Value::into_secret)),
        _ => Ok(None),
    }
}

/// Every reference inside a value, each once, in order of first appearance.
pub fn references(value: &Value) -> Vec<Reference> {
    let mut found = Vec::new();
    each_reference(value, &mut |reference| {
        if !found.contains(reference) {
            found.push(reference.clone());
        }
    });
    found
}

/// Visits every reference inside a value, as often as it stands there.
pub(crate) fn each_reference<'a>(value: &'a Value, visit: &mut dyn FnMut(&'a Reference)) {
    fn in_expr<'a>(expr: &'a Expr, visit: &mut dyn FnMut(&'a Reference)) {
        match expr {
            Expr::Literal(value) => each_reference(value, visit),
            Expr::Ref(reference) => visit(reference),
            Expr::Concat(parts) | Expr::Call(_, parts) => {
                for part in parts {
                    in_expr(part, visit);
                }
            }
            Expr::Equal(left, right) | Expr::NotEqual(left, right) => {
                in_expr(left, visit);
                in_expr(right, visit);
            }
        }
    }
    match value {
        Value::Expr(expr) => in_expr(expr, visit),
        Value::List(items) => items.iter().for_each(|item| each_reference(item, visit)),
        Value::Map(map) => map.values().for_each(|item| each_reference(item, visit)),
        Value::Secret(inner) => each_reference(inner, visit),
        _ => {}
    }
}

/// A value as an expression.
pub(crate) fn as_expr(value: Value) -> Expr {
    match value {
        Value::Expr(expr) => expr.as_ref().clone(),
        other => Expr::Literal(other),
    }
}

fn concat(parts: &[Expr], scope: &dyn Scope) -> Result<Value> {
    let mut known = Vec::with_capacity(parts.len());
    for part in parts {
        known.push(evaluate(part, scope)?);
    }
    if known.iter().any(Value::has_unknown) {
        return Ok(Value::from(Expr::Concat(
            known.into_iter().map(as_expr).collect(),
        )));
    }
    let secret = known.iter().any(Value::has_secret);
    let mut text = String::new();
    for value in &known {
        text.push_str(&to_text(value)?);
    }
    Ok(if secret {
        Value::secret(text)
    } else {
        Value::from(text)
    })
}

fn call(function: Function, arguments: &[Expr], scope: &dyn Scope) -> Result<Value> {
    let mut known = Vec::with_capacity(arguments.len());
    for argument in arguments {
        known.push(evaluate(argument, scope)?);
    }
    if known.iter().any(Value::has_unknown) {
        return Ok(Value::from(Expr::Call(
            function,
            known.into_iter().map(as_expr).collect(),
        )));
    }
    let secret = known.iter().any(Value::has_secret);
    let result = function.apply(&known)?;
    Ok(if secret { result.into_secret() } else { result })
}

fn compare(left: &Expr, right: &Expr, scope: &dyn Scope, equal: bool) -> Result<Value> {
    let (left, right) = (evaluate(left, scope)?, evaluate(right, scope)?);
    if left.has_unknown() || right.has_unknown() {
        let (left, right) = (Box::new(as_expr(left)), Box::new(as_expr(right)));
        return Ok(Value::from(if equal {
            Expr::Equal(left, right)
        } else {
            Expr::NotEqual(left, right)
        }));
    }
    let result = Value::Bool((left.reveal() == right.reveal()) == equal);
    Ok(if left.has_secret() || right.has_secret() {
        result.into_secret()
    } else {
        result
    })
}

/// The text form of a known scalar inside a larger text.
pub(crate) fn to_text(value: &Value) -> Result<String> {
    match value.reveal() {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Num(number) => Ok(number.to_string()),
        Value::Str(text) => Ok(text.to_string()),
        other => Err(Error::new(
            ErrorKind::Invalid,
            format!("{} cannot stand inside text", other.kind_name()),
        )
        .hint("use `${join(list, \",\")}` or `${json(value)}`")),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Resource(address) => write!(f, "{address}"),
            Target::Secret(name) => write!(f, "secrets.{name}"),
            Target::Stack(name) => write!(f, "stacks.{name}.outputs"),
            Target::Root(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string();
        let dot = if path.is_empty() || path.starts_with('[') {
            ""
        } else {
            "."
        };
        write!(f, "{}{dot}{path}", self.target)
    }
}

/// The body of an expression, without `${` and `}`.
struct Body<'a>(&'a Expr);

impl fmt::Display for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Expr::Literal(Value::Str(text)) => write!(f, "{:?}", text.as_ref()),
            Expr::Literal(value) => write!(f, "{value:?}"),
            Expr::Ref(reference) => write!(f, "{reference}"),
            Expr::Concat(parts) => {
                f.write_str("join([")?;
                separated(f, parts)?;
                f.write_str("], \"\")")
            }
            Expr::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                separated(f, arguments)?;
                f.write_str(")")
            }
            Expr::Equal(left, right) => write!(f, "{} == {}", Body(left), Body(right)),
            Expr::NotEqual(left, right) => write!(f, "{} != {}", Body(left), Body(right)),
        }
    }
}

fn separated(f: &mut fmt::Formatter<'_>, parts: &[Expr]) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{}", Body(part))?;
    }
    Ok(())
}

/// The text a user would write: `${apps.api.url}`, `https://${…}/x`.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Concat(parts) => {
                for part in parts {
                    match part {
                        Expr::Literal(Value::Str(text)) => {
                            f.write_str(&text.replace("${", "$${"))?;
                        }
                        Expr::Literal(value) => write!(f, "{value:?}")?,
                        other => write!(f, "${{{}}}", Body(other))?,
                    }
                }
                Ok(())
            }
            other => write!(f, "${{{}}}", Body(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(path: &str) -> Expr {
        Reference::output(Address::parse("resources.a").unwrap(), Path::parse(path)).into()
    }

    #[test]
    fn unknown_stays_and_says_what_it_waits_for() {
        let expr = Expr::Concat(vec![Expr::Literal("http://".into()), output("host")]);
        let nothing = |_: &Reference| Ok(None);
        let value = evaluate(&expr, &nothing).unwrap();
        assert_eq!(format!("{value:?}"), "http://${resources.a.host}");
        let known = |_: &Reference| Ok(Some(Value::from("x.org")));
        assert_eq!(
            resolve(&value, &known).unwrap(),
            Value::from("http://x.org")
        );
    }

    #[test]
    fn what_derives_from_a_secret_is_secret() {
        let expr = Expr::Concat(vec![Expr::Literal("pw=".into()), output("token")]);
        let secret = |_: &Reference| Ok(Some(Value::secret("s3cr3t")));
        let value = evaluate(&expr, &secret).unwrap();
        assert!(value.is_secret());
        assert_eq!(value.as_str(), Some("pw=s3cr3t"));
        let equal = Expr::Equal(
            Box::new(output("token")),
            Box::new(Expr::Literal("s3cr3t".into())),
        );
        assert!(evaluate(&equal, &secret).unwrap().is_secret());
    }
}
