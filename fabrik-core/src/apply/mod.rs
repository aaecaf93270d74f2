//! Carrying out a plan: lock, journal, walk, verify, and, when it fails, the way back.

mod call;
mod executor;
mod finish;
mod journal;
mod prepare;
mod recover;
mod rollback;
mod undo;
mod work;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::engine::{ApplyOptions, Engine, EventSink, Fault, RunReport};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventBody;
use crate::plan::index::Index;
use crate::plan::steps::Stage;
use crate::plan::{Action, Plan, steps};
use crate::provider::{Stop, StopSignal, Verb};
use crate::session::{Known, KnownObject, Session};
use crate::stack::OnFailure;
use crate::state::{
    CheckResult, Entry, EntryKind, Phase, RunKind, RunResult, RunStart, Snapshot, StepOutcome,
};

pub(crate) use journal::{Emitter, Journal, is_crash};
pub(crate) use recover::recover;

use executor::{Executor, StageResult, state_changes};
use finish::Finish;
use undo::undo;
use work::{Work, undo_faults};

/// A run: everything one apply works with.
pub(crate) struct Apply {
    pub(crate) engine: Engine,
    pub(crate) plan: Plan,
    pub(crate) options: ApplyOptions,
    pub(crate) stop: StopSignal,
    pub(crate) events: Emitter,
}

/// Applies a plan, under the stack's lock.
pub(crate) async fn apply(
    engine: Engine,
    plan: Plan,
    options: ApplyOptions,
    stop: StopSignal,
    sink: EventSink,
) -> Result<RunReport> {
    let events = Emitter::new(engine.0.clone(), Some(sink));
    let lease = engine.lock(&events, &stop).await?;
    let guard = engine.keep(&lease);
    let run = Apply {
        engine: engine.clone(),
        plan,
        options,
        stop,
        events,
    };
    let result = run.under_lock(&lease).await;
    drop(guard);
    // After an injected crash nothing is cleaned up, as after a real one.
    if !result.as_ref().is_err_and(is_crash) {
        _ = engine.0.store.release(&lease).await;
    }
    result
}

impl Apply {
    async fn under_lock(mut self, lease: &crate::state::Lease) -> Result<RunReport> {
        let snapshot = self.engine.0.store.load().await?;
        let continued = self.check(&snapshot)?;
        if self.plan.is_empty() && continued.is_none() {
            return Ok(self.nothing(&snapshot));
        }
        let known = self.engine.known(&self.plan.stack, &snapshot).await?;
        let configs = self.engine.configs(&self.plan.stack, &snapshot);
        let cx = crate::provider::Cx::new(self.engine.0.clock.clone(), self.stop.clone());
        let mut session = Session::new(self.engine.0.clone(), cx, configs);
        let result = self
            .run(lease, &snapshot, continued, &mut session, known)
            .await;
        session.close().await;
        result
    }

