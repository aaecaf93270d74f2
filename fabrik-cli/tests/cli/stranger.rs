//! What a stranger does in the first hour: kills things, asks twice, names what is not there.

use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use crate::context::TestContext;
use crate::process::slow_apply;

const SLOW: &str = "  - { id: a, type: demo.note, spec: { name: a, trouble: slow } }\n";
const FINE: &str = "  - { id: a, type: demo.note, spec: { name: a } }\n";
const SITE: &str = "fabrik: 1\nid: hello\napps:\n  web: { kind: static, source: ./site }\n";

/// The program as it is shipped.
fn shipped(context: &TestContext, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fabrik"))
        .args(words)
        .env_clear()
        .envs(&context.env)
        .current_dir(context.dir())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn site() -> TestContext {
    let context = TestContext::with_spec(SITE);
    context.write("site/index.html", "<h1>hello</h1>");
    context
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_apply_is_said_and_gone_on_with() {
    let context = TestContext::with_notes(SLOW);
    let (child, _lines) = slow_apply(&context);
    let second = context.process(&["apply", "--yes"]).output().unwrap();
    assert_eq!(second.status.code(), Some(5), "{}", said(&second));
    assert!(said(&second).contains("FAB5001"), "{}", said(&second));
    let status = context.process(&["status"]).output().unwrap();
    assert!(
        said(&status).contains("run 1 is under way"),
        "{}",
        said(&status)
    );
    kill(child);

    let status = context.process(&["status"]).output().unwrap();
    assert!(
        said(&status).contains("run 1 was interrupted"),
        "{}",
        said(&status)
    );
    assert!(said(&status).contains("lock: free"), "{}", said(&status));
    context.notes(FINE);
    let plan = context.process(&["plan"]).output().unwrap();
    assert!(
        said(&plan).contains("run 1 was interrupted"),
        "{}",
        said(&plan)
    );
    // Notes cannot be found again: whether the create arrived, a person has to say.
    let unsure = context.process(&["apply", "--yes"]).output().unwrap();
    assert_eq!(unsure.status.code(), Some(1), "{}", said(&unsure));
    assert!(
        said(&unsure).contains("fabrik state rm resources.a") && said(&unsure).contains("FAB3002"),
        "{}",
        said(&unsure)
    );
    context
        .run(&["state", "rm", "resources.a", "--yes"])
        .code(0);
    context.run(&["apply", "--yes"]).code(0);
    assert!(context.note("a").is_some());
    let again = context.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(!again.err.contains("interrupted"), "{}", again.all());
}

#[test]
fn a_revision_that_never_was_is_said_before_anything_is_done() {
    let context = TestContext::with_notes(SLOW);
    let (child, _lines) = slow_apply(&context);
    kill(child);
    context.notes(FINE);
    let never = context
        .process(&["rollback", "9", "--yes"])
        .output()
        .unwrap();
    assert_eq!(never.status.code(), Some(1), "{}", said(&never));
    assert!(
        said(&never).contains("there is no revision 9"),
        "{}",
        said(&never)
    );
    assert!(!said(&never).contains("run 1"), "{}", said(&never));
    let status = context.process(&["status"]).output().unwrap();
    assert!(
        said(&status).contains("run 1 was interrupted"),
        "{}",
        said(&status)
    );
}

#[test]
fn a_killed_agent_is_noticed_and_comes_back() {
    let context = site();
    let apply = shipped(&context, &["apply", "--yes"]);
    assert!(apply.status.success(), "{}", said(&apply));
    let url = String::from_utf8(apply.stdout).unwrap();
    let doctor = shipped(&context, &["doctor"]);
    let port = url.trim().rsplit(':').next().unwrap();
    assert!(
        said(&doctor).contains(&format!("127.0.0.1:{port}")),
        "{}",
        said(&doctor)
    );

    let lock = std::fs::read_to_string(context.dir().join(".fabrik/local/agent.lock")).unwrap();
    let killed = Command::new("kill")
        .args(["-9", lock.trim()])
        .status()
        .unwrap();
    assert!(killed.success());
    let patience = Instant::now() + Duration::from_secs(5);
    while !said(&shipped(&context, &["doctor"])).contains("is not running") {
        assert!(Instant::now() < patience, "doctor does not see it");
    }
    let apply = shipped(&context, &["apply", "--yes"]);
    assert!(apply.status.success(), "{}", said(&apply));
    assert_eq!(String::from_utf8(apply.stdout).unwrap(), url);
    assert!(crate::local::get(&url).contains("<h1>hello</h1>"));
    assert!(shipped(&context, &["destroy", "--yes"]).status.success());
}

#[test]
fn a_site_has_outputs_and_history_by_name_and_no_log() {
    let context = site();
    std::fs::rename(
        context.dir().join("fabrik.yaml"),
        context.dir().join("hello.yaml"),
    )
    .unwrap();
    assert!(
        shipped(&context, &["apply", "hello", "--yes"])
            .status
            .success()
    );
    for words in [
        &["outputs", "hello"][..],
        &["outputs", "./hello.yaml"],
        &["outputs", "hello", "apps.web.url"],
        &["-f", "hello.yaml", "outputs", "apps.web.url"],
    ] {
        let output = shipped(&context, words);
        assert!(
            said(&output).contains("http://web.localhost:"),
            "{words:?}: {}",
            said(&output)
        );
    }
    for words in [
        &["history", "hello"][..],
        &["history", "list", "hello.yaml"],
    ] {
        let output = shipped(&context, words);
        assert!(
            said(&output).contains("apply"),
            "{words:?}: {}",
            said(&output)
        );
    }
    let logs = said(&shipped(&context, &["logs", "hello"]));
    assert!(
        logs.contains("web: a static site runs no program"),
        "{logs}"
    );

    let plan = said(&shipped(&context, &["plan", "--destroy", "hello"]));
    assert!(!plan.contains("After apply"), "{plan}");
    let gone = shipped(&context, &["destroy", "hello", "--yes", "--quiet"]);
    assert_eq!(said(&gone), "", "quiet is quiet");
    let status = said(&shipped(&context, &["status", "hello"]));
    assert!(
        !status.contains("1/1"),
        "what is gone passes no check: {status}"
    );
    let again = said(&shipped(&context, &["destroy", "hello", "--yes"]));
    assert!(again.contains("Nothing to delete"), "{again}");
}

#[test]
fn checks_are_announced_in_words() {
    let plan = said(&shipped(&site(), &["plan"]));
    let words = "After apply: http (known after apply: apps.web.route.url)/";
    assert!(plan.contains(words) && !plan.contains("${"), "{plan}");
}

#[test]
fn a_selection_that_matches_nothing_is_a_mistake() {
    let context = TestContext::with_notes(FINE);
    let plan = context.run(&["plan", "--target", "resources.b"]).code(64);
    assert!(
        plan.err.contains("did you mean `resources.a`?"),
        "{}",
        plan.all()
    );
    let plan = context.run(&["plan", "--exclude", "*"]).code(64);
    assert!(plan.err.contains("did you mean `**`?"), "{}", plan.all());
    context.run(&["plan", "--target", "resources.*"]).code(0);
}

#[test]
fn a_stale_plan_says_so_and_has_a_page() {
    let context = TestContext::with_notes(FINE);
    context.run(&["plan", "-o", "p.fplan"]).code(0);
    context.run(&["apply", "--yes"]).code(0);
    let stale = context.run(&["apply", "p.fplan"]).code(1);
    assert!(
        stale.err.contains("fabrik explain FAB3001"),
        "{}",
        stale.all()
    );
    let page = context.run(&["explain", "FAB3001"]).code(0);
    assert!(page.out.contains("fabrik history"), "{}", page.all());
    let widest = page.out.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{}", page.all());
}

#[test]
fn replacing_what_did_not_change_shows_no_changes() {
    let context = TestContext::with_notes(FINE);
    context.run(&["apply", "--yes"]).code(0);
    let plan = context.run(&["plan", "--replace", "resources.a"]).code(0);
    assert!(
        plan.out.contains("1 replace") && !plan.out.contains(" + name"),
        "{}",
        plan.all()
    );
}

#[test]
fn every_line_of_json_has_a_message() {
    let context = TestContext::with_notes(FINE);
    let ran = context.run(&["apply", "--yes", "--json"]).code(0);
    for line in ran.out.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string(), "{line}");
    }
    let help = context.run(&["graph", "--format", "dot"]).code(64);
    assert!(help.err.contains("fabrik graph --as dot"), "{}", help.all());
}
