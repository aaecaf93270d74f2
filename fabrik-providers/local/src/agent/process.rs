//! One process and everything that it started: start, adopt, wait, stop.
//!
//! A process leads a process group of its own and carries marks in its environment. Both are used
//! to find what it started: the group finds what cleared its environment, the marks find what left
//! the group. Output goes to a file, so a process does not depend on the agent's life.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::agent::procfs;
use crate::marks;
use crate::model::{Command, Env, StopPolicy, StopSignal};
use crate::records::{Identity, RunRecord};

/// Pause between two looks at whether something has ended.
const PAUSE: Duration = Duration::from_millis(20);
/// Pause between two looks at a process that an earlier agent started.
const STRANGER_PAUSE: Duration = Duration::from_millis(100);
/// How long what was killed may take to be gone.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// What a process is started with.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) command: &'a Command,
    pub(crate) dir: &'a Path,
    pub(crate) base_env: &'a Env,
    pub(crate) env: &'a Env,
    pub(crate) port: Option<u16>,
    pub(crate) agent_mark: &'a str,
    pub(crate) run_mark: &'a str,
    pub(crate) log: File,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) identity: Identity,
    mark: String,
    /// Absent for one that an earlier agent started.
    child: Option<Child>,
}

/// How a process ended.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    /// Whether it is known to have succeeded.
    pub(crate) success: bool,
    /// In words.
    pub(crate) text: String,
}

impl Process {
    /// Starts a process.
    pub(crate) fn start(start: Start<'_>) -> io::Result<Self> {
        let mut command = command_line(start.command, start.dir);
        command
            .current_dir(start.dir)
            .env_clear()
            .envs(plain(start.base_env))
            .env("HOST", "127.0.0.1")
            .envs(plain(start.env))
            .env(marks::AGENT, start.agent_mark)
            .env(marks::RUN, start.run_mark)
            .stdin(Stdio::null())
            .stdout(start.log.try_clone()?)
            .stderr(start.log)
            .process_group(0);
        if let Some(port) = start.port {
            command.env("PORT", port.to_string());
        }
        let mut child = command.spawn()?;
        let gone = || io::Error::other("it was gone at once");
        let pid = child.id().ok_or_else(gone)?;
        let identity = procfs::identity(pid).inspect_err(|_| {
            let _ = child.start_kill();
        })?;
        Ok(Self {
            identity,
            mark: start.run_mark.to_owned(),
            child: Some(child),
        })
    }

    /// Why a process could not be started, in words that say what to look at.
    pub(crate) fn not_started(command: &Command, dir: &Path, error: &io::Error) -> String {
        let program = match command {
            Command::Shell(_) => "/bin/sh",
            Command::Argv(words) => words.first().map_or("", String::as_str),
        };
        match error.kind() {
            io::ErrorKind::NotFound if !dir.is_dir() => {
                format!("there is no folder `{}`", dir.display())
            }
            io::ErrorKind::NotFound if program.contains('/') => {
                format!("there is no program `{program}` in `{}`", dir.display())
            }
            io::ErrorKind::NotFound => format!("the command `{program}` was not found"),
            io::ErrorKind::PermissionDenied => {
                format!("`{program}` may not be run: it is not marked as executable")
            }
            _ => format!("`{program}` could not be started: {error}"),
        }
    }

    /// Takes up a process that an earlier agent started; `None` if it does not run any more.
    pub(crate) fn adopt(run: &RunRecord) -> Option<Self> {
        procfs::is_running(&run.identity).then(|| Self {
            identity: run.identity.clone(),
            mark: run.mark.clone(),
            child: None,
        })
    }

    /// A handle on what an earlier run may have left, to end it.
    pub(crate) fn remains(run: &RunRecord) -> Self {
        Self {
            identity: run.identity.clone(),
            mark: run.mark.clone(),
            child: None,
        }
    }

    /// Waits until the process has ended by itself.
    pub(crate) async fn ended(&mut self) -> Exit {
        let Some(child) = &mut self.child else {
            wait_for_stranger(&self.identity).await;
            return Exit {
                success: false,
                text: "ended".to_owned(),
            };
        };
        match child.wait().await {
            Ok(status) => Exit::from(status),
            Err(error) => Exit {
                success: false,
                text: format!("ended ({error})"),
            },
        }
    }

    /// Ends the process and everything it started: asks, waits, then kills what is left.
    pub(crate) async fn stop(&mut self, policy: &StopPolicy) {
        if procfs::is_running(&self.identity) {
            self.signal_all(signal(policy.signal));
            let until = Instant::now() + policy.grace;
            while Instant::now() < until && !self.all_gone() {
                sleep(PAUSE).await;
            }
        }
        self.kill_rest().await;
    }

