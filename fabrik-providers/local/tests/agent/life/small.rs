//! `local.bucket`, `local.monitor` and `local.dns_name`.

use std::fs;
use std::time::Duration;

use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::value::Value;
use serde_json::json;

use super::{Stage, actions, apply, failed, refer, resource, route, server, stack, with};

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_lives() {
    let stage = Stage::new();
    let mut wanted = stack([resource("media", "local.bucket", &json!({"name": "media"}))]);
    wanted.output("path", refer("media", "path"));
    wanted.output("endpoint", refer("media", "endpoint"));
    let report = stage.settle(&wanted).await;
    let path = report.output("path").unwrap().as_str().unwrap().to_owned();
    let endpoint = format!("file://{path}");
    assert_eq!(
        report.output("endpoint").unwrap().as_str(),
        Some(endpoint.as_str())
    );
    fs::write(format!("{path}/object"), "x").unwrap();
    assert!(stage.plan(&wanted).await.is_empty());
    let report = apply(&stage.other(), &wanted, Vec::new()).await;
    assert_eq!(failed(&report).unwrap_err().kind(), ErrorKind::Conflict);
    stage.destroy(&wanted).await;
    assert!(!fs::exists(path).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_looks() {
    let stage = Stage::new();
    let monitor = |path: &str| {
        let declared = resource(
            "up",
            "local.monitor",
            &json!({"name": "up", "interval": "100ms"}),
        );
        with(declared, "url", Value::from(path))
    };
    stage
        .settle(&stack([server("api", "1"), route("way", "api", "service")]))
        .await;
    let port = stage.agent().status().await.unwrap().listen[0].port();
    let wanted = |path: &str| {
        let url = format!("http://api.localhost:{port}{path}");
        stack([
            server("api", "1"),
            route("way", "api", "service"),
            monitor(&url),
        ])
    };
    stage.settle(&wanted("/health")).await;
    let seen = async |up: bool| {
        let until_seen = async {
            loop {
                let monitor = stage.agent().monitor("up").await.unwrap().unwrap();
                if monitor.last.as_ref().is_some_and(|last| last.up == up) {
                    return monitor;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::world::PATIENCE, until_seen)
            .await
            .unwrap()
    };
    let monitor = seen(true).await;
    assert!(monitor.checks > 0 && monitor.failures == 0 && monitor.since.is_some());
    assert_eq!(
        actions(&stage.plan(&wanted("/nowhere")).await),
        [("up".into(), Action::Update)]
    );
    stage.settle(&wanted("/nowhere")).await;
    let monitor = seen(false).await;
    assert!(monitor.failures > 0);
    assert!(monitor.last.unwrap().seen.contains("404"));
    // What was seen outlives the agent.
    stage.kill_agent().await;
    let stored = fabrik_provider_local::stored_status(&stage.state_dir()).unwrap();
    assert!(stored.monitors[0].failures > 0);
    stage.destroy(&stack([])).await;
    assert!(stage.agent().status().await.unwrap().monitors.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_lives() {
    let stage = Stage::new();
    let name = |name: &str, target: &str| {
        resource(
            "name",
            "local.dns_name",
            &json!({"name": name, "target": target}),
        )
    };
    let mut wanted = stack([name("Shop.localhost.", "127.0.0.1")]);
    wanted.output("address", refer("name", "address"));
    let report = stage.settle(&wanted).await;
    assert_eq!(
        report.output("address").unwrap().as_str(),
        Some("127.0.0.1")
    );
    stage
        .settle(&stack([name("shop.localhost", "elsewhere")]))
        .await;
    assert_eq!(
        stage.agent().status().await.unwrap().names[0].target,
        "elsewhere"
    );
    let plan = stage.plan(&stack([name("shop.test", "x")])).await;
    assert!(plan.findings.iter().any(|found| found.finding.blocking));
    stage.destroy(&stack([])).await;
    assert!(stage.agent().status().await.unwrap().names.is_empty());
}
