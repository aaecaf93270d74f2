//! What a step does, decided when it starts: the planner's question asked again with known values.

use std::sync::Arc;

use crate::error::{Effect, Error, ErrorKind, Result};
use crate::plan::planner::decide;
use crate::plan::steps::{Step, StepKind};
use crate::plan::{Action, PlannedChange};
use crate::provider::{
    Cx, Instance, Keys, Located, Lost, Object, OpId, Operation, Planned, Proposal, ReadRequest,
    TypeInfo, Verb,
};
use crate::session::{catch, guard, panicked};
use crate::stack::{Declared, Options};
use crate::state::{Intent, Looked, Row, RowStatus, StepRef};
use crate::value::Value;

/// Everything needed to prepare one step, so that it can be done beside others.
pub(crate) struct Preparation {
    pub(crate) step: Step,
    pub(crate) change: Option<PlannedChange>,
    pub(crate) declared: Option<Declared>,
    /// Declared inputs, as far as known.
    pub(crate) inputs: Value,
    /// Direct dependencies to keep with the row.
    pub(crate) deps: Vec<crate::address::Address>,
    /// The row of the object, or the current row of the address.
    pub(crate) row: Option<Row>,
    pub(crate) info: Arc<TypeInfo>,
    pub(crate) instance: Arc<dyn Instance>,
    pub(crate) cx: Cx,
    /// A fresh id for an object to be made.
    pub(crate) fresh: OpId,
    /// What was observed while planning may be out of date: look again before writing.
    pub(crate) look_again: bool,
    /// References to other members of the call may stay.
    pub(crate) linked: bool,
    /// How to undo, when this is part of a rollback.
    pub(crate) undo: Option<super::rollback::Undoing>,
}

/// What is to be done.
pub(crate) enum Prepared {
    /// Nothing remote.
    Skip(Box<Skipped>),
    /// A call.
    Call(Box<Prepare>),
}

/// A step that needs no call.
pub(crate) struct Skipped {
    /// Row to put, if any.
    pub(crate) put: Option<Row>,
    /// Row to remove, if any.
    pub(crate) remove: Option<OpId>,
    /// What references find from now on.
    pub(crate) known: Option<Object>,
    /// The other half of the replacement is not needed either.
    pub(crate) cancels_twin: bool,
    /// Why it was left alone, when that has to be told.
    pub(crate) left: Option<String>,
}

impl Skipped {
    pub(crate) fn nothing() -> Skipped {
        Skipped {
            put: None,
            remove: None,
            known: None,
            cancels_twin: false,
            left: None,
        }
    }
}

/// A call to make.
pub(crate) struct Prepare {
    pub(crate) operation: Operation,
    /// The intent; call number and deadline are filled in when the call is formed.
    pub(crate) intent: Intent,
    /// What becomes of state when it succeeds; `None` removes the object's row.
    pub(crate) row: Option<Row>,
    /// When it succeeds, the row that is retired (or removed, when it is already gone).
    pub(crate) retires: Option<OpId>,
    pub(crate) info: Arc<TypeInfo>,
    pub(crate) keys: Keys,
    pub(crate) cancels_twin: bool,
    /// Drop the row when done: the undoing of an adoption.
    pub(crate) forget_after: bool,
}

impl Preparation {
    /// Decides.
    pub(crate) async fn run(self) -> (StepRef, Result<Prepared>) {
        let step = self.step.id;
        let result = match (&self.undo, self.step.kind) {
            (Some(_), _) => super::rollback::prepare(&self).await,
            (None, StepKind::Create) => self.create().await,
            (None, StepKind::Update) => self.update().await,
            (None, StepKind::Delete) => Ok(self.delete()),
            (None, StepKind::Vanish) => Ok(self.vanish()),
            (None, StepKind::Run) => self.action(),
            (None, StepKind::Read) => self.lookup().await,
        };
        (step, result)
    }

    fn may_become(&self) -> bool {
        self.change
            .as_ref()
            .is_some_and(|change| !change.may_become.is_empty())
    }

