//! The stored form: JSON with tagged objects for what JSON has not.
//!
//! `{"$expr": …}`, `{"$asset": …}`, `{"$sealed": "base64"}`; a map whose only key starts with `$`
//! is wrapped in `{"$map": …}`. A clear secret is refused: seal it first.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::de::Error as _;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::{Asset, Map, Value, from_json};
use crate::expr::Expr;

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn tagged<S: Serializer, T: Serialize + ?Sized>(
            serializer: S,
            tag: &str,
            body: &T,
        ) -> Result<S::Ok, S::Error> {
            let mut map = serializer.serialize_map(Some(1))?;
            map.serialize_entry(tag, body)?;
            map.end()
        }
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(flag) => serializer.serialize_bool(*flag),
            Value::Num(number) => match number.as_str().parse::<serde_json::Number>() {
                Ok(number) => number.serialize(serializer),
                Err(_) => Err(S::Error::custom("not a number")),
            },
            Value::Str(text) => serializer.serialize_str(text),
            Value::List(items) => items.serialize(serializer),
            Value::Map(map) if needs_wrap(map) => tagged(serializer, "$map", &**map),
            Value::Map(map) => map.serialize(serializer),
            Value::Asset(asset) => tagged(serializer, "$asset", &**asset),
            Value::Expr(expr) => tagged(serializer, "$expr", &**expr),
            Value::Sealed(bytes) => tagged(serializer, "$sealed", &BASE64.encode(bytes)),
            Value::Secret(_) => Err(S::Error::custom(
                "a secret must be sealed before it is stored",
            )),
        }
    }
}

fn needs_wrap(map: &Map) -> bool {
    map.len() == 1 && map.keys().next().is_some_and(|key| key.starts_with('$'))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        decode(json).map_err(D::Error::custom)
    }
}

fn decode(json: Json) -> Result<Value, String> {
    match json {
        Json::Array(items) => Ok(Value::List(Arc::new(
            items.into_iter().map(decode).collect::<Result<_, _>>()?,
        ))),
        Json::Object(mut map) => {
            let tag = (map.len() == 1)
                .then(|| map.keys().next().cloned())
                .flatten();
            match tag.as_deref() {
                Some("$expr") => {
                    let expr: Expr = serde_json::from_value(map["$expr"].take())
                        .map_err(|error| error.to_string())?;
                    Ok(Value::from(expr))
                }
                Some("$asset") => {
                    let asset: Asset = serde_json::from_value(map["$asset"].take())
                        .map_err(|error| error.to_string())?;
                    Ok(Value::from(asset))
                }
                Some("$sealed") => {
                    let text = map["$sealed"].as_str().unwrap_or_default();
                    let bytes = BASE64.decode(text).map_err(|error| error.to_string())?;
                    Ok(Value::Sealed(bytes.into()))
                }
                Some("$map") => match map["$map"].take() {
                    Json::Object(inner) => decode_map(inner),
                    _ => Err("`$map` must hold a map".to_owned()),
                },
                _ => decode_map(map),
            }
        }
        scalar => Ok(from_json(&scalar)),
    }
}

fn decode_map(map: serde_json::Map<String, Json>) -> Result<Value, String> {
    Ok(Value::Map(Arc::new(
        map.into_iter()
            .map(|(key, item)| Ok((Arc::from(key), decode(item)?)))
            .collect::<Result<_, String>>()?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::expr::Reference;

    #[test]
    fn stored_form_round_trips() {
        let value = Value::map([
            (
                "plain",
                Value::list([Value::from(1_i64), Value::Null, Value::from(true)]),
            ),
            ("odd", Value::map([("$expr", Value::from("text"))])),
            (
                "late",
                Value::from(Expr::from(Reference::output(
                    Address::parse("resources.a").unwrap(),
                    super::super::Path::key("id"),
                ))),
            ),
            ("sealed", Value::Sealed(Arc::from([1_u8, 2, 3].as_slice()))),
            (
                "big",
                from_json(&serde_json::from_str("123456789012345678901234567890.10").unwrap()),
            ),
        ]);
        let text = serde_json::to_string(&value).unwrap();
        assert!(text.contains("123456789012345678901234567890.10"), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back, value);
    }

    #[test]
    fn clear_secrets_are_refused() {
        let value = Value::map([("token", Value::secret("abc"))]);
        assert!(serde_json::to_string(&value).is_err());
    }
}
