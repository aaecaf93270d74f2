//! The stored records. Each is versioned through [`super::FORMAT`].

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Revision, RunId};
use crate::address::Address;
use crate::error::{ErrorReport, Result};
use crate::provider::{Object, OpId, Verb};
use crate::stack::{Declared, OnFailure, Options};
use crate::value::Value;

/// What an object is to its address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// The object the address stands for.
    #[default]
    Current,
    /// Replaced, or gone from the spec: waits for deletion.
    Retired,
    /// Its create did not finish; what exists of it is known from checkpoints.
    Incomplete,
    /// A create whose reply was lost and that could not be found out: the user must say.
    Unsure,
}

/// One object in state. An address may have several: at most one is current.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The operation that made (or adopted) it; its identity in state.
    pub oid: OpId,
    /// The resource.
    pub address: Address,
    /// Full type name.
    #[serde(rename = "type", deserialize_with = "crate::value::share::repeated")]
    pub type_name: Arc<str>,
    /// Version of the type when it was stored.
    pub version: u32,
    /// The provider instance it is on.
    #[serde(deserialize_with = "crate::value::share::repeated")]
    pub instance: Arc<str>,
    /// What it is to its address.
    #[serde(default)]
    pub status: RowStatus,
    /// Inputs with references; `None` when they hold none and equal what was sent.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "present"
    )]
    pub declared: Option<Value>,
    /// Inputs as sent, outputs, id, private bytes.
    pub object: Object,
    /// Direct dependencies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deps: Vec<Address>,
    /// How it is to be treated when it leaves the spec.
    #[serde(default)]
    pub options: Arc<Options>,
    /// It existed before Fabrik: undoing its adoption restores and forgets, never deletes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
    /// Digest of what an action last ran for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered_by: Option<Arc<str>>,
}

/// A field that is there is a value, also when it is null.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Row {
    /// Inputs with references.
    pub fn declared(&self) -> &Value {
        self.declared.as_ref().unwrap_or(&self.object.inputs)
    }

    /// The row as a declaration.
    pub fn as_declared(&self) -> Declared {
        let mut depends_on = self.deps.clone();
        let references = crate::expr::references(self.declared());
        depends_on.retain(|dependency| {
            !references.iter().any(|reference| {
                matches!(&reference.target, crate::expr::Target::Resource(address) if address == dependency)
            })
        });
        Declared {
            address: self.address.clone(),
            type_name: self.type_name.clone(),
            instance: self.instance.clone(),
            inputs: self.declared().clone(),
            depends_on,
            options: self.options.clone(),
            origin: None,
        }
    }
}

/// Why a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// `apply`.
    Apply,
    /// `destroy`.
    Destroy,
    /// `rollback REV`.
    Rollback,
    /// `refresh`, `import`, `state mv` and the like: only state changes.
    State,
}

/// The first entry of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// Why.
    pub kind: RunKind,
    /// Who, where.
    pub who: String,
    /// Host it runs on.
    pub host: String,
    /// The command line, without secrets.
    pub command: String,
    /// Version of Fabrik.
    pub fabrik: String,
    /// The revision it started from: where a rollback goes back to.
    pub base: Revision,
    /// Policy for failures.
    pub on_failure: OnFailure,
    /// Digest of the plan it carries out.
    pub plan: String,
    /// A line for history, such as the target revision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Where a run is. Transitions are recorded and resumable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The spec is read and checked.
    Validating,
    /// Secrets are found or made.
    LoadingSecrets,
    /// Resources are created and updated.
    Provisioning,
    /// Something outside is awaited (a zone's activation).
    Waiting,
    /// Programs are started.
    Deploying,
    /// Checks run.
    Verifying,
    /// Deletes and old halves of replacements.
    Removing,
    /// What this run did is taken back.
    RollingBack,
}

/// Identifies a step within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StepRef(pub u32);

/// What was found just before a create of a type that is found by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Looked {
    /// Nothing of that name.
    Absent,
}

