//! The guide for authors of providers shows what `fabrik provider new` writes, and the READMEs of
//! our own providers leave nothing out.

use fabrik_core::provider::Registry;

use crate::support::{Place, files, read};

const GUIDE: &str = "docs/provider-guide.md";
const TEMPLATE: &str = "fabrik-cli/templates/provider/http";

/// Blocks of code with what their mark says: `<!-- file: src/lib.rs -->`.
fn blocks(text: &str, kind: &str) -> Vec<(String, String)> {
    let start = format!("<!-- {kind}: ");
    let pieces = text.split(&start).skip(1);
    let blocks = pieces.map(|piece| {
        let (name, rest) = piece.split_once(" -->\n").unwrap();
        let (_, rest) = rest.split_once('\n').unwrap();
        let (block, _) = rest.split_once("```").unwrap();
        (name.to_owned(), block.to_owned())
    });
    blocks.collect()
}

#[test]
fn code_in_the_guide_is_that_of_the_template() {
    let guide = read(GUIDE);
    let blocks = blocks(&guide, "file");
    assert!(blocks.len() > 10, "the blocks are found");
    let rust = guide.matches("```rust").count();
    assert_eq!(
        rust,
        blocks.len(),
        "a block of code says from which file it is"
    );
    for (file, block) in blocks {
        let there = read(&format!("{TEMPLATE}/{file}"));
        assert!(there.contains(&block), "not in {file} (any more):\n{block}");
    }
}

#[test]
fn the_guide_can_be_followed() {
    let guide = read(GUIDE);
    let commands = blocks(&guide, "command");
    let lines: Vec<&str> = commands[0].1.lines().collect();
    assert_eq!(
        lines,
        [
            "fabrik provider new acme",
            "cd fabrik-provider-acme",
            "cargo test"
        ]
    );
    let place = Place::empty();
    let words: Vec<&str> = lines[0].split(' ').skip(1).collect();
    place.run(&words).code(0);
    let folder = "fabrik-provider-acme";
    for line in guide.lines().filter(|line| line.starts_with("## ")) {
        let file = line.split('`').nth(1);
        if let Some(file) = file {
            assert!(place.text(&format!("{folder}/{file}")).is_some(), "{file}");
        }
    }
    // What takes long is done by CI: testing what was written.
    let ci = read(".ci/run");
    for step in [
        "provider new acme",
        "cargo test \"${where[@]}\" --features program",
    ] {
        assert!(ci.contains(step), "{step}");
    }
}

#[test]
fn every_file_of_a_template_is_written() {
    let source = read("fabrik-cli/src/commands/provider/template.rs");
    for file in files("fabrik-cli/templates/provider") {
        let (_, name) = file.rsplit_once("provider/").unwrap();
        let (_, name) = name.split_once('/').unwrap();
        assert!(
            source.contains(&format!("\"{name}\" => ")),
            "{file} is not used"
        );
    }
}

#[test]
fn readmes_of_providers_name_their_types() {
    let mut registry = Registry::new();
    fabrik_providers::register(&mut registry, &fabrik_providers::Settings::new());
    assert!(registry.providers().count() > 3);
    for provider in registry.providers() {
        let info = provider.info();
        let folder = info.name.replace('_', "-");
        let readme = read(&format!("fabrik-providers/{folder}/README.md"));
        let missing: Vec<&str> = info
            .types
            .iter()
            .map(|kind| &*kind.name)
            .filter(|name| {
                let (_, short) = name.split_once('.').unwrap();
                !readme.contains(&format!("`{name}`")) && !readme.contains(&format!("`{short}`"))
            })
            .collect();
        assert!(missing.is_empty(), "{folder}/README.md lacks {missing:?}");
    }
}
