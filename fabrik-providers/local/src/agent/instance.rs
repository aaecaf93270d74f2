//! Keeps one process of a generation running.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::agent::backoff::Crashes;
use crate::agent::balance::{Backend, Pool, Slot};
use crate::agent::book::Book;
use crate::agent::logs::LogDir;
use crate::agent::ports::PortLease;
use crate::agent::probe::probe;
use crate::agent::process::{Exit, Process, Start};
use crate::agent::shared::{Shared, raised};
use crate::marks;
use crate::model::{InstanceInfo, InstanceState, Port, Restart, ServiceSpec};
use crate::records::RunRecord;

/// First pause between probes of a process that is starting; it grows to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// What an instance is part of.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) shared: Arc<Shared>,
    pub(crate) book: Arc<Book>,
    pub(crate) logs: LogDir,
    pub(crate) spec: Arc<ServiceSpec>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) generation: u64,
    pub(crate) index: u32,
    /// Whether a process that ends before it was ever healthy is given up at once.
    pub(crate) gated: bool,
}

/// How an instance stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) state: InstanceState,
    pub(crate) pid: Option<u32>,
    pub(crate) port: Option<u16>,
    pub(crate) restarts: u32,
    pub(crate) last_exit: Option<String>,
    /// What the last probe missed.
    pub(crate) missing: Option<String>,
    /// Whether any run was healthy.
    pub(crate) was_healthy: bool,
}

/// A supervised process.
#[derive(Debug)]
pub(crate) struct Instance {
    index: u32,
    pool: Arc<Pool>,
    view: watch::Receiver<View>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Instance {
    /// Supervises a process: a new one, or the run of an earlier agent.
    pub(crate) fn supervise(member: Member, adopt: Option<RunRecord>) -> Self {
        let (view_out, view) = watch::channel(View::default());
        let (stop, stop_in) = watch::channel(false);
        let (index, pool) = (member.index, Arc::clone(&member.pool));
        let supervisor = Supervisor {
            member,
            view: view_out,
            stop: stop_in,
        };
        let task = tokio::spawn(supervisor.run(adopt));
        Self {
            index,
            pool,
            view,
            stop,
            task,
        }
    }

    pub(crate) fn view(&self) -> watch::Receiver<View> {
        self.view.clone()
    }

    pub(crate) fn info(&self) -> InstanceInfo {
        let view = self.view.borrow().clone();
        InstanceInfo {
            index: self.index,
            state: view.state,
            pid: view.pid,
            port: view.port,
            restarts: view.restarts,
            in_flight: self.pool.in_flight_of(self.index),
            last_exit: view.last_exit,
        }
    }

    /// Asks the supervisor to stop its process; [`Instance::stopped`] waits for it.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the supervisor has ended.
    pub(crate) async fn stopped(&self) {
        let mut view = self.view.clone();
        // The sender goes with the supervisor.
        while view.changed().await.is_ok() {}
    }

    /// Leaves the process to itself.
    pub(crate) fn abandon(&self) {
        self.task.abort();
    }
}

/// Why one run of the process is over.
enum End {
    /// It was asked to.
    Stopped,
    /// It ended by itself, or could not be started.
    Failed(Exit),
    /// It did not become healthy.
    Unhealthy(Exit),
}

struct Supervisor {
    member: Member,
    view: watch::Sender<View>,
    stop: watch::Receiver<bool>,
}

impl Supervisor {
    async fn run(mut self, mut adopt: Option<RunRecord>) {
        let mut crashes = Crashes::new(self.member.spec.restart.clone());
        loop {
            let exit = match self.run_once(adopt.take()).await {
                End::Stopped => return self.finish(InstanceState::Stopped),
                End::Failed(exit) | End::Unhealthy(exit) => exit,
            };
            self.note(&exit.text);
            self.view
                .send_modify(|view| view.last_exit = Some(exit.text.clone()));
            let policy = self.member.spec.restart.when;
            let given_up = self.member.gated && !self.view.borrow().was_healthy;
            if given_up
                || policy == Restart::Never
                || (policy == Restart::OnFailure && exit.success)
            {
                return self.finish(InstanceState::Exited);
            }
            let Some(pause) = crashes.next_pause(Instant::now()) else {
                self.note("ended too often; not started again until the next deployment");
                return self.finish(InstanceState::CrashLoop);
            };
            self.view.send_modify(|view| {
                view.state = InstanceState::Waiting;
                view.restarts += 1;
            });
            tokio::select! {
                () = sleep(pause) => {}
                () = raised(&mut self.stop) => return self.finish(InstanceState::Stopped),
            }
            self.note("starting again");
        }
    }

    /// Runs the process once, until it ends or is stopped. Afterwards nothing of it is left.
    async fn run_once(&mut self, adopt: Option<RunRecord>) -> End {
        if *self.stop.borrow() {
            if let Some(run) = adopt {
                self.clear_away(&run).await;
            }
            return End::Stopped;
        }
        let (mut process, lease, adopted) = match self.take_up(adopt).await {
            Ok(taken) => taken,
            Err(reason) => {
                self.member.pool.set(self.member.index, Slot::Coming);
                let text = format!("could not start: {reason}");
                return End::Failed(Exit {
                    success: false,
                    text,
                });
            }
        };
        let port = lease.as_ref().map(|lease| lease.port);
        self.view.send_modify(|view| {
            view.state = InstanceState::Starting;
            view.pid = Some(process.identity.pid);
            view.port = port;
        });
        let end = tokio::select! {
            exit = process.ended() => End::Failed(exit),
            reason = watch_health(&self.member, &self.view, port, adopted) => {
                End::Unhealthy(Exit { success: false, text: reason })
            }
            () = raised(&mut self.stop) => End::Stopped,
        };
        self.member.pool.set(self.member.index, Slot::Coming);
        match &end {
            End::Failed(_) => process.kill_rest().await,
            End::Stopped | End::Unhealthy(_) => process.stop(&self.member.spec.stop).await,
        }
        self.view.send_modify(|view| {
            view.pid = None;
            view.port = None;
        });
        self.forget(&process).await;
        end
    }

