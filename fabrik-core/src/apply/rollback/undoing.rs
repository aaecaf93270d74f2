//! What each step of a rollback does, decided when it starts.

use std::sync::Arc;

use super::super::prepare::{Preparation, Prepare, Prepared, Skipped};
use super::Undoing;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{Target, references};
use crate::plan::{Treat, compare};
use crate::provider::{Object, Operation, Verb};
use crate::session::Known;
use crate::stack::OnDrift;
use crate::state::{Row, RowStatus};
use crate::value::Value;

/// Decides what one undo step does, by looking first: what no longer equals what the run wrote is
/// left alone.
pub(crate) async fn prepare(preparation: &Preparation) -> Result<Prepared> {
    let undoing = preparation
        .undo
        .as_ref()
        .ok_or_else(|| Error::new(ErrorKind::Unexpected, "an undo step without an undo"))?;
    match undoing {
        Undoing::DeleteNew => delete_new(preparation).await,
        Undoing::Restore {
            before,
            observed,
            unclear,
        } => restore(preparation, before, observed.as_ref(), *unclear).await,
        Undoing::Recreate { before, observed } => {
            recreate(preparation, before, observed.as_ref()).await
        }
        Undoing::Refer { before } => refer(preparation, before).await,
        Undoing::Release { observed } => release(preparation, observed).await,
        Undoing::Again { before } => Ok(again(preparation, before)),
    }
}

/// Inputs as they were before the run: references to resources find what is there now (what was
/// made anew has a new id); whatever else was computed is as it was sent. A secret may have another
/// value by now, or be gone from the spec.
pub(crate) fn as_before(declared: &Value, sent: Option<&Value>, known: &Known) -> Result<Value> {
    if !declared.has_unknown() {
        return Ok(declared.clone());
    }
    match declared {
        Value::Map(map) => {
            let items = map.iter().map(|(key, item)| {
                let sent = sent.and_then(|sent| sent.get(key));
                Ok((key.clone(), as_before(item, sent, known)?))
            });
            Ok(Value::Map(Arc::new(items.collect::<Result<_>>()?)))
        }
        Value::List(items) => {
            let sent = sent.and_then(Value::as_list);
            let sent = sent.filter(|sent| sent.len() == items.len());
            let items = items
                .iter()
                .enumerate()
                .map(|(index, item)| as_before(item, sent.map(|sent| &sent[index]), known));
            Ok(Value::List(Arc::new(items.collect::<Result<_>>()?)))
        }
        Value::Secret(inner) => Ok(as_before(inner, sent, known)?.into_secret()),
        _ => {
            let follows = references(declared)
                .iter()
                .any(|reference| matches!(reference.target, Target::Resource(_)));
            match (follows, sent) {
                (false, Some(sent)) => Ok(sent.clone()),
                // What was only looked up is known no more: it is as it was sent, too.
                (true, Some(sent)) => match known.resolve(declared) {
                    Ok(now) if !now.has_unknown() => Ok(now),
                    _ => Ok(sent.clone()),
                },
                (_, None) => known.resolve(declared),
            }
        }
    }
}

async fn delete_new(preparation: &Preparation) -> Result<Prepared> {
    let Some(row) = &preparation.row else {
        return Ok(Prepared::Skip(Box::new(Skipped::nothing())));
    };
    if row.object.id.is_empty() {
        return Ok(Prepared::Skip(Box::new(Skipped {
            remove: Some(row.oid),
            ..Skipped::nothing()
        })));
    }
    let Some(found) = preparation.read(row.object.clone()).await? else {
        return Ok(Prepared::Skip(Box::new(Skipped {
            remove: Some(row.oid),
            ..Skipped::nothing()
        })));
    };
    if row.status == RowStatus::Current
        && let Some(path) = differs(preparation, &row.object.inputs, &found)
    {
        return Ok(Prepared::Skip(Box::new(Skipped {
            left: Some(format!(
                "`{}` was made by this run, but somebody changed its `{path}` since",
                found.id
            )),
            ..Skipped::nothing()
        })));
    }
    Ok(preparation.delete_of(row))
}

