//! The embedding programs, and the store they plug in.

use std::sync::Arc;

use fabrik_core::error::Result;
use fabrik_core::state::StateStore;
use fabrik_core::testing::store_suite::{self, Place};
use fabrik_embedding::store::CountingStore;

#[tokio::test]
async fn local_files_are_planned_applied_changed_and_destroyed() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    fabrik_embedding::local_files::run(folder.path(), &mut out)
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let wanted = [
        "-- first apply",
        "plan: + resources.greeting (create)",
        "event: secret PASSWORD: generated now",
        "event: create resources.letter",
        "-- again, unchanged",
        "plan: nothing to do",
        "-- changed",
        "plan: ~ resources.letter (update)",
        "output greeting: Good evening",
        "-- destroy",
        "deleted: 3",
    ];
    in_order(&out, &wanted);
    assert!(!folder.path().join("letter.txt").exists());
}

#[tokio::test]
async fn a_stopped_run_is_gone_on_with() {
    let mut out = Vec::new();
    fabrik_embedding::stop_and_resume::run(&mut out)
        .await
        .unwrap();
    let out = String::from_utf8(out).unwrap();
    let wanted = [
        "-- stopped after the second loaf",
        "ended: Interrupted",
        "-- resumed",
        "run 1 goes on",
        "event: create resources.five",
        "ended: Succeeded",
        "in the shop: 5",
    ];
    in_order(&out, &wanted);
    // Each loaf was baked once.
    assert_eq!(out.matches("event: create ").count(), 5, "{out}");
}

#[track_caller]
fn in_order(out: &str, wanted: &[&str]) {
    let mut lines = out.lines();
    for line in wanted {
        assert!(
            lines.any(|there| there == *line),
            "no `{line}` there in\n{out}"
        );
    }
}

struct Shelf(CountingStore);

impl Place for Shelf {
    fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>> {
        Ok(Arc::new(self.0.open(stack, env)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn their_store_keeps_what_a_store_promises() {
    store_suite::run(|| Ok(Shelf(CountingStore::new(""))))
        .await
        .unwrap();
}
