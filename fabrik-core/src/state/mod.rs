//! What is remembered: objects, the journal, history, locks.
//!
//! A [`StateStore`] has few operations, and one rule that makes everything else safe: a group of
//! entries is appended at an expected position, atomically and durably, and refused when that
//! position is no longer the head or the lease was taken over. A run that lost its lease can
//! therefore write nothing.

mod encode;
mod files;
mod folder;
pub(crate) mod ledger;
mod liveness;
mod lock;
mod memory;
mod migrate;
mod model;
mod refuse;
mod rows;
mod sealed;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::error::Result;
use crate::stack::Declared;
use crate::value::Value;

pub use folder::FolderStore;
pub use liveness::ProcLiveness;
pub use lock::{KeepAlive, acquire, keep_alive};
pub use memory::{AppendFault, MemoryStore};
pub use model::{
    Change, CheckResult, Entry, EntryKind, Intent, Looked, Phase, Row, RowStatus, RunEnd, RunKind,
    RunResult, RunStart, StepOutcome, StepRef,
};
pub use rows::Rows;
pub use sealed::SealedStore;
pub use sqlite::{SqliteStore, StackInfo};

/// Version of the stored form. A store of a newer version is refused with
/// [`crate::error::ErrorKind::Newer`]; an older one is migrated when it is opened.
pub const FORMAT: u32 = 1;

/// How many entries a stack's journal has ever had.
pub type Position = u64;

/// Number of a run of a stack, from 1.
pub type RunId = u64;

/// Number of a revision of a stack, from 1; 0 is "nothing applied yet".
pub type Revision = u64;

/// Who holds or wants a stack's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Person or system.
    pub who: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// What tells this process from a later one of the same id: boot id and start time, as the
    /// program found them. Empty when unknown.
    #[serde(default)]
    pub process: String,
    /// The command line, without secrets.
    pub command: String,
}

/// A lock as found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldLease {
    /// Who holds it.
    pub holder: Holder,
    /// The fencing number: grows with each holder.
    pub token: u64,
    /// Grows with each heartbeat.
    pub beat: u64,
    /// When it was taken, by the holder's clock.
    pub since: jiff::Timestamp,
}

/// A lock held by this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The fencing number.
    pub token: u64,
}

/// The answer to asking for the lock.
#[derive(Clone, Debug)]
pub enum LeaseAnswer {
    /// It is ours.
    Granted(Lease),
    /// Somebody has it.
    Held(HeldLease),
}

/// Everything the engine loads at the start of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Entries so far; the next group is appended at this position.
    pub head: Position,
    /// Objects; as loaded by address, then id.
    pub rows: Rows,
    /// Number of the last successful (or kept) revision.
    pub revision: Revision,
    /// Number of the last run.
    pub last_run: RunId,
    /// Generated secrets (sealed in the store).
    pub secrets: BTreeMap<Arc<str>, Value>,
    /// Outputs of the last revision.
    pub outputs: BTreeMap<Arc<str>, Value>,
    /// Small facts kept between runs: choices made by default, for example.
    pub meta: BTreeMap<Arc<str>, Value>,
    /// The journal of the run that has no end, when there is one.
    pub open_run: Option<OpenRun>,
}

/// The fact that names an ended run that is gone on with (`apply --resume` after a stop).
pub(crate) const CONTINUES: &str = "run.continues";

impl Snapshot {
    /// The run that the next apply goes on with: one without an end, or one that was stopped and is
    /// being resumed.
    pub fn unfinished(&self) -> Option<RunId> {
        match &self.open_run {
            Some(open) => Some(open.id),
            None => self.meta.get(CONTINUES)?.as_i64()?.try_into().ok(),
        }
    }
}

/// A run without an end: its process was killed, or it lost the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenRun {
    /// Its number.
    pub id: RunId,
    /// All its entries, in order.
    pub entries: Vec<Entry>,
}

/// One run, as history lists it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its number.
    pub id: RunId,
    /// How it began.
    pub start: RunStart,
    /// When it began.
    pub started: jiff::Timestamp,
    /// How and when it ended; `None` for one still running or interrupted hard.
    pub end: Option<(RunEnd, jiff::Timestamp)>,
}

