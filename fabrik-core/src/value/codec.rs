//! The stored form: JSON with tagged objects for what JSON has not.
//!
//! `{"$expr": …}`, `{"$asset": …}`, `{"$sealed": "base64"}`; a map with a key that starts with `$`
//! is wrapped in `{"$map": …}`, so the first key tells a tag from data. A clear secret is refused:
//! seal it first.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Asset, Map, Number, Value, share};
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
    map.keys().any(|key| key.starts_with('$'))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

/// What serde_json shows a number as when its digits are kept.
const NUMBER: &str = "$serde_json::private::Number";

/// Builds a value straight from the text, without a second tree in between.
struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_none<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(Tree)
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }
    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        let number = serde_json::Number::from_f64(number)
            .ok_or_else(|| E::custom("a number must be finite"))?;
        digits(&number.to_string())
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Str(share::text(text)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        list.shrink_to_fit();
        Ok(share::container(Value::List(Arc::new(list))))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let Some(Key(first)) = entries.next_key()? else {
            return Ok(Value::Map(Arc::default()));
        };
        let value = match &*first {
            NUMBER => digits(&entries.next_value::<String>()?)?,
            "$expr" => Value::from(entries.next_value::<Expr>()?),
            "$asset" => Value::from(entries.next_value::<Asset>()?),
            "$sealed" => {
                let text: String = entries.next_value()?;
                Value::Sealed(BASE64.decode(text).map_err(A::Error::custom)?.into())
            }
            "$map" => entries.next_value_seed(Plain)?,
            _ => return rest_of_map(Some(first), entries),
        };
        match entries.next_key::<Key>()? {
            None => Ok(value),
            Some(Key(key)) => Err(A::Error::custom(format!("`{key}` beside `{first}`"))),
        }
    }
}

/// The content of `$map`: a map in which every key stands for itself.
struct Plain;

impl<'de> DeserializeSeed<'de> for Plain {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Plain {
    type Value = Value;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map")
    }
    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        rest_of_map(None, entries)
    }
}

fn rest_of_map<'de, A: MapAccess<'de>>(
    first: Option<Arc<str>>,
    mut entries: A,
) -> Result<Value, A::Error> {
    let mut found = Vec::new();
    if let Some(first) = first {
        found.push((first, entries.next_value()?));
    }
    while let Some((Key(key), value)) = entries.next_entry()? {
        found.push((key, value));
    }
    let map: Map = found.into_iter().collect();
    Ok(share::container(Value::Map(Arc::new(map))))
}

fn digits<E: Error>(text: &str) -> Result<Value, E> {
    Number::parse_shared(text)
        .map(Value::Num)
        .ok_or_else(|| E::custom(format!("`{text}` is not a number")))
}

struct Key(Arc<str>);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        share::repeated(deserializer).map(Key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;
    use crate::expr::Reference;
    use crate::value::from_json;

    #[test]
    fn stored_form_round_trips() {
        let value = Value::map([
            (
                "plain",
                Value::list([Value::from(1_i64), Value::Null, Value::from(true)]),
            ),
            ("odd", Value::map([("$expr", Value::from("text"))])),
            (
                "odder",
                Value::map([
                    ("$expr", Value::from(1_i64)),
                    ("$map", Value::map([(NUMBER, Value::from("5"))])),
                    ("!", Value::Null),
                    ("", Value::list([])),
                ]),
            ),
            ("empty", Value::map::<&str>([])),
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
    fn damaged_tags_are_errors() {
        for text in [
            r#"{"$sealed":"?"}"#,
            r#"{"$map":[]}"#,
            r#"{"$expr":{}}"#,
            r#"{"$sealed":"AQ","b":1}"#,
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn clear_secrets_are_refused() {
        let value = Value::map([("token", Value::secret("abc"))]);
        assert!(serde_json::to_string(&value).is_err());
    }
}
