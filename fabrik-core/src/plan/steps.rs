//! From changes to steps: one per object, ordered, grouped into calls.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::index::Index;
use super::model::{Action, Plan, PlannedGroup};
use crate::address::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::expr::{self, Reference, Target};
use crate::graph::Graph;
use crate::provider::{Object, OpId, WriteGroup};
use crate::session::Session;
use crate::state::{Row, RowStatus, Snapshot, StepRef};
use crate::value::share::Quick;
use crate::value::{Segment, Value};

/// What a step does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepKind {
    /// Makes an object (also the new half of a replacement).
    Create,
    /// Changes, adopts or imports an object.
    Update,
    /// Deletes an object (also the old half of a replacement).
    Delete,
    /// Removes a row whose object goes with its container.
    Vanish,
    /// Runs an action.
    Run,
    /// Evaluates a lookup.
    Read,
}

/// When a step may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Before verification; undone when the run fails.
    First,
    /// After verification; never undone.
    Second,
}

/// One step: executed and journalled, one per object.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) id: StepRef,
    /// Index of the change it belongs to.
    pub(crate) change: usize,
    pub(crate) address: Address,
    pub(crate) type_name: Arc<str>,
    pub(crate) instance: Arc<str>,
    pub(crate) kind: StepKind,
    pub(crate) stage: Stage,
    /// The object it is done to.
    pub(crate) oid: Option<OpId>,
    /// The other half of a replacement.
    pub(crate) twin: Option<StepRef>,
    /// Steps with the same bundle go in one call, when all are ready.
    pub(crate) bundle: Option<u32>,
    /// The step it undoes.
    pub(crate) undoes: Option<StepRef>,
}

/// Steps in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    pub(crate) steps: Vec<Step>,
    /// Contracted for whole groups: a step's dependencies.
    pub(crate) graph: Graph,
    /// Members of each bundle.
    pub(crate) bundles: Vec<Vec<StepRef>>,
    /// Whether a bundle's members may refer to each other.
    pub(crate) linked: Vec<bool>,
}

struct Builder<'a> {
    plan: &'a mut Plan,
    index: &'a Index<'a>,
    /// The number of each change's resource, where it is declared.
    numbers: Vec<Option<u32>>,
    rows: HashMap<OpId, &'a Row>,
    session: &'a Session,
    steps: Vec<Step>,
    after: Vec<Vec<u32>>,
    /// First-stage step that makes or changes a resource's object, by the resource's number.
    main: Vec<Option<u32>>,
    /// Addresses whose objects go.
    going: HashSet<Address, Quick>,
    /// Step that deletes an object.
    deletes: HashMap<OpId, u32>,
    groups: Vec<Option<WriteGroup>>,
    /// Objects that this plan leaves as they are.
    settled: HashMap<&'a Address, &'a Object, Quick>,
}

/// How many references may lead on to others before a group is not looked for any further.
const REACH: u8 = 8;

/// Makes the steps of a plan, and fills in the plan's groups and marks.
///
/// # Errors
/// [`ErrorKind::Unexpected`] when the changes contradict each other so that no order exists.
pub(crate) fn build(
    plan: &mut Plan,
    snapshot: &Snapshot,
    session: &Session,
    index: &Index<'_>,
) -> Result<Steps> {
    let changes = &plan.changes;
    let mut rows = HashMap::new();
    let mut settled = HashMap::default();
    if !changes.is_empty() {
        rows.extend(snapshot.rows.iter().map(|row| (row.oid, row)));
    }
    if !changes.is_empty() && !snapshot.rows.is_empty() {
        let changing: HashSet<&Address, Quick> =
            changes.iter().map(|change| &change.address).collect();
        let stays =
            |row: &&Row| row.status == RowStatus::Current && !changing.contains(&row.address);
        let stay = snapshot.rows.iter().filter(stays);
        settled.extend(stay.map(|row| (&row.address, &row.object)));
    }
    let goes = |action: &Action| matches!(action, Action::Delete | Action::Replace { .. });
    let going = changes
        .iter()
        .filter(|change| goes(&change.action))
        .map(|change| change.address.clone())
        .collect();
    let numbers = changes
        .iter()
        .map(|change| index.number(&change.address))
        .collect();
    let many = changes.len();
    let mut builder = Builder {
        plan,
        index,
        numbers,
        rows,
        session,
        steps: Vec::with_capacity(many),
        after: Vec::with_capacity(many),
        main: vec![None; index.declared.len()],
        going,
        deletes: HashMap::new(),
        groups: Vec::with_capacity(many),
        settled,
    };
    builder.make();
    builder.order_creates();
    builder.order_deletes(snapshot);
    builder.assign_groups();
    builder.pull_forward(snapshot);
    builder.finish()
}

