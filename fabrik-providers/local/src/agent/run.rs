//! The life of the agent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::agent::activity::Activity;
use crate::agent::book::blocking;
use crate::agent::databases::Databases;
use crate::agent::http::{AccessLog, Listeners, Web, bind};
use crate::agent::jobs::Jobs;
use crate::agent::lock::AgentLock;
use crate::agent::monitors::Monitors;
use crate::agent::ports::Ports;
use crate::agent::registry::Registry;
use crate::agent::routes::Routes;
use crate::agent::service::{Service, check_all};
use crate::agent::shared::Shared;
use crate::agent::sites::Sites;
use crate::agent::table::Table;
use crate::agent::{Agent, Quit, bucket, control};
use crate::error::Error;
use crate::layout::Layout;
use crate::marks;
use crate::model::Env;
use crate::records::{self, AgentRecord, FORMAT};
use crate::socket;

/// How long clients may take to read their last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// Pause between two looks at the size of log files.
const ROTATION: Duration = Duration::from_secs(10);

/// What an agent needs to know. The library reads no environment and no clock of its own.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// The directory of everything the agent keeps: an absolute path. Made with mode 0700.
    pub state_dir: PathBuf,
    /// Addresses to serve HTTP on. One that the machine does not have is left out.
    pub addresses: Vec<IpAddr>,
    /// The port to serve HTTP on; if it is taken, the next free one is used and remembered. 0
    /// means any free port.
    pub port: u16,
    /// How long the agent stays when it has nothing to run or to serve yet. Once it had something,
    /// it goes shortly after the last of it.
    pub idle_exit: Duration,
    /// Variables that every process gets, such as `PATH` and `HOME`.
    pub base_env: Env,
    /// Whether to leave the terminal's session, so that closing the terminal ends nothing.
    pub detach: bool,
    /// Tells the time.
    pub clock: fn() -> SystemTime,
    /// Version of the program, for those who ask.
    pub version: String,
}

