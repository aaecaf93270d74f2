//! What a site is made of beside its content: WordPress itself, themes, plugins, files.
//!
//! These are read together with the content, in the same call, but written one after another, for
//! they are files and processes: nothing of them is in a transaction. Each write can be repeated; what
//! there was before it is kept at the site under the operation's id, so that an undo knows even when
//! the first reply was lost.

pub(crate) mod analytics;
pub(crate) mod core;
pub(crate) mod media;
mod package;
pub(crate) mod plugin;
mod probe;
pub(crate) mod theme;
mod zip;

use std::marker::PhantomData;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Found, Observed, ReadAnswer, decode, encode};
use fabrik_core::provider::{Cx, Keys, Lost, Object, OpId, Operation, TypeInfo};
use fabrik_core::secrets::{Secret, printable};
use fabrik_core::value::Value;
use fabrik_exec::Output;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::content::{AnyContent, group_key, ids};
use crate::site::Site;

/// How a type that is written by itself is read with the others.
pub(crate) trait Structure: Send + Sync + 'static {
    /// Full type name.
    const NAME: &'static str;
    /// What the user sets.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What the site tells.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// The operation that reads an object.
    fn ask(id: &str, prior: Option<&Self::Spec>) -> Result<Json>;

    /// An object from what the site gives.
    fn seen(raw: &Json, prior: Option<&Self::Spec>) -> Result<Observed<Self::Spec, Self::Outputs>>;
}

/// The half of a type that reads with the content.
pub(crate) struct Shown<K>(PhantomData<K>);

impl<K: Structure> Shown<K> {
    pub(crate) fn new() -> Shown<K> {
        Shown(PhantomData)
    }
}

impl<K: Structure> AnyContent for Shown<K> {
    fn type_name(&self) -> &'static str {
        K::NAME
    }

    fn apart(&self) -> bool {
        true
    }

    fn looks(&self) -> bool {
        false
    }

    fn read(&self, id: &str, prior: &Value) -> Result<Json> {
        K::ask(id, decode(prior).ok().as_ref())
    }

    fn object(&self, raw: &Json, prior: &Value) -> Result<Object> {
        let prior: Option<K::Spec> = decode(prior).ok();
        object::<K>(raw, prior.as_ref(), Vec::new())
    }

    fn outputs(&self, _: &Json, _: &Value) -> Result<Value> {
        Err(apart())
    }

    fn write(&self, _: &Operation, _: &Value, _: Option<&Json>) -> Result<Json> {
        Err(apart())
    }

    fn secrets(&self, _: &Value) -> Vec<Secret> {
        Vec::new()
    }
}

fn apart() -> Error {
    Error::new(ErrorKind::Unexpected, "this type is written by itself")
}

/// What holds of these types: a repeated write does what is still to be done.
fn repeatable(info: TypeInfo) -> TypeInfo {
    TypeInfo {
        lost: Lost::Key,
        settle: std::time::Duration::ZERO,
        timeout: std::time::Duration::from_secs(300),
        exclusive: true,
        ..info
    }
}

/// Read with the content; written while nobody else holds these locks.
fn keys(locks: &[&str]) -> Keys {
    Keys {
        locks: locks.iter().map(|lock| (*lock).into()).collect(),
        read_group: Some(group_key()),
        ..Keys::default()
    }
}

/// Reads one object by itself.
async fn one<K: Structure>(
    cx: &Cx,
    site: &Site,
    id: &str,
    prior: Option<&K::Spec>,
) -> ReadAnswer<K::Spec, K::Outputs> {
    let raw = asked(cx, site, K::ask(id, prior)?).await?;
    if raw.is_null() {
        return Ok(None);
    }
    K::seen(&raw, prior).map(Some)
}

/// An object as it is now, with what is kept beside it.
fn object<K: Structure>(raw: &Json, prior: Option<&K::Spec>, private: Vec<u8>) -> Result<Object> {
    let observed = K::seen(raw, prior)?;
    Ok(Object {
        id: ids::of(raw),
        inputs: encode(&observed.spec, None)?,
        outputs: encode(&observed.outputs, None)?,
        hidden: observed.hidden,
        private,
    })
}

