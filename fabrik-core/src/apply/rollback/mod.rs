//! Rollback is a plan: from what the run journalled and what state holds now, the steps that bring
//! back what the run found. Built anew each time, so an interrupted rollback simply goes on.

mod undoing;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::journal::Journal;
use crate::address::Address;
use crate::error::{Effect, Result};
use crate::plan::steps::{Stage, Step, StepKind, Steps, contract};
use crate::provider::{Object, OpId, Verb, WriteGroup};
use crate::session::Session;
use crate::state::{Change, EntryKind, Intent, Row, RowStatus, StepOutcome, StepRef};
use crate::value::Value;

pub(crate) use undoing::{as_before, prepare};

/// How one step undoes another.
#[derive(Clone, Debug)]
pub(crate) enum Undoing {
    /// Deletes what the run made.
    DeleteNew,
    /// Puts an object back to how the run found it.
    Restore {
        /// Its row before.
        before: Box<Row>,
        /// How it was observed just before the write.
        observed: Option<Object>,
        /// The update may have been carried out only in part.
        unclear: bool,
    },
    /// Makes anew what the run deleted.
    Recreate {
        /// Its row before.
        before: Box<Row>,
        /// How it was observed just before it was deleted.
        observed: Option<Object>,
    },
    /// Gives an object the run did not touch the new id of what had to be made anew; whatever else
    /// differs stays.
    Refer {
        /// Its row.
        before: Box<Row>,
    },
    /// Restores what was adopted, then forgets it.
    Release {
        /// How it was observed before.
        observed: Box<Object>,
    },
    /// Runs an action again, after what it watches is restored.
    Again {
        /// Its row before.
        before: Box<Row>,
    },
}

/// The steps of a rollback, and what only state has to undo.
pub(crate) struct Undo {
    pub(crate) steps: Steps,
    pub(crate) bodies: Vec<Undoing>,
    pub(crate) state: Vec<(Address, String, Vec<Change>)>,
}

/// What a run did to one address.
#[derive(Default)]
struct Touched {
    first: Option<StepRef>,
    before: Option<Row>,
    /// The row before was moved, forgotten or accepted without a call.
    state_only: Option<(Row, String)>,
    observed: Option<Object>,
    updated: Option<(OpId, bool)>,
    created: BTreeSet<OpId>,
    /// Made anew by an earlier attempt at this rollback.
    recreated: BTreeSet<OpId>,
    deleted: BTreeSet<OpId>,
    deleted_as: Option<Object>,
    adopted: Option<(OpId, Object)>,
    ran: bool,
}

/// Builds the rollback of the journal's run.
pub(crate) fn build(journal: &Journal, session: &Session, next_step: u32) -> Result<Undo> {
    let touched = touched(journal);
    let mut builder = Builder {
        journal,
        session,
        next: next_step,
        steps: Vec::new(),
        bodies: Vec::new(),
        state: Vec::new(),
        restores: HashMap::new(),
        restored_at: HashMap::new(),
        removals: HashMap::new(),
    };
    for address in touched.keys() {
        builder.undo_address(address, &touched);
    }
    builder.refer_to_recreated();
    builder.finish(next_step)
}

