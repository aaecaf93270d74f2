//! A program of this machine, in a process group of its own, from its start to the end of the group.

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{io, path};

use fabrik_core::provider::{Stop, StopSignal};
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::capture::{Broken, Ears, Sink, Source, feed};
use crate::compose::{Launch, bare, hops};
use crate::env::{BaseEnv, Found};
use crate::marks::{Marks, ending};
use crate::place::Place;

/// How long a program may take to be gone after it was killed.
const KILLED: Duration = Duration::from_secs(2);
/// How long reaching another place may take to end a command there.
const REACH: Duration = Duration::from_secs(5);
/// How often a group is looked at while it ends.
const LOOK: Duration = Duration::from_millis(20);

/// Why a program is over.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself.
    Exit(ExitStatus),
    /// Its time was up.
    Limit,
    /// The run is stopped.
    Stopped,
    /// Its input or output failed.
    Broken(Broken),
    /// Its end could not be learned.
    Lost(io::Error),
}

/// The exit code as shells have it.
pub(crate) fn code_of(status: ExitStatus) -> i32 {
    status
        .code()
        .unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// Starts a program in a process group of its own, all three streams piped or closed.
pub(crate) fn spawn(
    env: &BaseEnv,
    program: &path::Path,
    launch: &Launch,
    stdin: bool,
) -> io::Result<Child> {
    let mut command = tokio::process::Command::new(program);
    command
        .args(&launch.args)
        .env_clear()
        .envs(env.variables(launch.is_ssh))
        .envs(launch.env.iter().map(|(name, value)| (name, value)))
        .stdin(if stdin { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(dir) = &launch.dir {
        command.current_dir(dir);
    }
    command.spawn()
}

/// Ends a command in its place, which ending its client here would not do.
#[derive(Clone)]
pub(crate) struct Ending {
    pub(crate) env: Arc<BaseEnv>,
    pub(crate) place: Place,
    pub(crate) marks: Arc<Mutex<Marks>>,
    pub(crate) grace: Duration,
}

impl Ending {
    /// Ends it; false when it may go on.
    async fn end(&self) -> bool {
        let running = self
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running();
        let Some((level, pid)) = running else {
            return false;
        };
        let way = hops(&self.place);
        let seconds = self.grace.as_secs() + u64::from(self.grace.subsec_nanos() > 0);
        let limit = REACH + Duration::from_secs(seconds);
        let Ok(launch) = bare(&way[..=level], ending(pid, seconds), REACH) else {
            return false;
        };
        let Found::At(program) = self.env.find(&launch.program) else {
            return false;
        };
        let Ok(mut child) = spawn(&self.env, &program, &launch, false) else {
            return false;
        };
        let _group = Group::of(&child, None);
        // Its streams are not read; it writes nothing that would fill them.
        matches!(timeout(limit, child.wait()).await, Ok(Ok(status)) if status.success())
    }

    fn in_background(self) {
        let far = self
            .marks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .running()
            .is_some();
        if far && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { self.end().await });
        }
    }
}

/// A process group that is killed when this is dropped before it is over.
pub(crate) struct Group {
    pid: Option<Pid>,
    ending: Option<Ending>,
}

impl Group {
    pub(crate) fn of(child: &Child, ending: Option<Ending>) -> Group {
        let pid = child
            .id()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        Group { pid, ending }
    }

    /// It ended by itself; what it left running on purpose goes on.
    fn over(&mut self) {
        self.pid = None;
        self.ending = None;
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid {
            // It may be gone by now, which is as good.
            _ = kill_process_group(pid, signal);
        }
    }

    fn is_gone(&self) -> bool {
        self.pid
            .is_none_or(|pid| test_kill_process_group(pid).is_err())
    }

    /// Ends the command in its place and the whole group here: asks first, then kills. False when
    /// something may go on.
    async fn end(&mut self, child: &mut Child, grace: Duration) -> bool {
        let everywhere = match self.ending.take() {
            // Not before, so that a drop meanwhile still ends what is here.
            Some(ending) => ending.end().await,
            None => true,
        };
        self.signal(Signal::TERM);
        let until = Instant::now() + grace;
        while Instant::now() < until {
            // Reaps the head; the group lives as long as any of its members.
            let head = child.try_wait();
            if matches!(head, Ok(Some(_))) && self.is_gone() {
                break;
            }
            sleep(LOOK).await;
        }
        self.signal(Signal::KILL);
        // What runs as somebody else (by `sudo`) cannot be killed by us.
        let head = timeout(KILLED, child.wait()).await;
        self.over();
        everywhere && head.is_ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        if let Some(ending) = self.ending.take() {
            ending.in_background();
        }
    }
}

/// One program, with what goes in and out.
pub(crate) struct Run<'a, 'e, 's, 'k> {
    pub(crate) child: Child,
    pub(crate) group: Group,
    pub(crate) source: Source<'s>,
    pub(crate) sink: Sink<'k>,
    pub(crate) ears: &'a Ears<'e>,
    pub(crate) kept: &'a mut Vec<u8>,
    pub(crate) limit: Duration,
    pub(crate) grace: Duration,
    pub(crate) stop: StopSignal,
}

impl Run<'_, '_, '_, '_> {
    /// Until it is over. The second value is false when something of it may still run.
    pub(crate) async fn finish(self) -> (Ended, bool) {
        let Run {
            mut child,
            mut group,
            source,
            sink,
            ears,
            kept,
            limit,
            grace,
            mut stop,
        } = self;
        let until = Instant::now() + limit;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let ended = {
            let streams = async {
                let out = async {
                    match stdout {
                        Some(pipe) => ears.stdout(pipe, sink, kept).await,
                        None => Ok(()),
                    }
                };
                let err = async {
                    if let Some(pipe) = stderr {
                        ears.stderr(pipe).await;
                    }
                    Ok(())
                };
                let input = async {
                    tokio::select! {
                        fed = feed(source, stdin) => fed,
                        () = ears.silence() => Ok(()),
                    }
                };
                tokio::try_join!(input, out, err)
            };
            tokio::pin!(streams);
            let mut exit = None;
            let mut closed = false;
            loop {
                if let (Some(status), true) = (exit, closed) {
                    break Ended::Exit(status);
                }
                tokio::select! {
                    result = &mut streams, if !closed => match result {
                        Ok(_) => closed = true,
                        Err(broken) => break Ended::Broken(broken),
                    },
                    result = child.wait(), if exit.is_none() => match result {
                        Ok(status) => {
                            exit = Some(status);
                            ears.program_ended();
                        }
                        Err(error) => break Ended::Lost(error),
                    },
                    // Also when only its output is not done with: somebody may write it for ever.
                    () = sleep_until(until) => break Ended::Limit,
                    () = stop.reached(Stop::Now) => break Ended::Stopped,
                }
            }
        };
        if let Ended::Exit(_) = ended {
            group.over();
            return (ended, true);
        }
        let everywhere = group.end(&mut child, grace).await;
        (ended, everywhere)
    }
}
