//! Processes killed with `kill -9` while they apply to every service.
//!
//! The services live in this process and outlive whoever is killed. `FABRIK_PROVIDER_KILLS=30` for
//! more kills, `FABRIK_CRASH_SEED` for other moments.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fabrik_core::clock::{BoxFuture, Clock, SystemClock};
use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Recovered};
use fabrik_core::event::EventBody;
use fabrik_core::provider::Registry;
use fabrik_core::secrets::{FoundSecret, Key, SecretOrigin};
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::state::{Holder, LockPolicy, ProcLiveness, RowStatus, RunResult, SqliteStore};
use fabrik_core::value::Value;
use fabrik_fakes::coolify::Kind;
use jiff::Timestamp;
use serde_json::{Value as Json, json};

use crate::cast::Cast;

/// The file with what the process is to do.
const CHILD: &str = "FABRIK_PROVIDER_KILL_CHILD";
/// The file that says that a process has begun with it.
const BEGUN: &str = "begun";
/// The file that says that it has begun to write.
const WRITES: &str = "writes";
/// The file that says that nothing is left to write.
const WROTE: &str = "wrote";
/// How much faster than the wall's the engine's clock goes: what a dead process left under way is
/// certain after a minute.
const SPEED: i64 = 20;
/// How often a process may try: on a busy machine an answer can come too late for a fast clock.
const TRIES: usize = 4;
/// What the variables hold.
const SECRET: &str = "canary-of-the-kills";

/// A clock that runs fast, and shows the same time in every process.
#[derive(Clone, Copy, Debug)]
struct Fast {
    start: i64,
}

impl Clock for Fast {
    fn now(&self) -> Timestamp {
        let passed = SystemClock.now().as_millisecond() - self.start;
        Timestamp::from_millisecond(self.start + passed * SPEED).unwrap()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let duration = duration / u32::try_from(SPEED).unwrap();
        Box::pin(tokio::time::sleep(duration))
    }
}

fn registry() -> Registry {
    let mut registry = Registry::new();
    registry
        .register(fabrik_provider_cloudflare::provider())
        .register(fabrik_provider_coolify::provider())
        .register(fabrik_provider_uptime_kuma::provider())
        .register(fabrik_provider_powerdns::provider())
        .register(fabrik_provider_namecheap::provider());
    registry
}

fn engine(state: &Path, start: i64) -> Engine {
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
        .registry(registry())
        .store(SqliteStore::open(state, "kill", "default").unwrap())
        .key(Key::new([7; 32]))
        .clock(Fast { start })
        .secrets(|declared, _| {
            let found = declared.iter().map(|decl| {
                let secret = FoundSecret {
                    value: Some(Value::secret(SECRET)),
                    origin: SecretOrigin::Other("test".to_owned()),
                };
                (decl.name.clone(), secret)
            });
            Ok(found.collect())
        })
        .holder(Holder {
            who: "test".to_owned(),
            host: "here".to_owned(),
            pid,
            process: liveness.process(pid),
            command: "kill".to_owned(),
        })
        .liveness(liveness)
        .lock(LockPolicy {
            timeout: Duration::from_secs(600),
            ..LockPolicy::default()
        })
        .build()
        .unwrap()
}

/// The process that is killed: this test, run by the one below. By itself it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Some(given) = std::env::var_os(CHILD).map(PathBuf::from) else {
        return;
    };
    let given_text = std::fs::read_to_string(&given).unwrap();
    let task: Json = serde_json::from_str(&given_text).unwrap();
    let spec = task["spec"].to_string();
    let registry = registry();
    let request = LoadRequest::new(&registry, "kill.json", spec.as_bytes());
    let stack = Arc::new(load(&request).into_stack().unwrap());
    let engine = engine(
        &given.with_file_name("state.db"),
        task["start"].as_i64().unwrap(),
    );
    std::fs::write(given.with_file_name(BEGUN), "").unwrap();
    let options = PlanOptions {
        allow_data_loss: vec!["**".to_owned()],
        ..PlanOptions::default()
    };
    let mut said = Vec::new();
    for _ in 0..TRIES {
        match once(&engine, &stack, &options, &given).await {
            Ok(()) => {
                let snapshot = engine.store().load().await.unwrap();
                assert!(snapshot.open_run.is_none(), "a run is still open");
                for row in &snapshot.rows {
                    let stands = row.status == RowStatus::Current;
                    assert!(stands, "{} is {:?}", row.address, row.status);
                }
                let declared = stack.resources.len();
                assert_eq!(snapshot.rows.iter().count(), declared, "rows of state");
                let plan = engine.plan(stack.clone(), &options).await.unwrap();
                assert!(plan.is_empty(), "{}", fabrik_testkit::stack::said(&plan));
                return;
            }
            Err(error) => said.push(error),
        }
    }
    panic!("after {TRIES} tries:\n{}", said.join("\n"));
}

