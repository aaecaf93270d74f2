//! A create of several steps: reserve, upload part by part, seal. Each is durable before the next,
//! and doing a step again changes nothing.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::decode;
use fabrik_core::provider::{Cx, Located, Operation, Outcome};
use serde_json::json;

use super::single::{done, object, write_of};
use crate::instance::MemoryInstance;
use crate::protocol::{Query, Thing, What, Write};
use crate::specs::BlobSpec;

/// Makes a blob, or goes on with one that was begun.
pub(crate) async fn create(
    instance: &MemoryInstance,
    cx: &Cx,
    operation: &Operation,
) -> Result<Outcome> {
    let begun = match &operation.checkpoint {
        Some(begun) => {
            let found = instance.find(Query::Ids(vec![begun.id.clone()])).await?;
            found.into_iter().flatten().next()
        }
        None => None,
    };
    let thing = if let Some(thing) = begun {
        thing
    } else {
        let made = instance.write_one(write_of(operation)?).await?;
        let thing = made.ok_or_else(missing)?;
        cx.made(object(&thing)).await?;
        thing
    };
    let thing = finish(instance, cx, operation, thing).await?;
    Ok(done(operation, &thing))
}

/// Finds a blob that an operation began, and finishes it: half a blob is not what was asked for.
pub(crate) async fn locate(
    instance: &MemoryInstance,
    cx: &Cx,
    operation: &Operation,
) -> Result<Located> {
    let found = instance.find(Query::Mark(operation.op.to_string())).await?;
    Ok(match found.into_iter().flatten().next() {
        Some(thing) => Located::Ours(object(&finish(instance, cx, operation, thing).await?)),
        None => Located::Absent,
    })
}

async fn finish(
    instance: &MemoryInstance,
    cx: &Cx,
    operation: &Operation,
    mut thing: Thing,
) -> Result<Thing> {
    let spec: BlobSpec = decode(&operation.inputs)?;
    while thing.parts < spec.parts {
        cx.note(format!("part {} of {}", thing.parts + 1, spec.parts));
        thing = step(instance, operation, &thing, What::Part).await?;
        cx.made(object(&thing)).await?;
    }
    if !thing.sealed {
        thing = step(instance, operation, &thing, What::Seal).await?;
    }
    Ok(thing)
}

/// One further step. When it is refused, what exists is known: the checkpoint says so.
async fn step(
    instance: &MemoryInstance,
    operation: &Operation,
    thing: &Thing,
    what: What,
) -> Result<Thing> {
    let write = Write {
        what,
        id: Some(thing.id.clone()),
        inputs: json!({"part": thing.parts + 1}),
        ..write_of(operation)?
    };
    match instance.write_one(write).await {
        Ok(made) => made.ok_or_else(missing),
        Err(error) if error.effect_of() == Effect::None => Err(error.effect(Effect::Partial)),
        Err(error) => Err(error),
    }
}

fn missing() -> Error {
    Error::new(ErrorKind::Misbehaved, "the cloud shows nothing of a change")
}
