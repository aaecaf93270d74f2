//! `cloudflare.zone_settings`.

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::state::RunResult;
use serde_json::{Value as Json, json};

use super::world::{Stage, actions, at, record, resource};

fn settings(inputs: &Json) -> fabrik_core::stack::Declared {
    let mut inputs = inputs.clone();
    inputs["zone"] = json!("example.com");
    resource("settings", "cloudflare.zone_settings", &inputs)
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_become_again_what_they_were() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.set_setting(&zone, "brotli", &json!("off"));
    let before = stage.cloud.dump();
    let stack = stage.stack([settings(
        &json!({"ssl": "strict", "brotli": "on", "browser_cache_ttl": 1200}),
    )]);
    stage.settle(&stack).await;
    assert_eq!(stage.writes(), 3);
    assert_eq!(stage.cloud.setting(&zone, "ssl"), "strict");
    assert_eq!(stage.cloud.setting(&zone, "browser_cache_ttl"), 1200);
    // One more, one no longer.
    let stack = stage.stack([settings(
        &json!({"ssl": "strict", "brotli": "on", "http3": "off"}),
    )]);
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.setting(&zone, "browser_cache_ttl"), 14_400);
    // Drift, repaired.
    stage.cloud.set_setting(&zone, "ssl", &json!("off"));
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("settings".into(), Action::Update)]
    );
    stage.settle(&stack).await;
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_changed_since_is_left() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([settings(&json!({"ssl": "strict", "http3": "off"}))]);
    stage.settle(&stack).await;
    stage.cloud.set_setting(&zone, "ssl", &json!("full"));
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.setting(&zone, "ssl"), "full");
    assert_eq!(stage.cloud.setting(&zone, "http3"), "on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_takes_settings_back() {
    let (stage, zone) = Stage::with_zone();
    let mut bad = record(
        "bad",
        &json!({"name": "www", "type": "A", "values": ["192.0.2.1"]}),
    );
    bad.depends_on = vec![at("settings")];
    let stack = stage.stack([settings(&json!({"ssl": "strict"})), bad]);
    let plan = stage.plan(&stack).await;
    assert_eq!(plan.changes.len(), 2);
    let before = stage.cloud.dump();
    let fail = Fault::FailStep {
        address: at("bad"),
        verb: None,
        kind: fabrik_core::error::ErrorKind::Refused,
    };
    let report = stage.apply_with(&stack, vec![fail]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(stage.cloud.dump(), before);
    assert_eq!(stage.cloud.setting(&zone, "ssl"), "flexible");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_forgets_nothing() {
    let (stage, _) = Stage::with_zone();
    let before = stage.cloud.dump();
    let stack = stage.stack([settings(&json!({"ssl": "strict"}))]);
    let lost = Fault::LoseReply {
        address: at("settings"),
    };
    let report = stage.apply_with(&stack, vec![lost]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&stack).await;
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.dump(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_of_another_plan_is_seen_before() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([settings(&json!({"polish": "lossy"}))]);
    let (field, message, hint) = stage.finding(&stack).await;
    assert_eq!(field, "polish");
    assert_eq!(message, "the zone's plan does not allow to change `polish`");
    assert_eq!(hint, "leave it out, or put the zone on a plan that has it");
    // As it is, it may be written down.
    stage
        .settle(&stage.stack([settings(&json!({"polish": "off", "ssl": "full"}))]))
        .await;
    // Locked later: also an update sees it.
    stage.cloud.lock_setting(&zone, "ssl");
    let (field, _, _) = stage
        .finding(&stage.stack([settings(&json!({"ssl": "strict"}))]))
        .await;
    assert_eq!(field, "ssl");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_read_one_by_one_where_there_is_no_list() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.list_settings(false);
    let stack = stage.stack([settings(&json!({"ssl": "strict"}))]);
    stage.settle(&stack).await;
    stage.destroy(&stack).await;
    assert_eq!(stage.cloud.setting(&zone, "ssl"), "flexible");
}

#[tokio::test(flavor = "multi_thread")]
async fn flexible_encryption_with_redirects_is_warned_of() {
    let (stage, _) = Stage::with_zone();
    let stack = stage.stack([settings(
        &json!({"ssl": "flexible", "always_use_https": "on"}),
    )]);
    let plan = stage.plan(&stack).await;
    let finding = &plan.findings[0].finding;
    assert!(!finding.blocking);
    assert_eq!(
        finding.message,
        "with `ssl: flexible`, an origin that redirects to `https` is a loop without end"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_there_is_said_to_be() {
    let stage = Stage::new();
    let stack = stage.stack([settings(&json!({"ssl": "strict"}))]);
    let error = stage.failure(&stack).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.message(), "the API token sees no zone `example.com`");
}
