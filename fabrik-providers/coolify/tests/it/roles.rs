//! Apps, databases and backups through roles, from a spec to what runs.

use fabrik_core::state::RunResult;
use fabrik_fakes::coolify::{Kind, Pace};
use serde_json::json;

use crate::world::World;

async fn apply(world: &World, spec: serde_json::Value) {
    let stack = world.load_spec(spec).expect("it works");
    let options = fabrik_core::engine::ApplyOptions {
        no_verify: true,
        ..Default::default()
    };
    let plan = world.stage.plan(&stack).await.expect("it works");
    let run = world.stage.engine().apply(plan, options.clone());
    let report = world.stage.follow(run).await.expect("it works");
    assert_eq!(
        report.end.result,
        RunResult::Succeeded,
        "{:?}",
        report.end.error
    );
    let plan = world.stage.plan(&stack).await.expect("it works");
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
            json!({"kind": "service", "source": {"path": "./api"}}),
            "source",
            "push it and write `source: {repo: OWNER/NAME, path: ./api}`",
        ),
        (
            json!({"kind": "worker", "image": "a:1", "command": "run"}),
            "command",
            "image's own command",
        ),
        (
            json!({"kind": "cron", "source": {"repo": "a/b"}, "command": "run", "schedule": "0 3 * * *"}),
            "source",
            "build an image and name it with `image`",
        ),
        (
            json!({"kind": "cron", "image": "a:1", "schedule": "0 3 * * *"}),
            "command",
            "write the image's command as `command`",
        ),
        (
            json!({"kind": "cron", "image": "a:1", "command": "run", "schedule": "0 3 * * *", "timezone": "Europe/Berlin"}),
            "timezone",
            "`timezone`",
        ),
        (
            json!({"kind": "database", "engine": "redis", "backup": {"schedule": "0 3 * * *"}}),
            "backup",
            "Coolify does not dump redis",
        ),
        (
            json!({"kind": "database", "engine": "postgres", "limits": {"disk": "10Gi"}}),
            "limits.disk",
            "`limits.disk`",
        ),
        (
            json!({"kind": "database", "engine": "valkey"}),
            "engine",
            "Coolify does not offer valkey",
        ),
        (
            json!({"kind": "service", "image": "a:1", "volumes": [{"name": "d", "path": "/d"}], "backup": {"schedule": "0 3 * * *"}}),
            "backup",
            "dumps of databases only",
        ),
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

#[tokio::test]
async fn a_dockerfile_that_is_named_builds() {
    let world = World::new("4.3.10");
    apply(
        &world,
        json!({
            "on": "coolify",
            "apps": {"api": {
                "kind": "service",
                "source": {"repo": "acme/api", "branch": "main", "path": "."},
                "build": {"dockerfile": "Dockerfile"},
                "port": 8000,
            }},
        }),
    )
    .await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    let get = |field: &str| world.coolify.get(Kind::Application, &api, field).unwrap();
    assert_eq!(get("build_pack"), json!("dockerfile"));
    assert_eq!(get("dockerfile_location"), json!("/Dockerfile"));
    // Another one, and back again: changed in place.
    for dockerfile in ["docker/api", "Dockerfile"] {
        apply(
            &world,
            json!({
                "on": "coolify",
                "apps": {"api": {
                    "kind": "service",
                    "source": {"repo": "acme/api", "branch": "main", "path": "."},
                    "build": {"dockerfile": dockerfile},
                    "port": 8000,
                }},
            }),
        )
        .await;
        let get = |field: &str| world.coolify.get(Kind::Application, &api, field).unwrap();
        assert_eq!(get("dockerfile_location"), json!(format!("/{dockerfile}")));
    }
}

#[tokio::test]
async fn a_worker_answers_nowhere() {
    for version in ["4.0.0", "4.3.10"] {
        let world = World::new(version);
        apply(
            &world,
            json!({
                "on": "coolify",
                "apps": {"jobs": {
                    "kind": "worker",
                    "image": "acme/jobs:1",
                    "env": {"QUEUE": "mail"},
                    "health": {"command": "celery inspect ping"},
                }},
            }),
        )
        .await;
        let jobs = world.coolify.uuids(Kind::Application)[0].clone();
        let running = world.coolify.running(&jobs).expect("it runs");
        assert_eq!(running.domains, Vec::<String>::new());
        assert_eq!(running.env.keys().collect::<Vec<_>>(), ["QUEUE"]);
        let get = |field: &str| world.coolify.get(Kind::Application, &jobs, field).unwrap();
        assert_eq!(get("health_check_type"), json!("cmd"));
    }
}

