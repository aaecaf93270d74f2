//! `fabrik import`: what can be taken over, and what an id looks like.

use fabrik_cli::App;
use fabrik_provider_memory::{Cloud, provider};
use serde_json::json;

use crate::context::{Ran, TestContext};

const SPEC: &str = "fabrik: 1
id: shop
providers:
  demo: { folder: /nowhere }
resources:
  - { id: theirs, type: memory.note, spec: { title: Theirs } }
";

struct Stage {
    context: TestContext,
    app: App,
}

impl Stage {
    fn new() -> Stage {
        let cloud = Cloud::new();
        for (title, secret) in [("Theirs", None), ("Other", Some("hush-7741"))] {
            let note = json!({"folder": "home", "title": title, "tags": ["a"], "secret": secret});
            cloud.plant("memory.note", note);
        }
        Stage {
            context: TestContext::with_spec(SPEC),
            app: App::bare()
                .provider(provider(cloud))
                .provider(crate::provider::demo()),
        }
    }

    fn run(&self, words: &[&str]) -> Ran {
        let words: Vec<&str> = std::iter::once("import")
            .chain(words.iter().copied())
            .collect();
        self.context.run_app(&self.app, &words)
    }
}

#[test]
fn what_can_be_taken_over_is_listed() {
    let stage = Stage::new();
    let listed = stage.run(&["theirs"]).code(0);
    insta::assert_snapshot!(listed.all());
    let by_type = stage.run(&["memory.note"]).code(0);
    assert_eq!(by_type.out, listed.out);
    assert!(
        by_type.err.contains("fabrik import memory.note NAME ID"),
        "{}",
        by_type.all()
    );
    let json = stage.run(&["memory.note", "--json"]).code(0);
    assert!(!json.out.contains("hush-7741"), "{}", json.out);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let id = json["objects"][0]["id"].as_str().unwrap().to_owned();
    // What was taken over is listed no more.
    stage.run(&["theirs", &id]).code(0);
    let left = stage.run(&["memory.note", "other"]).code(0);
    assert!(!left.out.contains(&id), "{}", left.all());
    assert!(
        left.err.contains("fabrik import memory.note other ID"),
        "{}",
        left.all()
    );
}

#[test]
fn mistakes_say_what_to_do() {
    let stage = Stage::new();
    let all: Vec<String> = [
        // A type that cannot be listed.
        &["demo.note"][..],
        // An id that is not there.
        &["theirs", "note-99"],
        &["demo.note", "x", "NO/SUCH"],
        // An address and a type that are not there.
        &["thiers"],
        &["memory.nite"],
        &["memory.nite", "x", "note-1"],
        // A name that is declared.
        &["memory.note", "theirs", "note-1"],
    ]
    .iter()
    .map(|words| {
        let ran = stage.run(words);
        assert_ne!(ran.exit, 0);
        format!("$ fabrik import {}\n{}", words.join(" "), ran.all())
    })
    .collect();
    insta::assert_snapshot!(all.join("\n"));
}
