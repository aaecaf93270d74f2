//! How the engine scales, and against Terraform in the same run when it is on PATH.
//!
//! `cargo bench -p fabrik-tests --bench scale [-- WORD]` runs the parts whose name contains WORD:
//! `plan`, `apply`, `linear`, `yaml`, `terraform`. Prints times, memory and ratios; judges nothing.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that prints what it measures"
)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Refresh};
use fabrik_core::plan::Plan;
use fabrik_core::provider::Registry;
use fabrik_core::secrets::Key;
use fabrik_core::spec::{self, LoadRequest};
use fabrik_core::stack::Stack;
use fabrik_core::state::{RunResult, SqliteStore};
use fabrik_tests::null::Null;
use fabrik_tests::shapes::{Shape, stack, terraform, yaml};

const SHAPES: [Shape; 3] = [Shape::Independent, Shape::Layers, Shape::Chain];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with("--"))
        .collect();
    let is_wanted =
        |part: &str| wanted.is_empty() || wanted.iter().any(|word| part.contains(word.as_str()));
    // A part that measures memory runs in a process of its own.
    if let Some(part) = wanted.first().and_then(|word| word.strip_prefix("child:")) {
        child(part);
        return;
    }
    if is_wanted("plan") {
        println!("== plan into an empty state");
        for shape in SHAPES {
            for n in [1_000, 10_000, 100_000] {
                measure_child(&format!("plan:{shape:?}:{n}"));
            }
        }
    }
    if is_wanted("apply") {
        println!("== apply, plan again, destroy; SQLite, every commit on disk");
        for shape in SHAPES {
            for n in [1_000, 10_000] {
                measure_child(&format!("apply:{shape:?}:{n}"));
            }
        }
    }
    if is_wanted("yaml") {
        println!("== no-op plan from a spec: read the file, load state, refresh, compare");
        for shape in [Shape::Independent, Shape::Layers] {
            for n in [100, 1_000, 10_000, 100_000] {
                measure_child(&format!("yaml:{shape:?}:{n}"));
            }
        }
    }
    if is_wanted("terraform") {
        against_terraform();
    }
}

fn shape_of(name: &str) -> Shape {
    *SHAPES
        .iter()
        .find(|shape| format!("{shape:?}") == name)
        .unwrap()
}

fn measure_child(part: &str) {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .arg(format!("child:{part}"))
        .status()
        .unwrap();
    assert!(status.success());
}

fn child(part: &str) {
    let parts: Vec<&str> = part.split(':').collect();
    let (shape, n) = (shape_of(parts[1]), parts[2].parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match parts[0] {
        "plan" => {
            let figures = runtime.block_on(plan_once(shape, n));
            println!("{shape:?} {n}: plan {figures:.1?}, {} MiB", peak_mib());
        }
        "apply" => {
            let figures = runtime.block_on(cycle(shape, n));
            println!("{shape:?} {n}: {figures}, {} MiB", peak_mib());
        }
        "yaml" => {
            // State is made in a process of its own, so that its memory does not count.
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("fabrik.yaml"), yaml(shape, n)).unwrap();
            let here = folder.path().display();
            measure_child(&format!("prepare:{shape:?}:{n}:{here}"));
            measure_child(&format!("noop:{shape:?}:{n}:{here}"));
        }
        "prepare" => runtime.block_on(async {
            let engine = engine(Path::new(parts[3]));
            let plan = engine
                .plan(load(parts[3]), &PlanOptions::default())
                .await
                .unwrap();
            apply(&engine, plan).await;
        }),
        "noop" => runtime.block_on(async {
            let begun = Instant::now();
            let stack = load(parts[3]);
            let loaded = begun.elapsed();
            let plan = engine(Path::new(parts[3]))
                .plan(stack, &PlanOptions::default())
                .await
                .unwrap();
            assert!(plan.is_empty());
            println!(
                "{shape:?} {n}: {:.2?} (spec {loaded:.2?}), {} MiB",
                begun.elapsed(),
                peak_mib()
            );
        }),
        other => panic!("{other}"),
    }
}

/// The stack of a folder's spec.
fn load(folder: &str) -> Arc<Stack> {
    let mut registry = Registry::new();
    registry.register(Null::default());
    let bytes = std::fs::read(Path::new(folder).join("fabrik.yaml")).unwrap();
    let loaded = spec::load(&LoadRequest::new(&registry, "fabrik.yaml", &bytes));
    drop(bytes);
    Arc::new(loaded.into_stack().unwrap())
}

/// Highest resident memory of this process so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|kib| kib.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

