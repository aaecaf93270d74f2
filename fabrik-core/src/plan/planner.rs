//! The planner: what is wanted, what was last sent and what is there, turned into changes.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::compare::{Comparison, Treat, compare};
use super::model::{
    Action, AttributeDiff, DiffKind, Drift, OutputChange, Plan, PlannedChange, PlannedFinding,
    Reason,
};
use super::refresh::Observation;
use crate::address::Address;
use crate::engine::PlanOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::Graph;
use crate::provider::{
    Finding, Located, Lost, Mode, Object, OpId, Operation, Planned, Proposal, TypeInfo, Undo, Verb,
};
use crate::session::{Known, KnownObject, Session, guard};
use crate::stack::{Declared, OnDrift, Stack};
use crate::state::{Row, RowStatus, RunKind, Snapshot};
use crate::value::{Path, Value};

/// Rows of one address.
#[derive(Default)]
pub(crate) struct Rows<'a> {
    pub(crate) current: Option<&'a Row>,
    pub(crate) incomplete: Option<&'a Row>,
    pub(crate) unsure: Option<&'a Row>,
}

/// Everything a plan is made from.
pub(crate) struct Planner<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) stack: &'a Arc<Stack>,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) observed: HashMap<OpId, Observation>,
    pub(crate) options: &'a PlanOptions,
    pub(crate) known: Known,
}

/// The changes of a plan, before steps and groups are made of them.
#[derive(Default)]
pub(crate) struct Changes {
    pub(crate) changes: Vec<PlannedChange>,
    pub(crate) drift: Vec<Drift>,
    pub(crate) findings: Vec<PlannedFinding>,
    pub(crate) outputs: Vec<OutputChange>,
    pub(crate) unchanged: usize,
    pub(crate) skipped: usize,
}

/// What is decided for one declared resource.
pub(crate) struct Decision {
    pub(crate) action: Option<Action>,
    pub(crate) reasons: Vec<Reason>,
    pub(crate) comparison: Comparison,
    pub(crate) may_become: Vec<Action>,
}

/// The planner's one question, asked at plan time and again when the step starts: what has to be
/// done to an object so that it becomes what is wanted.
pub(crate) fn decide(
    info: &TypeInfo,
    declared: &Declared,
    planned: &Planned,
    row: Option<&Row>,
    observed: Option<&Object>,
) -> Decision {
    let hidden = observed
        .map(|object| object.hidden.as_slice())
        .unwrap_or_default();
    let mut comparison = compare(
        &info.fields,
        &planned.inputs,
        row.map(|row| &row.object.inputs),
        observed.map(|object| &object.inputs),
        Treat {
            ignore: &declared.options.ignore_changes,
            on_drift: declared.options.on_drift,
            hidden,
        },
    );
    for diff in &mut comparison.diff {
        diff.forces_replacement |= planned
            .replace
            .iter()
            .any(|path| diff.path.starts_with(path));
    }
    let mut reasons = Vec::new();
    let mut may_become = Vec::new();
    let action = if row.is_none() {
        reasons.push(Reason::New);
        Some(Action::Create)
    } else if comparison.diff.is_empty() {
        None
    } else {
        let forcing: Vec<&AttributeDiff> = comparison
            .diff
            .iter()
            .filter(|diff| diff.forces_replacement)
            .collect();
        let replace = if info.updatable {
            !forcing.is_empty()
        } else {
            true
        };
        if replace {
            for diff in &forcing {
                reasons.push(Reason::FieldForcesReplacement(diff.path.clone()));
            }
            if forcing.is_empty() {
                reasons.push(Reason::NotUpdatable);
            }
            // A value that is not known yet may turn out to be what it was.
            let certain = if info.updatable {
                forcing.iter().any(|diff| !diff.after.has_unknown())
            } else {
                comparison.diff.iter().any(|diff| !diff.after.has_unknown())
            };
            if !certain {
                may_become.push(Action::Update);
            }
            Some(replace_action(info, declared))
        } else {
            reasons.push(if comparison.conflict {
                Reason::Conflict
            } else if comparison.spec_changed {
                Reason::Changed
            } else {
                Reason::Drifted
            });
            Some(Action::Update)
        }
    };
    Decision {
        action,
        reasons,
        comparison,
        may_become,
    }
}

