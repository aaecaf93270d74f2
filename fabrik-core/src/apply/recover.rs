//! After a crash: open intents are resolved, an interrupted rollback is finished.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::call::{CallStep, End, Note, resolve, settled};
use super::finish;
use super::journal::{Emitter, Journal, is_crash};
use super::undo::undo;
use super::work::{Work, undo_faults};
use crate::address::Address;
use crate::engine::{ApplyOptions, Engine, EventSink, Recovered};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{EventBody, SafeText};
use crate::plan::Plan;
use crate::provider::{Cx, Object, Operation, StopSignal, Verb};
use crate::session::{Known, KnownObject, Session};
use crate::stack::Stack;
use crate::state::{
    Change, Entry, EntryKind, Intent, Lease, Phase, Row, RowStatus, RunEnd, RunResult, RunStart,
    Snapshot, StepOutcome, StepRef,
};

/// Resolves an interrupted run, under the stack's lock.
pub(crate) async fn recover(
    engine: Engine,
    stack: Option<Arc<Stack>>,
    resume: bool,
    options: ApplyOptions,
    stop: StopSignal,
    sink: EventSink,
) -> Result<Recovered> {
    let events = Emitter::new(engine.0.clone(), Some(sink));
    // A look without the lock: mostly there is nothing.
    if needs(&engine, resume).await?.is_none() {
        return Ok(Recovered::Nothing);
    }
    let lease = engine.lock(&events, &stop).await?;
    let guard = engine.keep(&lease);
    let result = match needs(&engine, resume).await {
        Ok(None) => Ok(Recovered::Nothing),
        Ok(Some((snapshot, run, entries))) => {
            Recovery {
                engine: engine.clone(),
                stack,
                resume,
                options,
                stop,
                events,
                snapshot,
                run,
                entries,
            }
            .run(&lease)
            .await
        }
        Err(error) => Err(error),
    };
    drop(guard);
    if !result.as_ref().is_err_and(is_crash) {
        _ = engine.0.store.release(&lease).await;
    }
    result
}

type Open = (Snapshot, u64, Vec<Entry>);

/// The run to be resolved: one without an end, or, to resume, one that ended interrupted or stuck.
async fn needs(engine: &Engine, resume: bool) -> Result<Option<Open>> {
    let mut snapshot = engine.0.store.load().await?;
    if let Some(open) = snapshot.open_run.take() {
        return Ok(Some((snapshot, open.id, open.entries)));
    }
    if let Some(run) = snapshot.unfinished() {
        let entries = engine.0.store.entries(run).await?;
        let entries = entries.into_iter().map(|(_, entry)| entry).collect();
        return Ok(Some((snapshot, run, entries)));
    }
    if resume
        && let Some(last) = engine.0.store.runs(1).await?.into_iter().next()
        && let Some((end, _)) = &last.end
        && matches!(end.result, RunResult::Interrupted | RunResult::Stuck)
    {
        let entries = engine.0.store.entries(last.id).await?;
        return Ok(Some((
            snapshot,
            last.id,
            entries.into_iter().map(|(_, entry)| entry).collect(),
        )));
    }
    Ok(None)
}

struct Recovery {
    engine: Engine,
    stack: Option<Arc<Stack>>,
    resume: bool,
    options: ApplyOptions,
    stop: StopSignal,
    events: Emitter,
    snapshot: Snapshot,
    run: u64,
    entries: Vec<Entry>,
}