    /// Kills everything that is left of the process.
    pub(crate) async fn kill_rest(&mut self) {
        let until = Instant::now() + KILL_PATIENCE;
        while !self.all_gone() {
            self.signal_all(Signal::KILL);
            if Instant::now() > until {
                tracing::warn!(pid = self.identity.pid, "a killed process does not go away");
                return;
            }
            sleep(PAUSE).await;
        }
    }

    /// Ids of the process and of everything it started that still runs.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.members().into_iter().map(|stat| stat.pid).collect()
    }

    fn members(&self) -> Vec<procfs::Stat> {
        if procfs::boot_id().is_ok_and(|boot_id| boot_id != self.identity.boot_id) {
            return Vec::new();
        }
        // While a member of the group lives, its number is not given to another process; if
        // there is a process of this number that is not ours, our group is gone.
        let leader = procfs::stat(self.identity.pid);
        let group_is_ours = leader.is_none_or(|stat| stat.start_time == self.identity.start_time);
        procfs::all()
            .filter(|stat| {
                (group_is_ours && stat.group == self.identity.pid)
                    || procfs::variable(stat.pid, marks::RUN).as_ref() == Some(&self.mark)
            })
            .collect()
    }

    fn all_gone(&mut self) -> bool {
        if let Some(child) = &mut self.child {
            // Reaps it.
            let _ = child.try_wait();
        }
        !procfs::is_running(&self.identity) && self.pids().is_empty()
    }

    fn signal_all(&self, signal: Signal) {
        let members = self.members();
        if members.iter().any(|stat| stat.group == self.identity.pid)
            && let Some(group) = raw(self.identity.pid)
        {
            // In one go, so that nothing is started in between.
            let _ = rustix::process::kill_process_group(group, signal);
        }
        for stat in members
            .iter()
            .filter(|stat| stat.group != self.identity.pid)
        {
            kill(stat.pid, signal);
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        let text = match (status.code(), status.signal()) {
            // What shells say of commands they cannot run.
            (Some(127), _) => "ended with exit code 127 (a command was not found)".to_owned(),
            (Some(126), _) => "ended with exit code 126 (a command may not be run)".to_owned(),
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        Self {
            success: status.success(),
            text,
        }
    }
}

/// Kills what an earlier agent started and no record knows: it was killed itself between the
/// start and the note of it.
pub(crate) fn kill_strays(agent_mark: &str, known: &BTreeSet<String>) {
    let ourselves = std::process::id();
    for stat in procfs::all().filter(|stat| stat.pid != ourselves) {
        let ours = procfs::variable(stat.pid, marks::AGENT).as_deref() == Some(agent_mark);
        if ours && procfs::variable(stat.pid, marks::RUN).is_none_or(|run| !known.contains(&run)) {
            tracing::warn!(pid = stat.pid, "killing a process that no record knows");
            kill(stat.pid, Signal::KILL);
        }
    }
}

fn command_line(command: &Command, dir: &Path) -> tokio::process::Command {
    match command {
        Command::Shell(line) => {
            let mut shell = tokio::process::Command::new("/bin/sh");
            shell.args(["-c", line]);
            shell
        }
        Command::Argv(words) => {
            let (program, args) = words.split_first().map_or(("", &[][..]), |(p, a)| (p, a));
            let mut command = if program.contains('/') {
                tokio::process::Command::new(dir.join(program))
            } else {
                tokio::process::Command::new(program)
            };
            command.args(args);
            command
        }
    }
}

fn plain(env: &Env) -> impl Iterator<Item = (&str, &str)> {
    env.iter().map(|(name, value)| (name, value.expose()))
}

fn raw(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn kill(pid: u32, signal: Signal) {
    if let Some(pid) = raw(pid) {
        // It may be gone by now, which is as good.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

fn signal(signal: StopSignal) -> Signal {
    match signal {
        StopSignal::Term => Signal::TERM,
        StopSignal::Int => Signal::INT,
        StopSignal::Quit => Signal::QUIT,
        StopSignal::Hup => Signal::HUP,
        StopSignal::Usr1 => Signal::USR1,
        StopSignal::Usr2 => Signal::USR2,
    }
}

/// Waits for the end of a process that is not our child. Nobody tells us of it, so we look; one
/// look costs some microseconds.
async fn wait_for_stranger(identity: &Identity) {
    while procfs::is_running(identity) {
        sleep(STRANGER_PAUSE).await;
    }
}
