//! What a user says of a service, and the way to the agent's form and back.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    HealthCheck, Port, Restart, RestartPolicy, ServiceSpec, StopPolicy, StopSignal,
};
use crate::provider::environment::{Mark, from_env, to_env};
use crate::provider::link::Local;
use crate::provider::values::{CommandLine, Time};
use crate::provider::yes;

/// A command that runs as one or more processes. A new version is started beside the old one, and
/// takes its place only once it has proved to work.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What to run: a line for the shell, or a list of a program and its arguments.
    pub command: CommandLine,
    /// Commands run one after another before a new version is started, while the one before goes on
    /// serving: installing, building, migrating. The new version is not started when one fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<CommandLine>,
    /// The folder to run it in, relative to the spec's file.
    #[serde(default = "here")]
    #[schemars(length(min = 1))]
    pub dir: String,
    /// Variables of the process. It gets `PORT` and `HOST` besides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Names of the variables whose values are secret and masked in logs; found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true, "list": "set"}))]
    pub secret_env: Option<Vec<String>>,
    /// The port it listens on. Unless set, each process is given a free one in `PORT`, and a new
    /// version can run beside the old one; with a port the old one is stopped first, and requests
    /// wait meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// Whether it listens on no port at all: a worker.
    #[serde(default)]
    pub worker: bool,
    /// How many processes run, each on a port of its own.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100))]
    pub instances: u32,
    /// When a process counts as working; that it accepts connections, unless a path is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// How a process is asked to end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Stop>,
    /// When a process that ended by itself is started again.
    #[serde(default)]
    pub restart: RestartWhen,
    /// How long requests under way may take after a new version has taken over.
    #[serde(default = "drain")]
    pub drain: Time,
    /// How many earlier versions are kept to go back to.
    #[serde(default = "keep")]
    #[schemars(range(max = 100))]
    pub keep: usize,
    /// Whether a change of the files in `dir` starts a new version.
    #[serde(default)]
    pub watch: bool,
    /// With `watch`: names of files and folders that do not count; `*` stands for anything. Hidden
    /// ones, logs, databases, `node_modules`, `target` and `__pycache__` never count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub ignore: Vec<String>,
    /// Hash of the watched files; found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
    /// Whether it runs; always wanted, so that one that is down is started again.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub running: bool,
}

/// When a process counts as working.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// The path to ask for. Without it, it is enough that connections are accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"))]
    pub path: Option<String>,
    /// The expected statuses; every 2xx and 3xx unless set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(range(min = 100, max = 599)), extend("x-fabrik" = {"list": "set"}))]
    pub status: Vec<u16>,
    /// Time between two tries.
    #[serde(default = "interval")]
    pub interval: Time,
    /// How long one try may take.
    #[serde(default = "timeout")]
    pub timeout: Time,
    /// How many failed tries make a running process unhealthy.
    #[serde(default = "retries")]
    #[schemars(range(min = 1))]
    pub retries: u32,
    /// How long it may take to start. With more than two minutes, raise the resource's `timeout`
    /// too.
    #[serde(default = "deadline")]
    pub deadline: Time,
}

/// How a process is asked to end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// How long it may take before it is killed.
    #[serde(default = "grace")]
    pub grace: Time,
    /// The signal that asks it to end.
    #[serde(default)]
    pub signal: Signal,
}

/// A signal that asks a process to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Signal {
    /// The usual one.
    #[default]
    #[serde(rename = "SIGTERM")]
    Term,
    /// As Ctrl-C.
    #[serde(rename = "SIGINT")]
    Int,
    /// As Ctrl-\\.
    #[serde(rename = "SIGQUIT")]
    Quit,
    /// As a closed terminal.
    #[serde(rename = "SIGHUP")]
    Hup,
    /// For the program's own use.
    #[serde(rename = "SIGUSR1")]
    Usr1,
    /// For the program's own use.
    #[serde(rename = "SIGUSR2")]
    Usr2,
}

/// When a process that ended by itself is started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestartWhen {
    /// Whatever its exit status was.
    #[default]
    Always,
    /// When it failed.
    OnFailure,
    /// Never.
    Never,
}

/// What is known of a service. All of it but its name changes with every version.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServiceOutputs {
    /// Where its first process answers, on this machine only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The port of its first process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The ports of its processes.
    pub ports: Vec<u16>,
    /// The folder it runs in: an absolute path.
    #[serde(default)]
    pub folder: String,
    /// The number of its version.
    pub generation: u64,
    /// How many processes it has.
    pub processes: usize,
}

