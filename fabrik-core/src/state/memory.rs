//! State in memory: for tests, and for programs that keep none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::ledger::Ledger;
use super::{
    Entry, HeldLease, Holder, Lease, LeaseAnswer, Position, Revision, RunId, RunSummary, Snapshot,
    StateStore, encode, refuse,
};
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::stack::Declared;
use crate::value::Value;

/// What an injected failure does; see [`MemoryStore::fail_from`].
#[derive(Clone, Debug)]
pub enum AppendFault {
    /// The group is refused: nothing of it is kept.
    Refuse(Error),
    /// The group is kept, but the caller gets the error: a lost reply.
    LoseReply(Error),
}

/// State in this process. Clones, and [`MemoryStore::open`], are handles of the same place.
///
/// It stores what a durable store would: each group goes through its stored form, so a secret
/// that was not sealed is refused here too.
///
/// ```
/// use fabrik_core::state::{MemoryStore, StateStore};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new("shop", "production");
/// let other = store.open("blog", "default");
/// assert_eq!(store.load().await?.head, 0);
/// assert!(other.outputs_of("shop", "production").await?.is_none());
/// # Ok::<(), fabrik_core::error::Error>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct MemoryStore {
    place: Arc<Mutex<BTreeMap<Name, Stored>>>,
    name: Name,
}

/// Stack and environment.
type Name = (Arc<str>, Arc<str>);

#[derive(Debug, Default)]
struct Stored {
    ledger: Ledger,
    token: u64,
    held: Option<HeldLease>,
    fault: Option<(Position, AppendFault)>,
}

impl Stored {
    fn check(&self, lease: &Lease) -> Result<()> {
        match &self.held {
            Some(held) if held.token == lease.token => Ok(()),
            other => Err(refuse::lease_lost(other.as_ref())),
        }
    }
}

impl MemoryStore {
    /// A new, empty place, opened for one stack in one environment.
    pub fn new(stack: impl Into<Arc<str>>, env: impl Into<Arc<str>>) -> MemoryStore {
        MemoryStore {
            place: Arc::default(),
            name: (stack.into(), env.into()),
        }
    }

    /// A handle of the same place for a stack in an environment.
    #[must_use]
    pub fn open(&self, stack: impl Into<Arc<str>>, env: impl Into<Arc<str>>) -> MemoryStore {
        MemoryStore {
            place: self.place.clone(),
            name: (stack.into(), env.into()),
        }
    }

    /// From now on, each group that reaches the journal position `from` (counted from 0) or lies
    /// beyond it fails; until [`MemoryStore::heal`].
    pub fn fail_from(&self, from: Position, fault: AppendFault) {
        self.with(|stored| stored.fault = Some((from, fault)));
    }

    /// Ends injected failures.
    pub fn heal(&self) {
        self.with(|stored| stored.fault = None);
    }

    fn with<T>(&self, work: impl FnOnce(&mut Stored) -> T) -> T {
        work(self.lock().entry(self.name.clone()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Name, Stored>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A group as it would come back from a durable store.
fn stored_form(group: &[Entry]) -> Result<Vec<Entry>> {
    group
        .iter()
        .map(|entry| {
            encode::decode(encode::encode(entry)?.as_bytes())
                .map_err(|why| Error::new(ErrorKind::Unexpected, why))
        })
        .collect()
}

#[async_trait]
impl StateStore for MemoryStore {
    async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        Ok(self.with(|stored| match &stored.held {
            Some(held) if take_over != Some(held.token) => LeaseAnswer::Held(held.clone()),
            _ => {
                stored.token += 1;
                stored.held = Some(HeldLease {
                    holder: holder.clone(),
                    token: stored.token,
                    beat: 0,
                    since: now,
                });
                LeaseAnswer::Granted(Lease {
                    token: stored.token,
                })
            }
        }))
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        self.with(|stored| {
            stored.check(lease)?;
            if let Some(held) = &mut stored.held {
                held.beat += 1;
            }
            Ok(())
        })
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        self.with(|stored| {
            if stored.check(lease).is_ok() {
                stored.held = None;
            }
        });
        Ok(())
    }

    async fn holder(&self) -> Result<Option<HeldLease>> {
        Ok(self.with(|stored| stored.held.clone()))
    }

    async fn break_lease(&self, token: u64) -> Result<()> {
        self.with(|stored| match &stored.held {
            Some(held) if held.token == token => {
                stored.held = None;
                Ok(())
            }
            other => Err(refuse::other_lock(token, other.as_ref())),
        })
    }

    async fn load(&self) -> Result<Snapshot> {
        Ok(self.with(|stored| stored.ledger.load()))
    }

    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position> {
        let group = stored_form(group)?;
        self.with(|stored| {
            stored.check(lease)?;
            let head = stored.ledger.snapshot.head;
            if at != head {
                return Err(refuse::conflict(at, head));
            }
            let next = head + group.len() as Position;
            let fault = stored
                .fault
                .as_ref()
                .filter(|(from, _)| next > *from)
                .map(|(_, fault)| fault.clone());
            if let Some(AppendFault::Refuse(error)) = fault {
                return Err(error);
            }
            stored.ledger.apply(group);
            match fault {
                Some(AppendFault::LoseReply(error)) => Err(error),
                _ => Ok(next),
            }
        })
    }

    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        self.with(|stored| {
            stored.check(lease)?;
            stored.ledger.compact(keep_runs);
            Ok(())
        })
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        Ok(self.with(|stored| stored.ledger.runs(limit)))
    }

    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        Ok(self.with(|stored| stored.ledger.entries(run)))
    }

    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        self.with(|stored| stored.ledger.declared_at(revision))
    }

    async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        let name = (Arc::from(stack), Arc::from(env));
        Ok(self
            .lock()
            .get(&name)
            .filter(|stored| stored.ledger.snapshot.revision > 0)
            .map(|stored| stored.ledger.snapshot.outputs.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::store_suite::{self, Place};

    impl Place for MemoryStore {
        fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>> {
            Ok(Arc::new(MemoryStore::open(self, stack, env)))
        }
    }

    #[tokio::test]
    async fn behaves_as_a_store() {
        store_suite::run(|| Ok(MemoryStore::new("", "")))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn injected_failures() {
        let store = MemoryStore::new("s", "e");
        let lease = store_suite::take(&store, "me").await.unwrap();
        let group = store_suite::random_groups(1, 1).remove(0);
        let error = || Error::new(ErrorKind::Io, "disk full");
        store.fail_from(0, AppendFault::Refuse(error()));
        assert!(store.append(&lease, 0, &group).await.is_err());
        assert_eq!(store.load().await.unwrap().head, 0);
        store.fail_from(0, AppendFault::LoseReply(error()));
        assert!(store.append(&lease, 0, &group).await.is_err());
        let head = store.load().await.unwrap().head;
        assert_eq!(head, group.len() as u64);
        store.heal();
        assert!(store.append(&lease, head, &group).await.is_ok());
    }
}