/// A replacement in the order the resource or its type asks for.
pub(crate) fn replace_action(info: &TypeInfo, declared: &Declared) -> Action {
    Action::Replace {
        create_first: declared
            .options
            .create_before_delete
            .unwrap_or(!info.exclusive),
    }
}

impl<'a> Planner<'a> {
    /// Makes the changes.
    pub(crate) async fn run(&mut self) -> Result<Changes> {
        let mut out = Changes::default();
        let rows = self.rows_by_address()?;
        let selected = self.selected(&mut out);

        // Order: dependencies first, so that each decision knows those it refers to.
        let stack: &'a Stack = self.stack;
        let declared: Vec<&Declared> = stack.resources.values().collect();
        let index: HashMap<&Address, u32> = declared
            .iter()
            .zip(0_u32..)
            .map(|(declared, at)| (&declared.address, at))
            .collect();
        let graph = Graph::new(declared.iter().map(|declared| {
            self.dependencies(declared)
                .iter()
                .filter_map(|address| index.get(address).copied())
                .collect()
        }));
        let order = graph
            .order()
            .map_err(|cycle| cycle_error(&cycle, &declared))?;

        let mut changed: HashMap<Address, usize> = HashMap::new();
        for at in order {
            let declared = declared[at as usize];
            let here = rows.get(&declared.address);
            if !selected.contains(&declared.address) {
                self.leave(declared, here);
                continue;
            }
            let before = out.changes.len();
            self.plan_one(declared, here, &changed, &mut out).await?;
            for (at, change) in out.changes.iter().enumerate().skip(before) {
                changed.insert(change.address.clone(), at);
            }
        }
        self.preflight(&mut out).await?;
        self.plan_deletes(&rows, &selected, &mut out)?;
        spread_create_first(self.session, &self.stack.resources, &mut out.changes)?;
        self.plan_outputs(&mut out)?;
        Ok(out)
    }

    /// Addresses a declaration must come after: its own, and those its provider's configuration
    /// refers to.
    fn dependencies(&self, declared: &Declared) -> Vec<Address> {
        dependencies_with_instance(declared, self.stack)
    }

