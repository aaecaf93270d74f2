//! Placeholders in texts for what is known only when it exists, such as the id of an image.
//!
//! A placeholder is a name between the private-use characters U+E000 and U+E001. Texts of the
//! spec that hold one of these are refused, so nobody else makes one.

use fabrik_core::expr::Expr;
use fabrik_core::value::Value;

/// Begins a placeholder.
pub(crate) const OPEN: char = '\u{E000}';
/// Ends a placeholder.
pub(crate) const CLOSE: char = '\u{E001}';

/// A placeholder of a name.
pub(crate) fn token(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Whether a text holds characters of placeholders.
pub(crate) fn is_marked(text: &str) -> bool {
    text.contains([OPEN, CLOSE])
}

/// Calls `found` with the text before each placeholder and its name, and gives the text after the
/// last.
fn split<'t>(text: &'t str, mut found: impl FnMut(&'t str, &'t str)) -> &'t str {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((name, after)) = after.split_once(CLOSE) else {
            break;
        };
        found(before, name);
        rest = after;
    }
    rest
}

/// The text with its placeholders as expressions; `known` tells what a name stands for.
pub(crate) fn resolve(text: &str, known: &dyn Fn(&str) -> Option<Value>) -> Value {
    let literal = |text: &str| Expr::Literal(Value::from(text));
    let mut parts = Vec::new();
    let rest = split(text, |before, name| {
        if !before.is_empty() {
            parts.push(literal(before));
        }
        parts.push(match known(name) {
            Some(Value::Expr(expr)) => expr.as_ref().clone(),
            Some(other) => Expr::Literal(other),
            None => literal(""),
        });
    });
    if parts.is_empty() {
        return Value::from(text);
    }
    if !rest.is_empty() {
        parts.push(literal(rest));
    }
    Value::from(Expr::Concat(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_become_expressions() {
        let text = format!("a {} b {}", token("x.id"), token("x.url"));
        let value = resolve(&text, &|name| Some(Value::from(format!("<{name}>"))));
        let Value::Expr(expr) = value else { panic!() };
        assert_eq!(expr.to_string(), "a <x.id> b <x.url>");
        assert_eq!(resolve("plain", &|_| None), Value::from("plain"));
    }
}
