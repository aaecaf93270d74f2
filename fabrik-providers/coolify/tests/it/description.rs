//! Every body that is sent, against Coolify's own description of its API.
//!
//! `FABRIK_COOLIFY_OPENAPI` names the file `openapi.json` of Coolify 4.3; without it this test says
//! that it was skipped.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::world::{World, merge};

/// Where the controllers differ from the description. Fields that are taken and not described:
const TAKEN: &[(&str, &str)] = &[
    (
        "custom_network_aliases",
        "taken by the controllers, forgotten in the description",
    ),
    (
        "health_check_type",
        "taken by the controllers, forgotten in the description",
    ),
    (
        "health_check_command",
        "taken by the controllers, forgotten in the description",
    ),
    ("dockerfile_target_build", "taken when changing"),
    ("is_http_basic_auth_enabled", "taken when changing"),
    ("http_basic_auth_username", "taken when changing"),
    ("http_basic_auth_password", "taken when changing"),
    (
        "mongo_initdb_root_password",
        "taken at creating, as the other engines' passwords",
    ),
    (
        "mongo_initdb_database",
        "taken at creating, as the other engines' databases",
    ),
    (
        "environment_uuid",
        "described as required; the code wants it or the name",
    ),
    ("max_restart_count", "taken by the controllers since 4.3.0"),
];

/// Fields that are taken whatever the source, and described for repositories only.
const TAKEN_EVERYWHERE: &[&str] = &["is_auto_deploy_enabled", "is_spa", "is_static"];

#[expect(
    clippy::disallowed_methods,
    reason = "a test that is told where a file is"
)]
fn description() -> Option<Json> {
    let path = std::env::var("FABRIK_COOLIFY_OPENAPI").ok()?;
    let text = std::fs::read_to_string(path).expect("the file that FABRIK_COOLIFY_OPENAPI names");
    Some(serde_json::from_str(&text).expect("a description in JSON"))
}

/// The described path for a route with `{}` for ids.
fn described<'a>(api: &'a Json, method: &str, route: &str) -> Option<&'a Json> {
    // The description has this one at the wrong place.
    let route = if method == "PATCH" && route == "/security/keys/{}" {
        "/security/keys"
    } else {
        route
    };
    let wanted: Vec<&str> = route.split('/').collect();
    let paths = api["paths"].as_object().expect("paths");
    let fits = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.len() == wanted.len()
            && parts
                .iter()
                .zip(&wanted)
                .all(|(part, wanted)| part == wanted || (part.starts_with('{') && *wanted == "{}"))
    };
    let found = paths
        .iter()
        .find(|(path, operations)| fits(path) && operations.get(method.to_lowercase()).is_some());
    found.map(|(_, operations)| &operations[method.to_lowercase()])
}

