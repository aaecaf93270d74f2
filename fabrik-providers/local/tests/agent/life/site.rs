//! `local.static_site` and `local.route`.

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::stack::Declared;
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use serde_json::json;

use super::{Stage, actions, apply, at, refer, resource, route, stack, with};

fn site() -> Declared {
    resource(
        "www",
        "local.static_site",
        &json!({
            "name": "www",
            "source": "./site",
            "not_found": "/oops.html",
            "headers": {"/*": {"X-Frame-Options": "DENY"}},
        }),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_lives() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    stage.write("site/oops.html", "not here");
    let mut wanted = stack([site(), route("way", "www", "site")]);
    wanted.output("url", refer("way", "url"));
    let plan = stage.plan(&wanted).await;
    assert_eq!(plan.changes.len(), 2);
    assert!(
        stage.processes().is_empty() && !stage.state_dir().exists(),
        "a plan starts nothing"
    );
    let report = stage.settle(&wanted).await;
    let port = stage.agent().status().await.unwrap().listen[0].port();
    let url = format!("http://www.localhost:{port}");
    assert_eq!(report.output("url").unwrap().as_str(), Some(url.as_str()));
    let reply = stage.get("www.localhost", "/").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "one"));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    let reply = stage.get("www.localhost", "/nowhere").await;
    assert_eq!((reply.status, reply.body.as_str()), (404, "not here"));
    // A changed folder is a change of the site and of nothing else.
    stage.write("site/index.html", "two");
    let plan = stage.plan(&wanted).await;
    assert_eq!(actions(&plan), [("www".into(), Action::Update)]);
    assert_eq!(stage.get("www.localhost", "/").await.body, "one");
    stage.settle(&wanted).await;
    assert_eq!(stage.get("www.localhost", "/").await.body, "two");
    stage.destroy(&wanted).await;
    let status = stage.agent().status().await.unwrap();
    assert!(status.sites.is_empty() && status.routes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_serves_the_former_content_again() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    let after = || {
        let file = resource("after", "local.file", &json!({"path": "after"}));
        with(file, "content", refer("www", "hash"))
    };
    stage
        .settle(&stack([site(), route("way", "www", "site"), after()]))
        .await;
    stage.write("site/index.html", "two");
    let fault = Fault::FailStep {
        address: at("after"),
        verb: None,
        kind: ErrorKind::Io,
    };
    let wanted = stack([site(), route("way", "www", "site"), after()]);
    let report = apply(&stage.engine, &wanted, vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(stage.get("www.localhost", "/").await.body, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_ended_is_noticed_and_started_again() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    let mut wanted = stack([site(), route("way", "www", "site")]);
    wanted.output("url", refer("way", "url"));
    stage.settle(&wanted).await;
    stage.kill_agent().await;
    let plan = stage.plan(&wanted).await;
    assert_eq!(actions(&plan), [("www".into(), Action::Update)]);
    assert!(
        plan.outputs.is_empty(),
        "the address stays: {:?}",
        plan.outputs
    );
    assert!(stage.processes().is_empty(), "a plan starts nothing");
    stage.settle(&wanted).await;
    assert_eq!(stage.get("www.localhost", "/").await.body, "one");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_routes_cannot_have_one_host() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    let below = with(route("below", "www", "site"), "path", Value::from("/docs/"));
    let wanted = stack([site(), route("way", "www", "site"), below]);
    stage.settle(&wanted).await;
    assert_eq!(stage.get("www.localhost", "/").await.status, 200);
    // Of another stack.
    let theirs = with(route("theirs", "www", "site"), "site", Value::from("www"));
    let report = apply(&stage.other(), &stack([theirs]), Vec::new()).await;
    let error = super::failed(&report).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error:?}");
    assert_eq!(stage.agent().status().await.unwrap().routes.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_of_another_stack_is_left_alone() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    stage.settle(&stack([site()])).await;
    let other = stage.other();
    let plan = super::plan(&other, &stack([site()])).await;
    assert!(!plan.findings.is_empty());
    let report = apply(&other, &stack([site()]), Vec::new()).await;
    assert_eq!(
        super::failed(&report).unwrap_err().kind(),
        ErrorKind::Conflict
    );
    assert_eq!(stage.agent().status().await.unwrap().sites.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_create_makes_one_site() {
    for fault in [
        Fault::LoseReply { address: at("www") },
        Fault::RepeatStep { address: at("www") },
    ] {
        let stage = Stage::new();
        stage.write("site/index.html", "one");
        let report = apply(&stage.engine, &stack([site()]), vec![fault]).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        assert!(stage.plan(&stack([site()])).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_goes_back_to_content_that_only_the_plan_knew() {
    let stage = Stage::new();
    stage.write("site/index.html", "one");
    let first = || {
        resource(
            "first",
            "local.file",
            &json!({"path": "first", "content": "x"}),
        )
    };
    let site = || with(site(), "headers[\"/*\"].X-A", refer("first", "sha256"));
    let after = || {
        let file = resource("after", "local.file", &json!({"path": "after"}));
        with(file, "content", refer("www", "hash"))
    };
    stage
        .settle(&stack([
            first(),
            site(),
            route("way", "www", "site"),
            after(),
        ]))
        .await;
    stage.write("site/index.html", "two");
    let fault = Fault::FailStep {
        address: at("after"),
        verb: None,
        kind: ErrorKind::Io,
    };
    let wanted = stack([first(), site(), route("way", "www", "site"), after()]);
    let report = apply(&stage.engine, &wanted, vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(stage.get("www.localhost", "/").await.body, "one");
}
