//! `fabrik provider`.

use fabrik_cli::App;
use fabrik_provider_memory::{Cloud, provider};

use crate::context::TestContext;

fn app() -> App {
    App::bare()
        .provider(crate::provider::demo())
        .provider(provider(Cloud::new()))
}

#[test]
fn providers_are_listed_with_what_they_have() {
    let context = TestContext::with_notes("  []\n");
    let ran = context.run_app(&app(), &["provider", "list"]).code(0);
    insta::assert_snapshot!(ran.all());
    let json = context
        .run_app(&app(), &["provider", "list", "--json"])
        .code(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let memory = &json["providers"][1];
    assert_eq!(memory["name"], "memory");
    assert_eq!(memory["instances"], serde_json::json!([]));
    assert!(memory["types"].as_array().unwrap().iter().any(|kind| {
        kind == &serde_json::json!({"name": "memory.latest", "mode": "lookup", "version": 1})
    }));
    // Nor is a spec needed.
    let nowhere = TestContext::new();
    let ran = nowhere.run_app(&app(), &["provider", "list"]).code(0);
    assert!(ran.out.contains("not in the spec"), "{}", ran.all());
}

#[test]
fn schemas_are_checked() {
    let context = TestContext::new();
    let ran = context
        .run_app(&app(), &["provider", "check", "memory"])
        .code(0);
    assert!(
        ran.err.contains("13 types checked: nothing to mend"),
        "{}",
        ran.all()
    );
    let ran = context.run_app(&app(), &["provider", "check"]);
    insta::assert_snapshot!(ran.all());
    let ran = context
        .run_app(&app(), &["provider", "check", "memry"])
        .code(1);
    assert!(ran.err.contains("did you mean `memory`?"), "{}", ran.all());
}

#[test]
fn a_new_provider_is_written() {
    let context = TestContext::new();
    let ran = context.run(&["provider", "new", "my_api"]).code(0);
    insta::assert_snapshot!(ran.all());
    let dir = context.dir().join("fabrik-provider-my-api");
    let manifest = std::fs::read_to_string(dir.join("Cargo.toml")).unwrap();
    assert!(
        manifest.contains("fabrik-core = { version = \"0.1.0\" }"),
        "{manifest}"
    );
    // Nothing is written over.
    let again = context.run(&["provider", "new", "my_api"]).code(1);
    assert!(again.err.contains("is not empty"), "{}", again.all());
    let dir = [
        "provider", "new", "my_api", "--dir", "other", "--plain", "--json",
    ];
    let json = context.run(&dir).code(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    for file in json["files"].as_array().unwrap() {
        let path = context.dir().join("other").join(file.as_str().unwrap());
        assert!(path.is_file(), "{}", path.display());
    }
}

#[test]
fn a_checkout_is_found_or_named() {
    let context = TestContext::new();
    for file in [
        "fabrik-core/Cargo.toml",
        "fabrik-providers/testkit/Cargo.toml",
    ] {
        context.write(&format!("fabrik/{file}"), "");
    }
    let manifest = |dir: &str| {
        let path = context.dir().join(dir).join("Cargo.toml");
        std::fs::read_to_string(path).unwrap()
    };
    let named = [
        "provider",
        "new",
        "acme",
        "--dir",
        "a",
        "--fabrik-path",
        "fabrik",
    ];
    context.run(&named).code(0);
    let core = "fabrik-core = { path = \"../fabrik/fabrik-core\" }";
    assert!(manifest("a").contains(core), "{}", manifest("a"));
    context
        .run(&["-C", "fabrik", "provider", "new", "acme"])
        .code(0);
    let inside = manifest("fabrik/fabrik-provider-acme");
    assert!(
        inside.contains("fabrik-core = { path = \"../fabrik-core\" }"),
        "{inside}"
    );
    let wrong = [
        "provider",
        "new",
        "acme",
        "--dir",
        "b",
        "--fabrik-path",
        "a",
    ];
    let wrong = context.run(&wrong).code(64);
    assert!(
        wrong.err.contains("is no checkout of Fabrik"),
        "{}",
        wrong.all()
    );
}

#[test]
fn names_that_cannot_be() {
    let context = TestContext::new();
    for name in ["my-api", "Acme", "9", "a b", "self", ""] {
        let ran = context.run(&["provider", "new", name]).code(64);
        assert!(
            ran.err.contains("small letters, digits and `_`"),
            "{}",
            ran.all()
        );
    }
}
