//! Whether two texts are the same blocks.
//!
//! An editor that opens a page writes it again in the form of its version: WordPress 7 moves
//! `align` of a paragraph to `style.typography.textAlign`, adds the class `wp-block-list`, writes
//! `anchor` into the delimiter, `/>` becomes ` />`. None of this is a change by a person, so
//! blocks are compared in a normal form in which it cannot be seen.

use std::collections::BTreeMap;

use fabrik_core::hex;
use sha2::{Digest, Sha256};

use crate::block::{Block, Node};
use crate::html::{self, Piece};
use crate::json::Json;
use crate::parse::parse;

/// Whether two texts hold the same blocks, however they are written.
pub fn same(a: &str, b: &str) -> bool {
    a == b || normal(&parse(a)) == normal(&parse(b))
}

/// Whether two blocks are the same, however they are written and whoever is named as their owner.
pub fn same_block(a: &Block, b: &Block) -> bool {
    let mut normals = [Vec::new(), Vec::new()];
    block(a, &mut normals[0]);
    block(b, &mut normals[1]);
    normals[0] == normals[1]
}

/// A hash of what [`same`] compares: 16 hexadecimal digits.
pub fn hash(markup: &str) -> String {
    digest(&normal(&parse(markup)))
}

/// A hash of what [`same_block`] compares: 16 hexadecimal digits.
pub fn hash_block(of: &Block) -> String {
    let mut normal = Vec::new();
    block(of, &mut normal);
    digest(&normal)
}

fn digest(lines: &[String]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.len().to_le_bytes());
        hash.update(line);
    }
    hex::encode(&hash.finalize()[..8])
}

/// The normal form: a line for each thing that counts.
fn normal(nodes: &[Node]) -> Vec<String> {
    let mut out = Vec::new();
    content(nodes, &mut out);
    out
}

fn block(of: &Block, out: &mut Vec<String>) {
    let mut facts = BTreeMap::new();
    if let Json::Object(pairs) = attributes(of) {
        for (key, value) in &pairs {
            flatten(key, value, &mut facts);
        }
    }
    out.push(format!("block {}", of.name()));
    out.extend(
        facts
            .into_iter()
            .map(|(path, value)| format!("attr {path} {value}")),
    );
    let start = out.len();
    content(of.content(), out);
    if of.name() == "core/cover" {
        shade_first(out, start);
    }
    out.push("end".to_owned());
}

/// Before WordPress 6.9 a cover's shade stands before its picture, later behind it.
fn shade_first(out: &mut Vec<String>, start: usize) {
    let is_shade =
        |line: &String| line.starts_with("@class=") && line.contains("wp-block-cover__background");
    let Some(class) = out[start..].iter().position(is_shade).map(|at| start + at) else {
        return;
    };
    let Some(open) = out[..class].iter().rposition(|line| line.starts_with('<')) else {
        return;
    };
    let Some(close) = out[class..].iter().position(|line| line.starts_with("</")) else {
        return;
    };
    let shade: Vec<String> = out.drain(open..=class + close).collect();
    out.splice(start..start, shade);
}

/// Attributes without what is bookkeeping or stands in the HTML anyway.
fn attributes(of: &Block) -> Json {
    let mut attrs = of.attrs().clone();
    let text_align = match of.name() {
        "core/paragraph" => attrs.remove("align"),
        "core/cover" | "core/media-text" | "core/group" => None,
        _ => attrs.remove("textAlign"),
    };
    if let Some(align) = text_align {
        let mut style = attrs.remove("style").unwrap_or(Json::Object(Vec::new()));
        let mut typography = style
            .remove("typography")
            .unwrap_or(Json::Object(Vec::new()));
        typography.set("textAlign", align);
        style.set("typography", typography);
        attrs.set("style", style);
    }
    // Where a block saves HTML, these are attributes and classes of its tags as well, and versions
    // differ in what they write here.
    if !of.content().is_empty() {
        for shown in ["anchor", "className", "align"] {
            attrs.remove(shown);
        }
    }
    match of.name() {
        "core/cover" => drop(attrs.remove("alt")),
        "core/table" => drop(attrs.remove("hasFixedLayout")),
        "core/latest-posts" => posts_layout(&mut attrs),
        _ => {}
    }
    if let Some(mut metadata) = attrs.remove("metadata") {
        for bookkeeping in ["name", crate::section::KEY, "categories", "patternName"] {
            metadata.remove(bookkeeping);
        }
        attrs.set("metadata", metadata);
    }
    for (key, value) in defaults(of.name()) {
        if attrs.get(key) == Some(&value) {
            attrs.remove(key);
        }
    }
    attrs
}

