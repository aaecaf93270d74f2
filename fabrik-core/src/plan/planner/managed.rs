//! One declared resource at a time: what has to be done to it.

use super::{
    Action, Address, Arc, Changed, Changes, Decision, Declared, KnownObject, Mode, Object,
    Observation, Planned, PlannedChange, PlannedFinding, Planner, Proposal, Reason, Result, Row,
    Rows, TypeInfo, Undo, Value, decide, guard, new_change, replace_action, triggered_by,
    unsure_finding,
};

impl Planner<'_> {
    pub(super) async fn plan_one(
        &mut self,
        declared: &Declared,
        rows: Option<&Rows<'_>>,
        changed: &Changed<'_>,
        out: &mut Changes,
    ) -> Result<()> {
        self.session
            .open([declared.instance.clone()], &self.known)
            .await?;
        let info = self.session.type_info(&declared.type_name)?.clone();
        let desired = self
            .known
            .resolve(&declared.inputs)
            .map_err(|error| self.blame(declared, error))?;
        let desired = info.fields.mark(&desired);
        match info.mode {
            Mode::Lookup => self.plan_lookup(declared, &desired, out).await,
            Mode::Action => {
                self.plan_action(
                    declared,
                    &desired,
                    rows.and_then(|rows| rows.current),
                    changed,
                    out,
                );
                Ok(())
            }
            Mode::Managed => {
                self.plan_managed(declared, &info, desired, rows, changed, out)
                    .await
            }
        }
    }

    pub(super) async fn plan_lookup(
        &mut self,
        declared: &Declared,
        desired: &Value,
        out: &mut Changes,
    ) -> Result<()> {
        let opened = self.session.opened.get(&declared.instance).cloned();
        let known = match opened {
            Some(opened) if !desired.has_unknown() => {
                let found = guard(opened.instance.lookup(
                    &self.session.cx,
                    &declared.type_name,
                    desired,
                ))
                .await
                .map_err(|error| self.blame(declared, error))?;
                let info = self.session.type_info(&declared.type_name)?;
                KnownObject::settled(self.session.mark(info, found, desired))
            }
            _ => {
                out.changes.push(PlannedChange {
                    action: Action::Read,
                    ..new_change(declared, vec![Reason::New], Undo::Full)
                });
                KnownObject::Later(Value::Null)
            }
        };
        self.known.objects.insert(declared.address.clone(), known);
        Ok(())
    }

    pub(super) fn plan_action(
        &mut self,
        declared: &Declared,
        desired: &Value,
        row: Option<&Row>,
        changed: &Changed<'_>,
        out: &mut Changes,
    ) {
        let watched = triggered_by(declared, changed, &out.changes);
        let same = row.is_some_and(|row| row.object.inputs == *desired && !desired.has_unknown());
        let asked = self
            .options
            .replace
            .iter()
            .any(|glob| declared.address.matches(glob));
        if same && watched.is_none() && !asked {
            out.unchanged += 1;
            if let Some(row) = row {
                self.known.objects.insert(
                    declared.address.clone(),
                    KnownObject::settled(row.object.clone()),
                );
            }
            return;
        }
        let reason = match (row, watched) {
            (None, _) => Reason::New,
            (Some(_), Some(watched)) => Reason::Triggered(watched),
            (Some(_), None) if asked => Reason::Asked,
            (Some(_), None) => Reason::Changed,
        };
        out.changes.push(PlannedChange {
            action: Action::Run,
            oid: row.map(|row| row.oid),
            ..new_change(declared, vec![reason], Undo::None)
        });
        self.known.objects.insert(
            declared.address.clone(),
            KnownObject::Later(desired.clone()),
        );
    }

    pub(super) async fn plan_managed(
        &mut self,
        declared: &Declared,
        info: &Arc<TypeInfo>,
        desired: Value,
        rows: Option<&Rows<'_>>,
        changed: &Changed<'_>,
        out: &mut Changes,
    ) -> Result<()> {
        if let Some(unsure) = rows.and_then(|rows| rows.unsure) {
            out.findings.push(unsure_finding(unsure));
        }
        let row = rows.and_then(|rows| rows.current);
        if let Some(incomplete) = rows.and_then(|rows| rows.incomplete)
            && row.is_none()
        {
            self.plan_incomplete(declared, info, desired, incomplete, out);
            return Ok(());
        }
        let observation = row.and_then(|row| self.observed.get(&row.oid)).cloned();
        let observed = match &observation {
            Some(Observation::There(object)) => Some(object),
            _ => None,
        };
        let gone = matches!(observation, Some(Observation::Gone));
        let moved_type = row.is_some_and(|row| {
            row.type_name != declared.type_name || row.instance != declared.instance
        });
        let live_row = row.filter(|_| !gone && !moved_type);

        let planned = self
            .provider_plan(declared, info, &desired, live_row, observed)
            .await?;
        for finding in &planned.findings {
            out.findings.push(PlannedFinding {
                address: declared.address.clone(),
                place: self.place(declared, finding.field.as_ref()),
                finding: finding.clone(),
            });
        }
        let mut decision = decide(info, declared, &planned, live_row, observed);
        self.report_drift(declared, row, gone, &decision, out);

        if self.options.refresh_only {
            self.accept(declared, row, gone, observed, &decision, out);
            return Ok(());
        }
        self.refine(
            declared,
            info,
            row,
            gone,
            moved_type,
            changed,
            &mut decision,
            &out.changes,
        );
        if decision.action == Some(Action::Create)
            && row.is_none()
            && self.plan_import(declared, &planned, out).await?
        {
            self.remember(declared, info, &planned.inputs, None, Some(&Action::Import));
            return Ok(());
        }
        self.remember(
            declared,
            info,
            &planned.inputs,
            live_row.map(|row| (row, observed)),
            decision.action.as_ref(),
        );
        let Some(action) = decision.action.clone() else {
            self.plan_unchanged(declared, row, observed, out);
            return Ok(());
        };
        let deletes = matches!(action, Action::Replace { .. });
        if deletes && declared.options.protect {
            out.findings.push(self.protected(declared, "replaced"));
        }
        for diff in &mut decision.comparison.diff {
            diff.place = self.place(declared, Some(&diff.path));
        }
        let mut diff = std::mem::take(&mut decision.comparison.diff);
        if matches!(action, Action::Create) || (deletes && live_row.is_none()) {
            diff = self.all_attributes(declared, &planned.inputs);
        }
        let data_loss = (deletes && info.holds_data) || decision.comparison.data_loss;
        out.changes.push(PlannedChange {
            undo: if deletes {
                info.undo_delete
            } else {
                Undo::Full
            },
            action,
            diff,
            unchanged: decision.comparison.unchanged,
            data_loss,
            may_become: decision.may_become,
            oid: row.map(|row| row.oid),
            id: row.map(|row| row.object.id.clone()),
            observed: observed.cloned(),
            ..new_change(declared, decision.reasons, Undo::Full)
        });
        Ok(())
    }

    /// What the comparison does not know: asked-for replacement, triggers, containers, missing
    /// objects, changed types.
    #[expect(clippy::too_many_arguments, reason = "the facts of one decision")]
    pub(super) fn refine(
        &self,
        declared: &Declared,
        info: &TypeInfo,
        row: Option<&Row>,
        gone: bool,
        moved_type: bool,
        changed: &Changed<'_>,
        decision: &mut Decision,
        changes: &[PlannedChange],
    ) {
        if gone {
            decision.reasons = vec![Reason::Missing];
            decision.action = Some(Action::Create);
            return;
        }
        if moved_type {
            decision.reasons = vec![Reason::TypeChanged];
            decision.action = Some(replace_action(info, declared));
            decision.may_become.clear();
            return;
        }
        let Some(row) = row else { return };
        let is_replaced = |address: &Address| {
            changed
                .place(address)
                .is_some_and(|at| matches!(changes[at].action, Action::Replace { .. }))
        };
        let replace_with = declared
            .options
            .replace_with
            .iter()
            .find(|address| changed.place(address).is_some());
        let container = self
            .session
            .keys(&row.instance, &row.type_name, &row.object.inputs)
            .deleted_with
            .filter(|container| is_replaced(container));
        let forced = if self
            .options
            .replace
            .iter()
            .any(|glob| declared.address.matches(glob))
        {
            Some(Reason::Asked)
        } else if let Some(address) = replace_with {
            Some(Reason::ReplacedWith(address.clone()))
        } else {
            container.map(Reason::ContainerReplaced)
        };
        if let Some(reason) = forced {
            decision.reasons.insert(0, reason);
            decision.action = Some(replace_action(info, declared));
            decision.may_become.clear();
        } else if decision.action.is_none()
            && let Some(watched) = triggered_by(declared, changed, changes)
        {
            decision.reasons = vec![Reason::Triggered(watched)];
            decision.action = Some(Action::Update);
        }
    }

    /// Nothing to write: perhaps a rename, perhaps only the wording in the spec changed.
    pub(super) fn plan_unchanged(
        &self,
        declared: &Declared,
        row: Option<&Row>,
        observed: Option<&Object>,
        out: &mut Changes,
    ) {
        let Some(row) = row else { return };
        if row.address == declared.address {
            out.unchanged += 1;
        } else {
            out.changes.push(PlannedChange {
                action: Action::Move {
                    from: row.address.clone(),
                },
                oid: Some(row.oid),
                id: Some(row.object.id.clone()),
                observed: observed.cloned(),
                ..new_change(declared, vec![Reason::Renamed], Undo::Full)
            });
        }
    }

    /// A half-made object: gone on with when the type can, else deleted and made anew.
    pub(super) fn plan_incomplete(
        &mut self,
        declared: &Declared,
        info: &Arc<TypeInfo>,
        desired: Value,
        incomplete: &Row,
        out: &mut Changes,
    ) {
        if self.options.refresh_only {
            return;
        }
        let action = if info.resumable {
            Action::Create
        } else {
            Action::Replace {
                create_first: false,
            }
        };
        out.changes.push(PlannedChange {
            diff: self.all_attributes(declared, &desired),
            action,
            oid: Some(incomplete.oid),
            id: Some(incomplete.object.id.clone()),
            ..new_change(declared, vec![Reason::Incomplete], Undo::Full)
        });
        self.known
            .objects
            .insert(declared.address.clone(), KnownObject::Later(desired));
    }

    pub(super) async fn provider_plan(
        &self,
        declared: &Declared,
        info: &TypeInfo,
        desired: &Value,
        row: Option<&Row>,
        observed: Option<&Object>,
    ) -> Result<Planned> {
        let Some(opened) = self.session.opened.get(&declared.instance) else {
            return Ok(Planned {
                inputs: desired.clone(),
                ..Planned::default()
            });
        };
        let proposal = Proposal {
            address: &declared.address,
            type_name: &declared.type_name,
            last_sent: row.map(|row| &row.object),
            observed,
            desired,
        };
        let mut planned = guard(opened.instance.plan(&self.session.cx, proposal))
            .await
            .map_err(|error| self.blame(declared, error))?;
        planned.inputs = info.fields.mark(&planned.inputs);
        Ok(planned)
    }

    /// What references to this resource find from now on.
    pub(super) fn remember(
        &mut self,
        declared: &Declared,
        info: &TypeInfo,
        inputs: &Value,
        live: Option<(&Row, Option<&Object>)>,
        action: Option<&Action>,
    ) {
        let known = match (action, live) {
            (None, Some((row, observed))) => {
                let mut object = row.object.clone();
                if let Some(observed) = observed
                    && !observed.outputs.is_null()
                {
                    object.outputs = observed.outputs.clone();
                }
                KnownObject::settled(object)
            }
            (Some(Action::Update), Some((row, observed))) => {
                let mut object = row.object.clone();
                if let Some(observed) = observed
                    && !observed.outputs.is_null()
                {
                    object.outputs = observed.outputs.clone();
                }
                object.inputs = inputs.clone();
                KnownObject::Updated {
                    object: Box::new(object),
                    volatile: info.volatile.clone(),
                }
            }
            _ => KnownObject::Later(inputs.clone()),
        };
        self.known.objects.insert(declared.address.clone(), known);
    }
}
