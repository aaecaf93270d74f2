//! The walk: one coordinator owns the picture; calls run beside it and report back.
//!
//! A step becomes ready when what it waits for is done; it is prepared (decided with known values),
//! its intent is committed together with whatever else is ready, its call is made, its outcome is
//! committed together with the intents it made possible. A chain therefore costs one commit a link.

mod calls;
mod ends;
mod says;

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::call::{Call, CallStep, End, Note};
use super::journal::{Journal, millis_between};
use super::prepare::{Preparation, Prepare, Prepared, Skipped};
use super::rollback::{Undoing, as_before};
use super::work::Work;
use crate::clock::BoxFuture;
use crate::engine::{ApplyOptions, Fault};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::event::{EventBody, SafeText};
use crate::plan::planner::dependencies_with_instance;
use crate::plan::refresh::limit;
use crate::plan::steps::{Stage, Step, StepKind, Steps};
use crate::plan::{Action, Plan};
use crate::provider::{Checkpoints, Object, OpId, Progress, Stop, StopSignal, Verb};
use crate::session::{Known, KnownObject, Session};
use crate::state::{Change, EntryKind, Row, RowStatus, StepOutcome, StepRef};
use crate::value::Value;

/// What a stage came to.
#[derive(Default)]
pub(crate) struct StageResult {
    /// Steps that failed, with why; in the order they did.
    pub(crate) failed: Vec<(StepRef, Error)>,
    /// Undo steps that were left alone, with why.
    pub(crate) left: Vec<String>,
    /// How the run was asked to stop.
    pub(crate) stopped: Stop,
    /// Steps that were not begun.
    pub(crate) not_begun: usize,
    pub(crate) created: u32,
    pub(crate) updated: u32,
    pub(crate) deleted: u32,
}

impl StageResult {
    /// Whether the stage was stopped before its end: by force, or with steps left to begin.
    pub(crate) fn is_cut_short(&self) -> bool {
        match self.stopped {
            Stop::No => false,
            Stop::Now => true,
            Stop::Graceful => self.not_begun > 0,
        }
    }
}

/// Where a step is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Waiting,
    Busy,
    Done,
    /// Failed, or will never run.
    Over,
}

enum Message {
    Prepared(StepRef, Box<Result<Prepared>>),
    Called {
        call: u32,
        ends: Vec<(StepRef, End)>,
    },
    Checkpoint {
        op: OpId,
        object: Object,
        done: oneshot::Sender<Result<()>>,
    },
    Progress {
        op: Option<OpId>,
        progress: Progress,
    },
    Note(Note),
}

/// A call that is formed but not begun, or under way.
struct Pending {
    members: Vec<(StepRef, Prepare)>,
    locks: Vec<(Arc<str>, Arc<str>)>,
    instance: Arc<str>,
}

/// Walks the steps of one stage.
pub(crate) struct Executor<'a> {
    pub(crate) session: &'a mut Session,
    pub(crate) journal: &'a mut Journal,
    pub(crate) known: &'a mut Known,
    pub(crate) plan: &'a Plan,
    pub(crate) steps: &'a Steps,
    /// How each step undoes, when this is a rollback.
    pub(crate) undo: Option<&'a [Undoing]>,
    pub(crate) stop: StopSignal,
    pub(crate) options: &'a ApplyOptions,
    /// Undo faults still to be injected.
    pub(crate) undo_faults: &'a mut Vec<Fault>,
    at: Vec<At>,
    missing: Vec<u32>,
    dependents: crate::graph::Graph,
    heights: Vec<u32>,
    first: u32,
    ready: BTreeMap<Arc<str>, BinaryHeap<(u32, std::cmp::Reverse<u32>)>>,
    in_flight: HashMap<Arc<str>, usize>,
    /// Steps that count in `in_flight`. A member of a bundle does not while it waits for the others.
    slots: HashSet<StepRef>,
    /// Prepared members of bundles that wait for the others.
    gathering: HashMap<u32, Vec<(StepRef, Prepare)>>,
    /// Members of a bundle not prepared yet.
    bundle_open: Vec<usize>,
    /// Prepared steps of groups that go together as they come.
    prepared: Vec<(StepRef, Prepare)>,
    /// Steps that are being prepared beside the walk, by instance: prepared steps of groups wait for
    /// them, so that what became ready together goes together.
    preparing: HashMap<Arc<str>, usize>,
    blocked: Vec<Pending>,
    held: HashSet<(Arc<str>, Arc<str>)>,
    calls: HashMap<u32, Pending>,
    ops: HashMap<OpId, StepRef>,
    begun: HashMap<StepRef, jiff::Timestamp>,
    next_call: u32,
    cancelled: HashSet<StepRef>,
    checkpoints: Vec<oneshot::Sender<Result<()>>>,
    result: StageResult,
    sender: mpsc::UnboundedSender<Message>,
    receiver: mpsc::UnboundedReceiver<Message>,
    tasks: JoinSet<()>,
    launch: Vec<u32>,
}

