//! A service: its generations, one of which gets the requests.

mod deploy;
mod generation;
mod prepare;
mod recover;
mod remove;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::agent::balance::Upstream;
use crate::agent::book::{Book, blocking};
use crate::agent::instance::Member;
use crate::agent::logs::LogDir;
use crate::agent::shared::Shared;
use crate::error::Error;
use crate::model::{GenerationInfo, GenerationState, LogChunk, LogQuery, ServiceInfo, ServiceSpec};
use crate::records::{GenerationRecord, ServiceRecord};

use generation::Generation;
pub(crate) use recover::check_all;

/// The outcome of an operation that is under way, for everyone who waits for it.
type Outcome = watch::Receiver<Option<Result<GenerationInfo, Error>>>;

/// A service.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    shared: Arc<Shared>,
    book: Arc<Book>,
    logs: LogDir,
    upstream: Arc<Upstream>,
    /// Held by whoever changes the service.
    turn: tokio::sync::Mutex<Turn>,
    running: Mutex<Running>,
    /// Operations under way, by their ids.
    operations: Mutex<HashMap<String, Outcome>>,
    /// Set when nothing should be waited for any more.
    hurry: watch::Sender<bool>,
    /// One receiver per old generation that is not gone yet.
    retiring: watch::Sender<()>,
}

/// What only the one whose turn it is may change.
#[derive(Debug, Default)]
struct Turn {
    removed: bool,
}

/// The generations whose processes run, apart from retiring ones.
#[derive(Debug, Default)]
struct Running {
    live: Option<Arc<Generation>>,
    pending: Option<Arc<Generation>>,
}

impl Service {
    pub(crate) fn new(name: &str, shared: &Arc<Shared>, record: ServiceRecord) -> Arc<Self> {
        let layout = &shared.layout;
        Arc::new(Self {
            name: name.to_owned(),
            shared: Arc::clone(shared),
            book: Book::new(shared, record),
            logs: LogDir::new(layout.service_logs(name)),
            upstream: Upstream::new(),
            turn: tokio::sync::Mutex::default(),
            running: Mutex::default(),
            operations: Mutex::default(),
            hurry: watch::Sender::new(false),
            retiring: watch::Sender::new(()),
        })
    }

    pub(crate) fn upstream(&self) -> &Arc<Upstream> {
        &self.upstream
    }

    /// Whether there is anything to tell about it: a first deployment that failed leaves nothing.
    pub(crate) async fn is_empty(&self) -> bool {
        self.book.get().await.generations.is_empty()
            && lock(&self.operations).is_empty()
            && lock(&self.running).pending.is_none()
    }

    /// What can be told about it.
    pub(crate) async fn info(&self) -> ServiceInfo {
        let record = self.book.get().await;
        let (live, others) = record
            .generations
            .iter()
            .map(|generation| self.generation_info(generation))
            .partition(|generation: &GenerationInfo| Some(generation.number) == record.live);
        let live: Vec<GenerationInfo> = live;
        ServiceInfo {
            name: self.name.clone(),
            live: live.into_iter().next(),
            others,
            log_dir: self.logs.path().to_owned(),
        }
    }

    fn generation_info(&self, record: &GenerationRecord) -> GenerationInfo {
        let mut info = describe(record);
        let running = lock(&self.running);
        info.instances = [&running.live, &running.pending]
            .into_iter()
            .flatten()
            .find(|generation| generation.number == record.number)
            .map(|generation| generation.info())
            .unwrap_or_default();
        info
    }

    /// Reads its logs.
    pub(crate) async fn read_logs(&self, query: LogQuery) -> Result<LogChunk, Error> {
        let record = self.book.get().await;
        let logs = self.logs.clone();
        blocking(move || {
            let mask = |number: u64, text: &str| record.mask(number, text);
            Ok(logs.read(&query, &mask))
        })
        .await
    }

    /// Cuts log files that became too long.
    pub(crate) async fn rotate_logs(&self) {
        let record = self.book.get().await;
        let limit = record
            .generations
            .last()
            .map(|generation| generation.spec.log_max_bytes);
        if let Some(limit) = limit {
            let logs = self.logs.clone();
            let _ = tokio::task::spawn_blocking(move || logs.rotate(limit)).await;
        }
    }

    /// What the processes of a generation need to know.
    fn member(&self, number: u64, spec: &Arc<ServiceSpec>, gated: bool) -> Member {
        Member {
            shared: Arc::clone(&self.shared),
            book: Arc::clone(&self.book),
            logs: self.logs.clone(),
            spec: Arc::clone(spec),
            pool: self.upstream.pool(spec.instances),
            generation: number,
            index: 0,
            gated,
        }
    }
}

/// What a record tells about a generation.
pub(crate) fn describe(record: &GenerationRecord) -> GenerationInfo {
    let mut spec = record.spec.clone();
    spec.env = spec.env.without_secrets();
    GenerationInfo {
        number: record.number,
        op_id: record.op_id.clone(),
        spec,
        state: record.state,
        instances: Vec::new(),
    }
}

/// Marks the live generation of a record and keeps only so many good ones beside it.
fn settle(record: &mut ServiceRecord, live: u64, keep: usize) {
    record.live = Some(live);
    for generation in &mut record.generations {
        generation.state = if generation.number == live {
            GenerationState::Live
        } else if generation.state == GenerationState::Live {
            GenerationState::Kept
        } else {
            generation.state
        };
    }
    prune(record, keep);
}

/// Drops the oldest good generations whose processes are gone.
fn prune(record: &mut ServiceRecord, keep: usize) {
    let kept = |generation: &GenerationRecord| generation.state == GenerationState::Kept;
    let mut surplus = record
        .generations
        .iter()
        .filter(|generation| kept(generation))
        .count()
        .saturating_sub(keep);
    record.generations.retain(|generation| {
        let drop = surplus > 0 && kept(generation) && generation.runs.is_empty();
        surplus -= usize::from(drop);
        !drop
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::settle;
    use crate::model::{Command, GenerationState, ServiceSpec};
    use crate::records::{GenerationRecord, ServiceRecord};

    #[test]
    fn keeps_the_last_good_generations() {
        let mut record = ServiceRecord::new("api");
        for number in 1..=5 {
            record.generations.push(GenerationRecord {
                number,
                op_id: number.to_string(),
                spec: ServiceSpec::new(Command::Shell("true".into()), "/"),
                state: GenerationState::Pending,
                runs: Vec::new(),
            });
            settle(&mut record, number, 2);
        }
        let numbers: Vec<u64> = record.generations.iter().map(|kept| kept.number).collect();
        assert_eq!(numbers, [3, 4, 5]);
        assert_eq!(record.live, Some(5));
        assert_eq!(record.generations[0].state, GenerationState::Kept);
    }
}
