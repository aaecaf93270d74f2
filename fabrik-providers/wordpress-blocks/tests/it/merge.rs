//! Sections of ours in pages that people edit as well.

use fabrik_blocks::{Conflict, Edited, Hand, Section, merge, merge_with, section};
use fabrik_core::error::ErrorKind;
use proptest::prelude::*;

fn ours(id: &str, text: &str) -> Section {
    let markup = format!(
        "<!-- wp:group {{\"metadata\":{{\"name\":\"S\",\"fabrik\":{{\"id\":\"{id}\",\"hash\":\"{}\"}}}}}} -->\n<div class=\"wp-block-group\"><!-- wp:paragraph -->\n<p>{text}</p>\n<!-- /wp:paragraph --></div>\n<!-- /wp:group -->",
        text.len()
    );
    Section::new(id, markup)
}

fn page(sections: &[Section]) -> String {
    let markups: Vec<&str> = sections.iter().map(|s| s.markup.as_str()).collect();
    markups.join("\n\n")
}

const HAND: &str = "<!-- wp:paragraph -->\n<p>by   hand &mdash; kept</p>\n<!-- /wp:paragraph -->";

#[test]
fn an_empty_page_gets_the_sections() {
    let wanted = [ours("a", "one"), ours("b", "two")];
    let merged = merge("", &[], &wanted).unwrap();
    assert_eq!(merged.content, page(&wanted));
    assert_eq!(merged.conflicts, []);
}

#[test]
fn what_lies_between_is_kept_byte_for_byte() {
    let before = [ours("a", "one"), ours("b", "two"), ours("c", "three")];
    let current = format!(
        "{HAND}\n\n{}\r\n \n{HAND}\n\n\n{}\n\nclassic <b>text</b>\n{}\n{HAND}\n",
        before[0].markup, before[1].markup, before[2].markup
    );
    let wanted = [ours("a", "one"), ours("b", "TWO"), ours("c", "three")];
    let merged = merge(&current, &before, &wanted).unwrap();
    assert_eq!(
        merged.content,
        current.replace(&before[1].markup, &wanted[1].markup)
    );
    assert_eq!(merged.conflicts, []);
    // Nothing to change is nothing changed.
    assert_eq!(
        merge(&merged.content, &wanted, &wanted).unwrap().content,
        merged.content
    );
}

#[test]
fn sections_come_and_go_and_move() {
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| ours(id, id));
    let current = format!("{}\n\n{HAND}\n\n{}\n\n{}", a.markup, b.markup, c.markup);
    let previous = [a.clone(), b.clone(), c.clone()];
    let go = |wanted: &[&Section]| {
        let wanted: Vec<Section> = wanted.iter().map(|s| (*s).clone()).collect();
        merge(&current, &previous, &wanted).unwrap().content
    };
    let expect = |parts: &[&str]| parts.join("\n\n");
    assert_eq!(go(&[&a, &c]), expect(&[&a.markup, HAND, &c.markup]));
    assert_eq!(go(&[&b, &c]), expect(&[HAND, &b.markup, &c.markup]));
    assert_eq!(go(&[&a, &b]), expect(&[&a.markup, HAND, &b.markup]));
    assert_eq!(go(&[]), HAND);
    assert_eq!(
        go(&[&d, &a, &b, &c]),
        expect(&[&d.markup, &a.markup, HAND, &b.markup, &c.markup])
    );
    assert_eq!(
        go(&[&a, &d, &b, &c]),
        expect(&[&a.markup, &d.markup, HAND, &b.markup, &c.markup])
    );
    assert_eq!(
        go(&[&a, &b, &c, &d]),
        expect(&[&a.markup, HAND, &b.markup, &c.markup, &d.markup])
    );
    assert_eq!(
        go(&[&c, &a, &b]),
        expect(&[&c.markup, &a.markup, HAND, &b.markup])
    );
    assert_eq!(
        go(&[&a, &c, &b]),
        expect(&[&a.markup, &c.markup, HAND, &b.markup])
    );
    assert_eq!(go(&[&d]), expect(&[HAND, &d.markup]));
}

