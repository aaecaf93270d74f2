//! Lost replies, batches with a bad member, what others do meanwhile, rollback.

use std::time::Duration;

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::provider::Verb;
use fabrik_core::stack::{Declared, OnFailure, Options};
use fabrik_core::state::RunResult;
use serde_json::json;

use super::world::{Stage, actions, at, options, record};

fn set(id: &str, kind: &str, value: &str) -> Declared {
    let declared = record(id, &json!({"name": id, "type": kind, "values": [value]}));
    let timeout = Some(Duration::from_secs(2));
    options(
        declared,
        Options {
            timeout,
            ..Options::default()
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_make_nothing_twice() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([set("a", "A", "192.0.2.1"), set("b", "A", "192.0.2.1")]);
    let lost = |id: &str| Fault::LoseReply { address: at(id) };
    let report = stage.apply_with(&stack, vec![lost("a")]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&stack).await;
    assert_eq!(stage.cloud.records(&zone).len(), 2);
    // Of an update.
    let stack = stage.stack([set("a", "A", "192.0.2.2"), set("b", "A", "192.0.2.1")]);
    let report = stage.apply_with(&stack, vec![lost("a")]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&stack).await;
    // Of a delete.
    let stack = stage.stack([set("b", "A", "192.0.2.1")]);
    let report = stage.apply_with(&stack, vec![lost("a")]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&stack).await;
    assert_eq!(stage.cloud.records(&zone).len(), 1);
}

/// One member of a batch is refused: it is found, the others are written.
#[tokio::test(flavor = "multi_thread")]
async fn the_bad_member_of_a_batch_is_found() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.add_record(
        &zone,
        &json!({"name": "bad", "type": "A", "content": "192.0.2.9"}),
    );
    let mut sets: Vec<Declared> = (0..20)
        .map(|at| set(&format!("r{at}"), "A", "192.0.2.1"))
        .collect();
    sets.push(set("bad", "CNAME", "other.example.org"));
    let mut stack = stage.stack(sets);
    stack.on_failure = OnFailure::Keep;
    let report = stage.apply(&stack).await;
    assert_eq!(report.end.result, RunResult::Failed, "{report:?}");
    let error = report.end.error.as_ref().unwrap();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(
        error.message.starts_with("another record is in the way"),
        "{error:?}"
    );
    assert_eq!(stage.cloud.records(&zone).len(), 21);
    let posts = stage.requests("POST");
    assert!(posts <= 12, "halving, not one by one: {posts}");
    assert_eq!(actions(&stage.plan(&stack).await).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_is_taken_back() {
    let (stage, zone) = Stage::with_zone();
    let before = stage.stack([
        set("a", "A", "192.0.2.1"),
        set("b", "A", "192.0.2.1"),
        set("gone", "TXT", "old"),
    ]);
    stage.settle(&before).await;
    let there = stage.cloud.dump();
    let mut last = set("last", "A", "192.0.2.1");
    last.depends_on = vec![at("a"), at("b"), at("new")];
    let stack = stage.stack([
        set("a", "A", "192.0.2.2"),
        set("b", "CNAME", "other.example.org"),
        set("new", "A", "192.0.2.1"),
        last,
    ]);
    let fail = Fault::FailStep {
        address: at("last"),
        verb: Some(Verb::Create),
        kind: ErrorKind::Refused,
    };
    let report = stage.apply_with(&stack, vec![fail]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let strip = |dump: &serde_json::Value| {
        let mut dump = dump.clone();
        for record in dump["example.com"]["records"].as_array_mut().unwrap() {
            // What was made anew carries another operation's mark.
            record["comment"] = json!(null);
        }
        dump["example.com"]["records"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(ToString::to_string);
        dump
    };
    assert_eq!(strip(&stage.cloud.dump()), strip(&there));
    stage.empty(&before).await;
    assert_eq!(stage.cloud.records(&zone).len(), 3);
}

/// A record vanishes between looking and writing.
#[tokio::test(flavor = "multi_thread")]
async fn what_vanished_meanwhile_is_no_trouble() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([
        set("a", "A", "192.0.2.1"),
        set("b", "A", "192.0.2.1"),
        set("c", "A", "192.0.2.1"),
    ]);
    stage.settle(&stack).await;
    let wanted = stage.stack([set("a", "A", "192.0.2.2")]);
    let plan = stage.plan(&wanted).await;
    for name in ["a.example.com", "b.example.com"] {
        let id = stage.cloud.record_set(&zone, name, "A")[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        stage.cloud.remove_record(&id);
    }
    let report = stage
        .engine
        .apply(plan, fabrik_core::engine::ApplyOptions::default())
        .finish()
        .await
        .unwrap();
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&wanted).await;
    assert_eq!(stage.cloud.records(&zone).len(), 1);
}

/// The same record is made by somebody else between looking and writing: it is what is wanted.
#[tokio::test(flavor = "multi_thread")]
async fn what_appeared_meanwhile_and_is_the_same_is_fine() {
    let (stage, zone) = Stage::with_zone();
    let stack = stage.stack([set("a", "A", "192.0.2.1")]);
    let repeat = Fault::RepeatStep { address: at("a") };
    let report = stage.apply_with(&stack, vec![repeat]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(stage.cloud.records(&zone).len(), 1);
    stage.empty(&stack).await;
}
