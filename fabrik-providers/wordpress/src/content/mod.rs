//! What is read and written in one call: pages, menus, settings.
//!
//! A type says how an object of it is asked for, understood and written ([`Content`]); everything
//! else is here. Adding one is its file and a line in [`crate::provider`].

mod group;
pub(crate) mod ids;
mod kept;
mod links;
pub(crate) mod sections;
pub(crate) mod values;

use std::marker::PhantomData;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{
    Change, Created, Found, Observed, ReadAnswer, Resource, decode, encode,
};
use fabrik_core::provider::{
    Cx, Finding, Keys, Lost, Object, OpId, Operation, Planned, Proposal, TypeInfo, Verb, WriteGroup,
};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

pub(crate) use group::Together;
pub(crate) use kept::{Kept, Sent};
pub(crate) use links::{fill, group_key, is_open};

use crate::request::{Facts, Survey};
use crate::site::Site;

/// A type of content.
pub(crate) trait Content: Send + Sync + 'static {
    /// Full type name.
    const TYPE: &'static str;
    /// What the user sets.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What the site tells.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// States what the engine should know of the type.
    fn describe(info: TypeInfo) -> TypeInfo {
        info
    }

    /// Refuses, without a look at the site, what cannot be. Texts that wait for other objects are
    /// [open](is_open).
    fn check(spec: &Self::Spec) -> Result<()> {
        let _ = spec;
        Ok(())
    }

    /// What would fail or surprise on this site.
    fn preflight(spec: &Self::Spec, facts: &Facts) -> Vec<Finding> {
        let _ = (spec, facts);
        Vec::new()
    }

    /// The id of an existing object of the same name.
    fn named(spec: &Self::Spec, survey: &Survey) -> Option<String> {
        let _ = (spec, survey);
        None
    }

    /// The operation that reads an object; `prior` is what was last sent, if anything.
    fn read(id: &str, prior: Option<&Self::Spec>) -> Result<Json>;

    /// The inputs as the site takes them; a value that says the same as what was last sent stays as
    /// it was sent.
    fn normal(desired: &Value, last: Option<&Value>) -> Value {
        let _ = last;
        desired.clone()
    }

    /// Whether a site has this once.
    const ONCE: bool = false;

    /// The operation that reads all objects, for what a site has several of and can list.
    fn list() -> Option<Json> {
        None
    }

    /// An object from what the site gives.
    fn seen(raw: &Json, prior: Option<&Self::Spec>) -> Result<(Self::Spec, Self::Outputs)>;

    /// Fields that the site does not show.
    fn hidden() -> &'static [&'static str] {
        &[]
    }

    /// The operation that writes an object.
    fn write(write: &Write<'_, Self::Spec>) -> Result<Json>;

    /// Secrets in a spec.
    fn secrets(spec: &Self::Spec) -> Vec<Secret> {
        let _ = spec;
        Vec::new()
    }

    /// Whether writing an object that exists needs to know what is there now.
    const LOOKS: bool = false;
}

/// The operation that reads what is not there; it is not sent.
pub(crate) fn nothing() -> Json {
    Json::Null
}

/// One object to write.
pub(crate) struct Write<'a, S> {
    pub(crate) verb: Verb,
    /// The object's id; empty for a create.
    pub(crate) id: &'a str,
    /// What is wanted; `None` for a delete.
    pub(crate) spec: Option<&'a S>,
    /// What was last sent.
    pub(crate) prior: Option<&'a S>,
    /// The object as the site gave it just before, for types that [look](Content::LOOKS).
    pub(crate) raw: Option<&'a Json>,
    /// What was kept from the last write.
    pub(crate) kept: &'a Kept,
    /// It undoes an earlier write.
    pub(crate) undoes: bool,
}

