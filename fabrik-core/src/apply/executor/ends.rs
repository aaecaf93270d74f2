//! What becomes of a step: skipped, done, failed, in doubt; and of what waited for it.

use super::{
    At, Change, Effect, End, EntryKind, Error, ErrorKind, EventBody, Executor, Fault, HashMap,
    KnownObject, Object, OpId, Prepare, Prepared, Result, Row, RowStatus, Skipped, StepOutcome,
    StepRef, Value, Verb, millis_between, verb_of,
};
use crate::apply::call::settled;

impl Executor<'_> {
    /// A step is prepared.
    pub(super) fn settle(&mut self, step: StepRef, prepared: Result<Prepared>) {
        match prepared {
            Ok(Prepared::Skip(skip)) => {
                self.leave_bundle(step, None);
                self.skipped(step, *skip);
            }
            Ok(Prepared::Call(prepare)) => match self.injected(step) {
                Some(error) => {
                    self.leave_bundle(step, None);
                    self.release(step);
                    self.failed(step, error);
                }
                None if self.step(step).bundle.is_some() => self.leave_bundle(step, Some(*prepare)),
                None => self.prepared.push((step, *prepare)),
            },
            Err(error) => {
                self.leave_bundle(step, None);
                self.release(step);
                let error = self.session.clean(error);
                self.failed(step, error.effect(Effect::None));
            }
        }
    }

    /// Faults that make a step fail before its call.
    pub(super) fn injected(&mut self, step: StepRef) -> Option<Error> {
        let (address, undoing) = (&self.step(step).address, self.undo.is_some());
        if undoing {
            for fault in self.undo_faults.iter_mut() {
                if let Fault::FailUndo { address: at, times } = fault
                    && at == address
                    && *times > 0
                {
                    *times -= 1;
                    return Some(
                        Error::new(ErrorKind::Unavailable, "injected: undo failed")
                            .effect(Effect::None),
                    );
                }
            }
            return None;
        }
        let verb = verb_of(self.step(step).kind);
        self.options.faults.0.iter().find_map(|fault| match fault {
            Fault::FailStep {
                address: at,
                verb: only,
                kind,
            } if at == address && only.is_none_or(|only| only == verb) => {
                Some(Error::new(*kind, "injected: step failed").effect(Effect::None))
            }
            _ => None,
        })
    }

    pub(super) fn skipped(&mut self, step: StepRef, skip: Skipped) {
        self.release(step);
        let work = self.step(step);
        if let Some(why) = skip.left {
            self.journal.push(
                EntryKind::State {
                    address: work.address.clone(),
                    what: format!("left alone: {why}"),
                    before: None,
                },
                Vec::new(),
                Some(EventBody::Warning {
                    message: self.safe(&format!("{}: {why}", work.address)),
                    hint: None,
                }),
            );
            self.result.left.push(format!("{}: {why}", work.address));
            self.at_end(step, At::Over);
            return;
        }
        if skip.cancels_twin {
            self.cancelled.extend(work.twin);
        }
        let mut changes = Vec::new();
        let mut before = None;
        if let Some(row) = &skip.put {
            before = self.journal.rows.get(&row.oid).cloned();
            if before.as_ref() != Some(row) {
                changes.push(Change::Put(Box::new(row.clone())));
            }
        }
        if let Some(oid) = skip.remove {
            before = self.journal.rows.get(&oid).cloned();
            changes.push(Change::Remove(oid));
        }
        if !changes.is_empty() {
            let adopted = before.is_none() && skip.put.as_ref().is_some_and(|row| row.adopted);
            let what = if adopted {
                "adopted"
            } else if skip.remove.is_some() {
                "gone"
            } else {
                "as wanted already"
            };
            self.journal.push(
                EntryKind::State {
                    address: work.address.clone(),
                    what: what.to_owned(),
                    before: before.map(Box::new),
                },
                changes,
                Some(EventBody::StateChanged {
                    address: work.address.clone(),
                    what: what.into(),
                }),
            );
        }
        let known = skip.known.map(|object| match &skip.put {
            Some(row) => row.object.clone(),
            None => self
                .session
                .type_info(&work.type_name)
                .map_or(object.clone(), |info| {
                    self.session.mark(info, object, &Value::Null)
                }),
        });
        if let Some(object) = known {
            self.known
                .objects
                .insert(work.address.clone(), KnownObject::settled(object));
        }
        self.at_end(step, At::Done);
    }

    pub(super) fn called(&mut self, call: u32, ends: Vec<(StepRef, End)>) {
        let Some(pending) = self.calls.remove(&call) else {
            return;
        };
        for lock in &pending.locks {
            self.held.remove(lock);
        }
        let mut ends: HashMap<StepRef, End> = ends.into_iter().collect();
        for (step, prepare) in pending.members {
            self.release(step);
            self.ops.remove(&prepare.operation.op);
            let end = ends
                .remove(&step)
                .unwrap_or_else(|| End::Unsure("no answer".into()));
            self.ended(step, prepare, end);
        }
    }

    pub(super) fn ended(&mut self, step: StepRef, prepare: Prepare, end: End) {
        let op = prepare.operation.op;
        let verb = prepare.operation.verb;
        let mut id = None;
        let (outcome, changes) = match end {
            End::Done(object) => {
                let object = self
                    .session
                    .mark(&prepare.info, object, &prepare.operation.inputs);
                id = Some(object.id.clone());
                self.done(step, &prepare, object)
            }
            End::Gone => {
                self.result.deleted += 1;
                let removed = prepare.intent.oid.map(Change::Remove);
                (StepOutcome::Done, removed.into_iter().collect())
            }
            End::NotDone => (StepOutcome::NotDone, Vec::new()),
            End::Failed(error) => (StepOutcome::Failed(error.report()), Vec::new()),
            End::Unsure(why) => {
                let why = crate::secrets::printable(&self.session.engine.redactor.clean(&why));
                let mut changes = Vec::new();
                if verb == Verb::Create
                    && let Some(row) = &prepare.row
                    && !self.journal.rows.contains_key(&row.oid)
                {
                    changes.push(Change::Put(Box::new(Row {
                        status: RowStatus::Unsure,
                        ..row.clone()
                    })));
                }
                (StepOutcome::InDoubt(why), changes)
            }
        };
        let began = self
            .begun
            .remove(&step)
            .unwrap_or_else(|| self.session.engine.clock.now());
        let work = self.step(step);
        let id = id.map(|id| self.safe(&id));
        self.journal.push(
            EntryKind::Outcome {
                step,
                op,
                outcome: outcome.clone(),
            },
            changes,
            Some(EventBody::StepDone {
                step,
                address: work.address.clone(),
                type_name: work.type_name.clone(),
                verb,
                outcome: outcome.clone(),
                id,
                ms: millis_between(began, self.session.engine.clock.now()),
                undoes: work.undoes,
            }),
        );
        match outcome {
            StepOutcome::Done | StepOutcome::Unchanged => {
                if prepare.cancels_twin {
                    self.cancelled.extend(work.twin);
                }
                self.at_end(step, At::Done);
            }
            StepOutcome::Failed(report) => {
                self.result
                    .failed
                    .push((step, Error::from(&report).operation(self.title(step, verb))));
                self.at_end(step, At::Over);
            }
            StepOutcome::InDoubt(why) => {
                let error = Error::new(
                    ErrorKind::Unsure,
                    format!("it is not known whether it happened: {why}"),
                )
                .operation(self.title(step, verb))
                .hint("look in the service; the next plan says how to go on");
                self.result.failed.push((step, error));
                self.at_end(step, At::Over);
            }
            StepOutcome::NotDone | StepOutcome::Left(_) => self.at_end(step, At::Over),
        }
    }

    /// State after a create, update or run that is done.
    pub(super) fn done(
        &mut self,
        step: StepRef,
        prepare: &Prepare,
        object: Object,
    ) -> (StepOutcome, Vec<Change>) {
        let mut changes = Vec::new();
        match prepare.operation.verb {
            Verb::Create => self.result.created += 1,
            Verb::Update => self.result.updated += 1,
            Verb::Delete => self.result.deleted += 1,
            Verb::Run => {}
        }
        if prepare.forget_after {
            changes.extend(prepare.intent.oid.map(Change::Remove));
            return (StepOutcome::Done, changes);
        }
        if let Some(row) = &prepare.row {
            let mut row = row.clone();
            row.object = Object {
                inputs: settled(&row.object.inputs, &object.inputs),
                ..object
            };
            row.status = RowStatus::Current;
            let known = KnownObject::settled(row.object.clone());
            self.known.objects.insert(row.address.clone(), known);
            changes.push(Change::Put(Box::new(row)));
        }
        if let Some(old) = prepare.retires
            && let Some(row) = self.journal.rows.get(&old)
        {
            if self.step(step).twin.is_some() {
                changes.insert(
                    0,
                    Change::Put(Box::new(Row {
                        status: RowStatus::Retired,
                        ..row.clone()
                    })),
                );
            } else {
                changes.insert(0, Change::Remove(old));
            }
        }
        (StepOutcome::Done, changes)
    }

    pub(super) fn title(&self, step: StepRef, verb: Verb) -> String {
        format!("{} {}", verb.word(), self.step(step).address)
    }

    pub(super) fn failed(&mut self, step: StepRef, error: Error) {
        let work = self.step(step);
        let verb = verb_of(work.kind);
        self.journal.push(
            EntryKind::Outcome {
                step,
                op: OpId(0),
                outcome: StepOutcome::Failed(error.report()),
            },
            Vec::new(),
            Some(EventBody::StepDone {
                step,
                address: work.address.clone(),
                type_name: work.type_name.clone(),
                verb,
                outcome: StepOutcome::Failed(error.report()),
                id: None,
                ms: 0,
                undoes: work.undoes,
            }),
        );
        let error = if error.operation_name().is_some() {
            error
        } else {
            error.operation(self.title(step, verb))
        };
        self.result.failed.push((step, error));
        self.at_end(step, At::Over);
    }

    /// A step is over; what waited for it may begin, or never will.
    pub(super) fn at_end(&mut self, step: StepRef, at: At) {
        let index = self.index(step);
        self.at[index] = at;
        let node = u32::try_from(index).unwrap_or(u32::MAX);
        let stage = self.steps.steps[index].stage;
        for dependent in self.dependents.dependencies(node).to_vec() {
            let dependent = dependent as usize;
            if self.steps.steps[dependent].stage != stage || self.at[dependent] != At::Waiting {
                continue;
            }
            if at == At::Over {
                // Never runs; neither does what waits for it.
                let id = self.steps.steps[dependent].id;
                self.leave_bundle(id, None);
                self.at_end(id, At::Over);
                continue;
            }
            self.missing[dependent] -= 1;
            if self.missing[dependent] == 0 {
                self.enqueue(dependent);
            }
        }
    }
}