/// Where state is kept, for one stack in one environment.
///
/// *Behaviour* every store keeps to, tested by [`crate::testing::store_suite`]:
/// - `append` is atomic and durable when it returns; at another position than the head it is
///   refused with [`crate::error::ErrorKind::Conflict`]; with a lease that is not current with
///   [`crate::error::ErrorKind::LeaseLost`]. Nothing of a refused group is kept.
/// - `load` sees exactly the appended groups.
/// - `lease` grants to one holder at a time. A holder that is dead on the same host
///   ([`crate::state::Liveness`]) is replaced at once; each grant has a greater token.
/// - a store written by a newer version is refused, a damaged one is reported as
///   [`crate::error::ErrorKind::Corrupt`] and never treated as empty.
#[async_trait]
pub trait StateStore: Send + Sync + 'static {
    /// Asks for the lock. Does not wait. `take_over` names a token whose holder the caller has
    /// found to be dead or gone: that holder is replaced.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Io`] and the like; a held lock is an answer, not an error.
    async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer>;

    /// Shows that the holder lives.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::LeaseLost`] when it was taken over.
    async fn heartbeat(&self, lease: &Lease) -> Result<()>;

    /// Gives the lock back; harmless when it was taken over.
    ///
    /// # Errors
    /// Of the store.
    async fn release(&self, lease: &Lease) -> Result<()>;

    /// Who holds the lock.
    ///
    /// # Errors
    /// Of the store.
    async fn holder(&self) -> Result<Option<HeldLease>>;

    /// Takes the lock away from whoever has it (`fabrik state unlock`), when the token matches.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Conflict`] for another token.
    async fn break_lease(&self, token: u64) -> Result<()>;

    /// Everything a run needs.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::Corrupt`], [`crate::error::ErrorKind::Newer`], and of the store.
    async fn load(&self) -> Result<Snapshot>;

    /// Appends a group of entries and carries out their changes, as one durable transaction.
    ///
    /// # Errors
    /// See the trait.
    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position>;

    /// Lets go of entries of ended runs before `keep_runs` runs ago. Objects and revisions stay.
    ///
    /// # Errors
    /// As `append`.
    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()>;

    /// Runs, newest first.
    ///
    /// # Errors
    /// Of the store.
    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>>;

    /// All entries of one run, with the position of each.
    ///
    /// # Errors
    /// Of the store.
    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>>;

    /// What was declared at a revision: every address with its declaration.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::NotFound`] for a revision that never was.
    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>>;

    /// Outputs of another stack in the same place, read only; `None` when there is none.
    ///
    /// # Errors
    /// Of the store.
    async fn outputs_of(&self, stack: &str, env: &str)
    -> Result<Option<BTreeMap<Arc<str>, Value>>>;
}

/// Tells whether the holder of a lock still runs; the program provides it, because only it may
/// look at processes.
pub trait Liveness: Send + Sync {
    /// `Some(false)` when the holder ran on this host and is dead for certain; `None` when that
    /// cannot be told.
    fn is_alive(&self, holder: &Holder) -> Option<bool>;
}

/// Never tells.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnknownLiveness;

impl Liveness for UnknownLiveness {
    fn is_alive(&self, _: &Holder) -> Option<bool> {
        None
    }
}

/// How the lock is waited for.
#[derive(Clone, Debug)]
pub struct LockPolicy {
    /// How long to wait; zero fails at once.
    pub timeout: Duration,
    /// Time between tries.
    pub poll: Duration,
    /// A remote holder whose heartbeat has not moved for this long, by the waiter's own clock, is
    /// taken for dead. Heartbeats come at a quarter of it.
    pub ttl: Duration,
}

impl Default for LockPolicy {
    fn default() -> Self {
        LockPolicy {
            timeout: Duration::ZERO,
            poll: Duration::from_millis(200),
            ttl: Duration::from_secs(60),
        }
    }
}
