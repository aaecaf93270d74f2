//! What a test stands in: a state directory with an agent, and a way to send requests.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fabrik_provider_local::{
    AgentLaunch, Client, Command, Error, GenerationInfo, RouteInfo, RouteSpec, ServiceSpec, Target,
    ensure_agent,
};
use rustix::process::{Pid, Signal};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::helper::{ARGS, ROLE, WORLD};

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// A state directory with an agent. Whatever is left of it is killed at the end.
pub(crate) struct World {
    dir: TempDir,
    pub(crate) client: Client,
    pub(crate) launch: AgentLaunch,
}

impl World {
    /// An agent that stays although it has nothing to do.
    pub(crate) async fn new() -> Self {
        Self::with(Duration::from_mins(10), "state").await
    }

    pub(crate) async fn with(idle_exit: Duration, below: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let launch = launch(dir.path(), &dir.path().join(below), idle_exit);
        let client = ensure_agent(launch.clone()).await.unwrap();
        Self {
            dir,
            client,
            launch,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn state_dir(&self) -> &Path {
        &self.launch.state_dir
    }

    /// A spec of the test server.
    pub(crate) fn server(&self, version: &str) -> ServiceSpec {
        let mut spec = role("server", self.path());
        spec.env.set("VERSION", version);
        spec.health.path = Some("/health".to_owned());
        spec.health.deadline = PATIENCE;
        version.clone_into(&mut spec.spec_hash);
        spec
    }

    /// Deploys the test server and routes `NAME.localhost` to it.
    pub(crate) async fn serve(&self, name: &str, version: &str) -> GenerationInfo {
        let spec = self.server(version);
        let made = self
            .client
            .deploy_service(name, version, &spec)
            .await
            .unwrap();
        self.route(name, Target::Service(name.to_owned())).await;
        made
    }

    pub(crate) async fn route(&self, name: &str, target: Target) -> RouteInfo {
        let spec = RouteSpec::host(format!("{name}.localhost"), target);
        self.client.put_route(name, &spec).await.unwrap()
    }

    /// The port on which the agent serves.
    pub(crate) async fn port(&self) -> u16 {
        self.client.status().await.unwrap().listen[0].port()
    }

    /// Sends a GET request for `NAME.localhost`.
    pub(crate) async fn get(&self, name: &str, path: &str) -> Reply {
        get(self.port().await, &format!("{name}.localhost"), path).await
    }

    /// Kills the agent and nothing else.
    pub(crate) async fn kill_agent(&self) {
        let pid = self.client.hello().await.unwrap().pid;
        kill_process(pid);
        until("the agent is gone", || !is_running(pid)).await;
    }

    /// Ids of all processes of this world, the agent included.
    pub(crate) fn processes(&self) -> Vec<u32> {
        processes_with(&format!("{WORLD}={}", self.path().display()))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The agent first, for it would start others again.
        for _ in 0..3 {
            self.processes().into_iter().for_each(kill_process);
        }
    }
}

pub(crate) fn launch(world: &Path, state_dir: &Path, idle_exit: Duration) -> AgentLaunch {
    let mut launch = AgentLaunch::new(exe(), state_dir);
    launch.args = ARGS.iter().map(Into::into).collect();
    launch.ready_within = PATIENCE;
    launch.env = vec![
        (ROLE.into(), "agent".into()),
        (WORLD.into(), world.into()),
        ("STATE_DIR".into(), state_dir.into()),
        ("IDLE_MS".into(), idle_exit.as_millis().to_string().into()),
    ];
    launch
}

/// A spec of the test binary in some role.
pub(crate) fn role(role: &str, dir: &Path) -> ServiceSpec {
    let mut words = vec![exe().to_str().unwrap().to_owned()];
    words.extend(ARGS.map(str::to_owned));
    let mut spec = ServiceSpec::new(Command::Argv(words), dir);
    spec.env.set(ROLE, role);
    spec.health.interval = Duration::from_millis(100);
    spec.restart.backoff = Duration::from_millis(20);
    spec
}

pub(crate) fn exe() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub(crate) async fn get(port: u16, host: &str, path: &str) -> Reply {
    send(
        port,
        &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
    )
    .await
    .unwrap()
}

/// Sends a request as it stands and reads until the connection ends.
pub(crate) async fn send(port: u16, request: &str) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| std::io::Error::other(format!("no head in {text:?}")))?;
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default();
    Ok(Reply {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waited = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited)
        .await
        .unwrap_or_else(|_| panic!("not so: {what}"));
}

/// Asks the agent until an answer is as wanted.
pub(crate) async fn until_service(
    client: &Client,
    name: &str,
    mut so: impl FnMut(&GenerationInfo) -> bool,
) -> GenerationInfo {
    let waited = async {
        loop {
            let info: Result<_, Error> = client.service(name).await;
            if let Some(live) = info.unwrap().and_then(|info| info.live)
                && so(&live)
            {
                return live;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waited)
        .await
        .expect("the service never got there")
}

pub(crate) fn kill_process(pid: u32) {
    if let Some(pid) = Pid::from_raw(pid.try_into().unwrap()) {
        let _ = rustix::process::kill_process(pid, Signal::KILL);
    }
}

/// Whether a process runs, and does not only wait to be noticed as ended.
pub(crate) fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .starts_with(['Z', 'X'])
    })
}

/// Processes that have a variable in their environment, in the form `NAME=value`.
pub(crate) fn processes_with(variable: &str) -> Vec<u32> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environ
                .split(|byte| *byte == 0)
                .any(|entry| entry == variable.as_bytes())
        })
        .filter(|pid| is_running(*pid))
        .collect()
}
