use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::clock::{SystemClock, VirtualClock};
use crate::state::{MemoryStore, SqliteStore, UnknownLiveness};
use crate::testing::store_suite::{holder, sample_entry, sample_group, take};

struct Always(Option<bool>);

impl Liveness for Always {
    fn is_alive(&self, _: &Holder) -> Option<bool> {
        self.0
    }
}

fn policy(timeout: u64, ttl: u64) -> LockPolicy {
    LockPolicy {
        timeout: Duration::from_secs(timeout),
        ttl: Duration::from_secs(ttl),
        ..LockPolicy::default()
    }
}

async fn try_it(
    store: &MemoryStore,
    policy: &LockPolicy,
    alive: Option<bool>,
) -> (Result<Lease>, u64) {
    let clock = VirtualClock::default();
    let mut waits = 0;
    let lease = acquire(
        store,
        &holder("two"),
        policy,
        &clock,
        &Always(alive),
        &mut |_| waits += 1,
    )
    .await;
    assert!(waits <= 1, "one call for one holder");
    let passed = between(Timestamp::UNIX_EPOCH, clock.now());
    (lease, passed.as_secs())
}

#[tokio::test]
async fn a_free_lock_is_granted() {
    let store = MemoryStore::new("s", "e");
    assert!(try_it(&store, &policy(0, 60), None).await.0.is_ok());
}

#[tokio::test]
async fn a_dead_holder_is_replaced_at_once() {
    let store = MemoryStore::new("s", "e");
    let old = take(&store, "one").await.unwrap();
    let (lease, passed) = try_it(&store, &policy(0, 60), Some(false)).await;
    assert!(lease.unwrap().token > old.token);
    assert_eq!(passed, 0);
    let refused = store.append(&old, 0, &sample_group(1, 1, "a")).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::LeaseLost);
}

#[tokio::test]
async fn a_silent_holder_is_replaced_after_its_time() {
    let store = MemoryStore::new("s", "e");
    take(&store, "one").await.unwrap();
    let (lease, passed) = try_it(&store, &policy(600, 60), None).await;
    assert!(lease.is_ok());
    assert!((60..62).contains(&passed), "{passed}");
}

#[tokio::test]
async fn a_living_holder_is_waited_for_and_named() {
    let store = MemoryStore::new("s", "e");
    let held = take(&store, "one").await.unwrap();
    let (refused, passed) = try_it(&store, &policy(600, 60), Some(true)).await;
    assert_eq!(passed, 600);
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(error.message().contains("one on here (pid 42)"), "{error}");
    assert!(error.message().contains("gave up after 10m 0s"), "{error}");
    let unlock = format!("fabrik state unlock {}", held.token);
    assert!(error.hint_text().unwrap().contains(&unlock));
    assert!(error.hint_text().unwrap().contains("--lock-timeout"));
    assert!(
        error
            .context_pairs()
            .any(|pair| pair == ("command", "fabrik apply"))
    );
    let (refused, passed) = try_it(&store, &policy(0, 60), None).await;
    assert_eq!(
        (refused.unwrap_err().kind(), passed),
        (ErrorKind::Locked, 0)
    );
}

#[tokio::test]
async fn a_heartbeat_that_moves_keeps_the_lock() {
    struct Beats(MemoryStore, Lease, AtomicU64);
    impl Liveness for Beats {
        fn is_alive(&self, _: &Holder) -> Option<bool> {
            // The holder beats every 100 looks of the waiter: every 20 s.
            if self.2.fetch_add(1, Ordering::Relaxed) % 100 == 99 {
                let beat = self.0.heartbeat(&self.1);
                let mut beat = std::pin::pin!(beat);
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(std::future::Future::poll(beat.as_mut(), &mut cx).is_ready());
            }
            None
        }
    }
    let store = MemoryStore::new("s", "e");
    let lease = take(&store, "one").await.unwrap();
    let beats = Beats(store.clone(), lease, AtomicU64::new(0));
    let clock = VirtualClock::default();
    let refused = acquire(
        &store,
        &holder("two"),
        &policy(600, 60),
        &clock,
        &beats,
        &mut |_| (),
    )
    .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Locked);
}

