//! The last entry of a run: its result, the new revision, what is left to do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::executor::StageResult;
use super::journal::Journal;
use crate::engine::RunReport;
use crate::error::{Error, Result};
use crate::event::EventBody;
use crate::plan::Plan;
use crate::provider::Mode;
use crate::session::{Known, Session};
use crate::state::{
    Change, CheckResult, EntryKind, Revision, RunEnd, RunKind, RunResult, Snapshot,
};
use crate::value::Value;

/// Ends a run whose changes stay.
pub(crate) struct Finish<'a> {
    pub(crate) journal: &'a mut Journal,
    pub(crate) plan: &'a Plan,
    pub(crate) known: &'a Known,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) session: &'a Session,
}

impl Finish<'_> {
    /// Records the result, and a new revision when anything changed.
    pub(crate) async fn keep(
        self,
        result: RunResult,
        error: Option<Error>,
        total: &StageResult,
        checks: Vec<CheckResult>,
    ) -> Result<RunReport> {
        let outputs = self.outputs(result == RunResult::Succeeded)?;
        let refresh_only = self.plan.kind == RunKind::State;
        let revision = if refresh_only {
            self.snapshot.revision
        } else {
            self.snapshot.revision + 1
        };
        let mut changes: Vec<Change> = self.journal.at_end().into_iter().collect();
        if !refresh_only {
            let listed: Vec<(Arc<str>, Value)> = outputs
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            changes.push(Change::Revision(revision, listed));
            self.declared(revision, &mut changes);
        }
        for (key, choice) in &self.plan.stack.choices {
            let key: Arc<str> = format!("choice.{key}").into();
            let value = Value::from(choice.as_ref());
            if self.snapshot.meta.get(&key) != Some(&value) {
                changes.push(Change::PutMeta(key, value));
            }
        }
        let end = RunEnd {
            result,
            revision,
            created: total.created,
            updated: total.updated,
            deleted: total.deleted,
            millis: self.journal.millis(),
            error: error.as_ref().map(Error::report),
            left: total.left.clone(),
        };
        let masked = outputs
            .iter()
            .map(|(name, value)| (name.clone(), value.masked()))
            .collect();
        let run = self.journal.run;
        self.journal
            .events
            .emit(EventBody::Outputs { values: masked });
        let event = EventBody::RunEnded {
            end: Box::new(end.clone()),
        };
        self.journal.push(
            EntryKind::RunEnded(Box::new(end.clone())),
            changes,
            Some(event),
        );
        self.journal.commit().await?;
        Ok(RunReport {
            run: Some(run),
            end,
            outputs,
            checks,
        })
    }

    fn outputs(&self, all: bool) -> Result<BTreeMap<Arc<str>, Value>> {
        if self.plan.kind == RunKind::Destroy {
            return Ok(BTreeMap::new());
        }
        let mut outputs = BTreeMap::new();
        for (name, value) in &self.plan.stack.outputs {
            let value = self.known.resolve(value);
            match value {
                Ok(value) if !value.has_unknown() => {
                    outputs.insert(name.clone(), value);
                }
                Ok(_) => {
                    if let Some(old) = self.snapshot.outputs.get(name) {
                        outputs.insert(name.clone(), old.clone());
                    }
                }
                Err(error) if all => return Err(error),
                Err(_) => {}
            }
        }
        Ok(outputs)
    }

    /// From this revision on, what changed is declared so: one row per change.
    fn declared(&self, revision: Revision, changes: &mut Vec<Change>) {
        for change in &self.plan.changes {
            if let crate::plan::Action::Move { from } = &change.action {
                changes.push(Change::Declared(revision, from.clone(), None));
            }
            let is_row = self.journal.current(&change.address);
            let declared = self.plan.stack.resources.get(&change.address);
            let rowless = declared.is_some_and(|declared| {
                self.session
                    .type_info(&declared.type_name)
                    .is_ok_and(|info| info.mode == Mode::Lookup)
            });
            let declared = match (is_row, declared) {
                (Some(row), _) => Some(Box::new(row.as_declared())),
                (None, Some(declared)) if rowless => Some(Box::new(declared.clone())),
                _ => None,
            };
            changes.push(Change::Declared(revision, change.address.clone(), declared));
        }
        // Lookups leave no rows and are few: keep them all.
        for declared in self.plan.stack.resources.values() {
            let lookup = self
                .session
                .type_info(&declared.type_name)
                .is_ok_and(|info| info.mode == Mode::Lookup);
            if lookup
                && !self
                    .plan
                    .changes
                    .iter()
                    .any(|change| change.address == declared.address)
            {
                changes.push(Change::Declared(
                    revision,
                    declared.address.clone(),
                    Some(Box::new(declared.clone())),
                ));
            }
        }
    }
}

