//! The run's pen: entries are gathered, committed together, and only then shown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::address::Address;
use crate::engine::{EventSink, Fault, Inner};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Event, EventBody};
use crate::provider::OpId;
use crate::state::{Change, Entry, EntryKind, Lease, Position, Row, RowStatus, RunId, Snapshot};

/// Sends events, numbered.
#[derive(Clone)]
pub(crate) struct Emitter {
    sink: Option<EventSink>,
    engine: Arc<Inner>,
    seq: Arc<std::sync::atomic::AtomicU64>,
    run: Option<RunId>,
}

impl Emitter {
    pub(crate) fn new(engine: Arc<Inner>, sink: Option<EventSink>) -> Emitter {
        Emitter {
            sink,
            engine,
            seq: Arc::default(),
            run: None,
        }
    }

    pub(crate) fn for_run(&self, run: RunId) -> Emitter {
        Emitter {
            run: Some(run),
            ..self.clone()
        }
    }

    pub(crate) fn emit(&self, body: EventBody) {
        let Some(sink) = &self.sink else { return };
        let seq = self.seq.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        let event = Event {
            v: crate::event::VERSION,
            seq,
            ts: self.engine.clock.now(),
            run: self.run,
            body,
        };
        // Nobody listening is no reason to stop.
        _ = sink.send(event);
    }
}

/// What became of an injected crash: the run ends as if the process had died.
pub(crate) fn crashed() -> Error {
    Error::new(ErrorKind::Cancelled, "injected crash").code("CRASH")
}

/// Whether an error is an injected crash.
pub(crate) fn is_crash(error: &Error) -> bool {
    error.code_text() == Some("CRASH")
}

/// The journal of one run, and state as it is after what was committed.
pub(crate) struct Journal {
    engine: Arc<Inner>,
    lease: Lease,
    head: Position,
    pub(crate) run: RunId,
    pub(crate) events: Emitter,
    /// Rows by object, after all entries pushed so far.
    pub(crate) rows: BTreeMap<OpId, Row>,
    current: HashMap<Address, OpId>,
    /// Entries of this run so far, for undoing.
    pub(crate) entries: Vec<Entry>,
    pending: Vec<Entry>,
    shown: Vec<EventBody>,
    /// State names an ended run as gone on with.
    continues: bool,
    appends: u64,
    faults: Vec<Fault>,
    pub(crate) started: Timestamp,
}

impl Journal {
    pub(crate) fn new(
        engine: Arc<Inner>,
        lease: Lease,
        snapshot: &Snapshot,
        run: RunId,
        events: Emitter,
        faults: Vec<Fault>,
    ) -> Journal {
        let started = engine.clock.now();
        let mut journal = Journal {
            engine,
            lease,
            head: snapshot.head,
            run,
            events: events.for_run(run),
            rows: BTreeMap::new(),
            current: HashMap::new(),
            entries: Vec::new(),
            pending: Vec::new(),
            shown: Vec::new(),
            continues: snapshot.meta.contains_key(crate::state::CONTINUES),
            appends: 0,
            faults,
            started,
        };
        for row in &snapshot.rows {
            journal.put(row.clone());
        }
        journal
    }

    /// The current row of an address.
    pub(crate) fn current(&self, address: &Address) -> Option<&Row> {
        self.current.get(address).and_then(|oid| self.rows.get(oid))
    }

    fn put(&mut self, row: Row) {
        if let Some(old) = self.rows.get(&row.oid)
            && self.current.get(&old.address) == Some(&old.oid)
        {
            self.current.remove(&old.address);
        }
        if row.status == RowStatus::Current {
            self.current.insert(row.address.clone(), row.oid);
        }
        self.rows.insert(row.oid, row);
    }

    /// Adds an entry to the next commit, with the event that shows it.
    pub(crate) fn push(&mut self, kind: EntryKind, changes: Vec<Change>, event: Option<EventBody>) {
        for change in &changes {
            match change {
                Change::Put(row) => self.put(row.as_ref().clone()),
                Change::Remove(oid) => {
                    if let Some(row) = self.rows.remove(oid)
                        && self.current.get(&row.address) == Some(oid)
                    {
                        self.current.remove(&row.address);
                    }
                }
                _ => {}
            }
        }
        let entry = Entry {
            run: self.run,
            at: self.engine.clock.now(),
            kind,
            changes,
        };
        self.pending.push(entry);
        self.shown.extend(event);
    }

    /// Notes that the run, which had ended, is gone on with.
    pub(crate) fn continue_ended(&mut self) -> Change {
        self.continues = true;
        Change::PutMeta(
            crate::state::CONTINUES.into(),
            crate::value::Value::from(self.run),
        )
    }

    /// What belongs to the end of any run.
    pub(crate) fn at_end(&mut self) -> Option<Change> {
        std::mem::take(&mut self.continues)
            .then(|| Change::PutMeta(crate::state::CONTINUES.into(), crate::value::Value::Null))
    }

    /// Whether anything waits for a commit.
    pub(crate) fn is_dirty(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Makes everything pushed durable as one group, then shows it.
    ///
    /// # Errors
    /// Of the store; nothing new may be started after that.
    pub(crate) async fn commit(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.appends += 1;
        let nth = self.appends;
        if self.faults.contains(&Fault::CrashBeforeAppend(nth)) {
            return Err(crashed());
        }
        let group = std::mem::take(&mut self.pending);
        self.entries.extend(group.iter().map(|entry| Entry {
            changes: Vec::new(),
            ..entry.clone()
        }));
        self.head = self
            .engine
            .store
            .append(&self.lease, self.head, group)
            .await
            .map_err(|error| error.operation("writing state"))?;
        if self.faults.contains(&Fault::CrashAfterAppend(nth)) {
            return Err(crashed());
        }
        for body in std::mem::take(&mut self.shown) {
            self.events.emit(body);
        }
        Ok(())
    }

    /// Milliseconds since the run began.
    pub(crate) fn millis(&self) -> u64 {
        millis_between(self.started, self.engine.clock.now())
    }
}

/// Milliseconds from one time to another; zero when the clock was set back.
pub(crate) fn millis_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}
