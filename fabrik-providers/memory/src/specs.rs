//! What a user sets of each type, and what the cloud tells.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A note in a folder. Titles may repeat: the cloud tells notes apart by their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteSpec {
    /// The folder; a note cannot move, so a change makes a new one.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub folder: String,
    /// Its title.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its tags, in no order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Vec<String>,
    /// Something that the cloud takes and never shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true}))]
    pub secret: Option<String>,
}

/// What the cloud tells of a note.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ThingOutputs {
    /// Where it answers.
    pub url: String,
    /// How often it was changed.
    pub rev: u64,
}

/// Something with a name that nothing else has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameSpec {
    /// The name.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "lower"}))]
    pub name: String,
    /// What it stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Something whose create the cloud does once for each idempotency key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyedSpec {
    /// Its name, which may repeat.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Something large, made in several steps: reserved, uploaded part by part, sealed. Its content
/// cannot be brought back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlobSpec {
    /// Its name, which may repeat.
    #[schemars(length(min = 1))]
    pub name: String,
    /// How many parts it has.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 1000), extend("x-fabrik" = {"replace": true}))]
    pub parts: u64,
}

fn three() -> u64 {
    3
}

/// What the cloud tells of a blob.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BlobOutputs {
    /// Where it answers.
    pub url: String,
    /// Whether all of it is there.
    pub sealed: bool,
}

/// A record of a zone. All changes of a zone go in one write, all or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSpec {
    /// The zone.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub zone: String,
    /// The record's name, which may repeat.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A page of a site. All changes of a site go in one write, all or none, and pages may refer to
/// each other in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSpec {
    /// The site.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub site: String,
    /// Its title.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The id of the page above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// Something of which up to fifty are written at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchSpec {
    /// Its name, which may repeat.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A remark on a note, which goes when the note goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChildSpec {
    /// The note's id.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub note: String,
    /// The address of the note in the stack, such as `resources.readme`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// What is remarked.
    pub text: String,
}

/// Empties a cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlushSpec {
    /// Which cache.
    pub cache: String,
}

/// What came of a flush.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlushOutputs {
    /// Which cache was emptied.
    pub flushed: String,
}

/// The newest note of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LatestSpec {
    /// The folder.
    #[serde(default)]
    pub folder: String,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatestOutputs {
    /// The note's id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// Nothing at all: for measuring.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NullSpec {
    /// Any values, which may refer to others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// Values whose change makes a new one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub triggers: BTreeMap<String, String>,
}

/// What is told of nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NullOutputs {
    /// Its id.
    pub id: String,
}

/// An app on the cloud: the part that plays the role of a runtime. Nothing really runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// Its name, which no other app has.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What to run: the name of an image, a folder or a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Its environment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// How many of it run.
    #[serde(default = "one")]
    pub replicas: u32,
    /// Host names it answers at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub hosts: Vec<String>,
}

fn one() -> u32 {
    1
}

/// What the cloud tells of an app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppOutputs {
    /// Where it answers.
    pub url: String,
    /// What records of its host names must point at.
    pub ingress: String,
}

/// A DNS record: the part that plays the role of DNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsSpec {
    /// The host name.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// Where it points: an address or a host name.
    #[schemars(length(min = 1))]
    pub target: String,
    /// How many seconds answers may be kept.
    #[serde(default = "ttl")]
    pub ttl: u32,
}

fn ttl() -> u32 {
    300
}

/// What the cloud tells of a DNS record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DnsOutputs {
    /// The host name with its final dot.
    pub fqdn: String,
}
