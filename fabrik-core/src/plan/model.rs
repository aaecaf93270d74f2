//! The plan as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::provider::{Finding, Object, OpId, Undo};
use crate::stack::Stack;
use crate::state::{Position, Revision, RunKind};
use crate::value::{Path, Value};

/// What happens to one address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new object.
    Create,
    /// Changed in place.
    Update,
    /// A new object takes the place of the old one.
    Replace {
        /// The new one is made before the old one is deleted.
        create_first: bool,
    },
    /// Removed from the service.
    Delete,
    /// An existing object found by name is taken over, and changed where it differs.
    Adopt,
    /// An existing object of a given id is taken over, and changed where it differs.
    Import,
    /// State only: the object gets another address.
    Move {
        /// The address it had.
        from: Address,
    },
    /// State only: the object is left alone and no longer known.
    Forget,
    /// An action runs.
    Run,
    /// A lookup whose inputs are known only during apply.
    Read,
    /// State only: what the service shows (or the spec's wording) is taken into state.
    Accept,
}

impl Action {
    /// The symbol shown before an address.
    pub fn symbol(&self) -> &'static str {
        match self {
            Action::Create => "+",
            Action::Update => "~",
            Action::Replace { create_first: true } => "+/-",
            Action::Replace {
                create_first: false,
            } => "-/+",
            Action::Delete => "-",
            Action::Adopt | Action::Import => "=",
            Action::Move { .. } => ">",
            Action::Forget => ".",
            Action::Run => "!",
            Action::Read => "<=",
            Action::Accept => "<",
        }
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace { .. } => "replace",
            Action::Delete => "delete",
            Action::Adopt => "adopt",
            Action::Import => "import",
            Action::Move { .. } => "move",
            Action::Forget => "forget",
            Action::Run => "run",
            Action::Read => "read",
            Action::Accept => "accept",
        }
    }

    /// Whether only state changes, no service.
    pub fn is_state_only(&self) -> bool {
        matches!(self, Action::Move { .. } | Action::Forget | Action::Accept)
    }
}

/// Why a change is planned. The text a person reads is derived from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is declared and does not exist yet.
    New,
    /// Its declaration changed.
    Changed,
    /// It was changed outside Fabrik.
    Drifted,
    /// It was changed outside Fabrik and in the spec.
    Conflict,
    /// It was deleted outside Fabrik.
    Missing,
    /// It left the spec.
    Removed,
    /// A field that cannot change in place changed.
    FieldForcesReplacement(Path),
    /// Its type cannot be changed in place.
    NotUpdatable,
    /// The user asked for a replacement.
    Asked,
    /// Something it is replaced with changed.
    ReplacedWith(Address),
    /// What it depends on is replaced.
    DependencyReplaced(Address),
    /// Its container is replaced, and it vanishes with it.
    ContainerReplaced(Address),
    /// Its type or provider instance changed.
    TypeChanged,
    /// A former run left it half-made.
    Incomplete,
    /// A former run left it to be deleted.
    LeftOver,
    /// Something it watches changed.
    Triggered(Address),
    /// It exists and is to be taken over.
    Exists,
    /// The stack is destroyed.
    Destroyed,
    /// It is undone because the run failed.
    Undone,
    /// It was renamed.
    Renamed,
}

impl Reason {
    /// The reason in words, as a fragment.
    pub fn text(&self) -> String {
        match self {
            Reason::New => "not there yet".into(),
            Reason::Changed => "changed in the spec".into(),
            Reason::Drifted => "changed outside Fabrik".into(),
            Reason::Conflict => "changed in the spec and outside Fabrik".into(),
            Reason::Missing => "deleted outside Fabrik".into(),
            Reason::Removed => "no longer in the spec".into(),
            Reason::FieldForcesReplacement(path) => format!("`{path}` cannot be changed in place"),
            Reason::NotUpdatable => "this type cannot be changed in place".into(),
            Reason::Asked => "asked for".into(),
            Reason::ReplacedWith(address) => format!("replaced with {address}"),
            Reason::DependencyReplaced(address) => format!("{address} is replaced"),
            Reason::ContainerReplaced(address) => format!("goes with {address}, which is replaced"),
            Reason::TypeChanged => "its type or provider changed".into(),
            Reason::Incomplete => "an earlier run left it half-made".into(),
            Reason::LeftOver => "an earlier run left it to be deleted".into(),
            Reason::Triggered(address) => format!("{address} changes"),
            Reason::Exists => "exists already".into(),
            Reason::Destroyed => "the stack is destroyed".into(),
            Reason::Undone => "undone because the run failed".into(),
            Reason::Renamed => "renamed".into(),
        }
    }
}

