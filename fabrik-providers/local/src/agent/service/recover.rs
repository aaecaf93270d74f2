//! Taking up what an earlier agent left.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::generation::Generation;
use super::{Service, lock};
use crate::agent::instance::clear_away;
use crate::agent::jobs;
use crate::agent::process;
use crate::agent::shared::Shared;
use crate::error::Error;
use crate::model::GenerationState;
use crate::records::{self, ServiceRecord};

/// Reads all service records and kills what no record knows. Blocks on files.
pub(crate) fn check_all(shared: &Shared) -> Result<Vec<ServiceRecord>, Error> {
    let found = records::services(&shared.layout)?;
    let known: BTreeSet<String> = found
        .iter()
        .flat_map(|record| &record.generations)
        .flat_map(|generation| &generation.runs)
        .map(|run| run.mark.clone())
        .chain(jobs::marks_of_runs(&shared.layout)?)
        .collect();
    process::kill_strays(&shared.mark, &known);
    Ok(found)
}

impl Service {
    /// Finishes what an earlier agent began: removes what was being removed, drops what was being
    /// started, stops what was retiring, and takes up the processes of the live generation, or
    /// starts them if they do not run any more. Returns whether the service still exists.
    pub(crate) async fn recover(self: &Arc<Self>) -> Result<bool, Error> {
        let record = self.book.get().await;
        if let Some(removing) = record.removing {
            self.remove(removing.keep_logs).await?;
            return Ok(false);
        }
        self.stop_leftovers(&record);
        let pending = |record: &ServiceRecord| {
            record
                .generations
                .iter()
                .any(|made| made.state == GenerationState::Pending)
        };
        if pending(&record) {
            let drop_pending = |record: &mut ServiceRecord| {
                record
                    .generations
                    .retain(|made| made.state != GenerationState::Pending);
            };
            self.book.change(drop_pending).await?;
        }
        let Some(live) = record.live.and_then(|number| record.generation(number)) else {
            self.remove(true).await?;
            return Ok(false);
        };
        let member = self.member(live.number, &Arc::new(live.spec.clone()), false);
        let generation = Generation::start(&self.name, &member, &live.runs);
        self.upstream.switch(Arc::clone(&generation.pool));
        lock(&self.running).live = Some(generation);
        // A run of an instance that the spec does not know cannot be, and must not stay.
        for run in live
            .runs
            .iter()
            .filter(|run| run.index >= live.spec.instances)
        {
            clear_away(&self.book, live.number, run).await;
        }
        Ok(true)
    }

    /// Stops, in the background, what runs of generations that are not live.
    fn stop_leftovers(self: &Arc<Self>, record: &Arc<ServiceRecord>) {
        if record
            .generations
            .iter()
            .all(|old| record.live == Some(old.number) || old.runs.is_empty())
        {
            return;
        }
        let (service, ticket, record) = (
            Arc::clone(self),
            self.retiring.subscribe(),
            Arc::clone(record),
        );
        tokio::spawn(async move {
            for old in record
                .generations
                .iter()
                .filter(|old| record.live != Some(old.number))
            {
                for run in &old.runs {
                    process::Process::remains(run).stop(&old.spec.stop).await;
                    clear_away(&service.book, old.number, run).await;
                }
            }
            drop(ticket);
        });
    }
}
