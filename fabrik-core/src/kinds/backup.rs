//! The `backup` field of kinds.

use std::sync::Arc;

use super::{common, schedule};
use crate::error::Result;
use crate::role::{BACKUP, ComponentCx};
use crate::value::{Map, Value};

/// When nothing is said: at night.
const USUAL: &str = "0 3 * * *";

/// `true`, `false` and a schedule are short forms.
pub(super) fn long(value: Value) -> Value {
    match &value {
        Value::Bool(true) => Value::map::<&str>([]),
        Value::Bool(false) => Value::map([("enabled", value)]),
        Value::Str(_) => Value::map([("schedule", schedule::long(value))]),
        Value::Map(map) => Value::map(map.iter().map(|(key, item)| {
            let item = match &**key {
                "schedule" => schedule::long(item.clone()),
                _ => item.clone(),
            };
            (key.clone(), item)
        })),
        _ => value,
    }
}

/// Has `what` backed up, when the block asks for it.
pub(super) fn play(block: &Value, what: Map, cx: &mut dyn ComponentCx) -> Result<()> {
    let Some(backup) = block.get("backup") else {
        return Ok(());
    };
    if backup.get("enabled").and_then(Value::as_bool) == Some(false) {
        return Ok(());
    }
    let written = backup.get("schedule");
    if let Some(text) = written.and_then(Value::as_str) {
        schedule::check(text).map_err(|problem| common::invalid("backup.schedule", problem))?;
    }
    let when = written.cloned().unwrap_or_else(|| Value::from(USUAL));
    let mut intent = Map::from([
        ("schedule".into(), when),
        ("what".into(), Value::Map(Arc::new(what))),
    ]);
    for field in ["keep", "to"] {
        if let Some(value) = backup.get(field) {
            intent.insert(field.into(), value.clone());
        }
    }
    cx.play(BACKUP, "backup", Value::Map(Arc::new(intent)))
        .map(|_| ())
}