    /// State's rows by the address they stand for now, renames applied.
    fn rows_by_address(&self) -> Result<HashMap<Address, Rows<'a>>> {
        let mut rows: HashMap<Address, Rows<'a>> = HashMap::with_capacity(self.snapshot.rows.len());
        for row in &self.snapshot.rows {
            let address = self
                .renamed(&row.address)?
                .unwrap_or_else(|| row.address.clone());
            let here = rows.entry(address).or_default();
            match row.status {
                RowStatus::Current => here.current = Some(row),
                RowStatus::Incomplete => here.incomplete = Some(row),
                RowStatus::Unsure => here.unsure = Some(row),
                RowStatus::Retired => {}
            }
        }
        Ok(rows)
    }

    /// The new address of a row, when a rename applies: its old address is no longer declared and
    /// its new one has no object of its own.
    fn renamed(&self, address: &Address) -> Result<Option<Address>> {
        let mut here = address.clone();
        for moved in &self.stack.moved {
            if here.matches(&moved.from) && !moved.from.contains('*') {
                here = Address::parse(&format!(
                    "{}{}",
                    moved.to,
                    &here.as_str()[moved.from.len()..]
                ))?;
            }
        }
        let free = |target: &Address| {
            !self
                .snapshot
                .rows
                .iter()
                .any(|row| row.address == *target && row.status == RowStatus::Current)
        };
        Ok(
            (here != *address && !self.stack.resources.contains_key(address) && free(&here))
                .then_some(here),
        )
    }

    /// Which declared addresses this plan is about.
    fn selected(&self, out: &mut Changes) -> HashSet<Address> {
        let resources = &self.stack.resources;
        if self.options.destroy {
            return HashSet::new();
        }
        let matches =
            |address: &Address, globs: &[String]| globs.iter().any(|glob| address.matches(glob));
        let mut selected: HashSet<Address> = if self.options.target.is_empty() {
            resources.keys().cloned().collect()
        } else {
            // Targets pull in what they depend on.
            let mut found: HashSet<Address> = HashSet::new();
            let mut todo: Vec<Address> = resources
                .keys()
                .filter(|address| matches(address, &self.options.target))
                .cloned()
                .collect();
            while let Some(address) = todo.pop() {
                if let Some(declared) = resources.get(&address)
                    && found.insert(address)
                {
                    todo.extend(self.dependencies(declared));
                }
            }
            found
        };
        if !self.options.exclude.is_empty() {
            // Exclusion spreads to what depends on the excluded.
            let mut excluded: HashSet<Address> = resources
                .keys()
                .filter(|address| matches(address, &self.options.exclude))
                .cloned()
                .collect();
            loop {
                let more: Vec<Address> = resources
                    .values()
                    .filter(|declared| !excluded.contains(&declared.address))
                    .filter(|declared| {
                        self.dependencies(declared)
                            .iter()
                            .any(|on| excluded.contains(on))
                    })
                    .map(|declared| declared.address.clone())
                    .collect();
                if more.is_empty() {
                    break;
                }
                excluded.extend(more);
            }
            selected.retain(|address| !excluded.contains(address));
        }
        out.skipped = resources.len() - selected.len();
        selected
    }

    /// A resource this plan is not about: references to it find what state knows.
    fn leave(&mut self, declared: &Declared, rows: Option<&Rows<'_>>) {
        let object = match rows.and_then(|rows| rows.current) {
            Some(row) => KnownObject::Settled(row.object.clone()),
            None => KnownObject::Later(Value::Null),
        };
        self.known.objects.insert(declared.address.clone(), object);
    }

    async fn plan_one(
        &mut self,
        declared: &Declared,
        rows: Option<&Rows<'_>>,
        changed: &HashMap<Address, usize>,
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

    async fn plan_lookup(
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
                KnownObject::Settled(self.session.mark(info, found, desired))
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

    fn plan_action(
        &mut self,
        declared: &Declared,
        desired: &Value,
        row: Option<&Row>,
        changed: &HashMap<Address, usize>,
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
                    KnownObject::Settled(row.object.clone()),
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

    async fn plan_managed(
        &mut self,
        declared: &Declared,
        info: &Arc<TypeInfo>,
        desired: Value,
        rows: Option<&Rows<'_>>,
        changed: &HashMap<Address, usize>,
        out: &mut Changes,
    ) -> Result<()> {
        if let Some(unsure) = rows.and_then(|rows| rows.unsure) {
            out.findings.push(unsure_finding(unsure));
        }
        let row = rows.and_then(|rows| rows.current);
        if let Some(incomplete) = rows.and_then(|rows| rows.incomplete)
            && row.is_none()
        {
            return self.plan_incomplete(declared, info, desired, incomplete, out);
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
        self.report_drift(declared, row, gone, &decision, out)?;

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
        if matches!(action, Action::Create) || (deletes && diff.is_empty()) {
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
    fn refine(
        &self,
        declared: &Declared,
        info: &TypeInfo,
        row: Option<&Row>,
        gone: bool,
        moved_type: bool,
        changed: &HashMap<Address, usize>,
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
                .get(address)
                .is_some_and(|at| matches!(changes[*at].action, Action::Replace { .. }))
        };
        let replace_with = declared
            .options
            .replace_with
            .iter()
            .find(|address| changed.contains_key(*address));
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
    fn plan_unchanged(
        &self,
        declared: &Declared,
        row: Option<&Row>,
        observed: Option<&Object>,
        out: &mut Changes,
    ) {
        let Some(row) = row else { return };
        if row.address != declared.address {
            out.changes.push(PlannedChange {
                action: Action::Move {
                    from: row.address.clone(),
                },
                oid: Some(row.oid),
                id: Some(row.object.id.clone()),
                observed: observed.cloned(),
                ..new_change(declared, vec![Reason::Renamed], Undo::Full)
            });
        } else {
            out.unchanged += 1;
        }
    }

    /// A half-made object: gone on with when the type can, else deleted and made anew.
    fn plan_incomplete(
        &mut self,
        declared: &Declared,
        info: &Arc<TypeInfo>,
        desired: Value,
        incomplete: &Row,
        out: &mut Changes,
    ) -> Result<()> {
        if self.options.refresh_only {
            return Ok(());
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
        Ok(())
    }

    async fn provider_plan(
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
    fn remember(
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
                KnownObject::Settled(object)
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
                    object,
                    volatile: info.volatile.clone(),
                }
            }
            _ => KnownObject::Later(inputs.clone()),
        };
        self.known.objects.insert(declared.address.clone(), known);
    }

    fn report_drift(
        &self,
        declared: &Declared,
        row: Option<&Row>,
        gone: bool,
        decision: &Decision,
        out: &mut Changes,
    ) -> Result<()> {
        let Some(row) = row else { return Ok(()) };
        if decision.comparison.drift.is_empty() && !gone {
            return Ok(());
        }
        if declared.options.on_drift == OnDrift::Stop && !self.options.refresh_only {
            out.findings.push(PlannedFinding {
                address: declared.address.clone(),
                place: self.place(declared, None),
                finding: Finding {
                    blocking: true,
                    message: if gone {
                        "was deleted outside Fabrik, and `on_drift: stop` is set".into()
                    } else {
                        "was changed outside Fabrik, and `on_drift: stop` is set".into()
                    },
                    hint: Some("look at the drift, then accept it with `fabrik refresh` or set `on_drift: restore`".into()),
                    field: decision.comparison.drift.first().map(|diff| diff.path.clone()),
                    adopt: None,
                },
            });
        }
        out.drift.push(Drift {
            address: declared.address.clone(),
            type_name: row.type_name.clone(),
            missing: gone,
            diff: decision.comparison.drift.clone(),
            restored: gone || (!decision.comparison.kept && !self.options.refresh_only),
        });
        Ok(())
    }

    /// `--refresh-only`: take into state what is there.
    fn accept(
        &mut self,
        declared: &Declared,
        row: Option<&Row>,
        gone: bool,
        observed: Option<&Object>,
        decision: &Decision,
        out: &mut Changes,
    ) {
        let Some(row) = row else {
            self.known
                .objects
                .insert(declared.address.clone(), KnownObject::Later(Value::Null));
            return;
        };
        let outputs_moved = observed.is_some_and(|observed| {
            !observed.outputs.is_null() && observed.outputs != row.object.outputs
        });
        self.known.objects.insert(
            declared.address.clone(),
            KnownObject::Settled(observed.unwrap_or(&row.object).clone()),
        );
        if gone || !decision.comparison.drift.is_empty() || outputs_moved {
            out.changes.push(PlannedChange {
                action: if gone { Action::Forget } else { Action::Accept },
                diff: decision.comparison.drift.clone(),
                oid: Some(row.oid),
                id: Some(row.object.id.clone()),
                observed: observed.cloned(),
                ..new_change(
                    declared,
                    vec![if gone {
                        Reason::Missing
                    } else {
                        Reason::Drifted
                    }],
                    Undo::Full,
                )
            });
        } else {
            out.unchanged += 1;
        }
    }

    /// `import: ID`: the object of that id is taken over.
    async fn plan_import(
        &mut self,
        declared: &Declared,
        planned: &Planned,
        out: &mut Changes,
    ) -> Result<bool> {
        let Some(id) = declared.options.import.clone() else {
            return Ok(false);
        };
        let found = self.read_id(declared, &id).await?;
        let Some(object) = found else {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{}: there is no `{}` with id `{id}` to import",
                    declared.address, declared.type_name
                ),
            ));
        };
        self.take_over(declared, planned, object, Action::Import, out)?;
        Ok(true)
    }

    pub(crate) async fn read_id(&self, declared: &Declared, id: &str) -> Result<Option<Object>> {
        let opened = self.session.instance(&declared.instance)?;
        let info = self.session.type_info(&declared.type_name)?;
        let request = crate::provider::ReadRequest {
            address: declared.address.clone(),
            type_name: declared.type_name.clone(),
            prior: Object {
                id: id.to_owned(),
                ..Object::default()
            },
        };
        let answers = crate::session::catch(
            opened
                .instance
                .read(&self.session.cx, std::slice::from_ref(&request)),
        )
        .await
        .ok_or_else(crate::session::panicked)?;
        let answer = answers
            .into_iter()
            .next()
            .unwrap_or(Ok(None))
            .map_err(|error| self.blame(declared, error))?;
        Ok(answer.map(|object| self.session.mark(info, object, &Value::Null)))
    }

    fn take_over(
        &mut self,
        declared: &Declared,
        planned: &Planned,
        object: Object,
        action: Action,
        out: &mut Changes,
    ) -> Result<()> {
        let info = self.session.type_info(&declared.type_name)?.clone();
        let comparison = compare(
            &info.fields,
            &planned.inputs,
            None,
            Some(&object.inputs),
            Treat {
                ignore: &declared.options.ignore_changes,
                on_drift: OnDrift::Restore,
                hidden: &object.hidden,
            },
        );
        if let Some(diff) = comparison
            .diff
            .iter()
            .find(|diff| diff.forces_replacement && !diff.after.has_unknown())
        {
            out.findings.push(PlannedFinding {
                address: declared.address.clone(),
                place: self.place(declared, Some(&diff.path)),
                finding: Finding {
                    blocking: true,
                    message: format!(
                        "cannot take over `{}`: its `{}` differs and cannot be changed in place",
                        object.id, diff.path
                    ),
                    hint: Some(
                        "write the value it has into the spec, or choose another name".into(),
                    ),
                    field: Some(diff.path.clone()),
                    adopt: None,
                },
            });
        }
        let mut diff = comparison.diff;
        for diff in &mut diff {
            diff.place = self.place(declared, Some(&diff.path));
        }
        out.changes.push(PlannedChange {
            action,
            diff,
            unchanged: comparison.unchanged,
            id: Some(object.id.clone()),
            observed: Some(object),
            ..new_change(declared, vec![Reason::Exists], Undo::Full)
        });
        Ok(())
    }

    /// Before creates of types found by name: is the name taken?
    async fn preflight(&mut self, out: &mut Changes) -> Result<()> {
        let mut adopt = Vec::new();
        for (at, change) in out.changes.iter().enumerate() {
            if change.action != Action::Create || change.oid.is_some() {
                continue;
            }
            let info = self.session.type_info(&change.type_name)?;
            if info.lost != Lost::Name {
                continue;
            }
            let (Some(declared), Some(opened)) = (
                self.stack.resources.get(&change.address),
                self.session.opened.get(&change.instance),
            ) else {
                continue;
            };
            let inputs = self.known.resolve(&declared.inputs)?;
            if inputs.has_unknown() {
                continue;
            }
            let operation = create_operation(declared, OpId(0), inputs);
            let located = crate::session::catch(
                opened
                    .instance
                    .locate(&self.session.cx, std::slice::from_ref(&operation)),
            )
            .await
            .ok_or_else(crate::session::panicked)?;
            let found = located.into_iter().next().unwrap_or(Ok(Located::Absent));
            match found.map_err(|error| self.blame(declared, error))? {
                Located::Absent => {}
                Located::Ours(object) if declared.options.adopt => adopt.push((at, object)),
                Located::Ours(object) => out.findings.push(self.taken(declared, &object.id)),
                Located::Unsure(why) if declared.options.adopt => {
                    // It differs: read what is there by its id, which by convention the text quotes.
                    let id = why.split('`').nth(1).unwrap_or_default().to_owned();
                    match self.read_id(declared, &id).await? {
                        Some(object) => adopt.push((at, object)),
                        None => out.findings.push(self.taken(declared, &id)),
                    }
                }
                Located::Unsure(why) => {
                    let id = why.split('`').nth(1).unwrap_or_default().to_owned();
                    out.findings.push(self.taken(declared, &id));
                }
            }
        }
        for (at, object) in adopt {
            let address = out.changes[at].address.clone();
            let Some(declared) = self.stack.resources.get(&address) else {
                continue;
            };
            let info = self.session.type_info(&declared.type_name)?;
            let object = self.session.mark(info, object, &Value::Null);
            let inputs = self.known.resolve(&declared.inputs)?;
            let planned = Planned {
                inputs,
                ..Planned::default()
            };
            let mut one = Changes::default();
            self.take_over(declared, &planned, object, Action::Adopt, &mut one)?;
            out.findings.append(&mut one.findings);
            if let Some(change) = one.changes.pop() {
                out.changes[at] = change;
            }
        }
        Ok(())
    }

    fn taken(&self, declared: &Declared, id: &str) -> PlannedFinding {
        PlannedFinding {
            address: declared.address.clone(),
            place: self.place(declared, None),
            finding: Finding {
                blocking: true,
                message: format!(
                    "an object of that name exists already (`{id}`), and it was not made by this stack"
                ),
                hint: Some(format!(
                    "take it over with `adopt: true` (or `fabrik import {} {id}`), or choose another name",
                    declared.address
                )),
                field: None,
                adopt: Some(id.to_owned()),
            },
        }
    }

    /// What left the spec, what an earlier run left over, and everything when destroying.
    fn plan_deletes(
        &mut self,
        rows: &HashMap<Address, Rows<'_>>,
        selected: &HashSet<Address>,
        out: &mut Changes,
    ) -> Result<()> {
        if self.options.refresh_only {
            return Ok(());
        }
        let partial = !self.options.target.is_empty() || !self.options.exclude.is_empty();
        let matches =
            |address: &Address, globs: &[String]| globs.iter().any(|glob| address.matches(glob));
        for row in &self.snapshot.rows {
            let current = row.status == RowStatus::Current;
            let declared_here = if current {
                let address = self
                    .renamed(&row.address)?
                    .unwrap_or_else(|| row.address.clone());
                self.stack.resources.contains_key(&address) && !self.options.destroy
            } else {
                false
            };
            if declared_here {
                continue;
            }
            if partial {
                let targeted =
                    self.options.target.is_empty() || matches(&row.address, &self.options.target);
                if !targeted || matches(&row.address, &self.options.exclude) {
                    out.skipped += 1;
                    continue;
                }
            }
            if row.status == RowStatus::Incomplete
                && selected.contains(&row.address)
                && rows
                    .get(&row.address)
                    .is_some_and(|rows| rows.current.is_none())
            {
                continue; // planned together with its resource
            }
            if row.status == RowStatus::Unsure {
                if !self.stack.resources.contains_key(&row.address) || self.options.destroy {
                    out.findings.push(unsure_finding(row));
                }
                continue;
            }
            self.plan_delete(row, out)?;
        }
        Ok(())
    }

    fn plan_delete(&self, row: &Row, out: &mut Changes) -> Result<()> {
        let reason = match row.status {
            RowStatus::Retired => Reason::LeftOver,
            RowStatus::Incomplete => Reason::Incomplete,
            _ if self.options.destroy => Reason::Destroyed,
            _ => Reason::Removed,
        };
        let base = PlannedChange {
            address: row.address.clone(),
            type_name: row.type_name.clone(),
            instance: row.instance.clone(),
            action: Action::Delete,
            reasons: vec![reason],
            diff: Vec::new(),
            unchanged: 0,
            undo: Undo::Full,
            data_loss: false,
            pulled_forward: false,
            may_become: Vec::new(),
            group: None,
            oid: Some(row.oid),
            id: Some(row.object.id.clone()),
            observed: None,
            after: Vec::new(),
        };
        let forgotten = row.options.retain
            || self
                .stack
                .forget
                .iter()
                .any(|address| *address == row.address)
            || self
                .session
                .type_info(&row.type_name)
                .is_ok_and(|info| info.mode != Mode::Managed);
        if forgotten || matches!(self.observed.get(&row.oid), Some(Observation::Gone)) {
            out.changes.push(PlannedChange {
                action: Action::Forget,
                ..base
            });
            return Ok(());
        }
        let info = self.session.type_info(&row.type_name)?;
        if row.options.protect && row.status == RowStatus::Current {
            out.findings.push(PlannedFinding {
                address: row.address.clone(),
                place: None,
                finding: Finding {
                    blocking: true,
                    message: "is protected and would be deleted".into(),
                    hint: Some(
                        "set `protect: false` and apply that first, or `fabrik state rm` to forget it without deleting".into(),
                    ),
                    field: None,
                    adopt: None,
                },
            });
        }
        out.changes.push(PlannedChange {
            undo: info.undo_delete,
            data_loss: info.holds_data,
            ..base
        });
        Ok(())
    }

    fn plan_outputs(&mut self, out: &mut Changes) -> Result<()> {
        if self.options.destroy {
            for (name, before) in &self.snapshot.outputs {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: Some(before.clone()),
                    after: None,
                });
            }
            return Ok(());
        }
        if self.options.refresh_only {
            return Ok(());
        }
        for (name, value) in &self.stack.outputs {
            let after = self.known.resolve(value)?;
            let before = self.snapshot.outputs.get(name);
            if before != Some(&after) {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: before.cloned(),
                    after: Some(after),
                });
            }
        }
        for (name, before) in &self.snapshot.outputs {
            if !self.stack.outputs.contains_key(name) {
                out.outputs.push(OutputChange {
                    name: name.clone(),
                    before: Some(before.clone()),
                    after: None,
                });
            }
        }
        Ok(())
    }

    fn all_attributes(&self, declared: &Declared, inputs: &Value) -> Vec<AttributeDiff> {
        let mut diff = Vec::new();
        for (key, value) in inputs.as_map().into_iter().flatten() {
            if value.is_null() {
                continue;
            }
            let path = Path::key(key.clone());
            let place = self.place(declared, Some(&path));
            diff.push(AttributeDiff {
                path,
                kind: DiffKind::Add,
                before: Value::Null,
                after: value.clone(),
                last_sent: None,
                forces_replacement: false,
                place,
            });
        }
        diff
    }

    fn protected(&self, declared: &Declared, what: &str) -> PlannedFinding {
        PlannedFinding {
            address: declared.address.clone(),
            place: self.place(declared, None),
            finding: Finding {
                blocking: true,
                message: format!("is protected and would be {what}"),
                hint: Some("set `protect: false` first".into()),
                field: None,
                adopt: None,
            },
        }
    }

    /// `file:line` of a field in the spec.
    fn place(&self, declared: &Declared, path: Option<&Path>) -> Option<String> {
        let origin = declared.origin.as_ref()?;
        let span = path.map_or(origin.span, |path| origin.of(path));
        let position = self.stack.sources.position(span)?;
        Some(format!("{}:{}", position.file, position.line))
    }

    /// An error about a resource: cleaned, named, with its place in the spec.
    fn blame(&self, declared: &Declared, error: Error) -> Error {
        let place = self.place(declared, error.field_path());
        let error = self
            .session
            .clean(error)
            .operation(declared.address.to_string());
        match place {
            Some(place) => error.context("spec", place),
            None => error,
        }
    }
}

