//! No text of a field becomes markup, a shortcode, or an address that a browser would follow.

use std::collections::{HashMap, HashSet};

use ammonia::Builder;
use fabrik_blocks::html::{Piece, pieces};
use fabrik_blocks::{Block, Node, parse_checked};
use fabrik_core::error::ErrorKind;
use serde_json::Value as Json;

use crate::support::{brand, corpus, leaves, markup, plain_samples, put};

/// Blocks that sections consist of.
const BLOCKS: &[&str] = &[
    "button",
    "buttons",
    "column",
    "columns",
    "cover",
    "details",
    "embed",
    "gallery",
    "group",
    "heading",
    "html",
    "image",
    "latest-posts",
    "list",
    "list-item",
    "media-text",
    "paragraph",
    "quote",
    "separator",
    "shortcode",
    "social-link",
    "social-links",
    "table",
];

/// Reads as a browser does and drops what sections never write. What comes out must be what went in.
fn allowed() -> Builder<'static> {
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from([
            "a",
            "blockquote",
            "br",
            "cite",
            "code",
            "details",
            "div",
            "em",
            "figcaption",
            "figure",
            "h1",
            "h2",
            "h3",
            "h4",
            "hr",
            "img",
            "li",
            "ol",
            "p",
            "section",
            "span",
            "strong",
            "sub",
            "summary",
            "table",
            "tbody",
            "td",
            "th",
            "thead",
            "tr",
            "ul",
            "iframe",
        ]))
        .generic_attributes(HashSet::from(["class", "id", "style", "aria-hidden"]))
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href", "rel"])),
            ("img", HashSet::from(["src", "alt", "data-object-fit"])),
            (
                "iframe",
                HashSet::from([
                    "src",
                    "title",
                    "width",
                    "height",
                    "loading",
                    "referrerpolicy",
                ]),
            ),
        ]))
        .url_schemes(HashSet::from(["http", "https", "mailto", "tel"]))
        .link_rel(None);
    builder
}

/// Looks at a section as WordPress and a browser would.
fn inspect(text: &str, safe: &Builder<'_>) -> Result<(), String> {
    let parsed = parse_checked(text);
    if !parsed.damage.is_empty() {
        return Err(format!("damaged: {:?}", parsed.damage));
    }
    let [Node::Block(block)] = parsed.nodes.as_slice() else {
        return Err("not one block".to_owned());
    };
    let mut html = String::new();
    let mut wrong = None;
    block.walk(&mut |block| {
        let name = block.name().trim_start_matches("core/");
        if !BLOCKS.contains(&name) {
            wrong = Some(format!("the block {name}"));
        }
        if name == "html" && !block.html().trim().starts_with("<iframe ") {
            wrong = Some("HTML that is no map".to_owned());
        }
        if name == "shortcode" {
            if let Err(why) = shortcode(&block.html()) {
                wrong = Some(why);
            }
        } else if block.html().contains('[') {
            wrong = Some(format!("a bracket in {name}"));
        }
    });
    visible(block, &mut html);
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    let seen = safe.clean(&html).to_string();
    let (before, after) = (words(&html), words(&seen));
    if before != after {
        let at = before
            .iter()
            .zip(&after)
            .position(|(a, b)| a != b)
            .unwrap_or(0);
        return Err(format!(
            "a browser sees more than text: {:?} or {:?}",
            before.get(at),
            after.get(at)
        ));
    }
    for piece in &before {
        if let Piece::Open { name, attrs } = piece {
            for (key, value) in attrs {
                attribute(name, key, value)?;
            }
        }
    }
    Ok(())
}

/// Pieces with attributes in one order.
fn words(html: &str) -> Vec<Piece> {
    let void = ["br", "hr", "img"];
    let mut all = pieces(html);
    all.retain(|piece| !matches!(piece, Piece::Close(name) if void.contains(&name.as_str())));
    for piece in &mut all {
        if let Piece::Open { attrs, .. } = piece {
            attrs.sort();
        }
    }
    all
}

/// The HTML that is left when delimiters are gone; shortcodes were looked at.
fn visible(block: &Block, out: &mut String) {
    for node in block.content() {
        match node {
            Node::Html(html) if block.name() != "core/shortcode" => out.push_str(html),
            Node::Html(_) => {}
            Node::Block(inner) => visible(inner, out),
        }
    }
}

/// A form's shortcode as sections write it, and nothing behind it.
fn shortcode(text: &str) -> Result<(), String> {
    let wrong = || format!("the shortcode {text}");
    let body = text
        .trim()
        .strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .ok_or_else(wrong)?;
    let (name, rest) = body.split_once(' ').ok_or_else(wrong)?;
    if !["contact-form-7", "products"].contains(&name) || body.contains(['[', ']', '<', '>', '\n'])
    {
        return Err(wrong());
    }
    let parts: Vec<&str> = rest.split('"').collect();
    let names = parts.iter().step_by(2).take(parts.len() / 2);
    if parts.len().is_multiple_of(2) || names.clone().any(|n| !n.trim().ends_with('=')) {
        return Err(wrong());
    }
    Ok(())
}

