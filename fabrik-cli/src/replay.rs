//! A recorded run as the events it gave.

use std::collections::HashMap;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::event::{Event, EventBody, SafeText, VERSION};
use fabrik_core::plan::Summary;
use fabrik_core::provider::Verb;
use fabrik_core::secrets::Redactor;
use fabrik_core::state::{
    Change, Entry, EntryKind, Intent, Phase, Position, RunEnd, StepOutcome, StepRef,
};
use jiff::Timestamp;

/// The events of a run, from its journal. What was never recorded (progress, requests) is not there.
pub(crate) fn events(entries: &[(Position, Entry)]) -> Vec<Event> {
    let end = entries
        .iter()
        .rev()
        .find_map(|(_, entry)| match &entry.kind {
            EntryKind::RunEnded(end) => Some(&**end),
            _ => None,
        });
    let mut replay = Replay {
        redactor: Redactor::default(),
        begun: HashMap::new(),
        events: Vec::new(),
        end,
    };
    for (_, entry) in entries {
        for body in replay.bodies(entry) {
            let seq = u64::try_from(replay.events.len()).unwrap_or(u64::MAX) + 1;
            replay.events.push(Event {
                v: VERSION,
                seq,
                ts: entry.at,
                run: Some(entry.run),
                body,
            });
        }
    }
    replay.events
}

struct Replay<'a> {
    redactor: Redactor,
    /// Steps, with when each began.
    begun: HashMap<StepRef, (&'a Intent, Timestamp)>,
    events: Vec<Event>,
    end: Option<&'a RunEnd>,
}

impl<'a> Replay<'a> {
    fn bodies(&mut self, entry: &'a Entry) -> Vec<EventBody> {
        let mut bodies = match &entry.kind {
            EntryKind::RunStarted(start) => vec![EventBody::RunStarted {
                start: start.clone(),
                summary: Summary::default(),
            }],
            EntryKind::Phase(Phase::RollingBack) => vec![
                EventBody::RollbackStarted {
                    error: Box::new(self.cause().report()),
                    steps: self.done(),
                },
                EventBody::Phase {
                    phase: Phase::RollingBack,
                },
            ],
            EntryKind::Phase(phase) => vec![EventBody::Phase { phase: *phase }],
            EntryKind::Intent(intent) => self.begin(intent, entry.at),
            EntryKind::Outcome { step, outcome, .. } => self.end(*step, outcome, entry),
            EntryKind::State { address, what, .. } => vec![EventBody::StateChanged {
                address: address.clone(),
                what: self.safe(what),
            }],
            EntryKind::SecretMade(name) => vec![EventBody::Secret {
                name: name.clone(),
                origin: "generated".to_owned(),
            }],
            EntryKind::Check(result) => vec![EventBody::Check {
                result: result.clone(),
            }],
            EntryKind::Resumed => vec![EventBody::Resumed {
                open: self.begun.len(),
            }],
            EntryKind::RunEnded(end) => vec![EventBody::RunEnded { end: end.clone() }],
            EntryKind::Checkpoint { .. } => Vec::new(),
        };
        if let Some(outputs) = outputs(entry) {
            bodies.insert(0, outputs);
        }
        bodies
    }

    fn begin(&mut self, intent: &'a Intent, at: Timestamp) -> Vec<EventBody> {
        // A step that is tried again has one intent more, and began once.
        if self.begun.contains_key(&intent.step) {
            return Vec::new();
        }
        self.begun.insert(intent.step, (intent, at));
        vec![EventBody::StepStarted {
            step: intent.step,
            address: intent.address.clone(),
            type_name: intent.type_name.clone(),
            verb: intent.verb,
            undoes: intent.undoes,
        }]
    }

    fn end(&mut self, step: StepRef, outcome: &StepOutcome, entry: &Entry) -> Vec<EventBody> {
        let Some((intent, began)) = self.begun.get(&step) else {
            return Vec::new();
        };
        let took = crate::output::text::between(*began, entry.at).as_millis();
        let id = entry.changes.iter().find_map(|change| match change {
            Change::Put(row) if row.address == intent.address && intent.verb == Verb::Create => {
                Some(self.safe(&row.object.id))
            }
            _ => None,
        });
        vec![EventBody::StepDone {
            step,
            address: intent.address.clone(),
            type_name: intent.type_name.clone(),
            verb: intent.verb,
            outcome: outcome.clone(),
            id,
            ms: u64::try_from(took).unwrap_or(u64::MAX),
            undoes: intent.undoes,
        }]
    }

    /// How many steps were done by now.
    fn done(&self) -> usize {
        let done = |event: &&Event| {
            matches!(
                &event.body,
                EventBody::StepDone {
                    outcome: StepOutcome::Done,
                    ..
                }
            )
        };
        self.events.iter().filter(done).count()
    }

    /// Why the run was rolled back.
    fn cause(&self) -> Error {
        match self.end.and_then(|end| end.error.as_ref()) {
            Some(report) => Error::from(report),
            None => Error::new(ErrorKind::Cancelled, "the run was stopped"),
        }
    }

    fn safe(&self, text: &str) -> SafeText {
        SafeText::clean(&self.redactor, text)
    }
}

/// Outputs, where an entry sets some.
fn outputs(entry: &Entry) -> Option<EventBody> {
    entry.changes.iter().find_map(|change| match change {
        Change::Revision(_, outputs) if !outputs.is_empty() => Some(EventBody::Outputs {
            values: outputs
                .iter()
                .map(|(name, value)| (name.clone(), value.masked()))
                .collect(),
        }),
        _ => None,
    })
}