    fn is_known(&self, inputs: &Value) -> Result<()> {
        if !self.linked && inputs.has_unknown() {
            let waits: Vec<String> = crate::expr::references(inputs)
                .iter()
                .map(ToString::to_string)
                .collect();
            return Err(Error::new(
                ErrorKind::Unresolved,
                format!(
                    "{} waits for values that never came: {}",
                    self.step.address,
                    waits.join(", ")
                ),
            ));
        }
        Ok(())
    }

    pub(crate) async fn planned(
        &self,
        row: Option<&Row>,
        observed: Option<&Object>,
    ) -> Result<Planned> {
        let proposal = Proposal {
            address: &self.step.address,
            type_name: &self.step.type_name,
            last_sent: row.map(|row| &row.object),
            observed,
            desired: &self.inputs,
        };
        let mut planned = guard(self.instance.plan(&self.cx, proposal)).await?;
        if let Some(finding) = planned.findings.iter().find(|finding| finding.blocking) {
            let error =
                Error::new(ErrorKind::Conflict, finding.message.clone()).effect(Effect::None);
            return Err(match &finding.hint {
                Some(hint) => error.hint(hint.clone()),
                None => error,
            });
        }
        planned.inputs = self.info.fields.mark(&planned.inputs);
        Ok(planned)
    }

    /// The row as it will be, but for what only the reply tells.
    pub(crate) fn row_for(&self, oid: OpId, inputs: &Value, before: Option<&Row>) -> Row {
        let declared = self.declared.as_ref();
        let with_references = declared
            .map(|declared| &declared.inputs)
            .filter(|inputs| inputs.has_unknown());
        Row {
            oid,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            version: self.info.version,
            instance: self.step.instance.clone(),
            status: RowStatus::Current,
            declared: with_references.cloned(),
            object: Object {
                inputs: inputs.clone(),
                ..before
                    .map(|before| before.object.clone())
                    .unwrap_or_default()
            },
            deps: self.deps.clone(),
            options: declared
                .map_or_else(Arc::<Options>::default, |declared| declared.options.clone()),
            adopted: before.is_some_and(|before| before.adopted),
            triggered_by: None,
        }
    }

    pub(crate) fn intent(
        &self,
        operation: &Operation,
        row: Option<&Row>,
        before: Option<&Row>,
    ) -> Intent {
        Intent {
            step: self.step.id,
            op: operation.op,
            call: 0,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            instance: self.step.instance.clone(),
            verb: operation.verb,
            oid: self.step.oid,
            row: row.cloned().map(Box::new),
            before: before.cloned().map(Box::new),
            observed: operation.observed.clone(),
            looked: None,
            deadline: jiff::Timestamp::UNIX_EPOCH,
            undoes: self.step.undoes,
        }
    }

    async fn create(&self) -> Result<Prepared> {
        let incomplete = self
            .row
            .as_ref()
            .filter(|row| row.status == RowStatus::Incomplete);
        let old = self
            .row
            .as_ref()
            .filter(|row| row.status == RowStatus::Current);
        if self.may_become() && old.is_some() {
            let decided = self.decide_again(old).await?;
            if !matches!(
                decided.action,
                Some(Action::Replace { .. } | Action::Create)
            ) {
                return self.in_place(decided, old, true);
            }
        }
        let planned = self.planned(None, None).await?;
        self.is_known(&planned.inputs)?;
        let resumed = incomplete.filter(|_| self.info.resumable && self.step.twin.is_none());
        let op = resumed.map_or(self.fresh, |row| row.oid);
        let operation = Operation {
            op,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            verb: Verb::Create,
            prior: None,
            observed: None,
            inputs: planned.inputs.clone(),
            checkpoint: resumed.map(|row| row.object.clone()),
            undoes: None,
        };
        let row = self.row_for(op, &planned.inputs, None);
        let mut intent = self.intent(&operation, Some(&row), old);
        // A member of a linked group whose name depends on another member is looked for by its
        // provider, within the call.
        if self.info.lost == Lost::Name
            && operation.checkpoint.is_none()
            && !operation.inputs.has_unknown()
        {
            let twin = old.filter(|_| self.step.twin.is_some());
            self.look_for_name(&operation, twin.map(|row| &*row.object.id))
                .await?;
            intent.looked = Some(Looked::Absent);
        }
        Ok(Prepared::Call(Box::new(Prepare {
            keys: self.instance.keys(&self.step.type_name, &operation.inputs),
            operation,
            intent,
            row: Some(row),
            retires: old
                .map(|old| old.oid)
                .filter(|_| self.step.twin.is_some() || self.gone()),
            info: self.info.clone(),
            cancels_twin: false,
            forget_after: false,
        })))
    }

