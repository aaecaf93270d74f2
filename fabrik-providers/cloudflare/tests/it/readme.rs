//! The examples of the README are specs that load, and do what they say.

use fabrik_core::provider::Registry;
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::state::RunResult;

use super::world::Stage;

fn examples() -> Vec<&'static str> {
    let text = include_str!("../../README.md");
    let blocks = text.split("```yaml\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_are_valid_and_apply() {
    let examples = examples();
    assert_eq!(examples.len(), 6);
    for example in examples {
        let (stage, zone) = Stage::with_zone();
        stage.cloud.activate_after(1);
        if example.contains("on_destroy") {
            stage.cloud.remove_zone(&zone);
        }
        let mut spec = example.to_owned();
        if !spec.contains("fabrik: 1") {
            spec = format!("fabrik: 1\nid: example\n{spec}");
        }
        let mut registry = Registry::new();
        registry.register(fabrik_provider_cloudflare::provider());
        let request = LoadRequest::new(&registry, "fabrik.yaml", spec.as_bytes());
        let mut stack = load(&request)
            .into_stack()
            .unwrap_or_else(|error| panic!("{spec}\n{error:?}"));
        // The same stack, at the fake.
        stack.instances = stage.stack([]).instances;
        stack.secrets.clear();
        stack.name = "test".into();
        let report = stage.apply(&stack).await;
        assert_eq!(
            report.end.result,
            RunResult::Succeeded,
            "{spec}\n{report:?}"
        );
        stage.empty(&stack).await;
    }
}