impl AgentConfig {
    /// An agent on loopback, port 8080, that stays one minute when nothing is left, and detaches.
    pub fn new(state_dir: impl Into<PathBuf>, clock: fn() -> SystemTime) -> Self {
        Self {
            state_dir: state_dir.into(),
            addresses: vec![
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ],
            port: 8080,
            idle_exit: Duration::from_mins(1),
            base_env: Env::new(),
            detach: true,
            clock,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// Runs the agent until nothing is left to do or it is asked to end.
///
/// Needs a runtime with I/O and time enabled. Ends with [`Error::AlreadyRunning`] if another agent
/// serves the directory. On SIGTERM, SIGINT or SIGHUP the agent ends and its processes go on; the
/// next agent takes them up again, as it does after the agent was killed.
pub async fn run_agent(config: AgentConfig) -> Result<(), Error> {
    if config.detach {
        // Fails only if it leads a session already.
        let _ = rustix::process::setsid();
    }
    if !config.state_dir.is_absolute() {
        return Err(Error::invalid("state_dir", "must be an absolute path"));
    }
    socket::private_dir(&config.state_dir)
        .map_err(|error| Error::file("make", &config.state_dir, error))?;
    let state_dir = config
        .state_dir
        .canonicalize()
        .map_err(|error| Error::file("open", &config.state_dir, error))?;
    let layout = Layout::new(&state_dir);
    let lock = AgentLock::take(&layout).await?;
    raise_file_limit();
    let started = start(&config, layout.clone()).await;
    let (agent, listeners) = match started {
        Ok(started) => started,
        Err(error) => {
            lock.release();
            return Err(error);
        }
    };
    let quit = serve(&agent, listeners, &config, &lock).await;
    finish(&agent, lock, quit?).await
}

/// Takes up what is stored, and listens. The socket comes last: an agent that answers is ready.
async fn start(
    config: &AgentConfig,
    layout: Layout,
) -> Result<(Arc<Agent>, (Listeners, UnixListener)), Error> {
    for dir in [
        layout.services(),
        layout.sites(),
        layout.buckets(),
        layout.logs(),
    ] {
        socket::private_dir(&dir).map_err(|error| Error::file("make", &dir, error))?;
    }
    let shared = Arc::new(Shared {
        mark: marks::agent_mark(layout.root()),
        layout: layout.clone(),
        base_env: config.base_env.clone(),
        ports: Ports::default(),
        clock: config.clock,
        orphaned: AtomicBool::new(false),
    });
    let listeners = listen(config, &layout).await?;
    let sites = {
        let shared = Arc::clone(&shared);
        blocking(move || Sites::open(&shared)).await?
    };
    let routes = {
        let path = layout.routes();
        blocking(move || Routes::open(path)).await?
    };
    let (monitors, databases, jobs, hosts, claims) = {
        let shared = Arc::clone(&shared);
        blocking(move || {
            let layout = &shared.layout;
            let databases = Arc::new(Databases::open(&shared)?);
            Ok((
                Monitors::open(&shared)?,
                Arc::clone(&databases),
                Jobs::open(&shared, &databases)?,
                Table::open(layout.host_names(), &shared)?,
                Table::open(layout.claims(), &shared)?,
            ))
        })
        .await?
    };
    let found = {
        let shared = Arc::clone(&shared);
        blocking(move || check_all(&shared)).await?
    };
    let registry = Arc::new(Registry::default());
    for record in found {
        let name = record.name.clone();
        let service = Service::new(&name, &shared, record);
        if service.recover().await? {
            registry.insert(&name, service);
        }
    }
    let socket = socket::bind(layout.root())
        .map_err(|error| Error::file("listen on", &layout.socket(), error))?;
    let agent = Arc::new(Agent {
        shared,
        registry,
        routes: Arc::new(routes),
        sites: Arc::new(sites),
        monitors: Arc::new(monitors),
        databases,
        jobs: Arc::new(jobs),
        hosts,
        claims,
        listen: listeners.addresses(),
        version: config.version.clone(),
        activity: Activity::new(),
        closing: AtomicBool::new(false),
        quit: watch::Sender::new(None),
    });
    Ok((agent, (listeners, socket)))
}

/// Listens for HTTP on the remembered port if there is one, and remembers the port.
async fn listen(config: &AgentConfig, layout: &Layout) -> Result<Listeners, Error> {
    let path = layout.agent_record();
    let record: AgentRecord = {
        let path = path.clone();
        blocking(move || records::read(&path))
            .await?
            .unwrap_or_default()
    };
    let listeners = bind(&config.addresses, config.port, record.http_port).await?;
    let record = AgentRecord {
        format: FORMAT,
        http_port: Some(listeners.port),
    };
    blocking(move || records::write(&path, &record)).await?;
    Ok(listeners)
}

/// Serves until there is a reason to end.
async fn serve(
    agent: &Arc<Agent>,
    (listeners, socket): (Listeners, UnixListener),
    config: &AgentConfig,
    lock: &AgentLock,
) -> Result<Quit, Error> {
    let failed = |error: std::io::Error| Error::system("watch for signals", error);
    let mut term = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed)?;
    let web = Arc::new(Web {
        routes: Arc::clone(&agent.routes),
        registry: Arc::clone(&agent.registry),
        sites: Arc::clone(&agent.sites),
        access: AccessLog::open(agent.shared.layout.access_log(), agent.shared.clock),
    });
    let (stop_web, web_stopped) = watch::channel(false);
    listeners.serve(&web, &web_stopped);
    let clients = tokio::spawn(control::serve(Arc::clone(agent), socket));
    let rotation = tokio::spawn(rotate(Arc::clone(agent)));
    agent.monitors.start().await;
    agent.jobs.start().await;
    let mut asked = agent.quit.subscribe();
    let quit = tokio::select! {
        () = idle(agent, config.idle_exit) => Quit::Idle,
        () = orphaned(lock) => Quit::Orphaned,
        quit = asked_to_quit(&mut asked) => quit,
        _ = term.recv() => Quit::Leave,
        _ = interrupt.recv() => Quit::Leave,
        _ = hangup.recv() => Quit::Leave,
    };
    if quit == Quit::Orphaned {
        tracing::warn!("the state directory was removed; everything is stopped");
        agent.shared.orphaned.store(true, Ordering::Relaxed);
    } else {
        // Nobody finds the agent from now on; who has found it gets an answer.
        let _ = records::remove(&agent.shared.layout.socket());
    }
    agent.quit.send_if_modified(|now| {
        let first = now.is_none();
        *now = Some(quit);
        first
    });
    agent.closing.store(true, Ordering::SeqCst);
    clients.abort();
    rotation.abort();
    agent.monitors.stop();
    let stop = matches!(quit, Quit::Stop | Quit::Orphaned);
    agent.jobs.end(stop).await;
    for service in agent.registry.all() {
        service.end(stop).await;
    }
    stop_web.send_replace(true);
    drop(web_stopped);
    let answered = async {
        agent.activity.silent().await;
        stop_web.closed().await;
    };
    let _ = tokio::time::timeout(LAST_ANSWERS, answered).await;
    Ok(quit)
}

async fn asked_to_quit(asked: &mut watch::Receiver<Option<Quit>>) -> Quit {
    match asked.wait_for(Option::is_some).await {
        Ok(quit) => quit.unwrap_or(Quit::Leave),
        Err(_) => Quit::Leave,
    }
}

/// How soon an agent goes when the last of what it had is gone: a destroyed stack leaves nothing.
const PATIENCE_AFTER_USE: Duration = Duration::from_millis(300);

/// Waits until nothing was left to do for some time: long for a first task, shortly after the last.
async fn idle(agent: &Agent, patience: Duration) {
    let mut patience = patience;
    loop {
        let step = (patience / 4).clamp(Duration::from_millis(10), Duration::from_millis(100));
        tokio::time::sleep(step).await;
        if !agent.is_empty().await {
            agent.activity.touch();
            patience = patience.min(PATIENCE_AFTER_USE);
        } else if agent.activity.resting() >= patience {
            // From here on clients are turned away; one that came just before keeps us.
            agent.closing.store(true, Ordering::SeqCst);
            if agent.activity.resting() >= patience && agent.is_empty().await {
                return;
            }
            agent.closing.store(false, Ordering::SeqCst);
        }
    }
}

/// Waits until the lock file is not in its place any more.
async fn orphaned(lock: &AgentLock) {
    while lock.is_in_place() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn rotate(agent: Arc<Agent>) {
    loop {
        tokio::time::sleep(ROTATION).await;
        for service in agent.registry.all() {
            service.rotate_logs().await;
        }
    }
}

/// Leaves no socket and no lock, and no file at all if nothing is kept.
async fn finish(agent: &Agent, lock: AgentLock, quit: Quit) -> Result<(), Error> {
    if quit == Quit::Orphaned {
        return Ok(());
    }
    let empty = quit == Quit::Idle || agent.is_empty().await;
    let layout = agent.shared.layout.clone();
    blocking(move || {
        if empty && bucket::all(&layout)?.is_empty() && !layout.host_names().exists() {
            clean(&layout)?;
        }
        lock.release();
        // Goes only if it is empty.
        let _ = std::fs::remove_dir(layout.root());
        Ok(())
    })
    .await
}

/// Removes the agent's own files. Logs that a removal kept stay.
fn clean(layout: &Layout) -> Result<(), Error> {
    for dir in [
        layout.services(),
        layout.sites(),
        layout.buckets(),
        layout.databases(),
    ] {
        records::remove_tree(&dir)?;
    }
    let kept = records::names(&layout.logs().join("services"))?;
    if kept.is_empty() {
        records::remove_tree(&layout.logs())?;
    }
    records::remove(&layout.claims())?;
    records::remove(&layout.agent_record())?;
    records::remove(&layout.agent_log())
}

/// Every request takes two files. The default limit of many systems is low.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
    }
}
