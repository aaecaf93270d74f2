//! Walking a rollback: built from journal and state, tried again where an undo failed.

use std::sync::Arc;

use super::executor::{Executor, StageResult};
use super::journal::Journal;
use super::rollback;
use super::work::Work;
use crate::error::{Error, Result};
use crate::event::EventBody;
use crate::plan::steps::Stage;
use crate::provider::Stop;
use crate::session::{Known, KnownObject, Session};
use crate::state::{EntryKind, Phase, StepRef};

/// Takes back what the journal's run did: builds the rollback from journal and state, and walks it.
/// A failed undo is tried again a few times.
pub(crate) async fn undo(work: &mut Work<'_>, error: &Error) -> Result<StageResult> {
    const ROUNDS: u32 = 3;
    let mut total = StageResult::default();
    let mut unable: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let Work {
            session,
            journal,
            known,
            ..
        } = work.lend();
        let next = next_step(journal);
        open_for_undo(session, journal, known).await?;
        let undo = rollback::build(journal, session, next)?;
        if round == 0 {
            let phase = Phase::RollingBack;
            let steps = undo.steps.steps.len() + undo.state.len();
            journal.push(
                EntryKind::Phase(phase),
                Vec::new(),
                Some(EventBody::RollbackStarted {
                    error: Box::new(error.report()),
                    steps,
                }),
            );
        }
        for (address, what, changes) in undo.state {
            let event = EventBody::StateChanged {
                address: address.clone(),
                what: crate::event::SafeText::clean(&session.engine.redactor, &what),
            };
            journal.push(
                EntryKind::State {
                    address,
                    what,
                    before: None,
                },
                changes,
                Some(event),
            );
        }
        journal.commit().await?;
        // References find what is there now: what the run made is about to go, and what it deleted
        // has no value until it is back.
        let leaving: std::collections::BTreeSet<_> = undo
            .steps
            .steps
            .iter()
            .zip(&undo.bodies)
            .filter(|(_, body)| matches!(body, rollback::Undoing::DeleteNew))
            .filter_map(|(step, _)| step.oid)
            .collect();
        let live: Vec<_> = journal
            .rows
            .values()
            .filter(|row| {
                row.status == crate::state::RowStatus::Current && !leaving.contains(&row.oid)
            })
            .map(|row| (row.address.clone(), row.object.clone()))
            .collect();
        known.objects.clear();
        known.objects.extend(
            live.into_iter()
                .map(|(address, object)| (address, KnownObject::settled(object))),
        );
        for (step, body) in undo.steps.steps.iter().zip(&undo.bodies) {
            if matches!(body, rollback::Undoing::Recreate { .. }) {
                known.objects.remove(&step.address);
            }
        }
        let mut executor = Executor::new(work.lend(), &undo.steps, Some(&undo.bodies));
        let stage = executor.run(Stage::First).await?;
        total.created += stage.created;
        total.updated += stage.updated;
        total.deleted += stage.deleted;
        total.stopped = stage.stopped;
        total.not_begun = stage.not_begun;
        total.left.extend(stage.left);
        // As of the last round: what failed before may have worked since.
        unable = stage
            .failed
            .iter()
            .map(|(step, error)| {
                let work = undo.steps.steps.iter().find(|work| work.id == *step);
                let what = work.map_or("a step".to_owned(), |work| work.address.to_string());
                format!("{what} could not be taken back: {error}")
            })
            .collect();
        total.failed = stage.failed;
        if total.failed.is_empty() || total.stopped != Stop::No {
            break;
        }
    }
    total.left.sort();
    total.left.dedup();
    total.left.extend(unable);
    Ok(total)
}

/// Providers of everything the run touched.
async fn open_for_undo(session: &mut Session, journal: &Journal, known: &Known) -> Result<()> {
    let mut names: Vec<Arc<str>> = journal
        .rows
        .values()
        .map(|row| row.instance.clone())
        .collect();
    for entry in &journal.entries {
        if let EntryKind::Intent(intent) = &entry.kind {
            names.push(intent.instance.clone());
        }
    }
    names.sort();
    names.dedup();
    session.open(names, known).await
}

fn next_step(journal: &Journal) -> u32 {
    let used = journal
        .entries
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Intent(intent) => Some(intent.step),
            EntryKind::Outcome { step, .. } => Some(*step),
            _ => None,
        });
    used.max().map_or(0, |StepRef(last)| last + 1)
}
