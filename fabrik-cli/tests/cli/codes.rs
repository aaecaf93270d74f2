//! One test for each exit code.

use std::sync::Arc;

use fabrik_cli::App;
use fabrik_core::error::Result;
use fabrik_core::role::{Component, ComponentCx, ComponentOut};
use fabrik_core::state::{Holder, LeaseAnswer, SqliteStore, StateStore as _};
use fabrik_core::value::Value;

use crate::context::TestContext;
use crate::provider;

const ONE: &str = "  - { id: a, type: demo.note, spec: { name: a, text: hello } }\n";

#[test]
fn code_0_done_and_nothing_to_do() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    let again = context.run(&["apply", "--yes"]).code(0);
    assert!(again.err.contains("No changes"), "{}", again.all());
}

#[test]
fn code_1_not_allowed_and_declined() {
    let context = TestContext::with_notes(ONE);
    let refused = context.run(&["apply"]).code(1);
    assert!(refused.err.contains("--yes"), "{}", refused.all());
    let context = TestContext {
        input: Some("n\n".to_owned()),
        ..context
    };
    context.run(&["apply"]).code(1);
    assert_eq!(context.note("a"), None);
}

#[test]
fn code_2_changes_only_when_asked_for() {
    let context = TestContext::with_notes(ONE);
    context.run(&["plan"]).code(0);
    context.run(&["plan", "--detailed-exitcode"]).code(2);
    context.run(&["status", "--check"]).code(2);
    context.run(&["apply", "--yes"]).code(0);
    context.run(&["plan", "--detailed-exitcode"]).code(0);
    context.run(&["status", "--check"]).code(0);
}

#[test]
fn code_3_a_check_failed_and_is_kept() {
    let context = TestContext::with_notes(ONE);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    let verify = "verify:\n  - { tcp: \"127.0.0.1:1\", within: 1s, interval: 100ms }\n";
    context.write("fabrik.yaml", &(spec + verify));
    context
        .run(&["apply", "--yes", "--on-failure", "keep"])
        .code(3);
    assert!(context.note("a").is_some(), "kept");
}

#[test]
fn code_4_credentials() {
    let context = TestContext::with_notes(ONE);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &spec.replace("demo: {", "demo: { token: bad,"),
    );
    let ran = context.run(&["plan"]).code(4);
    assert!(ran.err.contains("DEMO_TOKEN"), "{}", ran.all());
}

#[test]
fn code_5_locked() {
    let context = TestContext::with_notes(ONE);
    context.run(&["apply", "--yes"]).code(0);
    let state = context.dir().join(".fabrik/state.db");
    let other = Holder {
        who: "ben".into(),
        host: "elsewhere".into(),
        pid: 7,
        process: String::new(),
        command: "fabrik apply".into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(&state, "shop", "default").unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let answer = store.lease(&other, now, None).await.unwrap();
        assert!(matches!(answer, LeaseAnswer::Granted(_)));
    });
    context.notes(&ONE.replace("hello", "bye"));
    let ran = context.run(&["apply", "--yes"]).code(5);
    assert!(ran.err.contains("ben"), "{}", ran.all());
    let status = context.run(&["status"]).code(0);
    assert!(status.out.contains("ben on elsewhere"), "{}", status.all());
    context.run(&["state", "unlock", "--yes"]).code(0);
    context.run(&["apply", "--yes"]).code(0);
}

#[test]
fn code_6_rolled_back() {
    let bad =
        "  - { id: b, type: demo.note, depends_on: [a], spec: { name: b, trouble: refused } }\n";
    let context = TestContext::with_notes(&format!("{ONE}{bad}"));
    let ran = context.run(&["apply", "--yes"]).code(6);
    assert!(ran.err.contains("refuses"), "{}", ran.all());
    assert_eq!(context.note("a"), None, "taken back");
}

#[test]
fn code_7_stuck() {
    let stuck = "  - { id: a, type: demo.note, spec: { name: a, trouble: keep } }\n";
    let bad =
        "  - { id: b, type: demo.note, depends_on: [a], spec: { name: b, trouble: refused } }\n";
    let context = TestContext::with_notes(&format!("{stuck}{bad}"));
    context.run(&["apply", "--yes"]).code(7);
    assert!(context.note("a").is_some());
}

#[test]
fn code_64_usage() {
    let context = TestContext::with_notes(ONE);
    context.run(&["aply"]).code(64);
    context.run(&["plan", "--nonsense"]).code(64);
    context.run(&["plan", "--var", "novalue"]).code(64);
    let ran = context
        .run(&["apply", "-s", "TOKEN=canary-canary"])
        .code(64);
    assert!(!ran.all().contains("canary-canary"), "{}", ran.all());
    context.run(&["-C", "/nowhere", "plan"]).code(64);
}

#[test]
fn code_65_invalid_spec() {
    let context = TestContext::with_spec("fabrik: 1\nid: shop\nprot: 1\n");
    context.run(&["validate"]).code(65);
    context.run(&["plan"]).code(65);
    TestContext::new().run(&["plan"]).code(65);
}

#[test]
fn code_69_unreachable() {
    let context = TestContext::with_notes(ONE);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    context.write(
        "fabrik.yaml",
        &spec.replace("demo: {", "demo: { token: far,"),
    );
    context.run(&["plan"]).code(69);
}

struct Broken;
impl Component for Broken {
    fn kind(&self) -> &'static str {
        "broken"
    }
    fn schema(&self) -> serde_json::Value {
        serde_json::json!({"type": "object"})
    }
    fn expand(&self, _: &Value, _: &mut dyn ComponentCx) -> Result<ComponentOut> {
        panic!("this kind has a bug")
    }
}

#[test]
fn code_70_internal_error() {
    let context = TestContext::with_spec("fabrik: 1\nid: shop\napps:\n  a: { kind: broken }\n");
    let app = App::bare()
        .provider(provider::demo())
        .component(Arc::new(Broken));
    let ran = context.run_app(&app, &["plan"]).code(70);
    assert!(
        ran.err.contains("internal error: this kind has a bug"),
        "{}",
        ran.all()
    );
    assert!(ran.err.contains("report"), "{}", ran.all());
}
