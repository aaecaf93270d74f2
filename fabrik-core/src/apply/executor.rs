//! The walk: one coordinator owns the picture; calls run beside it and report back.
//!
//! A step becomes ready when what it waits for is done; it is prepared (decided with known values),
//! its intent is committed together with whatever else is ready, its call is made, its outcome is
//! committed together with the intents it made possible. A chain therefore costs one commit a link.

use std::collections::{BTreeMap, BinaryHeap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::call::{Call, CallStep, End, Note};
use super::journal::{Journal, millis_between};
use super::prepare::{Preparation, Prepare, Prepared, Skipped};
use super::rollback::Undoing;
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
    pub(crate) created: u32,
    pub(crate) updated: u32,
    pub(crate) deleted: u32,
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
    Prepared(StepRef, Result<Prepared>),
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
    /// Prepared members of bundles that wait for the others.
    gathering: HashMap<u32, Vec<(StepRef, Prepare)>>,
    /// Members of a bundle not prepared yet.
    bundle_open: Vec<usize>,
    /// Prepared steps of groups that go together as they come.
    prepared: Vec<(StepRef, Prepare)>,
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
    #[expect(clippy::too_many_arguments, reason = "what a stage works with")]
    pub(crate) fn new(
        session: &'a mut Session,
        journal: &'a mut Journal,
        known: &'a mut Known,
        plan: &'a Plan,
        steps: &'a Steps,
        undo: Option<&'a [Undoing]>,
        stop: StopSignal,
        options: &'a ApplyOptions,
        undo_faults: &'a mut Vec<Fault>,
    ) -> Executor<'a> {
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
            gathering: HashMap::new(),
            bundle_open: steps.bundles.iter().map(Vec::len).collect(),
            prepared: Vec::new(),
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
        Ok(std::mem::take(&mut self.result))
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
            *self.in_flight.entry(step.instance.clone()).or_default() += 1;
            self.skipped(step.id, Skipped::nothing());
            return;
        }
        *self.in_flight.entry(step.instance.clone()).or_default() += 1;
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
            self.tasks.spawn(async move {
                let (step, prepared) = match crate::session::catch(future).await {
                    Some(answer) => answer,
                    None => (id, Err(crate::session::panicked().effect(Effect::None))),
                };
                _ = sender.send(Message::Prepared(step, prepared));
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
            ) => self.known.resolve(before.declared())?,
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
            Message::Prepared(step, prepared) => self.settle(step, prepared),
            Message::Called { call, ends } => self.called(call, ends),
            Message::Checkpoint { op, object, done } => self.checkpoint(op, object, done),
            Message::Progress { op, progress } => self.progress(op, progress),
            Message::Note(note) => self.note(note),
        }
    }

    /// A step is prepared.
    fn settle(&mut self, step: StepRef, prepared: Result<Prepared>) {
        match prepared {
            Ok(Prepared::Skip(skip)) => {
                self.leave_bundle(step, None);
                self.skipped(step, skip);
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
    fn injected(&mut self, step: StepRef) -> Option<Error> {
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

    /// A member of a bundle is prepared, or drops out. The last one releases the call.
    fn leave_bundle(&mut self, step: StepRef, prepare: Option<Prepare>) {
        let Some(bundle) = self.step(step).bundle else {
            return;
        };
        let gathered = self.gathering.entry(bundle).or_default();
        gathered.extend(prepare.map(|prepare| (step, prepare)));
        let open = &mut self.bundle_open[bundle as usize];
        *open = open.saturating_sub(1);
    }

    fn release(&mut self, step: StepRef) {
        let instance = self.step(step).instance.clone();
        if let Some(count) = self.in_flight.get_mut(&instance) {
            *count = count.saturating_sub(1);
        }
    }

    fn skipped(&mut self, step: StepRef, skip: Skipped) {
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
                .insert(work.address.clone(), KnownObject::Settled(object));
        }
        self.at_end(step, At::Done);
    }

    /// Turns prepared steps into calls whose intents go into the next commit.
    fn form_calls(&mut self) {
        let complete: Vec<u32> = self
            .gathering
            .keys()
            .copied()
            .filter(|bundle| self.bundle_open[*bundle as usize] == 0)
            .collect();
        for bundle in complete {
            let mut members = self.gathering.remove(&bundle).unwrap_or_default();
            let wanted = self.steps.bundles[bundle as usize].len();
            let failed = self.steps.bundles[bundle as usize]
                .iter()
                .any(|step| self.at[self.index(*step)] == At::Over);
            if failed || members.is_empty() {
                for (step, _) in members {
                    self.release(step);
                    self.at_end(step, At::Over);
                }
                continue;
            }
            // In the order of their references.
            let order = &self.steps.bundles[bundle as usize];
            members.sort_by_key(|(step, _)| {
                order
                    .iter()
                    .position(|member| member == step)
                    .unwrap_or(wanted)
            });
            self.form(members);
        }
        let mut groups: BTreeMap<(Arc<str>, Arc<str>), Vec<(StepRef, Prepare)>> = BTreeMap::new();
        for (step, prepare) in std::mem::take(&mut self.prepared) {
            match &prepare.keys.write_group {
                Some(group) if !group.whole => {
                    let key = (self.step(step).instance.clone(), group.key.clone());
                    groups.entry(key).or_default().push((step, prepare));
                }
                _ => self.form(vec![(step, prepare)]),
            }
        }
        for members in groups.into_values() {
            let max = members
                .first()
                .and_then(|(_, prepare)| prepare.keys.write_group.as_ref())
                .map_or(0, |group| group.max);
            let mut members = members.into_iter();
            loop {
                let size = if max == 0 { usize::MAX } else { max };
                let call: Vec<(StepRef, Prepare)> = members.by_ref().take(size).collect();
                if call.is_empty() {
                    break;
                }
                self.form(call);
            }
        }
        // Calls that waited for locks.
        for pending in std::mem::take(&mut self.blocked) {
            self.try_call(pending);
        }
    }

    fn form(&mut self, members: Vec<(StepRef, Prepare)>) {
        let Some((first, _)) = members.first() else {
            return;
        };
        let instance = self.step(*first).instance.clone();
        let mut locks: Vec<(Arc<str>, Arc<str>)> = members
            .iter()
            .flat_map(|(_, prepare)| &prepare.keys.locks)
            .map(|lock| (instance.clone(), lock.clone()))
            .collect();
        locks.sort();
        locks.dedup();
        self.try_call(Pending {
            members,
            locks,
            instance,
        });
    }

    /// Commits to a call when its locks are free: intents into the next commit.
    fn try_call(&mut self, mut pending: Pending) {
        if !self.may_start() {
            for (step, _) in pending.members {
                self.release(step);
                self.at_end(step, At::Over);
            }
            return;
        }
        if pending.locks.iter().any(|lock| self.held.contains(lock)) {
            self.blocked.push(pending);
            return;
        }
        self.held.extend(pending.locks.iter().cloned());
        let call = self.next_call;
        self.next_call += 1;
        let now = self.session.engine.clock.now();
        for (step, prepare) in &mut pending.members {
            let work = &self.steps.steps[(step.0 - self.first) as usize];
            let timeout = prepare
                .row
                .as_ref()
                .and_then(|row| row.options.timeout)
                .unwrap_or(prepare.info.timeout);
            prepare.intent.call = call;
            prepare.intent.deadline = now.checked_add(timeout).unwrap_or(now);
            self.ops.insert(prepare.operation.op, *step);
            self.begun.insert(*step, now);
            self.journal.push(
                EntryKind::Intent(Box::new(prepare.intent.clone())),
                Vec::new(),
                Some(EventBody::StepStarted {
                    step: *step,
                    address: work.address.clone(),
                    type_name: work.type_name.clone(),
                    verb: prepare.operation.verb,
                    undoes: work.undoes,
                }),
            );
        }
        self.calls.insert(call, pending);
        self.launch.push(call);
    }

    /// Makes a call whose intents are durable.
    fn begin(&mut self, call: u32) {
        let Some(pending) = self.calls.get(&call) else {
            return;
        };
        let Ok(opened) = self.session.instance(&pending.instance) else {
            return;
        };
        let deadline = pending
            .members
            .iter()
            .map(|(_, prepare)| prepare.intent.deadline)
            .max()
            .unwrap_or_default();
        let link: Arc<dyn Checkpoints> = Arc::new(Link(self.sender.clone()));
        let is_target = |wanted: &crate::address::Address| {
            pending
                .members
                .iter()
                .any(|(step, _)| self.step(*step).address == *wanted)
        };
        let faults = &self.options.faults.0;
        let notes = self.sender.clone();
        let running = Call {
            steps: pending
                .members
                .iter()
                .map(|(step, prepare)| CallStep {
                    step: *step,
                    operation: prepare.operation.clone(),
                    info: prepare.info.clone(),
                })
                .collect(),
            instance: opened.instance.clone(),
            cx: self
                .session
                .cx
                .clone()
                .with_deadline(deadline)
                .with_sink(link),
            clock: self.session.engine.clock.clone(),
            redactor: self.session.engine.redactor.clone(),
            deadline,
            notes: Box::new(move |note| _ = notes.send(Message::Note(note))),
            lose_reply: self.undo.is_none()
                && faults.iter().any(
                    |fault| matches!(fault, Fault::LoseReply { address } if is_target(address)),
                ),
            repeat: faults
                .iter()
                .any(|fault| matches!(fault, Fault::RepeatStep { address } if is_target(address))),
        };
        let delay = faults.iter().find_map(|fault| match fault {
            Fault::Delay { address, by } if is_target(address) => Some(*by),
            _ => None,
        });
        let (sender, clock) = (self.sender.clone(), self.session.engine.clock.clone());
        self.tasks.spawn(async move {
            if let Some(delay) = delay {
                clock.sleep(delay).await;
            }
            let ends = running.run().await;
            _ = sender.send(Message::Called { call, ends });
        });
    }

    fn called(&mut self, call: u32, ends: Vec<(StepRef, End)>) {
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

    fn ended(&mut self, step: StepRef, prepare: Prepare, end: End) {
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
    fn done(
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
                inputs: row.object.inputs.clone(),
                ..object
            };
            row.status = RowStatus::Current;
            let known = KnownObject::Settled(row.object.clone());
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

    fn title(&self, step: StepRef, verb: Verb) -> String {
        format!("{} {}", verb.word(), self.step(step).address)
    }

    fn failed(&mut self, step: StepRef, error: Error) {
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
    fn at_end(&mut self, step: StepRef, at: At) {
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

    fn checkpoint(&mut self, op: OpId, object: Object, done: oneshot::Sender<Result<()>>) {
        let Some(step) = self.ops.get(&op).copied() else {
            _ = done.send(Err(Error::new(
                ErrorKind::Unexpected,
                "a checkpoint of no operation",
            )));
            return;
        };
        let member = self
            .calls
            .values()
            .flat_map(|pending| &pending.members)
            .find(|(member, _)| *member == step)
            .map(|(_, prepare)| {
                (
                    prepare.row.clone(),
                    prepare.info.clone(),
                    prepare.operation.clone(),
                )
            });
        let Some((row, info, operation)) = member else {
            _ = done.send(Err(Error::new(
                ErrorKind::Unexpected,
                "a checkpoint of no call",
            )));
            return;
        };
        let mut object = self.session.mark(&info, object, &operation.inputs);
        if object.inputs.is_null() {
            object.inputs = operation.inputs.clone();
        }
        let mut changes = Vec::new();
        if operation.verb == Verb::Create
            && let Some(row) = row
        {
            let status = RowStatus::Incomplete;
            changes.push(Change::Put(Box::new(Row {
                status,
                object: object.clone(),
                ..row
            })));
        }
        self.journal.push(
            EntryKind::Checkpoint {
                step,
                op,
                object: Box::new(object),
            },
            changes,
            None,
        );
        self.checkpoints.push(done);
    }

    fn progress(&self, op: Option<OpId>, progress: Progress) {
        let step = op.and_then(|op| self.ops.get(&op)).copied();
        let events = &self.journal.events;
        let body = match (progress, step) {
            (
                Progress::Http {
                    method,
                    route,
                    status,
                    millis,
                    attempt,
                },
                step,
            ) => EventBody::Http {
                step,
                method: self.safe(&method),
                route: self.safe(&route),
                status,
                ms: millis,
                attempt,
            },
            (_, None) => return,
            (Progress::Note(text), Some(step)) => EventBody::StepProgress {
                step,
                address: self.step(step).address.clone(),
                note: self.safe(&text),
                percent: None,
            },
            (Progress::Percent(percent), Some(step)) => EventBody::StepProgress {
                step,
                address: self.step(step).address.clone(),
                note: "".into(),
                percent: Some(percent),
            },
            (Progress::Log(line), Some(step)) => EventBody::LogLine {
                step,
                address: self.step(step).address.clone(),
                line: self.safe(&line),
            },
        };
        events.emit(body);
    }

    fn note(&self, note: Note) {
        let body = match note {
            Note::Retry {
                step,
                why,
                after,
                attempt,
            } => EventBody::StepRetry {
                step,
                address: self.step(step).address.clone(),
                why: self.safe(&why),
                after_ms: millis(after),
                attempt,
            },
            Note::Waiting { step, why, at_most } => EventBody::Waiting {
                address: Some(self.step(step).address.clone()),
                why: self.safe(&why),
                ms: millis(at_most),
            },
        };
        self.journal.events.emit(body);
    }

    fn safe(&self, text: &str) -> SafeText {
        SafeText::clean(&self.session.engine.redactor, text)
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