/// Passes checkpoints and progress of a call to the coordinator.
struct Link(mpsc::UnboundedSender<Message>);

impl Checkpoints for Link {
    fn save(&self, op: OpId, object: Object) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let (done, wait) = oneshot::channel();
            let gone = || Error::new(ErrorKind::Cancelled, "the run has ended");
            self.0
                .send(Message::Checkpoint { op, object, done })
                .map_err(|_| gone())?;
            wait.await.map_err(|_| gone())?
        })
    }

    fn progress(&self, op: Option<OpId>, progress: Progress) {
        _ = self.0.send(Message::Progress { op, progress });
    }
}

impl<'a> Executor<'a> {
    /// `undo` says how each step undoes, when this is a rollback.
    pub(crate) fn new(
        work: Work<'a>,
        steps: &'a Steps,
        undo: Option<&'a [Undoing]>,
    ) -> Executor<'a> {
        let Work {
            session,
            journal,
            known,
            plan,
            options,
            stop,
            undo_faults,
        } = work;
        let order = steps.graph.order().unwrap_or_default();
        let heights = steps.graph.heights(&order);
        let dependents = steps.graph.reversed();
        let (sender, receiver) = mpsc::unbounded_channel();
        let n = steps.steps.len();
        Executor {
            session,
            journal,
            known,
            plan,
            steps,
            undo,
            stop,
            options,
            undo_faults,
            at: vec![At::Waiting; n],
            missing: vec![0; n],
            dependents,
            heights,
            first: steps.steps.first().map_or(0, |step| step.id.0),
            ready: BTreeMap::new(),
            in_flight: HashMap::new(),
            slots: HashSet::new(),
            gathering: HashMap::new(),
            bundle_open: steps.bundles.iter().map(Vec::len).collect(),
            prepared: Vec::new(),
            preparing: HashMap::new(),
            blocked: Vec::new(),
            held: HashSet::new(),
            calls: HashMap::new(),
            ops: HashMap::new(),
            begun: HashMap::new(),
            next_call: 0,
            cancelled: HashSet::new(),
            checkpoints: Vec::new(),
            result: StageResult::default(),
            sender,
            receiver,
            tasks: JoinSet::new(),
            launch: Vec::new(),
        }
    }

    fn index(&self, step: StepRef) -> usize {
        (step.0 - self.first) as usize
    }

    fn step(&self, step: StepRef) -> &'a Step {
        &self.steps.steps[self.index(step)]
    }

    /// Runs the steps of a stage; those of an earlier stage count as done.
    ///
    /// # Errors
    /// Only when state cannot be written: then nothing new was started, and what is in flight is
    /// recorded as begun.
    pub(crate) async fn run(&mut self, stage: Stage) -> Result<StageResult> {
        let members: Vec<usize> = (0..self.steps.steps.len())
            .filter(|at| self.steps.steps[*at].stage == stage)
            .collect();
        for at in &members {
            let node = u32::try_from(*at).unwrap_or(u32::MAX);
            let waits = self.steps.graph.dependencies(node).iter();
            let waits = waits.filter(|before| self.steps.steps[**before as usize].stage == stage);
            self.missing[*at] = u32::try_from(waits.count()).unwrap_or(u32::MAX);
            self.at[*at] = At::Waiting;
        }
        for at in &members {
            if self.missing[*at] == 0 {
                self.enqueue(*at);
            }
        }
        self.work().await?;
        let waiting = members.iter().filter(|at| self.at[**at] == At::Waiting);
        self.result.not_begun = waiting.count();
        let result = std::mem::take(&mut self.result);
        let ended = |at: &usize| matches!(self.at[*at], At::Done | At::Over);
        if result.failed.is_empty() && result.stopped == Stop::No && !members.iter().all(ended) {
            return Err(Error::new(
                ErrorKind::Unexpected,
                "the run ended although steps were left",
            ));
        }
        Ok(result)
    }

    fn enqueue(&mut self, at: usize) {
        let step = &self.steps.steps[at];
        let entry = (
            self.heights[at],
            std::cmp::Reverse(u32::try_from(at).unwrap_or(u32::MAX)),
        );
        self.ready
            .entry(step.instance.clone())
            .or_default()
            .push(entry);
    }

    /// Whether new steps may begin. Undoing goes on although something failed: each undo counts.
    fn may_start(&self) -> bool {
        (self.undo.is_some() || self.result.failed.is_empty()) && self.stop.state() == Stop::No
    }

    async fn work(&mut self) -> Result<()> {
        loop {
            while let Ok(message) = self.receiver.try_recv() {
                self.handle(message);
            }
            if self.may_start() {
                self.start_ready().await?;
            }
            self.form_calls();
            if self.journal.is_dirty() {
                let committed = self.journal.commit().await;
                for waiting in std::mem::take(&mut self.checkpoints) {
                    _ = waiting.send(committed.clone());
                }
                if let Err(error) = committed {
                    // Nothing more is begun; what is in flight has its intent on record.
                    self.tasks.abort_all();
                    return Err(error);
                }
            }
            for call in std::mem::take(&mut self.launch) {
                self.begin(call);
            }
            if self.is_idle() {
                return Ok(());
            }
            let mut stop = self.stop.clone();
            tokio::select! {
                biased;
                message = self.receiver.recv() => {
                    if let Some(message) = message {
                        self.handle(message);
                    }
                }
                () = stop.reached(Stop::Now) => {
                    self.result.stopped = Stop::Now;
                    self.tasks.abort_all();
                    return Ok(());
                }
            }
        }
    }

    fn is_idle(&mut self) -> bool {
        if self.stop.state() > self.result.stopped {
            self.result.stopped = self.stop.state();
        }
        let busy = self.in_flight.values().any(|count| *count > 0);
        !busy
            && self.calls.is_empty()
            && self.receiver.is_empty()
            && self.prepared.is_empty()
            && (!self.may_start()
                || (self.ready.values().all(BinaryHeap::is_empty) && self.blocked.is_empty()))
    }

    async fn start_ready(&mut self) -> Result<()> {
        loop {
            let mut started = false;
            let names: Vec<Arc<str>> = self.ready.keys().cloned().collect();
            for name in names {
                if !self.session.opened.contains_key(&name) {
                    if let Err(error) = self.session.open([name.clone()], self.known).await {
                        self.fail_all(&name, &error);
                        continue;
                    }
                    if !self.session.opened.contains_key(&name) && self.has_ready(&name) {
                        let waits = self.session.instance(&name).err();
                        if let Some(error) = waits {
                            self.fail_all(&name, &error);
                        }
                        continue;
                    }
                }
                let Some(opened) = self.session.opened.get(&name) else {
                    continue;
                };
                let cap = limit(self.session, opened.provider.info().max_in_flight);
                while self.in_flight.get(&name).copied().unwrap_or(0) < cap && self.may_start() {
                    let Some((_, std::cmp::Reverse(node))) =
                        self.ready.get_mut(&name).and_then(BinaryHeap::pop)
                    else {
                        break;
                    };
                    started = true;
                    self.start(node as usize);
                }
            }
            // Steps that needed no call may have made others ready.
            if !started {
                return Ok(());
            }
        }
    }

    fn has_ready(&self, name: &str) -> bool {
        self.ready.get(name).is_some_and(|heap| !heap.is_empty())
    }

    fn fail_all(&mut self, name: &str, error: &Error) {
        while let Some((_, std::cmp::Reverse(node))) =
            self.ready.get_mut(name).and_then(BinaryHeap::pop)
        {
            let step = self.steps.steps[node as usize].id;
            self.failed(step, error.clone().effect(Effect::None));
        }
    }

    /// Begins a step: prepares it at once when that needs no waiting, else beside the walk.
    fn start(&mut self, at: usize) {
        let step = self.steps.steps[at].clone();
        self.at[at] = At::Busy;
        if self.cancelled.contains(&step.id) {
            self.occupy(step.id);
            self.skipped(step.id, Skipped::nothing());
            return;
        }
        self.occupy(step.id);
        let preparation = match self.preparation(&step) {
            Ok(preparation) => preparation,
            Err(error) => {
                self.settle(step.id, Err(error));
                return;
            }
        };
        let mut future: BoxFuture<'static, (StepRef, Result<Prepared>)> =
            Box::pin(preparation.run());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready((step, prepared)) = future.as_mut().poll(&mut cx) {
            self.settle(step, prepared);
        } else {
            let sender = self.sender.clone();
            let id = step.id;
            *self.preparing.entry(step.instance.clone()).or_default() += 1;
            self.tasks.spawn(async move {
                let (step, prepared) = match crate::session::catch(future).await {
                    Some(answer) => answer,
                    None => (id, Err(crate::session::panicked().effect(Effect::None))),
                };
                _ = sender.send(Message::Prepared(step, Box::new(prepared)));
            });
        }
    }

    fn preparation(&mut self, step: &Step) -> Result<Preparation> {
        let opened = self.session.instance(&step.instance)?.clone();
        let info = self.session.type_info(&step.type_name)?.clone();
        let change = self.plan.changes.get(step.change).cloned();
        let undo = self.undo.map(|bodies| bodies[self.index(step.id)].clone());
        let declared = self.plan.stack.resources.get(&step.address).cloned();
        let inputs = match (&undo, &declared) {
            (
                Some(
                    Undoing::Restore { before, .. }
                    | Undoing::Recreate { before, .. }
                    | Undoing::Refer { before },
                ),
                _,
            ) => info.fields.computed_from(
                &as_before(before.declared(), Some(&before.object.inputs), self.known)?,
                &before.object.inputs,
            ),
            (Some(_), _) => Value::Null,
            (None, Some(declared)) if step.kind != StepKind::Delete => {
                self.known.resolve(&declared.inputs)?
            }
            _ => Value::Null,
        };
        let inputs = info.fields.mark(&inputs);
        self.session.engine.redactor.learn(&inputs);
        let row = match step.kind {
            StepKind::Delete | StepKind::Vanish => {
                step.oid.and_then(|oid| self.journal.rows.get(&oid))
            }
            _ if undo.is_some() => step.oid.and_then(|oid| self.journal.rows.get(&oid)),
            _ => self
                .journal
                .current(&step.address)
                .or_else(|| step.oid.and_then(|oid| self.journal.rows.get(&oid))),
        };
        let deps = declared
            .as_ref()
            .map(|declared| dependencies_with_instance(declared, &self.plan.stack))
            .unwrap_or_default();
        let age = millis_between(self.plan.made, self.session.engine.clock.now());
        Ok(Preparation {
            row: row.cloned(),
            change,
            declared,
            inputs,
            deps,
            info,
            instance: opened.instance,
            cx: self.session.cx.clone(),
            fresh: OpId(self.session.engine.entropy.id()?),
            look_again: age > 60_000,
            linked: step
                .bundle
                .is_some_and(|bundle| self.steps.linked[bundle as usize]),
            undo,
            step: step.clone(),
        })
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Prepared(step, prepared) => {
                if let Some(count) = self.preparing.get_mut(&self.step(step).instance) {
                    *count = count.saturating_sub(1);
                }
                self.settle(step, *prepared);
            }
            Message::Called { call, ends } => self.called(call, ends),
            Message::Checkpoint { op, object, done } => self.checkpoint(op, object, done),
            Message::Progress { op, progress } => self.progress(op, progress),
            Message::Note(note) => self.note(note),
        }
    }

    /// A step counts as in flight on its provider.
    fn occupy(&mut self, step: StepRef) {
        if self.slots.insert(step) {
            *self
                .in_flight
                .entry(self.step(step).instance.clone())
                .or_default() += 1;
        }
    }

    fn release(&mut self, step: StepRef) {
        if self.slots.remove(&step)
            && let Some(count) = self.in_flight.get_mut(&self.step(step).instance)
        {
            *count = count.saturating_sub(1);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn verb_of(kind: StepKind) -> Verb {
    match kind {
        StepKind::Create => Verb::Create,
        StepKind::Update => Verb::Update,
        StepKind::Delete | StepKind::Vanish => Verb::Delete,
        StepKind::Run | StepKind::Read => Verb::Run,
    }
}

/// State-only changes of a plan, done before anything else.
pub(crate) fn state_changes(plan: &Plan, journal: &mut Journal) {
    for change in &plan.changes {
        let Some(row) = change.oid.and_then(|oid| journal.rows.get(&oid)).cloned() else {
            continue;
        };
        let (what, changes) = match &change.action {
            Action::Move { from } => {
                let moved = Row {
                    address: change.address.clone(),
                    ..row.clone()
                };
                (
                    format!("moved from {from}"),
                    vec![Change::Put(Box::new(moved))],
                )
            }
            Action::Forget => ("forgotten".to_owned(), vec![Change::Remove(row.oid)]),
            Action::Accept => {
                let Some(observed) = &change.observed else {
                    continue;
                };
                let mut accepted = row.clone();
                accepted.object.outputs = observed.outputs.clone();
                for diff in &change.diff {
                    accepted.object.inputs = if diff.after.is_null() {
                        accepted.object.inputs.without(&diff.path)
                    } else {
                        accepted.object.inputs.with(&diff.path, diff.after.clone())
                    };
                }
                (
                    "taken into state as it is".to_owned(),
                    vec![Change::Put(Box::new(accepted))],
                )
            }
            _ if row.address != change.address => {
                // Renamed and changed: the rename comes first.
                let moved = Row {
                    address: change.address.clone(),
                    ..row.clone()
                };
                (
                    format!("moved from {}", row.address),
                    vec![Change::Put(Box::new(moved))],
                )
            }
            _ => continue,
        };
        let event = EventBody::StateChanged {
            address: change.address.clone(),
            what: SafeText::clean(&crate::secrets::Redactor::default(), &what),
        };
        let address = change.address.clone();
        journal.push(
            EntryKind::State {
                address,
                what,
                before: Some(Box::new(row)),
            },
            changes,
            Some(event),
        );
    }
}
