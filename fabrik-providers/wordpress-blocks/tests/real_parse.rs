//! WordPress's own parser and serialiser, in real WordPress, agree with ours.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/generate.rs"]
mod generate;

use fabrik_blocks::{Block, Node, parse_checked, write};
use fabrik_wordpress_site::{Database, Site, Version};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value as Json, json};

/// Reads lines of JSON texts, prints a line for each: the tree, and the text written again.
const SCRIPT: &str = r#"<?php
function plain( $blocks ) {
    $out = array();
    foreach ( $blocks as $block ) {
        $inner = plain( $block['innerBlocks'] );
        $content = array();
        foreach ( $block['innerContent'] as $piece ) {
            $content[] = null === $piece ? array_shift( $inner ) : $piece;
        }
        $out[] = array( 'name' => $block['blockName'], 'attrs' => $block['attrs'], 'content' => $content );
    }
    return $out;
}
foreach ( file( getenv( 'FABRIK_TEXTS' ) ) as $line ) {
    $text   = json_decode( $line );
    $blocks = parse_blocks( $text );
    echo "\nfabrik:", json_encode( array( 'tree' => plain( $blocks ), 'text' => serialize_blocks( $blocks ) ), JSON_THROW_ON_ERROR );
}
"#;

fn tree(nodes: &[Node]) -> Vec<Json> {
    let whole = |of: &Node| match of {
        Node::Html(html) => json!({"name": null, "attrs": {}, "content": [html]}),
        Node::Block(_) => node(of),
    };
    nodes.iter().map(whole).collect()
}

fn node(of: &Node) -> Json {
    match of {
        Node::Html(html) => json!(html),
        Node::Block(block) => {
            let content: Vec<Json> = block.content().iter().map(node).collect();
            let attrs: Json = serde_json::from_str(&block.attrs().write()).unwrap();
            json!({"name": block.name(), "attrs": attrs, "content": content})
        }
    }
}

/// PHP has one kind of empty array, and reads numbers.
fn same_empties(json: Json) -> Json {
    match json {
        Json::Array(items) if items.is_empty() => Json::Null,
        Json::Object(map) if map.is_empty() => Json::Null,
        Json::Array(items) => items.into_iter().map(same_empties).collect(),
        Json::Object(map) => map.into_iter().map(|(k, v)| (k, same_empties(v))).collect(),
        Json::Number(number) => json!((number.as_f64().unwrap() + 0.0).to_string()),
        other => other,
    }
}

fn texts() -> Vec<String> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let page = prop::collection::vec(generate::block(), 1..4);
    let mut texts: Vec<String> = (0..400)
        .map(|_| {
            let blocks = page.new_tree(&mut runner).unwrap().current();
            let parts: Vec<String> = blocks.iter().map(Block::write).collect();
            parts.join("\n\n")
        })
        .collect();
    // No markup, and markup that is none.
    let nasty = generate::nasty();
    texts.extend((0..200).map(|_| nasty.new_tree(&mut runner).unwrap().current()));
    texts.extend(
        [
            "a<!-- wp:x {\"a\":\"}\"} -->b<!-- wp:y /-->c<!-- /wp:x -->d",
            "<!--\twp:x\n{\"a\":{\"b\":1}}\r\n/-->",
            "<!-- wp:x {\"a\":1}/-->",
            "<!-- wp:core/x /--><!-- wp:a/b /--><!-- wp:a/ /--><!-- wp:1 /-->",
            "<!-- wp:x { \"a\" : [ 1 , 2.50 , -0 , 1e3 ] } /-->",
            "<!-- wp:x {\"a\":\"\\u00e9\\ud83d\\ude00\\/\"} /-->",
            "<!-- wp:x {\"a\":} /-->",
            "x <!-- /wp:a --> y <!-- wp:b /-->",
        ]
        .map(str::to_owned),
    );
    texts
}

fn agree(version: Version, database: Database) {
    let Some(site) = Site::builder().version(version).database(database).build() else {
        return;
    };
    let texts = texts();
    let folder = tempfile::tempdir().unwrap();
    let lines: String = texts
        .iter()
        .map(|text| json!(text).to_string() + "\n")
        .collect();
    let input = folder.path().join("texts.jsonl");
    std::fs::write(&input, lines).unwrap();
    let script = folder.path().join("script.php");
    std::fs::write(
        &script,
        SCRIPT.replace(
            "getenv( 'FABRIK_TEXTS' )",
            &format!("'{}'", input.display()),
        ),
    )
    .unwrap();
    let said = site.wp_cli(&["eval-file", script.to_str().unwrap()]);
    let answers: Vec<Json> = said
        .lines()
        .filter_map(|line| line.strip_prefix("fabrik:"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), texts.len());
    let mut written = 0;
    for (text, answer) in texts.iter().zip(answers) {
        let parsed = parse_checked(text);
        let ours = same_empties(Json::Array(tree(&parsed.nodes)));
        assert_eq!(ours, same_empties(answer["tree"].clone()), "{text:?}");
        // Attributes that mean nothing are dropped there and kept here.
        let theirs = answer["text"].as_str().unwrap();
        if parsed.damage.is_empty() && theirs == text {
            assert_eq!(write(&parsed.nodes), *text);
            written += 1;
        }
    }
    assert!(written > 100, "{written}");
}

#[test]
fn the_newest_wordpress_reads_the_same_tree() {
    agree(Version::New, Database::Sqlite);
}

#[test]
fn the_oldest_wordpress_reads_the_same_tree() {
    agree(Version::Old, Database::MariaDb);
}
