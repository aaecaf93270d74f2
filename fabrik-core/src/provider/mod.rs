//! The boundary between the engine and providers.
//!
//! The engine talks to a *configured provider*: [`Provider::open`] gives an [`Instance`], which
//! plans, reads, applies and locates lists of objects by type name. Authors rarely write this by
//! hand: [`typed`] turns plain `async fn create/read/update/delete` into it.

mod context;
mod fields;
mod health;
mod registry;
pub mod typed;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::stack::OnDrift;
use crate::value::{Path, Value};

pub use context::{Checkpoints, Cx, Progress, Stop, StopHandle, StopSignal};
pub use fields::{Fields, ListKind, Same};
pub use health::{Health, Verdict};
pub use registry::Registry;

/// Identifies one object-to-be over retries and resumed runs. A provider whose service
/// de-duplicates passes it on as the idempotency key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u128);

impl std::fmt::Display for OpId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
impl std::fmt::Debug for OpId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
impl Serialize for OpId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for OpId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16)
            .map(OpId)
            .map_err(serde::de::Error::custom)
    }
}

/// What a provider is.
#[derive(Clone, Debug)]
pub struct ProviderInfo {
    /// Name, the first half of its types' names: `cloudflare`.
    pub name: Arc<str>,
    /// Version of the provider crate.
    pub version: Arc<str>,
    /// One paragraph for people.
    pub description: String,
    /// JSON Schema of its configuration.
    pub config: Json,
    /// Its types.
    pub types: Vec<Arc<TypeInfo>>,
    /// How many calls it takes at once.
    pub max_in_flight: usize,
}

impl ProviderInfo {
    /// The type of a full name.
    pub fn type_named(&self, name: &str) -> Option<&Arc<TypeInfo>> {
        self.types.iter().find(|info| &*info.name == name)
    }
}

/// What a declared thing of a type is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Created, read, updated, deleted.
    #[default]
    Managed,
    /// Read only; deferred while its inputs are unknown.
    Lookup,
    /// Done when its inputs or what it watches change; journalled, never undone, and done again
    /// after what it watches is restored by a rollback.
    Action,
}

/// How a create whose reply was lost is found again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    /// The service de-duplicates by [`OpId`]: the create is simply repeated.
    Key,
    /// The [`OpId`] is written into the object: [`Instance::locate`] finds it by that.
    Mark,
    /// The object's name is unique in the service. The engine looks before the create and journals
    /// that nothing was there; later, present and equal means ours.
    Name,
    /// It cannot be found: a lost create stays unsure and is shown to the user.
    #[default]
    None,
}

/// How well a change can be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undo {
    /// Not at all.
    None,
    /// The object comes back, but something (content, an id others know) does not.
    Partial,
    /// Wholly.
    #[default]
    Full,
}

/// Everything the engine knows of a type without asking the service.
#[derive(Clone, Debug)]
pub struct TypeInfo {
    /// Full name: `cloudflare.dns_record`.
    pub name: Arc<str>,
    /// Version of the stored form; raise it when inputs or outputs change shape.
    pub version: u32,
    /// What it is, for people.
    pub description: String,
    /// What a declared thing of it is.
    pub mode: Mode,
    /// JSON Schema of the inputs, with `x-fabrik` facts.
    pub schema: Json,
    /// JSON Schema of the outputs.
    pub outputs: Json,
    /// The facts of [`TypeInfo::schema`], parsed.
    pub fields: Fields,
    /// The facts of [`TypeInfo::outputs`], parsed.
    pub output_fields: Fields,
    /// How a lost create is found.
    pub lost: Lost,
    /// After the operation's deadline, how long the service may take to show what it did.
    pub settle: Duration,
    /// Budget of one operation, unless the resource sets its own.
    pub timeout: Duration,
    /// Whether objects can be changed in place; otherwise every change replaces.
    pub updatable: bool,
    /// Whether two objects of the same name cannot exist at once, so that a replacement deletes
    /// first.
    pub exclusive: bool,
    /// Whether a create or an action broken off after a checkpoint can be gone on with (the provider
    /// gets the checkpoint back); otherwise what exists is deleted and the create starts anew, and
    /// the action is run again.
    pub resumable: bool,
    /// How well a delete can be undone by creating again.
    pub undo_delete: Undo,
    /// Whether deleting (or replacing) loses data that Fabrik cannot bring back.
    pub holds_data: bool,
    /// Outputs that keep their value over an update unless listed here.
    pub volatile: Vec<Path>,
    /// What an id looks like, for `fabrik import` and its mistakes: `ZONE_ID/RECORD_ID`. Empty
    /// where it is an opaque text of the service's.
    pub import_id: String,
    /// Objects stay in the service when they leave the stack, unless this input has this value: the
    /// plan shows that they are forgotten. For what is too dear to go with a line of a spec.
    pub kept_unless: Option<(Path, Value)>,
    /// What drift does unless the resource says: put back, except for what people are meant to edit
    /// by hand as well.
    pub on_drift: OnDrift,
}

