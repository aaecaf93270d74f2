//! State as immutable objects in a folder: how an object store with conditional writes keeps it.

mod lease;
mod objects;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use self::lease::Locks;
use super::ledger::Ledger;
use super::{
    Entry, HeldLease, Holder, Lease, LeaseAnswer, Position, Revision, RunId, RunSummary, Snapshot,
    StateStore, refuse,
};
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::stack::Declared;
use crate::value::{Value, share};

/// State in a folder, which several machines may share.
///
/// Only three things are asked of the folder: put a file unless its name is taken, read, list.
/// - `journal/N`: the N-th group, never changed. Two writers that believe N comes next cannot both
///   put it, so one of them is refused. Whoever takes a lock over puts an empty group first: what
///   the former holder still had under way finds its place taken.
/// - `base/…`: the fold of all groups up to one, made by [`StateStore::compact`], after which the
///   groups before may go.
/// - `lease/TOKEN.…`: each grant of the lock, its last heartbeat, its end.
///
/// *Behaviour*, besides that of every [`StateStore`]: objects carry a digest; one that is not as
/// written, or a gap in the journal, is [`ErrorKind::Corrupt`]. Loading reads the groups since the
/// last base: compact now and then.
#[derive(Clone, Debug)]
pub struct FolderStore {
    root: Arc<Path>,
    stack: Arc<Stack>,
}

#[derive(Debug)]
struct Stack {
    folder: PathBuf,
    /// What comes next, as far as this handle knows.
    cursor: Mutex<Option<Cursor>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    /// Number of the next group.
    next: u64,
    /// Entries before it.
    head: Position,
}

#[derive(Serialize, Deserialize)]
struct Group {
    token: u64,
    at: Position,
    entries: Vec<Entry>,
}

/// The fold of the groups before `next`; those before `kept` are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct BaseName {
    next: u64,
    kept: u64,
}

/// Everything read: the fold, what comes next, and where each group begins and ends.
struct Read {
    ledger: Ledger,
    cursor: Cursor,
    groups: Vec<(u64, Position)>,
}

impl FolderStore {
    /// Opens the state of a stack in an environment below a folder; what is missing is made by the
    /// first write.
    pub fn open(root: &Path, stack: &str, env: &str) -> FolderStore {
        FolderStore {
            root: root.into(),
            stack: Arc::new(Stack {
                folder: objects::folder_for(root, [stack, env]),
                cursor: Mutex::default(),
            }),
        }
    }

    async fn blocking<T, W>(&self, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: FnOnce(&Stack, &mut Option<Cursor>) -> Result<T> + Send + 'static,
    {
        let stack = self.stack.clone();
        let work = move || {
            let mut cursor = stack.cursor.lock().unwrap_or_else(PoisonError::into_inner);
            let done = share::sharing(|| work(&stack, &mut cursor));
            if done.is_err() {
                *cursor = None;
            }
            done
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Error::new(ErrorKind::Unexpected, format!("state stopped: {error}")))?
    }
}

impl Stack {
    fn locks(&self) -> Locks {
        Locks::of(&self.folder)
    }

    fn group(&self, number: u64) -> PathBuf {
        self.folder.join("journal").join(format!("{number:020}"))
    }

    fn base(&self, name: BaseName) -> PathBuf {
        let name = format!("{:020}-{:020}", name.next, name.kept);
        self.folder.join("base").join(name)
    }

    fn bases(&self) -> Result<Vec<BaseName>> {
        let names = objects::list(&self.folder.join("base"))?;
        let parse = |name: &String| {
            let (next, kept) = name.split_once('-')?;
            Some(BaseName {
                next: next.parse().ok()?,
                kept: kept.parse().ok()?,
            })
        };
        Ok(names.iter().filter_map(parse).collect())
    }