impl<S> Write<'_, S> {
    /// What is wanted.
    pub(crate) fn wanted(&self) -> Result<&S> {
        self.spec
            .ok_or_else(|| Error::new(ErrorKind::Unexpected, "a write without inputs"))
    }

    /// `create`, `update` or `delete`.
    pub(crate) fn word(&self) -> &'static str {
        self.verb.word()
    }
}

/// A type of content as the engine sees it.
pub(crate) struct Typed<K>(PhantomData<K>);

impl<K: Content> Typed<K> {
    pub(crate) fn new() -> Typed<K> {
        Typed(PhantomData)
    }

    fn observed(raw: &Json, prior: Option<&K::Spec>) -> Result<Observed<K::Spec, K::Outputs>> {
        let (spec, outputs) = K::seen(raw, prior)?;
        let mut observed = Observed::new(spec, outputs).hidden(K::hidden());
        observed.private = Kept::of_raw(raw).bytes();
        Ok(observed)
    }
}

/// The object-safe half of a type of content.
pub(crate) trait AnyContent: Send + Sync {
    fn type_name(&self) -> &'static str;
    /// It is read with the content and written by itself.
    fn apart(&self) -> bool {
        false
    }
    fn looks(&self) -> bool;
    fn read(&self, id: &str, prior: &Value) -> Result<Json>;
    fn object(&self, raw: &Json, prior: &Value) -> Result<Object>;
    fn outputs(&self, raw: &Json, inputs: &Value) -> Result<Value>;
    fn write(&self, operation: &Operation, inputs: &Value, raw: Option<&Json>) -> Result<Json>;
    fn secrets(&self, inputs: &Value) -> Vec<Secret>;
}

impl<K: Content> AnyContent for Typed<K> {
    fn type_name(&self) -> &'static str {
        K::TYPE
    }

    fn looks(&self) -> bool {
        K::LOOKS
    }

    fn read(&self, id: &str, prior: &Value) -> Result<Json> {
        K::read(id, decode(prior).ok().as_ref())
    }

    fn object(&self, raw: &Json, prior: &Value) -> Result<Object> {
        let prior: Option<K::Spec> = decode(prior).ok();
        let observed = Self::observed(raw, prior.as_ref())?;
        Ok(Object {
            id: ids::of(raw),
            inputs: encode(&observed.spec, None)?,
            outputs: encode(&observed.outputs, None)?,
            hidden: observed.hidden,
            private: observed.private,
        })
    }

    fn outputs(&self, raw: &Json, inputs: &Value) -> Result<Value> {
        let prior: Option<K::Spec> = decode(inputs).ok();
        let (_, outputs) = K::seen(raw, prior.as_ref())?;
        encode(&outputs, None)
    }

    fn write(&self, operation: &Operation, inputs: &Value, raw: Option<&Json>) -> Result<Json> {
        let spec: Option<K::Spec> = match operation.verb {
            Verb::Delete => None,
            _ => Some(decode(inputs)?),
        };
        if let Some(spec) = &spec {
            K::check(spec)?;
        }
        let known = operation.prior.as_ref();
        let prior: Option<K::Spec> = known.and_then(|prior| decode(&prior.inputs).ok());
        let kept = known.map_or_else(Kept::default, |prior| Kept::read(&prior.private));
        let id = match operation.verb {
            Verb::Create => "",
            _ => operation.id()?,
        };
        K::write(&Write {
            verb: operation.verb,
            id,
            spec: spec.as_ref(),
            prior: prior.as_ref(),
            raw,
            kept: &kept,
            undoes: operation.undoes.is_some(),
        })
    }

    fn secrets(&self, inputs: &Value) -> Vec<Secret> {
        let spec: Option<K::Spec> = decode(inputs).ok();
        spec.map(|spec| K::secrets(&spec)).unwrap_or_default()
    }
}

fn apart<T>(what: &str) -> Result<T> {
    Err(Error::new(
        ErrorKind::Unexpected,
        format!("content is {what} together"),
    ))
}