    /// The old object was found to be gone: its row makes way for the new one's.
    fn gone(&self) -> bool {
        self.change
            .as_ref()
            .is_some_and(|change| change.action == Action::Create && change.oid.is_some())
    }

    /// Before a create of a type found by name: nothing of that name may be there, except the object
    /// that it replaces where that goes in the same call.
    pub(crate) async fn look_for_name(
        &self,
        operation: &Operation,
        replaced: Option<&str>,
    ) -> Result<()> {
        let answers = catch(
            self.instance
                .locate(&self.cx, std::slice::from_ref(operation)),
        )
        .await
        .ok_or_else(panicked)?;
        match answers.into_iter().next().unwrap_or(Ok(Located::Absent)) {
            Ok(Located::Absent) => Ok(()),
            Ok(Located::Ours(object)) if replaced == Some(&*object.id) => Ok(()),
            Ok(Located::Ours(object)) => Err(self.taken(&object.id)),
            Ok(Located::Unsure { id, .. }) => match id.as_deref() {
                Some(id) if replaced == Some(id) => Ok(()),
                id => Err(self.taken(id.unwrap_or("?"))),
            },
            Err(error) => Err(error.effect(Effect::None)),
        }
    }

    fn taken(&self, id: &str) -> Error {
        Error::new(
            ErrorKind::Conflict,
            format!(
                "{}: an object of that name exists already (`{id}`)",
                self.step.address
            ),
        )
        .hint("take it over with `adopt: true`, or choose another name")
        .effect(Effect::None)
    }

    async fn observe(&self, row: Option<&Row>) -> Result<Option<Object>> {
        let planned = self
            .change
            .as_ref()
            .and_then(|change| change.observed.clone());
        if planned.is_some() && !self.look_again {
            return Ok(planned);
        }
        let prior = match (row, &planned) {
            (Some(row), _) => row.object.clone(),
            (None, Some(object)) => object.clone(),
            (None, None) => return Ok(None),
        };
        self.read(prior).await
    }

    pub(crate) async fn read(&self, prior: Object) -> Result<Option<Object>> {
        let sent = prior.inputs.clone();
        let request = ReadRequest {
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            prior,
        };
        let answers = catch(self.instance.read(&self.cx, std::slice::from_ref(&request)))
            .await
            .ok_or_else(panicked)?;
        let found = answers.into_iter().next().unwrap_or(Ok(None))?;
        Ok(found.map(|mut object| {
            object.inputs = self.info.fields.mark(&object.inputs);
            if sent.has_secret() {
                object.inputs = crate::session::restore_marks(&object.inputs, &sent);
            }
            object
        }))
    }

    async fn decide_again(&self, row: Option<&Row>) -> Result<Again> {
        let observed = self.observe(row).await?;
        let gone = row.is_some() && observed.is_none();
        let planned = self.planned(row, observed.as_ref()).await?;
        self.is_known(&planned.inputs)?;
        let declared = self
            .declared
            .as_ref()
            .ok_or_else(|| Error::new(ErrorKind::Unexpected, "an update without a declaration"))?;
        let decision = decide(&self.info, declared, &planned, row, observed.as_ref());
        Ok(Again {
            action: if gone {
                Some(Action::Create)
            } else {
                decision.action
            },
            send: decision
                .comparison
                .send
                .unwrap_or_else(|| planned.inputs.clone()),
            store: planned.inputs,
            observed,
        })
    }

