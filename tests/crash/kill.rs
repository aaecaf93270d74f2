//! Processes killed at random moments.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Recovered};
use fabrik_core::secrets::Key;
use fabrik_core::state::{
    EntryKind, Holder, LockPolicy, Phase, ProcLiveness, RunResult, SqliteStore,
};
use fabrik_provider_memory::{
    Behaviour, Cloud, Does, Fault, Match, Server, Thing, Tuning, What, memory_provider_remote,
};

use crate::judge;
use crate::wanted::{REFUSED, Version, plant, stack};

const SIZE: usize = 200;
const CHILD: &str = "FABRIK_CRASH_CHILD";
/// The file that says that a process has begun with what it is to do.
const BEGUN: &str = "begun";
/// What a killed run may have left under way is certain after this; the cloud answers far sooner.
const TUNING: Tuning = Tuning {
    timeout: Duration::from_millis(700),
    settle: Duration::from_millis(200),
};
/// One world's life. Each is killed in turn.
const LIFE: [Version; 5] = [
    Version::Failing,
    Version::One,
    Version::Failing,
    Version::Two,
    Version::Empty,
];

fn engine(address: SocketAddr, state: &Path) -> Engine {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let liveness = ProcLiveness::new(
        "here",
        read("/etc/machine-id"),
        read("/proc/sys/kernel/random/boot_id"),
        namespace.to_string_lossy(),
        "/proc",
    );
    let pid = std::process::id();
    Engine::builder()
        .provider(memory_provider_remote(address).tuned(TUNING))
        .store(SqliteStore::open(state, "crash", "default").unwrap())
        .key(Key::new([7; 32]))
        .holder(Holder {
            who: "test".to_owned(),
            host: "here".to_owned(),
            pid,
            process: liveness.process(pid),
            command: "crash".to_owned(),
        })
        .liveness(liveness)
        .lock(LockPolicy {
            timeout: Duration::from_secs(5),
            poll: Duration::from_millis(20),
            ..LockPolicy::default()
        })
        .build()
        .unwrap()
}

fn options(version: Version) -> PlanOptions {
    PlanOptions {
        destroy: version == Version::Empty,
        allow_data_loss: vec!["**".to_owned()],
        ..PlanOptions::default()
    }
}

/// The process that is killed: this test, run by the one below. By itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(given) = std::env::var_os(CHILD) else {
        return;
    };
    let given = given.into_string().unwrap();
    let mut given = given.split('|');
    let address = given.next().unwrap().parse().unwrap();
    let state = PathBuf::from(given.next().unwrap());
    let version = Version::parse(given.next().unwrap());
    let wanted = stack(version, SIZE);
    let engine = engine(address, &state);
    std::fs::write(state.with_file_name(BEGUN), "").unwrap();
    let run = engine.recover(Some(wanted.clone()), false);
    let recovered = run.finish().await.unwrap();
    if let Recovered::Kept { unsure, .. } = &recovered {
        assert!(unsure.is_empty(), "{recovered:?}");
    }
    if let Recovered::RolledBack(report) = &recovered {
        assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    }
    let plan = engine.plan(wanted, &options(version)).await.unwrap();
    let run = engine.apply(plan, ApplyOptions::default());
    let report = run.finish().await.unwrap();
    let expected = match version {
        Version::Failing => RunResult::RolledBack,
        _ => RunResult::Succeeded,
    };
    assert_eq!(
        report.end.result, expected,
        "after {recovered:?}: {report:?}"
    );
}

