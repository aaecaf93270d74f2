//! A create of several steps: reserve, upload part by part, seal. Each is durable before the next.

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::decode;
use fabrik_core::provider::{Cx, Operation, Outcome};

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
    let spec: BlobSpec = decode(&operation.inputs)?;
    let mut thing = match &operation.checkpoint {
        Some(begun) => {
            let found = instance.find(Query::Ids(vec![begun.id.clone()])).await?;
            match found.into_iter().flatten().next() {
                Some(thing) => thing,
                // Somebody removed it meanwhile.
                None => reserve(instance, cx, operation).await?,
            }
        }
        None => reserve(instance, cx, operation).await?,
    };
    while thing.parts < spec.parts {
        cx.note(format!("part {} of {}", thing.parts + 1, spec.parts));
        thing = step(instance, operation, &thing, What::Part).await?;
        cx.made(object(&thing)).await?;
    }
    if !thing.sealed {
        thing = step(instance, operation, &thing, What::Seal).await?;
    }
    Ok(done(operation, &thing))
}

async fn reserve(instance: &MemoryInstance, cx: &Cx, operation: &Operation) -> Result<Thing> {
    let thing = instance.write_one(write_of(operation)?).await?;
    let thing = thing.ok_or_else(missing)?;
    cx.made(object(&thing)).await?;
    Ok(thing)
}

/// One further step. When it fails, what exists is known: the checkpoint says so.
async fn step(
    instance: &MemoryInstance,
    operation: &Operation,
    thing: &Thing,
    what: What,
) -> Result<Thing> {
    let write = Write {
        what,
        id: Some(thing.id.clone()),
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
