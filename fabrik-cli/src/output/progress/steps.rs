//! What is known of a run from its events so far.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::event::{Event, EventBody};
use fabrik_core::plan::Summary;
use fabrik_core::provider::Verb;
use fabrik_core::state::{CheckResult, HeldLease, Phase, RunKind, RunResult, StepOutcome, StepRef};
use fabrik_core::value::Value;
use jiff::Timestamp;

use super::super::text;

/// A step under way.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) address: Address,
    pub(super) verb: Verb,
    pub(super) undoing: bool,
    pub(super) started: Timestamp,
    pub(super) last_sign: Timestamp,
    pub(super) note: String,
    pub(super) percent: Option<u8>,
}

/// A lock being waited for.
#[derive(Clone, Debug)]
pub(super) struct LockWait {
    pub(super) held: HeldLease,
    pub(super) since: Timestamp,
    pub(super) last_sign: Timestamp,
}

/// What an event changed, for the lines that tell of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Before {
    /// The step that ended.
    pub(super) step: Option<InFlight>,
    /// The lock was being waited for already.
    pub(super) lock: bool,
    /// When the wait for the lock began.
    pub(super) waited: Option<Duration>,
}

/// What is known of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Steps {
    in_flight: BTreeMap<StepRef, InFlight>,
    pub(super) total: usize,
    pub(super) done: usize,
    pub(super) kind: Option<RunKind>,
    pub(super) started: Option<Timestamp>,
    pub(super) phase: Option<Phase>,
    pub(super) refresh: Option<(usize, usize)>,
    pub(super) waiting: Option<String>,
    pub(super) lock: Option<LockWait>,
    pub(super) undoing: bool,
    pub(super) checks: Vec<CheckResult>,
    pub(super) check_heading: bool,
    pub(super) secrets: Vec<(Arc<str>, String)>,
    pub(super) outputs: Vec<(Arc<str>, Value)>,
    pub(super) counts: Counts,
    /// Messages of errors shown in full already.
    pub(super) shown: Vec<String>,
    /// The first step that failed.
    pub(super) failed: Option<Address>,
    pub(super) result: Option<RunResult>,
}

/// What the run did, besides what its end counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) ran: usize,
    pub(super) state: usize,
    pub(super) undone: usize,
    pub(super) left: usize,
}

impl Steps {
    /// Learns from an event.
    pub(super) fn take(&mut self, event: &Event) -> Before {
        let mut before = Before {
            lock: self.lock.is_some(),
            ..Before::default()
        };
        if !matches!(event.body, EventBody::LockWait { .. })
            && let Some(lock) = self.lock.take()
        {
            before.waited = Some(text::between(lock.since, event.ts));
        }
        match &event.body {
            EventBody::LockWait { held } => match &mut self.lock {
                Some(lock) => lock.held = held.clone(),
                None => {
                    self.lock = Some(LockWait {
                        held: held.clone(),
                        since: event.ts,
                        last_sign: event.ts,
                    });
                }
            },
            EventBody::Refresh { done, total } => {
                self.refresh = (done < total).then_some((*done, *total));
            }
            EventBody::RunStarted { start, summary } => {
                self.kind = Some(start.kind);
                self.started = Some(event.ts);
                self.total = steps_of(summary);
                self.refresh = None;
            }
            EventBody::Phase { phase } => {
                self.phase = Some(*phase);
                self.waiting = None;
            }
            EventBody::Secret { name, origin } => {
                self.secrets.push((name.clone(), origin.clone()));
            }
            EventBody::StepStarted {
                step,
                address,
                verb,
                undoes,
                ..
            } => {
                self.waiting = None;
                let started = InFlight {
                    address: address.clone(),
                    verb: *verb,
                    undoing: undoes.is_some(),
                    started: event.ts,
                    last_sign: event.ts,
                    note: String::new(),
                    percent: None,
                };
                self.in_flight.insert(*step, started);
            }
            EventBody::StepProgress {
                step,
                note,
                percent,
                ..
            } => self.note(*step, text::one_line(note.as_str()), *percent),
            EventBody::LogLine { step, line, .. } => {
                self.note(*step, text::one_line(line.as_str()), None);
            }
            EventBody::StepRetry {
                step, why, attempt, ..
            } => {
                let why = text::one_line(why.as_str());
                self.note(*step, format!("{why}, attempt {attempt} follows"), None);
            }
            EventBody::Waiting { why, .. } => self.waiting = Some(text::one_line(why.as_str())),
            EventBody::StepDone { step, outcome, .. } => {
                before.step = self.in_flight.remove(step);
                self.ended(event, outcome);
            }
            EventBody::StateChanged { .. } => {
                self.counts.state += 1;
                self.done += 1;
            }
            EventBody::Check { result } => self.checks.push(result.clone()),
            EventBody::RollbackStarted { steps, .. } => {
                self.undoing = true;
                self.total = *steps;
                self.done = 0;
            }
            EventBody::Outputs { values } => self.outputs.clone_from(values),
            EventBody::RunEnded { end } => {
                self.result = Some(end.result);
                self.in_flight.clear();
                self.waiting = None;
                self.phase = None;
                self.started = None;
            }
            _ => {}
        }
        before
    }

