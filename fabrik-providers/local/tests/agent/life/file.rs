//! `local.file`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use serde_json::json;

use super::{Stage, actions, adopting, apply, at, refer, resource, stack, with};

fn file(content: &str) -> fabrik_core::stack::Declared {
    resource(
        "conf",
        "local.file",
        &json!({"path": "etc/app/app.conf", "content": content}),
    )
}

#[tokio::test]
async fn a_file_lives() {
    let stage = Stage::new();
    let path = stage.project().join("etc/app/app.conf");
    let mut wanted = stack([file("one")]);
    wanted.output("sha", refer("conf", "sha256"));
    wanted.output("path", refer("conf", "absolute_path"));
    let report = stage.settle(&wanted).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(report.output("path").unwrap().as_str(), path.to_str());
    assert_eq!(report.output("sha").unwrap().as_str().unwrap().len(), 64);
    // Drift is seen and put back.
    fs::write(&path, "changed").unwrap();
    let plan = stage.plan(&wanted).await;
    assert_eq!(actions(&plan), [("conf".into(), Action::Update)]);
    stage.settle(&wanted).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    stage.settle(&stack([file("two")])).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "two");
    let moved = with(file("two"), "path", Value::from("app.conf"));
    stage.settle(&stack([moved])).await;
    assert!(!stage.project().join("etc").exists());
    stage.destroy(&stack([])).await;
    assert_eq!(fs::read_dir(stage.project()).unwrap().count(), 0);
    assert!(!stage.state_dir().exists(), "no agent was needed");
    assert!(stage.processes().is_empty());
}

/// What a plan shows of a reference is what is sent: nothing has one value before and another after.
#[tokio::test]
async fn references_to_its_path_are_planned_as_they_come_out() {
    let stage = Stage::new();
    let user = |id: &str, path: &str| {
        let inputs = json!({"path": id});
        let declared = resource(id, "local.file", &inputs);
        with(declared, "content", refer("conf", path))
    };
    let wanted = stack([
        file("one"),
        user("relative", "path"),
        user("absolute", "absolute_path"),
    ]);
    let plan = stage.plan(&wanted).await;
    let content = |id: &str| {
        let change = plan.changes.iter().find(|change| change.address == at(id));
        let mut diff = change.unwrap().diff.iter();
        let content = diff.find(|diff| diff.path.to_string() == "content");
        content.unwrap().after.clone()
    };
    assert_eq!(content("relative").as_str(), Some("etc/app/app.conf"));
    assert!(content("absolute").has_unknown());

    stage.settle(&wanted).await;
    let text = |id: &str| fs::read_to_string(stage.project().join(id)).unwrap();
    assert_eq!(text("relative"), "etc/app/app.conf");
    let path = stage.project().join("etc/app/app.conf");
    assert_eq!(text("absolute"), path.display().to_string());
    stage.destroy(&stack([])).await;
}

#[tokio::test]
async fn a_secret_is_for_its_owner_alone() {
    let stage = Stage::new();
    let secret = with(file(""), "content", Value::secret("hunter2-hunter2"));
    stage.settle(&stack([secret])).await;
    let mode = stage
        .project()
        .join("etc/app/app.conf")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_failed_run_puts_the_file_back() {
    let stage = Stage::new();
    let path = stage.project().join("etc/app/app.conf");
    let after = |content| {
        let second = resource(
            "other",
            "local.file",
            &json!({"path": "other", "content": content}),
        );
        with(second, "content", refer("conf", "sha256"))
    };
    stage.settle(&stack([file("one"), after("")])).await;
    let other = fs::read_to_string(stage.project().join("other")).unwrap();
    let fault = Fault::FailStep {
        address: at("other"),
        verb: None,
        kind: ErrorKind::Io,
    };
    let report = apply(&stage.engine, &stack([file("two"), after("")]), vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "one");
    assert_eq!(
        fs::read_to_string(stage.project().join("other")).unwrap(),
        other
    );
    assert!(
        stage
            .plan(&stack([file("one"), after("")]))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn what_others_made_is_not_overwritten() {
    let stage = Stage::new();
    stage.write("etc/app/app.conf", "theirs");
    let plan = stage.plan(&stack([file("mine")])).await;
    assert!(
        plan.findings.iter().any(|found| found.finding.blocking),
        "{:?}",
        plan.findings
    );
    // Taken over only when asked.
    let path = stage.project().join("etc/app/app.conf");
    let adopted = stack([adopting(file("mine"))]);
    stage.settle(&adopted).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn a_lost_reply_and_a_repeated_call_make_one_file() {
    for fault in [
        Fault::LoseReply {
            address: at("conf"),
        },
        Fault::RepeatStep {
            address: at("conf"),
        },
    ] {
        let stage = Stage::new();
        let report = apply(&stage.engine, &stack([file("one")]), vec![fault]).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        assert!(stage.plan(&stack([file("one")])).await.is_empty());
    }
}
