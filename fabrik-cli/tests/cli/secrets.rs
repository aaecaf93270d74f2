//! Secrets: kept, shown only when asked for, found nowhere else.

use crate::context::TestContext;

const SPEC: &str =
    "  - { id: a, type: demo.note, spec: { name: a, password: \"${secrets.PW}\" } }\n";

fn context() -> TestContext {
    let context = TestContext::with_notes(SPEC);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}secrets: {{ PW: {{ generate: 32 }} }}\n"),
    );
    context
}

#[test]
fn a_generated_secret_is_kept_and_revealed_only_when_asked_for() {
    let context = context();
    let ran = context.run(&["apply", "--yes"]).code(0);
    let note: serde_json::Value = serde_json::from_str(&context.note("a").unwrap()).unwrap();
    let value = note["password"].as_str().unwrap().to_owned();
    assert_eq!(value.len(), 32);
    assert!(!ran.all().contains(&value), "{}", ran.all());
    context.run(&["secrets", "reveal", "PW"]).code(1);
    let shown = context.run(&["secrets", "reveal", "PW", "--yes"]).code(0);
    assert_eq!(shown.out.trim(), value);
    for words in [
        &["plan"][..],
        &["status", "-v"],
        &["state", "show", "a"],
        &["secrets", "list"],
    ] {
        let ran = context.run(words).code(0);
        assert!(!ran.all().contains(&value), "{words:?}: {}", ran.all());
    }
    context.run(&["state", "export", "all.json"]).code(0);
    let exported = std::fs::read_to_string(context.dir().join("all.json")).unwrap();
    assert!(!exported.contains(&value));
}

#[test]
fn a_secret_is_set_from_input_and_rotated() {
    let context = context();
    context.run(&["apply", "--yes"]).code(0);
    context.run(&["secrets", "rotate", "PW"]).code(0);
    let first = context
        .run(&["secrets", "reveal", "PW", "--yes"])
        .code(0)
        .out;
    context.run(&["apply", "--yes"]).code(0);
    assert!(context.note("a").unwrap().contains(first.trim()));
    let context = TestContext {
        input: Some("typed-by-hand\n".to_owned()),
        ..context
    };
    let ran = context.run(&["secrets", "set", "PW"]).code(0);
    assert!(!ran.all().contains("typed-by-hand"), "{}", ran.all());
    let shown = context.run(&["secrets", "reveal", "PW", "--yes"]).code(0);
    assert_eq!(shown.out, "typed-by-hand\n");
}
