//! Looking into state, and repairing it.

use crate::context::TestContext;

const ONE: &str = "  - { id: a, type: demo.note, spec: { name: a, text: hello } }\n";

#[test]
fn objects_are_listed_shown_moved_and_forgotten() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    assert!(
        context
            .run(&["state", "list"])
            .code(0)
            .out
            .contains("resources.a")
    );
    assert!(
        context
            .run(&["state", "show", "a"])
            .code(0)
            .out
            .contains("text: hello")
    );
    let wrong = context.run(&["state", "show", "resources.b"]).code(1);
    assert!(wrong.err.contains("did you mean"), "{}", wrong.all());
    context
        .run(&["state", "mv", "resources.a", "resources.b"])
        .code(0);
    assert!(
        context
            .run(&["state", "list"])
            .code(0)
            .out
            .contains("resources.b")
    );
    context.run(&["state", "rm", "resources.b"]).code(1);
    context
        .run(&["state", "rm", "resources.b", "--yes"])
        .code(0);
    assert_eq!(context.run(&["state", "list"]).code(0).out, "");
    assert!(
        context.note("a").is_some(),
        "nothing is deleted at the service"
    );
}

#[test]
fn state_goes_out_and_in_again() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    context.run(&["state", "export", "all.json"]).code(0);
    context.run(&["state", "import", "all.json"]).code(1);
    std::fs::remove_file(context.dir().join(".fabrik/state.db")).unwrap();
    context.run(&["state", "import", "all.json"]).code(0);
    let plan = context.run(&["plan", "--detailed-exitcode"]).code(0);
    drop(plan);
    context.run(&["destroy", "--yes"]).code(0);
    assert_eq!(context.note("a"), None);
}

#[test]
fn an_object_is_imported() {
    let context = TestContext::with_notes(ONE);
    std::fs::create_dir_all(context.folder()).unwrap();
    std::fs::write(context.folder().join("a"), r#"{"name":"a","text":"hello"}"#).unwrap();
    context.run(&["import", "resources.a", "a"]).code(0);
    context.run(&["plan", "--detailed-exitcode"]).code(0);
    std::fs::write(context.folder().join("b"), r#"{"name":"b","text":"other"}"#).unwrap();
    let ran = context.run(&["import", "demo.note", "other", "b"]).code(0);
    assert!(ran.out.contains("id: other"), "{}", ran.all());
}

#[test]
fn a_state_whose_key_is_gone_says_so() {
    let secret = "  - { id: a, type: demo.note, spec: { name: a, password: \"${secrets.PW}\" } }\n";
    let context = TestContext::with_notes(secret);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}secrets: {{ PW: {{ generate: 32 }} }}\n"),
    );
    context.run(&["apply", "--yes"]).code(0);
    std::fs::remove_dir_all(context.dir().join("../home/.local/share/fabrik/keys")).unwrap();
    let ran = context.run(&["apply", "--yes"]).code(4);
    assert!(ran.err.contains("FABRIK_STATE_KEY"), "{}", ran.all());
}