#[test]
fn a_section_edited_by_hand_is_reported_and_kept_or_replaced() {
    let before = [ours("a", "one"), ours("b", "two")];
    let current = page(&before).replace("one", "ONE by hand");
    for wanted in [before.clone(), [ours("a", "new"), ours("b", "two")]] {
        let merged = merge(&current, &before, &wanted).unwrap();
        let conflict = |kept| {
            [Conflict {
                id: "a".into(),
                what: Hand::Changed,
                kept,
            }]
        };
        assert_eq!(merged.conflicts, conflict(true));
        assert_eq!(merged.content, current);
        let merged = merge_with(&current, &before, &wanted, Edited::Replace).unwrap();
        assert_eq!(merged.conflicts, conflict(false));
        assert_eq!(merged.content, page(&wanted));
    }
    // The person made the change that is wanted.
    let merged = merge(
        &page(&[ours("a", "new")]),
        &[ours("a", "old")],
        &[ours("a", "new")],
    )
    .unwrap();
    assert_eq!(merged.conflicts, []);
    // Edited, and to be removed.
    let merged = merge(&current, &before, &before[1..]).unwrap();
    assert_eq!(merged.content, current);
    assert_eq!(merged.conflicts[0].what, Hand::Changed);
    let merged = merge_with(&current, &before, &before[1..], Edited::Replace).unwrap();
    assert_eq!(merged.content, before[1].markup);
}

#[test]
fn a_section_taken_out_by_hand_is_reported() {
    let before = [ours("a", "one"), ours("b", "two")];
    let current = before[1].markup.clone();
    let merged = merge(&current, &before, &before).unwrap();
    assert_eq!(merged.content, current);
    assert_eq!(merged.conflicts[0].what, Hand::Removed);
    let merged = merge_with(&current, &before, &before, Edited::Replace).unwrap();
    assert_eq!(merged.content, page(&before));
}

#[test]
fn what_an_editor_wrote_again_is_no_edit() {
    let before = [ours("a", "one &amp; two")];
    let current = before[0]
        .markup
        .replace("<p>", "<p class=\"wp-block-paragraph\">")
        .replace("&amp;", "&#38;");
    let merged = merge(&current, &before, &before).unwrap();
    assert_eq!(
        (merged.content.as_str(), merged.conflicts.len()),
        (current.as_str(), 0)
    );
    let wanted = [ours("a", "three")];
    let merged = merge(&current, &before, &wanted).unwrap();
    assert_eq!((merged.content, merged.conflicts), (page(&wanted), vec![]));
}

#[test]
fn a_section_without_its_marker_is_found_by_what_it_holds() {
    let before = [ours("a", "one"), ours("b", "two")];
    let bare = "<!-- wp:group -->\n<div class=\"wp-block-group\"><!-- wp:paragraph -->\n<p>one</p>\n<!-- /wp:paragraph --></div>\n<!-- /wp:group -->";
    let current = format!("{HAND}\n\n{bare}\n\n{}", before[1].markup);
    let wanted = [ours("a", "uno"), ours("b", "two")];
    let merged = merge(&current, &before, &wanted).unwrap();
    assert_eq!(merged.content, format!("{HAND}\n\n{}", page(&wanted)));
    assert_eq!(merged.conflicts, []);
    let merged = merge(&current, &before, &before).unwrap();
    assert_eq!(merged.content, format!("{HAND}\n\n{}", page(&before)));
}

#[test]
fn a_section_that_somebody_wrapped_stays_where_it_is() {
    let before = [ours("a", "one"), ours("b", "two")];
    let wrap = |inner: &str| {
        format!(
            "<!-- wp:group -->\n<div class=\"wp-block-group\">{inner}</div>\n<!-- /wp:group -->"
        )
    };
    let current = format!("{}\n\n{}", wrap(&before[0].markup), before[1].markup);
    let wanted = [ours("a", "uno"), ours("x", "new"), ours("b", "two")];
    let merged = merge(&current, &before, &wanted).unwrap();
    let expected = format!("{}\n\n{}", wrap(&wanted[0].markup), page(&wanted[1..]));
    assert_eq!(merged.content, expected);
}

