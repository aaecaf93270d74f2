//! A state store of our own: it keeps state in memory and an account of what was written.
//!
//! A real one would write somewhere durable. Whatever it does, `fabrik_core::testing::store_suite`
//! tells whether it keeps the promises of a store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::stack::Declared;
use fabrik_core::state::{
    Entry, HeldLease, Holder, Lease, LeaseAnswer, MemoryStore, Position, Revision, RunId,
    RunSummary, Snapshot, StateStore,
};
use fabrik_core::value::Value;
use jiff::Timestamp;

/// State in memory, with counts of what was written. Clones are handles of the same state.
#[derive(Clone, Debug)]
pub struct CountingStore {
    inner: MemoryStore,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    groups: AtomicUsize,
    entries: AtomicUsize,
}

impl CountingStore {
    /// A new, empty one for a stack.
    pub fn new(stack: &str) -> CountingStore {
        CountingStore {
            inner: MemoryStore::new(stack, "default"),
            counts: Arc::default(),
        }
    }

    /// A handle of the same place for another stack.
    #[must_use]
    pub fn open(&self, stack: &str, env: &str) -> CountingStore {
        CountingStore {
            inner: self.inner.open(stack, env),
            counts: self.counts.clone(),
        }
    }

    /// How many groups (each one commit) and entries of the journal were written.
    pub fn written(&self) -> (usize, usize) {
        (
            self.counts.groups.load(Ordering::Relaxed),
            self.counts.entries.load(Ordering::Relaxed),
        )
    }
}

#[async_trait]
impl StateStore for CountingStore {
    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position> {
        let head = self.inner.append(lease, at, group).await?;
        self.counts.groups.fetch_add(1, Ordering::Relaxed);
        self.counts
            .entries
            .fetch_add(group.len(), Ordering::Relaxed);
        Ok(head)
    }

    async fn lease(
        &self,
        holder: &Holder,
        now: Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        self.inner.lease(holder, now, take_over).await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        self.inner.heartbeat(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.inner.release(lease).await
    }

    async fn holder(&self) -> Result<Option<HeldLease>> {
        self.inner.holder().await
    }

    async fn break_lease(&self, token: u64) -> Result<()> {
        self.inner.break_lease(token).await
    }

    async fn load(&self) -> Result<Snapshot> {
        self.inner.load().await
    }

    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        self.inner.compact(lease, keep_runs).await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        self.inner.runs(limit).await
    }

    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        self.inner.entries(run).await
    }

    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        self.inner.declared_at(revision).await
    }

    async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        self.inner.outputs_of(stack, env).await
    }
}