#[tokio::test]
async fn every_body_is_as_described() {
    let Some(api) = description() else {
        eprintln!("skipped: FABRIK_COOLIFY_OPENAPI does not name Coolify's openapi.json");
        return;
    };
    let world = World::new("4.3.10");
    let server = world.coolify.server_uuid();
    for (first, second) in stages(&world, &server) {
        world.settle(first).await;
        world.settle(second).await;
    }
    let mut checked = BTreeSet::new();
    let mut wrong = Vec::new();
    for (method, route, body) in world.coolify.bodies() {
        if body.as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        let Some(operation) = described(&api, &method, &route) else {
            wrong.push(format!("{method} {route} is not described"));
            continue;
        };
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut schema = schema.clone();
        // Both ways to name an environment are described as required.
        if let Some(required) = schema.get_mut("required").and_then(Json::as_array_mut) {
            required.retain(|field| field != "environment_uuid");
        }
        schema["additionalProperties"] = json!(false);
        let mut body = body.clone();
        if let Some(map) = body.as_object_mut() {
            map.retain(|field, value| {
                !TAKEN.iter().any(|(taken, _)| taken == field) && !value.is_null()
            });
        }
        if route == "/applications/dockerimage"
            && let Some(map) = body.as_object_mut()
        {
            map.retain(|field, _| !TAKEN_EVERYWHERE.contains(&field.as_str()));
        }
        let mut whole = schema;
        whole["components"] = api["components"].clone();
        let validator = jsonschema::validator_for(&whole).expect("a schema");
        for error in validator.iter_errors(&body) {
            wrong.push(format!("{method} {route}: {error}"));
        }
        checked.insert(format!("{method} {route}"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked.len() >= 25, "{checked:#?}");
}

/// Everything that can be made, and then changed.
fn stages(world: &World, server: &str) -> Vec<(Json, Json)> {
    let place = json!({"project": "${resources.shop.id}", "server": server});
    let with = |more: Json| {
        let mut spec = place.clone();
        merge(&mut spec, more);
        spec
    };
    let mut first = world.app(json!({
        "description": "Answers", "publish": ["8080:8000"], "redirect": "www", "docker_options": "--init", "network_aliases": ["a"],
        "health": {"path": "/up", "port": 8000, "body": "ok"}, "limits": {"memory": "1g", "cpus": "1", "memory_swap": "1g", "memory_reservation": "1g", "cpuset": "0", "cpu_shares": 512},
        "settings": {"auto_deploy": true, "force_https": true, "static_site": false, "spa": false, "build_server": false, "predefined_network": false,
            "escape_labels": true, "build_cache": true, "build_secrets": false, "preview_deployments": false, "git_submodules": true, "git_lfs": true,
            "git_shallow": true, "gzip": true, "strip_prefix": true, "images_to_keep": 3, "stop_grace_period": 20, "consistent_container_name": false},
        "labels": ["a=b"], "pre_deploy": {"command": "a", "container": "b"}, "post_deploy": {"command": "a", "container": "b"},
        "basic_auth": {"username": "me", "password": "secret-93ab"}, "max_restart_count": 5, "force_domains": true,
    }));
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nkey\n-----END OPENSSH PRIVATE KEY-----";
    merge(
        &mut first,
        json!({
            "staging": {"type": "coolify.environment", "spec": {"project": "${resources.shop.id}", "name": "staging"}},
            "key": {"type": "coolify.private_key", "spec": {"name": "key", "private_key": key}},
            "site": {"type": "coolify.application", "spec": with(json!({"name": "site", "git": {"repository": "acme/site", "branch": "main"}, "ports": [80], "domains": [],
                "build": {"pack": "railpack", "base_directory": "/a", "publish_directory": "/b", "dockerfile": "/c", "target": "d", "install": "e", "command": "f", "start": "g", "watch": "h"}}))},
            "closed": {"type": "coolify.application", "spec": with(json!({"name": "closed", "git": {"repository": "git@github.com:acme/x.git", "branch": "main", "commit": "0123456789", "deploy_key": "${resources.key.id}"}, "ports": [80]}))},
            "hub": {"type": "coolify.application", "spec": with(json!({"name": "hub", "git": {"repository": "acme/hub", "branch": "main", "github_app": "app0app0app0app0app0app0"}, "ports": [80]}))},
            "tool": {"type": "coolify.application", "spec": with(json!({"name": "tool", "dockerfile": "FROM scratch", "ports": [9000]}))},
            "env": {"type": "coolify.env", "spec": {"application": "${resources.api.id}", "variables": {"A": "1"}}},
            "data": {"type": "coolify.storage", "spec": {"application": "${resources.api.id}", "path": "/data", "name": "data", "host_path": "/srv"}},
            "file": {"type": "coolify.storage", "spec": {"application": "${resources.api.id}", "path": "/f", "content": "a"}},
            "task": {"type": "coolify.scheduled_task", "spec": {"application": "${resources.api.id}", "name": "t", "command": "true", "schedule": "daily", "container": "c"}},
            "stack": {"type": "coolify.service", "spec": with(json!({"name": "stack", "description": "d", "compose": "services:\n  web:\n    image: a\n", "urls": {"web": ["https://s.example.com"]}, "force_domains": true, "predefined_network": true, "escape_labels": true}))},
            "stack_env": {"type": "coolify.env", "spec": {"service": "${resources.stack.id}", "variables": {"A": "1"}}},
            "s3": {"type": "coolify.s3_storage", "spec": {"name": "s3", "endpoint": "https://s3.example.com", "bucket": "b", "region": "r", "key": "kkkkkkkkkk", "secret": "ssssssssss"}},
        }),
    );
    for (engine, more) in [
        (
            "postgresql",
            json!({"user": "u", "password": "password1", "database": "d", "conf": "a", "initdb_args": "b", "host_auth_method": "md5", "public_port": 5000, "limits": {"memory": "1g"}, "health": {}}),
        ),
        (
            "mysql",
            json!({"user": "u", "password": "password2", "root_password": "password3", "database": "d", "conf": "a"}),
        ),
        (
            "mariadb",
            json!({"user": "u", "password": "password4", "root_password": "password5", "database": "d", "conf": "a"}),
        ),
        (
            "mongodb",
            json!({"user": "u", "password": "password6", "database": "d", "conf": "a"}),
        ),
        ("redis", json!({"password": "password7", "conf": "a"})),
        ("keydb", json!({"password": "password8", "conf": "a"})),
        ("dragonfly", json!({"password": "password9"})),
        ("clickhouse", json!({"user": "u", "password": "password10"})),
    ] {
        let mut spec = with(json!({"engine": engine, "name": engine, "description": "d"}));
        merge(&mut spec, more);
        first[engine] = json!({"type": "coolify.database", "spec": spec});
    }
    first["dumps"] = json!({"type": "coolify.database_backup", "spec": {"database": "${resources.postgresql.id}", "schedule": "daily", "s3": "${resources.s3.id}", "databases": ["d"], "keep": 1, "s3_keep": 2}});
    let mut second = first.clone();
    merge(
        &mut second,
        json!({
            "shop": {"spec": {"description": "Changed"}},
            "api": {"spec": {"image": "nginx:2", "domains": ["https://b.example.com"], "health": {"path": "/other", "command": "true"}, "limits": {"memory": "2g"}, "settings": {"gzip": false}, "labels": ["c=d"], "basic_auth": {"username": "you"}}},
            "site": {"spec": {"git": {"branch": "other"}, "build": {"pack": "nixpacks", "target": "z"}}},
            "key": {"spec": {"name": "other"}},
            "env": {"spec": {"variables": {"A": "2"}}},
            "file": {"spec": {"content": "b"}},
            "task": {"spec": {"command": "false"}},
            "stack": {"spec": {"name": "other", "compose": "services:\n  web:\n    image: b\n", "urls": {"web": ["https://t.example.com"]}, "predefined_network": false}},
            "s3": {"spec": {"bucket": "c", "key": "llllllllll"}},
            "dumps": {"spec": {"schedule": "weekly"}},
            "postgresql": {"spec": {"password": "password11", "public_port": 5001, "health": {"retries": 9}}},
            "redis": {"spec": {"conf": "b"}},
        }),
    );
    vec![(first, second)]
}
