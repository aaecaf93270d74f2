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
mod handler;
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
use crate::value::{Path, Value, from_json, to_wire};

pub use examine::{Examine, ExamineFn};
pub use group::Member;
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
    /// Top-level fields that differ from what was last sent, or that the service shows otherwise
    /// than they are wanted (somebody changed them there).
    pub changed: Vec<String>,
}

impl<S> Change<'_, S> {
    /// Whether a top-level field is among [`Change::changed`].
    pub fn is_changed(&self, field: &str) -> bool {
        self.changed.iter().any(|changed| changed == field)
    }
}

/// Decodes inputs into an author's struct.
///
/// # Errors
/// [`ErrorKind::Unresolved`] when something is not known; [`ErrorKind::Invalid`] when it does not fit.
pub fn decode<T: DeserializeOwned>(inputs: &Value) -> Result<T> {
    serde_json::from_value(without_nulls(to_wire(inputs)?))
        .map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))
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
