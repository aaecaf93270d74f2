//! Apps, databases and backups through roles, from a spec to what runs.

use fabrik_core::state::RunResult;
use fabrik_fakes::coolify::{Kind, Pace};
use serde_json::json;

use crate::world::World;

async fn apply(world: &World, spec: serde_json::Value) {
    let stack = world.load_spec(spec).unwrap();
    let options = fabrik_core::engine::ApplyOptions {
        no_verify: true,
        ..Default::default()
    };
    let plan = world.stage.plan(&stack).await.unwrap();
    let run = world.stage.engine().apply(plan, options.clone());
    let report = world.stage.follow(run).await.unwrap();
    assert_eq!(
        report.end.result,
        RunResult::Succeeded,
        "{:?}",
        report.end.error
    );
    let plan = world.stage.plan(&stack).await.unwrap();
    assert!(plan.is_empty(), "{}", fabrik_testkit::stack::said(&plan));
}

#[tokio::test]
async fn an_image_with_everything_runs() {
    let world = World::new("4.3.10");
    world.coolify.set_pace(Pace::Polls {
        queued: 0,
        running: 1,
    });
    apply(
        &world,
        json!({
            "on": "coolify",
            "apps": {"api": {
                "kind": "service",
                "image": "ghcr.io/acme/api:1.5",
                "port": 8000,
                "domains": [{"name": "api.example.com"}],
                "dns": {"enabled": false},
                "env": {"LEVEL": "info"},
                "health": {"path": "/health", "interval": "10s", "start_period": "1m"},
                "limits": {"cpu": 0.5, "memory": "512Mi"},
                "volumes": [{"name": "data", "path": "/data"}],
                "files": [{"path": "/etc/api.conf", "content": "level = info"}],
                "stop": {"grace": "45s"},
            }},
        }),
    )
    .await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    let running = world.coolify.running(&api).expect("it runs");
    assert_eq!(running.image.as_deref(), Some("ghcr.io/acme/api:1.5"));
    assert_eq!(running.port, Some(8000));
    assert_eq!(running.domains, ["https://api.example.com"]);
    assert_eq!(running.env.keys().collect::<Vec<_>>(), ["LEVEL"]);
    let get = |field: &str| world.coolify.get(Kind::Application, &api, field).unwrap();
    assert_eq!(get("limits_memory"), json!("512m"));
    assert_eq!(get("limits_cpus"), json!("0.5"));
    assert_eq!(get("health_check_start_period"), json!(60));
    assert_eq!(get("stop_grace_period"), json!(45));
    assert_eq!(world.coolify.count(Kind::Storage), 2);
    assert_eq!(world.coolify.deployments().len(), 1);
}

#[tokio::test]
async fn a_static_site_is_built_from_its_repository() {
    let world = World::new("4.2.0");
    apply(
        &world,
        json!({
            "on": "coolify",
            "apps": {"site": {
                "kind": "static",
                "source": {"repo": "acme/site", "branch": "main", "path": "web"},
                "build": {"command": "npm run build", "output": "dist"},
                "spa": true,
            }},
        }),
    )
    .await;
    let site = world.coolify.uuids(Kind::Application)[0].clone();
    let get = |field: &str| world.coolify.get(Kind::Application, &site, field).unwrap();
    assert_eq!(get("git_repository"), json!("acme/site"));
    assert_eq!(get("build_pack"), json!("nixpacks"));
    assert_eq!(get("base_directory"), json!("/web"));
    assert_eq!(get("publish_directory"), json!("/dist"));
    assert_eq!(
        (get("is_static"), get("is_spa")),
        (json!(true), json!(true))
    );
    // Nobody asked for a domain, so Coolify made one up, and the app answers there.
    assert!(get("fqdn").as_str().unwrap().ends_with(".sslip.io"));
}

#[tokio::test]
async fn what_coolify_cannot_do_is_said_at_its_field() {
    let world = World::new("4.3.10");
    for (app, field, text) in [
        (
            json!({"kind": "service", "command": "run"}),
            "source",
            "runs an `image`, or builds from a repository",
        ),
        (
            json!({"kind": "service", "image": "a:1", "command": "run"}),
            "command",
            "image's own command",
        ),
        (
            json!({"kind": "service", "image": "a:1", "replicas": 2}),
            "replicas",
            "one container",
        ),
        (
            json!({"kind": "service", "image": "a:1", "strategy": {"type": "blue_green"}}),
            "strategy",
            "no strategy `blue_green`",
        ),
        (
            json!({"kind": "service", "image": "a:1", "domains": [{"name": "*.example.com"}]}),
            "domains",
            "not at all names below",
        ),
        (
            json!({"kind": "service", "source": {"repo": "a/b"}, "build": {"pack": "buildpacks"}}),
            "build.pack",
            "does not build by `buildpacks`",
        ),
    ] {
        let error = world
            .load_spec(json!({"on": "coolify", "apps": {"x": app}}))
            .unwrap_err();
        let said = format!("{error:?}");
        assert!(said.contains(text), "{field}: {said}");
    }
}
