//! `cloudflare.cache_purge`.

use fabrik_core::error::ErrorKind;
use fabrik_core::stack::Declared;
use serde_json::{Value as Json, json};

use super::world::{Stage, resource};

fn purge(inputs: &Json) -> Declared {
    let mut inputs = inputs.clone();
    inputs["zone"] = json!("example.com");
    resource("purge", "cloudflare.cache_purge", &inputs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_is_purged_once() {
    let (stage, _) = Stage::with_zone();
    stage
        .settle(&stage.stack([purge(&json!({"everything": true}))]))
        .await;
    assert_eq!(stage.cloud.purges(), [json!({"purge_everything": true})]);
    let files: Vec<String> = (0..70)
        .map(|at| format!("https://example.com/{at}"))
        .collect();
    stage
        .settle(&stage.stack([purge(&json!({"files": files}))]))
        .await;
    let purges = stage.cloud.purges();
    assert_eq!(purges.len(), 4);
    assert_eq!(purges[3]["files"].as_array().unwrap().len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_purged_is_told() {
    let (stage, _) = Stage::with_zone();
    let error = stage.failure(&stage.stack([purge(&json!({}))])).await;
    assert_eq!(error.message(), "it is not said what to purge");
    assert_eq!(
        error.hint_text(),
        Some("set `everything: true`, or one of `files`, `hosts`, `tags`, `prefixes`")
    );
    let error = stage
        .failure(&stage.stack([purge(&json!({"everything": true, "tags": ["a"]}))]))
        .await;
    assert_eq!(error.message(), "one purge is of one kind only");
    let error = stage
        .failure(&stage.stack([purge(&json!({"tags": ["a"]}))]))
        .await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.message(),
        "the zone's plan does not allow this: Only enterprise zones can purge by tag, host or prefix"
    );
    assert_eq!(
        error.hint_text(),
        Some("take it out of the spec, or put the zone on a plan that has it")
    );
    assert!(stage.cloud.purges().is_empty());
}