impl Builder<'_> {
    fn push(&mut self, change: usize, kind: StepKind, stage: Stage, oid: Option<OpId>) -> u32 {
        let id = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let planned = &self.plan.changes[change];
        // The old half of a replacement is on the provider the row names.
        let row = oid
            .and_then(|oid| self.rows.get(&oid))
            .filter(|_| matches!(kind, StepKind::Delete | StepKind::Vanish));
        self.steps.push(Step {
            id: StepRef(id),
            change,
            address: planned.address.clone(),
            type_name: row.map_or_else(|| planned.type_name.clone(), |row| row.type_name.clone()),
            instance: row.map_or_else(|| planned.instance.clone(), |row| row.instance.clone()),
            kind,
            stage,
            oid,
            twin: None,
            bundle: None,
            undoes: None,
        });
        self.after.push(Vec::new());
        self.groups.push(None);
        id
    }

    fn make(&mut self) {
        for change in 0..self.plan.changes.len() {
            let planned = &self.plan.changes[change];
            let oid = planned.oid;
            match planned.action {
                Action::Create => {
                    let step = self.push(change, StepKind::Create, Stage::First, oid);
                    self.is_main(change, step);
                }
                Action::Update | Action::Adopt | Action::Import => {
                    let step = self.push(change, StepKind::Update, Stage::First, oid);
                    self.is_main(change, step);
                }
                Action::Run => {
                    let step = self.push(change, StepKind::Run, Stage::First, oid);
                    self.is_main(change, step);
                }
                Action::Read => {
                    let step = self.push(change, StepKind::Read, Stage::First, None);
                    self.is_main(change, step);
                }
                Action::Replace { create_first } => {
                    let stage = if create_first {
                        Stage::Second
                    } else {
                        Stage::First
                    };
                    let old = self.push(change, self.delete_kind(oid), stage, oid);
                    let new = self.push(change, StepKind::Create, Stage::First, None);
                    self.steps[old as usize].twin = Some(StepRef(new));
                    self.steps[new as usize].twin = Some(StepRef(old));
                    if create_first {
                        self.after[old as usize].push(new);
                    } else {
                        self.plan.changes[change].pulled_forward = true;
                        self.after[new as usize].push(old);
                    }
                    self.is_main(change, new);
                    if let Some(oid) = oid {
                        self.deletes.insert(oid, old);
                    }
                }
                Action::Delete => {
                    let step = self.push(change, self.delete_kind(oid), Stage::Second, oid);
                    if let Some(oid) = oid {
                        self.deletes.insert(oid, step);
                    }
                }
                Action::Move { .. } | Action::Forget | Action::Accept => {}
            }
        }
    }

    fn is_main(&mut self, change: usize, step: u32) {
        if let Some(number) = self.numbers[change] {
            self.main[number as usize] = Some(step);
        }
    }

    /// An object that goes with its container is not deleted singly, when the container is deleted
    /// in this plan too.
    fn delete_kind(&self, oid: Option<OpId>) -> StepKind {
        let container = oid.and_then(|oid| self.rows.get(&oid)).and_then(|row| {
            self.session
                .keys(&row.instance, &row.type_name, &row.object.inputs)
                .deleted_with
        });
        if container.is_some_and(|container| self.going.contains(&container)) {
            StepKind::Vanish
        } else {
            StepKind::Delete
        }
    }

    /// What makes or changes an object comes after what it depends on.
    fn order_creates(&mut self) {
        for change in 0..self.plan.changes.len() {
            let planned = &self.plan.changes[change];
            let Some(number) = self.numbers[change] else {
                continue;
            };
            let Some(step) = self.main[number as usize] else {
                continue;
            };
            let uncertain_old = (!planned.may_become.is_empty())
                .then(|| self.steps[step as usize].twin)
                .flatten()
                .filter(|twin| self.steps[twin.0 as usize].stage == Stage::First);
            let dependencies = self.index.graph.dependencies(number);
            self.after[step as usize].reserve(dependencies.len());
            for dependency in dependencies {
                if let Some(before) = self.main[*dependency as usize] {
                    self.after[step as usize].push(before);
                    // Whether the old half goes at all is known only with these values.
                    if let Some(old) = uncertain_old {
                        self.after[old.0 as usize].push(before);
                    }
                }
            }
        }
    }

    /// An object is deleted after whatever refers to it is deleted or refers elsewhere.
    fn order_deletes(&mut self, snapshot: &Snapshot) {
        if self.deletes.is_empty() {
            return;
        }
        let mut by_address: HashMap<&Address, Vec<u32>> = HashMap::new();
        for (oid, step) in &self.deletes {
            if let Some(row) = self.rows.get(oid) {
                by_address.entry(&row.address).or_default().push(*step);
            }
        }
        let mut edges = Vec::new();
        for row in &snapshot.rows {
            for dependency in &row.deps {
                for delete in by_address.get(dependency).into_iter().flatten() {
                    let target = self.steps[*delete as usize]
                        .oid
                        .and_then(|oid| self.rows.get(&oid));
                    if target.is_some_and(|target| target.oid == row.oid) {
                        continue;
                    }
                    if let Some(own) = self.deletes.get(&row.oid) {
                        let target = &self.steps[*delete as usize];
                        // A name must be free before its new object is made; what refers to the old
                        // one is replaced only after that, so it cannot go first.
                        let name_first = target.stage == Stage::First
                            && target.twin.is_some()
                            && self.steps[*own as usize].stage == Stage::Second
                            && self.steps[*own as usize].twin.is_some();
                        if target.kind == StepKind::Vanish || name_first {
                            continue;
                        }
                        edges.push((*delete, *own));
                    } else if row.status == RowStatus::Current
                        && let Some(number) = self.index.number(&row.address)
                        && let Some(main) = self.main[number as usize]
                        && self.steps[*delete as usize].stage == Stage::Second
                    {
                        edges.push((*delete, main));
                    }
                }
            }
        }
        // What goes with a container goes after it.
        for (oid, step) in &self.deletes {
            if self.steps[*step as usize].kind == StepKind::Vanish
                && let Some(row) = self.rows.get(oid)
                && let Some(container) = self
                    .session
                    .keys(&row.instance, &row.type_name, &row.object.inputs)
                    .deleted_with
            {
                for delete in by_address.get(&container).into_iter().flatten() {
                    edges.push((*step, *delete));
                }
            }
        }
        // The object vanishes with its container, so the container does not wait for it.
        edges.retain(|(later, earlier)| {
            !(self.steps[*earlier as usize].kind == StepKind::Vanish
                && self.steps[*later as usize].kind == StepKind::Delete)
        });
        for (later, earlier) in edges {
            self.after[later as usize].push(earlier);
        }
    }

    /// Declared inputs with what is known already of the references in them, so that what refers to
    /// its zone or its project is grouped by it.
    fn wanted(&self, change: usize) -> Option<Value> {
        let declared = self.index.declared[self.numbers[change]? as usize];
        if !declared.inputs.has_unknown() {
            return Some(declared.inputs.clone());
        }
        let resolved = expr::resolve(&declared.inputs, &|reference: &Reference| {
            Ok(self.known(reference, REACH))
        });
        Some(resolved.unwrap_or_else(|_| declared.inputs.clone()))
    }

    /// What a reference will find, where that is certain before the run: an input that is declared,
    /// or an output of what stays as it is.
    fn known(&self, reference: &Reference, reach: u8) -> Option<Value> {
        let Target::Resource(address) = &reference.target else {
            return None;
        };
        let declared = self.index.get(address);
        if let Some(input) = declared.and_then(|declared| declared.inputs.at(&reference.path)) {
            if !input.has_unknown() {
                return Some(input);
            }
            let below = reach.checked_sub(1)?;
            let scope = |reference: &Reference| Ok(self.known(reference, below));
            let input = expr::resolve(&input, &scope).ok()?;
            return (!input.has_unknown()).then_some(input);
        }
        let object = self.settled.get(address)?;
        if let [Segment::Key(key)] = reference.path.segments()
            && &**key == "id"
        {
            return Some(Value::from(object.id.as_str()));
        }
        object.outputs.at(&reference.path)
    }

    /// Asks the provider how each step goes together with others; deletes of a whole group join the
    /// group's one call before verification.
    fn assign_groups(&mut self) {
        for at in 0..self.steps.len() {
            let step = &self.steps[at];
            if matches!(step.kind, StepKind::Read | StepKind::Vanish) {
                continue;
            }
            let inputs = match step.kind {
                StepKind::Delete => step
                    .oid
                    .and_then(|oid| self.rows.get(&oid))
                    .map(|row| row.object.inputs.clone()),
                _ => self.wanted(step.change),
            };
            let inputs = inputs.unwrap_or(Value::Null);
            let group = self
                .session
                .keys(&step.instance, &step.type_name, &inputs)
                .write_group;
            if group.as_ref().is_some_and(|group| group.whole) && step.stage == Stage::Second {
                self.steps[at].stage = Stage::First;
                let change = self.steps[at].change;
                self.plan.changes[change].pulled_forward = true;
            }
            self.groups[at] = group;
        }
    }

    /// A first-stage step cannot wait for a second-stage one: that one is pulled forward. So is the
    /// delete of an object whose exclusive name a new object needs.
    fn pull_forward(&mut self, snapshot: &Snapshot) {
        let mut locks: HashMap<(Arc<str>, Arc<str>), u32> = HashMap::new();
        for row in &snapshot.rows {
            let Some(delete) = self.deletes.get(&row.oid).copied() else {
                continue;
            };
            let exclusive = self
                .session
                .type_info(&row.type_name)
                .is_ok_and(|info| info.exclusive);
            if exclusive {
                for lock in self
                    .session
                    .keys(&row.instance, &row.type_name, &row.object.inputs)
                    .locks
                {
                    locks.insert((row.instance.clone(), lock), delete);
                }
            }
        }
        for at in 0..self.steps.len() {
            if locks.is_empty() {
                break;
            }
            let step = &self.steps[at];
            if step.kind != StepKind::Create {
                continue;
            }
            let Some(wanted) = self.wanted(step.change) else {
                continue;
            };
            for lock in self
                .session
                .keys(&step.instance, &step.type_name, &wanted)
                .locks
            {
                if let Some(delete) = locks.get(&(step.instance.clone(), lock)).copied()
                    && self.steps[delete as usize].twin != Some(step.id)
                {
                    self.after[at].push(delete);
                }
            }
        }
        let mut todo: Vec<u32> = Vec::new();
        for (at, list) in self.after.iter().enumerate() {
            if self.steps[at].stage == Stage::First {
                todo.extend(list);
            }
        }
        while let Some(step) = todo.pop() {
            let step = step as usize;
            if self.steps[step].stage == Stage::Second {
                self.steps[step].stage = Stage::First;
                let change = self.steps[step].change;
                self.plan.changes[change].pulled_forward = true;
                todo.extend(self.after[step].iter().copied());
            }
        }
    }

    fn finish(self) -> Result<Steps> {
        let (steps, groups) = contract(self.steps, self.after, &self.groups)?;
        for step in &steps.steps {
            let mut list: Vec<u32> = steps
                .graph
                .dependencies(step.id.0)
                .iter()
                .filter_map(|before| u32::try_from(steps.steps[*before as usize].change).ok())
                .filter(|change| *change as usize != step.change)
                .collect();
            let change = &mut self.plan.changes[step.change];
            change.after.append(&mut list);
            change.after.sort_unstable();
            change.after.dedup();
            if let Some(group) = self.groups[step.id.0 as usize]
                .as_ref()
                .filter(|group| group.whole)
            {
                change.group = groups.iter().position(|planned| {
                    planned.key == group.key && planned.instance == step.instance
                });
            }
        }
        self.plan.groups = groups;
        Ok(steps)
    }
}