fn attribute(tag: &str, key: &str, value: &str) -> Result<(), String> {
    let bad = || Err(format!("<{tag} {key}={value:?}>"));
    let fits = |extra: &str| {
        value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    match key {
        "class" | "id" if !fits(" -_") => bad(),
        "style" if !fits(" -_:;.,()#%") || value.contains("url(") => bad(),
        "href" | "src" => {
            let known = ["https://", "http://", "mailto:", "tel:", "/", "#", "?"];
            let relative = !value
                .split(['/', '?', '#'])
                .next()
                .unwrap_or_default()
                .contains(':');
            if value.starts_with("//") || !relative && !known.iter().any(|k| value.starts_with(k)) {
                return bad();
            }
            if tag == "img" && !value.starts_with("http://localhost/wp-content/uploads/") {
                return bad();
            }
            let maps = [
                "https://www.openstreetmap.org/export/",
                "https://www.google.com/maps?",
            ];
            if tag == "iframe" && !maps.iter().any(|host| value.starts_with(host)) {
                return bad();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[test]
fn the_check_finds_what_it_looks_for() {
    let safe = allowed();
    let wrap = |html: &str| format!("<!-- wp:paragraph -->\n<p>{html}</p>\n<!-- /wp:paragraph -->");
    assert_eq!(
        inspect(
            &wrap("a <strong>b</strong> &lt;script&gt; <a href=\"/x\">c</a>"),
            &safe
        ),
        Ok(())
    );
    for html in [
        "<script>alert(1)</script>",
        "<b onclick=x>y</b>",
        "<a href=\"javascript:x\">y</a>",
        "[gallery]",
        "<a href=\"//evil.test\">y</a>",
        "<img src=\"https://evil.test/x.png\">",
        "<svg></svg>",
        "<span style=\"background:url(x)\">y</span>",
        "<!-- wp:html -->x<!-- /wp:html -->",
        "<iframe src=\"https://evil.test/\"></iframe>",
    ] {
        assert!(inspect(&wrap(html), &safe).is_err(), "{html}");
    }
}

/// The corpus is looked at in so many tests, for time.
const PARTS: usize = 4;

#[test]
fn the_first_part_of_the_corpus_stays_text() {
    stays_text(0);
}

#[test]
fn the_second_part_of_the_corpus_stays_text() {
    stays_text(1);
}

#[test]
fn the_third_part_of_the_corpus_stays_text() {
    stays_text(2);
}

#[test]
fn the_fourth_part_of_the_corpus_stays_text() {
    stays_text(3);
}

/// Every entry in every field of text at once; where that is refused, in each alone.
fn stays_text(part: usize) {
    let corpus = corpus();
    assert!(corpus.len() >= 150, "{}", corpus.len());
    let safe = allowed();
    let brand = brand();
    let (mut made, mut refused) = (0, 0);
    for payload in corpus.iter().skip(part).step_by(PARTS) {
        let base = plain_samples("x");
        for (index, (kind, fields)) in plain_samples(payload).iter().enumerate() {
            if *kind == "raw_html" {
                continue;
            }
            let mut look =
                |fields: &Json, place: &str| match markup(kind, fields, (7, 1), &brand, payload) {
                    Ok(markup) => {
                        made += 1;
                        if let Err(why) = inspect(&markup.text, &safe) {
                            panic!("{payload:?} in {kind} {place}: {why}\n{}", markup.text);
                        }
                        true
                    }
                    Err(error) => {
                        refused += 1;
                        assert_eq!(
                            error.kind(),
                            ErrorKind::Invalid,
                            "{payload:?} in {kind}: {error:?}"
                        );
                        assert!(
                            error.field_path().is_some(),
                            "{payload:?} in {kind}: {error:?}"
                        );
                        false
                    }
                };
            if look(fields, "all fields") {
                continue;
            }
            for (path, text) in leaves(fields) {
                if text.contains(payload.as_str()) {
                    let mut one = base[index].1.clone();
                    put(&mut one, &path, text.clone());
                    look(&one, &path);
                }
            }
        }
    }
    assert!(made > refused && refused > 0);
}

/// Fields that hold no text (addresses, names of variants, keys) refuse or defuse it too.
#[test]
fn the_corpus_gets_nowhere_through_other_fields() {
    let safe = allowed();
    let brand = brand();
    let mut seen = HashSet::new();
    let mut refused = 0;
    for (kind, fields) in plain_samples("x") {
        for (path, text) in leaves(&fields) {
            let general: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
            if kind == "raw_html"
                || text.contains('x') && text.len() < 2
                || !seen.insert((kind, general))
            {
                continue;
            }
            for payload in corpus() {
                let mut changed = fields.clone();
                put(&mut changed, &path, payload.clone());
                match markup(kind, &changed, (7, 1), &brand, "x") {
                    Ok(markup) => {
                        if let Err(why) = inspect(&markup.text, &safe) {
                            panic!("{payload:?} in {kind} at {path}: {why}\n{}", markup.text);
                        }
                    }
                    Err(error) => {
                        refused += 1;
                        assert_eq!(
                            error.kind(),
                            ErrorKind::Invalid,
                            "{kind} {path} {payload:?}: {error:?}"
                        );
                    }
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}