    /// Refuses a plan that no longer fits.
    fn check(&self, snapshot: &Snapshot) -> Result<Option<u64>> {
        if snapshot.head != self.plan.head {
            return Err(Error::new(
                ErrorKind::Stale,
                "state has changed since this plan was made",
            )
            .code(crate::codes::STALE_PLAN)
            .hint("plan again and look at it"));
        }
        if let Some(finding) = self.plan.blocking().next() {
            let error = Error::new(
                ErrorKind::Refused,
                format!("{}: {}", finding.address, finding.finding.message),
            )
            .code(crate::codes::BLOCKED);
            return Err(match &finding.finding.hint {
                Some(hint) => error.hint(hint.clone()),
                None => error,
            });
        }
        if let Some(change) = self.plan.data_loss().next() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!(
                    "{}: to {} it loses data, which was not allowed",
                    change.address,
                    change.action.word()
                ),
            )
            .code(crate::codes::DATA_LOSS)
            .hint(format!(
                "pass `--allow-data-loss={}` when planning, or set `protect: true`",
                change.address
            )));
        }
        in_doubt(snapshot)?;
        Ok(snapshot.unfinished())
    }

    fn nothing(&self, snapshot: &Snapshot) -> RunReport {
        RunReport {
            run: None,
            end: crate::state::RunEnd {
                result: RunResult::Succeeded,
                revision: snapshot.revision,
                created: 0,
                updated: 0,
                deleted: 0,
                millis: 0,
                error: None,
                left: Vec::new(),
            },
            outputs: snapshot.outputs.clone(),
            checks: Vec::new(),
        }
    }

    async fn run(
        &mut self,
        lease: &crate::state::Lease,
        snapshot: &Snapshot,
        continued: Option<u64>,
        session: &mut Session,
        mut known: Known,
    ) -> Result<RunReport> {
        let run = continued.unwrap_or(snapshot.last_run + 1);
        let faults = self.options.faults.0.clone();
        let mut journal = Journal::new(
            self.engine.0.clone(),
            lease.clone(),
            snapshot,
            run,
            self.events.clone(),
            faults,
        );
        self.begin(snapshot, continued, &mut journal, &mut known)
            .await?;
        self.settle_known(snapshot, session, &mut known).await?;
        let stack = self.plan.stack.clone();
        let index = Index::new(&stack, &mut |_| Ok(()))?;
        let steps = steps::build(&mut self.plan, snapshot, session, &index)?;
        state_changes(&self.plan, &mut journal);
        journal.commit().await?;
        let mut undo_faults = undo_faults(&self.options);
        let mut work = Work {
            session,
            journal: &mut journal,
            known: &mut known,
            plan: &self.plan,
            options: &self.options,
            stop: self.stop.clone(),
            undo_faults: &mut undo_faults,
        };

        let mut total = done_before(&work.journal.entries);
        let mut checks = Vec::new();
        let phase = if self
            .plan
            .changes
            .iter()
            .any(|change| change.action == Action::Run)
        {
            Phase::Deploying
        } else {
            Phase::Provisioning
        };
        let mut error = None;
        if !steps.steps.is_empty() {
            work.journal.push(
                EntryKind::Phase(phase),
                Vec::new(),
                Some(EventBody::Phase { phase }),
            );
            let mut executor = Executor::new(work.lend(), &steps, None);
            let stage = executor.run(Stage::First).await?;
            add(&mut total, stage);
            error = total.failed.first().map(|(_, error)| error.clone());
        }
        if error.is_none() && total.stopped == Stop::No && !self.options.no_verify {
            checks = self.verify(&mut work).await?;
            error = failed_check(&checks);
        }
        if total.stopped == Stop::Now {
            return Ok(finish::interrupted(work.journal, snapshot, checks));
        }
        if let Some(error) = error {
            // A step may fail with that kind too, when what it starts never gets healthy.
            let check_failed = total.failed.is_empty();
            return match self.policy(&error) {
                OnFailure::Keep | OnFailure::Ask => {
                    let result = if check_failed {
                        RunResult::CheckFailed
                    } else {
                        RunResult::Failed
                    };
                    Finish {
                        journal: work.journal,
                        plan: &self.plan,
                        known: work.known,
                        snapshot,
                        session: work.session,
                    }
                    .keep(result, Some(error), &total, checks)
                    .await
                }
                OnFailure::Rollback => self.rollback(&mut work, snapshot, error, checks).await,
            };
        }
        if total.stopped == Stop::No && steps.steps.iter().any(|step| step.stage == Stage::Second) {
            let phase = Phase::Removing;
            work.journal.push(
                EntryKind::Phase(phase),
                Vec::new(),
                Some(EventBody::Phase { phase }),
            );
            let mut executor = Executor::new(work.lend(), &steps, None);
            let stage = executor.run(Stage::Second).await?;
            add(&mut total, stage);
        }
        if total.stopped == Stop::Now {
            return Ok(finish::interrupted(work.journal, snapshot, checks));
        }
        let error = total.failed.first().map(|(_, error)| error.clone());
        let result = match (&error, total.stopped) {
            (Some(_), _) => RunResult::Failed,
            (None, Stop::No) => RunResult::Succeeded,
            (None, _) => RunResult::Interrupted,
        };
        for (step, error) in &total.failed {
            if let Some(step) = steps.steps.iter().find(|work| work.id == *step)
                && step.stage == Stage::Second
            {
                total
                    .left
                    .push(format!("{} is still to be deleted: {error}", step.address));
            }
        }
        Finish {
            journal: work.journal,
            plan: &self.plan,
            known: work.known,
            snapshot,
            session: work.session,
        }
        .keep(result, error, &total, checks)
        .await
    }

    /// The first entries of the run: its start, and secrets made before their first use.
    async fn begin(
        &mut self,
        snapshot: &Snapshot,
        continued: Option<u64>,
        journal: &mut Journal,
        known: &mut Known,
    ) -> Result<()> {
        if let Some(run) = continued {
            journal.entries = self
                .engine
                .0
                .store
                .entries(run)
                .await?
                .into_iter()
                .map(|(_, entry)| entry)
                .collect();
            journal.push(
                EntryKind::Resumed,
                Vec::new(),
                Some(EventBody::Resumed { open: 0 }),
            );
        } else {
            let holder = &self.engine.0.holder;
            let start = RunStart {
                kind: self.plan.kind,
                who: holder.who.clone(),
                host: holder.host.clone(),
                command: self.engine.0.redactor.clean(&holder.command),
                fabrik: env!("CARGO_PKG_VERSION").to_owned(),
                base: snapshot.revision,
                on_failure: self
                    .options
                    .on_failure
                    .unwrap_or(self.plan.stack.on_failure),
                plan: self.plan.spec.clone(),
                note: self.plan.note.clone().or_else(|| {
                    // As every other change of state alone, it says what it is.
                    (self.plan.kind == RunKind::State).then(|| "refresh".to_owned())
                }),
            };
            journal.push(
                EntryKind::RunStarted(Box::new(start.clone())),
                self.engine.config_changes(&self.plan.stack),
                Some(EventBody::RunStarted {
                    start: Box::new(start),
                    summary: self.plan.summary(),
                }),
            );
        }
        if self.plan.kind != RunKind::Destroy {
            self.engine.make_secrets(&self.plan.stack, journal, known)?;
        }
        Ok(())
    }

    /// What references find before anything is done: state, for whatever this plan does not make.
    async fn settle_known(
        &self,
        snapshot: &Snapshot,
        session: &mut Session,
        known: &mut Known,
    ) -> Result<()> {
        let moved: BTreeMap<_, _> = self
            .plan
            .changes
            .iter()
            .filter_map(|change| Some((change.oid?, change.address.clone())))
            .collect();
        for row in snapshot
            .rows
            .iter()
            .filter(|row| row.status == crate::state::RowStatus::Current)
        {
            let address = moved.get(&row.oid).unwrap_or(&row.address).clone();
            known
                .objects
                .insert(address, KnownObject::settled(row.object.clone()));
        }
        for change in &self.plan.changes {
            match change.action {
                Action::Create
                | Action::Replace { .. }
                | Action::Run
                | Action::Read
                | Action::Adopt
                | Action::Import => {
                    known.objects.remove(&change.address);
                }
                Action::Update => {
                    // Until it is done its outputs are not to be used: whoever refers to it waits.
                    known.objects.remove(&change.address);
                }
                _ => {}
            }
        }
        // Lookups that were answered while planning are asked again: they leave no row.
        let names: Vec<Arc<str>> = self
            .plan
            .changes
            .iter()
            .map(|change| change.instance.clone())
            .chain(snapshot.rows.iter().map(|row| row.instance.clone()))
            .chain(
                self.plan
                    .stack
                    .resources
                    .values()
                    .map(|declared| declared.instance.clone()),
            )
            .collect();
        let needed: std::collections::BTreeSet<Arc<str>> = names.into_iter().collect();
        session.open(needed, known).await?;
        let read_now: Vec<_> = self
            .plan
            .changes
            .iter()
            .map(|change| &change.address)
            .collect();
        for declared in self.plan.stack.resources.values() {
            let is_lookup = session
                .type_info(&declared.type_name)
                .is_ok_and(|info| info.mode == crate::provider::Mode::Lookup);
            if !is_lookup || read_now.contains(&&declared.address) {
                continue;
            }
            let inputs = known.resolve(&declared.inputs)?;
            if inputs.has_unknown() {
                continue;
            }
            let opened = session.instance(&declared.instance)?;
            let found = crate::session::guard(opened.instance.lookup(
                &session.cx,
                &declared.type_name,
                &inputs,
            ))
            .await;
            let found = found
                .map_err(|error| session.clean(error).operation(declared.address.to_string()))?;
            let info = session.type_info(&declared.type_name)?;
            known.objects.insert(
                declared.address.clone(),
                KnownObject::settled(session.mark(info, found, &inputs)),
            );
        }
        Ok(())
    }

    fn policy(&self, error: &Error) -> OnFailure {
        match self
            .options
            .on_failure
            .unwrap_or(self.plan.stack.on_failure)
        {
            OnFailure::Ask => match &self.options.decide {
                Some(decide) => decide(error),
                None => OnFailure::Rollback,
            },
            policy => policy,
        }
    }

    async fn verify(&self, work: &mut Work<'_>) -> Result<Vec<CheckResult>> {
        let Work {
            session,
            journal,
            known,
            ..
        } = work.lend();
        if self.plan.kind == RunKind::Destroy || self.plan.kind == RunKind::State {
            return Ok(Vec::new());
        }
        // What a continued run did before it was interrupted has not been checked yet.
        let before: HashSet<crate::address::Address> = journal
            .entries
            .iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Intent(intent) => Some(intent.address.clone()),
                _ => None,
            })
            .collect();
        let changed = |address: &crate::address::Address| {
            let planned = self.plan.changes.iter();
            before.contains(address) || planned.clone().any(|change| change.address == *address)
        };
        let mut checks = Vec::new();
        for check in &self.plan.stack.checks {
            if !check.concerns.is_empty() && !check.concerns.iter().any(&changed) {
                continue;
            }
            let mut check = check.clone();
            check.spec = known.resolve(&check.spec)?;
            checks.push(check);
        }
        if checks.is_empty() {
            return Ok(Vec::new());
        }
        let phase = Phase::Verifying;
        journal.push(
            EntryKind::Phase(phase),
            Vec::new(),
            Some(EventBody::Phase { phase }),
        );
        journal.commit().await?;
        let mut results =
            crate::verify::run_checks(&checks, &session.engine.checkers, &session.cx, &mut |_| {})
                .await;
        for result in &mut results {
            let injected =
                self.options.faults.0.iter().any(
                    |fault| matches!(fault, Fault::FailCheck { name } if **name == *result.name),
                );
            if injected {
                result.passed = false;
                result.evidence = "injected: check failed".into();
            }
            result.evidence =
                crate::secrets::printable(&session.engine.redactor.clean(&result.evidence));
            journal.push(
                EntryKind::Check(result.clone()),
                Vec::new(),
                Some(EventBody::Check {
                    result: result.clone(),
                }),
            );
        }
        journal.commit().await?;
        Ok(results)
    }

    async fn rollback(
        &self,
        work: &mut Work<'_>,
        snapshot: &Snapshot,
        error: Error,
        checks: Vec<CheckResult>,
    ) -> Result<RunReport> {
        let ended = undo(work, &error).await?;
        let journal = &mut *work.journal;
        if ended.is_cut_short() {
            return Ok(finish::interrupted(journal, snapshot, checks));
        }
        let mut outputs = snapshot.outputs.clone();
        outputs.retain(|_, value| !value.has_unknown());
        finish::rolled_back(journal, snapshot, error, &ended, outputs, checks).await
    }
}

