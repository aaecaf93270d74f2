//! What applying costs, counted and not timed: syncs of a chain, and bytes written for a change.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions};
use fabrik_core::error::Result;
use fabrik_core::secrets::Key;
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::state::{
    Entry, HeldLease, Holder, Lease, LeaseAnswer, Position, Revision, RunId, RunResult, RunSummary,
    Snapshot, SqliteStore, StateStore,
};
use fabrik_core::value::Value;
use fabrik_tests::null::Null;
use fabrik_tests::shapes::{Shape, stack};

/// Counts what is made durable.
#[derive(Clone)]
struct Counting {
    store: Arc<SqliteStore>,
    commits: Arc<AtomicUsize>,
    bytes: Arc<AtomicUsize>,
}

impl Counting {
    fn open(folder: &Path) -> Counting {
        let store = SqliteStore::open(&folder.join("state.db"), "scale", "default").unwrap();
        Counting {
            store: Arc::new(store),
            commits: Arc::default(),
            bytes: Arc::default(),
        }
    }

    fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl StateStore for Counting {
    async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        self.store.lease(holder, now, take_over).await
    }
    async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        self.store.heartbeat(lease).await
    }
    async fn release(&self, lease: &Lease) -> Result<()> {
        self.store.release(lease).await
    }
    async fn holder(&self) -> Result<Option<HeldLease>> {
        self.store.holder().await
    }
    async fn break_lease(&self, token: u64) -> Result<()> {
        self.store.break_lease(token).await
    }
    async fn load(&self) -> Result<Snapshot> {
        self.store.load().await
    }
    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position> {
        let bytes = serde_json::to_vec(group).unwrap().len();
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.store.append(lease, at, group).await
    }
    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        self.store.compact(lease, keep_runs).await
    }
    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        self.store.runs(limit).await
    }
    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        self.store.entries(run).await
    }
    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        self.store.declared_at(revision).await
    }
    async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        self.store.outputs_of(stack, env).await
    }
}

async fn apply(store: &Counting, stack: Stack) {
    let engine = Engine::builder()
        .provider(Null::default())
        .store(store.clone())
        .key(Key::new([7; 32]))
        .build()
        .unwrap();
    let options = PlanOptions::default();
    let plan = engine.plan(Arc::new(stack), &options).await.unwrap();
    let run = engine.apply(plan, ApplyOptions::default());
    let report = run.finish().await.unwrap();
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
}

/// An outcome and the intents it makes ready are one commit: a link more is one sync more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_takes_one_commit_a_link() {
    let mut commits = Vec::new();
    for links in [1, 101] {
        let folder = tempfile::tempdir().unwrap();
        let store = Counting::open(folder.path());
        apply(&store, stack(Shape::Chain, links).unwrap()).await;
        let made = store.commits();
        apply(&store, Stack::new("scale")).await;
        commits.push((made, store.commits() - made));
    }
    let [short, long] = commits[..] else {
        unreachable!()
    };
    println!("commits to make and destroy: {short:?} for 1, {long:?} for 101");
    assert!(long.0 - short.0 <= 100, "make: {short:?}, {long:?}");
    assert!(long.1 - short.1 <= 100, "destroy: {short:?}, {long:?}");
}

/// One change writes as much in a stack of 10,000 as in one of 1,000, to the journal and to disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_writes_what_changed() {
    let mut written = Vec::new();
    for n in [1_000, 10_000] {
        let folder = tempfile::tempdir().unwrap();
        apply(
            &Counting::open(folder.path()),
            stack(Shape::Independent, n).unwrap(),
        )
        .await;
        // Closed by now, so what was written is in the database, and what comes is beside it.
        let beside = folder.path().join("state.db-wal");
        assert!(std::fs::metadata(&beside).map_or(0, |meta| meta.len()) == 0);
        let store = Counting::open(folder.path());
        let mut changed = stack(Shape::Independent, n).unwrap();
        let address = Address::resource("r7").unwrap();
        let declared = changed.resources.get_mut(&address).unwrap();
        declared.inputs = Value::map([("input", Value::from("another"))]);
        apply(&store, changed).await;
        let on_disk = std::fs::metadata(&beside).unwrap().len();
        written.push((store.bytes.load(Ordering::Relaxed), on_disk));
    }
    let [small, large] = written[..] else {
        unreachable!()
    };
    println!("bytes of journal and disk: {small:?} of 1,000, {large:?} of 10,000");
    // Digits of counters and a level of a tree may come on top.
    assert!(large.0 <= small.0 + 100, "journal: {small:?}, {large:?}");
    assert!(large.1 <= small.1 * 3 / 2, "disk: {small:?}, {large:?}");
}