/// Takes up what a dead process left, plans and applies.
async fn once(
    engine: &Engine,
    stack: &Arc<fabrik_core::stack::Stack>,
    options: &PlanOptions,
    given: &Path,
) -> Result<(), String> {
    let said = |error: fabrik_core::error::Error| format!("{error:?}");
    let run = engine.recover(Some(stack.clone()), false);
    let recovered = run.finish().await.map_err(said)?;
    if let Recovered::Kept { unsure, .. } = &recovered {
        assert!(unsure.is_empty(), "{recovered:?}");
    }
    let plan = engine.plan(stack.clone(), options).await.map_err(said)?;
    // A run that is gone on with ends only by being applied, also when nothing is left to do.
    if plan.is_empty() && matches!(recovered, Recovered::Nothing) {
        return Ok(());
    }
    let mut run = engine.apply(plan, ApplyOptions::default());
    while let Some(event) = run.next().await {
        if matches!(event.body, EventBody::StepStarted { .. }) {
            std::fs::write(given.with_file_name(WRITES), "").unwrap();
        }
    }
    let report = run.finish().await.map_err(said)?;
    match report.end.result {
        RunResult::Succeeded => {
            std::fs::write(given.with_file_name(WROTE), "").unwrap();
            Ok(())
        }
        result => Err(format!("{result:?}: {:?}", report.end.error)),
    }
}

/// Somebody else's objects, of names like ours where the service lets names repeat.
struct Foreign {
    record: String,
    application: String,
    monitor: u64,
}

/// The services in this process, and the state of a stack.
struct World {
    cast: Cast,
    foreign: Foreign,
    before: Json,
    start: i64,
    folder: tempfile::TempDir,
    over: Arc<AtomicBool>,
}

impl World {
    fn new() -> World {
        let cast = Cast::start();
        let zone = cast.cloudflare.zone_id("example.com").unwrap();
        let record =
            json!({"type": "TXT", "name": "h0.example.com", "content": "\"theirs\"", "ttl": 300});
        let project = cast.coolify.add_project("theirs");
        let foreign = Foreign {
            record: cast.cloudflare.add_record(&zone, &record),
            application: cast.coolify.add_application(&project, "api", "nginx:1.0"),
            monitor: cast.kuma.add_monitor(
                json!({"name": "front", "type": "http", "url": "https://theirs.example.com/"}),
            ),
        };
        let zone = json!({"name": "theirs.test.", "kind": "Native", "nameservers": []});
        let (status, answer) = cast.powerdns.api("POST", "/zones", &zone);
        assert_eq!(status, 201, "{answer}");
        let over = Arc::new(AtomicBool::new(false));
        // The service counts logins by its own clock.
        let (kuma, until) = (cast.kuma.clone(), over.clone());
        std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                kuma.a_minute_later();
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        let mut world = World {
            cast,
            foreign,
            before: Json::Null,
            start: SystemClock.now().as_millisecond(),
            folder: tempfile::tempdir().unwrap(),
            over,
        };
        world.before = world.theirs();
        world
    }

    /// Somebody else's objects as they are.
    fn theirs(&self) -> Json {
        let (cast, foreign) = (&self.cast, &self.foreign);
        let zone = cast.cloudflare.zone_id("example.com").unwrap_or_default();
        let records = cast.cloudflare.records(&zone);
        let record = records
            .into_iter()
            .find(|record| record["id"] == *foreign.record);
        let of_app = |field| {
            cast.coolify
                .get(Kind::Application, &foreign.application, field)
        };
        let monitor = &cast.kuma.dump()["monitors"][foreign.monitor.to_string()];
        let domain = cast.namecheap.domain("shop.test").unwrap();
        let hosts = domain
            .hosts
            .iter()
            .filter(|host| !host.name.starts_with('h'));
        let mut hosts: Vec<String> = hosts
            .map(|host| format!("{} {} {} {}", host.name, host.kind, host.address, host.ttl))
            .collect();
        hosts.sort();
        json!({
            "record": record,
            "application": [of_app("name"), of_app("docker_registry_image_name"), of_app("updated_at")],
            "monitor": [monitor["name"], monitor["url"], monitor["active"]],
            "zone": cast.powerdns.dump()["theirs.test."],
            "mail": domain.email_type,
            "hosts": hosts,
        })
    }