fn failed_check(checks: &[CheckResult]) -> Option<Error> {
    let failed = checks.iter().find(|check| !check.passed)?;
    let error = Error::new(
        ErrorKind::CheckFailed,
        format!("check `{}`: {}", failed.name, failed.evidence),
    )
    .code(crate::codes::CHECK_FAILED);
    Some(match &failed.hint {
        Some(hint) => error.hint(hint.clone()),
        None => error,
    })
}

/// What a continued run did before it was interrupted; nothing for a new one.
fn done_before(entries: &[Entry]) -> StageResult {
    let mut verbs = HashMap::new();
    let mut total = StageResult::default();
    for entry in entries {
        match &entry.kind {
            EntryKind::Intent(intent) => {
                verbs.insert(intent.step, intent.verb);
            }
            EntryKind::Outcome {
                step,
                outcome: StepOutcome::Done,
                ..
            } => match verbs.remove(step) {
                Some(Verb::Create) => total.created += 1,
                Some(Verb::Update) => total.updated += 1,
                Some(Verb::Delete) => total.deleted += 1,
                _ => {}
            },
            _ => {}
        }
    }
    total
}

fn add(total: &mut StageResult, stage: StageResult) {
    total.failed.extend(stage.failed);
    total.left.extend(stage.left);
    total.stopped = total.stopped.max(stage.stopped);
    total.created += stage.created;
    total.updated += stage.updated;
    total.deleted += stage.deleted;
}

/// Refuses to begin while nobody knows what calls of an interrupted run did: they may have landed, and
/// would be made again.
fn in_doubt(snapshot: &Snapshot) -> Result<()> {
    let Some(open) = &snapshot.open_run else {
        return Ok(());
    };
    let calls = recover::open_intents(&open.entries).len();
    if calls == 0 {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Stale,
        format!(
            "run {} was interrupted, and what {calls} of its calls did is not known yet",
            open.id
        ),
    )
    .hint("find out first: `Engine::recover`, then plan again"))
}
