//! Sections: the blocks of a page that Fabrik owns, among those that people made.

use std::collections::BTreeSet;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_open;

/// A part of a page that Fabrik owns. What people write before, between and behind stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Tells it from the other sections of the page; the same as in the markup.
    #[schemars(length(min = 1, max = 100))]
    pub id: String,
    /// One block in the editor's own form, whose `metadata.fabrik.id` is `id`.
    #[schemars(length(min = 1))]
    pub markup: String,
}

/// A top-level block, or what stands between two.
struct Piece<'a> {
    id: Option<String>,
    text: &'a str,
}

/// Refuses sections that could not be found again.
pub(crate) fn check(sections: &[Section]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for (at, section) in sections.iter().enumerate() {
        let wrong = |field: &str, text: String, hint: &str| {
            let field = format!("sections[{at}].{field}");
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::parse(&field))
                .hint(hint.to_owned()))
        };
        if !seen.insert(&section.id) {
            return wrong(
                "id",
                format!("two sections are called `{}`", section.id),
                "give each section of a page an id of its own",
            );
        }
        let pieces = split(&section.markup);
        let mut blocks = pieces.iter().filter(|piece| !piece.text.trim().is_empty());
        let (first, more) = (blocks.next(), blocks.next());
        let whole = section.markup.trim() == section.markup;
        let ours = first.is_some_and(|piece| {
            piece.id.as_ref() == Some(&section.id) || is_open(&section.markup)
        });
        if !ours || more.is_some() || !whole {
            return wrong(
                "markup",
                format!(
                    "the markup of section `{}` is not one block with that id",
                    section.id
                ),
                "write one `core/group` block whose attributes have `\"metadata\":{\"fabrik\":{\"id\":\"…\"}}`, without space around it",
            );
        }
    }
    Ok(())
}

/// The content of a new page.
pub(crate) fn join(sections: &[Section]) -> String {
    let texts: Vec<&str> = sections.iter().map(|section| &*section.markup).collect();
    texts.join("\n\n")
}

/// Sections that are in a content. One that is as it was sent, or as the editor writes the same, is
/// shown as it was sent.
pub(crate) fn found(content: &str, sent: &[Section]) -> Vec<Section> {
    let mut found: Vec<Section> = Vec::new();
    for piece in split(content) {
        let Some(id) = piece.id else { continue };
        if found.iter().any(|section| section.id == id) {
            continue;
        }
        let as_sent = sent
            .iter()
            .find(|section| section.id == id && same(&section.markup, piece.text));
        let markup = as_sent.map_or(piece.text, |section| &section.markup);
        found.push(Section {
            id,
            markup: markup.to_owned(),
        });
    }
    found
}

/// The content with the wanted sections in it: in their places where they are there already, in the
/// wanted order; new ones behind the one before them. `sent` are those that were Fabrik's: what is no
/// longer wanted of them goes. Everything else stays.
pub(crate) fn merge(content: &str, sent: &[Section], wanted: &[Section]) -> String {
    let is_wanted = |id: &str| wanted.iter().any(|section| section.id == id);
    let mut pieces: Vec<(Option<String>, String)> = Vec::new();
    let mut taken = BTreeSet::new();
    let mut drop_space = false;
    for piece in split(content) {
        let ours = piece
            .id
            .filter(|id| is_wanted(id) || sent.iter().any(|section| section.id == *id));
        if let Some(id) = &ours
            && !is_wanted(id)
        {
            drop_space = true;
            continue;
        }
        let text = if std::mem::take(&mut drop_space) {
            piece.text.trim_start()
        } else {
            piece.text
        };
        if text.is_empty() {
            continue;
        }
        // A copy that somebody made of a section is theirs.
        let ours = ours.filter(|id| taken.insert(id.clone()));
        pieces.push((ours, text.to_owned()));
    }
    if drop_space {
        while pieces
            .last()
            .is_some_and(|(_, text)| text.trim().is_empty())
        {
            pieces.pop();
        }
    }
    // Places of ours, filled in the wanted order.
    let texts: Vec<(String, String)> = pieces
        .iter()
        .filter_map(|(id, text)| Some((id.clone()?, text.clone())))
        .collect();
    let mut there = wanted.iter().filter(|section| taken.contains(&section.id));
    for (id, text) in &mut pieces {
        if id.is_none() {
            continue;
        }
        let Some(section) = there.next() else { break };
        let now = texts.iter().find(|(id, _)| *id == section.id);
        *text = match now {
            Some((_, now)) if same(now, &section.markup) => now.clone(),
            _ => section.markup.clone(),
        };
        *id = Some(section.id.clone());
    }
    let mut before: Option<&str> = None;
    for (at, section) in wanted.iter().enumerate() {
        if !taken.contains(&section.id) {
            let later = wanted[at + 1..]
                .iter()
                .find(|later| taken.contains(&later.id));
            let at = match (before, later) {
                (Some(before), _) => place_of(&pieces, before).map(|at| at + 1),
                (None, Some(later)) => place_of(&pieces, &later.id),
                (None, None) => None,
            };
            insert(&mut pieces, at, section);
        }
        before = Some(&section.id);
    }
    pieces.into_iter().map(|(_, text)| text).collect()
}

fn place_of(pieces: &[(Option<String>, String)], id: &str) -> Option<usize> {
    pieces
        .iter()
        .position(|(ours, _)| ours.as_deref() == Some(id))
}

