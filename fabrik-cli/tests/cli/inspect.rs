//! Commands that only look.

use crate::context::TestContext;

const TWO: &str = "  - { id: a, type: demo.note, spec: { name: a, text: hello } }
  - { id: b, type: demo.note, spec: { name: b, text: \"see ${resources.a.url}\" } }
";

#[test]
fn mistakes_in_a_spec_are_shown_where_they_are() {
    let context = TestContext::with_spec("fabrik: 1\nid: shop\nprot: 1\n");
    insta::assert_snapshot!(context.run(&["validate"]).all());
    let json = context.run(&["validate", "--json"]).code(65);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["diagnostics"][0]["labels"][0]["line"], 3);
}

#[test]
fn a_spec_that_is_not_there() {
    let context = TestContext::new();
    context.write("my-api.yaml", "fabrik: 1\nid: my-api\n");
    insta::assert_snapshot!(context.run(&["plan", "my-apj"]).all());
    context.run(&["validate", "my-api"]).code(0);
    context.run(&["validate", "my-api.yaml"]).code(0);
}

#[test]
fn graphs() {
    let context = TestContext::with_notes(TWO);
    let all: Vec<String> = ["tree", "dot", "mermaid", "json"]
        .iter()
        .map(|style| context.run(&["graph", "--as", style]).code(0).out)
        .collect();
    insta::assert_snapshot!(all.join("\n---\n"));
}

#[test]
fn docs_of_a_type_and_names_like_it() {
    let context = TestContext::new();
    insta::assert_snapshot!(context.run(&["docs", "demo.note"]).code(0).out);
    let near = context.run(&["docs", "demo.nite"]).code(1);
    assert!(
        near.err.contains("did you mean `demo.note`?"),
        "{}",
        near.all()
    );
}

#[test]
fn status_before_and_after() {
    let context = TestContext::with_notes(TWO);
    let before = context.run(&["status"]).code(0);
    assert!(
        before.out.contains("nothing applied yet"),
        "{}",
        before.all()
    );
    context.run(&["apply", "--yes"]).code(0);
    let after = context.run(&["status"]).code(0);
    assert!(after.out.contains("rev 1"), "{}", after.all());
    let json = context.run(&["status", "--json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["resources"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_can_be_shown_again() {
    let context = TestContext::with_notes(TWO);
    context.run(&["apply", "--yes"]).code(0);
    let show = context.run(&["history", "show", "1"]).code(0);
    assert!(show.out.contains("resources.a"), "{}", show.all());
    let replay = context.run(&["history", "show", "--replay"]).code(0);
    assert!(replay.err.contains("Applied rev 1"), "{}", replay.all());
    let json = context
        .run(&["history", "show", "--replay", "--json"])
        .code(0);
    assert!(json.out.lines().count() > 4, "{}", json.all());
    context.run(&["history", "show", "9"]).code(1);
}

#[test]
fn outputs_one_and_all() {
    let context = TestContext::with_notes(TWO);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &format!("{spec}outputs: {{ url: \"${{resources.a.url}}\" }}\n"),
    );
    let ran = context.run(&["apply", "--yes"]).code(0);
    assert_eq!(ran.out, "https://notes.test/a\n", "the URL alone, last");
    assert_eq!(
        context.run(&["outputs", "url"]).code(0).out,
        "https://notes.test/a\n"
    );
    let wrong = context.run(&["outputs", "ulr"]).code(1);
    assert!(wrong.err.contains("did you mean `url`?"), "{}", wrong.all());
}

#[test]
fn doctor_says_what_to_do() {
    let context = TestContext::with_notes(TWO);
    context.run(&["apply", "--yes"]).code(0);
    let ran = context.run(&["doctor"]).code(0);
    for name in ["spec", "state", "lock", "key", "demo", "clock"] {
        assert!(ran.out.contains(name), "{name}: {}", ran.all());
    }
    let json = context.run(&["doctor", "--json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(json["checks"].as_array().unwrap().len() > 6);
}
