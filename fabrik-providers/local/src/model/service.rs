//! A service: a command that runs as one or more processes.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Env;
use super::duration;

/// Everything that makes up one generation of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// What to run.
    pub command: Command,
    /// What is run once before the processes of a new generation are started, one after another,
    /// while the one before goes on serving: installing, building, migrating.
    #[serde(default)]
    pub prepare: Vec<Command>,
    /// Working directory: an absolute path.
    pub dir: PathBuf,
    /// Variables of the process, beside the agent's base environment and `PORT`, `HOST` and the
    /// agent's own `FABRIK_…` marks.
    #[serde(default)]
    pub env: Env,
    /// Where the process listens.
    #[serde(default)]
    pub port: Port,
    /// How many processes run, each on a port of its own.
    #[serde(default = "one")]
    pub instances: u32,
    /// When a process counts as working.
    #[serde(default)]
    pub health: HealthCheck,
    /// What happens when a process ends by itself.
    #[serde(default)]
    pub restart: RestartPolicy,
    /// How a process is stopped.
    #[serde(default)]
    pub stop: StopPolicy,
    /// How long requests and tunnels of an older generation may go on after a switch.
    #[serde(default = "default_drain", with = "duration")]
    pub drain: Duration,
    /// How many earlier good generations are kept for a rollback.
    #[serde(default = "default_keep")]
    pub keep: usize,
    /// Size at which a log file is rotated; one rotated file is kept.
    #[serde(default = "default_log_bytes")]
    pub log_max_bytes: u64,
    /// The caller's own mark of this spec, kept and handed back as is.
    #[serde(default)]
    pub spec_hash: String,
}

impl ServiceSpec {
    /// A spec with the defaults for everything but the command and its directory.
    pub fn new(command: Command, dir: impl Into<PathBuf>) -> Self {
        Self {
            command,
            prepare: Vec::new(),
            dir: dir.into(),
            env: Env::new(),
            port: Port::default(),
            instances: one(),
            health: HealthCheck::default(),
            restart: RestartPolicy::default(),
            stop: StopPolicy::default(),
            drain: default_drain(),
            keep: default_keep(),
            log_max_bytes: default_log_bytes(),
            spec_hash: String::new(),
        }
    }
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// A program and its arguments. A program with a `/` in its name is relative to the working
    /// directory, another is looked up in `PATH`.
    Argv(Vec<String>),
    /// A line for `/bin/sh -c`.
    Shell(String),
}

impl Command {
    /// Whether there is nothing to run.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Shell(line) => line.trim().is_empty(),
            Self::Argv(words) => words.first().is_none_or(String::is_empty),
        }
    }
}

/// As it is shown in messages, between backticks.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(line) => write!(f, "`{line}`"),
            Self::Argv(words) => write!(f, "`{}`", words.join(" ")),
        }
    }
}

/// Where a service listens on loopback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Port {
    /// A free port chosen by the agent for each process, told in `PORT`.
    #[default]
    Auto,
    /// This port. Two generations cannot run side by side then: the old one is stopped before the
    /// new one starts, requests wait meanwhile, and the old one is started again if the new one
    /// fails. Only for one instance.
    Fixed(u16),
    /// The process does not listen (a worker). It cannot be the target of a route.
    None,
}

/// When a process counts as working.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HealthCheck {
    /// Path of a GET request that must be answered with one of `status`. Without a path it is
    /// enough that the port accepts connections, and for a process without a port that it is
    /// still running after `interval`.
    pub path: Option<String>,
    /// Accepted statuses; empty means every 2xx and 3xx.
    pub status: Vec<u16>,
    /// Pause between probes.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// Time that one probe may take.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// Failed probes in a row after which a running process gets no requests as long as another
    /// instance works.
    pub retries: u32,
    /// Time within which a started process must become healthy.
    #[serde(with = "duration")]
    pub deadline: Duration,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: None,
            status: Vec::new(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            retries: 3,
            deadline: Duration::from_mins(1),
        }
    }
}

/// When a process that ended by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// Whatever its exit status was.
    #[default]
    Always,
    /// When its exit status was not 0, or is not known.
    OnFailure,
    /// Never.
    Never,
}

/// What happens when a process ends by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RestartPolicy {
    /// When it is started again.
    pub when: Restart,
    /// Pause before the first restart; it doubles with every crash in a row.
    #[serde(with = "duration")]
    pub backoff: Duration,
    /// Longest pause.
    #[serde(with = "duration")]
    pub max_backoff: Duration,
    /// Crashes within `window` after which the process is left down (a crash loop).
    pub max_crashes: u32,
    /// Time over which crashes are counted.
    #[serde(with = "duration")]
    pub window: Duration,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            when: Restart::default(),
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(30),
            max_crashes: 8,
            window: Duration::from_mins(5),
        }
    }
}

/// The signal that asks a process to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopSignal {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT.
    Int,
    /// SIGQUIT.
    Quit,
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
}

/// How a process and all it started are stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StopPolicy {
    /// Sent first, to the whole group.
    pub signal: StopSignal,
    /// Time until what is left is killed.
    #[serde(with = "duration")]
    pub grace: Duration,
}

impl Default for StopPolicy {
    fn default() -> Self {
        Self {
            signal: StopSignal::default(),
            grace: Duration::from_secs(10),
        }
    }
}

fn one() -> u32 {
    1
}

fn default_drain() -> Duration {
    Duration::from_secs(30)
}

fn default_keep() -> usize {
    3
}

fn default_log_bytes() -> u64 {
    10 * 1024 * 1024
}
