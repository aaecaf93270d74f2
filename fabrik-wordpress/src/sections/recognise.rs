//! The way back: from a block that we made, perhaps edited by hand since, to a section's fields.
//!
//! Only where structure says it simply: sections of text. Pictures, forms and links within the site
//! were replaced by what they stand for, so sections with them are known by type alone. Whether the
//! fields are those that were once rendered is told by the hash in the marker.

use fabrik_blocks::html::{Piece, pieces};
use fabrik_blocks::text::inline;
use fabrik_blocks::{Block, section};
use fabrik_core::value::{Value, from_json};
use serde_json::{Map, Value as Json, json};

use super::{ALL, fields_hash};

/// A section found in a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Its type.
    pub kind: &'static str,
    /// Its id.
    pub id: String,
    /// Its fields, where its structure tells them.
    pub fields: Option<Value>,
    /// Whether these are the fields it was made from, to the letter. Otherwise somebody edited it,
    /// or wrote a mark in another way (`_x_` for `*x*`), and what looks the same comes back.
    pub exact: bool,
}

/// Which section a block is, if it is one that Fabrik made.
pub fn recognise(block: &Block) -> Option<Recognised> {
    let id = section::id(block)?.to_owned();
    let classes = block.attrs().get("className")?.as_str()?;
    let name = classes.split(' ').find_map(|class| {
        class
            .strip_prefix("fabrik-")
            .filter(|name| *name != "section")
    })?;
    let known = ALL
        .iter()
        .find(|known| known.kind.replace('_', "-") == name)?;
    let found = read(known.kind, block);
    let hash = section::marked_hash(block).unwrap_or_default();
    let (fields, exact) = match found {
        None => (None, false),
        Some(fields) => with_look(known, block, fields, hash),
    };
    Some(Recognised {
        kind: known.kind,
        id,
        fields: fields.map(|fields| from_json(&Json::Object(fields))),
        exact,
    })
}

/// Adds how the section looks. The palette's slugs do not tell the tone, but the hash does.
fn with_look(
    known: &super::Kind,
    block: &Block,
    fields: Map<String, Json>,
    hash: &str,
) -> (Option<Map<String, Json>>, bool) {
    let painted = block.attrs().get("backgroundColor").is_some()
        || block
            .attrs()
            .get("style")
            .and_then(|style| style.get("color"))
            .is_some();
    let tones: &[&str] = if painted {
        &["muted", "primary", "dark"]
    } else {
        &["plain"]
    };
    let padding = block
        .attrs()
        .get("style")
        .and_then(|s| s.get("spacing")?.get("padding")?.get("top")?.as_str());
    let space = match padding {
        Some(top) if top.starts_with("clamp(1.5rem") => "small",
        Some(top) if top.starts_with("clamp(4rem") => "large",
        _ => "normal",
    };
    let anchor = pieces(&block.html())
        .into_iter()
        .find_map(|piece| match piece {
            Piece::Open { attrs, .. } => Some(attrs.into_iter().find(|(key, _)| key == "id")?.1),
            _ => None,
        });
    let mut first = None;
    for tone in tones {
        let mut look = Map::from_iter([
            ("tone".to_owned(), json!(tone)),
            ("space".to_owned(), json!(space)),
        ]);
        if let Some(anchor) = &anchor {
            look.insert("anchor".to_owned(), json!(anchor));
        }
        let plain = *tone == "plain" && space == "normal" && anchor.is_none();
        let mut all = fields.clone();
        if !plain {
            all.insert("look".to_owned(), Json::Object(look));
        }
        let given = from_json(&Json::Object(all.clone()));
        let Ok(whole) = (known.normal)(&given) else {
            return (None, false);
        };
        if fields_hash(known.kind, &whole) == hash {
            return (Some(all), true);
        }
        first.get_or_insert(all);
    }
    (first, false)
}

