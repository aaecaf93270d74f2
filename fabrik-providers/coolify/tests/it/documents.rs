//! What the README says is so.

use fabrik_core::provider::Registry;
use fabrik_core::spec::{LoadRequest, load};
use fabrik_provider_coolify::{GATES, provider};

const README: &str = include_str!("../../README.md");

#[test]
fn examples_are_valid() {
    let mut registry = Registry::new();
    registry.register(provider());
    for kind in fabrik_core::kinds::all() {
        registry.register_component(kind);
    }
    let mut count = 0;
    for block in README.split("```yaml\n").skip(1) {
        let text = block.split("```").next().unwrap();
        let loaded = load(&LoadRequest::new(&registry, "README.md", text.as_bytes()));
        assert!(loaded.stack.is_some(), "{text}\n{:?}", loaded.diagnostics);
        count += 1;
    }
    assert_eq!(count, 3);
}

#[test]
fn every_gate_is_in_the_table_of_versions() {
    let table = README.split("## Versions").nth(1).unwrap();
    for gate in GATES {
        let field = match (gate.field, gate.value) {
            ("", _) => gate.type_name.to_owned(),
            (field, "") => field.to_owned(),
            (field, value) => format!("{field}: {value}"),
        };
        let row = table
            .lines()
            .find(|line| line.contains(gate.type_name) && line.contains(&format!("`{field}`")));
        let row = row.unwrap_or_else(|| panic!("`{field}` is not in the table"));
        assert!(row.contains(&gate.since.to_string()), "{row}");
    }
}

#[test]
fn every_type_is_in_the_readme() {
    use fabrik_core::provider::Provider as _;
    for info in &provider().info().types {
        assert!(
            README.contains(&format!("`{}`", info.name)),
            "{}",
            info.name
        );
    }
}