    fn numbers(&self) -> Result<Vec<u64>> {
        let names = objects::list(&self.folder.join("journal"))?;
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    fn damaged(&self, why: &str) -> Error {
        refuse::corrupt(&self.folder.display(), why)
    }

    /// Reads the last base and the groups after it; with `history` also the kept groups before.
    fn read(&self, history: bool) -> Result<Read> {
        loop {
            let base = self.bases()?.pop();
            if let Some(read) = self.read_from(base, history)? {
                return Ok(read);
            }
            // Something was missing: either somebody compacted meanwhile, or it is lost.
            if self.bases()?.pop() == base {
                return Err(self.damaged("a part of its journal is missing"));
            }
        }
    }

    fn read_from(&self, base: Option<BaseName>, history: bool) -> Result<Option<Read>> {
        let (name, mut ledger) = match base {
            None => (BaseName { next: 1, kept: 1 }, Ledger::default()),
            Some(name) => match objects::get::<Ledger>(&self.base(name))? {
                Some(ledger) => (name, ledger),
                None => return Ok(None),
            },
        };
        let first = if history { name.kept } else { name.next };
        let mut groups = Vec::new();
        let mut next = first;
        for number in self
            .numbers()?
            .into_iter()
            .filter(|number| *number >= first)
        {
            if number != next {
                return Ok(None);
            }
            let Some(group) = objects::get::<Group>(&self.group(number))? else {
                return Ok(None);
            };
            next += 1;
            let end = group.at + group.entries.len() as Position;
            groups.push((number, end));
            if number < name.next {
                for (position, entry) in (group.at..).zip(group.entries) {
                    ledger.recall(position, entry);
                }
            } else if group.at == ledger.snapshot.head {
                ledger.apply(group.entries);
            } else {
                return Err(self.damaged("a group of its journal is in the wrong place"));
            }
        }
        if next < name.next {
            return Ok(None);
        }
        let head = ledger.snapshot.head;
        Ok(Some(Read {
            ledger,
            cursor: Cursor { next, head },
            groups,
        }))
    }

    /// What comes next, by reading no more than what is new.
    fn advance(&self, cursor: &mut Option<Cursor>) -> Result<Cursor> {
        let mut now = match *cursor {
            Some(cursor) => cursor,
            None => self.read(false)?.cursor,
        };
        while let Some(group) = objects::get::<Group>(&self.group(now.next))? {
            now.next += 1;
            now.head = group.at + group.entries.len() as Position;
        }
        *cursor = Some(now);
        Ok(now)
    }

    /// Puts a group where `now` says; `false` when another was put there.
    fn put(
        &self,
        cursor: &mut Option<Cursor>,
        now: Cursor,
        token: u64,
        entries: Vec<Entry>,
    ) -> Result<bool> {
        let group = Group {
            token,
            at: now.head,
            entries,
        };
        let head = now.head + group.entries.len() as Position;
        let path = self.group(now.next);
        if !objects::put_new(&path, group)? {
            return Ok(false);
        }
        // The place may have been free only because its group was folded and cleared away.
        if self.bases()?.iter().any(|base| base.next > now.next) {
            objects::remove(&path)?;
            *cursor = None;
            return Ok(false);
        }
        *cursor = Some(Cursor {
            next: now.next + 1,
            head,
        });
        Ok(true)
    }

    /// Takes the next place in the journal, so that nothing an earlier holder has under way fits.
    fn fence(&self, cursor: &mut Option<Cursor>, token: u64) -> Result<()> {
        loop {
            let now = self.advance(cursor)?;
            if self.put(cursor, now, token, Vec::new())? {
                return Ok(());
            }
        }
    }

    fn compact(&self, cursor: &mut Option<Cursor>, keep_runs: u64) -> Result<()> {
        let mut read = self.read(true)?;
        read.ledger.compact(keep_runs);
        let first = read.ledger.first_kept();
        let kept = read
            .groups
            .iter()
            .find(|(_, end)| *end > first)
            .map_or(read.cursor.next, |(number, _)| *number);
        let name = BaseName {
            next: read.cursor.next,
            kept,
        };
        objects::put_new(&self.base(name), &read.ledger)?;
        for (number, _) in read.groups.iter().filter(|(number, _)| *number < kept) {
            objects::remove(&self.group(*number))?;
        }
        for old in self.bases()?.into_iter().filter(|old| *old < name) {
            objects::remove(&self.base(old))?;
        }
        *cursor = Some(read.cursor);
        Ok(())
    }
}

#[async_trait]
impl StateStore for FolderStore {
    async fn lease(
        &self,
        holder: &Holder,
        now: jiff::Timestamp,
        take_over: Option<u64>,
    ) -> Result<LeaseAnswer> {
        let holder = holder.clone();
        self.blocking(move |stack, cursor| {
            let locks = stack.locks();
            loop {
                let current = locks.current()?;
                let token = current.token + 1;
                match current.held {
                    Some(held) if take_over != Some(held.token) => {
                        return Ok(LeaseAnswer::Held(held));
                    }
                    former => {
                        if !locks.grant(token, &holder, now)? {
                            continue;
                        }
                        if former.is_some() {
                            stack.fence(cursor, token)?;
                        }
                    }
                }
                locks.clear_before(current.token)?;
                return Ok(LeaseAnswer::Granted(Lease { token }));
            }
        })
        .await
    }