/// Fields by structure. Nothing for what is not as we make it.
fn read(kind: &str, block: &Block) -> Option<Map<String, Json>> {
    let blocks: Vec<&Block> = block.blocks().collect();
    let mut fields = Map::new();
    if kind == "hero" {
        let mut rest = blocks.as_slice();
        if let [first, after @ ..] = rest
            && has_class(first, "fabrik-eyebrow")
        {
            fields.insert("eyebrow".to_owned(), json!(words(first)?));
            rest = after;
        }
        let (title, after) = rest.split_first()?;
        if title.name() != "core/heading" {
            return None;
        }
        fields.insert("heading".to_owned(), json!(words(title)?));
        let level = title
            .attrs()
            .get("level")
            .and_then(fabrik_blocks::Json::as_f64);
        if level.is_none() {
            fields.insert("level".to_owned(), json!(2));
        }
        if !after.is_empty() {
            fields.insert("text".to_owned(), json!(paragraphs(after)?));
        }
        let centered = title.attrs().get("textAlign").is_some()
            || classes(title).contains("has-text-align-center");
        if !centered {
            fields.insert("align".to_owned(), json!("start"));
        }
        return Some(fields);
    }
    let mut rest = blocks.as_slice();
    if let [head, after @ ..] = rest
        && has_class(head, "fabrik-head")
    {
        read_head(head, &mut fields)?;
        rest = after;
    }
    match kind {
        "faq" => questions(rest, &mut fields)?,
        "stats" => {
            let mut items = Vec::new();
            for column in columns(rest)? {
                let parts: Vec<&Block> = column.blocks().collect();
                let [value, label] = parts.as_slice() else {
                    return None;
                };
                items.push(json!({"value": words(value)?, "label": words(label)?}));
            }
            fields.insert("items".to_owned(), json!(items));
        }
        "features" => {
            let (items, cards) = titled(rest, "icon", "fabrik-icon")?;
            if cards {
                fields.insert("variant".to_owned(), json!("cards"));
            }
            fields.insert("items".to_owned(), json!(items));
        }
        "steps" => {
            let (mut items, cards) = titled(rest, "number", "fabrik-eyebrow")?;
            for item in &mut items {
                item.as_object_mut()?.remove("number");
            }
            cards.then_some(())?;
            fields.insert("steps".to_owned(), json!(items));
        }
        _ => return None,
    }
    Some(fields)
}

fn read_head(head: &Block, fields: &mut Map<String, Json>) -> Option<()> {
    let mut intro = Vec::new();
    for part in head.blocks() {
        if has_class(part, "fabrik-eyebrow") {
            fields.insert("eyebrow".to_owned(), json!(words(part)?));
        } else if part.name() == "core/heading" {
            fields.insert("heading".to_owned(), json!(words(part)?));
        } else {
            intro.push(part);
        }
    }
    if !intro.is_empty() {
        fields.insert("intro".to_owned(), json!(paragraphs(&intro)?));
    }
    Some(())
}

fn questions(rest: &[&Block], fields: &mut Map<String, Json>) -> Option<()> {
    let [group] = rest else {
        return None;
    };
    let mut items: Vec<(String, Vec<&Block>)> = Vec::new();
    let mut headings = false;
    for part in group.blocks() {
        match part.name() {
            "core/details" => {
                let text = pieces(&part.html())
                    .into_iter()
                    .filter_map(|piece| match piece {
                        Piece::Text(text) => Some(text),
                        _ => None,
                    });
                let question: String = text.collect();
                items.push((question.trim().to_owned(), part.blocks().collect()));
            }
            "core/heading" => {
                headings = true;
                items.push((words(part)?, Vec::new()));
            }
            _ => items.last_mut()?.1.push(part),
        }
    }
    let mut list = Vec::new();
    for (question, answer) in items {
        list.push(json!({"question": question, "answer": paragraphs(&answer)?}));
    }
    if headings {
        fields.insert("variant".to_owned(), json!("headings"));
    }
    fields.insert("items".to_owned(), json!(list));
    Some(())
}