/// A change of a declared resource, to be filled in.
fn new_change(declared: &Declared, reasons: Vec<Reason>, undo: Undo) -> PlannedChange {
    PlannedChange {
        address: declared.address.clone(),
        type_name: declared.type_name.clone(),
        instance: declared.instance.clone(),
        action: Action::Create,
        reasons,
        diff: Vec::new(),
        unchanged: 0,
        undo,
        data_loss: false,
        pulled_forward: false,
        may_become: Vec::new(),
        group: None,
        oid: None,
        id: None,
        observed: None,
        after: Vec::new(),
    }
}

/// The operation of a create.
pub(crate) fn create_operation(declared: &Declared, op: OpId, inputs: Value) -> Operation {
    Operation {
        op,
        address: declared.address.clone(),
        type_name: declared.type_name.clone(),
        verb: Verb::Create,
        prior: None,
        observed: None,
        inputs,
        checkpoint: None,
        undoes: None,
    }
}

fn unsure_finding(row: &Row) -> PlannedFinding {
    PlannedFinding {
        address: row.address.clone(),
        place: None,
        finding: Finding {
            blocking: true,
            message: "an earlier run asked for it to be created and never learned whether it was"
                .into(),
            hint: Some(format!(
                "look in the service: if it is there, `fabrik import {} ID`; if not, `fabrik state rm {}`",
                row.address, row.address
            )),
            field: None,
            adopt: None,
        },
    }
}