    async fn update(&self) -> Result<Prepared> {
        let adopting = self
            .change
            .as_ref()
            .is_some_and(|change| matches!(change.action, Action::Adopt | Action::Import));
        if adopting {
            return self.adopt().await;
        }
        let row = self.row.as_ref();
        let decided = self.decide_again(row).await?;
        match decided.action {
            Some(Action::Replace { .. }) => Err(Error::new(
                ErrorKind::Stale,
                format!(
                    "{} would now have to be replaced, which the plan did not show",
                    self.step.address
                ),
            )
            .hint("plan again and look at the replacement")
            .effect(Effect::None)),
            Some(Action::Create) => Err(Error::new(
                ErrorKind::Stale,
                format!(
                    "{} was deleted outside Fabrik since the plan was made",
                    self.step.address
                ),
            )
            .hint("plan again")
            .effect(Effect::None)),
            _ => self.in_place(decided, row, false),
        }
    }

    /// An update in place, or nothing at all.
    fn in_place(&self, decided: Again, row: Option<&Row>, cancels_twin: bool) -> Result<Prepared> {
        let row =
            row.ok_or_else(|| Error::new(ErrorKind::Unexpected, "an update without an object"))?;
        let triggered = self.change.as_ref().is_some_and(|change| {
            change
                .reasons
                .iter()
                .any(|reason| matches!(reason, crate::plan::Reason::Triggered(_)))
        });
        let mut new = self.row_for(row.oid, &decided.store, Some(row));
        if let Some(observed) = &decided.observed
            && !observed.outputs.is_null()
        {
            new.object.outputs = observed.outputs.clone();
        }
        if decided.action.is_none() && !triggered {
            return Ok(Prepared::Skip(Box::new(Skipped {
                known: Some(new.object.clone()),
                put: Some(new),
                cancels_twin,
                ..Skipped::nothing()
            })));
        }
        let operation = Operation {
            op: self.fresh,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            verb: Verb::Update,
            prior: Some(row.object.clone()),
            observed: decided.observed,
            inputs: decided.send,
            checkpoint: None,
            undoes: None,
        };
        let mut intent = self.intent(&operation, Some(&new), Some(row));
        intent.oid = Some(row.oid);
        Ok(Prepared::Call(Box::new(Prepare {
            keys: self.instance.keys(&self.step.type_name, &operation.inputs),
            intent,
            operation,
            row: Some(new),
            retires: None,
            info: self.info.clone(),
            cancels_twin,
            forget_after: false,
        })))
    }

    /// Takes over an existing object, changing it where it differs.
    async fn adopt(&self) -> Result<Prepared> {
        let observed = self.observe(None).await?.ok_or_else(|| {
            Error::new(
                ErrorKind::Stale,
                format!("{}: the object to take over is gone", self.step.address),
            )
            .hint("plan again")
            .effect(Effect::None)
        })?;
        let planned = self.planned(None, Some(&observed)).await?;
        self.is_known(&planned.inputs)?;
        let mut row = self.row_for(self.fresh, &planned.inputs, None);
        row.adopted = true;
        row.object = Object {
            inputs: planned.inputs.clone(),
            ..observed.clone()
        };
        let comparison = crate::plan::compare(
            &self.info.fields,
            &planned.inputs,
            None,
            Some(&observed.inputs),
            crate::plan::Treat {
                ignore: &row.options.ignore_changes,
                on_drift: crate::stack::OnDrift::Restore,
                hidden: &observed.hidden,
            },
        );
        if comparison.diff.is_empty() {
            return Ok(Prepared::Skip(Box::new(Skipped {
                known: Some(row.object.clone()),
                put: Some(row),
                ..Skipped::nothing()
            })));
        }
        let operation = Operation {
            op: self.fresh,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            verb: Verb::Update,
            prior: Some(Object {
                inputs: own(&observed.inputs, &planned.inputs),
                ..observed.clone()
            }),
            observed: Some(observed),
            inputs: comparison.send.unwrap_or(planned.inputs),
            checkpoint: None,
            undoes: None,
        };
        let mut intent = self.intent(&operation, Some(&row), None);
        intent.oid = Some(row.oid);
        Ok(Prepared::Call(Box::new(Prepare {
            keys: self.instance.keys(&self.step.type_name, &operation.inputs),
            intent,
            operation,
            row: Some(row),
            retires: None,
            info: self.info.clone(),
            cancels_twin: false,
            forget_after: false,
        })))
    }

