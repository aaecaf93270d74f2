//! Starting the agent when it does not run.

use std::ffi::OsString;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

use crate::client::Client;
use crate::error::Error;
use crate::layout::Layout;
use crate::protocol::PROTOCOL_VERSION;
use crate::{marks, socket};

/// Pause between two looks for the agent.
const PAUSE: Duration = Duration::from_millis(10);
/// How long another agent may take to answer after ours found that it is not needed.
const YIELD: Duration = Duration::from_secs(5);
/// Size at which the agent's own log starts anew.
const LOG_MAX: u64 = 1024 * 1024;

/// How to start the agent of a state directory.
#[derive(Clone)]
pub struct AgentLaunch {
    /// The program: an absolute path, usually the running program's own.
    pub program: PathBuf,
    /// Arguments that make it call [`run_agent`](crate::run_agent) with this state directory.
    pub args: Vec<OsString>,
    /// The whole environment of the agent. It lives long, so it should get what its services need
    /// (`PATH`, `HOME`, `LANG`) and no tokens.
    pub env: Vec<(OsString, OsString)>,
    /// The state directory: an absolute path. It is made if it is missing.
    pub state_dir: PathBuf,
    /// How long to wait until the agent answers.
    pub ready_within: Duration,
}

impl AgentLaunch {
    /// A launch of `program` with no arguments and an empty environment.
    pub fn new(program: impl Into<PathBuf>, state_dir: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            state_dir: state_dir.into(),
            ready_within: Duration::from_secs(20),
        }
    }
}

impl fmt::Debug for AgentLaunch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("AgentLaunch")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("env", &names)
            .field("state_dir", &self.state_dir)
            .field("ready_within", &self.ready_within)
            .finish()
    }
}

/// Connects to the agent of a state directory, or launches it and waits until it answers. Two
/// callers at the same time get the same agent.
///
/// The agent is launched detached: in a session of its own, without standard input, its output in
/// `agent.log` of the state directory.
pub async fn ensure_agent(launch: AgentLaunch) -> Result<Client, Error> {
    let client = Client::launching(launch.clone());
    if answers(&client).await? {
        return Ok(client);
    }
    start(&launch).await?;
    Ok(client)
}

/// Whether an agent answers, and speaks our protocol.
async fn answers(client: &Client) -> Result<bool, Error> {
    match client.hello().await {
        Ok(hello) if hello.protocol == PROTOCOL_VERSION => Ok(true),
        Ok(hello) => Err(Error::VersionMismatch {
            agent: hello.protocol,
            client: PROTOCOL_VERSION,
        }),
        Err(error) if error.is_temporary() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Launches an agent and waits until it, or another one launched meanwhile, answers.
pub(crate) async fn start(launch: &AgentLaunch) -> Result<(), Error> {
    let client = Client::new(&launch.state_dir);
    let deadline = Instant::now() + launch.ready_within;
    let mut child = spawn(launch)?;
    let mut given_up = None;
    loop {
        if answers(&client).await? {
            // Reaps the agent if it ends while this program still runs.
            tokio::spawn(async move { child.wait().await });
            return Ok(());
        }
        let now = Instant::now();
        if given_up.is_none() && exited(&mut child) {
            given_up = Some(now + YIELD);
        }
        if given_up.is_some_and(|until| now > until) {
            return Err(Error::Launch {
                reason: format!("it ended at once{}", last_words(launch)),
            });
        }
        if now > deadline {
            let waited = launch.ready_within.as_secs();
            let reason = format!("it did not answer within {waited} s{}", last_words(launch));
            return Err(Error::Launch { reason });
        }
        sleep(PAUSE).await;
    }
}

fn exited(child: &mut Child) -> bool {
    matches!(child.try_wait(), Ok(Some(_)))
}

fn spawn(launch: &AgentLaunch) -> Result<Child, Error> {
    if !launch.state_dir.is_absolute() {
        return Err(Error::invalid("state_dir", "must be an absolute path"));
    }
    socket::private_dir(&launch.state_dir)
        .map_err(|error| Error::file("make", &launch.state_dir, error))?;
    let failed = |error: std::io::Error| Error::Launch {
        reason: format!("`{}`: {error}", launch.program.display()),
    };
    let log = open_log(launch).map_err(failed)?;
    let env = launch.env.iter().filter(|(name, _)| !marks::is_mark(name));
    Command::new(&launch.program)
        .args(&launch.args)
        .env_clear()
        .envs(env.map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::from(log.try_clone().map_err(failed)?))
        .stderr(Stdio::from(log))
        .spawn()
        .map_err(failed)
}

fn open_log(launch: &AgentLaunch) -> std::io::Result<File> {
    let path = Layout::new(&launch.state_dir).agent_log();
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    if log.metadata()?.len() > LOG_MAX {
        log.set_len(0)?;
    }
    Ok(log)
}

/// The end of what the agent wrote, as the tail of an error message.
fn last_words(launch: &AgentLaunch) -> String {
    const BYTES: u64 = 2000;
    let read = || -> std::io::Result<String> {
        let mut log = File::open(Layout::new(&launch.state_dir).agent_log())?;
        log.seek(SeekFrom::Start(log.metadata()?.len().saturating_sub(BYTES)))?;
        let mut text = Vec::new();
        log.read_to_end(&mut text)?;
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    };
    match read() {
        Ok(text) if !text.is_empty() => format!("; the end of its log:\n{text}"),
        _ => String::new(),
    }
}
