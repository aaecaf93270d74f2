//! References between members of one write.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::expr::{self, Expr, Reference, Target};
use fabrik_core::provider::{Operation, Verb};
use fabrik_core::value::{Segment, Value};
use serde_json::Value as Json;

/// Stands before and after the name of a value that an earlier operation of the request gives. The
/// name holds a random number of the request, so that no text of a user can be taken for one.
const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// The inputs of an operation for a request: what an earlier member gives is named, to be filled in
/// by the site.
pub(crate) fn inputs(at: usize, call: &[Operation], nonce: &str) -> Result<Value> {
    let operation = &call[at];
    if !operation.inputs.has_unknown() {
        return Ok(operation.inputs.clone());
    }
    plain(&operation.inputs).map_err(|error| error.effect(Effect::None))?;
    let scope = |reference: &Reference| named(reference, &call[..at], nonce);
    let inputs =
        expr::resolve(&operation.inputs, &scope).map_err(|error| error.effect(Effect::None))?;
    match expr::references(&inputs).first() {
        None => Ok(inputs),
        Some(reference) => Err(Error::new(
            ErrorKind::Unresolved,
            format!("`{reference}` is not known, and no earlier member of the same write"),
        )
        .effect(Effect::None)),
    }
}

fn named(reference: &Reference, earlier: &[Operation], nonce: &str) -> Result<Option<Value>> {
    let Target::Resource(address) = &reference.target else {
        return Ok(None);
    };
    let Some((at, member)) = member(earlier, address) else {
        return Ok(None);
    };
    let [Segment::Key(name)] = reference.path.segments() else {
        let input = member.inputs.at(&reference.path);
        return Ok(input.filter(|input| !input.has_unknown()));
    };
    if &**name == "id" {
        if let Ok(id) = member.id() {
            return Ok(Some(Value::from(id)));
        }
    } else if let Some(input) = member.inputs.at(&reference.path)
        && !input.has_unknown()
    {
        return Ok(Some(input));
    }
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if !is_name {
        return Ok(None);
    }
    Ok(Some(Value::from(format!(
        "{OPEN}{nonce}:{at}:{name}{CLOSE}"
    ))))
}

fn member<'a>(earlier: &'a [Operation], address: &Address) -> Option<(usize, &'a Operation)> {
    let mut members = earlier.iter().enumerate().rev();
    members.find(|(_, member)| member.verb != Verb::Delete && member.address == *address)
}

/// Inputs with a text in the place of whatever is not known yet: to look at what is.
pub(crate) fn guessed(inputs: &Value) -> Value {
    let unknown = Value::from(format!("{OPEN}{CLOSE}"));
    let guess = |node: Value| -> Result<Value> {
        Ok(match node {
            Value::Expr(_) => unknown.clone(),
            other => other,
        })
    };
    inputs.rewrite(&mut { guess }).unwrap_or_default()
}

/// Whether a text is, or holds, what is known only to the site.
pub(crate) fn is_open(text: &str) -> bool {
    text.contains(OPEN)
}

/// Refuses what only a function of an unknown value could tell.
fn plain(value: &Value) -> Result<()> {
    fn walk(expr: &Expr) -> bool {
        match expr {
            Expr::Call(..) | Expr::Equal(..) | Expr::NotEqual(..) => false,
            Expr::Concat(parts) => parts.iter().all(walk),
            Expr::Literal(_) | Expr::Ref(_) => true,
        }
    }
    let bad = value.any(&|node| matches!(node, Value::Expr(expr) if !walk(expr)));
    if bad {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a function cannot take what another object of the same write gives",
        )
        .hint("use the reference alone or inside a text"));
    }
    Ok(())
}

/// Inputs with what earlier operations gave filled in.
pub(crate) fn filled(inputs: &Value, results: &[Json], nonce: &str) -> Value {
    let fill = |node: Value| -> Result<Value> {
        Ok(match node {
            Value::Str(text) if is_open(&text) => Value::from(fill(&text, results, nonce)),
            other => other,
        })
    };
    inputs
        .rewrite(&mut { fill })
        .unwrap_or_else(|_| inputs.clone())
}

pub(crate) fn fill(text: &str, results: &[Json], nonce: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    let begin = format!("{OPEN}{nonce}:");
    while let Some((before, after)) = rest.split_once(&begin) {
        whole.push_str(before);
        let Some((name, later)) = after.split_once(CLOSE) else {
            rest = after;
            break;
        };
        if let Some((at, key)) = name.split_once(':')
            && let Some(row) = at.parse().ok().and_then(|at: usize| results.get(at))
        {
            whole.push_str(&super::ids::text(row, key));
        }
        rest = later;
    }
    whole.push_str(rest);
    whole
}

/// What all content of a site has in common.
pub(crate) fn group_key() -> Arc<str> {
    "content".into()
}