/// WordPress 7 says `layout` where older versions said `postLayout` and `columns`.
fn posts_layout(attrs: &mut Json) {
    let layout = attrs.remove("postLayout");
    let columns = attrs.remove("columns").unwrap_or(Json::from(3));
    if layout.as_ref().and_then(Json::as_str) == Some("grid") {
        let grid = [("type", Json::from("grid")), ("columnCount", columns)];
        attrs.set("layout", Json::object(grid));
    }
}

/// Attributes that mean the same when left out, as some versions write them and others do not.
fn defaults(name: &str) -> Vec<(&'static str, Json)> {
    match name {
        "core/heading" => vec![("level", Json::from(2))],
        "core/cover" => vec![
            ("isUserOverlayColor", Json::Bool(true)),
            ("isDark", Json::Bool(true)),
            ("sizeSlug", Json::from("full")),
        ],
        "core/gallery" => vec![("linkTo", Json::from("none"))],
        "core/image" => vec![("linkDestination", Json::from("none"))],
        "core/list" => vec![("ordered", Json::Bool(false))],
        _ => Vec::new(),
    }
}

/// Leaves of a JSON value by path; empty objects and lists are nothing, as PHP writes `{}` as `[]`.
fn flatten(path: &str, value: &Json, out: &mut BTreeMap<String, String>) {
    match value {
        Json::Object(pairs) => {
            for (key, value) in pairs {
                flatten(&format!("{path}.{key}"), value, out);
            }
        }
        Json::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                flatten(&format!("{path}.{index}"), value, out);
            }
        }
        Json::Null => {}
        Json::Number(text) => {
            let number = text
                .parse::<f64>()
                .map_or_else(|_| text.clone(), |n| n.to_string());
            out.insert(path.to_owned(), number);
        }
        other => {
            out.insert(path.to_owned(), other.write());
        }
    }
}

fn content(nodes: &[Node], out: &mut Vec<String>) {
    let mut preformatted = 0_usize;
    for node in nodes {
        match node {
            Node::Block(inner) => block(inner, out),
            Node::Html(html) => {
                let pieces = html::pieces(html);
                let count = pieces.len();
                for (index, piece) in pieces.into_iter().enumerate() {
                    let edges = (index == 0, index + 1 == count);
                    line(piece, edges, &mut preformatted, out);
                }
            }
        }
    }
}

/// A line for a piece of HTML; white space at the edges of HTML between blocks is nothing.
fn line(piece: Piece, edges: (bool, bool), preformatted: &mut usize, out: &mut Vec<String>) {
    match piece {
        Piece::Open { name, mut attrs } => {
            if name == "pre" {
                *preformatted += 1;
            }
            for (key, value) in &mut attrs {
                match key.as_str() {
                    "class" => *value = classes(value),
                    "style" => *value = style(value),
                    _ => {}
                }
            }
            attrs.retain(|(key, value)| {
                !(value.is_empty() && matches!(key.as_str(), "class" | "style"))
            });
            attrs.sort();
            out.push(format!("<{name}"));
            out.extend(
                attrs
                    .into_iter()
                    .map(|(key, value)| format!("@{key}={value}")),
            );
        }
        Piece::Close(name) => {
            if name == "pre" {
                *preformatted = preformatted.saturating_sub(1);
            }
            // A void element may be closed or not.
            if !matches!(name.as_str(), "br" | "img" | "hr" | "input" | "wbr") {
                out.push(format!("</{name}"));
            }
        }
        Piece::Text(text) if *preformatted > 0 => out.push(format!("text {text}")),
        Piece::Text(text) => {
            let mut words = collapse(&text);
            if edges.0 {
                words = words.trim_start_matches(' ').to_owned();
            }
            if edges.1 {
                words = words.trim_end_matches(' ').to_owned();
            }
            if !words.is_empty() {
                out.push(format!("text {words}"));
            }
        }
        Piece::Comment(text) => out.push(format!("comment {text}")),
    }
}

fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let blank = c.is_ascii_whitespace();
        if !blank {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    out
}

/// Classes in one order, without those that an editor of some version adds by itself.
fn classes(value: &str) -> String {
    let mut names: Vec<&str> = value
        .split_ascii_whitespace()
        .filter(|name| !GENERATED.contains(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(" ")
}

/// Classes that newer editors add when they save.
const GENERATED: &[&str] = &[
    "wp-block-list",
    "wp-block-list-item",
    "wp-block-paragraph",
    "wp-block-heading",
    "wp-element-button",
    "wp-element-caption",
    "size-full",
    "is-light",
];

/// Declarations in one order, without white space that means nothing.
fn style(value: &str) -> String {
    let mut declarations: Vec<String> = value
        .split(';')
        .filter_map(|declaration| {
            let (name, value) = declaration.split_once(':')?;
            let value = collapse(value.trim()).replace(", ", ",");
            // What newer editors write beside a picture's width.
            if name.trim() == "height" && value == "auto" {
                return None;
            }
            Some(format!("{}:{value}", name.trim().to_ascii_lowercase()))
        })
        .collect();
    declarations.sort();
    declarations.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_newer_editors_write_again_is_the_same() {
        let old = "<!-- wp:list {\"ordered\":true} -->\n<ol><!-- wp:list-item -->\n<li>a &amp; b</li>\n<!-- /wp:list-item --></ol>\n<!-- /wp:list -->";
        let new = "<!-- wp:list {\"ordered\":true} -->\n<ol class=\"wp-block-list\"><!-- wp:list-item -->\n<li>a &#38; b</li>\n<!-- /wp:list-item --></ol>\n<!-- /wp:list -->";
        assert!(same(old, new));
        let old = "<!-- wp:paragraph {\"align\":\"center\"} -->\n<p class=\"has-text-align-center\">x<br/>y</p>\n<!-- /wp:paragraph -->";
        let new = "<!-- wp:paragraph {\"style\":{\"typography\":{\"textAlign\":\"center\"}}} -->\n<p class=\"has-text-align-center wp-block-paragraph\">x<br />y</p>\n<!-- /wp:paragraph -->\n\n";
        assert!(same(old, new));
        let old = "<!-- wp:heading {\"level\":2} -->\n<h2 id=\"a\">x</h2>\n<!-- /wp:heading -->";
        let new = "<!-- wp:heading {\"anchor\":\"a\"} -->\n<h2 class=\"wp-block-heading\" id=\"a\">x</h2>\n<!-- /wp:heading -->";
        assert!(same(old, new));
        assert_eq!(hash(old), hash(new));
    }

    #[test]
    fn what_a_person_changes_is_seen() {
        let base = "<!-- wp:paragraph {\"align\":\"center\"} -->\n<p class=\"has-text-align-center\">one two</p>\n<!-- /wp:paragraph -->";
        for other in [
            base.replace("two", "three"),
            base.replace("one two", "onetwo"),
            base.replace("one two", "one\u{a0}two"),
            base.replace("one two", "one <b>two</b>"),
            base.replace("\"center\"", "\"right\""),
            base.replace("has-text", "has-no-text"),
            base.replace("<p ", "<p style=\"color:red\" "),
            base.replace("wp:paragraph", "wp:verse"),
            format!("{base}\n\nx"),
            format!("{base}{base}"),
            String::new(),
        ] {
            assert!(!same(base, &other), "{other}");
            assert_ne!(hash(base), hash(&other), "{other}");
        }
    }
}