fn engine(folder: &Path) -> Engine {
    let store = SqliteStore::open(&folder.join("state.db"), "scale", "default").unwrap();
    Engine::builder()
        .provider(Null::default())
        .store(store)
        .key(Key::new([7; 32]))
        .build()
        .unwrap()
}

async fn plan_once(shape: Shape, n: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let stack = Arc::new(stack(shape, n).unwrap());
    let begun = Instant::now();
    let plan = engine.plan(stack, &PlanOptions::default()).await.unwrap();
    assert_eq!(plan.changes.len(), n);
    begun.elapsed()
}

async fn apply(engine: &Engine, plan: Plan) {
    let report = engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap();
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let result = work.await;
    (result, begun.elapsed())
}

async fn cycle(shape: Shape, n: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let wanted = Arc::new(stack(shape, n).unwrap());
    let options = PlanOptions::default();
    let (plan, planned) = timed(engine.plan(wanted.clone(), &options)).await;
    let ((), applied) = timed(apply(&engine, plan.unwrap())).await;
    let (again, noop) = timed(engine.plan(wanted.clone(), &options)).await;
    assert!(again.unwrap().is_empty());
    let unread = PlanOptions {
        refresh: Refresh::None,
        ..PlanOptions::default()
    };
    let (again, unread) = timed(engine.plan(wanted, &unread)).await;
    assert!(again.unwrap().is_empty());
    let size = std::fs::metadata(folder.path().join("state.db")).map_or(0, |meta| meta.len());
    let (plan, _) = timed(engine.plan(Arc::new(Stack::new("scale")), &options)).await;
    let ((), destroyed) = timed(apply(&engine, plan.unwrap())).await;
    format!(
        "plan {planned:.1?}, apply {applied:.1?}, no-op plan {noop:.1?} (unread {unread:.1?}), destroy {destroyed:.1?}, state {} KiB",
        size / 1024
    )
}

/// Both drive resources that do nothing, one after the other on the same machine.
fn against_terraform() {
    if std::process::Command::new("terraform")
        .arg("version")
        .output()
        .is_err()
    {
        println!("== terraform is not on PATH: not compared");
        return;
    }
    println!("== against terraform (wall time; ratio is terraform / fabrik)");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for (shape, n) in [(Shape::Independent, 10_000), (Shape::Layers, 10_000)] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), terraform(shape, n)).unwrap();
        let theirs = run_terraform(folder.path(), &["plan", "-input=false"]);
        let ours = runtime.block_on(plan_once(shape, n));
        println!(
            "plan {shape:?} {n}: terraform {theirs:.2?}, fabrik {ours:.2?}, ratio {:.0}",
            ratio(theirs, ours)
        );
    }
    for shape in [Shape::Independent, Shape::Layers] {
        let n = 1_000;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.tf"), terraform(shape, n)).unwrap();
        let their_apply = run_terraform(folder.path(), &["apply", "-auto-approve", "-input=false"]);
        let their_destroy =
            run_terraform(folder.path(), &["destroy", "-auto-approve", "-input=false"]);
        let (our_apply, our_destroy) = runtime.block_on(apply_and_destroy(shape, n));
        println!(
            "apply {shape:?} {n}: terraform {their_apply:.2?}, fabrik {our_apply:.2?}, ratio {:.0}",
            ratio(their_apply, our_apply)
        );
        println!(
            "destroy {shape:?} {n}: terraform {their_destroy:.2?}, fabrik {our_destroy:.2?}, ratio {:.0}",
            ratio(their_destroy, our_destroy)
        );
    }
}

/// Plan and apply, as one command does.
async fn apply_and_destroy(shape: Shape, n: usize) -> (Duration, Duration) {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path());
    let wanted = Arc::new(stack(shape, n).unwrap());
    let begun = Instant::now();
    let plan = engine.plan(wanted, &PlanOptions::default()).await.unwrap();
    apply(&engine, plan).await;
    let applied = begun.elapsed();
    let begun = Instant::now();
    let plan = engine
        .plan(Arc::new(Stack::new("scale")), &PlanOptions::default())
        .await
        .unwrap();
    apply(&engine, plan).await;
    (applied, begun.elapsed())
}

fn ratio(theirs: Duration, ours: Duration) -> f64 {
    theirs.as_secs_f64() / ours.as_secs_f64()
}

fn run_terraform(folder: &Path, arguments: &[&str]) -> Duration {
    let begun = Instant::now();
    let status = std::process::Command::new("terraform")
        .args(arguments)
        .current_dir(folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "terraform {arguments:?}");
    begun.elapsed()
}