    async fn heartbeat(&self, lease: &Lease) -> Result<()> {
        let token = lease.token;
        self.blocking(move |stack, _| {
            let held = stack.locks().check(token)?;
            stack.locks().beat(token, held.beat + 1)
        })
        .await
    }

    async fn release(&self, lease: &Lease) -> Result<()> {
        let token = lease.token;
        self.blocking(move |stack, _| match stack.locks().check(token) {
            Ok(_) => stack.locks().end(token),
            Err(error) if error.kind() == ErrorKind::LeaseLost => Ok(()),
            Err(error) => Err(error),
        })
        .await
    }

    async fn holder(&self) -> Result<Option<HeldLease>> {
        self.blocking(|stack, _| Ok(stack.locks().current()?.held))
            .await
    }

    async fn break_lease(&self, token: u64) -> Result<()> {
        self.blocking(move |stack, cursor| match stack.locks().current()?.held {
            Some(held) if held.token == token => {
                stack.locks().end(token)?;
                stack.fence(cursor, token)
            }
            other => Err(refuse::other_lock(token, other.as_ref())),
        })
        .await
    }

    async fn load(&self) -> Result<Snapshot> {
        self.blocking(|stack, cursor| {
            let read = stack.read(false)?;
            *cursor = Some(read.cursor);
            let mut snapshot = read.ledger.snapshot;
            snapshot.rows.sort();
            Ok(snapshot)
        })
        .await
    }

    async fn append(&self, lease: &Lease, at: Position, group: &[Entry]) -> Result<Position> {
        let (token, group) = (lease.token, group.to_vec());
        self.blocking(move |stack, cursor| {
            let locks = stack.locks();
            locks.check(token)?;
            let now = stack.advance(cursor)?;
            if now.head != at {
                return Err(refuse::conflict(at, now.head));
            }
            let head = at + group.len() as Position;
            if group.is_empty() || stack.put(cursor, now, token, group)? {
                return Ok(head);
            }
            locks.check(token)?;
            Err(refuse::conflict(at, stack.advance(cursor)?.head))
        })
        .await
    }

    async fn compact(&self, lease: &Lease, keep_runs: u64) -> Result<()> {
        let token = lease.token;
        self.blocking(move |stack, cursor| {
            stack.locks().check(token)?;
            stack.compact(cursor, keep_runs)
        })
        .await
    }

    async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>> {
        self.blocking(move |stack, _| Ok(stack.read(false)?.ledger.runs(limit)))
            .await
    }

    async fn entries(&self, run: RunId) -> Result<Vec<(Position, Entry)>> {
        self.blocking(move |stack, _| Ok(stack.read(true)?.ledger.entries(run)))
            .await
    }

    async fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        self.blocking(move |stack, _| stack.read(false)?.ledger.declared_at(revision))
            .await
    }

    async fn outputs_of(
        &self,
        stack: &str,
        env: &str,
    ) -> Result<Option<BTreeMap<Arc<str>, Value>>> {
        let snapshot = FolderStore::open(&self.root, stack, env).load().await?;
        Ok((snapshot.revision > 0).then_some(snapshot.outputs))
    }
}

#[cfg(test)]
mod tests;