/// The first path on which an object differs from inputs.
fn differs(preparation: &Preparation, inputs: &Value, found: &Object) -> Option<String> {
    compare(
        &preparation.info.fields,
        inputs,
        Some(inputs),
        Some(&found.inputs),
        Treat {
            ignore: &[],
            on_drift: OnDrift::Restore,
            hidden: &found.hidden,
        },
    )
    .diff
    .first()
    .map(|diff| diff.path.to_string())
}

/// Inputs with references as they were, corrected by what was observed just before the write where
/// that was not what was last sent.
fn target(preparation: &Preparation, before: &Row, observed: Option<&Object>) -> Value {
    let mut target = preparation.inputs.clone();
    let Some(observed) = observed else {
        return target;
    };
    let drift = compare(
        &preparation.info.fields,
        &before.object.inputs,
        Some(&before.object.inputs),
        Some(&observed.inputs),
        Treat {
            ignore: &[],
            on_drift: OnDrift::Restore,
            hidden: &observed.hidden,
        },
    )
    .drift;
    for diff in drift {
        target = if diff.after.is_null() {
            target.without(&diff.path)
        } else {
            target.with(&diff.path, diff.after)
        };
    }
    target
}

async fn restore(
    preparation: &Preparation,
    before: &Row,
    observed: Option<&Object>,
    unclear: bool,
) -> Result<Prepared> {
    let Some(row) = &preparation.row else {
        return Ok(Prepared::Skip(Box::new(Skipped::nothing())));
    };
    let Some(found) = preparation.read(row.object.clone()).await? else {
        return Ok(Prepared::Skip(Box::new(Skipped {
            left: Some(format!(
                "`{}` was updated by this run and deleted by somebody since",
                row.object.id
            )),
            ..Skipped::nothing()
        })));
    };
    let target = target(preparation, before, observed);
    // What the run set and the target does not have is unset; so compare with what the run sent.
    let comparison = compare(
        &preparation.info.fields,
        &target,
        Some(&row.object.inputs),
        Some(&found.inputs),
        Treat {
            ignore: &[],
            on_drift: OnDrift::Restore,
            hidden: &found.hidden,
        },
    );
    let mut restored = before.clone();
    restored.object.outputs = if found.outputs.is_null() {
        row.object.outputs.clone()
    } else {
        found.outputs.clone()
    };
    // References may have got new values (an object made anew has a new id).
    if before.declared.is_some() {
        restored.object.inputs = preparation.inputs.clone();
    }
    if comparison.diff.is_empty() {
        return Ok(Prepared::Skip(Box::new(Skipped {
            known: Some(restored.object.clone()),
            put: Some(restored),
            ..Skipped::nothing()
        })));
    }
    if !unclear && let Some(path) = differs(preparation, &row.object.inputs, &found) {
        return Ok(Prepared::Skip(Box::new(Skipped {
            left: Some(format!(
                "`{}` was updated by this run, but somebody changed its `{path}` since",
                found.id
            )),
            ..Skipped::nothing()
        })));
    }
    Ok(update_to(
        preparation,
        row,
        found,
        target,
        Some(restored),
        false,
    ))
}

fn update_to(
    preparation: &Preparation,
    row: &Row,
    found: Object,
    target: Value,
    restored: Option<Row>,
    forget_after: bool,
) -> Prepared {
    let operation = Operation {
        op: preparation.fresh,
        address: row.address.clone(),
        type_name: row.type_name.clone(),
        verb: Verb::Update,
        prior: Some(row.object.clone()),
        observed: Some(found),
        inputs: target,
        checkpoint: None,
        undoes: Some(row.oid),
    };
    let mut intent = preparation.intent(&operation, restored.as_ref(), Some(row));
    intent.oid = Some(row.oid);
    Prepared::Call(Box::new(Prepare {
        keys: preparation.instance.keys(&row.type_name, &operation.inputs),
        intent,
        operation,
        row: restored,
        retires: None,
        info: preparation.info.clone(),
        cancels_twin: false,
        forget_after,
    }))
}