    /// The spec of a version: they differ in how much there is and in most of what it says.
    fn spec(&self, version: usize) -> Json {
        let (records, text) = [(4, "one"), (12, "two"), (2, "three")][version % 3];
        let mut spec = self.cast.spec(records, "${secrets.canary}");
        let resources = &mut spec["resources"];
        for n in (0..records).step_by(2) {
            resources[format!("r{n}")]["spec"]["ttl"] = json!(600 + version * 60);
        }
        resources["n0"]["spec"]["values"] = json!([format!("198.51.100.{}", 100 + version)]);
        resources["api_env"]["spec"]["variables"]["LOG_LEVEL"] = json!(text);
        resources["api"]["spec"]["image"] = json!(format!("nginx:1.{version}"));
        resources["front"]["spec"]["url"] = json!(format!("https://{text}.example.com/"));
        resources["page"]["spec"]["title"] = json!(text);
        spec["fabrik"] = json!(1);
        spec["id"] = json!("kill");
        spec["secrets"] = json!(["canary"]);
        spec["providers"] = self.cast.configs(&|at| self.cast.direct(at));
        spec
    }

    fn start(&self, version: usize) -> Child {
        let given = self.folder.path().join("given.json");
        let task = json!({"start": self.start, "spec": self.spec(version)});
        std::fs::write(&given, task.to_string()).unwrap();
        for marker in [BEGUN, WRITES, WROTE] {
            // There is none before the first.
            _ = std::fs::remove_file(self.folder.path().join(marker));
        }
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

    /// Waits until the process has got as far as a marker, or is gone.
    fn wait_for(&self, marker: &str, child: &mut Child) {
        let marker = self.folder.path().join(marker);
        while !marker.exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Runs to the end; gives how long it wrote.
    fn complete(&self, version: usize, about: &str) -> Duration {
        let mut child = self.start(version);
        self.wait_for(WRITES, &mut child);
        let began = Instant::now();
        self.wait_for(WROTE, &mut child);
        let wrote = began.elapsed();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if began.elapsed() > Duration::from_secs(180) {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        if !status.success() {
            let said = std::fs::read_to_string(self.folder.path().join("child")).unwrap();
            panic!("{about}: the run that was to complete ended with {status}:\n{said}");
        }
        wrote
    }

    /// Whether the journal has a run that did not end, and how many calls are under way in it.
    async fn left(&self) -> Option<usize> {
        use fabrik_core::state::EntryKind;
        let state = self.folder.path().join("state.db");
        if !state.exists() {
            return None;
        }
        let snapshot = engine(&state, self.start).store().load().await.unwrap();
        let entries = snapshot.open_run?.entries;
        let count = |fits: &dyn Fn(&EntryKind) -> bool| {
            entries.iter().filter(|entry| fits(&entry.kind)).count()
        };
        let intents = count(&|kind| matches!(kind, EntryKind::Intent(_)));
        let outcomes = count(&|kind| matches!(kind, EntryKind::Outcome { .. }));
        Some(intents.saturating_sub(outcomes))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var_os(name).map_or(usual, |text| text.to_str().unwrap().parse().unwrap())
}

/// A small repeatable source of choices.
fn below(seed: &mut u64, n: u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (*seed ^ (*seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (z ^ (z >> 27)) % n
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_runs_leave_nothing_behind_in_any_service() {
    let kills = number("FABRIK_PROVIDER_KILLS", 3);
    let mut seed = number("FABRIK_CRASH_SEED", 1);
    // What each version comes to, and how long it takes, when nobody is harmed.
    let calm = World::new();
    let mut expected = Vec::new();
    for version in 0..3 {
        let lasts = calm.complete(version, "unharmed");
        assert_eq!(calm.theirs(), calm.before, "unharmed {version}");
        expected.push((lasts, calm.cast.counts()));
    }
    drop(calm);
    println!("unharmed: {expected:?}");
    let mut world = World::new();
    let (mut killed, mut runs, mut in_flight) = (0, 0, 0);
    let mut version = 0;
    while killed < kills {
        let (lasts, counts) = &expected[version];
        let mut about = format!("version {version}, seed {seed}");
        // Sometimes what takes it up again is killed too.
        loop {
            let whole = u64::try_from(lasts.as_micros()).unwrap();
            let moment = Duration::from_micros(below(&mut seed, whole));
            let mut child = world.start(version);
            let marker =
                [WRITES, WRITES, WRITES, BEGUN][usize::try_from(below(&mut seed, 4)).unwrap()];
            world.wait_for(marker, &mut child);
            std::thread::sleep(moment);
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            let left = world.left().await;
            runs += usize::from(left.is_some());
            in_flight += left.unwrap_or(0);
            _ = write!(
                about,
                ", killed {moment:?} after `{marker}` with {left:?} calls under way"
            );
            if killed >= kills || below(&mut seed, 3) > 0 {
                break;
            }
        }
        let again = world.complete(version, &about);
        println!("{about}; then {again:?} more");
        assert_eq!(world.theirs(), world.before, "{about}");
        assert_eq!(world.cast.counts(), *counts, "{about}");
        version = (version + 1) % expected.len();
        if version == 0 {
            world = World::new();
        }
    }
    println!("{killed} kills, {runs} of them within a run, {in_flight} calls under way");
}
