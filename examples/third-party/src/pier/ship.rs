//! `pier.ship`.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, LogLine, LogOptions, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{self, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, named};
use crate::{failed, taken};

/// A process that runs from a copy of its source.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipSpec {
    /// Its name, unique on the pier.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The folder it runs in.
    pub dir: String,
    /// Hash of that folder: another one starts it anew.
    pub cargo: String,
    /// The port it is told in `PORT`.
    pub port: u16,
    /// A line for the shell; what the `Dockerfile` has as `CMD` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Variables of the process.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Seconds it may take to end before it is killed.
    #[serde(default = "grace")]
    pub grace: u64,
    /// Whether it runs; always wanted, so that one that ended is started again by the next apply.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub running: bool,
}

fn grace() -> u64 {
    10
}

fn yes() -> bool {
    true
}

/// What is known of a ship.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ShipOutputs {
    /// The id of its process.
    pub pid: u32,
}

/// What is kept of a ship: its process is told from a later one of the same id by when it started.
#[derive(Serialize, Deserialize)]
struct Kept {
    spec: ShipSpec,
    pid: u32,
    started: u64,
}

/// `pier.ship`: a process.
#[derive(Clone, Copy, Debug)]
pub struct Ship;

const KIND: &str = "ships";

/// When a process started, in ticks since the machine did; `None` when it does not run.
fn started(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    // One that ended and waits to be noticed does not run.
    (*fields.first()? != "Z").then(|| fields.get(19)?.parse().ok())?
}

impl Kept {
    fn runs(&self) -> bool {
        started(self.pid) == Some(self.started)
    }

    /// Asks the process and all it started to end, and kills what is left.
    fn end(&self) {
        let until = Instant::now() + Duration::from_secs(self.spec.grace);
        let mut signal = "-TERM";
        while self.runs() {
            let group = format!("-{}", self.pid);
            let _ = Command::new("kill").args([signal, "--", &group]).status();
            std::thread::sleep(Duration::from_millis(50));
            if Instant::now() > until {
                signal = "-KILL";
            }
        }
    }
}

fn observe(pier: &Config, name: &str) -> Result<Option<Observed<ShipSpec, ShipOutputs>>> {
    let kept: Option<Kept> = pier.load(KIND, name)?;
    Ok(kept.map(|kept| {
        let spec = ShipSpec {
            running: kept.runs(),
            ..kept.spec.clone()
        };
        let mut observed = Observed::new(spec, ShipOutputs { pid: kept.pid });
        // Values may be secrets, and what is hidden counts as last sent.
        observed.hidden = vec![value::Path::key("env")];
        observed
    }))
}

/// The program that a container of this source would start.
fn of_dockerfile(dir: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(dir.join("Dockerfile")).ok()?;
    let mut lines = text.lines().rev().map(str::trim);
    let words = lines.find_map(|line| line.strip_prefix("CMD "))?;
    serde_json::from_str(words).ok()
}

fn launch(pier: &Config, spec: &ShipSpec) -> Result<ShipOutputs> {
    let (log, _) = pier.place(KIND, &spec.name);
    let dir = Path::new(&spec.dir);
    let mut command = match &spec.command {
        Some(line) => {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", line]);
            shell
        }
        None => {
            let words = of_dockerfile(dir).unwrap_or_default();
            let Some((program, arguments)) = words.split_first() else {
                return Err(Error::new(ErrorKind::Invalid, "nothing says what to start")
                    .field(value::Path::key("command"))
                    .effect(Effect::None)
                    .hint("set `command` below `pier`, or give the Dockerfile a `CMD [\u{2026}]`"));
            };
            let mut command = Command::new(program);
            command.args(arguments);
            command
        }
    };
    let file = std::fs::create_dir_all(pier.dir.join(KIND))
        .and_then(|()| File::create(&log))
        .map_err(|error| failed("opening the log", &error))?;
    let output = OpenOptions::new().append(true).open(&log);
    let output = output.map_err(|error| failed("opening the log", &error))?;
    let mut child = command
        .current_dir(dir)
        .envs(&spec.env)
        .env("HOST", "127.0.0.1")
        .env("PORT", spec.port.to_string())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(file)
        .process_group(0)
        .spawn()
        .map_err(|error| failed("starting the program", &error))?;
    // One that does not stay is not worth a check.
    std::thread::sleep(Duration::from_millis(300));
    let ended = child.try_wait().map_err(|error| failed("looking at the program", &error))?;
    let (pid, since) = (child.id(), started(child.id()));
    let (None, Some(since)) = (ended, since) else {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let last = lines.len().saturating_sub(20);
        let how = ended.map_or_else(|| "ended".to_owned(), |status| status.to_string());
        return Err(
            Error::new(ErrorKind::CheckFailed, format!("`{}` ended at once: {how}", spec.name))
                .effect(Effect::None)
                .log_tail(lines.into_iter().skip(last)),
        );
    };
    let kept = Kept {
        spec: spec.clone(),
        pid,
        started: since,
    };
    pier.store(KIND, &spec.name, &kept)?;
    Ok(ShipOutputs { pid })
}