async fn refer(preparation: &Preparation, before: &Row) -> Result<Prepared> {
    let Some(found) = preparation.read(before.object.clone()).await? else {
        return Ok(Prepared::Skip(Box::new(Skipped::nothing())));
    };
    // What had drifted on it stays as it was.
    let target = target(preparation, before, Some(&found));
    let mut referring = before.clone();
    referring.object.inputs = preparation.inputs.clone();
    Ok(update_to(
        preparation,
        before,
        found,
        target,
        Some(referring),
        false,
    ))
}

async fn recreate(
    preparation: &Preparation,
    before: &Row,
    observed: Option<&Object>,
) -> Result<Prepared> {
    let operation = Operation {
        op: preparation.fresh,
        address: before.address.clone(),
        type_name: before.type_name.clone(),
        verb: Verb::Create,
        prior: None,
        observed: None,
        inputs: target(preparation, before, observed),
        checkpoint: None,
        undoes: Some(before.oid),
    };
    if preparation.info.lost == crate::provider::Lost::Name {
        preparation.look_for_name(&operation, None).await?;
    }
    let row = Row {
        oid: operation.op,
        object: Object {
            inputs: preparation.inputs.clone(),
            ..Object::default()
        },
        ..before.clone()
    };
    let mut intent = preparation.intent(&operation, Some(&row), None);
    intent.oid = Some(operation.op);
    if preparation.info.lost == crate::provider::Lost::Name {
        intent.looked = Some(crate::state::Looked::Absent);
    }
    Ok(Prepared::Call(Box::new(Prepare {
        keys: preparation
            .instance
            .keys(&before.type_name, &operation.inputs),
        intent,
        operation,
        row: Some(row),
        retires: None,
        info: preparation.info.clone(),
        cancels_twin: false,
        forget_after: false,
    })))
}

/// Puts an adopted object back and forgets it.
async fn release(preparation: &Preparation, observed: &Object) -> Result<Prepared> {
    let Some(row) = &preparation.row else {
        return Ok(Prepared::Skip(Box::new(Skipped::nothing())));
    };
    let forget = Skipped {
        remove: Some(row.oid),
        ..Skipped::nothing()
    };
    let Some(found) = preparation.read(row.object.clone()).await? else {
        return Ok(Prepared::Skip(Box::new(forget)));
    };
    if found.inputs == observed.inputs {
        return Ok(Prepared::Skip(Box::new(forget)));
    }
    if let Some(path) = differs(preparation, &row.object.inputs, &found) {
        return Ok(Prepared::Skip(Box::new(Skipped {
            left: Some(format!(
                "`{}` was adopted by this run, but somebody changed its `{path}` since",
                found.id
            )),
            ..Skipped::nothing()
        })));
    }
    Ok(update_to(
        preparation,
        row,
        found,
        observed.inputs.clone(),
        None,
        true,
    ))
}

fn again(preparation: &Preparation, before: &Row) -> Prepared {
    let operation = Operation {
        op: preparation.fresh,
        address: before.address.clone(),
        type_name: before.type_name.clone(),
        verb: Verb::Run,
        prior: Some(before.object.clone()),
        observed: None,
        inputs: before.object.inputs.clone(),
        checkpoint: None,
        undoes: Some(before.oid),
    };
    let mut intent = preparation.intent(&operation, Some(before), Some(before));
    intent.oid = Some(before.oid);
    Prepared::Call(Box::new(Prepare {
        keys: preparation
            .instance
            .keys(&before.type_name, &operation.inputs),
        intent,
        operation,
        row: Some(before.clone()),
        retires: None,
        info: preparation.info.clone(),
        cancels_twin: false,
        forget_after: false,
    }))
}