impl TypeInfo {
    /// Whether an object with these inputs is forgotten, not deleted, when it leaves the stack.
    pub fn keeps(&self, inputs: &Value) -> bool {
        self.kept_unless.as_ref().is_some_and(|(path, value)| {
            inputs.at(path).is_none_or(|found| found.reveal() != value)
        })
    }

    /// A type with the usual behaviour: managed, updatable in place, deletes undone in full, lost
    /// creates not findable, 60 s per operation, 5 s to settle.
    pub fn new(name: impl Into<Arc<str>>, schema: Json, outputs: Json) -> TypeInfo {
        TypeInfo {
            name: name.into(),
            version: 1,
            description: String::new(),
            mode: Mode::Managed,
            fields: Fields::of_schema(&schema),
            output_fields: Fields::of_schema(&outputs),
            schema,
            outputs,
            lost: Lost::None,
            settle: Duration::from_secs(5),
            timeout: Duration::from_secs(60),
            updatable: true,
            exclusive: false,
            resumable: false,
            undo_delete: Undo::Full,
            holds_data: false,
            volatile: Vec::new(),
            import_id: String::new(),
            kept_unless: None,
            on_drift: OnDrift::Restore,
        }
    }
}

/// An object as a service has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The service's id.
    pub id: String,
    /// What the user can set, as observed. A path the service does not show is absent and listed
    /// in [`Object::hidden`].
    pub inputs: Value,
    /// What the service tells.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub outputs: Value,
    /// Input paths the service does not show (passwords, write-only fields).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hidden: Vec<Path>,
    /// Anything the provider wants back at the next call; never shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub private: Vec<u8>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Makes an object.
    Create,
    /// Changes an object in place.
    Update,
    /// Removes an object.
    Delete,
    /// Runs an action.
    Run,
}

impl Verb {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Delete => "delete",
            Verb::Run => "run",
        }
    }
}

/// One operation on one object, as handed to a provider.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Same over retries and resumed runs.
    pub op: OpId,
    /// The resource, for messages.
    pub address: Address,
    /// Full type name.
    pub type_name: Arc<str>,
    /// What to do.
    pub verb: Verb,
    /// What is known of the object before: from state, refreshed where the engine did. Its
    /// `inputs` are what was last sent. `None` for a create.
    pub prior: Option<Object>,
    /// The object as observed just before the write, where the engine read it.
    pub observed: Option<Object>,
    /// What to set; fully known except for references to an earlier member of a linked group.
    /// Null for a delete.
    pub inputs: Value,
    /// What a former attempt at this operation already made, from its last checkpoint.
    pub checkpoint: Option<Object>,
    /// The operation this one undoes.
    pub undoes: Option<OpId>,
}

