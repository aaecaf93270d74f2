//! The examples of the README load, are valid, and plan.

use fabrik_core::provider::{Provider as _, Registry};
use fabrik_core::spec::{LoadRequest, load};
use fabrik_provider_namecheap::provider;

const README: &str = include_str!("../../README.md");

#[test]
fn the_examples_are_valid() {
    let mut registry = Registry::new();
    registry.register(provider());
    let mut seen = String::new();
    let blocks = README.split("```yaml\n").skip(1);
    for block in blocks {
        let (text, _) = block.split_once("```").unwrap();
        let request = LoadRequest::new(&registry, "README.yaml", text.as_bytes());
        load(&request)
            .into_stack()
            .unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        seen.push_str(text);
    }
    for info in &provider().info().types {
        assert!(
            seen.contains(&format!("type: {}", info.name)),
            "{} has no example",
            info.name
        );
        assert!(README.contains(&format!("`{}`", info.name)));
    }
}

#[test]
fn schemas_are_described() {
    for info in &provider().info().types {
        jsonschema::meta::validate(&info.schema).unwrap();
        assert!(!info.description.is_empty());
        for (name, field) in info.schema["properties"].as_object().unwrap() {
            assert!(field.get("description").is_some(), "{} {name}", info.name);
        }
    }
}
