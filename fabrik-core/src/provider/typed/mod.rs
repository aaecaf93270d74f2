//! The typed layer for provider authors: plain `async fn` over your own structs.
//!
//! A type is a unit struct with a [`Resource`] (or [`Lookup`], [`Action`]) implementation; a
//! provider is a name, a configuration, a way to connect, and its types.
//!
//! ```
//! use fabrik_core::provider::typed::{Change, Created, Observed, ProviderBuilder, Resource};
//! use fabrik_core::provider::{Cx, Provider as _};
//! use fabrik_core::error::Result;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// How to reach Acme.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Config {}
//!
//! /// A note kept by Acme.
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct NoteSpec {
//!     /// A note cannot move, so a change makes a new one.
//!     #[schemars(extend("x-fabrik" = {"replace": true}))]
//!     folder: String,
//!     /// Its text.
//!     text: String,
//! }
//! #[derive(Clone, Serialize, Deserialize, JsonSchema)]
//! struct NoteOut { url: String }
//!
//! struct Note;
//! impl Resource for Note {
//!     const TYPE: &'static str = "acme.note";
//!     type Client = ();
//!     type Spec = NoteSpec;
//!     type Outputs = NoteOut;
//!
//!     async fn create(&self, _cx: &Cx, _: &(), spec: &NoteSpec) -> Result<Created<NoteOut>> {
//!         let id = format!("{}/1", spec.folder);
//!         Ok(Created::new(id.clone(), NoteOut { url: format!("https://acme.test/{id}") }))
//!     }
//!     async fn read(&self, _cx: &Cx, _: &(), _id: &str) -> Result<Option<Observed<NoteSpec, NoteOut>>> {
//!         Ok(None)
//!     }
//!     async fn update(&self, _cx: &Cx, _: &(), id: &str, _: &Change<'_, NoteSpec>) -> Result<NoteOut> {
//!         Ok(NoteOut { url: format!("https://acme.test/{id}") })
//!     }
//!     async fn delete(&self, _cx: &Cx, _: &(), _id: &str) -> Result<()> {
//!         Ok(())
//!     }
//! }
//!
//! let provider = ProviderBuilder::new("acme", "0.1.0", async |_cx: &Cx, _config: Config| Ok(()))
//!     .resource(Note)
//!     .build();
//! assert!(provider.info().type_named("acme.note").is_some());
//! ```

mod examine;
mod group;
mod groups;
mod handler;
mod linked;
mod provider;
mod stack;

use std::future::Future;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{
    Cx, Keys, LogLine, LogOptions, Object, OpId, Operation, Outcome, Planned, Proposal, TypeInfo,
};
use crate::error::{Error, ErrorKind, Result};
use crate::value::{Path, Segment, Value, from_json, to_wire};

pub use examine::{Examine, ExamineFn};
pub use group::Member;
pub use groups::Groups;
pub use linked::linked_inputs;
pub use provider::{Open, ProviderBuilder, TypedProvider};
pub use stack::Handle;

/// A type whose objects are created, read, updated and deleted.
///
/// *Behaviour*, tested by the conformance suite:
/// - `create` returns once the object exists; when it takes several calls, it calls
///   [`Cx::made`] after each, so that a crash in between loses nothing.
/// - `read` right after `create` shows what was set; a gone or unknown id gives `None`.
/// - `update` keeps the id and leaves alone what Fabrik does not manage. A type whose objects cannot
///   change in place sets [`TypeInfo::updatable`] to false in [`Resource::describe`].
/// - `delete` of something absent succeeds.
/// - errors of mutating calls state their effect ([`Error::effect`]).
pub trait Resource: Send + Sync + 'static {
    /// Full type name: `acme.note`.
    const TYPE: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// What the user sets. `deny_unknown_fields`; no `flatten`, `untagged` or internal tags.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What the service tells.
    ///
    /// A name that [`Resource::Spec`] has too must stand for the same value: a reference finds the
    /// input while the object is yet to be made and the output afterwards, and a plan shows what
    /// comes out. There is no need to repeat an input, for references find those as well; what
    /// differs, as an absolute path does from a relative one, has a name of its own.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// States what the engine should know of the type besides its schemas.
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        info
    }

    /// Makes an object. [`Cx::op`] is the idempotency key or mark.
    fn create(
        &self,
        cx: &Cx,
        client: &Self::Client,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Created<Self::Outputs>>> + Send;

    /// Goes on with a create that was broken off after a checkpoint. Called only for types that set
    /// [`TypeInfo::resumable`]; for others what exists is deleted and the create starts anew.
    fn resume(
        &self,
        cx: &Cx,
        client: &Self::Client,
        spec: &Self::Spec,
        checkpoint: &Object,
    ) -> impl Future<Output = Result<Created<Self::Outputs>>> + Send {
        let _ = checkpoint;
        self.create(cx, client, spec)
    }

    /// Reads an object.
    fn read(
        &self,
        cx: &Cx,
        client: &Self::Client,
        id: &str,
    ) -> impl Future<Output = Result<Option<Observed<Self::Spec, Self::Outputs>>>> + Send;

    /// Changes an object in place.
    fn update(
        &self,
        cx: &Cx,
        client: &Self::Client,
        id: &str,
        change: &Change<'_, Self::Spec>,
    ) -> impl Future<Output = Result<Self::Outputs>> + Send;

    /// Removes an object.
    fn delete(
        &self,
        cx: &Cx,
        client: &Self::Client,
        id: &str,
    ) -> impl Future<Output = Result<()>> + Send;

    /// Removes an object, for types whose removal depends on more than the id: what was last sent
    /// ([`Object::inputs`]) says how. Calls [`Resource::delete`] unless overridden.
    fn delete_object(
        &self,
        cx: &Cx,
        client: &Self::Client,
        object: &Object,
    ) -> impl Future<Output = Result<()>> + Send {
        async move { self.delete(cx, client, &object.id).await }
    }

    /// How steps go together; pure. Inputs may hold unknowns.
    fn keys(&self, client: &Self::Client, inputs: &Value) -> Keys {
        let _ = (client, inputs);
        Keys::default()
    }

    /// Normalises desired inputs and looks, never writes, for what would fail.
    fn plan(
        &self,
        cx: &Cx,
        client: &Self::Client,
        proposal: Proposal<'_>,
    ) -> impl Future<Output = Result<Planned>> + Send {
        let _ = (cx, client);
        let inputs = proposal.desired.clone();
        async move {
            Ok(Planned {
                inputs,
                ..Planned::default()
            })
        }
    }

    /// Finds a create whose reply was lost (by the mark or name the type declares), or an existing
    /// object of the same name before a create. `None`: nothing there.
    fn locate(
        &self,
        cx: &Cx,
        client: &Self::Client,
        op: OpId,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Option<Found<Self::Spec, Self::Outputs>>>> + Send {
        let _ = (cx, client, op, spec);
        async {
            Err(Error::new(
                ErrorKind::Unsupported,
                "this type cannot be located",
            ))
        }
    }

    /// Reads several objects of one read group; unless overridden, one after another.
    fn read_many(
        &self,
        cx: &Cx,
        client: &Self::Client,
        ids: &[String],
    ) -> impl Future<Output = Vec<ReadAnswer<Self::Spec, Self::Outputs>>> + Send {
        async move {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.push(self.read(cx, client, id).await);
            }
            found
        }
    }

    /// Carries out the operations of one write group in one call. Return `None` (the default) to
    /// have them carried out one after another.
    fn apply_group(
        &self,
        cx: &Cx,
        client: &Self::Client,
        call: &[Operation],
    ) -> impl Future<Output = Option<Vec<Outcome>>> + Send {
        let _ = (cx, client, call);
        async { None }
    }

    /// Every object the service has, for import.
    fn list(
        &self,
        cx: &Cx,
        client: &Self::Client,
    ) -> impl Future<Output = Result<Vec<Found<Self::Spec, Self::Outputs>>>> + Send {
        let _ = (cx, client);
        async {
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` cannot be listed", Self::TYPE),
            ))
        }
    }

    /// Log lines of an object.
    fn logs(
        &self,
        cx: &Cx,
        client: &Self::Client,
        id: &str,
        options: &LogOptions,
    ) -> impl Future<Output = Result<Vec<LogLine>>> + Send {
        let _ = (cx, client, id, options);
        async {
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` has no logs", Self::TYPE),
            ))
        }
    }

    /// Brings a stored object to the current version of the type.
    ///
    /// # Errors
    /// When it cannot be done.
    fn upgrade(&self, from: u32, stored: Object) -> Result<Object> {
        let _ = from;
        Ok(stored)
    }
}