fn here() -> String {
    ".".to_owned()
}
fn one() -> u32 {
    1
}
fn keep() -> usize {
    3
}
fn drain() -> Time {
    Time::secs(30)
}
fn interval() -> Time {
    Time::secs(1)
}
fn timeout() -> Time {
    Time::secs(5)
}
fn retries() -> u32 {
    3
}
fn deadline() -> Time {
    Time::secs(60)
}
fn grace() -> Time {
    Time::secs(10)
}

impl ServiceInputs {
    /// What to ask of the agent; `dir` is the absolute form of its folder.
    pub(super) fn wanted(&self, dir: &FilePath) -> Result<ServiceSpec> {
        let mut spec = ServiceSpec::new((&self.command).into(), dir);
        spec.prepare = self.prepare.iter().map(Into::into).collect();
        spec.env = to_env(&self.env, self.secret_env.as_ref());
        spec.port = match (self.port, self.worker) {
            (Some(_), true) => {
                return Err(
                    Error::new(ErrorKind::Invalid, "a worker has no port").field(Path::key("port"))
                );
            }
            (Some(port), false) => Port::Fixed(port),
            (None, true) => Port::None,
            (None, false) => Port::Auto,
        };
        spec.instances = self.instances;
        if let Some(health) = &self.health {
            spec.health = HealthCheck {
                path: health.path.clone(),
                status: health.status.clone(),
                interval: health.interval.0,
                timeout: health.timeout.0,
                retries: health.retries,
                deadline: health.deadline.0,
            };
        }
        if let Some(stop) = &self.stop {
            spec.stop = StopPolicy {
                signal: stop.signal.into(),
                grace: stop.grace.0,
            };
        }
        spec.restart = RestartPolicy {
            when: self.restart.into(),
            ..RestartPolicy::default()
        };
        spec.drain = self.drain.0;
        spec.keep = self.keep;
        let mark = Mark {
            dir: self.dir.clone(),
            watch: self.watch,
            ignore: self.ignore.clone(),
            content: self.content.clone(),
        };
        spec.spec_hash = serde_json::to_string(&mark)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        Ok(spec)
    }

    /// What the agent runs, and the paths it does not show.
    pub(super) fn of(
        name: &str,
        spec: &ServiceSpec,
        running: bool,
        local: &Local,
    ) -> (Self, Vec<Path>) {
        let mark = Mark::read(&spec.spec_hash);
        let shown = from_env(&spec.env);
        let inputs = Self {
            name: name.to_owned(),
            command: (&spec.command).into(),
            prepare: spec.prepare.iter().map(Into::into).collect(),
            dir: mark.dir(local, &spec.dir),
            secret_env: shown.secret,
            env: shown.env,
            port: match spec.port {
                Port::Fixed(port) => Some(port),
                Port::Auto | Port::None => None,
            },
            worker: spec.port == Port::None,
            instances: spec.instances,
            health: Some(Health {
                path: spec.health.path.clone(),
                status: spec.health.status.clone(),
                interval: Time(spec.health.interval),
                timeout: Time(spec.health.timeout),
                retries: spec.health.retries,
                deadline: Time(spec.health.deadline),
            }),
            stop: Some(Stop {
                grace: Time(spec.stop.grace),
                signal: spec.stop.signal.into(),
            }),
            restart: spec.restart.when.into(),
            drain: Time(spec.drain),
            keep: spec.keep,
            watch: mark.watch,
            ignore: mark.ignore,
            content: mark.content,
            running,
        };
        (inputs, shown.hidden)
    }
}

impl From<Signal> for StopSignal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Term => Self::Term,
            Signal::Int => Self::Int,
            Signal::Quit => Self::Quit,
            Signal::Hup => Self::Hup,
            Signal::Usr1 => Self::Usr1,
            Signal::Usr2 => Self::Usr2,
        }
    }
}

impl From<StopSignal> for Signal {
    fn from(signal: StopSignal) -> Self {
        match signal {
            StopSignal::Term => Self::Term,
            StopSignal::Int => Self::Int,
            StopSignal::Quit => Self::Quit,
            StopSignal::Hup => Self::Hup,
            StopSignal::Usr1 => Self::Usr1,
            StopSignal::Usr2 => Self::Usr2,
        }
    }
}

impl From<RestartWhen> for Restart {
    fn from(when: RestartWhen) -> Self {
        match when {
            RestartWhen::Always => Self::Always,
            RestartWhen::OnFailure => Self::OnFailure,
            RestartWhen::Never => Self::Never,
        }
    }
}

impl From<Restart> for RestartWhen {
    fn from(when: Restart) -> Self {
        match when {
            Restart::Always => Self::Always,
            Restart::OnFailure => Self::OnFailure,
            Restart::Never => Self::Never,
        }
    }
}
