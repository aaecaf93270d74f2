//! `local.service`.

use fabrik_core::engine::Fault;
use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::plan::Action;
use fabrik_core::provider::{Cx, LogOptions, Provider as _};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;

use super::{Stage, actions, apply, at, failed, refer, request, route, server, stack, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_lives() {
    let stage = Stage::new();
    let api = |version: &str| {
        let token = Value::secret("very-secret-token");
        with(server("api", version), "env.TOKEN", token)
    };
    let mut wanted = stack([api("1"), route("way", "api", "service")]);
    wanted.output("url", refer("api", "url"));
    let report = stage.settle(&wanted).await;
    assert!(
        report
            .output("url")
            .unwrap()
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert_eq!(stage.get("api.localhost", "/version").await.body, "1");
    let first = stage
        .agent()
        .service("api")
        .await
        .unwrap()
        .unwrap()
        .live
        .unwrap();
    let plan = stage
        .plan(&stack([api("2"), route("way", "api", "service")]))
        .await;
    assert_eq!(actions(&plan), [("api".into(), Action::Update)]);
    assert!(!format!("{:?}", plan.changes).contains("very-secret-token"));
    stage
        .settle(&stack([api("2"), route("way", "api", "service")]))
        .await;
    assert_eq!(stage.get("api.localhost", "/version").await.body, "2");
    let live = stage
        .agent()
        .service("api")
        .await
        .unwrap()
        .unwrap()
        .live
        .unwrap();
    assert_eq!(live.number, first.number + 1);
    stage.destroy(&stack([])).await;
    let status = stage.agent().status().await.unwrap();
    assert!(status.services.is_empty() && status.routes.is_empty());
    assert_eq!(stage.processes().len(), 1, "the agent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_version_is_explained_and_the_old_one_goes_on() {
    let stage = Stage::new();
    stage
        .settle(&stack([server("api", "1"), route("way", "api", "service")]))
        .await;
    let sick = with(server("api", "2"), "health.deadline", Value::from("2s"));
    let sick = with(sick, "env.WRONG_PORT", Value::from("1"));
    let report = apply(
        &stage.engine,
        &stack([sick, route("way", "api", "service")]),
        Vec::new(),
    )
    .await;
    let error = failed(&report).unwrap_err();
    assert_eq!(
        (error.kind(), error.effect_of()),
        (ErrorKind::CheckFailed, Effect::None)
    );
    assert!(
        error
            .log_lines()
            .iter()
            .any(|line| line.contains("listens on")),
        "{error:?}"
    );
    let hint = error.hint_text().unwrap();
    assert!(hint.contains("but `PORT` is"), "{hint}");
    assert_eq!(stage.get("api.localhost", "/version").await.body, "1");
    let before = stack([server("api", "1"), route("way", "api", "service")]);
    assert!(stage.plan(&before).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_deploys_the_former_version_again() {
    let stage = Stage::new();
    let stack_of = |version: &str| {
        let after = with(server("after", "1"), "env.URL", refer("api", "url"));
        stack([
            server("api", version),
            after,
            route("way", "api", "service"),
        ])
    };
    stage.settle(&stack_of("1")).await;
    let fault = Fault::FailStep {
        address: at("after"),
        verb: None,
        kind: ErrorKind::Io,
    };
    let report = apply(&stage.engine, &stack_of("2"), vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(stage.get("api.localhost", "/version").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_makes_one_generation() {
    for fault in [
        Fault::LoseReply { address: at("api") },
        Fault::RepeatStep { address: at("api") },
    ] {
        let stage = Stage::new();
        let report = apply(&stage.engine, &stack([server("api", "1")]), vec![fault]).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        let live = stage
            .agent()
            .service("api")
            .await
            .unwrap()
            .unwrap()
            .live
            .unwrap();
        assert_eq!(live.number, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watched_files_start_a_new_version() {
    let stage = Stage::new();
    stage.write("app/main", "1");
    let watched = with(server("api", "1"), "dir", Value::from("./app"));
    let wanted = stack([with(watched, "watch", Value::from(true))]);
    stage.settle(&wanted).await;
    stage.write("app/main.log", "noise");
    assert!(stage.plan(&wanted).await.is_empty());
    stage.write("app/main", "2");
    assert_eq!(
        actions(&stage.plan(&wanted).await),
        [("api".into(), Action::Update)]
    );
    stage.settle(&wanted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_of_the_agent_the_next_apply_takes_the_process_up() {
    let stage = Stage::new();
    let wanted = stack([server("api", "1"), route("way", "api", "service")]);
    stage.settle(&wanted).await;
    stage.kill_agent().await;
    assert_eq!(stage.processes().len(), 1, "the process goes on");
    assert_eq!(
        actions(&stage.plan(&wanted).await),
        [("api".into(), Action::Update)]
    );
    stage.settle(&wanted).await;
    assert_eq!(stage.get("api.localhost", "/version").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_read_and_followed() {
    let stage = Stage::new();
    let secret = with(
        server("api", "1"),
        "env.VERSION",
        Value::secret("very-secret-version"),
    );
    stage.settle(&stack([secret.clone()])).await;
    let settings =
        fabrik_provider_local::LocalSettings::new(stage.state_dir(), stage.project(), |dir, _| {
            fabrik_provider_local::AgentLaunch::new("/nonexistent", dir)
        });
    let instance = fabrik_provider_local::provider(settings)
        .open(&Cx::detached(), &Value::map::<&str>([]))
        .await
        .unwrap();
    let ask = request(&secret, "api");
    let options = LogOptions {
        tail: Some(5),
        after: None,
    };
    for running in [true, false] {
        if !running {
            stage.kill_agent().await;
        }
        let lines = instance
            .logs(&Cx::detached(), &ask, &options)
            .await
            .unwrap();
        let line = lines
            .iter()
            .find(|line| line.text.contains("listens on"))
            .unwrap();
        assert!(line.text.contains("version ***"), "{}", line.text);
        assert_eq!(line.stream, "1/0");
        let newer = LogOptions {
            tail: None,
            after: Some(line.cursor.clone()),
        };
        let lines = instance.logs(&Cx::detached(), &ask, &newer).await.unwrap();
        assert!(lines.is_empty(), "{lines:?}");
    }
}
