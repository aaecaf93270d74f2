//! Applications with their variables and deployments.

use fabrik_core::state::RunResult;
use fabrik_fakes::coolify::Kind;
use serde_json::json;

use crate::world::{World, merge};

fn with_env_and_deployment(
    world: &World,
    image: &str,
    env: serde_json::Value,
) -> serde_json::Value {
    let mut resources = world.app(json!({"image": image}));
    merge(
        &mut resources,
        json!({
            "env": {"type": "coolify.env", "spec": {"application": "${resources.api.id}", "variables": env}},
            "deploy": {
                "type": "coolify.deployment",
                "spec": {"application": "${resources.api.id}"},
                "run_when_changed": ["resources.api", "resources.env"],
            },
        }),
    );
    resources
}

#[tokio::test]
async fn from_nothing_to_running_and_back() {
    let world = World::new("4.3.10");
    let first = with_env_and_deployment(
        &world,
        "ghcr.io/acme/api:1.5",
        json!({"LEVEL": "info", "PRICE": "5$"}),
    );
    world.settle(first.clone()).await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    let running = world.coolify.running(&api).expect("it runs");
    assert_eq!(running.image.as_deref(), Some("ghcr.io/acme/api:1.5"));
    assert_eq!(running.domains, ["https://api.example.com"]);
    assert_eq!(running.env["PRICE"], "5$");
    assert_eq!(world.coolify.deployments().len(), 1);

    // A new image is a new deployment of the same application.
    let second = with_env_and_deployment(
        &world,
        "ghcr.io/acme/api:1.6",
        json!({"LEVEL": "info", "PRICE": "5$"}),
    );
    world.settle(second).await;
    assert_eq!(
        world.coolify.uuids(Kind::Application),
        std::slice::from_ref(&api)
    );
    assert_eq!(
        world.coolify.running(&api).unwrap().image.as_deref(),
        Some("ghcr.io/acme/api:1.6")
    );

    // So is a changed variable.
    let third = with_env_and_deployment(&world, "ghcr.io/acme/api:1.6", json!({"LEVEL": "debug"}));
    world.settle(third.clone()).await;
    assert_eq!(world.coolify.deployments().len(), 3);
    let running = world.coolify.running(&api).unwrap();
    assert_eq!(running.env["LEVEL"], "debug");
    assert!(!running.env.contains_key("PRICE"));
    // The twin for previews went with it.
    assert!(
        world
            .coolify
            .variables(&api)
            .iter()
            .all(|(key, ..)| key != "PRICE")
    );

    world.stage.destroy(&world.load(third)).await.unwrap();
    assert_eq!(world.coolify.count(Kind::Application), 0);
    assert_eq!(world.coolify.count(Kind::Project), 0);
    assert!(world.coolify.destroyed_volumes().is_empty());
}

#[tokio::test]
async fn a_failed_deployment_shows_its_log_and_takes_the_change_back() {
    let world = World::new("4.3.10");
    let first = with_env_and_deployment(&world, "ghcr.io/acme/api:1.5", json!({"LEVEL": "info"}));
    world.settle(first.clone()).await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    world
        .coolify
        .fail_next_deployment(&api, &["Error: manifest unknown"]);
    let second = with_env_and_deployment(&world, "ghcr.io/acme/api:nope", json!({"LEVEL": "info"}));
    let report = world.stage.apply(&world.load(second)).await.unwrap();
    assert_eq!(report.end.result, RunResult::RolledBack);
    let error = report.end.error.unwrap();
    assert!(
        error
            .log_tail
            .iter()
            .any(|line| line == "Error: manifest unknown"),
        "{error:?}"
    );
    assert!(error.message.contains("failed"), "{error:?}");
    assert_eq!(
        world
            .coolify
            .get(Kind::Application, &api, "docker_registry_image_tag"),
        Some(json!("1.5"))
    );
    assert_eq!(
        world.coolify.running(&api).unwrap().image.as_deref(),
        Some("ghcr.io/acme/api:1.5")
    );
    world.settle(first).await;
}
