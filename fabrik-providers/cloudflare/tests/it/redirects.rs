//! `cloudflare.redirect_rule`.

use std::time::Duration;

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::stack::{Declared, Options};
use fabrik_core::state::RunResult;
use serde_json::{Value as Json, json};

use super::world::{Stage, actions, at, options, resource};

fn rule(id: &str, inputs: &Json) -> Declared {
    let mut inputs = inputs.clone();
    inputs["zone"] = json!("example.com");
    resource(id, "cloudflare.redirect_rule", &inputs)
}

fn www(status: u16) -> Json {
    json!({
        "expression": "http.host eq \"www.example.com\"",
        "target_expression": "concat(\"https://example.com\", http.request.uri.path)",
        "preserve_query": true,
        "status": status,
    })
}

fn foreign() -> Json {
    json!({
        "action": "redirect",
        "expression": "http.host eq \"old.example.com\"",
        "description": "by hand",
        "action_parameters": {"from_value": {"status_code": 302, "target_url": {"value": "https://example.com"}}},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_lives_beside_others() {
    let (stage, zone) = Stage::with_zone();
    // The first rule of the zone.
    let stack = stage.stack([rule("www", &www(301)), rule("b", &json!({"expression": "http.host eq \"b.example.com\"", "target": "https://example.com/b", "description": "b"}))]);
    stage.settle(&stack).await;
    assert_eq!(stage.cloud.rules(&zone).len(), 2);
    let by_hand = stage.cloud.add_rule(&zone, &foreign());
    stage.empty(&stack).await;
    // Changed in place; the foreign one survives.
    let ids = |stage: &Stage| {
        let rules = stage.cloud.rules(&zone);
        let mut ids: Vec<String> = rules.iter().map(|rule| rule["id"].to_string()).collect();
        ids.sort();
        ids
    };
    let before = ids(&stage);
    let stack = stage.stack([rule("www", &www(308))]);
    stage.settle(&stack).await;
    let after = ids(&stage);
    assert_eq!(after.len(), 2);
    assert!(after.iter().all(|id| before.contains(id)));
    let own = stage
        .cloud
        .rules(&zone)
        .into_iter()
        .find(|rule| rule["id"] != by_hand.as_str())
        .unwrap();
    assert_eq!(own["action_parameters"]["from_value"]["status_code"], 308);
    // Drift.
    stage
        .cloud
        .edit_rule(own["id"].as_str().unwrap(), &json!({"enabled": false}));
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("www".into(), Action::Update)]
    );
    stage.settle(&stack).await;
    stage.cloud.remove_rule(own["id"].as_str().unwrap());
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("www".into(), Action::Create)]
    );
    stage.settle(&stack).await;
    stage.destroy(&stack).await;
    let left = stage.cloud.rules(&zone);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["description"], "by hand");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_makes_no_second_rule() {
    for foreign_first in [false, true] {
        let (stage, zone) = Stage::with_zone();
        if foreign_first {
            stage.cloud.add_rule(&zone, &foreign());
        }
        let timeout = Some(Duration::from_secs(2));
        let declared = options(
            rule("www", &www(301)),
            Options {
                timeout,
                ..Options::default()
            },
        );
        let stack = stage.stack([declared]);
        let lost = Fault::LoseReply { address: at("www") };
        let report = stage.apply_with(&stack, vec![lost]).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        stage.empty(&stack).await;
        assert_eq!(
            stage.cloud.rules(&zone).len(),
            1 + usize::from(foreign_first)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_imported_by_zone_and_reference() {
    let (stage, zone) = Stage::with_zone();
    let id = stage.cloud.add_rule(&zone, &foreign());
    let declared = rule(
        "old",
        &json!({"expression": "http.host eq \"old.example.com\"", "target": "https://example.com",
        "status": 302, "description": "by hand"}),
    );
    let import = |id: String| {
        stage.stack([options(
            declared.clone(),
            Options {
                import: Some(id),
                ..Options::default()
            },
        )])
    };
    let error = stage.try_plan(&import("nothing".into())).await.unwrap_err();
    assert!(
        error.hint_text().unwrap().contains("`ZONE/REF`"),
        "{error:?}"
    );
    stage.settle(&import(format!("example.com/{id}"))).await;
    assert_eq!(stage.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_are_told() {
    let (stage, zone) = Stage::with_zone();
    let both =
        json!({"expression": "true", "target": "https://a.example", "target_expression": "\"x\""});
    let (field, message, hint) = stage.finding(&stage.stack([rule("www", &both)])).await;
    assert_eq!(
        (field.as_str(), message.as_str()),
        ("target", "a redirect has one target")
    );
    assert_eq!(hint, "set either `target` or `target_expression`");
    let odd = json!({"expression": "http.host eq (", "target": "https://a.example"});
    let error = stage.failure(&stage.stack([rule("www", &odd)])).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.field_path().unwrap().to_string(), "expression");
    assert!(error.message().contains("Filter parsing error"), "{error}");
    for _ in 0..10 {
        stage.cloud.add_rule(&zone, &foreign());
    }
    let error = stage.failure(&stage.stack([rule("www", &www(301))])).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert!(
        error
            .message()
            .starts_with("the zone cannot hold more redirect rules: "),
        "{error}"
    );
    assert_eq!(
        error.hint_text(),
        Some("remove rules, or put the zone on a bigger plan")
    );
}
