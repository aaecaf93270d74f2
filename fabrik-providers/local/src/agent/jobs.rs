//! Jobs: what runs at times, never twice at once, and what became of it.
//!
//! A run that comes while the one before still runs is left out, and so is one that comes while no
//! agent runs. A program goes on when its agent is killed; the next agent waits for its end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedMutexGuard, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::agent::backup;
use crate::agent::book::blocking;
use crate::agent::databases::Databases;
use crate::agent::logs::LogDir;
use crate::agent::process::{Process, Start};
use crate::agent::schedule::Schedule;
use crate::agent::shared::{Shared, raised};
use crate::agent::table::{Table, stored};
use crate::error::Error;
use crate::layout::Layout;
use crate::marks;
use crate::model::{
    BackupSource, Command, Env, JobInfo, JobRun, JobSpec, LogChunk, LogQuery, StopPolicy, Task,
};
use crate::names;
use crate::records::{self, RunRecord};

/// Of how many runs logs are kept.
const LOGS: u64 = 5;
/// Size at which the log of a run is cut.
const LOG_BYTES: u64 = 10 * 1024 * 1024;
/// How many log lines come with a failed preparation.
const LINES: usize = 20;
/// Looking at the clock: it may be set, or stand still while the machine sleeps.
const LOOK: Duration = Duration::from_secs(30);
/// The same shortly before a run.
const LOOK_CLOSELY: Duration = Duration::from_secs(1);

/// The jobs.
#[derive(Debug)]
pub(crate) struct Jobs {
    shared: Arc<Shared>,
    databases: Arc<Databases>,
    records: Table<JobRecord>,
    active: Mutex<HashMap<String, Active>>,
}

/// What is under way for a job.
#[derive(Debug)]
struct Active {
    watch: Option<AbortHandle>,
    /// Held by the run; so there is one at most.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Ends the run.
    stop: watch::Sender<bool>,
    /// When it runs next.
    next: Option<u64>,
}

/// One entry of `jobs.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JobRecord {
    spec: JobSpec,
    runs: u64,
    failures: u64,
    last: Option<JobRun>,
    /// A run that has begun and was not yet seen to end.
    #[serde(default)]
    running: Option<Running>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    since: u64,
    /// The program's process.
    process: Option<RunRecord>,
}

/// Held by the one run of a job.
struct Turn {
    /// Raised when the run is to end.
    stop: watch::Receiver<bool>,
    _held: OwnedMutexGuard<()>,
}

/// How a run ended.
struct Ended {
    success: bool,
    text: String,
}

/// What is stored of jobs. Blocks on files.
pub(crate) fn all(layout: &Layout) -> Result<Vec<JobInfo>, Error> {
    let records = stored(&layout.jobs())?;
    Ok(records
        .into_iter()
        .map(|(name, record)| describe(name, record, None))
        .collect())
}

/// The log of a job, from its files. Blocks on files.
pub(crate) fn stored_log(layout: &Layout, name: &str, query: &LogQuery) -> Result<LogChunk, Error> {
    names::check_kept("job", name)?;
    let mut records = stored::<JobRecord>(&layout.jobs())?;
    let record = records.remove(name).ok_or_else(|| missing(name))?;
    Ok(LogDir::new(layout.job_logs(name)).read(query, &|_, line| record.mask(line)))
}

/// Marks of runs that an earlier agent began. Blocks on files.
pub(crate) fn marks_of_runs(layout: &Layout) -> Result<Vec<String>, Error> {
    let records = stored::<JobRecord>(&layout.jobs())?.into_values();
    Ok(records
        .filter_map(|record| Some(record.running?.process?.mark))
        .collect())
}

impl JobRecord {
    fn mask(&self, line: &str) -> String {
        match &self.spec.task {
            Task::Program { env, .. } => env.mask(line),
            Task::Backup(_) => line.to_owned(),
        }
    }
}

fn describe(name: String, record: JobRecord, next: Option<u64>) -> JobInfo {
    let mut spec = record.spec;
    if let Task::Program { env, .. } = &mut spec.task {
        *env = env.without_secrets();
    }
    JobInfo {
        name,
        spec,
        next,
        running_since: record.running.map(|running| running.since),
        last: record.last,
        runs: record.runs,
        failures: record.failures,
    }
}

fn missing(name: &str) -> Error {
    Error::NotFound {
        what: format!("job `{}`", name.trim_start_matches('@')),
    }
}