    fn ended(&mut self, event: &Event, outcome: &StepOutcome) {
        let EventBody::StepDone {
            address,
            verb,
            undoes,
            ..
        } = &event.body
        else {
            return;
        };
        self.done += 1;
        match outcome {
            StepOutcome::Failed(_) if self.failed.is_none() && undoes.is_none() => {
                self.failed = Some(address.clone());
            }
            StepOutcome::Done if undoes.is_some() => self.counts.undone += 1,
            StepOutcome::Done if *verb == Verb::Run => self.counts.ran += 1,
            StepOutcome::Left(_) => self.counts.left += 1,
            _ => {}
        }
    }

    fn note(&mut self, step: StepRef, note: String, percent: Option<u8>) {
        if let Some(step) = self.in_flight.get_mut(&step) {
            step.note = note;
            step.percent = percent;
        }
    }

    /// Steps under way, oldest first.
    pub(super) fn in_flight(&self) -> Vec<&InFlight> {
        let mut list: Vec<_> = self.in_flight.iter().collect();
        list.sort_by_key(|(step, it)| (it.started, **step));
        list.into_iter().map(|(_, it)| it).collect()
    }

    pub(super) fn in_flight_mut(&mut self, step: StepRef) -> Option<&mut InFlight> {
        self.in_flight.get_mut(&step)
    }

    /// Steps that have not been heard of for a while.
    pub(super) fn due(&self, now: Timestamp, every: Duration) -> Vec<StepRef> {
        let quiet = |it: &InFlight| text::between(it.last_sign, now) >= every;
        let due = self.in_flight.iter().filter(|(_, it)| quiet(it));
        due.map(|(step, _)| *step).collect()
    }

    /// When the next sign of life is due.
    pub(super) fn next_sign(&self, every: Duration) -> Option<Timestamp> {
        let steps = self.in_flight.values().map(|it| it.last_sign);
        let lock = self.lock.iter().map(|lock| lock.last_sign);
        steps.chain(lock).min()?.checked_add(every).ok()
    }

    /// The lock being waited for, when it is time to say so again.
    pub(super) fn lock_sign(
        &mut self,
        now: Timestamp,
        every: Duration,
    ) -> Option<(LockWait, Duration)> {
        let lock = self.lock.as_mut()?;
        if text::between(lock.last_sign, now) < every {
            return None;
        }
        lock.last_sign = now;
        Some((lock.clone(), text::between(lock.since, now)))
    }

    /// Whether the run did what it should.
    pub(super) fn succeeded(&self) -> bool {
        matches!(
            self.result,
            Some(RunResult::Succeeded | RunResult::CheckFailed)
        )
    }

    /// The output that says where the result answers.
    pub(super) fn url(&self) -> Option<String> {
        let (_, value) = self.outputs.iter().find(|(name, _)| &**name == "url")?;
        match value {
            Value::Str(url) if url.contains("://") => Some(text::one_line(url)),
            _ => None,
        }
    }
}

/// How many steps a plan makes: a replacement is two.
fn steps_of(summary: &Summary) -> usize {
    summary.create
        + summary.update
        + 2 * summary.replace
        + summary.delete
        + summary.adopt
        + summary.run
        + summary.state
}