impl Recovery {
    async fn run(self, lease: &Lease) -> Result<Recovered> {
        let start = self.entries.iter().find_map(|entry| match &entry.kind {
            EntryKind::RunStarted(start) => Some(start.as_ref().clone()),
            _ => None,
        });
        let start = start.ok_or_else(|| {
            Error::new(
                ErrorKind::Corrupt,
                format!("run {} has no beginning in the journal", self.run),
            )
        })?;
        let stack = self
            .stack
            .clone()
            .unwrap_or_else(|| Arc::new(Stack::new("unknown")));
        let mut known = self.engine.known(&stack, &self.snapshot).await?;
        for row in self
            .snapshot
            .rows
            .iter()
            .filter(|row| row.status == RowStatus::Current)
        {
            known.objects.insert(
                row.address.clone(),
                KnownObject::settled(row.object.clone()),
            );
        }
        let configs = self.engine.configs(&stack, &self.snapshot);
        let cx = Cx::new(self.engine.0.clock.clone(), self.stop.clone());
        let mut session = Session::new(self.engine.0.clone(), cx, configs);
        let faults = self.options.faults.0.clone();
        let mut journal = Journal::new(
            self.engine.0.clone(),
            lease.clone(),
            &self.snapshot,
            self.run,
            self.events.clone(),
            faults,
        );
        journal.entries.clone_from(&self.entries);
        let result = self
            .resolve_all(&start, &stack, &mut session, &mut journal, &mut known)
            .await;
        session.close().await;
        result
    }

    async fn resolve_all(
        &self,
        start: &RunStart,
        stack: &Arc<Stack>,
        session: &mut Session,
        journal: &mut Journal,
        known: &mut Known,
    ) -> Result<Recovered> {
        let open = open_intents(&self.entries);
        let ended = self
            .entries
            .iter()
            .rev()
            .find_map(|entry| match &entry.kind {
                EntryKind::RunEnded(_) => Some(true),
                EntryKind::Resumed => Some(false),
                _ => None,
            })
            .unwrap_or(false);
        // Without an end again, so that whatever happens now is found by the next run.
        let reopen = ended.then(|| journal.continue_ended());
        journal.push(
            EntryKind::Resumed,
            reopen.into_iter().collect(),
            Some(EventBody::Resumed { open: open.len() }),
        );
        let names: Vec<Arc<str>> = open.iter().map(|intent| intent.instance.clone()).collect();
        session.open(names, known).await?;
        let unsure = self.resolve_open(&open, session, journal).await?;
        journal.commit().await?;

        if was_rolling_back(&self.entries) {
            return self.finish_rollback(stack, session, journal, known).await;
        }
        let same = stack.resources.is_empty() || self.engine.spec_digest(stack)? == start.plan;
        if self.resume || (same && self.stack.is_some()) {
            return Ok(Recovered::Continues {
                run: self.run,
                base: start.base,
            });
        }
        // Another plan comes: what this run did is kept and becomes the baseline.
        let revision = self.snapshot.revision + 1;
        let outputs = self
            .snapshot
            .outputs
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut changes: Vec<Change> = journal.at_end().into_iter().collect();
        changes.push(Change::Revision(revision, outputs));
        changes.extend(finish::declared_now(journal, revision));
        let end = RunEnd {
            result: RunResult::Interrupted,
            revision,
            created: 0,
            updated: 0,
            deleted: 0,
            millis: 0,
            error: None,
            left: Vec::new(),
        };
        let event = EventBody::RunEnded {
            end: Box::new(end.clone()),
        };
        journal.push(EntryKind::RunEnded(Box::new(end)), changes, Some(event));
        journal.commit().await?;
        Ok(Recovered::Kept {
            run: self.run,
            unsure,
        })
    }

