//! The examples of the README are one valid spec, and what they say can be had.

use std::collections::BTreeMap;

use fabrik_core::provider::{Provider as _, Registry};
use fabrik_core::spec::{LoadRequest, load};
use fabrik_fakes::kuma::{Kuma, PASSWORD, Release, USER};
use fabrik_provider_uptime_kuma::provider;
use fabrik_testkit::stack::Stage;
use serde_json::{Value as Json, json};

/// The YAML blocks of the README, as one spec.
fn example() -> String {
    let readme = include_str!("../../README.md");
    let mut blocks = readme
        .split("```yaml\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap_or_default());
    let mut spec = blocks.next().unwrap().to_owned();
    spec.push_str("resources:\n");
    for block in blocks {
        spec.push_str(block.strip_prefix("resources:\n").expect("resources"));
    }
    spec
}

#[test]
fn every_type_has_a_valid_example() {
    let mut registry = Registry::new();
    registry.register(provider());
    let text = example();
    let request = LoadRequest::new(&registry, "README.md", text.as_bytes());
    let stack = load(&request)
        .into_stack()
        .unwrap_or_else(|error| panic!("{error:?}"));
    let declared: Vec<&str> = stack
        .resources
        .values()
        .map(|one| &*one.type_name)
        .collect();
    for info in &provider().info().types {
        assert!(
            declared.contains(&&*info.name),
            "no example of {}",
            info.name
        );
    }
}

/// Applied, settled and destroyed.
#[tokio::test]
async fn the_examples_work() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let config = json!({"url": kuma.url(), "username": USER, "password": PASSWORD});
        let stage = Stage::builder()
            .provider(provider(), config)
            .build()
            .unwrap();
        let mut registry = Registry::new();
        registry.register(provider());
        let text = example();
        let request = LoadRequest::new(&registry, "README.md", text.as_bytes());
        let stack = load(&request).into_stack().unwrap();
        let resources: BTreeMap<String, Json> = stack
            .resources
            .iter()
            .map(|(address, declared)| {
                let id = address
                    .to_string()
                    .rsplit('.')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                let spec = fabrik_core::value::to_wire_masked(&declared.inputs);
                (id, json!({"type": &*declared.type_name, "spec": spec}))
            })
            .collect();
        let stack = stage.load(&json!({"resources": resources})).unwrap();
        stage
            .settle(&stack)
            .await
            .unwrap_or_else(|error| panic!("{release:?}: {error:?}"));
        assert_eq!(kuma.count("uptime_kuma.monitor"), 6);
        stage.destroy(&stack).await.unwrap();
        assert_eq!(kuma.count("uptime_kuma.monitor"), 0);
        assert_eq!(kuma.count("uptime_kuma.status_page"), 0);
    }
}
