//! Help, completions, manual pages, and what is wrong on the command line.

use crate::context::TestContext;

#[test]
fn help_of_the_program() {
    let ran = TestContext::new().run(&["-h"]).code(0);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn help_of_apply() {
    let ran = TestContext::new().run(&["apply", "--help"]).code(0);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn every_command_has_help() {
    let context = TestContext::new();
    for command in [
        "validate",
        "plan",
        "apply",
        "destroy",
        "refresh",
        "status",
        "history",
        "rollback",
        "import",
        "graph",
        "logs",
        "outputs",
        "state",
        "secrets",
        "doctor",
        "schema",
        "docs",
        "explain",
        "eject",
        "export",
        "lint",
        "completions",
        "man",
    ] {
        let ran = context.run(&[command, "--help"]).code(0);
        assert!(ran.out.contains("Usage:"), "{command}");
    }
}

#[test]
fn completions_and_pages_are_there() {
    let context = TestContext::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = context.run(&["completions", shell]).code(0);
        assert!(ran.out.contains("fabrik"), "{shell}");
    }
    assert!(context.run(&["man"]).code(0).out.contains(".TH fabrik"));
    context.run(&["man", "pages"]).code(0);
    assert!(context.dir().join("pages/fabrik-state-list.1").is_file());
}

#[test]
fn mistakes_on_the_command_line() {
    let context = TestContext::new();
    let cases: [&[&str]; 5] = [
        &["aply"],
        &["plan", "--vra", "a=b"],
        &["rollback", "x"],
        &["plan", "--lock-timeout", "5x"],
        &["secrets", "set", "KEY", "canary"],
    ];
    let all: Vec<String> = cases
        .iter()
        .map(|words| format!("$ fabrik {}\n{}", words.join(" "), context.run(words).all()))
        .collect();
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn helpers_that_are_not_there() {
    let ran = TestContext::new().run(&["agent", "nobody"]).code(64);
    assert!(ran.err.contains("nobody"), "{}", ran.all());
}