impl Jobs {
    /// Takes up the stored jobs. Blocks on files.
    pub(crate) fn open(shared: &Arc<Shared>, databases: &Arc<Databases>) -> Result<Self, Error> {
        Ok(Self {
            shared: Arc::clone(shared),
            databases: Arc::clone(databases),
            records: Table::open(shared.layout.jobs(), shared)?,
            active: Mutex::default(),
        })
    }

    /// Begins to watch the clock, and waits for what still runs.
    pub(crate) async fn start(self: &Arc<Self>) {
        for (name, record) in self.records.all().await {
            if let Some(running) = record.running.clone()
                && let Some(turn) = self.turn(&name)
            {
                let (jobs, name) = (Arc::clone(self), name.clone());
                tokio::spawn(async move { jobs.take_up(&name, running, turn).await });
            }
            self.watch(&name, &record.spec);
        }
    }

    /// Watches the clock no more; with `stop`, ends what runs too.
    pub(crate) async fn end(&self, stop: bool) {
        let mut turns = Vec::new();
        for active in lock(&self.active).values() {
            if let Some(watch) = &active.watch {
                watch.abort();
            }
            if stop {
                active.stop.send_replace(true);
                turns.push(Arc::clone(&active.turn));
            }
        }
        for turn in turns {
            drop(turn.lock().await);
        }
    }

    pub(crate) async fn all(&self) -> Vec<JobInfo> {
        let records = self.records.all().await.into_iter();
        records
            .map(|(name, record)| {
                let next = lock(&self.active).get(&name).and_then(|active| active.next);
                describe(name, record, next)
            })
            .collect()
    }

    pub(crate) async fn get(&self, name: &str) -> Option<JobInfo> {
        self.all().await.into_iter().find(|job| job.name == name)
    }

    pub(crate) async fn is_empty(&self) -> bool {
        self.records.all().await.is_empty()
    }

    /// Sets a job. What became of its runs is kept; one that is under way goes on as it began.
    pub(crate) async fn put(self: &Arc<Self>, name: &str, spec: JobSpec) -> Result<(), Error> {
        names::check_kept("job", name)?;
        let before = self.records.get(name).await;
        check(&spec)?;
        if let Task::Backup(wanted) = &spec.task
            && let BackupSource::Database(database) = &wanted.source
        {
            self.databases.access(database).await?;
        }
        if before.as_ref().is_none_or(|before| before.spec != spec) {
            self.prepare(name, &spec).await?;
        }
        let wanted = spec.clone();
        let change = |before: Option<JobRecord>| {
            Ok(Some(match before {
                Some(record) => JobRecord {
                    spec: wanted,
                    ..record
                },
                None => JobRecord {
                    spec: wanted,
                    runs: 0,
                    failures: 0,
                    last: None,
                    running: None,
                },
            }))
        };
        self.records.change(name, change).await?;
        self.watch(name, &spec);
        Ok(())
    }

    /// Removes a job and its logs; what runs is ended.
    pub(crate) async fn remove(&self, name: &str) -> Result<(), Error> {
        names::check_kept("job", name)?;
        let active = lock(&self.active).remove(name);
        if let Some(active) = active {
            if let Some(watch) = active.watch {
                watch.abort();
            }
            active.stop.send_replace(true);
            drop(active.turn.lock().await);
        }
        let dir = self.shared.layout.job_logs(name);
        blocking(move || records::remove_tree(&dir)).await?;
        self.records.remove(name).await
    }

    /// Runs a job now, and waits for its end.
    pub(crate) async fn run_now(self: &Arc<Self>, name: &str) -> Result<JobRun, Error> {
        if self.records.get(name).await.is_none() {
            return Err(missing(name));
        }
        let turn = self.turn(name);
        let turn = turn.ok_or_else(|| Error::invalid("job", format!("`{name}` runs already")))?;
        let (jobs, key) = (Arc::clone(self), name.to_owned());
        // On its own, so that it goes on when whoever asked goes away.
        let run = tokio::spawn(async move { jobs.run(&key, turn).await });
        run.await
            .unwrap_or_else(|error| Err(Error::system("finish a task", error)))
    }

    pub(crate) async fn read_log(&self, name: &str, query: LogQuery) -> Result<LogChunk, Error> {
        let record = self.records.get(name).await;
        let record = record.ok_or_else(|| missing(name))?;
        let logs = self.logs(name);
        blocking(move || Ok(logs.read(&query, &|_, line| record.mask(line)))).await
    }

    fn logs(&self, name: &str) -> LogDir {
        LogDir::new(self.shared.layout.job_logs(name))
    }