fn touched(journal: &Journal) -> BTreeMap<Address, Touched> {
    let mut touched: BTreeMap<Address, Touched> = BTreeMap::new();
    let mut intents: HashMap<StepRef, &Intent> = HashMap::new();
    for entry in &journal.entries {
        match &entry.kind {
            EntryKind::Intent(intent) if intent.undoes.is_none() => {
                intents.insert(intent.step, intent);
                let here = touched.entry(intent.address.clone()).or_default();
                if here.first.is_none() {
                    here.first = Some(intent.step);
                    if here.state_only.is_none() {
                        here.before = intent.before.as_deref().cloned();
                    }
                }
                match intent.verb {
                    Verb::Create => _ = here.created.insert(intent.op),
                    Verb::Run => here.ran = true,
                    Verb::Update => {
                        if intent.before.is_none() {
                            if let (Some(oid), Some(observed)) = (intent.oid, &intent.observed) {
                                here.adopted = Some((oid, observed.clone()));
                            }
                        } else if let Some(oid) = intent.oid {
                            here.observed.clone_from(&intent.observed);
                            here.updated = Some((oid, true));
                        }
                    }
                    Verb::Delete => here.deleted_as.clone_from(&intent.observed),
                }
            }
            EntryKind::Intent(intent) if intent.verb == Verb::Create => {
                touched
                    .entry(intent.address.clone())
                    .or_default()
                    .recreated
                    .insert(intent.op);
            }
            EntryKind::Outcome { step, outcome, .. } => {
                let Some(intent) = intents.get(step) else {
                    continue;
                };
                let here = touched.entry(intent.address.clone()).or_default();
                let done = matches!(outcome, StepOutcome::Done);
                if let (Verb::Update, Some((_, unclear))) = (intent.verb, &mut here.updated) {
                    let untouched = match outcome {
                        StepOutcome::Failed(error) => error.effect == Effect::None,
                        StepOutcome::NotDone | StepOutcome::Unchanged => true,
                        _ => false,
                    };
                    if untouched {
                        here.updated = None;
                    } else {
                        *unclear = !done;
                    }
                }
                if let (Verb::Delete, Some(oid)) = (intent.verb, intent.oid)
                    && done
                {
                    here.deleted.insert(oid);
                }
            }
            EntryKind::State {
                address,
                what,
                before,
            } => {
                let here = touched.entry(address.clone()).or_default();
                match before {
                    // An adoption that needed no write is only forgotten again.
                    None => here.created.extend(
                        journal
                            .rows
                            .values()
                            .filter(|row| row.address == *address && row.adopted)
                            .map(|row| row.oid),
                    ),
                    Some(row) => {
                        if here.state_only.is_none() && here.first.is_none() {
                            here.before = Some(row.as_ref().clone());
                            here.state_only = Some((row.as_ref().clone(), what.clone()));
                        }
                    }
                }
            }
            _ => {}
        }
    }
    touched
}

struct Builder<'a> {
    journal: &'a Journal,
    session: &'a Session,
    next: u32,
    steps: Vec<Step>,
    bodies: Vec<Undoing>,
    state: Vec<(Address, String, Vec<Change>)>,
    /// Step that brings an address back, by the address as it was before the run.
    restores: HashMap<Address, usize>,
    /// The same by the address as it is now: the run may have moved it.
    restored_at: HashMap<Address, usize>,
    /// Step that removes an object, by its id.
    removals: HashMap<OpId, usize>,
}