/// What is about to be done, durable before it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step.
    pub step: StepRef,
    /// The operation; stays the same over retries.
    pub op: OpId,
    /// Steps with the same call go to the provider together.
    pub call: u32,
    /// The resource.
    pub address: Address,
    /// Full type name.
    #[serde(rename = "type")]
    pub type_name: Arc<str>,
    /// The provider instance.
    pub instance: Arc<str>,
    /// What is done.
    pub verb: Verb,
    /// The object it is done to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oid: Option<OpId>,
    /// What becomes of state when it succeeds: the row without what only the reply tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<Box<Row>>,
    /// The current row before, when there was one: what undoing goes back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Row>>,
    /// The object as observed just before the write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Object>,
    /// What was found before a create found by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<Looked>,
    /// By when the call ends, by our clock.
    pub deadline: Timestamp,
    /// The step it undoes, in the same run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<StepRef>,
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// As intended.
    Done,
    /// It turned out that nothing was to be done.
    Unchanged,
    /// It did not happen.
    NotDone,
    /// It failed.
    Failed(ErrorReport),
    /// It may have happened; see the row marked unsure or the text.
    InDoubt(String),
    /// What was to be undone no longer equals what this run wrote: left alone.
    Left(String),
}

/// The result of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's name.
    pub name: Arc<str>,
    /// Whether it held.
    pub passed: bool,
    /// What was seen; without secrets.
    pub evidence: String,
    /// What to do, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Milliseconds until it held or was given up.
    pub millis: u64,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// Everything done and verified.
    Succeeded,
    /// Failed; what was done stays.
    Failed,
    /// Applied, but a check failed and policy says keep.
    CheckFailed,
    /// Failed, and everything this run did was taken back.
    RolledBack,
    /// Failed, and something could not be taken back.
    Stuck,
    /// Stopped on request or found dead; what was done stays.
    Interrupted,
}

/// The last entry of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunEnd {
    /// How.
    pub result: RunResult,
    /// The revision state is at now; of a run that was taken back, the one it found and went back
    /// to.
    pub revision: Revision,
    /// Counts by what was done.
    pub created: u32,
    /// Updated in place.
    pub updated: u32,
    /// Deleted.
    pub deleted: u32,
    /// Milliseconds.
    pub millis: u64,
    /// The first error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
    /// What is left to remove or repair by hand, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A run begins.
    RunStarted(Box<RunStart>),
    /// A run is in a phase.
    Phase(Phase),
    /// A step is about to be done.
    Intent(Box<Intent>),
    /// A step has made this much.
    Checkpoint {
        /// The step.
        step: StepRef,
        /// Its operation.
        op: OpId,
        /// What exists now.
        object: Box<Object>,
    },
    /// A step ended.
    Outcome {
        /// The step.
        step: StepRef,
        /// Its operation.
        op: OpId,
        /// How.
        outcome: StepOutcome,
    },
    /// State changed without a call: moved, imported, forgotten, refreshed.
    State {
        /// The resource.
        address: Address,
        /// What, in words.
        what: String,
        /// The row before, when there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Box<Row>>,
    },
    /// A secret was generated.
    SecretMade(Arc<str>),
    /// A check was made.
    Check(CheckResult),
    /// The run goes on after an interruption.
    Resumed,
    /// A run ended.
    RunEnded(Box<RunEnd>),
}

/// What an entry changes in state; carried out in the same transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Puts a row; one of the same `oid` is replaced.
    Put(Box<Row>),
    /// Removes a row.
    Remove(OpId),
    /// Keeps a generated secret.
    PutSecret(Arc<str>, Value),
    /// Forgets a secret.
    RemoveSecret(Arc<str>),
    /// Keeps a small fact; null removes it.
    PutMeta(Arc<str>, Value),
    /// The stack is at a new revision with these outputs.
    Revision(Revision, Vec<(Arc<str>, Value)>),
    /// From this revision on, the address is declared so; `None`: no more.
    Declared(Revision, Address, Option<Box<Declared>>),
}

