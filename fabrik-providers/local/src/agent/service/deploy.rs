//! Deploying: start beside the old, pass the gate, switch, let the old finish.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::generation::Generation;
use super::{Outcome, Service, lock, prune, settle};
use crate::agent::book::blocking;
use crate::agent::instance::clear_away;
use crate::agent::shared::raised;
use crate::agent::{ports, procfs};
use crate::error::Error;
use crate::model::{Command, GenerationInfo, GenerationState, Port, ServiceSpec};
use crate::records::GenerationRecord;

/// How long requests may go on once nothing should be waited for.
const HURRIED_DRAIN: Duration = Duration::from_secs(3);
/// How often a fixed port is looked at before it counts as taken.
const PORT_LOOKS: u32 = 10;
/// Pause between two looks.
const PORT_PAUSE: Duration = Duration::from_millis(100);

impl Service {
    /// Deploys a spec, or joins the operation of this id that is under way or done.
    pub(crate) async fn deploy(
        self: &Arc<Self>,
        op_id: &str,
        spec: ServiceSpec,
    ) -> Result<GenerationInfo, Error> {
        check(&spec)?;
        let mut outcome = self.operation(op_id, spec);
        match outcome.wait_for(Option::is_some).await {
            Ok(result) => match &*result {
                Some(result) => result.clone(),
                None => Err(interrupted(&self.name)),
            },
            Err(_) => Err(interrupted(&self.name)),
        }
    }

    /// Deploys the spec of an earlier generation again.
    pub(crate) async fn rollback(
        self: &Arc<Self>,
        op_id: &str,
        number: u64,
    ) -> Result<GenerationInfo, Error> {
        let record = self.book.get().await;
        if let Some(done) = record.made_by(op_id) {
            return Ok(self.generation_info(done));
        }
        let missing = || Error::NotFound {
            what: format!("generation {number} of `{}`", self.name),
        };
        let spec = record.generation(number).ok_or_else(missing)?.spec.clone();
        self.deploy(op_id, spec).await
    }

    /// The operation of this id: the one under way, or a new one that nobody can cancel by going
    /// away.
    fn operation(self: &Arc<Self>, op_id: &str, spec: ServiceSpec) -> Outcome {
        let mut operations = lock(&self.operations);
        if let Some(outcome) = operations.get(op_id) {
            return outcome.clone();
        }
        let (report, outcome) = watch::channel(None);
        operations.insert(op_id.to_owned(), outcome.clone());
        let (service, op_id) = (Arc::clone(self), op_id.to_owned());
        tokio::spawn(async move {
            let result = service.run_operation(&op_id, spec).await;
            lock(&service.operations).remove(&op_id);
            report.send_replace(Some(result));
        });
        outcome
    }

    async fn run_operation(
        self: &Arc<Self>,
        op_id: &str,
        spec: ServiceSpec,
    ) -> Result<GenerationInfo, Error> {
        let turn = self.turn.lock().await;
        if turn.removed || *self.hurry.borrow() {
            return Err(interrupted(&self.name));
        }
        if let Some(done) = self.book.get().await.made_by(op_id) {
            return Ok(self.generation_info(done));
        }
        let live = lock(&self.running).live.clone();
        let in_place = check_port(&spec, live.as_deref()).await?;
        let number = self.note_pending(op_id, &spec).await?;
        if let Err(error) = self.prepare(number, &spec).await {
            self.forget_pending(number).await;
            return Err(error);
        }
        if let (true, Some(old)) = (in_place, &live) {
            self.upstream.hold();
            self.drain(old).await;
            old.stop().await;
        }
        let spec = Arc::new(spec);
        let new = Generation::start(&self.name, &self.member(number, &spec, true), &[]);
        lock(&self.running).pending = Some(Arc::clone(&new));
        let mut passed = new.gate(self.hurry.subscribe()).await;
        if passed.is_ok() {
            let keep = spec.keep;
            passed = self
                .book
                .change(|record| settle(record, number, keep))
                .await
                .map(drop);
        }
        match passed {
            Ok(()) => self.switch(new, live, in_place).await,
            Err(error) => {
                new.stop().await;
                self.forget_pending(number).await;
                if let (true, Some(old)) = (in_place, live) {
                    self.bring_back(&old);
                }
                Err(error)
            }
        }
    }

    /// Sends the requests to the new generation and retires the old one.
    async fn switch(
        self: &Arc<Self>,
        new: Arc<Generation>,
        old: Option<Arc<Generation>>,
        old_is_gone: bool,
    ) -> Result<GenerationInfo, Error> {
        self.upstream.switch(Arc::clone(&new.pool));
        {
            let mut running = lock(&self.running);
            running.pending = None;
            running.live = Some(Arc::clone(&new));
        }
        if let Some(old) = old
            && !old_is_gone
        {
            self.retire(old, new.spec.keep);
        }
        let record = self.book.get().await;
        let missing = || Error::system("read the record", "the new generation is missing");
        record
            .generation(new.number)
            .map(|generation| self.generation_info(generation))
            .ok_or_else(missing)
    }

