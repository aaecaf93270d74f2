//! What only a process of its own can show: signals, the exit code, the start.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::context::TestContext;

const SLOW: &str = "  - { id: a, type: demo.note, spec: { name: a, trouble: slow } }\n";

/// Starts an apply and returns once its slow step is in flight.
pub(crate) fn slow_apply(
    context: &TestContext,
) -> (std::process::Child, BufReader<std::process::ChildStdout>) {
    let mut child = context
        .process(&["apply", "--yes", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    loop {
        line.clear();
        let read = lines.read_line(&mut line).unwrap();
        assert!(read > 0, "ended early");
        if line.contains("writing slowly") {
            return (child, lines);
        }
    }
}

fn signal(child: &std::process::Child, name: &str) {
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args([&format!("-{name}"), &pid])
        .status()
        .unwrap();
    assert!(sent.success());
}

#[test]
fn code_130_interrupted_twice_is_now() {
    let context = TestContext::with_notes(SLOW);
    let (mut child, mut lines) = slow_apply(&context);
    signal(&child, "INT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(
        child.try_wait().unwrap().is_none(),
        "what is in flight is waited for"
    );
    signal(&child, "INT");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest}");
}

#[test]
fn version_is_quick() {
    let context = TestContext::new();
    let best = (0..20)
        .map(|_| {
            let begun = Instant::now();
            let output = context.process(&["--version"]).output().unwrap();
            assert!(output.status.success());
            begun.elapsed()
        })
        .min()
        .unwrap();
    // The bar is 10 ms for a release build.
    assert!(best < Duration::from_millis(60), "{best:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let context = TestContext::new();
    let mut child = context
        .process(&["docs", "env"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_panic_of_a_provider_is_said_in_words() {
    let spec = "  - { id: a, type: demo.note, spec: { name: a, trouble: panic } }\n";
    let context = TestContext::with_notes(spec);
    let output = context.process(&["apply", "--yes"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("the provider panicked"), "{text}");
    assert!(!text.contains("RUST_BACKTRACE"), "{text}");
}

#[test]
fn first_applies_at_once_take_turns() {
    let note = "  - { id: a, type: demo.note, spec: { name: a, password: \"${secrets.PW}\" } }\n";
    let context = TestContext::with_notes(note);
    let spec = std::fs::read_to_string(context.dir().join("fabrik.yaml")).unwrap();
    let spec = format!("{spec}secrets: {{ PW: {{ generate: 32 }} }}\n");
    context.write("fabrik.yaml", &spec);
    let all: Vec<std::process::Child> = (0..8)
        .map(|_| {
            context
                .process(&["apply", "--yes", "--lock-timeout", "60s"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
    }
    context.run(&["plan", "--detailed-exitcode"]).code(0);
}