    pub(crate) fn delete_of(&self, row: &Row) -> Prepared {
        let operation = Operation {
            op: self.fresh,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            verb: Verb::Delete,
            prior: Some(row.object.clone()),
            observed: self
                .change
                .as_ref()
                .and_then(|change| change.observed.clone()),
            inputs: Value::Null,
            checkpoint: None,
            undoes: None,
        };
        let mut intent = self.intent(&operation, None, Some(row));
        intent.oid = Some(row.oid);
        Prepared::Call(Box::new(Prepare {
            keys: self.instance.keys(&self.step.type_name, &row.object.inputs),
            intent,
            operation,
            row: None,
            retires: None,
            info: self.info.clone(),
            cancels_twin: false,
            forget_after: false,
        }))
    }

    fn delete(&self) -> Prepared {
        match &self.row {
            Some(row) if !row.object.id.is_empty() => self.delete_of(row),
            Some(row) => Prepared::Skip(Box::new(Skipped {
                remove: Some(row.oid),
                ..Skipped::nothing()
            })),
            None => Prepared::Skip(Box::new(Skipped::nothing())),
        }
    }

    fn vanish(&self) -> Prepared {
        Prepared::Skip(Box::new(Skipped {
            remove: self.row.as_ref().map(|row| row.oid),
            ..Skipped::nothing()
        }))
    }

    fn action(&self) -> Result<Prepared> {
        self.is_known(&self.inputs)?;
        let before = self.row.as_ref();
        let oid = before.map_or(self.fresh, |row| row.oid);
        let operation = Operation {
            op: self.fresh,
            address: self.step.address.clone(),
            type_name: self.step.type_name.clone(),
            verb: Verb::Run,
            prior: before.map(|row| row.object.clone()),
            observed: None,
            inputs: self.inputs.clone(),
            checkpoint: None,
            undoes: None,
        };
        let row = self.row_for(oid, &self.inputs, before);
        let mut intent = self.intent(&operation, Some(&row), before);
        intent.oid = Some(oid);
        Ok(Prepared::Call(Box::new(Prepare {
            keys: self.instance.keys(&self.step.type_name, &self.inputs),
            intent,
            operation,
            row: Some(row),
            retires: None,
            info: self.info.clone(),
            cancels_twin: false,
            forget_after: false,
        })))
    }

    async fn lookup(&self) -> Result<Prepared> {
        self.is_known(&self.inputs)?;
        let object = guard(
            self.instance
                .lookup(&self.cx, &self.step.type_name, &self.inputs),
        )
        .await?;
        Ok(Prepared::Skip(Box::new(Skipped {
            known: Some(object),
            ..Skipped::nothing()
        })))
    }
}

struct Again {
    action: Option<Action>,
    send: Value,
    store: Value,
    observed: Option<Object>,
}

/// Of an object that is taken over, what the user sets: the rest was never sent and stays as it is.
fn own(observed: &Value, planned: &Value) -> Value {
    match (observed, planned) {
        (Value::Map(observed), Value::Map(planned)) => {
            let set = |key: &Arc<str>| planned.get(key).is_some_and(|value| !value.is_null());
            let own = observed.iter().filter(|(key, _)| set(key));
            Value::map(own.map(|(key, value)| (key.clone(), value.clone())))
        }
        _ => observed.clone(),
    }
}