#[tokio::test]
async fn time_in_which_the_waiter_did_not_run_does_not_count() {
    struct Sleeps(VirtualClock);
    impl Liveness for Sleeps {
        fn is_alive(&self, _: &Holder) -> Option<bool> {
            // The laptop is closed for an hour between looks.
            self.0.advance(Duration::from_secs(3600));
            None
        }
    }
    let store = MemoryStore::new("s", "e");
    take(&store, "one").await.unwrap();
    let clock = VirtualClock::default();
    let (policy, sleeps) = (policy(36_000, 60), Sleeps(clock.clone()));
    let refused = acquire(
        &store,
        &holder("two"),
        &policy,
        &clock,
        &sleeps,
        &mut |_| (),
    )
    .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Locked);
}

#[tokio::test]
async fn the_heartbeat_moves_until_dropped_and_reports_loss() {
    let store = MemoryStore::new("s", "e");
    let lease = take(&store, "one").await.unwrap();
    let clock = VirtualClock::default();
    let alive = keep_alive(
        Arc::new(store.clone()),
        lease.clone(),
        &policy(0, 60),
        Arc::new(clock.clone()),
    );
    for _ in 0..20 {
        tokio::task::yield_now().await;
        clock.sleep(Duration::from_secs(5)).await;
    }
    tokio::task::yield_now().await;
    let beat = store.holder().await.unwrap().unwrap().beat;
    assert!(
        (5..=7).contains(&beat),
        "100 s are 6 beats of 15 s, not {beat}"
    );
    assert!(alive.lost().is_none());
    store.break_lease(lease.token).await.unwrap();
    clock.advance(Duration::from_secs(60));
    assert_eq!(alive.wait_lost().await.kind(), ErrorKind::LeaseLost);
    assert!(alive.lost().is_some());

    let lease = take(&store, "one").await.unwrap();
    drop(keep_alive(
        Arc::new(store.clone()),
        lease,
        &policy(0, 60),
        Arc::new(clock.clone()),
    ));
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(600));
    tokio::task::yield_now().await;
    assert_eq!(
        store.holder().await.unwrap().unwrap().beat,
        0,
        "dropped: no more beats"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_contenders_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let inside = Arc::new(AtomicUsize::new(0));
    let mut runs = tokio::task::JoinSet::new();
    for at in 0..20_u64 {
        let (path, inside) = (path.clone(), inside.clone());
        runs.spawn(async move {
            let store = SqliteStore::open(&path, "s", "e").unwrap();
            let policy = LockPolicy {
                timeout: Duration::from_secs(120),
                poll: Duration::from_millis(20),
                ttl: Duration::from_secs(60),
            };
            let me = holder(&format!("run {at}"));
            let lease = acquire(
                &store,
                &me,
                &policy,
                &SystemClock,
                &UnknownLiveness,
                &mut |_| (),
            )
            .await
            .unwrap();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "alone");
            let state = store.load().await.unwrap();
            let run = state.last_run + 1;
            let group = sample_group(run, u128::from(at), &format!("r{at}"));
            let head = store.append(&lease, state.head, &group).await.unwrap();
            let end = crate::state::EntryKind::RunEnded(Box::new(
                crate::testing::store_suite::sample_end(0),
            ));
            store
                .append(&lease, head, &[sample_entry(run, end)])
                .await
                .unwrap();
            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1, "still alone");
            store.release(&lease).await.unwrap();
        });
    }
    while let Some(run) = runs.join_next().await {
        run.unwrap();
    }
    let store = SqliteStore::open(&path, "s", "e").unwrap();
    let state = store.load().await.unwrap();
    assert_eq!((state.rows.len(), state.last_run, state.head), (20, 20, 60));
    assert_eq!(store.runs(99).await.unwrap().len(), 20);
}
