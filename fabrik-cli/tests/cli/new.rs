//! `new` and `templates`.

use crate::context::TestContext;

#[test]
fn templates_are_listed_and_shown() {
    let context = TestContext::new();
    insta::assert_snapshot!(context.run(&["templates"]).code(0).all());
    insta::assert_snapshot!(context.run(&["templates", "static-site"]).code(0).out);
    let json = context.run(&["templates", "--json"]).code(0);
    let all: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(all.as_array().unwrap().len() >= 4);
}

#[test]
fn a_project_is_written_whole_or_not_at_all() {
    let context = TestContext::new();
    insta::assert_snapshot!(
        context
            .run(&["new", "static-site", "www", "--domain=www.localhost"])
            .code(0)
            .all()
    );
    let spec = std::fs::read_to_string(context.dir().join("www/fabrik.yaml")).unwrap();
    assert!(spec.contains("domain: www.localhost"), "{spec}");
    assert!(context.dir().join("www/.fabrik/schema.json").is_file());
    let again = context
        .run(&["new", "--template", "static-site", "www"])
        .code(1);
    assert!(again.err.contains("is there already"), "{}", again.all());
    for (args, words) in [
        (
            vec!["new", "static-sight", "x"],
            "did you mean `static-site`?",
        ),
        (vec!["new", "static-site"], "the project needs a name"),
        (vec!["new", "static-site", "X"], "cannot be the name"),
        (
            vec!["new", "python-api", "x", "--set", "port=0"],
            "0 is less than",
        ),
        (
            vec!["new", "python-api", "x", "--set", "prot=1"],
            "asks for domain, port, repo",
        ),
        (
            vec!["new", "python-api", "x", "--set", "port"],
            "has no value",
        ),
    ] {
        let ran = context.run(&args);
        assert_ne!(ran.exit, 0, "{args:?}");
        assert!(ran.err.contains(words), "{args:?}: {}", ran.all());
        assert!(!context.dir().join("x").exists());
    }
}

#[test]
fn a_spec_is_written_for_a_project_that_is_there() {
    let context = TestContext::new();
    context.write(
        "shop/package.json",
        r#"{"scripts": {"start": "node ."}, "dependencies": {"express": "5"}}"#,
    );
    context.write("shop/index.js", "app.get('/healthz', (q, s) => s.end())");
    context.write("shop/.env.example", "LOG_LEVEL=info\nAPI_TOKEN=\n");
    insta::assert_snapshot!(context.run(&["new", "--from", "shop"]).code(0).out);
    context
        .run_app(&fabrik_cli::App::new(), &["validate", "shop"])
        .code(0);
    let again = context.run(&["new", "--from", "shop"]).code(1);
    assert!(again.err.contains("is there already"), "{}", again.all());
    context.write("empty/notes.txt", "");
    let none = context.run(&["new", "--from", "empty"]).code(1);
    assert!(none.err.contains("nothing in"), "{}", none.all());
}
