//! Each mistake has its own error, with the fix, word by word.

use std::net::TcpListener;

use fabrik_core::error::ErrorKind;
use fabrik_core::state::RunResult;
use serde_json::{Value as Json, json};

use super::{Stage, resource, server, stack, with};

/// What a run says when the service `api` with these inputs fails: message, hint, log.
async fn said(stage: &Stage, inputs: &Json) -> (ErrorKind, String, String, Vec<String>) {
    let mut all = json!({"name": "api", "health": {"interval": "50ms", "deadline": "2s"}});
    let fields = all.as_object_mut().unwrap();
    fields.extend(inputs.as_object().unwrap().clone());
    let report = stage
        .apply(&stack([resource("api", "local.service", &all)]))
        .await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let error = report.end.error.unwrap();
    let status = stage.agent().status().await;
    assert!(
        status.is_err() || status.unwrap().services.is_empty(),
        "nothing is left"
    );
    (
        error.kind,
        error.message,
        error.hint.unwrap_or_default(),
        error.log_tail,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_somebody_has_is_said_with_whom() {
    let stage = Stage::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let name = std::fs::read_to_string("/proc/self/comm").unwrap();
    let (kind, message, hint, _) = said(&stage, &json!({"command": "x", "port": port})).await;
    assert_eq!(kind, ErrorKind::Conflict);
    // The process's name is that of its program, not of the thread that asks.
    let me = std::fs::read_to_string(format!("/proc/{}/comm", std::process::id())).unwrap();
    assert!(!name.is_empty());
    assert_eq!(
        message,
        format!(
            "port {port} is taken by `{}` (process {})",
            me.trim(),
            std::process::id()
        )
    );
    assert_eq!(
        hint,
        format!(
            "end what listens on {port}, or leave `port` out: a free one is chosen then and told in `PORT`"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_fails_shows_its_last_lines() {
    let stage = Stage::new();
    let build = "for n in $(seq 30); do echo line $n; done; echo no such module >&2; exit 2";
    let inputs = json!({"command": "x", "prepare": ["true", build]});
    let (kind, message, hint, log) = said(&stage, &inputs).await;
    assert_eq!(kind, ErrorKind::CheckFailed);
    assert_eq!(
        message,
        format!("`{build}` for `api` ended with exit code 2")
    );
    assert_eq!(
        hint,
        "run the command yourself in that folder; the version before keeps running"
    );
    assert_eq!(log.len(), 20);
    assert_eq!(log.last().unwrap(), "no such module");
    let inputs = json!({"command": "x", "prepare": [["no-such-tool", "build"]]});
    let (_, message, hint, _) = said(&stage, &inputs).await;
    assert_eq!(
        message,
        "`no-such-tool build` for `api` could not be run: the command `no-such-tool` was not found"
    );
    assert_eq!(
        hint,
        "install it, or name the program with its path; the agent looks in the `PATH` of who started it"
    );
    let inputs = json!({"command": "x", "prepare": ["no-such-tool build"]});
    let (_, message, hint, _) = said(&stage, &inputs).await;
    assert_eq!(
        message,
        "`no-such-tool build` for `api` ended with exit code 127 (a command was not found)"
    );
    assert!(
        hint.starts_with("install it, or name the program with its path"),
        "{hint}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_on_another_port_is_told_which_one() {
    let stage = Stage::new();
    let mut wanted = with(server("api", "1"), "env.WRONG_PORT", "1".into());
    wanted = with(wanted, "health.deadline", "2s".into());
    let report = stage.apply(&stack([wanted])).await;
    let error = report.end.error.unwrap();
    // The test server says where it listens.
    let line = error
        .log_tail
        .iter()
        .find(|line| line.contains("listens on"))
        .unwrap();
    let port = line.rsplit(':').next().unwrap();
    let hint = error.hint.unwrap();
    let (start, rest) = hint.split_once(", but `PORT` is ").unwrap();
    assert_eq!(start, format!("the process listens on {port}"));
    let (expected, rest) = rest.split_once(": ").unwrap();
    assert_eq!(
        rest,
        "make it listen on `PORT`, or set `port` to what it listens on"
    );
    assert_eq!(
        error.message,
        format!(
            "generation 1 of `api` did not become healthy: not within 2 s: nothing answers on port {expected}: Connection refused (os error 111)"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ends_at_once_shows_its_last_lines() {
    let stage = Stage::new();
    let inputs = json!({"command": "echo no database; exit 7"});
    let (kind, message, hint, log) = said(&stage, &inputs).await;
    assert_eq!(kind, ErrorKind::CheckFailed);
    assert_eq!(
        message,
        "generation 1 of `api` did not become healthy: its process ended with exit code 7"
    );
    assert_eq!(
        hint,
        "its last lines say why; the version before keeps running"
    );
    assert_eq!(log, ["no database", "[fabrik] ended with exit code 7"]);
    let (_, message, hint, _) = said(&stage, &json!({"command": "true"})).await;
    assert_eq!(
        message,
        "generation 1 of `api` did not become healthy: its process ended with exit code 0"
    );
    assert_eq!(
        hint,
        "it wrote nothing; a program must stay in the foreground: if it goes into the background by itself, tell it not to"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_not_there_is_named() {
    let stage = Stage::new();
    for (command, reason) in [
        (
            json!(["no-such-server", "-p"]),
            "could not start: the command `no-such-server` was not found",
        ),
        (
            json!(["./run"]),
            "could not start: there is no program `./run` in `DIR`",
        ),
        (
            json!(["./note"]),
            "could not start: `./note` may not be run: it is not marked as executable",
        ),
        (
            json!("no-such-server -p"),
            "its process ended with exit code 127 (a command was not found)",
        ),
        (
            json!("./note"),
            "its process ended with exit code 126 (a command may not be run)",
        ),
    ] {
        stage.write("note", "hello");
        let reason = reason.replace("DIR", &stage.project().display().to_string());
        let (_, message, hint, _) = said(&stage, &json!({"command": command})).await;
        assert_eq!(
            message,
            format!("generation 1 of `api` did not become healthy: {reason}")
        );
        let fix = if message.contains("may not be run") {
            "mark it as executable: `chmod +x`"
        } else {
            "install it, or name the program with its path; the agent looks in the `PATH` of who started it"
        };
        assert_eq!(hint, fix);
    }
    let inputs = json!({"command": "x", "dir": "nowhere"});
    let (kind, message, ..) = said(&stage, &inputs).await;
    assert_eq!(kind, ErrorKind::Invalid);
    let dir = stage.project().join("nowhere");
    assert_eq!(message, format!("there is no folder `{}`", dir.display()));
}
