//! Types whose objects are written and read together.

use std::collections::HashMap;

use fabrik_core::address::Address;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::expr::{self, Expr, Reference, Target};
use fabrik_core::provider::{Object, Operation, Outcome, ReadRequest, Verb};
use fabrik_core::value::{Segment, Value, to_wire};
use serde_json::{Map, Value as Json, json};

use super::single::{done, object, write_of, write_with};
use crate::instance::MemoryInstance;
use crate::protocol::{Query, Thing, Write, Written};
use crate::types;

/// Carries out a call in one request.
pub(crate) async fn apply(instance: &MemoryInstance, call: &[Operation]) -> Vec<Outcome> {
    match write_all(instance, call).await {
        Ok(outcomes) => outcomes,
        Err(error) => call
            .iter()
            .map(|_| Outcome::Failed(error.clone()))
            .collect(),
    }
}

async fn write_all(instance: &MemoryInstance, call: &[Operation]) -> Result<Vec<Outcome>> {
    let kind = call
        .first()
        .map(|first| &*first.type_name)
        .unwrap_or_default();
    let mut writes = Vec::with_capacity(call.len());
    for (at, operation) in call.iter().enumerate() {
        writes.push(member(operation, &call[..at])?);
    }
    let shared = types::group_field(kind);
    let group = shared.and_then(|field| {
        let first = call.first()?;
        let sent = first.inputs.get(field).and_then(Value::as_str);
        let known = first
            .prior
            .as_ref()
            .and_then(|prior| prior.inputs.get(field));
        sent.or(known.and_then(Value::as_str)).map(str::to_owned)
    });
    let group = group.or_else(|| (kind == "memory.batch").then(|| "batch".to_owned()));
    let written = instance.write(writes, shared.is_some(), group).await?;
    let outcomes = call
        .iter()
        .zip(written)
        .map(|(operation, written)| match written {
            Written::Done(thing) => done(operation, &thing),
            Written::Gone => Outcome::Gone,
            Written::NotDone => Outcome::NotDone,
            Written::Failed(report) => Outcome::Failed(Error::from(report.as_ref())),
        });
    Ok(outcomes.collect())
}

/// One member of a call, which may refer to those before it.
fn member(operation: &Operation, earlier: &[Operation]) -> Result<Write> {
    if operation.verb == Verb::Delete || !operation.inputs.has_unknown() {
        return write_of(operation);
    }
    let scope: HashMap<&Address, usize> = earlier
        .iter()
        .enumerate()
        .map(|(at, member)| (&member.address, at))
        .collect();
    let inputs = link(&operation.inputs, earlier, &scope)?;
    write_with(operation, inputs)
}

/// Inputs with references to earlier members in the cloud's own form.
fn link(value: &Value, earlier: &[Operation], scope: &HashMap<&Address, usize>) -> Result<Json> {
    Ok(match value {
        Value::Expr(expr) => link_expr(expr, earlier, scope)?,
        Value::Secret(inner) => link(inner, earlier, scope)?,
        Value::List(items) => {
            let items: Result<Vec<Json>> = items
                .iter()
                .map(|item| link(item, earlier, scope))
                .collect();
            Json::Array(items?)
        }
        Value::Map(map) => {
            let mut out = Map::new();
            for (key, item) in map.iter().filter(|(_, item)| !item.is_null()) {
                out.insert(key.to_string(), link(item, earlier, scope)?);
            }
            Json::Object(out)
        }
        other => to_wire(other)?,
    })
}

fn link_expr(expr: &Expr, earlier: &[Operation], scope: &HashMap<&Address, usize>) -> Result<Json> {
    // What is known of members that exist is filled in; the rest is for the cloud.
    let known = |reference: &Reference| Ok(known(reference, earlier, scope));
    match expr::evaluate(expr, &known)? {
        Value::Expr(rest) => match rest.as_ref() {
            Expr::Ref(reference) => member_ref(reference, scope),
            Expr::Concat(parts) => {
                let parts: Result<Vec<Json>> = parts
                    .iter()
                    .map(|part| link_expr(part, earlier, scope))
                    .collect();
                Ok(json!({"$text": parts?}))
            }
            Expr::Literal(value) => link(value, earlier, scope),
            Expr::Call(..) | Expr::Equal(..) | Expr::NotEqual(..) => Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{rest}` cannot be worked out inside one write"),
            )),
        },
        value => to_wire(&value),
    }
}

fn place(reference: &Reference, scope: &HashMap<&Address, usize>) -> Option<usize> {
    match &reference.target {
        Target::Resource(address) => scope.get(address).copied(),
        _ => None,
    }
}

/// The value of a reference to a member that exists already.
fn known(
    reference: &Reference,
    earlier: &[Operation],
    scope: &HashMap<&Address, usize>,
) -> Option<Value> {
    let member = &earlier[place(reference, scope)?];
    let prior = member
        .prior
        .as_ref()
        .filter(|_| member.verb == Verb::Update)?;
    match reference.path.segments() {
        [Segment::Key(key)] if &**key == "id" => Some(Value::from(prior.id.as_str())),
        [Segment::Key(key)] if &**key == "url" => prior.outputs.get("url").cloned(),
        _ => member.inputs.at(&reference.path),
    }
}

fn member_ref(reference: &Reference, scope: &HashMap<&Address, usize>) -> Result<Json> {
    let at = place(reference, scope).ok_or_else(|| {
        let waits = Expr::from(reference.clone());
        Error::new(
            ErrorKind::Unresolved,
            format!("{waits} is not known and no earlier member"),
        )
        .effect(Effect::None)
    })?;
    Ok(json!({"$member": at, "path": reference.path.to_string()}))
}

/// Reads a group: by one listing where its members share something, else by their ids.
pub(crate) async fn read(
    instance: &MemoryInstance,
    group: &[ReadRequest],
) -> Vec<Result<Option<Object>>> {
    let shared = group.first().and_then(|first| {
        let field = types::group_field(&first.type_name)?;
        let value = first.prior.inputs.get(field)?.as_str()?;
        Some((first.type_name.to_string(), field, value.to_owned()))
    });
    let query = match shared {
        Some((kind, field, value)) => Query::Of {
            kind,
            field: Some((field.to_owned(), value)),
        },
        None => Query::Ids(
            group
                .iter()
                .map(|request| request.prior.id.clone())
                .collect(),
        ),
    };
    match instance.find(query).await {
        Ok(found) => {
            let things: HashMap<String, Thing> = found
                .into_iter()
                .flatten()
                .map(|thing| (thing.id.clone(), thing))
                .collect();
            let answers = group.iter().map(|request| {
                let thing = things.get(&request.prior.id);
                Ok(thing
                    .filter(|thing| *thing.kind == *request.type_name)
                    .map(object))
            });
            answers.collect()
        }
        Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
    }
}