/// Reads all objects that an operation lists.
async fn all<K: Structure>(
    cx: &Cx,
    site: &Site,
    op: Json,
) -> Result<Vec<Found<K::Spec, K::Outputs>>> {
    let rows = asked(cx, site, op).await?;
    let mut found = Vec::new();
    for raw in rows.as_array().into_iter().flatten() {
        found.push(Found {
            id: ids::of(raw),
            observed: K::seen(raw, None)?,
            marked: false,
        });
    }
    Ok(found)
}

/// One question to the site.
async fn asked(cx: &Cx, site: &Site, op: Json) -> Result<Json> {
    Ok(site.read(cx, vec![op]).await?.pop().unwrap_or_default())
}

/// Has the site do something outside of a transaction. Where the reply is lost, it may have.
async fn told(cx: &Cx, site: &Site, op: Json) -> Result<Json> {
    asked(cx, site, op)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::Refused | ErrorKind::Invalid | ErrorKind::Permission => error,
            _ => error.effect(Effect::Unknown),
        })
}

/// The beginning of a write: what is there now, and what was there before this operation was first
/// tried.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Begun {
    row: Option<Json>,
    first: Json,
}

/// The operation that begins a write.
fn begin(kind: &str, id: &str, op: OpId) -> Json {
    json!({"kind": kind, "do": "begin", "id": id, "op": op.to_string()})
}

fn begun(raw: Json) -> Result<Begun> {
    serde_json::from_value(raw).map_err(|error| {
        Error::new(ErrorKind::Misbehaved, "the site's answer does not fit").cause(error)
    })
}

/// What there was before Fabrik, kept beside an object.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct First {
    first: Json,
}

impl First {
    fn bytes(first: &Json) -> Vec<u8> {
        serde_json::to_vec(&First {
            first: first.clone(),
        })
        .unwrap_or_default()
    }

    fn of(bytes: &[u8]) -> Json {
        serde_json::from_slice::<First>(bytes)
            .unwrap_or_default()
            .first
    }
}

/// Why a command of WP-CLI failed, in its own words.
fn why(output: &Output) -> String {
    let lines = output.last_lines();
    let fatal = lines
        .iter()
        .find(|line| line.contains("Fatal error") || line.contains("Uncaught"));
    let said = fatal.or_else(|| lines.iter().rev().find(|line| line.starts_with("Error:")));
    let said = said.or_else(|| lines.iter().rev().find(|line| !line.trim().is_empty()));
    said.map_or_else(String::new, |line| {
        short(line.trim_start_matches("Error: "))
    })
}

/// A text of the site's, fit for a message.
fn short(text: &str) -> String {
    printable(text).chars().take(400).collect()
}

/// A finding.
fn finding(
    blocking: bool,
    field: &str,
    message: String,
    hint: &str,
) -> fabrik_core::provider::Finding {
    fabrik_core::provider::Finding {
        blocking,
        message,
        hint: Some(hint.to_owned()),
        field: Some(fabrik_core::value::Path::parse(field)),
        adopt: None,
    }
}

/// Whether version `have` is at least `want`, by their numbers.
fn at_least(have: &str, want: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(['.', '-', '+', ' '])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    let (mut have, mut want) = (numbers(have), numbers(want));
    let most = have.len().max(want.len());
    have.resize(most, 0);
    want.resize(most, 0);
    have >= want
}

#[cfg(test)]
mod tests {
    use super::at_least;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (have, want) in [
            ("6.10", "6.9"),
            ("7.1.1", "7.1"),
            ("7.1", "7.1.0"),
            ("8.2.35", "7.4"),
            ("6.7-alpha", "6.7"),
        ] {
            assert!(at_least(have, want), "{have} {want}");
        }
        for (have, want) in [("6.9", "6.10"), ("7.1", "7.1.1"), ("8.2.35", "99.0")] {
            assert!(!at_least(have, want), "{have} {want}");
        }
    }
}