    /// Adopts the run of an earlier agent, or starts a process, and notes which one it is.
    async fn take_up(
        &mut self,
        adopt: Option<RunRecord>,
    ) -> Result<(Process, Option<PortLease>, bool), String> {
        let member = &self.member;
        if let Some(run) = adopt {
            if let Some(process) = Process::adopt(&run) {
                let lease = run.port.and_then(|port| member.shared.ports.take(port));
                return Ok((process, lease, true));
            }
            self.clear_away(&run).await;
        }
        let lease = match member.spec.port {
            Port::None => None,
            Port::Auto => Some(
                member
                    .shared
                    .ports
                    .free()
                    .map_err(|error| error.to_string())?,
            ),
            Port::Fixed(port) => Some(
                member
                    .shared
                    .ports
                    .take(port)
                    .ok_or_else(|| format!("port {port} is in use"))?,
            ),
        };
        let port = lease.as_ref().map(|lease| lease.port);
        let mark = marks::new_run().map_err(|error| error.to_string())?;
        let log = member.logs.open(member.generation, member.index);
        let mut process = Process::start(Start {
            command: &member.spec.command,
            dir: &member.spec.dir,
            base_env: &member.shared.base_env,
            env: &member.spec.env,
            port,
            agent_mark: &member.shared.mark,
            run_mark: &mark,
            log: log.map_err(|error| error.to_string())?,
        })
        .map_err(|error| Process::not_started(&member.spec.command, &member.spec.dir, &error))?;
        let run = RunRecord {
            index: member.index,
            mark,
            port,
            identity: process.identity.clone(),
        };
        if let Err(error) = member.book.add_run(member.generation, run).await {
            process.kill_rest().await;
            return Err(error.to_string());
        }
        Ok((process, lease, false))
    }

    /// Kills what is left of a run whose process has ended, and forgets it.
    async fn clear_away(&self, run: &RunRecord) {
        clear_away(&self.member.book, self.member.generation, run).await;
    }

    async fn forget(&self, process: &Process) {
        let (generation, identity) = (self.member.generation, &process.identity);
        if let Err(error) = self.member.book.remove_run(generation, identity).await {
            tracing::warn!(%error, "could not note the end of a process");
        }
    }

    fn finish(&self, state: InstanceState) {
        self.member.pool.set(self.member.index, Slot::Down);
        self.view.send_modify(|view| view.state = state);
    }

    fn note(&self, text: &str) {
        self.member
            .logs
            .note(self.member.generation, self.member.index, text);
    }
}

/// Kills what is left of a run that nobody supervises, and forgets it.
pub(crate) async fn clear_away(book: &Book, generation: u64, run: &RunRecord) {
    Process::remains(run).kill_rest().await;
    if let Err(error) = book.remove_run(generation, &run.identity).await {
        tracing::warn!(%error, "could not note the end of a process");
    }
}

/// Probes a process for as long as it runs. Returns, with the reason, only if it does not become
/// healthy in time and nobody else watches for that.
async fn watch_health(
    member: &Member,
    view: &watch::Sender<View>,
    port: Option<u16>,
    adopted: bool,
) -> String {
    let check = &member.spec.health;
    let Some(port) = port else {
        // A worker is healthy when it still runs after a while.
        if !adopted {
            sleep(check.interval).await;
        }
        healthy(view);
        return std::future::pending().await;
    };
    let backend = Backend::new(port);
    let mut up = false;
    if adopted {
        up = true;
        member
            .pool
            .set(member.index, Slot::Up(Arc::clone(&backend)));
        healthy(view);
    }
    let started = Instant::now();
    let mut pause = FIRST_PAUSE.min(check.interval);
    let mut failures = 0;
    loop {
        match probe(check, port).await {
            Ok(()) => {
                failures = 0;
                backend.set_healthy(true);
                if !up {
                    up = true;
                    member
                        .pool
                        .set(member.index, Slot::Up(Arc::clone(&backend)));
                }
                healthy(view);
            }
            Err(missing) => {
                failures += 1;
                let unhealthy = up && failures >= check.retries.max(1);
                if unhealthy {
                    backend.set_healthy(false);
                }
                if !up && !member.gated && started.elapsed() > check.deadline {
                    return format!("was not healthy in time: {missing}");
                }
                view.send_modify(|view| {
                    view.missing = Some(missing);
                    if unhealthy {
                        view.state = InstanceState::Unhealthy;
                    }
                });
            }
        }
        if up {
            pause = check.interval.max(FIRST_PAUSE);
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(check.interval.max(FIRST_PAUSE));
    }
}

fn healthy(view: &watch::Sender<View>) {
    view.send_if_modified(|view| {
        let news = view.state != InstanceState::Healthy;
        view.state = InstanceState::Healthy;
        view.was_healthy = true;
        view.missing = None;
        news
    });
}
