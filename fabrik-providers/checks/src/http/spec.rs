//! What an `http` check is told.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::field::Timeout;

/// A URL answers with the expected status, headers and body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// What to ask for. Names under `.localhost` are always this machine.
    pub(super) url: String,
    /// Connect here (`host:port`) instead of to the URL's host; the URL still decides what is asked
    /// for, and which name the certificate must have.
    pub(super) connect: Option<String>,
    /// The `Host` header to send, when it is not the URL's host.
    pub(super) host: Option<String>,
    /// The method; `GET` unless set.
    #[serde(default)]
    pub(super) method: Method,
    /// Headers to send.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// The expected status, or a list of them; 200 unless set.
    #[serde(default)]
    pub(super) status: Statuses,
    /// Headers the answer must have, each with a text its value must contain (empty: any value).
    #[serde(default)]
    pub(super) header: BTreeMap<String, String>,
    /// A text the body must contain.
    pub(super) contains: Option<String>,
    /// Texts the body must not contain.
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    /// The exact body, white space at its ends aside.
    pub(super) body: Option<String>,
    /// Values a JSON body must have, by JSON pointer: `/status: ok`.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Json>,
    /// Whether redirects are followed; they are, unless the expected status is itself a redirect.
    pub(super) redirects: Option<bool>,
    /// How long one try may take; 10 seconds unless set.
    #[serde(default)]
    pub(super) timeout: Timeout,
}

impl Spec {
    pub(super) fn follows_redirects(&self) -> bool {
        self.redirects.unwrap_or_else(|| {
            !self
                .status
                .0
                .iter()
                .all(|status| (300..400).contains(status))
        })
    }
}

/// Methods that a check may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    /// Asks for the page.
    #[default]
    Get,
    /// Asks for the headers only.
    Head,
    /// Asks what is allowed.
    Options,
    /// Sends an empty request.
    Post,
}

/// One status or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statuses(pub(super) Vec<u16>);

impl Default for Statuses {
    fn default() -> Self {
        Statuses(vec![200])
    }
}

impl std::fmt::Display for Statuses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(" or "))
    }
}

impl<'de> Deserialize<'de> for Statuses {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(input)?;
        let one = |json: &Json| {
            json.as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (100..600).contains(status))
                .ok_or_else(|| D::Error::custom(format!("`{json}` is no HTTP status")))
        };
        let list: Result<Vec<u16>, _> = match &json {
            Json::Array(items) => items.iter().map(one).collect(),
            json => one(json).map(|status| vec![status]),
        };
        let list = list?;
        if list.is_empty() {
            return Err(D::Error::custom("the list of statuses is empty"));
        }
        Ok(Statuses(list))
    }
}

impl JsonSchema for Statuses {
    fn schema_name() -> Cow<'static, str> {
        "Statuses".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "array"],
            "minimum": 100,
            "maximum": 599,
            "items": {"type": "integer", "minimum": 100, "maximum": 599},
            "minItems": 1
        })
    }
}
