//! The block editor of real WordPress accepts what sections become, and saves it so that it still
//! counts as the same.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod support;

use std::io::Write as _;
use std::process::{Command, Stdio};

use fabrik_blocks::{parse_checked, same};
use fabrik_wordpress::sections::{BrandRefs, kinds};
use fabrik_wordpress_site::{Installed, Version};
use serde_json::{Value as Json, json};
use support::{TEXTS, brand, markup, plain_samples, samples};

/// Cases are asked in so many processes: an editor takes its time.
const PARTS: usize = 4;

/// Asks the editor of a version about named markups.
fn ask(installed: &Installed, version: Version, cases: &[(String, String)]) -> Vec<Json> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/editor/validate.cjs");
    let mut child = Command::new("node")
        .arg(script)
        .arg(installed.wordpress(version))
        .env("NODE_PATH", installed.node_modules())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = String::new();
    for (name, markup) in cases {
        input.push_str(&json!({"name": name, "markup": markup}).to_string());
        input.push('\n');
    }
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the editor's process failed");
    let answers: Vec<Json> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(answers[0]["blocks"].as_u64().unwrap() > 60);
    assert_eq!(answers.len(), cases.len() + 1);
    answers[1..].to_vec()
}

fn cases(version: (u32, u32), part: usize) -> Vec<(String, String)> {
    let all = std::env::var_os("FABRIK_EDITOR_ALL").is_some();
    let mut cases = Vec::new();
    let mut push = |name: String, kind: &str, fields: &Json, brand: &BrandRefs, alt: &str| {
        let made =
            markup(kind, fields, version, brand, alt).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert_eq!(parse_checked(&made.text).damage, [], "{name}");
        cases.push((name, made.text));
    };
    // Every look with plain words, with and without a palette.
    for (index, (kind, fields)) in samples(TEXTS[0]).iter().enumerate() {
        if index % PARTS != part {
            continue;
        }
        push(
            format!("{kind} {index} with palette"),
            kind,
            fields,
            &brand(),
            "A picture",
        );
        push(
            format!("{kind} {index} without"),
            kind,
            fields,
            &BrandRefs::default(),
            "",
        );
    }
    for (number, text) in TEXTS.iter().enumerate() {
        if number % PARTS != part {
            continue;
        }
        for (index, (kind, fields)) in plain_samples(text).iter().enumerate() {
            // Every text meets every type; with this variable, every variant of it, too.
            let every = if version < (6, 3) { 4 } else { 2 };
            if !all && !(index + number / PARTS).is_multiple_of(every) {
                continue;
            }
            push(
                format!("{kind} {index} text {number}"),
                kind,
                fields,
                &brand(),
                text,
            );
        }
    }
    cases
}

fn check(version: Version, number: (u32, u32), part: usize) {
    let Some(installed) = Installed::find() else {
        return;
    };
    let cases = cases(number, part);
    for kind in kinds() {
        assert!(
            cases.iter().any(|(name, _)| name.starts_with(kind)),
            "no case for {kind}"
        );
    }
    let answers = ask(&installed, version, &cases);
    let mut wrong = Vec::new();
    for ((name, markup), answer) in cases.iter().zip(&answers) {
        let invalid = answer["invalid"].as_array().unwrap();
        if !invalid.is_empty() {
            wrong.push(format!("{name}: {:#}\n{markup}", answer["invalid"]));
        } else if !same(markup, answer["saved"].as_str().unwrap()) {
            wrong.push(format!(
                "{name}: saved as something else\n--- ours\n{markup}\n--- saved\n{}",
                answer["saved"].as_str().unwrap()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} wrong; the first:\n{}",
        wrong.len(),
        cases.len(),
        wrong[..wrong.len().min(3)].join("\n\n")
    );
    println!("{} markups, 0 invalid", cases.len());
}

#[test]
fn the_newest_editor_takes_every_section_0() {
    check(Version::New, (7, 1), 0);
}

#[test]
fn the_oldest_editor_takes_every_section_0() {
    check(Version::Old, (6, 1), 0);
}

#[test]
fn the_newest_editor_takes_every_section_1() {
    check(Version::New, (7, 1), 1);
}

#[test]
fn the_oldest_editor_takes_every_section_1() {
    check(Version::Old, (6, 1), 1);
}

#[test]
fn the_newest_editor_takes_every_section_2() {
    check(Version::New, (7, 1), 2);
}

#[test]
fn the_oldest_editor_takes_every_section_2() {
    check(Version::Old, (6, 1), 2);
}

#[test]
fn the_newest_editor_takes_every_section_3() {
    check(Version::New, (7, 1), 3);
}

#[test]
fn the_oldest_editor_takes_every_section_3() {
    check(Version::Old, (6, 1), 3);
}

/// The check can fail: markup that is not what the editor writes is found out.
#[test]
fn markup_that_is_wrong_is_found_out() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let cases = [
        "<!-- wp:heading -->\n<h3>x</h3>\n<!-- /wp:heading -->",
        "<!-- wp:nonsense/none /-->",
        "stray",
        "<!-- wp:details -->\n<details>x</details>\n<!-- /wp:details -->",
    ]
    .map(|markup| (markup.to_owned(), markup.to_owned()));
    for answer in ask(&installed, Version::Old, &cases) {
        assert!(
            !answer["invalid"].as_array().unwrap().is_empty(),
            "{answer}"
        );
    }
}
