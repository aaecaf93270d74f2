//! The one exit to the wire, and the way back in.

use std::sync::Arc;

use serde_json::Value as Json;

use super::{Asset, Number, Path, SECRET_TEXT, Value};
use crate::error::{Error, ErrorKind, Result};

/// Turns a value into plain JSON for a provider: secrets in clear, because the service needs them.
///
/// This is the only way out, and it refuses what must not leave.
///
/// # Errors
/// [`ErrorKind::Unresolved`] when an expression is left, naming what it waits for;
/// [`ErrorKind::Unexpected`] for a sealed secret.
pub fn to_wire(value: &Value) -> Result<Json> {
    convert(value, &mut Path::root(), false)
}

/// As [`to_wire`], but with secrets masked and expressions as their `${…}` text: for output.
pub fn to_wire_masked(value: &Value) -> Json {
    convert(&value.masked(), &mut Path::root(), true).unwrap_or(Json::Null)
}

fn convert(value: &Value, path: &mut Path, lenient: bool) -> Result<Json> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Num(number) => number
            .as_str()
            .parse::<serde_json::Number>()
            .map_or_else(|_| Json::String(number.to_string()), Json::Number),
        Value::Str(text) => Json::String(text.to_string()),
        Value::List(items) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(super::Segment::Index(index));
                list.push(convert(item, path, lenient)?);
                path.pop();
            }
            Json::Array(list)
        }
        Value::Map(map) => {
            let mut object = serde_json::Map::new();
            for (key, item) in map.iter() {
                path.push(super::Segment::Key(key.clone()));
                object.insert(key.to_string(), convert(item, path, lenient)?);
                path.pop();
            }
            Json::Object(object)
        }
        Value::Asset(asset) => serde_json::json!({
            "sha256": &*asset.sha256, "len": asset.len, "path": &*asset.path,
        }),
        Value::Secret(inner) => convert(inner, path, lenient)?,
        Value::Expr(expr) if lenient => Json::String(expr.to_string()),
        Value::Expr(expr) => {
            return Err(Error::new(
                ErrorKind::Unresolved,
                format!("`{path}` is not known yet: it waits for {expr}"),
            ));
        }
        Value::Sealed(_) if lenient => Json::String(SECRET_TEXT.to_owned()),
        Value::Sealed(_) => {
            return Err(Error::new(
                ErrorKind::Unexpected,
                format!("`{path}` is still encrypted"),
            ));
        }
    })
}

/// Turns plain JSON into a value without marks.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => {
            let text = number.to_string();
            Number::parse(&text).map_or_else(|| Value::from(text), Value::Num)
        }
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(from_json)),
        Json::Object(map) => Value::map(
            map.iter()
                .map(|(key, item)| (key.as_str(), from_json(item))),
        ),
    }
}

impl From<Asset> for Value {
    fn from(asset: Asset) -> Self {
        Value::Asset(Arc::new(asset))
    }
}