/// How one attribute changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffKind {
    /// Set for the first time.
    Add,
    /// Set to another value.
    Change,
    /// No longer set.
    Remove,
}

/// One attribute that changes. Secrets keep their mark: mask before printing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttributeDiff {
    /// Which.
    pub path: Path,
    /// How.
    pub kind: DiffKind,
    /// Before: as observed, or as last sent where the service shows nothing.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// After; an expression when it is known only after apply.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub after: Value,
    /// What was last sent, when somebody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sent: Option<Value>,
    /// It cannot change in place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forces_replacement: bool,
    /// `file:line` of the spec that sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// One change, one per address (a leftover object of an address is a change of its own).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedChange {
    /// The resource.
    pub address: Address,
    /// Full type name.
    #[serde(rename = "type")]
    pub type_name: Arc<str>,
    /// The provider instance.
    pub instance: Arc<str>,
    /// What happens.
    pub action: Action,
    /// Why; the first is the main one.
    pub reasons: Vec<Reason>,
    /// Attributes that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<AttributeDiff>,
    /// How many attributes stay as they are.
    #[serde(default)]
    pub unchanged: usize,
    /// How well it can be undone.
    pub undo: Undo,
    /// Data is lost that Fabrik cannot bring back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub data_loss: bool,
    /// It is a delete that others must wait for, so it happens before verification.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pulled_forward: bool,
    /// It may turn out to be nothing, or a replacement, once unknown values are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub may_become: Vec<Action>,
    /// Index into [`Plan::groups`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<usize>,
    /// The object in state it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid: Option<OpId>,
    /// The service's id of that object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The object as observed while planning, where it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Object>,
    /// Depends (within the plan) on these changes, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
}

/// Something changed outside Fabrik.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The resource.
    pub address: Address,
    /// Full type name.
    #[serde(rename = "type")]
    pub type_name: Arc<str>,
    /// The object is gone.
    pub missing: bool,
    /// Attributes that differ: `before` is what was last sent, `after` what is there.
    pub diff: Vec<AttributeDiff>,
    /// Whether this plan puts it back.
    pub restored: bool,
}

/// Changes that go to the service in one call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedGroup {
    /// What they share, such as a zone.
    pub key: Arc<str>,
    /// The provider instance.
    pub instance: Arc<str>,
    /// How many changes.
    pub changes: usize,
    /// How many calls (more than one only when the group depends on itself through others).
    pub calls: usize,
}

/// A provider as found while planning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InstanceFacts {
    /// Provider version.
    pub version: String,
    /// Facts of the service.
    pub facts: Value,
}

/// A finding of a provider, with its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedFinding {
    /// The resource.
    pub address: Address,
    /// What was found.
    pub finding: Finding,
    /// `file:line` of the spec it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// An output that changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// Its name.
    pub name: Arc<str>,
    /// Before.
    pub before: Option<Value>,
    /// After; an expression when known only after apply.
    pub after: Option<Value>,
}

/// A secret the stack uses, and where its value comes from. Never the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretUse {
    /// Its name.
    pub name: Arc<str>,
    /// In words: `environment variable X`, `.env`, `generated earlier`, `to be generated`.
    pub origin: String,
}