    /// Lets a generation finish what it answers, then stops it; in the background.
    fn retire(self: &Arc<Self>, old: Arc<Generation>, keep: usize) {
        let (service, ticket) = (Arc::clone(self), self.retiring.subscribe());
        tokio::spawn(async move {
            service.drain(&old).await;
            old.stop().await;
            if let Err(error) = service.book.change(|record| prune(record, keep)).await {
                tracing::warn!(%error, "could not note that a generation is gone");
            }
            drop(ticket);
        });
    }

    /// Waits until a generation answers nothing any more, or its time is over.
    pub(super) async fn drain(&self, generation: &Generation) {
        let mut hurry = self.hurry.subscribe();
        let hurried = async {
            raised(&mut hurry).await;
            tokio::time::sleep(HURRIED_DRAIN).await;
        };
        tokio::select! {
            () = generation.pool.drained() => {}
            () = tokio::time::sleep(generation.spec.drain) => {}
            () = hurried => {}
        }
    }

    /// Starts the old generation again after the one that should take its place failed.
    fn bring_back(&self, old: &Generation) {
        if *self.hurry.borrow() {
            return;
        }
        let member = self.member(old.number, &old.spec, false);
        self.upstream.switch(Arc::clone(&member.pool));
        lock(&self.running).live = Some(Generation::start(&self.name, &member, &[]));
    }

    /// Notes a generation before anything of it is started; gives its number.
    async fn note_pending(&self, op_id: &str, spec: &ServiceSpec) -> Result<u64, Error> {
        let record = self
            .book
            .change(|record| {
                let number = record.next;
                record.next += 1;
                record.generations.push(GenerationRecord {
                    number,
                    op_id: op_id.to_owned(),
                    spec: spec.clone(),
                    state: GenerationState::Pending,
                    runs: Vec::new(),
                });
            })
            .await?;
        let known: Vec<u64> = record
            .generations
            .iter()
            .map(|generation| generation.number)
            .collect();
        let logs = self.logs.clone();
        blocking(move || {
            logs.keep_only(&known);
            Ok(())
        })
        .await?;
        Ok(record.next - 1)
    }

    /// Forgets a generation that failed; with the first one the whole record goes.
    async fn forget_pending(&self, number: u64) {
        lock(&self.running).pending = None;
        let record = self.book.get().await;
        let runs = record
            .generation(number)
            .map(|failed| failed.runs.clone())
            .unwrap_or_default();
        for run in &runs {
            clear_away(&self.book, number, run).await;
        }
        let changed = self
            .book
            .change(|record| {
                record
                    .generations
                    .retain(|generation| generation.number != number);
            })
            .await;
        if let Err(error) = changed {
            tracing::warn!(%error, "could not note that a generation failed");
        }
    }
}

/// Whether the old generation must go before the new one can come.
async fn check_port(spec: &ServiceSpec, live: Option<&Generation>) -> Result<bool, Error> {
    let Port::Fixed(port) = spec.port else {
        return Ok(false);
    };
    if live.is_some_and(|live| live.spec.port == spec.port) {
        return Ok(true);
    }
    // What had it may be about to end.
    for _ in 0..PORT_LOOKS {
        if ports::is_free(port) {
            return Ok(false);
        }
        tokio::time::sleep(PORT_PAUSE).await;
    }
    Err(Error::PortTaken {
        port,
        by: procfs::port_owner(port),
    })
}

fn interrupted(name: &str) -> Error {
    Error::Interrupted {
        reason: format!("`{name}` is being removed, or the agent ends"),
    }
}

/// Whether a spec can be run at all.
fn check(spec: &ServiceSpec) -> Result<(), Error> {
    if spec.command.is_empty() {
        return Err(Error::invalid("command", "is empty"));
    }
    if let Some(at) = spec.prepare.iter().position(Command::is_empty) {
        return Err(Error::invalid(format!("prepare[{at}]"), "is empty"));
    }
    if !spec.dir.is_absolute() || !spec.dir.is_dir() {
        let message = format!("there is no folder `{}`", spec.dir.display());
        return Err(Error::invalid("dir", message));
    }
    if spec.instances == 0 || spec.instances > 100 {
        return Err(Error::invalid("instances", "must be 1 to 100"));
    }
    if matches!(spec.port, Port::Fixed(_)) && spec.instances > 1 {
        return Err(Error::invalid("instances", "must be 1 with a fixed port"));
    }
    if let Some(path) = &spec.health.path {
        let good = path.starts_with('/') && path.parse::<http::Uri>().is_ok();
        if !good {
            return Err(Error::invalid(
                "health.path",
                format!("`{path}` must start with `/`"),
            ));
        }
    }
    for (name, value) in spec.env.iter() {
        if name.is_empty() || name.contains(['=', '\0']) || value.expose().contains('\0') {
            return Err(Error::invalid(
                "env",
                format!("`{name}` cannot be a variable"),
            ));
        }
    }
    Ok(())
}
