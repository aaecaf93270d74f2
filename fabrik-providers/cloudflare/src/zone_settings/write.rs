//! Changing settings, and giving back what was before.

use std::sync::PoisonError;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Created, decode, encode};
use fabrik_core::provider::{Cx, Object, Operation, Outcome};
use fabrik_core::value::{Path, Value};
use serde_json::{Map, Value as Json, json};

use super::{Current, ZoneSettingsInputs, ZoneSettingsOutputs, current, fixed, outputs};
use crate::client::Cloudflare;
use crate::refs::{ZoneRef, missing};

/// Values as they were before Fabrik changed them.
type Previous = Map<String, Json>;

fn kept(object: &Object) -> Previous {
    serde_json::from_slice(&object.private).unwrap_or_default()
}

fn bytes(previous: &Previous) -> Vec<u8> {
    serde_json::to_vec(previous).unwrap_or_default()
}

async fn look(cx: &Cx, client: &Cloudflare, zone: &ZoneRef) -> Result<Current> {
    let found = current(cx, client, &zone.id).await;
    let found = found.map_err(|error| error.effect(Effect::None))?;
    found.ok_or_else(|| missing(&zone.name).effect(Effect::None))
}

pub(super) async fn create(
    cx: &Cx,
    client: &Cloudflare,
    spec: &ZoneSettingsInputs,
    checkpoint: Option<&Object>,
) -> Result<Created<ZoneSettingsOutputs>> {
    let zone = client.zone(cx, &spec.zone).await?;
    let current = look(cx, client, &zone).await?;
    let wanted = spec.wanted();
    // An attempt before this one may have changed some already: what was before is what it found.
    let op = cx.op()?.to_string();
    let remembered = {
        let memo = client
            .previous
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        memo.get(&op).cloned()
    };
    let mut previous = checkpoint.map(kept).or(remembered).unwrap_or_default();
    for name in wanted.keys() {
        if let Some(setting) = current.get(name) {
            let value = || setting.value.clone();
            previous.entry(name.clone()).or_insert_with(value);
        }
    }
    {
        let mut memo = client
            .previous
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        memo.insert(op, previous.clone());
    }
    let told = outputs(&zone.id, &current);
    cx.made(Object {
        id: zone.name.clone(),
        inputs: encode(spec, None)?,
        outputs: encode(&told, None)?,
        private: bytes(&previous),
        ..Object::default()
    })
    .await?;
    // With the checkpoint there is something to take back, whatever comes.
    patch_all(cx, client, &zone, &current, &wanted)
        .await
        .map_err(partial)?;
    Ok(Created {
        private: bytes(&previous),
        ..Created::new(zone.name.clone(), told)
    })
}

fn partial(error: Error) -> Error {
    match error.effect_of() {
        Effect::None if !error.is_temporary() => error.effect(Effect::Partial),
        _ => error,
    }
}

pub(super) async fn update(cx: &Cx, client: &Cloudflare, operation: &Operation) -> Result<Outcome> {
    let spec: ZoneSettingsInputs = decode(&operation.inputs)?;
    let zone = client.zone(cx, operation.id()?).await?;
    let current = look(cx, client, &zone).await?;
    let mut previous = operation.prior.as_ref().map(kept).unwrap_or_default();
    let mut wanted = spec.wanted();
    // No longer set: as it was before.
    let dropped: Vec<String> = previous
        .keys()
        .filter(|name| !wanted.contains_key(*name))
        .cloned()
        .collect();
    for name in dropped {
        if let Some(value) = previous.remove(&name) {
            wanted.insert(name, value);
        }
    }
    for name in spec.wanted().keys() {
        if let Some(setting) = current.get(name) {
            let value = || setting.value.clone();
            previous.entry(name.clone()).or_insert_with(value);
        }
    }
    patch_all(cx, client, &zone, &current, &wanted).await?;
    Ok(Outcome::Done(Object {
        id: zone.name.clone(),
        inputs: operation.inputs.clone(),
        outputs: encode(&outputs(&zone.id, &current), None)?,
        private: bytes(&previous),
        ..Object::default()
    }))
}

/// Gives back what was before, where nobody else has changed it since.
pub(super) async fn restore(
    cx: &Cx,
    client: &Cloudflare,
    operation: &Operation,
) -> Result<Outcome> {
    let Some(object) = operation.prior.as_ref().or(operation.checkpoint.as_ref()) else {
        return Ok(Outcome::Gone);
    };
    let Some(zone) = client.find_zone(cx, &object.id).await? else {
        return Ok(Outcome::Gone);
    };
    let Some(current) = current(cx, client, &zone.id).await? else {
        return Ok(Outcome::Gone);
    };
    let mut wanted = kept(object);
    wanted.retain(|name, _| {
        let sent = object.inputs.get(name).map(Value::reveal);
        let there = current
            .get(name)
            .map(|setting| fabrik_core::value::from_json(&setting.value));
        sent.is_none() || sent == there.as_ref()
    });
    patch_all(cx, client, &zone, &current, &wanted).await?;
    Ok(Outcome::Gone)
}

/// Changes what differs, one setting at a time: the service knows no other way.
async fn patch_all(
    cx: &Cx,
    client: &Cloudflare,
    zone: &ZoneRef,
    current: &Current,
    wanted: &Map<String, Json>,
) -> Result<()> {
    let differs = |name: &str, value: &Json| {
        current.get(name).is_none_or(|setting| {
            let numbers = (
                crate::api::number(&setting.value),
                crate::api::number(value),
            );
            let same = matches!(numbers, (Some(left), Some(right)) if left == right);
            !same && setting.value != *value
        })
    };
    let changes: Vec<(&String, &Json)> = wanted
        .iter()
        .filter(|(name, value)| differs(name, value))
        .collect();
    // Nothing is begun that cannot be finished.
    for (name, _) in &changes {
        if current.get(*name).is_some_and(|setting| !setting.editable) {
            let (message, hint) = fixed(name);
            return Err(Error::new(ErrorKind::Unsupported, message)
                .field(Path::key(name.as_str()))
                .hint(hint));
        }
    }
    for (at, (name, value)) in changes.iter().enumerate() {
        let request = client.http.patch(cx, "/zones/{zone}/settings/{setting}");
        let request = request.arg("zone", &zone.id).arg("setting", name);
        let done = request
            .body(&json!({"value": value}))
            .idempotent()
            .unit()
            .await;
        if let Err(error) = done {
            let error = error.field(Path::key(name.as_str()));
            return Err(if at > 0 && error.effect_of() == Effect::None {
                error.effect(Effect::Partial)
            } else {
                error
            });
        }
    }
    Ok(())
}
