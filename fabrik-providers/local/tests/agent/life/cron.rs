//! `local.cron` and the kind cron.

use fabrik_core::provider::LogOptions;
use fabrik_provider_local::RuntimePlayer;
use serde_json::json;

use super::roles::{expand, shown};
use super::{Stage, at, resource, stack};

#[test]
fn an_app_of_kind_cron_is_a_job() {
    let intent = json!({
        "kind": "cron", "name": "nightly", "source": {"path": "./jobs"}, "command": "python3 report.py",
        "build": {"install": "pip install -r requirements.txt"},
        "schedule": "0 3 * * *", "timezone": "Europe/Berlin", "env": {"A": "1"},
        "volumes": [{"source": "/srv/data", "path": "/srv/data"}],
    });
    let (parts, outputs) = expand(&RuntimePlayer, &intent, &json!({"ignore": ["out"]})).unwrap();
    assert_eq!(
        shown(&parts),
        json!([["apps.shop.cron", "local.cron", {
            "name": "nightly", "command": "python3 report.py", "dir": "./jobs",
            "schedule": "0 3 * * *", "timezone": "Europe/Berlin", "env": {"A": "1"},
            "prepare": ["pip install -r requirements.txt"], "watch": true, "ignore": ["out"],
        }]])
    );
    assert!(outputs.get("url").is_none());
    assert_eq!(
        outputs.get("logs").unwrap().as_str(),
        Some("apps.shop.cron")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_made_changed_run_and_removed() {
    let stage = Stage::new();
    stage.write("jobs/VERSION", "1");
    let wanted = |line: &str| {
        let inputs = json!({
            "name": "nightly", "command": line, "dir": "jobs", "schedule": "0 3 * * *",
            "timezone": "Europe/Berlin", "env": {"GREETING": "hello"},
            "prepare": ["cp VERSION built.log"], "watch": true,
        });
        stack([resource("nightly", "local.cron", &inputs)])
    };
    let first = wanted("echo $GREETING from $(cat built.log)");
    stage.settle(&first).await;
    assert!(stage.agent().run_job("nightly").await.unwrap().success);
    // A changed file is built anew, and what became of runs stays.
    stage.write("jobs/VERSION", "2");
    let report = stage.settle(&first).await;
    assert_eq!(report.end.updated, 1);
    stage.agent().run_job("nightly").await.unwrap();
    let options = LogOptions::default();
    let logs = stage
        .engine
        .logs(std::sync::Arc::new(first.clone()), &at("nightly"), &options)
        .await;
    let lines: Vec<(String, String)> = logs
        .unwrap()
        .into_iter()
        .map(|line| (line.stream, line.text))
        .collect();
    for (run, says) in [("run 1", "hello from 1"), ("run 2", "hello from 2")] {
        assert!(
            lines.contains(&(run.to_owned(), says.to_owned())),
            "{lines:?}"
        );
    }
    stage.settle(&wanted("exit 4")).await;
    let run = stage.agent().run_job("nightly").await.unwrap();
    assert_eq!(
        (run.number, run.text.as_str()),
        (3, "ended with exit code 4")
    );
    stage.destroy(&first).await;
    crate::world::until("nothing is left", || {
        stage.processes().is_empty() && !stage.state_dir().exists()
    })
    .await;
}
