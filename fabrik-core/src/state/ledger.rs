//! State as a value: what a store without tables of its own folds its groups into.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Change, Entry, EntryKind, Position, Revision, RunId, RunSummary, Snapshot, refuse};
use crate::address::Address;
use crate::error::Result;
use crate::stack::Declared;

/// The fold of all groups of one stack. Serialised, it is all but the entries.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) snapshot: Snapshot,
    runs: BTreeMap<RunId, RunSummary>,
    revisions: BTreeSet<Revision>,
    declared: BTreeMap<Address, BTreeMap<Revision, Option<Declared>>>,
    /// Entries of runs before this one were let go.
    kept_from: RunId,
    #[serde(skip)]
    entries: BTreeMap<Position, Entry>,
}

impl Ledger {
    /// Carries out a group at the head.
    pub(crate) fn apply(&mut self, group: Vec<Entry>) {
        let head = self.snapshot.head;
        self.snapshot.apply(&group);
        for (position, entry) in (head..).zip(group) {
            self.note(&entry);
            self.entries.insert(position, entry);
        }
    }

    fn note(&mut self, entry: &Entry) {
        match &entry.kind {
            EntryKind::RunStarted(start) => {
                let run = RunSummary {
                    id: entry.run,
                    start: start.as_ref().clone(),
                    started: entry.at,
                    end: None,
                };
                self.runs.insert(entry.run, run);
            }
            EntryKind::RunEnded(end) => {
                if let Some(run) = self.runs.get_mut(&entry.run) {
                    run.end = Some((end.as_ref().clone(), entry.at));
                }
            }
            _ => {}
        }
        for change in &entry.changes {
            match change {
                Change::Revision(revision, _) => {
                    self.revisions.insert(*revision);
                }
                Change::Declared(revision, address, declared) => {
                    self.declared
                        .entry(address.clone())
                        .or_default()
                        .insert(*revision, declared.as_deref().cloned());
                }
                _ => {}
            }
        }
    }

    /// Puts an entry back that lies before what was folded.
    pub(crate) fn recall(&mut self, position: Position, entry: Entry) {
        if entry.run >= self.kept_from || self.is_open(entry.run) {
            self.entries.insert(position, entry);
        }
    }

    fn is_open(&self, run: RunId) -> bool {
        self.snapshot
            .open_run
            .as_ref()
            .is_some_and(|open| open.id == run)
    }

    /// Lets go of entries; see [`super::StateStore::compact`].
    pub(crate) fn compact(&mut self, keep_runs: u64) {
        let keep = usize::try_from(keep_runs).unwrap_or(usize::MAX);
        let oldest = match keep.checked_sub(1) {
            None => self.snapshot.last_run + 1,
            Some(skip) => self.runs.keys().rev().nth(skip).copied().unwrap_or(0),
        };
        self.kept_from = self.kept_from.max(oldest);
        let open = self.snapshot.open_run.as_ref().map(|open| open.id);
        let kept_from = self.kept_from;
        self.entries
            .retain(|_, entry| entry.run >= kept_from || Some(entry.run) == open);
    }

    /// Position of the first entry still kept.
    pub(crate) fn first_kept(&self) -> Position {
        self.entries
            .keys()
            .next()
            .copied()
            .unwrap_or(self.snapshot.head)
    }

    /// Everything a run needs, rows in order.
    pub(crate) fn load(&self) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        snapshot.rows.sort();
        snapshot
    }

    pub(crate) fn runs(&self, limit: usize) -> Vec<RunSummary> {
        self.runs.values().rev().take(limit).cloned().collect()
    }

    pub(crate) fn entries(&self, run: RunId) -> Vec<(Position, Entry)> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.run == run)
            .map(|(position, entry)| (*position, entry.clone()))
            .collect()
    }

    pub(crate) fn declared_at(&self, revision: Revision) -> Result<BTreeMap<Address, Declared>> {
        if revision != 0 && !self.revisions.contains(&revision) {
            return Err(refuse::no_revision(revision));
        }
        Ok(self
            .declared
            .iter()
            .filter_map(|(address, changes)| {
                let (_, last) = changes.range(..=revision).next_back()?;
                Some((address.clone(), last.clone()?))
            })
            .collect())
    }
}
