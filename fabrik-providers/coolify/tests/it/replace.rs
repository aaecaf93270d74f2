//! Fields whose change needs a new object, where they cannot be set beside each other.

use fabrik_core::plan::Action;
use serde_json::{Value as Json, json};

use crate::world::{World, merge};

/// What others belong to.
fn base(world: &World) -> Json {
    let server = world.coolify.server_uuid();
    let place = json!({"project": "${resources.shop.id}", "server": server});
    let with = |more: Json| {
        let mut spec = place.clone();
        merge(&mut spec, more);
        spec
    };
    json!({
        "shop": {"type": "coolify.project", "spec": {"name": "Shop"}},
        "other": {"type": "coolify.project", "spec": {"name": "Other"}},
        "api": {"type": "coolify.application", "spec": with(json!({"name": "api", "image": "nginx:1", "ports": [80]}))},
        "api2": {"type": "coolify.application", "spec": with(json!({"name": "api2", "image": "nginx:1", "ports": [80]}))},
        "stack": {"type": "coolify.service", "spec": with(json!({"name": "stack", "compose": "services:\n  web:\n    image: a\n"}))},
        "db": {"type": "coolify.database", "spec": with(json!({"name": "db", "engine": "redis", "start": false}))},
    })
}

/// Type, what is there, and changes of it with the field that needs a new object.
fn samples(world: &World) -> Vec<(&'static str, Json, Vec<(&'static str, Json)>)> {
    let server = world.coolify.server_uuid();
    let elsewhere = world.coolify.add_server("second", "203.0.113.20");
    let moves = || {
        vec![
            ("project", json!({"project": "${resources.other.id}"})),
            ("environment", json!({"environment": "staging"})),
            ("server", json!({"server": elsewhere})),
            (
                "destination",
                json!({"destination": "dest0dest0dest0dest0dest0"}),
            ),
        ]
    };
    let place = |more: Json| {
        let mut spec = json!({"project": "${resources.shop.id}", "server": server, "name": "it"});
        merge(&mut spec, more);
        spec
    };
    let owners = || {
        vec![
            (
                "application",
                json!({"application": "${resources.api2.id}"}),
            ),
            (
                "service",
                json!({"application": null, "service": "${resources.stack.id}"}),
            ),
        ]
    };
    let with = |mut all: Vec<(&'static str, Json)>, more: Vec<(&'static str, Json)>| {
        all.extend(more);
        all
    };
    vec![
        (
            "coolify.application",
            place(json!({"image": "nginx:1", "ports": [80]})),
            with(
                moves(),
                vec![(
                    "git",
                    json!({"image": null, "git": {"repository": "a/b", "branch": "main"}}),
                )],
            ),
        ),
        (
            "coolify.application",
            place(json!({"git": {"repository": "a/b", "branch": "main"}, "ports": [80]})),
            vec![
                (
                    "git.github_app",
                    json!({"git": {"github_app": "app0app0app0app0app0app0"}}),
                ),
                (
                    "git.deploy_key",
                    json!({"git": {"deploy_key": "key0key0key0key0key0key0"}}),
                ),
            ],
        ),
        (
            "coolify.application",
            place(json!({"dockerfile": "FROM a", "ports": [80]})),
            vec![("dockerfile", json!({"dockerfile": "FROM b"}))],
        ),
        (
            "coolify.service",
            place(json!({"compose": "services:\n  web:\n    image: a\n"})),
            moves(),
        ),
        (
            "coolify.service",
            place(json!({"template": "gitea"})),
            vec![("template", json!({"template": "uptime-kuma"}))],
        ),
        (
            "coolify.database",
            place(
                json!({"engine": "postgresql", "start": false, "user": "a", "database": "b", "initdb_args": "c", "host_auth_method": "d"}),
            ),
            with(
                moves(),
                vec![
                    ("user", json!({"user": "z"})),
                    ("database", json!({"database": "z"})),
                    ("initdb_args", json!({"initdb_args": "z"})),
                    ("host_auth_method", json!({"host_auth_method": "z"})),
                    (
                        "engine",
                        json!({"engine": "mysql", "initdb_args": null, "host_auth_method": null}),
                    ),
                ],
            ),
        ),
        (
            "coolify.env",
            json!({"application": "${resources.api.id}", "variables": {"A": "1"}}),
            with(
                owners(),
                vec![(
                    "database",
                    json!({"application": null, "database": "${resources.db.id}"}),
                )],
            ),
        ),
        (
            "coolify.scheduled_task",
            json!({"application": "${resources.api.id}", "name": "t", "command": "true", "schedule": "daily"}),
            owners(),
        ),
        (
            "coolify.storage",
            json!({"application": "${resources.api.id}", "path": "/a", "name": "a", "host_path": "/b"}),
            vec![
                (
                    "application",
                    json!({"application": "${resources.api2.id}"}),
                ),
                (
                    "database",
                    json!({"application": null, "database": "${resources.db.id}"}),
                ),
                (
                    "service",
                    json!({"application": null, "service": "${resources.stack.id}", "container": "cont0cont0cont0cont0cont0"}),
                ),
                ("path", json!({"path": "/z"})),
                ("name", json!({"name": "z"})),
                ("host_path", json!({"host_path": "/z"})),
                (
                    "content",
                    json!({"name": null, "host_path": null, "content": "text"}),
                ),
            ],
        ),
    ]
}

#[tokio::test]
async fn each_such_field_plans_a_replacement_that_names_it() {
    for at in 0..samples(&World::new("4.3.10")).len() {
        let world = World::new("4.3.10");
        let (type_name, spec, changes) = samples(&world).swap_remove(at);
        let mut resources = base(&world);
        resources["it"] = json!({"type": type_name, "spec": spec});
        let stack = world.load(resources.clone());
        world.stage.succeed(&stack).await.unwrap();
        for (field, change) in changes {
            let mut changed = resources.clone();
            merge(&mut changed["it"]["spec"], change);
            let plan = world.stage.plan(&world.load(changed)).await.unwrap();
            let it = plan
                .changes
                .iter()
                .find(|change| change.address.as_str() == "resources.it");
            let it = it.unwrap_or_else(|| panic!("{type_name}: `{field}` changes nothing"));
            assert!(
                matches!(it.action, Action::Replace { .. }),
                "{type_name}: `{field}`: {:?}",
                it.action
            );
            let paths: Vec<String> = it.diff.iter().map(|diff| diff.path.to_string()).collect();
            assert!(
                paths
                    .iter()
                    .any(|path| path.starts_with(field) || field.starts_with(path.as_str())),
                "{type_name}: `{field}`: {paths:?}"
            );
        }
    }
}