/// Counts of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// New objects.
    pub create: usize,
    /// Changes in place.
    pub update: usize,
    /// Replacements.
    pub replace: usize,
    /// Deletes.
    pub delete: usize,
    /// Taken over by name or id.
    pub adopt: usize,
    /// Actions.
    pub run: usize,
    /// State only.
    pub state: usize,
    /// Nothing to do.
    pub unchanged: usize,
}

/// What would change. See the module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this form.
    pub format: u32,
    /// Version of Fabrik that made it.
    pub fabrik: String,
    /// Why a run of it would be.
    pub kind: RunKind,
    /// The stack, as it is to be.
    pub stack: Arc<Stack>,
    /// Digest of the declared stack.
    pub spec: String,
    /// When it was made.
    pub made: jiff::Timestamp,
    /// The state it was made from.
    pub head: Position,
    /// Its revision.
    pub revision: Revision,
    /// Providers as found.
    pub instances: BTreeMap<Arc<str>, InstanceFacts>,
    /// What would change, in an order that respects dependencies.
    pub changes: Vec<PlannedChange>,
    /// What changed outside Fabrik.
    pub drift: Vec<Drift>,
    /// Calls that carry several changes.
    pub groups: Vec<PlannedGroup>,
    /// What providers found.
    pub findings: Vec<PlannedFinding>,
    /// Outputs that change.
    pub outputs: Vec<OutputChange>,
    /// What each check looks at, by its name, as far as that is known now.
    #[serde(default)]
    pub checks: BTreeMap<Arc<str>, Value>,
    /// Secrets, and where they come from.
    pub secrets: Vec<SecretUse>,
    /// How many objects were read.
    pub read: usize,
    /// How many declared resources stay as they are.
    pub unchanged: usize,
    /// Only parts of the stack were planned: `--target`, `--exclude`. What was left out.
    pub skipped: usize,
    /// Addresses whose data loss was allowed when the plan was made.
    pub allow_data_loss: Vec<String>,
    /// A line for history.
    pub note: Option<String>,
}

impl Plan {
    /// The version of the plan form this library writes.
    pub const FORMAT: u32 = 1;

    /// A plan without changes, to undo a run with.
    pub(crate) fn bare(
        stack: Arc<Stack>,
        snapshot: &crate::state::Snapshot,
        made: jiff::Timestamp,
    ) -> Plan {
        Plan {
            format: Plan::FORMAT,
            fabrik: env!("CARGO_PKG_VERSION").to_owned(),
            kind: RunKind::Apply,
            stack,
            spec: String::new(),
            made,
            head: snapshot.head,
            revision: snapshot.revision,
            instances: BTreeMap::new(),
            changes: Vec::new(),
            drift: Vec::new(),
            groups: Vec::new(),
            findings: Vec::new(),
            outputs: Vec::new(),
            checks: BTreeMap::new(),
            secrets: Vec::new(),
            read: 0,
            unchanged: 0,
            skipped: 0,
            allow_data_loss: Vec::new(),
            note: None,
        }
    }

    /// Whether applying would do nothing at all.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.outputs.is_empty()
    }

    /// Counts.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            unchanged: self.unchanged,
            ..Summary::default()
        };
        for change in &self.changes {
            match change.action {
                Action::Create => summary.create += 1,
                Action::Update => summary.update += 1,
                Action::Replace { .. } => summary.replace += 1,
                Action::Delete => summary.delete += 1,
                Action::Adopt | Action::Import => summary.adopt += 1,
                Action::Run => summary.run += 1,
                Action::Move { .. } | Action::Forget | Action::Accept => summary.state += 1,
                Action::Read => {}
            }
        }
        summary
    }

    /// Findings that keep the plan from being applied.
    pub fn blocking(&self) -> impl Iterator<Item = &PlannedFinding> {
        self.findings.iter().filter(|found| found.finding.blocking)
    }

    /// Changes that lose data and were not allowed to.
    pub fn data_loss(&self) -> impl Iterator<Item = &PlannedChange> {
        self.changes.iter().filter(|change| {
            change.data_loss
                && !self
                    .allow_data_loss
                    .iter()
                    .any(|glob| change.address.matches(glob))
        })
    }
}