/// Columns of rows, without those that fill up the last one.
fn columns<'a>(rows: &[&'a Block]) -> Option<Vec<&'a Block>> {
    let mut all = Vec::new();
    for row in rows {
        (row.name() == "core/columns").then_some(())?;
        all.extend(
            row.blocks()
                .filter(|column| column.blocks().next().is_some()),
        );
    }
    Some(all)
}

/// Items of a line with a class, a title and a text; and whether they are cards.
fn titled(rows: &[&Block], sign: &str, class: &str) -> Option<(Vec<Json>, bool)> {
    let mut items = Vec::new();
    let mut cards = false;
    for column in columns(rows)? {
        cards |= has_class(column, "fabrik-card");
        let parts: Vec<&Block> = column.blocks().collect();
        let mut rest = parts.as_slice();
        let mut item = Map::new();
        if let [first, after @ ..] = rest
            && has_class(first, class)
        {
            item.insert(sign.to_owned(), json!(words(first)?));
            rest = after;
        }
        let (title, after) = rest.split_first()?;
        (title.name() == "core/heading").then_some(())?;
        item.insert("title".to_owned(), json!(words(title)?));
        if !after.is_empty() {
            item.insert("text".to_owned(), json!(paragraphs(after)?));
        }
        items.push(Json::Object(item));
    }
    Some((items, cards))
}

fn classes(block: &Block) -> String {
    let first = pieces(&block.html())
        .into_iter()
        .find_map(|piece| match piece {
            Piece::Open { attrs, .. } => Some(attrs),
            _ => None,
        });
    let class = first.and_then(|attrs| attrs.into_iter().find(|(key, _)| key == "class"));
    class.map_or_else(String::new, |(_, value)| value)
}

fn has_class(block: &Block, class: &str) -> bool {
    classes(block).split(' ').any(|name| name == class)
}

/// Paragraphs with an empty line between them.
fn paragraphs(blocks: &[&Block]) -> Option<String> {
    let mut parts = Vec::new();
    for block in blocks {
        (block.name() == "core/paragraph").then_some(())?;
        parts.push(words(block)?);
    }
    Some(parts.join("\n\n"))
}

/// The text of a heading or paragraph, with marks. Nothing where it holds what has no mark.
fn words(block: &Block) -> Option<String> {
    block.blocks().next().is_none().then_some(())?;
    let html = block.html();
    let mut all = pieces(html.trim());
    // The block's own tag.
    if all.len() < 2 || !matches!(all.remove(0), Piece::Open { .. }) {
        return None;
    }
    all.pop();
    // Without backslashes, if that says the same.
    let plain = marked(&all, false)?;
    let again = inline(&plain, &|target| Ok(target.to_owned())).ok();
    if again.is_some_and(|html| pieces(&html) == all) {
        return Some(plain);
    }
    marked(&all, true)
}

fn marked(all: &[Piece], escaped: bool) -> Option<String> {
    let mut out = String::new();
    let mut address = None;
    for piece in all {
        match piece {
            Piece::Text(text) => {
                for c in text.chars() {
                    if escaped && "*_`[]\\".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
            Piece::Open { name, attrs } => match name.as_str() {
                "strong" => out.push_str("**"),
                "em" => out.push('*'),
                "br" => out.push('\n'),
                "a" => {
                    address = Some(attrs.iter().find(|(key, _)| key == "href")?.1.clone());
                    out.push('[');
                }
                _ => return None,
            },
            Piece::Close(name) => match name.as_str() {
                "strong" => out.push_str("**"),
                "em" => out.push('*'),
                "a" => {
                    out.push_str("](");
                    out.push_str(&address.take()?);
                    out.push(')');
                }
                _ => return None,
            },
            Piece::Comment(_) => return None,
        }
    }
    Some(out)
}