/// The first watched address that really changes.
fn triggered_by(
    declared: &Declared,
    changed: &HashMap<Address, usize>,
    changes: &[PlannedChange],
) -> Option<Address> {
    declared
        .options
        .run_when_changed
        .iter()
        .find(|address| {
            changed.get(*address).is_some_and(|at| {
                !changes[*at].action.is_state_only() && changes[*at].action != Action::Read
            })
        })
        .cloned()
}

/// Addresses a declaration must come after, its provider's configuration included.
pub(crate) fn dependencies_with_instance(declared: &Declared, stack: &Stack) -> Vec<Address> {
    let mut found = declared.dependencies();
    if let Some(instance) = stack.instances.get(&declared.instance) {
        for reference in crate::expr::references(&instance.config) {
            if let crate::expr::Target::Resource(address) = reference.target {
                found.push(address);
            }
        }
        found.sort();
        found.dedup();
    }
    found
}

/// Create-before-delete spreads to replaced dependencies: a new object cannot wait for the deletion
/// of what its predecessor still uses. A type whose names are exclusive cannot follow; it keeps its
/// order.
fn spread_create_first(
    session: &Session,
    resources: &BTreeMap<Address, Declared>,
    changes: &mut [PlannedChange],
) -> Result<()> {
    let at: HashMap<Address, usize> = changes
        .iter()
        .enumerate()
        .map(|(at, change)| (change.address.clone(), at))
        .collect();
    let mut todo: Vec<usize> = (0..changes.len())
        .filter(|at| changes[*at].action == Action::Replace { create_first: true })
        .collect();
    while let Some(next) = todo.pop() {
        let Some(declared) = resources.get(&changes[next].address) else {
            continue;
        };
        for dependency in declared.dependencies() {
            let Some(index) = at.get(&dependency) else {
                continue;
            };
            if changes[*index].action
                == (Action::Replace {
                    create_first: false,
                })
                && !session.type_info(&changes[*index].type_name)?.exclusive
                && changes[*index].reasons.first() != Some(&Reason::Incomplete)
            {
                changes[*index].action = Action::Replace { create_first: true };
                todo.push(*index);
            }
        }
    }
    Ok(())
}

