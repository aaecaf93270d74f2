//! The planner: what is wanted, what was last sent and what is there, turned into changes.

mod managed;
mod removal;
mod report;
mod takeover;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::compare::{Comparison, Treat, compare, compare_summarily};
use super::index::Index;
use super::model::{
    Action, AttributeDiff, DiffKind, Drift, OutputChange, Plan, PlannedChange, PlannedFinding,
    Reason,
};
use super::refresh::Observation;
use crate::address::Address;
use crate::engine::PlanOptions;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    Finding, Located, Lost, Mode, Object, OpId, Operation, Planned, Proposal, TypeInfo, Undo, Verb,
};
use crate::session::{Known, KnownObject, Session, guard};
use crate::stack::{Declared, OnDrift, Stack};
use crate::state::{Row, RowStatus, RunKind, Snapshot};
use crate::value::share::Quick;
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
    pub(crate) index: &'a Index<'a>,
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

/// Which resources have a change already, and where in the list it stands.
pub(crate) struct Changed<'a> {
    index: &'a Index<'a>,
    /// One more than the place, by the number of the resource; 0 for none.
    places: Vec<u32>,
}

impl<'a> Changed<'a> {
    fn new(index: &'a Index<'a>) -> Changed<'a> {
        Changed {
            index,
            places: vec![0; index.declared.len()],
        }
    }

    fn put(&mut self, number: u32, place: usize) {
        self.places[number as usize] = u32::try_from(place + 1).unwrap_or(u32::MAX);
    }

    fn place(&self, address: &Address) -> Option<usize> {
        let place = self.places[self.index.number(address)? as usize];
        (place as usize).checked_sub(1)
    }
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
    let treat = Treat {
        ignore: &declared.options.ignore_changes,
        on_drift: declared.options.on_drift.unwrap_or(info.on_drift),
        hidden,
    };
    // What is made anew has no differences to list.
    let compare = if row.is_some() {
        compare
    } else {
        compare_summarily
    };
    let mut comparison = compare(
        &info.fields,
        &planned.inputs,
        row.map(|row| &row.object.inputs),
        observed.map(|object| &object.inputs),
        treat,
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
        // Order: dependencies first, so that each decision knows those it refers to.
        let index = self.index;
        let order = index
            .graph
            .order()
            .map_err(|cycle| cycle_error(&cycle, &index.declared))?;
        let selected = self.selected(&order, &mut out);
        let mut changed = Changed::new(index);
        for number in order {
            let declared = index.declared[number as usize];
            let here = rows.get(&declared.address);
            if !selected[number as usize] {
                self.leave(declared, here);
                continue;
            }
            let before = out.changes.len();
            self.plan_one(declared, here, &changed, &mut out).await?;
            if out.changes.len() > before {
                let name = &self.session.type_info(&declared.type_name)?.name;
                for (place, change) in out.changes.iter_mut().enumerate().skip(before) {
                    // One name in memory for all that share it.
                    change.type_name = name.clone();
                    changed.put(number, place);
                }
            }
        }
        self.preflight(&mut out).await?;
        self.plan_deletes(&rows, &selected, &mut out)?;
        spread_create_first(self.session, &self.stack.resources, &mut out.changes)?;
        self.plan_outputs(&mut out)?;
        Ok(out)
    }

    /// State's rows by the address they stand for now, renames applied.
    fn rows_by_address(&self) -> Result<HashMap<Address, Rows<'a>, Quick>> {
        let mut rows: HashMap<Address, Rows<'a>, Quick> =
            HashMap::with_capacity_and_hasher(self.snapshot.rows.len(), Quick::default());
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

    /// Which declared resources this plan is about, by number.
    fn selected(&self, order: &[u32], out: &mut Changes) -> Vec<bool> {
        let Index {
            declared, graph, ..
        } = self.index;
        if self.options.destroy {
            return vec![false; declared.len()];
        }
        let fits = |number: u32, globs: &[String]| {
            let address = &declared[number as usize].address;
            globs.iter().any(|glob| address.matches(glob))
        };
        let every = self.options.target.is_empty();
        let mut selected = vec![every; declared.len()];
        if !every {
            // Targets pull in what they depend on.
            for number in order.iter().rev() {
                if selected[*number as usize] || fits(*number, &self.options.target) {
                    selected[*number as usize] = true;
                    for dependency in graph.dependencies(*number) {
                        selected[*dependency as usize] = true;
                    }
                }
            }
        }
        if !self.options.exclude.is_empty() {
            // Exclusion spreads to what depends on the excluded.
            let mut excluded = vec![false; declared.len()];
            for number in order {
                let mut on = graph.dependencies(*number).iter();
                if on.any(|on| excluded[*on as usize]) || fits(*number, &self.options.exclude) {
                    excluded[*number as usize] = true;
                    selected[*number as usize] = false;
                }
            }
        }
        out.skipped = selected.iter().filter(|selected| !**selected).count();
        selected
    }

    /// A resource this plan is not about: references to it find what state knows.
    fn leave(&mut self, declared: &Declared, rows: Option<&Rows<'_>>) {
        let object = match rows.and_then(|rows| rows.current) {
            Some(row) => KnownObject::settled(row.object.clone()),
            None => KnownObject::Later(Value::Null),
        };
        self.known.objects.insert(declared.address.clone(), object);
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
    changed: &Changed<'_>,
    changes: &[PlannedChange],
) -> Option<Address> {
    declared
        .options
        .run_when_changed
        .iter()
        .find(|address| {
            changed.place(address).is_some_and(|at| {
                !changes[at].action.is_state_only() && changes[at].action != Action::Read
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
    let mut todo: Vec<usize> = (0..changes.len())
        .filter(|at| changes[*at].action == Action::Replace { create_first: true })
        .collect();
    if todo.is_empty() {
        return Ok(());
    }
    let at: HashMap<Address, usize> = changes
        .iter()
        .enumerate()
        .map(|(at, change)| (change.address.clone(), at))
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
    .code(crate::codes::WAIT_CYCLE)
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
    let checks = planner.stack.checks.iter().map(|check| {
        // What cannot be resolved is said when the check is made.
        let looks_at = planner.known.resolve(&check.spec);
        let looks_at = looks_at.unwrap_or_else(|_| check.spec.clone());
        (check.name.clone(), looks_at)
    });
    Plan {
        kind,
        spec,
        checks: checks.collect(),
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
