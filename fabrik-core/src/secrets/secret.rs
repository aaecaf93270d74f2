//! A secret text in an author's struct.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

/// A secret text: a token in a provider's configuration, a password in a spec.
///
/// - `Debug` and `Display` never show it; [`Secret::expose`] is the only way to the text.
/// - Its JSON Schema is a string that is marked sensitive, so no `extend` is needed.
/// - It is overwritten in memory when dropped.
/// - It serialises as the text, because inputs of a resource are made from author's structs; the
///   schema then marks them, and from there on they do not serialise in clear.
///
/// ```
/// use fabrik_core::secrets::Secret;
///
/// let token = Secret::from("s3cr3t");
/// assert_eq!(format!("{token} {token:?}"), "(secret) (secret)");
/// assert_eq!(token.expose(), "s3cr3t");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself: for the wire, never for messages.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Secret(Zeroizing::new(text.into()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl std::fmt::Display for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::from)
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "x-fabrik": {"sensitive": true}})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_it_is_sensitive_and_keeps_other_facts() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Config {
            /// The token.
            token: Secret,
            /// A further one.
            #[serde(default)]
            #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "ACME_TOKEN"}))]
            other: Option<Secret>,
        }
        let schema = schemars::schema_for!(Config).to_value();
        let fields = crate::provider::Fields::of_schema(&schema);
        assert!(fields.properties["token"].sensitive);
        assert!(fields.properties["other"].sensitive);
        assert_eq!(
            fields.properties["other"].env.as_deref(),
            Some("ACME_TOKEN")
        );
    }
}