fn cycle_error(cycle: &[u32], declared: &[&Declared]) -> Error {
    let mut names: Vec<String> = cycle
        .iter()
        .map(|at| declared[*at as usize].address.to_string())
        .collect();
    names.extend(names.first().cloned());
    Error::new(
        ErrorKind::Invalid,
        format!("these resources wait for each other: {}", names.join(" → ")),
    )
    .code("FAB1090")
    .hint("remove one of the references")
}

/// The plan as a whole, once changes and groups are made.
pub(crate) fn assemble(planner: &Planner<'_>, changes: Changes, spec: String, read: usize) -> Plan {
    let kind = if planner.options.destroy {
        RunKind::Destroy
    } else if planner.options.refresh_only {
        RunKind::State
    } else {
        RunKind::Apply
    };
    Plan {
        kind,
        spec,
        instances: planner.session.facts(),
        changes: changes.changes,
        drift: changes.drift,
        findings: changes.findings,
        outputs: changes.outputs,
        read,
        unchanged: changes.unchanged,
        skipped: changes.skipped,
        allow_data_loss: planner.options.allow_data_loss.clone(),
        note: planner.options.note.clone(),
        ..Plan::bare(
            planner.stack.clone(),
            planner.snapshot,
            planner.session.engine.clock.now(),
        )
    }
}
