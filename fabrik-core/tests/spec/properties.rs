//! Whatever the text: loading ends, soon, without a panic, and places lie within the text.

use std::time::{Duration, Instant};

use fabrik_core::spec::{LoadRequest, load};
use proptest::prelude::*;

use crate::{doubles, fixtures};

fn loads(bytes: &[u8]) {
    let registry = doubles::registry();
    let started = Instant::now();
    let loaded = load(&LoadRequest::new(&registry, "any.yaml", bytes));
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(loaded.stack.is_none(), loaded.diagnostics.has_errors());
    for item in &loaded.diagnostics.items {
        for label in &item.labels {
            let sources = &loaded.diagnostics.sources;
            let (file, range) = sources.file_of(label.span).expect("a place in a file");
            assert!(
                file.text.get(range).is_some(),
                "{}: {:?} splits a character",
                item.summary,
                label.span
            );
            assert!(sources.position(label.span).is_some());
        }
    }
}

/// Pieces that mean something to the parser.
const PIECES: &[&str] = &[
    "\n",
    "  ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: ",
    "|",
    ">",
    "'",
    "\"",
    "\\",
    "${",
    "}",
    "$${",
    "vars.",
    "each.key",
    "file(",
    "slug(",
    "==",
    "~",
    "!x ",
    "---",
    "...",
    "\t",
    "#",
    "?",
    "é",
    "😀",
    "\u{feff}",
    "\r\n",
    "%YAML 1.2",
    "012",
    "1e999999999",
    "-0x",
    "null",
    "yes",
    "apps",
    "resources",
    "for_each: ",
    "when: ",
    "spec: ",
    "type: demo.record",
    "secrets: ",
    "providers: ",
    "verify: ",
    "on: ",
];

fn valid_texts() -> Vec<String> {
    fixtures::folder("valid")
        .iter()
        .map(|path| String::from_utf8(std::fs::read(path).unwrap()).unwrap())
        .collect()
}

/// The nearest place between characters.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        loads(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,300}") {
        loads(text.as_bytes());
    }

    #[test]
    fn pieces_of_yaml(pieces in proptest::collection::vec(0..PIECES.len(), 0..80)) {
        let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
        loads(text.as_bytes());
        loads(format!("fabrik: 1\nid: t\n{text}").as_bytes());
    }

    #[test]
    fn valid_specs_changed(
        which in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((0.0..1.0_f64, 0..40_usize, 0..PIECES.len()), 1..6),
    ) {
        let texts = valid_texts();
        let mut text = which.get(&texts).clone();
        for (place, cut, piece) in changes {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss,
                reason = "a place somewhere in the text")]
            let from = boundary(&text, (place * text.len() as f64) as usize);
            let to = boundary(&text, from + cut);
            text.replace_range(from..to.max(from), PIECES[piece]);
        }
        loads(text.as_bytes());
    }
}

#[test]
fn hostile_texts_are_refused_soon() {
    let deep = 100_000;
    let many = |text: &str| text.repeat(deep);
    for text in [
        many("["),
        many("{a: "),
        many("- "),
        many("? "),
        format!("a: {}", many("&a ")),
        format!("a: {}{}", many("["), many("]")),
        format!("a: \"{}\"", many("${")),
        format!("a: \"{}\"", many("$${")),
        format!(
            "fabrik: 1\nid: t\nvars: {{ a: \"${{{}1{}}}\" }}\n",
            many("("),
            many(")")
        ),
        format!(
            "fabrik: 1\nid: t\nvars: {{ a: \"${{{}1{}}}\" }}\n",
            many("slug("),
            many(")")
        ),
        format!(
            "fabrik: 1\nid: t\nvars: {{ a: \"${{a{}}}\" }}\n",
            many(".b")
        ),
        format!("a: {}", many("x ")),
        many("a: 1\n"),
        many("x\n"),
        many("%"),
        format!("a: |\n{}", many(" x\n")),
        format!("a: '{}", many("''")),
        format!("fabrik: 1\nid: {}\n", many("x")),
    ] {
        loads(text.as_bytes());
    }
    // A chain of variables, each naming the next.
    let mut chain = String::from("fabrik: 1\nid: t\nvars:\n  v0: end\n");
    for at in 1..20_000 {
        chain.push_str(&format!("  v{at}: ${{vars.v{}}}\n", at - 1));
    }
    loads(chain.as_bytes());
    // Variables that double.
    let mut doubling = String::from("fabrik: 1\nid: t\nvars:\n  v0: xxxxxxxxxx\n");
    for at in 1..64 {
        doubling.push_str(&format!("  v{at}: ${{vars.v{0}}}${{vars.v{0}}}\n", at - 1));
    }
    loads(doubling.as_bytes());
}