fn insert(pieces: &mut Vec<(Option<String>, String)>, at: Option<usize>, section: &Section) {
    let at = at.unwrap_or(pieces.len());
    let space = || (None, "\n\n".to_owned());
    let item = (Some(section.id.clone()), section.markup.clone());
    if at > 0 {
        pieces.splice(at..at, [space(), item]);
    } else if pieces.is_empty() {
        pieces.push(item);
    } else {
        pieces.splice(0..0, [item, space()]);
    }
}

/// Whether two texts are the same blocks: what an editor writes in another way is no change.
pub(crate) fn same(left: &str, right: &str) -> bool {
    left == right || fabrik_blocks::same(left, right)
}

/// Cuts a content into its top-level blocks and what stands between them; nothing is lost.
fn split(content: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut begin = 0;
    let nodes = fabrik_blocks::parse(content);
    for block in nodes.iter().filter_map(fabrik_blocks::Node::block) {
        let span = block.span();
        if begin < span.start {
            pieces.push(Piece {
                id: None,
                text: &content[begin..span.start],
            });
        }
        begin = span.end;
        pieces.push(Piece {
            id: fabrik_blocks::section::id(block).map(str::to_owned),
            text: &content[span],
        });
    }
    if begin < content.len() {
        pieces.push(Piece {
            id: None,
            text: &content[begin..],
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(id: &str, text: &str) -> Section {
        Section {
            id: id.into(),
            markup: format!(
                "<!-- wp:group {{\"metadata\":{{\"fabrik\":{{\"id\":\"{id}\"}}}}}} -->\n<div class=\"wp-block-group\"><!-- wp:paragraph -->\n<p>{text}</p>\n<!-- /wp:paragraph --></div>\n<!-- /wp:group -->"
            ),
        }
    }
    const HAND: &str = "<!-- wp:paragraph -->\n<p>by hand</p>\n<!-- /wp:paragraph -->";

    #[test]
    fn what_people_write_between_stays_where_it_is() {
        let (a, b, c) = (section("a", "1"), section("b", "1"), section("c", "1"));
        let content = format!("{}\n\n{HAND}\n\n{}\n\nloose", a.markup, b.markup);
        let sent = [a.clone(), b.clone()];
        assert_eq!(merge(&content, &sent, &sent), content);

        let changed = [a.clone(), section("b", "2")];
        let merged = merge(&content, &sent, &changed);
        assert_eq!(merged, content.replace(&b.markup, &changed[1].markup));

        let merged = merge(&content, &sent, &[a.clone(), c.clone(), b.clone()]);
        let expected = format!(
            "{}\n\n{}\n\n{HAND}\n\n{}\n\nloose",
            a.markup, c.markup, b.markup
        );
        assert_eq!(merged, expected);

        let merged = merge(&content, &sent, &[b.clone(), a.clone()]);
        let expected = format!("{}\n\n{HAND}\n\n{}\n\nloose", b.markup, a.markup);
        assert_eq!(merged, expected);

        let merged = merge(&content, &sent, std::slice::from_ref(&b));
        assert_eq!(merged, format!("{HAND}\n\n{}\n\nloose", b.markup));
        assert_eq!(merge(&content, &sent, &[]), format!("{HAND}\n\nloose"));
        let added = merge(HAND, &[], std::slice::from_ref(&a));
        assert_eq!(added, format!("{HAND}\n\n{}", a.markup));
        assert_eq!(merge(&added, std::slice::from_ref(&a), &[]), HAND);
    }

    #[test]
    fn sections_are_found_as_they_are() {
        let (a, b) = (section("a", "1"), section("b", "1"));
        let content = format!("{}\n\n{HAND}{}", a.markup, section("b", "hand").markup);
        let found = found(&content, &[a.clone(), b.clone()]);
        assert_eq!(found, [a, section("b", "hand")]);
    }

    /// WordPress 7 writes a paragraph's class and alignment in another way than 6.1.
    #[test]
    fn what_an_editor_writes_again_is_shown_as_it_was_sent() {
        let mut sent = section("a", "1 &amp; 2");
        sent.markup = sent.markup.replace(
            "wp:paragraph -->\n<p>",
            "wp:paragraph {\"align\":\"center\"} -->\n<p class=\"has-text-align-center\">",
        );
        let saved = sent
            .markup
            .replace(
                "{\"align\":\"center\"}",
                "{\"style\":{\"typography\":{\"textAlign\":\"center\"}}}",
            )
            .replace(
                "has-text-align-center",
                "has-text-align-center wp-block-paragraph",
            )
            .replace("&amp;", "&#38;");
        let sent = [sent];
        assert_eq!(found(&saved, &sent), sent);
        assert_eq!(merge(&saved, &sent, &sent), saved);
        let edited = saved.replace("1 ", "2 ");
        assert_eq!(found(&edited, &sent)[0].markup, edited);
    }

    #[test]
    fn a_section_is_one_block_with_its_id() {
        assert!(check(&[section("a", "1"), section("b", "1")]).is_ok());
        for wrong in [
            vec![section("a", "1"), section("a", "2")],
            vec![Section {
                id: "b".into(),
                ..section("a", "1")
            }],
            vec![Section {
                id: "a".into(),
                markup: "text".into(),
            }],
            vec![Section {
                id: "a".into(),
                markup: format!("{}\n\n{HAND}", section("a", "1").markup),
            }],
        ] {
            let error = check(&wrong).unwrap_err();
            assert!(
                error.field_path().is_some() && error.hint_text().is_some(),
                "{error}"
            );
        }
    }
}