    /// Finds out what every call did that was in flight. Several are asked about at once, since
    /// most of it is waiting.
    async fn resolve_open(
        &self,
        open: &[Intent],
        session: &Session,
        journal: &mut Journal,
    ) -> Result<Vec<Address>> {
        let mut tasks = tokio::task::JoinSet::new();
        let checkpoints = checkpoints(&self.entries);
        for intent in open {
            let info = session.type_info(&intent.type_name)?.clone();
            let instance = session.instance(&intent.instance)?.instance.clone();
            let operation = operation_of(intent, checkpoints.get(&intent.step));
            let (cx, clock) = (session.cx.clone(), self.engine.0.clock.clone());
            let (intent, events) = (intent.clone(), journal.events.clone());
            tasks.spawn(async move {
                let address = intent.address.clone();
                let notes = move |note| {
                    if let Note::Waiting { why, at_most, .. } = note {
                        events.emit(EventBody::Waiting {
                            address: Some(address.clone()),
                            why: SafeText::clean(&crate::secrets::Redactor::default(), &why),
                            ms: u64::try_from(at_most.as_millis()).unwrap_or(u64::MAX),
                        });
                    }
                };
                let item = CallStep {
                    step: intent.step,
                    operation,
                    info: info.clone(),
                };
                let end = resolve(&item, &*instance, &cx, &*clock, intent.deadline, &notes).await;
                let end = match end {
                    // The service knows the operation by its id: sending it again finds or makes it.
                    End::NotDone
                        if item.operation.verb == Verb::Create
                            && info.lost == crate::provider::Lost::Key =>
                    {
                        repeat(&item, &*instance, &cx).await
                    }
                    // What it began goes on without us: wait for its end instead of beginning anew.
                    End::NotDone
                        if item.operation.verb == Verb::Run
                            && info.resumable
                            && item.operation.checkpoint.is_some() =>
                    {
                        let by = clock.now().checked_add(info.timeout);
                        let cx = by.map_or(cx.clone(), |by| cx.clone().with_deadline(by));
                        repeat(&item, &*instance, &cx).await
                    }
                    end => end,
                };
                (intent, item, end)
            });
        }
        let mut unsure = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            let (intent, item, end) =
                joined.map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
            self.record(&intent, &item, end, session, journal, &mut unsure)?;
        }
        Ok(unsure)
    }

    fn record(
        &self,
        intent: &Intent,
        item: &CallStep,
        end: End,
        session: &Session,
        journal: &mut Journal,
        unsure: &mut Vec<Address>,
    ) -> Result<()> {
        let mut changes = Vec::new();
        let outcome = match end {
            End::Done(object) => {
                let object = session.mark(&item.info, object, &item.operation.inputs);
                if let Some(row) = &intent.row {
                    let mut row = row.as_ref().clone();
                    row.object = Object {
                        inputs: settled(&row.object.inputs, &object.inputs),
                        ..object
                    };
                    row.status = RowStatus::Current;
                    if let Some(before) = &intent.before
                        && before.oid != row.oid
                        && journal.rows.contains_key(&before.oid)
                    {
                        changes.push(Change::Put(Box::new(Row {
                            status: RowStatus::Retired,
                            ..before.as_ref().clone()
                        })));
                    }
                    changes.push(Change::Put(Box::new(row)));
                }
                StepOutcome::Done
            }
            End::Gone => {
                changes.extend(intent.oid.map(Change::Remove));
                StepOutcome::Done
            }
            End::NotDone => StepOutcome::NotDone,
            End::Failed(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
            End::Failed(error) => StepOutcome::Failed(session.clean(error).report()),
            End::Unsure(_) if self.stop.state() != crate::provider::Stop::No => {
                return Err(Error::new(
                    ErrorKind::Cancelled,
                    "stopped before it could be found out",
                ));
            }
            End::Unsure(why) => {
                if intent.verb == Verb::Create
                    && let Some(row) = &intent.row
                    && !journal.rows.contains_key(&row.oid)
                {
                    unsure.push(intent.address.clone());
                    changes.push(Change::Put(Box::new(Row {
                        status: RowStatus::Unsure,
                        ..row.as_ref().clone()
                    })));
                }
                StepOutcome::InDoubt(crate::secrets::printable(
                    &session.engine.redactor.clean(&why),
                ))
            }
        };
        let event = EventBody::StepDone {
            step: intent.step,
            address: intent.address.clone(),
            type_name: intent.type_name.clone(),
            verb: intent.verb,
            outcome: outcome.clone(),
            id: None,
            ms: 0,
            undoes: intent.undoes,
        };
        journal.push(
            EntryKind::Outcome {
                step: intent.step,
                op: intent.op,
                outcome,
            },
            changes,
            Some(event),
        );
        Ok(())
    }

    async fn finish_rollback(
        &self,
        stack: &Arc<Stack>,
        session: &mut Session,
        journal: &mut Journal,
        known: &mut Known,
    ) -> Result<Recovered> {
        let plan = Plan::bare(stack.clone(), &self.snapshot, self.engine.0.clock.now());
        let error = self
            .entries
            .iter()
            .rev()
            .find_map(|entry| match &entry.kind {
                EntryKind::RunEnded(end) => end.error.as_ref().map(Error::from),
                EntryKind::Outcome {
                    outcome: StepOutcome::Failed(report),
                    ..
                } => Some(Error::from(report)),
                _ => None,
            })
            .unwrap_or_else(|| Error::new(ErrorKind::Cancelled, "the run was interrupted"));
        let mut work = Work {
            session,
            journal,
            known,
            plan: &plan,
            options: &self.options,
            stop: self.stop.clone(),
            undo_faults: &mut undo_faults(&self.options),
        };
        let ended = undo(&mut work, &error).await?;
        if ended.is_cut_short() {
            return Err(Error::new(
                ErrorKind::Cancelled,
                "stopped; the rollback goes on with the next run",
            ));
        }
        let report = finish::rolled_back(
            journal,
            &self.snapshot,
            error,
            &ended,
            self.snapshot.outputs.clone(),
            Vec::new(),
        )
        .await?;
        Ok(Recovered::RolledBack(Box::new(report)))
    }
}

