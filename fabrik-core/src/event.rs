//! Events: the only way out of the engine. Numbered, versioned, enough to rebuild any display.
//!
//! Every journal entry becomes an event after it is durable; progress events lie between and may
//! be thinned. Text in them has passed the redactor and holds no control characters.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::ErrorReport;
use crate::plan::Summary;
use crate::provider::Verb;
use crate::secrets::{Redactor, printable};
use crate::state::{CheckResult, HeldLease, Phase, RunEnd, RunId, RunStart, StepOutcome, StepRef};
use crate::value::Value;

/// Version of the event form.
pub const VERSION: u32 = 1;

/// Text that holds no known secret and no control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SafeText(String);

impl SafeText {
    /// Cleans text from outside.
    pub fn clean(redactor: &Redactor, text: &str) -> SafeText {
        SafeText(printable(&redactor.clean(text)))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&'static str> for SafeText {
    fn from(text: &'static str) -> Self {
        SafeText(text.to_owned())
    }
}
impl std::fmt::Display for SafeText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Version of the form.
    pub v: u32,
    /// Number within the run, from 1, without gaps in what is emitted.
    pub seq: u64,
    /// When.
    pub ts: Timestamp,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What happened.
    #[serde(flatten)]
    pub body: EventBody,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventBody {
    /// Waiting for another run's lock.
    LockWait {
        /// Who has it.
        held: HeldLease,
    },
    /// Objects are being read.
    Refresh {
        /// Read so far.
        done: usize,
        /// To be read.
        total: usize,
    },
    /// A run began.
    RunStarted {
        /// How.
        start: Box<RunStart>,
        /// What is planned.
        summary: Summary,
    },
    /// An interrupted run goes on, or is resolved first.
    Resumed {
        /// Steps whose outcome was not known.
        open: usize,
    },
    /// The run is in a phase.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// A secret's value was found or made.
    Secret {
        /// Its name.
        name: Arc<str>,
        /// Where it comes from.
        origin: String,
    },
    /// A step began: its intent is durable.
    StepStarted {
        /// The step.
        step: StepRef,
        /// The resource.
        address: Address,
        /// Full type name.
        type_name: Arc<str>,
        /// What is done.
        verb: Verb,
        /// The step it undoes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<StepRef>,
    },
    /// A step says what it is doing.
    StepProgress {
        /// The step.
        step: StepRef,
        /// The resource.
        address: Address,
        /// Words.
        note: SafeText,
        /// How far, 0 to 100.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percent: Option<u8>,
    },
    /// A line of a build or service log.
    LogLine {
        /// The step.
        step: StepRef,
        /// The resource.
        address: Address,
        /// The line.
        line: SafeText,
    },
    /// A request to a service.
    Http {
        /// The step, when it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepRef>,
        /// Method.
        method: SafeText,
        /// Route template.
        route: SafeText,
        /// Status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        /// Milliseconds.
        ms: u64,
        /// Attempt, from 1.
        attempt: u32,
    },
    /// A step is tried again.
    StepRetry {
        /// The step.
        step: StepRef,
        /// The resource.
        address: Address,
        /// Why.
        why: SafeText,
        /// Milliseconds until then.
        after_ms: u64,
        /// The attempt that follows.
        attempt: u32,
    },
    /// The engine waits to be sure of something.
    Waiting {
        /// The resource, when it is about one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Address>,
        /// Why.
        why: SafeText,
        /// At most this long.
        ms: u64,
    },
    /// A step ended.
    StepDone {
        /// The step.
        step: StepRef,
        /// The resource.
        address: Address,
        /// Full type name.
        type_name: Arc<str>,
        /// What was done.
        verb: Verb,
        /// How it ended.
        outcome: StepOutcome,
        /// The service's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<SafeText>,
        /// Milliseconds.
        ms: u64,
        /// The step it undoes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undoes: Option<StepRef>,
    },
    /// Only state changed: moved, forgotten, accepted.
    StateChanged {
        /// The resource.
        address: Address,
        /// What, in words.
        what: SafeText,
    },
    /// A check was made.
    Check {
        /// Its result.
        result: CheckResult,
    },
    /// Something is wrong, but the run goes on.
    Warning {
        /// What.
        message: SafeText,
        /// What to do.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<SafeText>,
    },
    /// What this run did is being taken back.
    RollbackStarted {
        /// Why.
        error: Box<ErrorReport>,
        /// How many steps.
        steps: usize,
    },
    /// The outputs after the run; secrets masked.
    Outputs {
        /// Name and value.
        values: Vec<(Arc<str>, Value)>,
    },
    /// The run ended.
    RunEnded {
        /// How.
        end: Box<RunEnd>,
    },
}

impl Event {
    /// The event in one line: what a consumer shows for a type it does not know.
    pub fn message(&self) -> String {
        match &self.body {
            EventBody::LockWait { held } => format!(
                "waiting for the lock held by {} on {} (pid {}): {}",
                held.holder.who, held.holder.host, held.holder.pid, held.holder.command
            ),
            EventBody::Refresh { done, total } => format!("read {done} of {total} objects"),
            EventBody::RunStarted { .. } => format!("run {} started", self.run.unwrap_or_default()),
            EventBody::Resumed { open } => {
                format!("going on with an interrupted run, {open} steps in doubt")
            }
            EventBody::Phase { phase } => phase_text(*phase).to_owned(),
            EventBody::Secret { name, origin } => format!("secret {name}: {origin}"),
            EventBody::StepStarted {
                address,
                verb,
                undoes,
                ..
            } => {
                let undo = if undoes.is_some() { "undo: " } else { "" };
                format!("{undo}{} {address}", verb.word())
            }
            EventBody::StepProgress { address, note, .. } => format!("{address}: {note}"),
            EventBody::LogLine { address, line, .. } => format!("{address} | {line}"),
            EventBody::Http {
                method,
                route,
                status,
                ms,
                ..
            } => match status {
                Some(status) => format!("{method} {route} {status} in {ms} ms"),
                None => format!("{method} {route} without an answer after {ms} ms"),
            },
            EventBody::StepRetry {
                address,
                why,
                after_ms,
                ..
            } => {
                format!("{address}: {why}; trying again in {after_ms} ms")
            }
            EventBody::Waiting { why, .. } => format!("waiting: {why}"),
            EventBody::StepDone {
                address,
                verb,
                outcome,
                ms,
                ..
            } => {
                let word = match outcome {
                    StepOutcome::Done => "done".to_owned(),
                    StepOutcome::Unchanged => "nothing to do".to_owned(),
                    StepOutcome::NotDone => "not done".to_owned(),
                    StepOutcome::Failed(error) => format!("failed: {}", error.message),
                    StepOutcome::InDoubt(why) => format!("in doubt: {why}"),
                    StepOutcome::Left(why) => format!("left alone: {why}"),
                };
                format!("{} {address}: {word} ({ms} ms)", verb.word())
            }
            EventBody::StateChanged { address, what } => format!("{address}: {what}"),
            EventBody::Check { result } => {
                let word = if result.passed { "ok" } else { "failed" };
                format!("check {}: {word}: {}", result.name, result.evidence)
            }
            EventBody::Warning { message, .. } => format!("warning: {message}"),
            EventBody::RollbackStarted { steps, .. } => {
                format!("taking back {steps} steps of this run")
            }
            EventBody::Outputs { values } => format!("{} outputs", values.len()),
            EventBody::RunEnded { end } => format!("run ended: {:?}", end.result).to_lowercase(),
        }
    }
}

/// A phase in words.
pub fn phase_text(phase: Phase) -> &'static str {
    match phase {
        Phase::Validating => "validating",
        Phase::LoadingSecrets => "loading secrets",
        Phase::Provisioning => "provisioning",
        Phase::Waiting => "waiting",
        Phase::Deploying => "deploying",
        Phase::Verifying => "verifying",
        Phase::Removing => "removing",
        Phase::RollingBack => "rolling back",
    }
}
