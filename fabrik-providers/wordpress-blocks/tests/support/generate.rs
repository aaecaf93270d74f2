//! Trees that are hard on readers.
#![allow(unreachable_pub)]

use fabrik_blocks::{Block, Json, Node};
use proptest::prelude::*;

/// Text with what markup is made of in it.
pub fn nasty() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "--",
            "-->",
            "/-->",
            "<!--",
            "<!-- wp:x",
            "\\",
            "\"",
            "'",
            "{",
            "}",
            "} -->",
            "<p>",
            "&amp;",
            "\u{a0}",
            "\u{2028}",
            "[x]",
            "\n",
            "-",
            "\\u002d",
            "😀",
            "שלום",
            "\0",
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// A key that PHP keeps: one that looks like a number would make a list of its object.
fn key() -> impl Strategy<Value = String> {
    nasty().prop_map(|text| format!("k{text}"))
}

/// A JSON value.
pub fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|n| Json::Number(n.to_string())),
        nasty().prop_map(Json::String),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            prop::collection::vec((key(), inner), 0..4).prop_map(Json::object),
        ]
    })
}

/// A block as an editor would save it: HTML without delimiters, and blocks within.
pub fn block() -> impl Strategy<Value = Block> {
    let name = prop::sample::select(vec!["paragraph", "core/group", "ns/some-block_2"]);
    let attrs = prop::collection::vec((key(), json()), 0..4)
        .prop_map(Json::object)
        .boxed();
    let leaf =
        (name.clone(), attrs.clone(), "[a-z<>/ \n\u{e9}]{1,20}").prop_map(|(name, attrs, html)| {
            Block::new(name)
                .with_attrs(attrs)
                .with_content([Node::Html(html)])
        });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (
            name.clone(),
            attrs.clone(),
            prop::collection::vec(inner, 1..3),
        )
            .prop_map(|(name, attrs, blocks)| {
                let mut content = vec![Node::Html("<div>".into())];
                for block in blocks {
                    content.push(Node::Block(block));
                    content.push(Node::Html("\n\n".into()));
                }
                Block::new(name).with_attrs(attrs).with_content(content)
            })
    })
}