/// One entry of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its run.
    pub run: RunId,
    /// When, by our clock.
    pub at: Timestamp,
    /// What it says.
    pub kind: EntryKind,
    /// What it changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Entry {
    /// An entry that changes nothing.
    pub fn new(run: RunId, at: Timestamp, kind: EntryKind) -> Entry {
        Entry {
            run,
            at,
            kind,
            changes: Vec::new(),
        }
    }

    /// Adds a change.
    #[must_use]
    pub fn change(mut self, change: Change) -> Entry {
        self.changes.push(change);
        self
    }

    /// Passes every value through `change`: for sealing and opening secrets.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn map_values(&mut self, change: &mut dyn FnMut(&mut Value) -> Result<()>) -> Result<()> {
        match &mut self.kind {
            EntryKind::Intent(intent) => {
                for row in [&mut intent.row, &mut intent.before].into_iter().flatten() {
                    row.map_values(change)?;
                }
                if let Some(object) = &mut intent.observed {
                    map_object(object, change)?;
                }
            }
            EntryKind::Checkpoint { object, .. } => map_object(object, change)?,
            EntryKind::State {
                before: Some(row), ..
            } => row.map_values(change)?,
            _ => {}
        }
        for item in &mut self.changes {
            match item {
                Change::Put(row) => row.map_values(change)?,
                Change::PutSecret(_, value) | Change::PutMeta(_, value) => change(value)?,
                Change::Revision(_, outputs) => {
                    for (_, value) in outputs {
                        change(value)?;
                    }
                }
                Change::Declared(_, _, Some(declared)) => change(&mut declared.inputs)?,
                Change::Remove(_) | Change::RemoveSecret(_) | Change::Declared(_, _, None) => {}
            }
        }
        Ok(())
    }
}

impl Row {
    /// Passes every value through `change`.
    ///
    /// # Errors
    /// Those of `change`.
    pub fn map_values(&mut self, change: &mut dyn FnMut(&mut Value) -> Result<()>) -> Result<()> {
        if let Some(declared) = &mut self.declared {
            change(declared)?;
        }
        map_object(&mut self.object, change)
    }
}

fn map_object(object: &mut Object, change: &mut dyn FnMut(&mut Value) -> Result<()>) -> Result<()> {
    change(&mut object.inputs)?;
    change(&mut object.outputs)
}

impl super::Snapshot {
    /// Carries out the changes of a group: the fold every store shares.
    pub fn apply(&mut self, group: &[Entry]) {
        for entry in group {
            self.head += 1;
            self.last_run = self.last_run.max(entry.run);
            match &entry.kind {
                EntryKind::RunStarted(_) => {
                    self.open_run = Some(super::OpenRun {
                        id: entry.run,
                        entries: Vec::new(),
                    });
                }
                EntryKind::RunEnded(_) => self.open_run = None,
                _ => {}
            }
            if let Some(open) = self.open_run.as_mut().filter(|open| open.id == entry.run) {
                open.entries.push(entry.clone());
            }
            for change in &entry.changes {
                self.change(change);
            }
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Put(row) => {
                self.rows.put(row.as_ref().clone());
            }
            Change::Remove(oid) => {
                self.rows.remove(*oid);
            }
            Change::PutSecret(name, value) => {
                self.secrets.insert(name.clone(), value.clone());
            }
            Change::RemoveSecret(name) => {
                self.secrets.remove(name);
            }
            Change::PutMeta(key, Value::Null) => {
                self.meta.remove(key);
            }
            Change::PutMeta(key, value) => {
                self.meta.insert(key.clone(), value.clone());
            }
            Change::Revision(revision, outputs) => {
                self.revision = *revision;
                self.outputs = outputs.iter().cloned().collect();
            }
            Change::Declared(..) => {}
        }
    }
}
