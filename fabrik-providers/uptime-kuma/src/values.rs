//! Forms of values in inputs.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Finding;
use fabrik_core::value::{Path, Value};
use fabrik_core::verify::{duration_text, parse_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};

/// The id of a monitor, tag, docker host: a number, which a reference gives as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u64);

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id such as `12`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                number(text)
                    .map(Id)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_u64<E: de::Error>(self, id: u64) -> Result<Id, E> {
                Ok(Id(id))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^[0-9]+$",
            "minimum": 1,
            "x-fabrik": {"same": "text"},
        })
    }
}

/// A length of time in whole seconds: `30s`, `2m`; a number stands for seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&duration_text(Duration::from_secs(self.0)))
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl Visitor<'_> for Form {
            type Value = Seconds;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time in whole seconds, such as `30s`")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
                whole_seconds(text)
                    .map(Seconds)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                Ok(Seconds(seconds))
            }
        }
        deserializer.deserialize_any(Form)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^([0-9]+(s|m|h|d)?)+$",
            "minimum": 0,
            "x-fabrik": {"same": "duration"},
        })
    }
}

/// The seconds of a value that is known and a length of time.
pub(crate) fn seconds_of(value: &Value) -> Option<u64> {
    match value.reveal() {
        Value::Num(number) => number.as_str().parse().ok(),
        other => whole_seconds(other.as_str()?),
    }
}

fn whole_seconds(text: &str) -> Option<u64> {
    if let Some(seconds) = number(text) {
        return Some(seconds);
    }
    let duration = parse_duration(text)?;
    (duration.subsec_nanos() == 0).then_some(duration.as_secs())
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The number in an object's id.
///
/// # Errors
/// [`ErrorKind::Invalid`], showing the form.
pub(crate) fn object_id(type_name: &str, id: &str) -> Result<u64> {
    number(id).ok_or_else(|| {
        Error::new(
            ErrorKind::Invalid,
            format!("`{}` is no id of `{type_name}`", id.escape_default()),
        )
        .hint("an id is a number, such as `12`: the last part of the address in the browser")
    })
}

/// A finding that stops the plan.
pub(crate) fn stop(field: &str, message: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding {
        blocking: true,
        message: message.into(),
        hint: Some(hint.into()),
        field: Some(Path::parse(field)),
        adopt: None,
    }
}

/// Whether a field is set, known or not.
pub(crate) fn is_set(inputs: &Value, field: &str) -> bool {
    inputs.get(field).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_and_seconds_are_read_in_both_forms() {
        for form in [json!(12), json!("12")] {
            assert_eq!(serde_json::from_value::<Id>(form).unwrap(), Id(12));
        }
        assert_eq!(serde_json::to_value(Id(12)).unwrap(), json!("12"));
        assert!(serde_json::from_value::<Id>(json!("a")).is_err());
        for form in [json!(90), json!("90"), json!("90s"), json!("1m30s")] {
            assert_eq!(
                serde_json::from_value::<Seconds>(form).unwrap(),
                Seconds(90)
            );
        }
        assert_eq!(serde_json::to_value(Seconds(90)).unwrap(), json!("1m30s"));
        assert!(serde_json::from_value::<Seconds>(json!("1500ms")).is_err());
    }

    #[test]
    fn an_id_of_another_form_shows_the_form() {
        assert_eq!(object_id("uptime_kuma.tag", "7").unwrap(), 7);
        let error = object_id("uptime_kuma.tag", "seven").unwrap_err();
        assert!(
            error
                .message()
                .contains("`seven` is no id of `uptime_kuma.tag`")
        );
        assert!(error.hint_text().unwrap().contains("a number"));
    }
}