#[tokio::test]
async fn a_cron_job_runs_in_a_container_that_stays_up() {
    let world = World::new("4.3.10");
    let key = world.stage.secret("canary-key");
    apply(
        &world,
        json!({
            "on": "coolify",
            "apps": {"nightly": {
                "kind": "cron",
                "image": "acme/api:1",
                "command": ["python", "-m", "app.report", "--title", "it's done"],
                "schedule": "0 3 * * *",
                "env": {"LEVEL": "info", "KEY": key},
                "limits": {"memory": "256Mi"},
                "volumes": [{"name": "reports", "path": "/reports"}],
            }},
        }),
    )
    .await;
    let service = world.coolify.uuids(Kind::Service)[0].clone();
    let get = |field: &str| world.coolify.get(Kind::Service, &service, field).unwrap();
    let text = get("docker_compose_raw");
    let text = text.as_str().unwrap();
    assert!(!text.contains("canary"), "{text}");
    for part in ["acme/api:1", "${KEY}", "reports:/reports", "256m"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(get("status").as_str().unwrap().starts_with("running"));
    let task = world.coolify.uuids(Kind::Task)[0].clone();
    let task = |field: &str| world.coolify.get(Kind::Task, &task, field).unwrap();
    assert_eq!(
        task("command"),
        json!(r"python -m app.report --title 'it'\''s done'")
    );
    assert_eq!(task("frequency"), json!("0 3 * * *"));
    assert_eq!(task("container"), json!("job"));
}

#[tokio::test]
async fn databases_are_connected_to_and_dumped() {
    let world = World::new("4.3.10");
    apply(
        &world,
        json!({
            "on": {"runtime": "coolify", "database": "coolify", "backup": "coolify"},
            "apps": {
                "main": {"kind": "database", "engine": "postgres", "version": "16", "limits": {"memory": "1Gi"},
                    "backup": {"schedule": "0 3 * * *", "keep": 7}},
                "cache": {"kind": "database", "engine": "redis"},
                "api": {"kind": "service", "image": "acme/api:1", "port": 80, "env": {
                    "DATABASE_URL": "${apps.main.url}", "CACHE": "${apps.cache.url}",
                    "USER": "${apps.main.user}", "PASSWORD": "${apps.main.password}",
                }},
            },
        }),
    )
    .await;
    let api = world.coolify.uuids(Kind::Application)[0].clone();
    let env = world.coolify.running(&api).expect("it runs").env;
    let url = &env["DATABASE_URL"];
    assert!(url.starts_with("postgres://"), "{url}");
    assert!(
        url.contains(&format!("{}:{}@", env["USER"], env["PASSWORD"])),
        "{url}"
    );
    assert!(url.ends_with("/main"), "{url}");
    assert!(env["CACHE"].starts_with("redis://"), "{}", env["CACHE"]);
    let backup = world.coolify.uuids(Kind::Backup)[0].clone();
    let get = |field: &str| world.coolify.get(Kind::Backup, &backup, field).unwrap();
    assert_eq!(get("frequency"), json!("0 3 * * *"));
    assert_eq!(get("database_backup_retention_amount_locally"), json!(7));
    let main = world.coolify.uuids(Kind::Database);
    let limits: Vec<_> = main
        .iter()
        .map(|id| world.coolify.get(Kind::Database, id, "limits_memory"))
        .collect();
    assert!(limits.contains(&Some(json!("1g"))), "{limits:?}");
}

/// A stand-in for the kind `wordpress`: asks the runtime, and gives what it answers.
struct Asks;

impl fabrik_core::role::Component for Asks {
    fn kind(&self) -> &'static str {
        "wordpress"
    }

    fn schema(&self) -> serde_json::Value {
        json!({"type": "object", "additionalProperties": true})
    }

    fn expand(
        &self,
        block: &fabrik_core::value::Value,
        cx: &mut dyn fabrik_core::role::ComponentCx,
    ) -> fabrik_core::error::Result<fabrik_core::role::ComponentOut> {
        use fabrik_core::value::{Path, Value};
        let intent = block
            .with(&Path::key("kind"), Value::from("wordpress"))
            .with(&Path::key("name"), Value::from("blog"));
        let out = cx.play("runtime", "", intent)?;
        let outputs = out
            .as_map()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect();
        Ok(fabrik_core::role::ComponentOut {
            url: out.get("url").cloned().unwrap_or_default(),
            outputs,
            ..fabrik_core::role::ComponentOut::default()
        })
    }
}

#[tokio::test]
async fn wordpress_is_installed_and_can_be_reached_inside() {
    let world = World::with_kind("4.3.10", Asks);
    let password = world.stage.secret("canary-password");
    let spec = |domain: &str| {
        json!({
            "on": "coolify",
            "apps": {"blog": {
                "kind": "wordpress",
                "domains": [{"name": domain}],
                "wordpress": {"title": "It's $5", "php": "8.3", "admin": {
                    "login": "fabrik", "email": "a@example.com", "password": password,
                }},
                "database": {"engine": "mariadb", "version": "11.4"},
                "limits": {"memory": "1Gi"},
            }},
            "outputs": {"container": "${apps.blog.exec.container.name}", "host": "${apps.blog.exec.ssh.host}"},
        })
    };
    apply(&world, spec("blog.example.com")).await;
    let service = world.coolify.uuids(Kind::Service)[0].clone();
    let get = |field: &str| world.coolify.get(Kind::Service, &service, field).unwrap();
    let containers = get("applications");
    let answers = containers
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "wordpress")
        .unwrap();
    assert_eq!(answers["fqdn"], json!("https://blog.example.com"));
    assert_eq!(answers["image"], json!("wordpress:6.8-php8.3-apache"));
    let text = get("docker_compose_raw");
    let text = text.as_str().unwrap();
    // Neither what the spec says nor any password stands in the text.
    for part in ["It's", "fabrik\n", "a@example.com", "canary"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    for part in [
        "${WP_ADMIN_PASSWORD:?}",
        "${SERVICE_PASSWORD_WORDPRESS}",
        "1g",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Another address changes it in place.
    apply(&world, spec("news.example.com")).await;
    assert_eq!(world.coolify.uuids(Kind::Service), [service]);

    let error = world
        .load_spec(json!({"on": "coolify", "apps": {"blog": {"kind": "wordpress"}}}))
        .unwrap_err();
    assert!(
        format!("{error:?}").contains("must be told a domain"),
        "{error:?}"
    );
}
