//! Everything from outside the program, gathered in one place and passed in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, IsTerminal as _, Write};
use std::path::PathBuf;
use std::sync::Arc;

use fabrik_core::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use fabrik_core::state::ProcLiveness;

use crate::env_vars;

/// What the terminal is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Standard input is one: somebody can answer.
    pub stdin: bool,
    /// Standard output is one.
    pub stdout: bool,
    /// Standard error is one.
    pub stderr: bool,
    /// Columns, when known.
    pub width: Option<usize>,
}

/// Who runs this, where.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Login name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Process id.
    pub pid: u32,
    /// Whether other processes of this machine live.
    pub liveness: Option<ProcLiveness>,
}

/// The outside of one run of the program.
pub struct World {
    /// The words of the command line, the program's name first.
    pub args: Vec<OsString>,
    /// Environment variables; those that are not UTF-8 are left out.
    pub env: BTreeMap<String, String>,
    /// The current directory.
    pub cwd: PathBuf,
    /// This program's file.
    pub program: PathBuf,
    /// What the terminal is.
    pub terminal: Terminal,
    /// Who runs this.
    pub identity: Identity,
    /// Standard input.
    pub stdin: Box<dyn BufRead + Send>,
    /// Standard output: data.
    pub stdout: Box<dyn Write + Send>,
    /// Standard error: everything else.
    pub stderr: Box<dyn Write + Send>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Whether this is a process of its own: signals are listened to, panics and logs are taken
    /// over. Not so when run inside another program or a test.
    pub process: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment may hold secrets.
        f.debug_struct("World")
            .field("args", &self.args)
            .field("cwd", &self.cwd)
            .finish_non_exhaustive()
    }
}

impl World {
    /// The world of this process.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that looks at the process's surroundings"
    )]
    pub fn of_process() -> World {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let terminal = Terminal {
            stdin: std::io::stdin().is_terminal(),
            stdout: std::io::stdout().is_terminal(),
            stderr: std::io::stderr().is_terminal(),
            width: terminal_width(),
        };
        let host = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let identity = Identity {
            user: user(&env),
            liveness: Some(liveness(&host)),
            host,
            pid: std::process::id(),
        };
        World {
            args: std::env::args_os().collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("fabrik")),
            env,
            terminal,
            identity,
            stdin: Box::new(std::io::BufReader::new(std::io::stdin())),
            stdout: Box::new(std::io::stdout()),
            stderr: Box::new(std::io::stderr()),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            process: true,
        }
    }

    /// A variable, when it is set to something.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// Columns of the output: of the terminal, else `COLUMNS`, else 80.
    pub fn width(&self) -> usize {
        let told = || self.var(env_vars::COLUMNS)?.parse().ok();
        self.terminal
            .width
            .or_else(told)
            .filter(|width| *width >= 40)
            .unwrap_or(80)
    }

    /// Where data of this user is kept: `XDG_DATA_HOME/fabrik` or `~/.local/share/fabrik`.
    pub fn data_dir(&self) -> Option<PathBuf> {
        let base = match self.var(env_vars::XDG_DATA_HOME).map(PathBuf::from) {
            // The specification says that a relative path is to be ignored.
            Some(path) if path.is_absolute() => path,
            _ => PathBuf::from(self.var(env_vars::HOME)?).join(".local/share"),
        };
        Some(base.join("fabrik"))
    }
}

fn user(env: &BTreeMap<String, String>) -> String {
    [env_vars::FABRIK_USER, env_vars::USER, "LOGNAME"]
        .iter()
        .find_map(|name| env.get(*name).filter(|value| !value.is_empty()).cloned())
        .or_else(login_name)
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}

/// The name the system has for this user.
fn login_name() -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The wall clock, for a helper process that keeps its own time.
#[expect(
    clippy::disallowed_methods,
    reason = "helper processes are given this as their clock"
)]
pub(crate) fn system_time() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// What tells the processes of this machine apart.
fn liveness(host: &str) -> ProcLiveness {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    ProcLiveness::new(
        host,
        read("/etc/machine-id"),
        read("/proc/sys/kernel/random/boot_id"),
        namespace.to_string_lossy(),
        "/proc",
    )
}

fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr())
        .or_else(|_| rustix::termios::tcgetwinsize(std::io::stdout()))
        .ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Keeps what is typed from being shown, until dropped. Does nothing without a terminal.
pub struct EchoOff(Option<rustix::termios::Termios>);

impl EchoOff {
    /// Turns the echo off.
    pub fn new(terminal: Terminal) -> EchoOff {
        if !terminal.stdin {
            return EchoOff(None);
        }
        let Ok(before) = rustix::termios::tcgetattr(std::io::stdin()) else {
            return EchoOff(None);
        };
        let mut silent = before.clone();
        silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
        match rustix::termios::tcsetattr(
            std::io::stdin(),
            rustix::termios::OptionalActions::Flush,
            &silent,
        ) {
            Ok(()) => EchoOff(Some(before)),
            Err(_) => EchoOff(None),
        }
    }
}

impl Drop for EchoOff {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // Nothing better can be done in a destructor.
            _ = rustix::termios::tcsetattr(
                std::io::stdin(),
                rustix::termios::OptionalActions::Flush,
                before,
            );
        }
    }
}

impl std::fmt::Debug for EchoOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("EchoOff").field(&self.0.is_some()).finish()
    }
}
