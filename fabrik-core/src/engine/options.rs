//! What a caller may ask of a plan or an apply.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::address::Address;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::provider::{StopSignal, Verb};
use crate::stack::OnFailure;

/// Where events go. Unbounded: control events are never dropped; progress is thinned before.
pub type EventSink = mpsc::UnboundedSender<Event>;

/// How much of the world is read before planning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refresh {
    /// Everything in the stack, by grouped reads.
    #[default]
    All,
    /// Only what the change touches.
    Changed,
    /// Nothing: state is taken for the truth.
    None,
}

/// What to plan.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// How much to read.
    pub refresh: Refresh,
    /// Plan only to take into state what the services show; write nothing.
    pub refresh_only: bool,
    /// Plan to delete everything.
    pub destroy: bool,
    /// Only addresses matching one of these globs, and what they depend on.
    pub target: Vec<String>,
    /// Not the addresses matching one of these globs, nor what depends on them.
    pub exclude: Vec<String>,
    /// Replace the addresses matching one of these globs.
    pub replace: Vec<String>,
    /// Changes that lose data are allowed for addresses matching one of these globs (`**` for all).
    pub allow_data_loss: Vec<String>,
    /// A line for history.
    pub note: Option<String>,
    /// Where refresh progress goes.
    pub events: Option<EventSink>,
    /// Stops a long refresh.
    pub stop: Option<StopSignal>,
}

/// Decides, when a run has failed, what to do about it (`on_failure: ask`).
pub type Decide = Arc<dyn Fn(&Error) -> OnFailure + Send + Sync>;

/// How to apply a plan.
#[derive(Clone, Default)]
pub struct ApplyOptions {
    /// Policy for failures; `None` leaves it to the stack.
    pub on_failure: Option<OnFailure>,
    /// Asked when the policy is [`OnFailure::Ask`].
    pub decide: Option<Decide>,
    /// Injected faults.
    pub faults: Faults,
    /// Skip verification.
    pub no_verify: bool,
}

impl std::fmt::Debug for ApplyOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApplyOptions")
            .field("on_failure", &self.on_failure)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// Faults to inject: public, so that embedders and provider authors can test what happens when a
/// step fails, an undo fails, a process dies.
#[derive(Clone, Debug, Default)]
pub struct Faults(pub Vec<Fault>);

/// One injected fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The step on this address fails, before its call, with an error of this kind.
    FailStep {
        /// Which resource.
        address: Address,
        /// Which operation; `None` for any.
        verb: Option<Verb>,
        /// The kind of error.
        kind: ErrorKind,
    },
    /// The step on this address is carried out, but its reply is replaced by a timeout.
    LoseReply {
        /// Which resource.
        address: Address,
    },
    /// Undoing the step on this address fails.
    FailUndo {
        /// Which resource.
        address: Address,
        /// How often; after that it works.
        times: u32,
    },
    /// The operation on this address is sent twice with the same id.
    RepeatStep {
        /// Which resource.
        address: Address,
    },
    /// The operation on this address waits before its call.
    Delay {
        /// Which resource.
        address: Address,
        /// How long.
        by: Duration,
    },
    /// The check of this name fails.
    FailCheck {
        /// Which check.
        name: String,
    },
    /// The run ends as if the process had died just before its nth append to the journal (from 1):
    /// nothing further is written and nothing is cleaned up.
    CrashBeforeAppend(u64),
    /// As [`Fault::CrashBeforeAppend`], just after the nth append.
    CrashAfterAppend(u64),
}
