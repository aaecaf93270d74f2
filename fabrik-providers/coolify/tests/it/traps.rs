//! The traps of Coolify's API, each as a test.

use fabrik_core::engine::{ApplyOptions, Fault, Faults};
use fabrik_core::state::RunResult;
use fabrik_fakes::coolify::{Kind, Pace};
use serde_json::json;

use crate::world::{World, merge};

fn deployed(world: &World, more: serde_json::Value) -> serde_json::Value {
    let mut resources = world.app(more);
    merge(
        &mut resources,
        json!({"go": {"type": "coolify.deployment", "spec": {"application": "${resources.api.id}"}, "run_when_changed": ["resources.api"]}}),
    );
    resources
}

#[tokio::test]
async fn the_smallest_application_works_on_every_version() {
    for version in ["4.0.0", "4.1.2", "4.2.0", "4.3.10"] {
        let world = World::new(version);
        world
            .settle(deployed(&world, json!({"settings": {"force_https": true}})))
            .await;
        // Actions are posted, also where older versions took GET.
        let log = world.coolify.log();
        assert!(
            log.iter()
                .any(|request| request.method == "POST" && request.path.ends_with("/deploy"))
        );
        assert!(log.iter().all(|request| request.status != 422), "{version}");
    }
}

#[tokio::test]
async fn a_deployment_that_was_never_queued_is_that_of_the_queue() {
    let world = World::new("4.3.10");
    world.settle(world.app(json!({}))).await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    // Somebody deploys the same commit at the same time.
    world.coolify.set_pace(Pace::Polls {
        queued: 6,
        running: 2,
    });
    let theirs = world.coolify.deploy_by_hand(&api).unwrap();
    world.settle(deployed(&world, json!({}))).await;
    let all = world.coolify.deployments();
    assert!(
        all.iter()
            .any(|(uuid, _, status)| *uuid == theirs && status == "finished")
    );
    assert!(world.coolify.running(&api).is_some());
}

#[tokio::test]
async fn a_deployment_under_way_is_joined_after_a_crash() {
    // The process dies at each of the moments a run records something.
    for append in 1..=14 {
        let world = World::new("4.3.10");
        world.settle(world.app(json!({}))).await;
        let stack = world.load(deployed(&world, json!({})));
        let plan = world.stage.plan(&stack).await.unwrap();
        let options = ApplyOptions {
            faults: Faults(vec![Fault::CrashAfterAppend(append)]),
            ..ApplyOptions::default()
        };
        let run = world.stage.engine().apply(plan, options);
        let _ = world.stage.follow(run).await;
        let run = world.stage.engine().recover(Some(stack.clone()), true);
        let _ = world.stage.follow(run).await.unwrap();
        world.stage.settle(&stack).await.unwrap();
        let all = world.coolify.deployments();
        assert_eq!(all.len(), 1, "died after append {append}: {all:?}");
        assert_eq!(all[0].2, "finished");
    }
}

#[tokio::test]
async fn twins_for_previews_and_coolifys_own_variables_are_no_drift() {
    let world = World::new("4.3.10");
    let set = |variables: serde_json::Value| {
        let mut resources = world.app(json!({}));
        merge(
            &mut resources,
            json!({"env": {"type": "coolify.env", "spec": {"application": "${resources.api.id}", "variables": variables, "mode": "exact"}}}),
        );
        resources
    };
    world.settle(set(json!({"A": "1", "B": "2"}))).await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    assert_eq!(world.coolify.variables(&api).len(), 4, "each has a twin");
    world
        .coolify
        .add_own_variable(&api, "SERVICE_PASSWORD_DB", "made");
    assert!(
        world
            .stage
            .plan(&world.load(set(json!({"A": "1", "B": "2"}))))
            .await
            .unwrap()
            .is_empty()
    );
    // What a human adds is removed in the exact mode, and the twin of what is removed goes too.
    world.coolify.set_variable(&api, "C", "3");
    world.settle(set(json!({"A": "1"}))).await;
    let left: Vec<String> = world
        .coolify
        .variables(&api)
        .into_iter()
        .map(|(key, ..)| key)
        .collect();
    assert_eq!(left, ["A", "A", "SERVICE_PASSWORD_DB"]);
    // All of them were written in one request.
    let writes = world
        .coolify
        .bodies()
        .into_iter()
        .filter(|(_, route, _)| route.ends_with("/envs/bulk"));
    assert_eq!(writes.count(), 1);
}

