//! Reading and writing give the same bytes, for what WordPress writes; and never fail.

use fabrik_blocks::{Damage, Json, Node, parse, parse_checked, write};
use proptest::prelude::*;

use crate::generate::{block, json, nasty};

/// What WordPress wrote comes out with the same bytes.
#[test]
fn known_markup_comes_out_as_it_went_in() {
    for text in [
        "",
        "just text\n\n<p>classic</p>",
        "<!-- wp:paragraph -->\n<p>x</p>\n<!-- /wp:paragraph -->",
        "<!-- wp:latest-posts {\"postsToShow\":3,\"x\":1.50} /-->",
        "<!-- wp:group {\"layout\":{\"type\":\"constrained\"}} -->\n<div class=\"wp-block-group\"><!-- wp:heading -->\n<h2>A</h2>\n<!-- /wp:heading -->\n\n<!-- wp:separator /--></div>\n<!-- /wp:group -->\n\n<!-- wp:my-plugin/thing {\"a\":[1,{\"b\":null}]} /-->\n\ntail",
        // Older versions leave a backslash as it is.
        "<!-- wp:x {\"a\":\"\\\\d \\u002d\\u002d\\u003e\"} /-->",
        "<!-- no block --> <!-- wp:Paragraph --> <!--wp:x --> <!-- wp:x-->",
    ] {
        assert_eq!(write(&parse(text)), text);
        assert_eq!(parse_checked(text).damage, []);
    }
}

#[test]
fn the_tree_is_what_the_text_says() {
    let nodes =
        parse("a<!-- wp:group {\"k\":\"v}\"} --><div><!-- wp:ns/x /--></div><!-- /wp:group -->b");
    let [Node::Html(a), Node::Block(group), Node::Html(b)] = nodes.as_slice() else {
        panic!("{nodes:?}");
    };
    assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
    assert_eq!(group.name(), "core/group");
    assert_eq!(group.attrs().get("k"), Some(&Json::from("v}")));
    assert_eq!(group.html(), "<div></div>");
    assert_eq!(group.blocks().next().unwrap().name(), "ns/x");
}

#[test]
fn what_is_damaged_is_said_and_read_all_the_same() {
    let cases = [
        ("<!-- wp:a -->x", Damage::Unclosed(0)),
        ("x<!-- /wp:a --><!-- wp:b /-->", Damage::Stray(1)),
        ("<!-- wp:a --><!-- /wp:b -->", Damage::Crossed(13)),
        ("<!-- wp:a {\"x\":} /-->", Damage::Attributes(0)),
    ];
    for (text, damage) in cases {
        assert_eq!(parse_checked(text).damage, [damage], "{text}");
    }
    // After a stray end everything is HTML.
    assert_eq!(parse("x<!-- /wp:a --><!-- wp:b /-->").len(), 1);
    // A block that is not closed ends with the text.
    let nodes = parse("<!-- wp:a --><!-- wp:b -->x");
    assert_eq!(nodes.len(), 2);
}

#[test]
fn nesting_has_a_limit_and_the_text_stays_whole() {
    let text = "<!-- wp:a -->".repeat(500) + &"<!-- /wp:a -->".repeat(500);
    let parsed = parse_checked(&text);
    assert!(matches!(parsed.damage[0], Damage::Deep(_)));
    assert_eq!(write(&parsed.nodes), text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in prop::collection::vec(nasty(), 0..6).prop_map(|t| t.concat())) {
        let parsed = parse_checked(&text);
        let written = write(&parsed.nodes);
        if parsed.damage.is_empty() && !text.contains("<!--") {
            prop_assert_eq!(&written, &text);
        }
        prop_assert_eq!(write(&parse(&written)), written);
    }

    #[test]
    fn a_tree_comes_back_and_its_text_too(tree in block()) {
        let text = tree.write();
        let parsed = parse_checked(&text);
        prop_assert_eq!(&parsed.damage, &[]);
        prop_assert_eq!(&parsed.nodes, &[Node::Block(tree)]);
        prop_assert_eq!(write(&parsed.nodes), text);
    }

    #[test]
    fn attributes_cannot_end_their_comment(value in json()) {
        let text = Json::object([("k", value.clone())]).write();
        prop_assert!(!text.contains("--") && !text.contains('<') && !text.contains('>'));
        // Another reader of JSON agrees on the value.
        let other: serde_json::Value = serde_json::from_str(&text).unwrap();
        let parsed = Json::parse(&text).unwrap();
        prop_assert_eq!(parsed.get("k"), Some(&value));
        let again: serde_json::Value = serde_json::from_str(&parsed.write()).unwrap();
        prop_assert_eq!(other, again);
    }
}
