//! Field types that several checks share.

use std::borrow::Cow;
use std::time::Duration;

use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, parse_duration};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

/// Reads a check's spec.
pub(crate) fn spec<T: DeserializeOwned>(kind: &str, json: &Json) -> Result<T, CheckFailure> {
    T::deserialize(json)
        .map_err(|error| CheckFailure::fatal(format!("the `{kind}` check is not valid: {error}")))
}

/// The JSON Schema of a check's spec, without the outer title.
pub(crate) fn schema<T: JsonSchema>() -> Json {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .into_generator()
        .into_root_schema_for::<T>();
    schema.remove("title");
    schema.to_value()
}

/// How long one try may take: `10s`, or a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeout(pub(crate) Duration);

impl Timeout {
    /// The budget of one try: the spec's, but not more than is left of the check's.
    pub(crate) fn within(self, cx: &Cx) -> Duration {
        cx.time_left().map_or(self.0, |left| left.min(self.0))
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Timeout(Duration::from_secs(10))
    }
}

impl<'de> Deserialize<'de> for Timeout {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(input)?;
        let parsed = match &json {
            Json::String(text) => parse_duration(text),
            Json::Number(number) => number.as_u64().map(Duration::from_secs),
            _ => None,
        };
        parsed
            .filter(|timeout| !timeout.is_zero())
            .map(Timeout)
            .ok_or_else(|| D::Error::custom(format!("`{json}` is no duration such as `10s`")))
    }
}

impl JsonSchema for Timeout {
    fn schema_name() -> Cow<'static, str> {
        "Timeout".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "pattern": "^([0-9]+(ms|s|m|h|d)?)+$",
            "minimum": 1
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_as_text_and_number() {
        let read = |json: Json| serde_json::from_value::<Timeout>(json).map(|timeout| timeout.0);
        assert_eq!(read("500ms".into()).unwrap(), Duration::from_millis(500));
        assert_eq!(read(3.into()).unwrap(), Duration::from_secs(3));
        for bad in [Json::from("soon"), 0.into(), Json::Bool(true), (-1).into()] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }
}
