//! Processes that are killed: what was acknowledged is there, and the lock is free at once.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::clock::SystemClock;

use crate::state::{Holder, LockPolicy, ProcLiveness, Snapshot, SqliteStore, StateStore, acquire};
use crate::testing::store_suite::{self, random_groups};

fn liveness() -> ProcLiveness {
    ProcLiveness::new("here", "machine", "boot", "namespace", "/proc")
}

fn me() -> Holder {
    Holder {
        process: liveness().process(std::process::id()),
        pid: std::process::id(),
        ..store_suite::holder("a process")
    }
}

fn policy(timeout: Duration) -> LockPolicy {
    LockPolicy {
        timeout,
        ..LockPolicy::default()
    }
}

/// Runs one of the ignored tests below in a process of its own, in a folder.
fn start(folder: &Path, test: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            &format!("state::sqlite::tests::crash::{test}"),
        ])
        .current_dir(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Takes the lock, then appends until killed, noting the head after each group.
#[tokio::test]
#[ignore = "run by other tests, in a folder of theirs"]
async fn child_that_appends() {
    if !Path::new("go").exists() {
        return;
    }
    let store = SqliteStore::open(Path::new("state.db"), "s", "e").unwrap();
    let policy = policy(Duration::from_secs(60));
    let lease = acquire(
        &store,
        &me(),
        &policy,
        &SystemClock,
        &liveness(),
        &mut |_| (),
    )
    .await
    .unwrap();
    let mut head = store.load().await.unwrap().head;
    loop {
        for group in random_groups(head, 20) {
            head = store.append(&lease, head, &group).await.unwrap();
            std::fs::write("acknowledged.new", head.to_string()).unwrap();
            std::fs::rename("acknowledged.new", "acknowledged").unwrap();
        }
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_killed_holder_loses_nothing_acknowledged_and_frees_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("go"), "").unwrap();
    let path = folder.path().join("state.db");
    let acknowledged = || -> u64 {
        let text = std::fs::read_to_string(folder.path().join("acknowledged"));
        text.ok().and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    for round in 0..12_u64 {
        let before = acknowledged();
        let mut child = start(folder.path(), "child_that_appends");
        let began = Instant::now();
        while acknowledged() == before {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "the child does not append"
            );
            std::thread::sleep(Duration::from_millis(3));
        }
        std::thread::sleep(Duration::from_micros(round * 1_700));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path, "s", "e").unwrap();
        let state = store.load().await.unwrap();
        assert!(
            state.head >= acknowledged(),
            "{} of {}",
            state.head,
            acknowledged()
        );
        let mut fold = Snapshot::default();
        for run in 1..=state.last_run {
            let entries = store.entries(run).await.unwrap();
            fold.head = fold.head.max(entries.last().unwrap().0 + 1);
        }
        assert_eq!(fold.head, state.head, "the journal is whole");
        let began = Instant::now();
        let at_once = policy(Duration::ZERO);
        let lease = acquire(
            &store,
            &me(),
            &at_once,
            &SystemClock,
            &liveness(),
            &mut |_| (),
        )
        .await;
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "{:?}",
            began.elapsed()
        );
        store.release(&lease.unwrap()).await.unwrap();
    }
}

/// Takes the lock twice; while it holds it, nobody else is in the folder `inside`.
#[tokio::test]
#[ignore = "run by other tests, in a folder of theirs"]
async fn child_that_takes_turns() {
    if !Path::new("go").exists() {
        return;
    }
    let store = SqliteStore::open(Path::new("state.db"), "s", "e").unwrap();
    for _ in 0..2 {
        let policy = LockPolicy {
            poll: Duration::from_millis(10),
            ..policy(Duration::from_secs(120))
        };
        let lease = acquire(
            &store,
            &me(),
            &policy,
            &SystemClock,
            &liveness(),
            &mut |_| (),
        )
        .await
        .unwrap();
        std::fs::create_dir("inside").unwrap();
        let state = store.load().await.unwrap();
        let group = store_suite::sample_group(state.last_run + 1, u128::from(state.head), "r");
        store.append(&lease, state.head, &group).await.unwrap();
        std::fs::remove_dir("inside").unwrap();
        store.release(&lease).await.unwrap();
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn twenty_processes_take_turns() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("go"), "").unwrap();
    let children: Vec<Child> = (0..20)
        .map(|_| start(folder.path(), "child_that_takes_turns"))
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let store = SqliteStore::open(&folder.path().join("state.db"), "s", "e").unwrap();
    let state = store.load().await.unwrap();
    assert_eq!((state.last_run, state.head, state.rows.len()), (40, 80, 40));
}