    fn with_active<T>(&self, name: &str, work: impl FnOnce(&mut Active) -> T) -> T {
        let mut active = lock(&self.active);
        work(active.entry(name.to_owned()).or_insert_with(|| Active {
            watch: None,
            turn: Arc::default(),
            stop: watch::Sender::new(false),
            next: None,
        }))
    }

    /// The turn of a job, unless a run has it.
    fn turn(&self, name: &str) -> Option<Turn> {
        self.with_active(name, |active| {
            let held = Arc::clone(&active.turn).try_lock_owned().ok()?;
            Some(Turn {
                stop: active.stop.subscribe(),
                _held: held,
            })
        })
    }

    fn now(&self) -> SystemTime {
        (self.shared.clock)()
    }

    /// Waits for each time of a schedule, and runs.
    fn watch(self: &Arc<Self>, name: &str, spec: &JobSpec) {
        let Ok(schedule) = Schedule::parse(&spec.schedule, &spec.timezone) else {
            // It was checked when the job was set; the machine may have lost its time zones.
            tracing::warn!(name, "the schedule of a job cannot be read any more");
            return;
        };
        let first = schedule.next(self.now());
        let (jobs, key) = (Arc::clone(self), name.to_owned());
        let task = tokio::spawn(async move {
            let mut next = first;
            while let Some(at) = next {
                jobs.reached(at).await;
                if let Some(turn) = jobs.turn(&key) {
                    let (jobs, key) = (Arc::clone(&jobs), key.clone());
                    // On its own, so that ending the watch never breaks off a run.
                    tokio::spawn(async move {
                        if let Err(error) = jobs.run(&key, turn).await {
                            tracing::warn!(%error, name = key, "a job could not be run");
                        }
                    });
                } else {
                    tracing::info!(name = key, "a run is left out: the one before still runs");
                }
                next = schedule.next(jobs.now());
                jobs.with_active(&key, |active| active.next = next);
            }
        });
        self.with_active(name, |active| {
            active.next = first;
            if let Some(before) = active.watch.replace(task.abort_handle()) {
                before.abort();
            }
        });
    }

    /// Waits until the clock shows a time.
    async fn reached(&self, at: u64) {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(at);
        while let Ok(left) = at.duration_since(self.now()) {
            if left.is_zero() {
                return;
            }
            let look = if left > 4 * LOOK { LOOK } else { LOOK_CLOSELY };
            tokio::time::sleep(left.min(look)).await;
        }
    }

    /// Runs what has to be done before a job is set; the log is that of the run to come.
    async fn prepare(&self, name: &str, spec: &JobSpec) -> Result<(), Error> {
        let Task::Program {
            prepare, dir, env, ..
        } = &spec.task
        else {
            return Ok(());
        };
        let number = self.records.get(name).await.map_or(0, |record| record.runs) + 1;
        let logs = self.logs(name);
        for command in prepare {
            logs.note(number, 0, &format!("running {command}"));
            let process = self.process(&logs, number, command, dir, env);
            let reason = match process {
                Ok((mut process, _)) => {
                    let exit = process.ended().await;
                    process.kill_rest().await;
                    if exit.success {
                        continue;
                    }
                    exit.text
                }
                Err(reason) => reason,
            };
            let lines = logs.last_lines(number, LINES);
            if self.records.get(name).await.is_none() {
                let dir = logs.path().to_owned();
                blocking(move || records::remove_tree(&dir)).await?;
            }
            return Err(Error::Prepare {
                service: name.to_owned(),
                command: command.to_string(),
                reason,
                logs: lines.iter().map(|line| env.mask(line)).collect(),
            });
        }
        Ok(())
    }

    fn process(
        &self,
        logs: &LogDir,
        number: u64,
        command: &Command,
        dir: &std::path::Path,
        env: &Env,
    ) -> Result<(Process, RunRecord), String> {
        let mark = marks::new_run().map_err(|error| error.to_string())?;
        let process = Process::start(Start {
            command,
            dir,
            base_env: &self.shared.base_env,
            env,
            port: None,
            agent_mark: &self.shared.mark,
            run_mark: &mark,
            log: logs.open(number, 0).map_err(|error| error.to_string())?,
        })
        .map_err(|error| Process::not_started(command, dir, &error))?;
        let record = RunRecord {
            index: 0,
            mark,
            port: None,
            identity: process.identity.clone(),
        };
        Ok((process, record))
    }