impl Builder<'_> {
    fn push(&mut self, row: &Row, kind: StepKind, undoes: Option<StepRef>, body: Undoing) -> usize {
        let at = self.steps.len();
        self.steps.push(Step {
            id: StepRef(self.next),
            change: usize::MAX,
            address: row.address.clone(),
            type_name: row.type_name.clone(),
            instance: row.instance.clone(),
            kind,
            stage: Stage::First,
            oid: Some(row.oid),
            twin: None,
            bundle: None,
            undoes: undoes.or(Some(StepRef(0))),
        });
        self.next += 1;
        self.bodies.push(body);
        at
    }

    fn undo_address(&mut self, address: &Address, all: &BTreeMap<Address, Touched>) {
        let touched = &all[address];
        let rows: Vec<&Row> = self
            .journal
            .rows
            .values()
            .filter(|row| row.address == *address)
            .collect();
        for row in &rows {
            let made_now = touched.created.contains(&row.oid)
                || (touched.recreated.contains(&row.oid) && row.status == RowStatus::Incomplete);
            if made_now && row.adopted {
                self.state.push((
                    address.clone(),
                    "forgotten again".into(),
                    vec![Change::Remove(row.oid)],
                ));
            } else if made_now && row.status != RowStatus::Unsure {
                let step = self.push(row, StepKind::Delete, touched.first, Undoing::DeleteNew);
                self.removals.insert(row.oid, step);
            }
        }
        if let Some((oid, observed)) = &touched.adopted
            && let Some(row) = self.journal.rows.get(oid)
        {
            let body = Undoing::Release {
                observed: Box::new(observed.clone()),
            };
            let step = self.push(row, StepKind::Update, touched.first, body);
            self.restored(address, address, step);
        }
        if touched.ran {
            self.undo_action(touched, &rows);
            return;
        }
        let Some(before) = &touched.before else {
            return;
        };
        match self.journal.rows.get(&before.oid) {
            // Even when state looks the same: the update may have put back what had drifted.
            Some(now) => match touched.updated {
                Some((oid, unclear)) if oid == before.oid => {
                    let body = Undoing::Restore {
                        before: Box::new(before.clone()),
                        observed: touched.observed.clone(),
                        unclear,
                    };
                    let step = self.push(now, StepKind::Update, touched.first, body);
                    self.restored(&before.address, address, step);
                }
                _ if now != before => self.put_back(before, "is as it was before"),
                _ => {}
            },
            None if self.is_recreated(&before.address, all) => {}
            None if touched.deleted.contains(&before.oid) => {
                let step = self.push(
                    before,
                    StepKind::Create,
                    touched.first,
                    Undoing::Recreate {
                        before: Box::new(before.clone()),
                        observed: touched.deleted_as.clone(),
                    },
                );
                self.restored(&before.address, address, step);
            }
            None => self.put_back(before, "put back in state"),
        }
    }

    /// Notes that a step brings back what was at one address, and is at another now.
    fn restored(&mut self, was: &Address, is: &Address, step: usize) {
        self.restores.insert(was.clone(), step);
        self.restored_at.insert(is.clone(), step);
    }

    /// Whether an earlier attempt at this rollback made anew what was at an address.
    fn is_recreated(&self, was: &Address, all: &BTreeMap<Address, Touched>) -> bool {
        let recreated = all.get(was).map(|touched| &touched.recreated);
        recreated.into_iter().flatten().any(|oid| {
            let row = self.journal.rows.get(oid);
            row.is_some_and(|row| row.status == RowStatus::Current)
        })
    }

    fn put_back(&mut self, before: &Row, what: &str) {
        let changes = vec![Change::Put(Box::new(before.clone()))];
        self.state
            .push((before.address.clone(), what.to_owned(), changes));
    }

    /// An action is run again with what it ran with before, when it watches something.
    fn undo_action(&mut self, touched: &Touched, rows: &[&Row]) {
        match &touched.before {
            Some(before) if !before.options.run_when_changed.is_empty() => {
                let now = self.journal.rows.get(&before.oid).unwrap_or(before);
                if now != before {
                    let body = Undoing::Again {
                        before: Box::new(before.clone()),
                    };
                    let step = self.push(now, StepKind::Run, touched.first, body);
                    self.restored(&before.address, &now.address, step);
                }
            }
            Some(before) => {
                if self.journal.rows.get(&before.oid) != Some(before) {
                    self.put_back(before, "put back in state");
                }
            }
            None => {
                for row in rows {
                    let changes = vec![Change::Remove(row.oid)];
                    self.state
                        .push((row.address.clone(), "forgotten again".into(), changes));
                }
            }
        }
    }

    /// Whoever refers to what is made anew, and is not restored anyway, gets the new id.
    fn refer_to_recreated(&mut self) {
        let recreated: BTreeSet<Address> = self
            .steps
            .iter()
            .zip(&self.bodies)
            .filter(|(_, body)| matches!(body, Undoing::Recreate { .. }))
            .map(|(step, _)| step.address.clone())
            .collect();
        if recreated.is_empty() {
            return;
        }
        let put_back = self.state.iter().flat_map(|(_, _, changes)| changes);
        let put_back: Vec<Row> = put_back
            .filter_map(|change| match change {
                Change::Put(row) => Some(row.as_ref().clone()),
                _ => None,
            })
            .collect();
        let standing = self.journal.rows.values().filter(|row| {
            row.status == RowStatus::Current && !put_back.iter().any(|back| back.oid == row.oid)
        });
        let rows: Vec<Row> = standing.cloned().chain(put_back.clone()).collect();
        for row in &rows {
            let refers = crate::expr::references(row.declared()).iter().any(|reference| {
                matches!(&reference.target, crate::expr::Target::Resource(address) if recreated.contains(address))
            });
            if refers
                && !self.restores.contains_key(&row.address)
                && !self.restored_at.contains_key(&row.address)
                && !self.removals.contains_key(&row.oid)
            {
                let step = self.push(
                    row,
                    StepKind::Update,
                    None,
                    Undoing::Refer {
                        before: Box::new(row.clone()),
                    },
                );
                self.restored(&row.address, &row.address, step);
            }
        }
    }

    fn finish(mut self, first: u32) -> Result<Undo> {
        let mut after: Vec<Vec<u32>> = vec![Vec::new(); self.steps.len()];
        // Deleting first is how the run did it; the name may be taken until then.
        for (address, step) in self.restores.iter().chain(&self.restored_at) {
            for (oid, removal) in &self.removals {
                let row = self.journal.rows.get(oid);
                if row.is_some_and(|row| row.address == *address)
                    && self.steps[*step].kind == StepKind::Create
                {
                    after[*step].push(index(*removal));
                }
            }
        }
        for step in self.restores.values() {
            let deps = match &self.bodies[*step] {
                Undoing::Restore { before, .. }
                | Undoing::Recreate { before, .. }
                | Undoing::Refer { before }
                | Undoing::Again { before } => before
                    .deps
                    .iter()
                    .chain(&before.options.run_when_changed)
                    .collect(),
                _ => Vec::new(),
            };
            for dependency in deps {
                if let Some(earlier) = self.restores.get(dependency) {
                    after[*step].push(index(*earlier));
                }
            }
        }
        // What the run made goes after whatever refers to it refers elsewhere or is gone.
        for row in self.journal.rows.values() {
            for dependency in &row.deps {
                for (oid, removal) in &self.removals {
                    let target = &self.journal.rows[oid];
                    if target.address != *dependency || target.oid == row.oid {
                        continue;
                    }
                    if let Some(own) = self.removals.get(&row.oid) {
                        after[*removal].push(index(*own));
                    } else if let Some(own) = self.restored_at.get(&row.address)
                        && !self.waits(&after, index(*own), index(*removal))
                    {
                        after[*removal].push(index(*own));
                    }
                }
            }
        }
        let groups: Vec<Option<WriteGroup>> = self
            .steps
            .iter()
            .map(|step| {
                let inputs = match self.journal.rows.get(&step.oid?) {
                    Some(row) => row.object.inputs.clone(),
                    None => match &self.bodies[usize::try_from(step.id.0 - first).unwrap_or(0)] {
                        Undoing::Recreate { before, .. } => before.object.inputs.clone(),
                        _ => Value::Null,
                    },
                };
                self.session
                    .keys(&step.instance, &step.type_name, &inputs)
                    .write_group
            })
            .collect();
        let steps = contract(std::mem::take(&mut self.steps), after, &groups)?.0;
        Ok(Undo {
            steps,
            bodies: self.bodies,
            state: self.state,
        })
    }

    /// Whether `step` already waits for `target`, directly or through others.
    fn waits(&self, after: &[Vec<u32>], step: u32, target: u32) -> bool {
        let mut seen = vec![false; self.steps.len()];
        let mut todo = vec![step];
        while let Some(next) = todo.pop() {
            if next == target {
                return true;
            }
            if !std::mem::replace(&mut seen[next as usize], true) {
                todo.extend(&after[next as usize]);
            }
        }
        false
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