impl Resource for Ship {
    const TYPE: &'static str = "pier.ship";
    type Client = Config;
    type Spec = ShipSpec;
    type Outputs = ShipOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            volatile: vec![value::Path::key("pid")],
            ..named(info, "A process that runs from a copy of its source.")
        }
    }

    async fn create(
        &self,
        _: &Cx,
        pier: &Config,
        spec: &ShipSpec,
    ) -> Result<Created<ShipOutputs>> {
        if observe(pier, &spec.name)?.is_some() {
            return Err(taken("ship", &spec.name));
        }
        Ok(Created::new(spec.name.clone(), launch(pier, spec)?))
    }

    async fn read(
        &self,
        _: &Cx,
        pier: &Config,
        id: &str,
    ) -> Result<Option<Observed<ShipSpec, ShipOutputs>>> {
        observe(pier, id)
    }

    /// The old one ends before the new one starts: there is one berth.
    async fn update(
        &self,
        _: &Cx,
        pier: &Config,
        id: &str,
        change: &Change<'_, ShipSpec>,
    ) -> Result<ShipOutputs> {
        let old: Option<Kept> = pier.load(KIND, id)?;
        if let Some(old) = &old {
            old.end();
        }
        let launched = launch(pier, change.spec);
        if let (Err(_), Some(old)) = (&launched, old) {
            // Better the old one than none.
            let _ = launch(pier, &old.spec);
        }
        launched
    }

    async fn delete(&self, _: &Cx, pier: &Config, id: &str) -> Result<()> {
        let kept: Option<Kept> = pier.load(KIND, id)?;
        if let Some(kept) = kept {
            kept.end();
        }
        let (log, _) = pier.place(KIND, id);
        let _ = std::fs::remove_file(log);
        pier.forget(KIND, id)
    }

    async fn plan(&self, _: &Cx, _: &Config, proposal: Proposal<'_>) -> Result<Planned> {
        let running = value::Path::key("running");
        Ok(Planned {
            inputs: proposal.desired.with(&running, Value::from(true)),
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        _: &Cx,
        pier: &Config,
        _: OpId,
        spec: &ShipSpec,
    ) -> Result<Option<Found<ShipSpec, ShipOutputs>>> {
        Ok(observe(pier, &spec.name)?.map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }

    async fn logs(
        &self,
        _: &Cx,
        pier: &Config,
        id: &str,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let (log, _) = pier.place(KIND, id);
        let text = std::fs::read_to_string(log).map_err(|error| failed("reading the log", &error))?;
        let known: usize = options.after.as_deref().and_then(|at| at.parse().ok()).unwrap_or(0);
        let lines: Vec<&str> = text.lines().collect();
        let tail = options.tail.unwrap_or(100);
        let from = known.max(lines.len().saturating_sub(tail));
        let lines = lines.iter().enumerate().skip(from);
        Ok(lines
            .map(|(at, line)| LogLine {
                stream: id.to_owned(),
                text: (*line).to_owned(),
                cursor: (at + 1).to_string(),
            })
            .collect())
    }
}