impl Operation {
    /// The id of the object to change.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] for a create.
    pub fn id(&self) -> Result<&str> {
        self.prior
            .as_ref()
            .or(self.checkpoint.as_ref())
            .map(|object| object.id.as_str())
            .ok_or_else(|| {
                Error::new(
                    ErrorKind::Unexpected,
                    format!("{} has no object yet", self.address),
                )
            })
    }
}

/// What became of one operation.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Done; the object as it is now.
    Done(Object),
    /// Deleted, or was absent already.
    Gone,
    /// It did not happen (a member of an atomic group that failed elsewhere).
    NotDone,
    /// It failed; [`Error::effect_of`] says what it did.
    Failed(Error),
}

/// What became of a create whose reply was lost.
#[derive(Clone, Debug)]
pub enum Located {
    /// It landed; this is it.
    Ours(Object),
    /// Nothing there (certain only after deadline and settle time; the engine waits).
    Absent,
    /// Something is there that may or may not be ours, or nobody can tell whether there is.
    Unsure {
        /// The id of what is there, where it is one thing that was found.
        id: Option<String>,
        /// Why it is not sure, for people.
        why: String,
    },
}

impl Located {
    /// Nobody can tell whether something is there.
    pub fn unknown(why: impl Into<String>) -> Located {
        Located::Unsure {
            id: None,
            why: why.into(),
        }
    }

    /// Something of the same name is there that is not as it was sent.
    pub fn differs(id: impl Into<String>) -> Located {
        let id = id.into();
        Located::Unsure {
            why: format!("`{id}` exists and differs from what was sent"),
            id: Some(id),
        }
    }
}

/// One object to read.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// The resource, for messages.
    pub address: Address,
    /// Full type name.
    pub type_name: Arc<str>,
    /// What is known of it: at least the id. Inputs as last sent.
    pub prior: Object,
}

/// What the engine knows when it asks a provider to plan one object.
#[derive(Clone, Debug)]
pub struct Proposal<'a> {
    /// The resource.
    pub address: &'a Address,
    /// Full type name.
    pub type_name: &'a str,
    /// Inputs as last sent, from state.
    pub last_sent: Option<&'a Object>,
    /// The object as observed by this run's refresh.
    pub observed: Option<&'a Object>,
    /// What the user wants, with unknowns.
    pub desired: &'a Value,
}

/// A provider's answer to a [`Proposal`].
#[derive(Clone, Debug, Default)]
pub struct Planned {
    /// The desired inputs with defaults filled in and normalised; never resolves an unknown.
    pub inputs: Value,
    /// Paths whose change needs a new object, besides those the schema marks.
    pub replace: Vec<Path>,
    /// What would fail or surprise, seen without writing.
    pub findings: Vec<Finding>,
}

/// Something a provider noticed at plan time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Whether the plan cannot be applied.
    pub blocking: bool,
    /// What was found.
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The field it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Path>,
    /// An existing object the user may adopt instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<String>,
}

/// How steps of a type go together; pure functions of known inputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keys {
    /// Held together while a call runs, so that two calls never meet on one remote thing.
    pub locks: Vec<Arc<str>>,
    /// Objects with the same key are read in one call.
    pub read_group: Option<Arc<str>>,
    /// Steps with the same key are written in one call.
    pub write_group: Option<WriteGroup>,
    /// The id of a container whose deletion takes this object with it.
    pub deleted_with: Option<Address>,
}

/// Steps that go to the service in one call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WriteGroup {
    /// What the members share, such as the zone.
    pub key: Arc<str>,
    /// All steps of the group go in one call, when the last is ready; otherwise what is ready
    /// together goes together.
    pub whole: bool,
    /// References between members reach the provider as [`crate::expr::Expr`]s to an earlier member.
    pub linked: bool,
    /// All or none.
    pub atomic: bool,
    /// Most members per call for a group that is not whole; 0 for no limit.
    pub max: usize,
}