#[tokio::test]
async fn a_compose_text_that_comes_back_differently_is_no_drift() {
    let world = World::new("4.3.10");
    let stack = json!({
        "shop": {"type": "coolify.project", "spec": {"name": "Shop"}},
        "web": {"type": "coolify.service", "spec": {
            "project": "${resources.shop.id}", "server": world.coolify.server_uuid(), "name": "web",
            "compose": "# our stack\nservices:\n    web:\n        image: \"nginx:1.27\"   # pinned\n        ports:\n        - \"80:80\"\n",
            "urls": {"web": ["https://B.example.com", "https://a.example.com"]},
        }},
    });
    world.settle(stack).await;
    let web = world.coolify.uuids(Kind::Service)[0].clone();
    let kept = world
        .coolify
        .get(Kind::Service, &web, "docker_compose_raw")
        .unwrap();
    assert!(!kept.as_str().unwrap().contains('#'));
}

#[tokio::test]
async fn secrets_that_are_not_shown_are_no_drift() {
    let world = World::new("4.3.10");
    let mut resources = world.app(
        json!({"labels": ["a=b"], "basic_auth": {"username": "me", "password": "secret-93ab"}}),
    );
    merge(
        &mut resources,
        json!({
            "env": {"type": "coolify.env", "spec": {"application": "${resources.api.id}", "variables": {"A": "1"}}},
            "tool": {"type": "coolify.application", "spec": {"project": "${resources.shop.id}", "server": world.coolify.server_uuid(), "name": "tool", "dockerfile": "FROM scratch", "ports": [9000], "domains": []}},
        }),
    );
    world.settle(resources.clone()).await;
    let tool = world
        .coolify
        .uuids(Kind::Application)
        .into_iter()
        .find(|uuid| world.coolify.get(Kind::Application, uuid, "name") == Some(json!("tool")))
        .unwrap();
    // Creating from a Dockerfile takes port 80 whatever was asked for.
    assert_eq!(
        world.coolify.get(Kind::Application, &tool, "ports_exposes"),
        Some(json!("9000"))
    );
    // And without a domain there is none.
    assert_eq!(
        world.coolify.get(Kind::Application, &tool, "fqdn"),
        Some(json!(null))
    );
    world.coolify.drop_ability("read:sensitive");
    assert!(
        world
            .stage
            .plan(&world.load(resources))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn volumes_outlive_their_application_unless_asked() {
    for (asked, destroyed) in [(false, 0), (true, 1)] {
        let world = World::new("4.3.10");
        let mut resources = world.app(json!({"delete_volumes": asked}));
        merge(
            &mut resources,
            json!({"data": {"type": "coolify.storage", "spec": {"application": "${resources.api.id}", "path": "/data", "name": "data"}}}),
        );
        world.settle(resources.clone()).await;
        let api = world.coolify.uuids(Kind::Application)[0].clone();
        let name = world.coolify.uuids(Kind::Storage)[0].clone();
        assert_eq!(
            world.coolify.get(Kind::Storage, &name, "name"),
            Some(json!(format!("{api}-data")))
        );
        // The application alone goes; its storage is still declared in Coolify then.
        let instance = world.stage.open("coolify").await.unwrap();
        let row = world.stage.row("resources.api").await.unwrap();
        let operation = fabrik_core::provider::Operation {
            op: fabrik_core::provider::OpId(9),
            address: row.address.clone(),
            type_name: row.type_name.clone(),
            verb: fabrik_core::provider::Verb::Delete,
            prior: Some(row.object.clone()),
            observed: None,
            inputs: fabrik_core::value::Value::Null,
            checkpoint: None,
            undoes: None,
        };
        instance.apply(&world.stage.cx(), &[operation]).await;
        assert_eq!(
            world.coolify.destroyed_volumes().len(),
            destroyed,
            "asked: {asked}"
        );
    }
}

#[tokio::test]
async fn a_server_out_of_reach_is_seen_before_anything_is_made() {
    let world = World::new("4.3.10");
    world
        .coolify
        .set_reachable(&world.coolify.server_uuid(), false);
    let error = world.fail(world.app(json!({}))).await;
    let said = format!("{error:?}");
    assert!(
        said.contains(
            "Coolify cannot reach the server `main`, and silently drops what is created there"
        ),
        "{said}"
    );
    assert_eq!(world.coolify.count(Kind::Project), 0);
}

#[tokio::test]
async fn values_lose_outer_whitespace_and_are_written_so() {
    let world = World::new("4.3.10");
    let mut resources = world.app(json!({"name": " api "}));
    merge(
        &mut resources,
        json!({"env": {"type": "coolify.env", "spec": {"application": "${resources.api.id}", "variables": {"A": " spaced ", "EMPTY": ""}}}}),
    );
    world.settle(resources.clone()).await;
    let plan = world.stage.plan(&world.load(resources)).await.unwrap();
    let told: Vec<&str> = plan
        .findings
        .iter()
        .map(|found| found.finding.message.as_str())
        .collect();
    assert!(
        told.iter()
            .any(|text| text.contains("`A` begins or ends with whitespace")),
        "{told:?}"
    );
}

#[tokio::test]
async fn what_was_not_changed_is_not_sent() {
    let world = World::new("4.3.10");
    world.settle(world.app(json!({}))).await;
    world
        .settle(world.app(json!({"image": "ghcr.io/acme/api:1.6"})))
        .await;
    let bodies = world.coolify.bodies();
    let (_, route, body) = bodies.last().unwrap();
    assert_eq!(
        (route.as_str(), body),
        (
            "/applications/{}",
            &json!({"docker_registry_image_tag": "1.6"})
        )
    );
    // Only what has nothing to do with Coolify changed: nothing is sent, an empty change is refused.
    let writes = world.coolify.bodies().len();
    world
        .settle(world.app(json!({"image": "ghcr.io/acme/api:1.6", "delete_volumes": true})))
        .await;
    assert_eq!(world.coolify.bodies().len(), writes);
}

#[tokio::test]
async fn each_kind_of_source_is_replaced_by_another() {
    let world = World::new("4.3.10");
    world.settle(world.app(json!({}))).await;
    let before = world.coolify.uuids(Kind::Application);
    let git = json!({"image": null, "domains": null, "git": {"repository": "acme/api", "branch": "main"}});
    world.settle(world.app(git.clone())).await;
    assert_ne!(world.coolify.uuids(Kind::Application), before);
    let before = world.coolify.uuids(Kind::Application);
    let mut moved = world.app(git);
    moved["api"]["spec"]["environment"] = json!("staging");
    moved["staging"] = json!({"type": "coolify.environment", "spec": {"project": "${resources.shop.id}", "name": "staging"}});
    moved["api"]["depends_on"] = json!(["resources.staging"]);
    world.settle(moved).await;
    assert_ne!(world.coolify.uuids(Kind::Application), before);
}

#[tokio::test]
async fn forty_applications_are_read_within_the_limit() {
    for (version, most) in [("4.1.2", 10), ("4.3.10", 90)] {
        let world = World::new(version);
        let mut resources = json!({"shop": {"type": "coolify.project", "spec": {"name": "Shop"}}});
        for n in 0..40 {
            resources[format!("app{n}")] = json!({"type": "coolify.application", "spec": {
                "project": "${resources.shop.id}", "server": world.coolify.server_uuid(), "name": format!("app {n}"), "image": "nginx:1", "ports": [80],
            }});
        }
        let stack = world.load(resources);
        assert_eq!(
            world.stage.apply(&stack).await.unwrap().end.result,
            RunResult::Succeeded
        );
        world.coolify.clear_log();
        assert!(world.stage.plan(&stack).await.unwrap().is_empty());
        let requests = world.coolify.log().len();
        assert!(requests <= most, "{version}: {requests} requests");
    }
}