#[test]
fn copies_and_foreign_sections_are_left_alone() {
    let a = ours("a", "one");
    let foreign = ours("else.where", "theirs");
    let current = format!("{}\n\n{}\n\n{}", a.markup, a.markup, foreign.markup);
    let wanted = [ours("a", "uno")];
    let merged = merge(&current, std::slice::from_ref(&a), &wanted).unwrap();
    assert_eq!(
        merged.content,
        format!("{}\n\n{}\n\n{}", wanted[0].markup, a.markup, foreign.markup)
    );
    assert_eq!(merged.conflicts[0].what, Hand::Copied);
    // Nothing is known of its being sent.
    let merged = merge(&a.markup, &[], &wanted).unwrap();
    assert_eq!(merged.conflicts[0].what, Hand::Unknown);
    assert_eq!(merged.content, a.markup);
}

#[test]
fn what_cannot_be_is_refused() {
    let a = ours("a", "one");
    let unmarked = Section::new("a", "<!-- wp:group /-->");
    let two = Section::new("a", format!("{}{}", a.markup, a.markup));
    let other = Section::new("b", a.markup.clone());
    for wanted in [
        vec![unmarked],
        vec![two],
        vec![other],
        vec![a.clone(), a.clone()],
    ] {
        assert_eq!(
            merge("", &[], &wanted).unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
    // Behind a stray end nothing is a block any more.
    let error = merge("x<!-- /wp:group -->\n", &[], std::slice::from_ref(&a)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    // A block that is not closed would swallow the section; nothing is lost by it.
    let merged = merge("<!-- wp:group --><div>", &[], &[a]).unwrap();
    assert_eq!(section::owned(&merged.content).len(), 1);
}

fn sections() -> impl Strategy<Value = Vec<Section>> {
    let ids = prop::sample::subsequence(vec!["a", "b", "c", "d", "e"], 0..=5).prop_shuffle();
    (ids, prop::collection::vec("[x-z]{1,2}", 5)).prop_map(|(ids, texts)| {
        ids.iter()
            .zip(&texts)
            .map(|(id, text)| ours(id, text))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// From any sections to any others, with things of people before, between and behind.
    #[test]
    fn wanted_sections_come_in_order_and_foreign_things_stay(
        previous in sections(), wanted in sections(), hands in prop::collection::vec(0..3_usize, 6),
    ) {
        let mut current = String::new();
        let mut foreign = Vec::new();
        for (slot, count) in hands.iter().enumerate().take(previous.len() + 1) {
            for n in 0..*count {
                let hand = format!("<!-- wp:verse -->\n<pre>{slot} {n}</pre>\n<!-- /wp:verse -->");
                current.push_str(&hand);
                current.push_str("\n\n");
                foreign.push(hand);
            }
            if let Some(section) = previous.get(slot) {
                current.push_str(&section.markup);
                current.push_str("\n\n");
            }
        }
        let merged = merge(&current, &previous, &wanted).unwrap();
        prop_assert_eq!(&merged.conflicts, &[]);
        let found: Vec<Section> = section::owned(&merged.content)
            .into_iter().map(|o| Section::new(o.id, o.markup)).collect();
        prop_assert_eq!(&found, &wanted);
        let mut from = 0;
        for hand in &foreign {
            let at = merged.content[from..].find(hand.as_str());
            prop_assert!(at.is_some(), "{} lost or moved", hand);
            from += at.unwrap() + hand.len();
        }
        prop_assert!(!merged.content.contains("\n\n\n\n\n"));
        let again = merge(&merged.content, &wanted, &wanted).unwrap();
        prop_assert_eq!(again.content, merged.content);
    }
}