    /// Runs a job once. Whoever holds the turn is the only one.
    async fn run(&self, name: &str, mut turn: Turn) -> Result<JobRun, Error> {
        let (since, started) = (seconds(self.now()), Instant::now());
        let begun = |record: Option<JobRecord>| {
            Ok(record.map(|record| JobRecord {
                runs: record.runs + 1,
                running: Some(Running {
                    since,
                    process: None,
                }),
                ..record
            }))
        };
        self.records.change(name, begun).await?;
        let record = self.records.get(name).await.ok_or_else(|| missing(name))?;
        let (number, logs) = (record.runs, self.logs(name));
        let kept: Vec<u64> = (number.saturating_sub(LOGS - 1)..=number).collect();
        logs.keep_only(&kept);
        let ended = match &record.spec.task {
            Task::Program {
                command, dir, env, ..
            } => match self.process(&logs, number, command, dir, env) {
                Ok((mut process, run)) => {
                    let noted = |record: Option<JobRecord>| {
                        Ok(record.map(|record| JobRecord {
                            running: Some(Running {
                                since,
                                process: Some(run),
                            }),
                            ..record
                        }))
                    };
                    self.records.change(name, noted).await?;
                    end_of(&mut process, &mut turn.stop).await
                }
                Err(reason) => Ended {
                    success: false,
                    text: format!("could not start: {reason}"),
                },
            },
            Task::Backup(wanted) => {
                let title = name.trim_start_matches('@');
                tokio::select! {
                    done = backup::run(&self.shared, &self.databases, title, wanted, self.now()) => {
                        match done {
                            Ok(text) => Ended { success: true, text },
                            Err(error) => Ended { success: false, text: error.to_string() },
                        }
                    }
                    () = raised(&mut turn.stop) => Ended {
                        success: false,
                        text: "was ended".to_owned(),
                    },
                }
            }
        };
        logs.note(number, 0, &ended.text);
        logs.rotate(LOG_BYTES);
        let run = JobRun {
            number,
            at: since,
            millis: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            success: ended.success,
            text: ended.text,
        };
        self.note(name, run.clone()).await?;
        drop(turn);
        Ok(run)
    }

    /// Waits for the end of a run that an earlier agent began.
    async fn take_up(&self, name: &str, running: Running, mut turn: Turn) {
        let number = self.records.get(name).await.map_or(1, |record| record.runs);
        let ended = match running.process {
            Some(run) => {
                let mut process = Process::adopt(&run).unwrap_or_else(|| Process::remains(&run));
                let ended = end_of(&mut process, &mut turn.stop).await;
                Ended {
                    text: format!(
                        "{} (how is not known: the agent was started anew)",
                        ended.text
                    ),
                    ..ended
                }
            }
            None => Ended {
                success: false,
                text: "was broken off: the agent was ended".to_owned(),
            },
        };
        let took = seconds(self.now()).saturating_sub(running.since);
        let run = JobRun {
            number,
            at: running.since,
            millis: took.saturating_mul(1000),
            success: ended.success,
            text: ended.text,
        };
        if let Err(error) = self.note(name, run).await {
            tracing::warn!(%error, name, "could not note the end of a run");
        }
        drop(turn);
    }

    async fn note(&self, name: &str, run: JobRun) -> Result<(), Error> {
        let change = |record: Option<JobRecord>| {
            Ok(record.map(|record| JobRecord {
                failures: record.failures + u64::from(!run.success),
                last: Some(run),
                running: None,
                ..record
            }))
        };
        self.records.change(name, change).await
    }
}

/// Waits for the end of a program, or ends it when asked to; nothing of it is left afterwards.
async fn end_of(process: &mut Process, stop: &mut watch::Receiver<bool>) -> Ended {
    let ended = tokio::select! {
        exit = process.ended() => Ended { success: exit.success, text: exit.text },
        () = raised(stop) => {
            process.stop(&StopPolicy::default()).await;
            Ended { success: false, text: "was ended".to_owned() }
        }
    };
    process.kill_rest().await;
    ended
}

/// Whether a job can be kept.
fn check(spec: &JobSpec) -> Result<(), Error> {
    Schedule::parse(&spec.schedule, &spec.timezone)
        .map_err(|(field, message)| Error::invalid(field, message))?;
    match &spec.task {
        Task::Program { command, dir, .. } => {
            if command.is_empty() {
                return Err(Error::invalid("command", "is empty"));
            }
            if !dir.is_absolute() || !dir.is_dir() {
                let dir = dir.display();
                return Err(Error::invalid("dir", format!("there is no folder `{dir}`")));
            }
        }
        Task::Backup(wanted) => backup::check(wanted)?,
    }
    Ok(())
}

fn seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