/// What is declared from a revision on, at each address the run touched.
pub(crate) fn declared_now(journal: &Journal, revision: Revision) -> Vec<Change> {
    let mut touched = BTreeSet::new();
    for entry in &journal.entries {
        match &entry.kind {
            EntryKind::Intent(intent) => _ = touched.insert(&intent.address),
            EntryKind::State {
                address, before, ..
            } => {
                touched.insert(address);
                touched.extend(before.iter().map(|row| &row.address));
            }
            _ => {}
        }
    }
    let declared = touched.into_iter().map(|address| {
        let row = journal.current(address);
        let declared = row.map(|row| Box::new(row.as_declared()));
        Change::Declared(revision, address.clone(), declared)
    });
    declared.collect()
}

/// Ends a run that was taken back, as far as that went.
pub(crate) async fn rolled_back(
    journal: &mut Journal,
    snapshot: &Snapshot,
    error: Error,
    ended: &StageResult,
    outputs: BTreeMap<Arc<str>, Value>,
    checks: Vec<CheckResult>,
) -> Result<RunReport> {
    let clean = ended.failed.is_empty() && ended.left.is_empty();
    let started = journal.entries.iter().find_map(|entry| match &entry.kind {
        EntryKind::RunStarted(start) => Some(start.base),
        _ => None,
    });
    let base = started.unwrap_or(snapshot.revision);
    let end = RunEnd {
        result: if clean {
            RunResult::RolledBack
        } else {
            RunResult::Stuck
        },
        revision: base,
        created: ended.created,
        updated: ended.updated,
        deleted: ended.deleted,
        millis: journal.millis(),
        error: Some(error.report()),
        left: ended.left.clone(),
    };
    let event = EventBody::RunEnded {
        end: Box::new(end.clone()),
    };
    let mut changes: Vec<Change> = journal.at_end().into_iter().collect();
    if base != snapshot.revision {
        // It had ended once, with a revision of its own, which is not what is there now.
        let revision = snapshot.revision + 1;
        let listed = outputs.iter();
        let listed = listed.map(|(name, value)| (name.clone(), value.clone()));
        changes.push(Change::Revision(revision, listed.collect()));
        changes.extend(declared_now(journal, revision));
    }
    journal.push(
        EntryKind::RunEnded(Box::new(end.clone())),
        changes,
        Some(event),
    );
    journal.commit().await?;
    Ok(RunReport {
        run: Some(journal.run),
        end,
        outputs,
        checks,
    })
}

/// A run that was stopped hard: it has no end in the journal, so the next one resolves what was in
/// flight.
pub(crate) fn interrupted(
    journal: &Journal,
    snapshot: &Snapshot,
    checks: Vec<CheckResult>,
) -> RunReport {
    let end = RunEnd {
        result: RunResult::Interrupted,
        revision: snapshot.revision,
        created: 0,
        updated: 0,
        deleted: 0,
        millis: journal.millis(),
        error: None,
        left: Vec::new(),
    };
    journal.events.emit(EventBody::RunEnded {
        end: Box::new(end.clone()),
    });
    RunReport {
        run: Some(journal.run),
        end,
        outputs: snapshot.outputs.clone(),
        checks,
    }
}