/// Orders steps and forms the calls of whole groups.
///
/// # Errors
/// [`ErrorKind::Invalid`] when the steps wait for each other.
pub(crate) fn contract(
    mut steps: Vec<Step>,
    mut after: Vec<Vec<u32>>,
    groups: &[Option<WriteGroup>],
) -> Result<(Steps, Vec<PlannedGroup>)> {
    let graph = Graph::new(after.iter().map(|list| list.iter().copied()));
    let order = graph.order().map_err(|cycle| {
        let names: Vec<String> = cycle
            .iter()
            .map(|at| {
                let step = &steps[*at as usize];
                format!("{:?} {}", step.kind, step.address).to_lowercase()
            })
            .collect();
        Error::new(
            ErrorKind::Invalid,
            format!("these changes wait for each other: {}", names.join(" → ")),
        )
        .hint("apply them in two runs with `--target`, or set `create_before_delete`")
    })?;
    if groups.iter().flatten().all(|group| !group.whole) {
        return Ok((
            Steps {
                steps,
                graph,
                bundles: Vec::new(),
                linked: Vec::new(),
            },
            Vec::new(),
        ));
    }
    let (bundles, linked, planned) = bundle(&mut steps, &graph, &order, groups);
    // A bundle waits for what any member waits for: give every member the union.
    for members in &bundles {
        let positions: Vec<usize> = members.iter().map(|at| *at as usize).collect();
        let mut union: Vec<u32> = positions.iter().flat_map(|at| after[*at].clone()).collect();
        union.retain(|step| !members.contains(step));
        union.sort_unstable();
        union.dedup();
        for at in positions {
            after[at].clone_from(&union);
        }
    }
    let graph = Graph::new(after);
    graph
        .order()
        .map_err(|_| Error::new(ErrorKind::Unexpected, "write groups wait for each other"))?;
    let first = steps.first().map_or(0, |step| step.id.0);
    let bundles = bundles
        .into_iter()
        .map(|members| members.into_iter().map(|at| StepRef(first + at)).collect())
        .collect();
    Ok((
        Steps {
            steps,
            graph,
            bundles,
            linked,
        },
        planned,
    ))
}

