//! From prepared steps to calls: bundles, groups, locks, intents.

use super::{
    Arc, At, BTreeMap, Call, CallStep, Checkpoints, EntryKind, EventBody, Executor, Fault, Link,
    Message, Pending, Prepare, StepRef,
};

impl Executor<'_> {
    /// Turns prepared steps into calls whose intents go into the next commit.
    pub(super) fn form_calls(&mut self) {
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
            if let Some((first, _)) = members.first() {
                self.occupy(*first);
            }
            self.form(members);
        }
        let mut groups: BTreeMap<(Arc<str>, Arc<str>), Vec<(StepRef, Prepare)>> = BTreeMap::new();
        for (step, prepare) in std::mem::take(&mut self.prepared) {
            match &prepare.keys.write_group {
                Some(group) if !group.whole => {
                    let instance = self.step(step).instance.clone();
                    if self
                        .preparing
                        .get(&instance)
                        .is_some_and(|count| *count > 0)
                    {
                        self.prepared.push((step, prepare));
                        continue;
                    }
                    let key = (instance, group.key.clone());
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

    pub(super) fn form(&mut self, members: Vec<(StepRef, Prepare)>) {
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
    pub(super) fn try_call(&mut self, mut pending: Pending) {
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
    pub(super) fn begin(&mut self, call: u32) {
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

    /// A member of a bundle is prepared, or drops out. The last one releases the call.
    pub(super) fn leave_bundle(&mut self, step: StepRef, prepare: Option<Prepare>) {
        let Some(bundle) = self.step(step).bundle else {
            return;
        };
        self.release(step);
        let gathered = self.gathering.entry(bundle).or_default();
        gathered.extend(prepare.map(|prepare| (step, prepare)));
        let open = &mut self.bundle_open[bundle as usize];
        *open = open.saturating_sub(1);
    }
}