/// A cloud in this process, and the state of a stack.
struct World {
    cloud: Cloud,
    server: Server,
    foreign: Vec<Thing>,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> World {
        let cloud = Cloud::new();
        let foreign = plant(&cloud, SIZE);
        let refused = Match::what(What::Create).named(REFUSED);
        cloud.inject(Fault::always(
            refused,
            Does::FailBefore(fabrik_core::error::ErrorKind::Invalid),
        ));
        let server = cloud.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        World {
            cloud,
            server,
            foreign,
            folder,
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn start(&self, version: Version) -> Child {
        let given = format!(
            "{}|{}|{}",
            self.server.address(),
            self.state().display(),
            version.word()
        );
        // There is none before the first.
        _ = std::fs::remove_file(self.folder.path().join(BEGUN));
        let log = std::fs::File::create(self.folder.path().join("child")).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::child", "--nocapture"])
            .env(CHILD, given)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Waits until the process has begun, or is gone.
    async fn begun(&self, child: &mut Child) {
        let begun = self.folder.path().join(BEGUN);
        while !begun.exists() && child.try_wait().unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Runs to the end; gives how long it took from when it had begun.
    async fn complete(&self, version: Version, about: &str) -> Duration {
        let mut child = self.start(version);
        self.begun(&mut child).await;
        let began = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > Duration::from_secs(120) {
                child.kill().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        if !status.success() {
            let said = std::fs::read_to_string(self.folder.path().join("child")).unwrap();
            panic!("{about}: the run that was to complete ended with {status}:\n{said}");
        }
        began.elapsed()
    }

    async fn judge(&self, stands: Version, about: &str) {
        let engine = engine(self.server.address(), &self.state());
        let wanted = stack(stands, SIZE);
        let wrong = judge::faults(&engine, &self.cloud, &self.foreign, &wanted).await;
        assert!(wrong.is_empty(), "{about}:\n{}", wrong.join("\n"));
    }

    /// What a killed run left in state, which must be readable.
    async fn left(&self, figures: &mut Figures) {
        if !self.state().exists() {
            return;
        }
        let engine = engine(self.server.address(), &self.state());
        let snapshot = engine.store().load().await.unwrap();
        let Some(open) = snapshot.open_run else {
            return;
        };
        figures.runs += 1;
        let count = |fits: &dyn Fn(&EntryKind) -> bool| {
            open.entries
                .iter()
                .filter(|entry| fits(&entry.kind))
                .count()
        };
        let intents = count(&|kind| matches!(kind, EntryKind::Intent(_)));
        let outcomes = count(&|kind| matches!(kind, EntryKind::Outcome { .. }));
        figures.in_flight += intents.saturating_sub(outcomes);
        figures.rollbacks +=
            usize::from(count(&|kind| matches!(kind, EntryKind::Phase(Phase::RollingBack))) > 0);
        figures.recoveries += usize::from(count(&|kind| matches!(kind, EntryKind::Resumed)) > 0);
    }
}

/// How the kills hit.
#[derive(Debug, Default)]
struct Figures {
    kills: usize,
    /// With a run open in the journal.
    runs: usize,
    /// Calls whose outcome the journal did not have.
    in_flight: usize,
    /// While rolling back.
    rollbacks: usize,
    /// In a run that had been taken up again.
    recoveries: usize,
}

/// A small repeatable source of choices.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % n
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var_os(name).map_or(usual, |text| text.to_str().unwrap().parse().unwrap())
}

/// The state after a version was applied to its end.
fn stands_after(version: Version, before: Version) -> Version {
    match version {
        Version::Failing => before,
        other => other,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runs_leave_nothing_behind() {
    let kills = usize::try_from(number("FABRIK_CRASH_KILLS", 12)).unwrap();
    let mut choice = Choice(number("FABRIK_CRASH_SEED", 1));
    let began = Instant::now();
    let mut world = World::new().await;
    let mut weather = tokio::spawn(weather(world.cloud.clone()));
    // How long each takes when nobody harms it.
    let mut lasts = Vec::new();
    let mut stands = Version::Empty;
    for version in LIFE {
        lasts.push(world.complete(version, "unharmed").await);
        stands = stands_after(version, stands);
        world.judge(stands, &format!("unharmed {version:?}")).await;
    }
    println!("unharmed: {lasts:?}");
    let mut figures = Figures::default();
    let mut at = 0;
    while figures.kills < kills {
        let (version, lasts) = (LIFE[at % LIFE.len()], lasts[at % LIFE.len()]);
        if at % LIFE.len() == 0 {
            weather.abort();
            world = World::new().await;
            weather = tokio::spawn(self::weather(world.cloud.clone()));
            stands = Version::Empty;
        }
        let mut about = format!("seed {:?}, {version:?} on {stands:?}", choice.0);
        // Sometimes what takes it up again is killed too, also while it waits to be certain.
        let mut lasts = lasts;
        loop {
            let whole = u64::try_from(lasts.as_micros()).unwrap();
            let moment = Duration::from_micros(choice.below(whole));
            lasts += TUNING.timeout + TUNING.settle;
            let mut child = world.start(version);
            if choice.below(8) > 0 {
                world.begun(&mut child).await;
            }
            tokio::time::sleep(moment).await;
            child.kill().unwrap();
            child.wait().unwrap();
            figures.kills += 1;
            about += &format!(", killed after {moment:?}");
            world.left(&mut figures).await;
            if figures.kills >= kills || choice.below(3) > 0 {
                break;
            }
        }
        world.complete(version, &about).await;
        stands = stands_after(version, stands);
        world.judge(stands, &about).await;
        at += 1;
    }
    weather.abort();
    println!("{figures:?} in {:?}", began.elapsed());
}

/// Answers take from 1 to 20 ms.
async fn weather(cloud: Cloud) {
    let mut choice = Choice(1);
    loop {
        cloud.behave(Behaviour {
            latency: Duration::from_millis(1 + choice.below(20)),
            ..Behaviour::default()
        });
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

#[test]
fn versions_are_told_by_their_words() {
    for version in LIFE {
        assert_eq!(Version::parse(version.word()), version);
    }
    let sizes = [Version::One, Version::Two].map(|version| stack(version, SIZE).resources.len());
    assert_eq!(sizes, [SIZE, SIZE]);
}