impl<K: Content> Resource for Typed<K> {
    const TYPE: &'static str = K::TYPE;
    type Client = Site;
    type Spec = K::Spec;
    type Outputs = K::Outputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        K::describe(TypeInfo {
            // What a call did stands in the site's journal, in the same transaction.
            lost: Lost::Name,
            settle: Duration::ZERO,

            ..info
        })
    }

    async fn create(&self, _: &Cx, _: &Site, _: &K::Spec) -> Result<Created<K::Outputs>> {
        apart("written")
    }

    async fn read(&self, cx: &Cx, site: &Site, id: &str) -> ReadAnswer<K::Spec, K::Outputs> {
        let raw = site.read(cx, vec![K::read(id, None)?]).await?.pop();
        let raw = raw.filter(|raw| !raw.is_null());
        raw.map(|raw| Self::observed(&raw, None)).transpose()
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Site,
        _: &str,
        _: &Change<'_, K::Spec>,
    ) -> Result<K::Outputs> {
        apart("written")
    }

    async fn delete(&self, _: &Cx, _: &Site, _: &str) -> Result<()> {
        apart("written")
    }

    fn keys(&self, _: &Site, _: &Value) -> Keys {
        let group = links::group_key();
        Keys {
            locks: vec![group.clone()],
            read_group: Some(group.clone()),
            write_group: Some(WriteGroup {
                key: group,
                whole: true,
                linked: true,
                atomic: true,
                max: 0,
            }),
            deleted_with: None,
        }
    }

    async fn plan(&self, cx: &Cx, site: &Site, proposal: Proposal<'_>) -> Result<Planned> {
        let mut findings = Vec::new();
        let spec: Result<K::Spec> = decode(&links::guessed(proposal.desired));
        match spec {
            Ok(spec) => {
                K::check(&spec)?;
                let facts = site.facts(cx).await?;
                findings = K::preflight(&spec, &facts);
                if facts.limited {
                    findings.extend(crate::channel::rest::limits(K::TYPE, proposal.desired));
                }
            }
            // What is not known yet may be of another kind.
            Err(_) if proposal.desired.has_unknown() => {}
            Err(error) => return Err(error),
        }
        Ok(Planned {
            inputs: K::normal(
                proposal.desired,
                proposal.last_sent.map(|object| &object.inputs),
            ),
            replace: Vec::new(),
            findings,
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        site: &Site,
        op: OpId,
        spec: &K::Spec,
    ) -> Result<Option<Found<K::Spec, K::Outputs>>> {
        let survey = site.survey(cx, op).await?;
        let made = survey.ops.get(&op.to_string()).cloned();
        let marked = made.is_some();
        let Some(id) = made.or_else(|| K::named(spec, &survey)) else {
            return Ok(None);
        };
        let raw = site.read(cx, vec![K::read(&id, Some(spec))?]).await?.pop();
        let Some(raw) = raw.filter(|raw| !raw.is_null()) else {
            return Ok(None);
        };
        Ok(Some(Found {
            observed: Self::observed(&raw, Some(spec))?,
            id,
            marked,
        }))
    }

    async fn list(&self, cx: &Cx, site: &Site) -> Result<Vec<Found<K::Spec, K::Outputs>>> {
        let Some(list) = K::list() else {
            if !K::ONCE {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{}` cannot be listed", K::TYPE),
                ));
            }
            let found = site.read(cx, vec![K::read(ids::SITE, None)?]).await?;
            let there = found.into_iter().filter(|raw| !raw.is_null());
            return there.map(|raw| found_of::<K>(&raw)).collect();
        };
        let found = site.read(cx, vec![list]).await?.pop().unwrap_or_default();
        let rows = found.as_array().cloned().unwrap_or_default();
        rows.iter().map(found_of::<K>).collect()
    }
}

fn found_of<K: Content>(raw: &Json) -> Result<Found<K::Spec, K::Outputs>> {
    Ok(Found {
        id: ids::of(raw),
        observed: Typed::<K>::observed(raw, None)?,
        marked: false,
    })
}
