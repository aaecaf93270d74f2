//! Few requests for many records.

use fabrik_core::plan::Action;
use fabrik_core::stack::Declared;
use fabrik_fakes::cloudflare::Plan;
use serde_json::json;

use super::world::{Stage, actions, record};

fn many(count: usize, last: &str) -> Vec<Declared> {
    let sets = (0..count).map(|at| {
        let value = format!(
            "192.0.{}.{}",
            at / 250,
            if at + 1 == count {
                last.to_owned()
            } else {
                (at % 250).to_string()
            }
        );
        record(
            &format!("r{at}"),
            &json!({"name": format!("r{at}"), "type": "A", "values": [value]}),
        )
    });
    sets.collect()
}

/// 300 sets go in two batches, whatever is looked up before.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_are_written_in_batches() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.set_record_quota(&zone, 1_000);
    let stack = stage.stack(many(300, "254"));
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.records(&zone).len(), 300);
    assert!(stage.requests("POST") <= 4, "{}", stage.requests("POST"));
    assert!(stage.requests("GET") <= 20, "{}", stage.requests("GET"));
    stage.cloud.clear_log();
    stage.destroy(&stack).await;
    assert!(stage.cloud.records(&zone).is_empty());
    assert!(stage.requests("POST") <= 4, "{}", stage.requests("POST"));
}

/// The bar: a refresh of 5,000 sets in one zone takes at most 10 requests.
#[tokio::test(flavor = "multi_thread")]
async fn thousands_are_read_in_a_handful_of_requests() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.set_plan(&zone, Plan::Pro);
    stage.cloud.set_record_quota(&zone, 6_000);
    let stack = stage.stack(many(5_000, "254"));
    let report = stage.apply(&stack).await;
    assert_eq!(report.end.result, fabrik_core::state::RunResult::Succeeded);
    stage.cloud.clear_log();
    stage.empty(&stack).await;
    let requests = stage.cloud.log().len();
    assert!(requests <= 10, "{requests}: {:#?}", stage.cloud.log());
    assert_eq!(stage.writes(), 0);
    // One of them changed by hand.
    let changed = stage.cloud.record_set(&zone, "r77.example.com", "A");
    stage.cloud.edit_record(
        changed[0]["id"].as_str().unwrap(),
        &json!({"content": "192.0.2.200"}),
    );
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("r77".into(), Action::Update)]
    );
}

/// A service that gives less at once than was asked for is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn small_pages_are_put_together() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.page_cap(7);
    let stack = stage.stack(many(30, "254"));
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.records(&zone).len(), 30);
}
