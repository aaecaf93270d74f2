//! What is refused before anything is done, and schemas.

use fabrik_core::provider::{Cx, Lost, Provider as _};
use fabrik_core::value::Value;
use fabrik_provider_local::{AgentLaunch, LocalSettings, provider};
use serde_json::{Value as Json, json};

use super::{Stage, resource, stack};

fn nowhere() -> impl fabrik_core::provider::Provider {
    provider(LocalSettings::new(
        "/nonexistent/state",
        "/nonexistent",
        |dir, _| AgentLaunch::new("/nonexistent/program", dir),
    ))
}

/// Every field of every schema has a description.
fn described(schema: &Json, at: &str) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        assert!(
            field.get("description").is_some(),
            "{at} has no description"
        );
        described(field, &at);
    }
    for (name, part) in schema["$defs"].as_object().into_iter().flatten() {
        described(part, &format!("{at}:{name}"));
    }
}

#[test]
fn schemas_tell_everything() {
    let provider = nowhere();
    let info = provider.info();
    described(&info.config, "config");
    let names: Vec<&str> = info.types.iter().map(|info| &*info.name).collect();
    assert_eq!(
        names,
        [
            "local.file",
            "local.static_site",
            "local.service",
            "local.route",
            "local.bucket",
            "local.monitor",
            "local.dns_name",
            "local.cron",
            "local.database",
            "local.backup",
        ]
    );
    for info in &info.types {
        described(&info.schema, &info.name);
        described(&info.outputs, &info.name);
        assert_eq!(
            info.schema["additionalProperties"],
            json!(false),
            "{}",
            info.name
        );
        assert!(
            info.settle.is_zero() && info.lost != Lost::None && info.exclusive,
            "{}",
            info.name
        );
        assert!(!info.description.is_empty());
    }
}

#[tokio::test]
async fn unknown_configuration_is_refused() {
    let cx = Cx::detached();
    let config = Value::map([("ports", Value::from(1_i64))]);
    assert!(nowhere().open(&cx, &config).await.is_err());
    let config = Value::map([
        ("port", Value::from(9000_i64)),
        ("state_dir", Value::from("x")),
    ]);
    assert!(nowhere().open(&cx, &config).await.is_ok());
}

#[tokio::test]
async fn mistakes_are_found_by_the_plan() {
    let stage = Stage::new();
    for (type_name, inputs, field) in [
        ("local.file", json!({"path": "../x", "content": ""}), "path"),
        (
            "local.file",
            json!({"path": "x", "content": "", "mode": "9"}),
            "mode",
        ),
        ("local.route", json!({"host": "a.localhost"}), "service"),
        (
            "local.route",
            json!({"host": "a.localhost", "service": "a", "site": "b"}),
            "site",
        ),
        (
            "local.dns_name",
            json!({"name": "a.test", "target": "x"}),
            "name",
        ),
        (
            "local.service",
            json!({"name": "a", "command": "x", "running": false}),
            "running",
        ),
        (
            "local.backup",
            json!({"name": "a", "schedule": "0 3 * * *"}),
            "database",
        ),
        (
            "local.backup",
            json!({"name": "a", "schedule": "0 3 * * *", "database": "a", "folders": ["b"]}),
            "folders",
        ),
    ] {
        let plan = stage
            .plan(&stack([resource("it", type_name, &inputs)]))
            .await;
        let found = plan.findings.iter().find(|found| found.finding.blocking);
        let found = found.unwrap_or_else(|| panic!("{type_name} {inputs}"));
        assert_eq!(found.finding.field.as_ref().unwrap().to_string(), field);
    }
    // What may yet come is only pointed out.
    let early = resource(
        "it",
        "local.static_site",
        &json!({"name": "a", "source": "later"}),
    );
    let plan = stage.plan(&stack([early])).await;
    assert!(!plan.findings[0].finding.blocking);
}