type Bundles = (Vec<Vec<u32>>, Vec<bool>, Vec<PlannedGroup>);

/// Forms the calls of whole groups. A step's epoch is the highest of its dependencies, plus one over
/// an edge that leaves a whole group; members of one epoch go in one call, so the contracted graph
/// stays free of cycles. Linear in steps and edges.
fn bundle(
    steps: &mut [Step],
    graph: &Graph,
    order: &[u32],
    groups: &[Option<WriteGroup>],
) -> Bundles {
    let mut epochs = vec![0_u32; steps.len()];
    let mut bundles: Vec<Vec<u32>> = Vec::new();
    let mut linked = Vec::new();
    let mut by_key: HashMap<(Arc<str>, Arc<str>, u32), usize> = HashMap::new();
    let mut calls: HashMap<(Arc<str>, Arc<str>), PlannedGroup> = HashMap::new();
    for node in order {
        let at = *node as usize;
        let whole = |step: usize| groups[step].as_ref().filter(|group| group.whole);
        let mut epoch = 0;
        for before in graph.dependencies(*node) {
            let before = *before as usize;
            let leaves = match (whole(before), whole(at)) {
                (None, _) => false,
                (Some(from), Some(to)) => {
                    !(from.linked
                        && from.key == to.key
                        && steps[before].instance == steps[at].instance)
                }
                (Some(_), None) => true,
            };
            epoch = epoch.max(epochs[before] + u32::from(leaves));
        }
        epochs[at] = epoch;
        let Some(group) = whole(at).cloned() else {
            continue;
        };
        let instance = steps[at].instance.clone();
        let bundle = *by_key
            .entry((instance.clone(), group.key.clone(), epoch))
            .or_insert_with(|| {
                bundles.push(Vec::new());
                linked.push(group.linked);
                bundles.len() - 1
            });
        let planned = calls
            .entry((instance.clone(), group.key.clone()))
            .or_insert_with(|| PlannedGroup {
                key: group.key.clone(),
                instance,
                changes: 0,
                calls: 0,
            });
        planned.changes += 1;
        planned.calls += usize::from(bundles[bundle].is_empty());
        bundles[bundle].push(*node);
        steps[at].bundle = u32::try_from(bundle).ok();
    }
    let mut planned: Vec<PlannedGroup> = calls.into_values().collect();
    planned.sort_by(|a, b| (&a.instance, &a.key).cmp(&(&b.instance, &b.key)));
    (bundles, linked, planned)
}
