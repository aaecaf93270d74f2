//! What the tests share.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fabrik_core::clock::{BoxFuture, SystemClock};
use fabrik_core::error::Result;
use fabrik_core::provider::{Checkpoints, Cx, Object, OpId, Progress, StopHandle, StopSignal};
use fabrik_exec::{BaseEnv, Command, Container, Engine, Runner};
use tempfile::TempDir;

pub(crate) const CANARY: &str = "canary-0123456789";

pub(crate) fn env() -> BaseEnv {
    BaseEnv::new("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin").home("/nowhere")
}

pub(crate) fn runner() -> Runner {
    Runner::new(env()).grace(Duration::from_millis(500))
}

/// A script, and the arguments it sees as `$1`, `$2`, ….
pub(crate) fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script, "sh"])
}

/// A context that keeps what is said in it.
pub(crate) struct Stage {
    pub(crate) stop: StopHandle,
    signal: StopSignal,
    pub(crate) said: Arc<Said>,
}

#[derive(Default)]
pub(crate) struct Said(pub(crate) Mutex<Vec<Progress>>);

impl Checkpoints for Said {
    fn save(&self, _: OpId, _: Object) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn progress(&self, _: Option<OpId>, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let (stop, signal) = StopHandle::new();
        Stage {
            stop,
            signal,
            said: Arc::default(),
        }
    }

    pub(crate) fn cx(&self) -> Cx {
        Cx::new(Arc::new(SystemClock), self.signal.clone()).with_sink(self.said.clone())
    }
}

/// Waits until something is so; fails after ten seconds.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within 10 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process whose id stands in a file runs (a zombie does not).
pub(crate) fn runs(file: &Path) -> bool {
    let Ok(pid) = std::fs::read_to_string(file) else {
        return false;
    };
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z"))
}

/// A script that notes its process id and that of a child, tells the child and itself apart from others
/// by ignoring nothing, and then waits for long.
pub(crate) fn two_sleepers(folder: &Path, before: &str) -> Command {
    sh(&format!(
        "{before} sleep 600 & echo $! >'{0}/child'; echo $$ >'{0}/head.new'; mv '{0}/head.new' '{0}/head'; echo waiting >&2; wait",
        folder.display()
    ))
}

/// A stand-in for docker with some containers.
pub(crate) struct Docker {
    folder: TempDir,
}

impl Docker {
    pub(crate) fn new() -> Docker {
        let folder = tempfile::tempdir().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/docker");
        // A link, because a program just written may still be open for writing in a fork of another test.
        std::os::unix::fs::symlink(script, folder.path().join("docker")).unwrap();
        Docker { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn set(&self, name: &str, state: &str) {
        std::fs::write(self.folder.path().join(format!("{name}.container")), state).unwrap();
    }

    pub(crate) fn touch(&self, file: &str) {
        std::fs::write(self.folder.path().join(file), "").unwrap();
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.folder.path().join("docker")
    }

    /// A running container.
    pub(crate) fn container(&self, name: &str) -> Container {
        self.set(name, "running");
        Container::new(Engine::Docker, name).program(self.program())
    }

    /// How it was called, an argument list each.
    pub(crate) fn calls(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        text.split("\0\n")
            .filter(|call| !call.is_empty())
            .map(|call| call.split('\0').map(str::to_owned).collect())
            .collect()
    }
}