/// A type that is only read: the newest image, the zone of a name.
pub trait Lookup: Send + Sync + 'static {
    /// Full type name.
    const TYPE: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// What identifies it.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What was found.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// Finds it; the first part of the answer is its id.
    fn find(
        &self,
        cx: &Cx,
        client: &Self::Client,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<(String, Self::Outputs)>> + Send;
}

/// Something that is done, not made: a purge, a flush, a backup run.
pub trait Action: Send + Sync + 'static {
    /// Full type name.
    const TYPE: &'static str;
    /// The provider's client.
    type Client: Send + Sync + 'static;
    /// What to do it with.
    type Spec: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What came of it.
    type Outputs: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// States what the engine should know of the type besides its schemas.
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        info
    }

    /// Does it.
    fn run(
        &self,
        cx: &Cx,
        client: &Self::Client,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Self::Outputs>> + Send;

    /// Goes on with a run that was broken off after a checkpoint ([`Cx::made`]): a deployment that
    /// is still under way is joined. Called only for types that set [`TypeInfo::resumable`]; others
    /// are run anew.
    fn resume(
        &self,
        cx: &Cx,
        client: &Self::Client,
        spec: &Self::Spec,
        checkpoint: &Object,
    ) -> impl Future<Output = Result<Self::Outputs>> + Send {
        let _ = checkpoint;
        self.run(cx, client, spec)
    }

    /// What it said while it was done last: a build's log.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] unless overridden.
    fn logs(
        &self,
        cx: &Cx,
        client: &Self::Client,
        outputs: &Self::Outputs,
        options: &LogOptions,
    ) -> impl Future<Output = Result<Vec<LogLine>>> + Send {
        let _ = (cx, client, outputs, options);
        std::future::ready(Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` has no logs", Self::TYPE),
        )))
    }
}

/// A created object.
#[derive(Clone, Debug)]
pub struct Created<O> {
    /// The service's id.
    pub id: String,
    /// What the service told.
    pub outputs: O,
    /// Bytes to get back at later calls.
    pub private: Vec<u8>,
}

impl<O> Created<O> {
    /// A created object.
    pub fn new(id: impl Into<String>, outputs: O) -> Created<O> {
        Created {
            id: id.into(),
            outputs,
            private: Vec::new(),
        }
    }
}

/// An object as read.
#[derive(Clone, Debug)]
pub struct Observed<S, O> {
    /// What the user can set, as it is.
    pub spec: S,
    /// What the service tells.
    pub outputs: O,
    /// Fields of `spec` the service does not show, so that their value here means nothing.
    pub hidden: Vec<Path>,
    /// Bytes to get back at later calls.
    pub private: Vec<u8>,
}

impl<S, O> Observed<S, O> {
    /// An object whose every field is shown.
    pub fn new(spec: S, outputs: O) -> Observed<S, O> {
        Observed {
            spec,
            outputs,
            hidden: Vec::new(),
            private: Vec::new(),
        }
    }

    /// Says which fields the service does not show.
    #[must_use]
    pub fn hidden(mut self, fields: &[&str]) -> Observed<S, O> {
        self.hidden = fields.iter().map(|field| Path::parse(field)).collect();
        self
    }
}

/// The answer to reading one object: `None` when it is gone.
pub type ReadAnswer<S, O> = Result<Option<Observed<S, O>>>;

/// An object found by [`Resource::locate`] or [`Resource::list`].
#[derive(Clone, Debug)]
pub struct Found<S, O> {
    /// The service's id.
    pub id: String,
    /// The object.
    pub observed: Observed<S, O>,
    /// It carries this operation's mark, so it is ours for certain.
    pub marked: bool,
}

/// What changes in an update.
#[derive(Debug)]
pub struct Change<'a, S> {
    /// What is wanted.
    pub spec: &'a S,
    /// What was last sent, when it still decodes.
    pub prior: Option<S>,
    /// Object as known before.
    pub object: Option<&'a Object>,
    /// Top-level fields that differ from what was last sent, or from what the service has (somebody
    /// changed them by hand): those to send.
    pub changed: Vec<String>,
}

impl<S> Change<'_, S> {
    /// Whether a top-level field is among [`Change::changed`].
    pub fn is_changed(&self, field: &str) -> bool {
        self.changed.iter().any(|changed| changed == field)
    }
}

/// Decodes inputs into an author's struct. An error names the field at fault ([`Error::field`]), and
/// never a secret value.
///
/// # Errors
/// [`ErrorKind::Unresolved`] when something is not known; [`ErrorKind::Invalid`] when it does not fit.
pub fn decode<T: DeserializeOwned>(inputs: &Value) -> Result<T> {
    let json = without_nulls(to_wire(inputs)?);
    // Only for an error is it worth following where the decoder is.
    T::deserialize(&json).map_err(|_| match serde_path_to_error::deserialize::<_, T>(&json) {
        Err(error) => misfit(inputs, &error),
        Ok(_) => Error::new(ErrorKind::Invalid, "the inputs do not fit"),
    })
}

fn misfit(inputs: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> Error {
    use serde_path_to_error::Segment as At;
    let mut field = Path::root();
    for segment in error.path() {
        match segment {
            At::Seq { index } => field.push(Segment::Index(*index)),
            At::Map { key } => field.push(Segment::Key(key.as_str().into())),
            At::Enum { .. } | At::Unknown => break,
        }
    }
    let said = error.inner().to_string();
    // Serde stops at the map when a name in it is missing, which is the field at fault.
    if let Some(rest) = said.strip_prefix("missing field `")
        && let Some((name, _)) = rest.split_once('`')
    {
        field = field.join(name);
    }
    let secret = inputs.at(&field).unwrap_or_default().has_secret();
    let message = match (secret, field.is_root()) {
        // What Serde says quotes the value.
        (true, false) => format!("`{field}` does not fit"),
        (true, true) => "the inputs do not fit".to_owned(),
        (false, true) => said,
        (false, false) => format!("`{field}`: {said}"),
    };
    let error = Error::new(ErrorKind::Invalid, message);
    if field.is_root() {
        error
    } else {
        error.field(field)
    }
}

/// Encodes an author's struct as a value, with what the type calls sensitive marked.
///
/// # Errors
/// [`ErrorKind::Misbehaved`] when it does not serialise.
pub fn encode<T: Serialize>(value: &T, fields: Option<&super::Fields>) -> Result<Value> {
    let json = serde_json::to_value(value).map_err(|error| {
        Error::new(
            ErrorKind::Misbehaved,
            format!("does not serialise: {error}"),
        )
    })?;
    let value = from_json(&without_nulls(json));
    Ok(fields.map_or(value.clone(), |fields| fields.mark(&value)))
}

/// Null and absent mean the same in inputs.
fn without_nulls(json: serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Object(map) => serde_json::Value::Object(
            map.into_iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(key, item)| (key, without_nulls(item)))
                .collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Spec {
        #[expect(dead_code, reason = "only decoded")]
        port: u16,
        #[serde(default)]
        #[expect(dead_code, reason = "only decoded")]
        checks: Vec<Check>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Check {
        #[expect(dead_code, reason = "only decoded")]
        within: u8,
        #[serde(default)]
        #[expect(dead_code, reason = "only decoded")]
        mode: Mode,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mode {
        #[default]
        Fast,
        Slow(()),
    }

    #[track_caller]
    fn wrong(inputs: &serde_json::Value) -> (Option<String>, String) {
        let error = decode::<Spec>(&from_json(inputs)).unwrap_err();
        let field = error.field_path().map(ToString::to_string);
        (field, error.message().to_owned())
    }

    #[test]
    fn an_input_that_does_not_fit_is_named() {
        let (field, said) = wrong(&json!({"port": "x"}));
        assert_eq!(field.as_deref(), Some("port"));
        assert!(
            said.starts_with("`port`: invalid type: string \"x\""),
            "{said}"
        );

        let (field, _) = wrong(&json!({"port": 1, "checks": [{"within": 1}, {"within": 256}]}));
        assert_eq!(field.as_deref(), Some("checks[1].within"));
        let (field, _) = wrong(&json!({"port": 1, "checks": [{"within": 1, "mode": "odd"}]}));
        assert_eq!(field.as_deref(), Some("checks[0].mode"));
        let (field, _) =
            wrong(&json!({"port": 1, "checks": [{"within": 1, "mode": {"slow": "x"}}]}));
        assert_eq!(field.as_deref(), Some("checks[0].mode"));
    }

    #[test]
    fn one_that_is_missing_or_unknown_is_named() {
        let (field, said) = wrong(&json!({"port": null}));
        assert_eq!(field.as_deref(), Some("port"));
        assert!(said.contains("missing"), "{said}");
        let (field, _) = wrong(&json!({"port": 1, "checks": [{}]}));
        assert_eq!(field.as_deref(), Some("checks[0].within"));
        let (field, said) = wrong(&json!({"port": 1, "prot": 2}));
        assert_eq!(field.as_deref(), Some("prot"));
        assert!(said.contains("unknown field"), "{said}");
        let (field, _) = wrong(&json!("x"));
        assert_eq!(field, None);
    }

    #[test]
    fn a_secret_that_does_not_fit_is_not_told() {
        let port = Value::map([("port", Value::from("hunter2"))]);
        let marked = Value::map([("port", Value::secret("hunter2"))]);
        for inputs in [marked, port.into_secret()] {
            let error = decode::<Spec>(&inputs).unwrap_err();
            assert_eq!(error.field_path().unwrap().to_string(), "port");
            assert!(!format!("{error:?} {error}").contains("hunter2"), "{error}");
        }
        let error = decode::<Spec>(&Value::secret("hunter2")).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
