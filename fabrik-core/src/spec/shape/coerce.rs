//! Numbers and truth values where only text is taken.

use super::{Id, Schema, types};
use crate::value::Value;

/// A copy in which numbers and truth values stand as text wherever only text is taken.
pub(in crate::spec) fn coerce(schema: &Schema, id: Option<Id>, value: &Value) -> Value {
    let Some(id) = id else {
        return value.clone();
    };
    match value {
        Value::Num(number) if only_text(schema, id) => Value::from(number.as_str()),
        Value::Bool(flag) if only_text(schema, id) => Value::from(flag.to_string()),
        Value::List(items) => Value::list(
            items
                .iter()
                .enumerate()
                .map(|(index, item)| coerce(schema, schema.item(id, index, 0), item)),
        ),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, item)| (key.clone(), coerce(schema, schema.child(id, key, 0), item))),
        ),
        Value::Secret(inner) => coerce(schema, Some(id), inner).into_secret(),
        other => other.clone(),
    }
}

/// Whether of the scalars only text (or nothing) is taken.
pub(in crate::spec) fn only_text(schema: &Schema, id: Id) -> bool {
    let allowed = schema.types_of(id, 0);
    // Where numbers are short for something else (seconds, bytes), they stay numbers. What takes
    // truth values too can only mean their text.
    let short = schema.shape(id).map_or(0, |shape| shape.short);
    if short & types::INT != 0 && short & types::BOOL == 0 {
        return false;
    }
    allowed & types::STR != 0 && allowed & (types::BOOL | types::INT | types::NUM) == 0
}