/// Intents without an outcome, in order; the fold over a run's entries.
pub(crate) fn open_intents(entries: &[Entry]) -> Vec<Intent> {
    let mut open: BTreeMap<StepRef, Intent> = BTreeMap::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::Intent(intent) => {
                open.insert(intent.step, intent.as_ref().clone());
            }
            EntryKind::Outcome { step, .. } => {
                open.remove(step);
            }
            _ => {}
        }
    }
    open.into_values().collect()
}

fn checkpoints(entries: &[Entry]) -> HashMap<StepRef, Object> {
    entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Checkpoint { step, object, .. } => Some((*step, object.as_ref().clone())),
            _ => None,
        })
        .collect()
}

fn was_rolling_back(entries: &[Entry]) -> bool {
    entries
        .iter()
        .any(|entry| entry.kind == EntryKind::Phase(Phase::RollingBack))
}

fn operation_of(intent: &Intent, checkpoint: Option<&Object>) -> Operation {
    let inputs = intent
        .row
        .as_ref()
        .map(|row| row.object.inputs.clone())
        .unwrap_or_default();
    Operation {
        op: intent.op,
        address: intent.address.clone(),
        type_name: intent.type_name.clone(),
        verb: intent.verb,
        prior: intent
            .before
            .as_ref()
            .map(|row| row.object.clone())
            .or_else(|| intent.observed.clone()),
        observed: intent.observed.clone(),
        inputs,
        checkpoint: checkpoint.cloned(),
        undoes: None,
    }
}

async fn repeat(item: &CallStep, instance: &dyn crate::provider::Instance, cx: &Cx) -> End {
    let outcomes = crate::session::catch(instance.apply(
        &cx.for_op(item.operation.op),
        std::slice::from_ref(&item.operation),
    ))
    .await;
    match outcomes.and_then(|outcomes| outcomes.into_iter().next()) {
        Some(crate::provider::Outcome::Done(object)) => End::Done(object),
        Some(crate::provider::Outcome::Gone) => End::Gone,
        Some(crate::provider::Outcome::NotDone) => End::NotDone,
        Some(crate::provider::Outcome::Failed(error)) => match error.effect_of() {
            crate::error::Effect::None => End::NotDone,
            _ => End::Unsure(error.to_string()),
        },
        None => End::Unsure("the provider panicked".to_owned()),
    }
}