/// An external service.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// What it is.
    fn info(&self) -> &ProviderInfo;

    /// Connects. Called once per run and configuration. Configuration holds no unknowns.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`], [`ErrorKind::Permission`], [`ErrorKind::Unavailable`],
    /// [`ErrorKind::Invalid`] for the configuration.
    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>>;

    /// How this provider plays a role of app kinds, when it does; see [`crate::role`].
    fn players(&self) -> Vec<Arc<dyn crate::role::Player>> {
        Vec::new()
    }
}

/// A configured provider.
///
/// *Behaviour* every instance keeps to, tested by the conformance suite:
/// - `plan` and `read` change nothing.
/// - `read` of an object that is gone gives `None`, not an error.
/// - deleting something absent gives [`Outcome::Gone`].
/// - lists are answered in order, one answer each.
/// - an operation repeated with the same [`OpId`] after a crash makes no second object
///   (as far as the type's [`Lost`] promises).
#[async_trait]
pub trait Instance: Send + Sync + 'static {
    /// Version, permissions, capabilities: recorded in the plan.
    fn facts(&self) -> Value {
        Value::Null
    }

    /// How the service is, for `fabrik doctor`: its version, the token and when it ends, exactly
    /// which permission is missing, the clocks. Reads only, in few requests; whatever fails is a
    /// line of the answer. That the service can be reached was seen by [`Provider::open`] only where
    /// that sends something, so this should.
    async fn examine(&self, cx: &Cx) -> Vec<Health> {
        let _ = cx;
        Vec::new()
    }

    /// How steps of this type go together. Pure; inputs may hold unknowns.
    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        let _ = (type_name, inputs);
        Keys::default()
    }

    /// Brings a stored object to the type's current version.
    ///
    /// # Errors
    /// [`ErrorKind::Newer`] when it was stored by a newer provider.
    fn upgrade(&self, type_name: &str, from: u32, stored: Object) -> Result<Object> {
        let _ = (type_name, from);
        Ok(stored)
    }

    /// Normalises desired inputs and looks (never writes) for what would fail. Called at plan time
    /// with unknowns, and again when the step starts.
    ///
    /// # Errors
    /// Any; the plan fails.
    async fn plan(&self, cx: &Cx, proposal: Proposal<'_>) -> Result<Planned> {
        let _ = cx;
        Ok(Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        })
    }

    /// Reads objects of one read group.
    async fn read(&self, cx: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>>;

    /// Carries out the operations of one call.
    async fn apply(&self, cx: &Cx, call: &[Operation]) -> Vec<Outcome>;

    /// Finds creates whose reply was lost, and looks for existing objects before creates of types
    /// found by name.
    async fn locate(&self, cx: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        let _ = cx;
        call.iter()
            .map(|_| Ok(Located::unknown("this type cannot be located")))
            .collect()
    }

    /// Evaluates a lookup.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] when there is nothing.
    async fn lookup(&self, cx: &Cx, type_name: &str, inputs: &Value) -> Result<Object> {
        let _ = (cx, inputs);
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{type_name}` is not a lookup"),
        ))
    }

    /// Every object of a type the service has, for import.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] unless the type can be listed.
    async fn list(&self, cx: &Cx, type_name: &str) -> Result<Vec<Object>> {
        let _ = cx;
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{type_name}` cannot be listed"),
        ))
    }

    /// The last lines (and, with `follow`, further ones through [`Cx::progress`]) of an object's log.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] unless the type has logs.
    async fn logs(
        &self,
        cx: &Cx,
        request: &ReadRequest,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let _ = (cx, options);
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` has no logs", request.type_name),
        ))
    }

    /// Releases what it holds. Called once, at the end of the run.
    async fn close(&self) {}
}

/// Which log lines to fetch.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// At most this many of the last lines.
    pub tail: Option<usize>,
    /// An opaque cursor from the last line fetched: only newer lines.
    pub after: Option<String>,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Which stream or instance it came from.
    pub stream: String,
    /// The text; untrusted.
    pub text: String,
    /// Where to go on from.
    pub cursor: String,
}
