//! The life of a stack: plan, apply, change, roll back, destroy.

use crate::context::{Ran, TestContext};

const ONE: &str = "  - { id: a, type: demo.note, spec: { name: a, text: hello } }\n";

#[test]
fn a_stack_lives_and_dies() {
    let context = TestContext::with_notes(ONE);
    let plan = context.run(&["plan"]).code(0);
    assert!(plan.out.contains("1 create"), "{}", plan.all());
    assert!(
        !context.dir().join(".fabrik").exists(),
        "plan writes nothing"
    );

    context.run(&["apply", "--yes"]).code(0);
    assert!(context.note("a").unwrap().contains("hello"));

    context.notes(&ONE.replace("hello", "bye"));
    let plan = context.run(&["plan"]).code(0);
    assert!(
        plan.out.contains("hello") && plan.out.contains("bye"),
        "{}",
        plan.all()
    );
    context.run(&["apply", "--yes"]).code(0);
    assert!(context.note("a").unwrap().contains("bye"));

    let history = context.run(&["history"]).code(0);
    assert_eq!(history.out.lines().count(), 3, "{}", history.all());
    context.run(&["rollback", "1", "--yes"]).code(0);
    assert!(context.note("a").unwrap().contains("hello"));

    context.run(&["destroy", "--yes"]).code(0);
    assert_eq!(context.note("a"), None);
    let list = context.run(&["state", "list"]).code(0);
    assert_eq!(list.out, "");
}

#[test]
fn a_saved_plan_is_applied_exactly() {
    let context = TestContext::with_notes(ONE);
    let saved = context.run(&["plan", "-o", "p.fplan"]).code(0);
    assert!(
        saved.err.contains("fabrik apply p.fplan"),
        "{}",
        saved.all()
    );
    let path = context.dir().join("p.fplan");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    context.run(&["apply", "p.fplan"]).code(0);
    assert!(context.note("a").is_some());
    let stale = context.run(&["apply", "p.fplan"]).code(1);
    assert!(stale.err.contains("error"), "{}", stale.all());
}

#[test]
fn destroy_needs_the_name_and_works_without_the_spec() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    let context = TestContext {
        input: Some("ship\n".to_owned()),
        ..context
    };
    context.run(&["destroy"]).code(1);
    assert!(context.note("a").is_some());
    std::fs::remove_file(context.dir().join("fabrik.yaml")).unwrap();
    let wrong = context.run(&["destroy", "--stack", "shap"]).code(1);
    assert!(
        wrong.err.contains("did you mean `shop`?"),
        "{}",
        wrong.all()
    );
    let context = TestContext {
        input: Some("shop\n".to_owned()),
        ..context
    };
    context.run(&["destroy", "--stack", "shop"]).code(0);
    assert_eq!(context.note("a"), None);
}

#[test]
fn questions_can_show_more_first() {
    let context = TestContext {
        input: Some("d\ng\nu\ny\n".to_owned()),
        ..TestContext::with_notes(ONE)
    };
    let ran = context.run(&["apply"]).code(0);
    assert!(ran.err.contains("undone"), "{}", ran.all());
    assert!(context.note("a").is_some());
}

#[test]
fn the_same_spec_has_a_state_per_environment() {
    let context = TestContext::with_notes(ONE);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}environments:\n  staging: {{}}\n"),
    );
    context.run(&["apply", "--yes"]).code(0);
    let staging = context.run(&["status", "-e", "staging"]).code(0);
    assert!(
        staging.out.contains("nothing applied yet"),
        "{}",
        staging.all()
    );
}

#[test]
fn events_are_lines_of_json() {
    let context = TestContext::with_notes(ONE);
    let ran = context
        .run(&["apply", "--yes", "--json", "--json-into", "events.jsonl"])
        .code(0);
    let types: Vec<String> = ran
        .out
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(types.contains(&"run_ended".to_owned()), "{types:?}");
    let file = std::fs::read_to_string(context.dir().join("events.jsonl")).unwrap();
    assert!(file.lines().count() > 3);
}

#[test]
fn data_outside_is_found_and_taken_over() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    std::fs::write(
        context.folder().join("a"),
        r#"{"name":"a","text":"outside"}"#,
    )
    .unwrap();
    let status = context.run(&["status", "--refresh"]).code(0);
    assert!(status.out.contains("resources.a"), "{}", status.all());
    context.run(&["refresh"]).code(0);
    assert_eq!(
        context.note("a").unwrap(),
        r#"{"name":"a","text":"outside"}"#
    );
    let history = context.run(&["history"]).code(0).out;
    let last = history.lines().nth(1).unwrap();
    assert!(last.contains("state  ok"), "{history}");
    assert!(last.ends_with("refresh"), "{history}");
}

#[test]
fn what_a_run_says() {
    let two = format!(
        "{ONE}  - {{ id: b, type: demo.note, spec: {{ name: b, text: \"see ${{a.url}}\" }} }}\n"
    );
    let context = TestContext::with_notes(&two);
    let first = context.run(&["apply", "--yes"]);
    context.notes(&two.replace("hello", "bye"));
    let second = context.run(&["apply", "--yes"]);
    let again = context.run(&["apply", "--yes"]);
    let gone = context.run(&["destroy", "--yes"]);
    let all: Vec<String> = [first, second, again, gone].iter().map(Ran::all).collect();
    insta::with_settings!({filters => vec![(r" +(\d+ ms|\d+\.\ds)", " [TIME]")]}, {
        insta::assert_snapshot!(all.join("\n"));
    });
}

/// A stack whose second note is refused, and whose first cannot be taken back until it says so.
const STUCK: &str = "  - { id: a, type: demo.note, spec: { name: a, trouble: keep } }
  - { id: b, type: demo.note, depends_on: [a], spec: { name: b, trouble: refused } }\n";

#[test]
fn a_stuck_run_is_finished_by_resuming() {
    let context = TestContext::with_notes(STUCK);
    let stuck = context.run(&["apply", "--yes"]).code(7);
    assert!(stuck.err.contains("--resume"), "{}", stuck.all());
    let again = context.run(&["rollback", "--resume"]).code(7);
    assert!(again.err.contains("resources.a"), "{}", again.all());
    assert!(context.note("a").is_some());

    context.free_notes();
    let done = context.run(&["rollback", "--resume"]).code(0);
    assert!(done.err.contains("rolled back"), "{}", done.all());
    assert_eq!(context.note("a"), None);
    let rows = context.run(&["state", "list"]).code(0);
    assert_eq!(rows.out, "");
}

#[test]
fn a_plan_names_what_its_checks_look_at_as_far_as_that_is_known() {
    let context = TestContext::with_notes(ONE);
    let spec = |text: &str| {
        let path = context.dir().join("fabrik.yaml");
        context.notes(text);
        let written = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, written + "verify: [{ http: \"${a.url}\" }]\n").unwrap();
    };
    spec(ONE);
    let first = context.run(&["plan"]).code(0).out;
    assert!(
        first.contains("After apply: http (known after apply: resources.a.url)"),
        "{first}"
    );
    context.run(&["apply", "--yes", "--no-verify"]).code(0);
    spec(&ONE.replace("hello", "bye"));
    let second = context.run(&["plan"]).code(0).out;
    assert!(
        second.contains("After apply: http https://notes.test/a"),
        "{second}"
    );
}
