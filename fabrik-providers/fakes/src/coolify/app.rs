//! Applications.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, Shape, decode, domains, invalid, message, only, required, shape};
use super::world::{Kind, Row, World};
use super::{deploy, fields, project, route};

/// Only sensitive tokens see these.
pub(super) const HIDDEN: &[&str] = &[
    "custom_labels",
    "docker_compose",
    "docker_compose_raw",
    "dockerfile",
    "http_basic_auth_password",
    "manual_webhook_secret_bitbucket",
    "manual_webhook_secret_gitea",
    "manual_webhook_secret_github",
    "manual_webhook_secret_gitlab",
];

/// Requests call them so, the settings may call them otherwise; with their defaults.
const SETTINGS: &[(&str, &str, bool)] = &[
    ("disable_build_cache", "disable_build_cache", false),
    (
        "include_source_commit_in_build",
        "include_source_commit_in_build",
        false,
    ),
    (
        "inject_build_args_to_dockerfile",
        "inject_build_args_to_dockerfile",
        true,
    ),
    ("is_auto_deploy_enabled", "is_auto_deploy_enabled", true),
    (
        "is_consistent_container_name_enabled",
        "is_consistent_container_name_enabled",
        false,
    ),
    (
        "is_container_label_escape_enabled",
        "is_container_label_escape_enabled",
        true,
    ),
    ("is_env_sorting_enabled", "is_env_sorting_enabled", false),
    ("is_force_https_enabled", "is_force_https_enabled", true),
    ("is_git_lfs_enabled", "is_git_lfs_enabled", true),
    (
        "is_git_shallow_clone_enabled",
        "is_git_shallow_clone_enabled",
        true,
    ),
    (
        "is_git_submodules_enabled",
        "is_git_submodules_enabled",
        true,
    ),
    ("is_gzip_enabled", "is_gzip_enabled", true),
    ("is_log_drain_enabled", "is_log_drain_enabled", false),
    (
        "is_pr_deployments_public_enabled",
        "is_pr_deployments_public_enabled",
        false,
    ),
    (
        "is_preserve_repository_enabled",
        "is_preserve_repository_enabled",
        false,
    ),
    (
        "is_preview_deployments_enabled",
        "is_preview_deployments_enabled",
        false,
    ),
    (
        "is_raw_compose_deployment_enabled",
        "is_raw_compose_deployment_enabled",
        false,
    ),
    ("is_spa", "is_spa", false),
    ("is_static", "is_static", false),
    ("is_stripprefix_enabled", "is_stripprefix_enabled", true),
    ("use_build_secrets", "use_build_secrets", false),
    ("use_build_server", "is_build_server_enabled", false),
    (
        "connect_to_docker_network",
        "connect_to_docker_network",
        false,
    ),
    ("is_gpu_enabled", "is_gpu_enabled", false),
];

/// Settings that are numbers.
const NUMBERS: &[(&str, u64)] = &[("docker_images_to_keep", 2), ("stop_grace_period", 30)];

/// Asked for, not kept.
const TRANSIENT: &[&str] = &[
    "autogenerate_domain",
    "destination_uuid",
    "environment_name",
    "environment_uuid",
    "force_domain_override",
    "github_app_uuid",
    "instant_deploy",
    "private_key_uuid",
    "project_uuid",
    "server_uuid",
    "tags",
    "type",
];

fn defaults(world: &mut World) -> Json {
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    let base = json!({
        "id": id, "uuid": uuid, "name": format!("app-{uuid}"), "description": null, "fqdn": null,
        "git_repository": "coollabsio/coolify", "git_branch": "main", "git_commit_sha": "HEAD",
        "docker_registry_image_name": null, "docker_registry_image_tag": null,
        "build_pack": "nixpacks", "static_image": "nginx:alpine",
        "install_command": null, "build_command": null, "start_command": null,
        "ports_exposes": null, "ports_mappings": null, "custom_network_aliases": null,
        "base_directory": "/", "publish_directory": null, "watch_paths": null,
    });
    let health = json!({
        "health_check_enabled": false, "health_check_type": "http", "health_check_path": "/",
        "health_check_port": null, "health_check_host": "localhost", "health_check_method": "GET",
        "health_check_return_code": 200, "health_check_scheme": "http",
        "health_check_response_text": null, "health_check_command": null, "health_check_interval": 5,
        "health_check_timeout": 5, "health_check_retries": 10, "health_check_start_period": 5,
        "limits_memory": "0", "limits_memory_swap": "0", "limits_memory_swappiness": 60,
        "limits_memory_reservation": "0", "limits_cpus": "0", "limits_cpuset": null,
        "limits_cpu_shares": 1024,
    });
    let rest = json!({
        "status": "exited", "redirect": "both", "dockerfile": null,
        "dockerfile_location": "/Dockerfile", "dockerfile_target_build": null,
        "custom_labels": "dHJhZWZpay5lbmFibGU9dHJ1ZQ==", "custom_docker_run_options": null,
        "custom_nginx_configuration": null, "pre_deployment_command": null,
        "pre_deployment_command_container": null, "post_deployment_command": null,
        "post_deployment_command_container": null, "is_http_basic_auth_enabled": false,
        "http_basic_auth_username": null, "http_basic_auth_password": null,
        "max_restart_count": 10, "config_hash": null,
        "created_at": now, "updated_at": now,
    });
    let parts = [base, health, rest]
        .into_iter()
        .filter_map(|part| match part {
            Json::Object(part) => Some(part),
            _ => None,
        });
    Json::Object(parts.flatten().collect())
}

fn new_row(world: &mut World, environment: &str, server: &str) -> Row {
    let mut row = Row::new(Kind::Application, environment, defaults(world));
    for (_, stored, default) in SETTINGS {
        row.settings.insert((*stored).to_owned(), json!(default));
    }
    for (stored, default) in NUMBERS {
        row.settings.insert((*stored).to_owned(), json!(default));
    }
    let id = world
        .get(Kind::Server, server)
        .and_then(|server| server.fields.get("id").cloned());
    row.set("destination_id", id.unwrap_or_default());
    row
}

/// As a human would add one in the dashboard.
pub(super) fn add(world: &mut World, project: &str, name: &str, image: &str) -> String {
    let environment = project::environment(world, project, "production")
        .map(Row::uuid)
        .unwrap_or_default();
    let server = world
        .rows(Kind::Server)
        .next()
        .map(Row::uuid)
        .unwrap_or_default();
    let mut row = new_row(world, &environment, &server);
    row.set("name", json!(name));
    row.set("build_pack", json!("dockerimage"));
    let (image, tag) = image.split_once(':').unwrap_or((image, "latest"));
    row.set("docker_registry_image_name", json!(image));
    row.set("docker_registry_image_tag", json!(tag));
    let uuid = row.uuid();
    world.on.insert(uuid.clone(), server);
    world.put(row);
    uuid
}

pub(super) fn answer(
    world: &mut World,
    method: &str,
    path: &[&str],
    request: &Request,
    body: &Map<String, Json>,
    sensitive: bool,
) -> Answer {
    match (method, path) {
        ("GET", []) => {
            let found = world
                .rows(Kind::Application)
                .map(|row| row.shown(HIDDEN, sensitive));
            Ok(Reply::json(200, &found.collect()))
        }
        ("GET", [uuid]) => {
            let row = world.get(Kind::Application, uuid).ok_or_else(gone)?;
            let mut shown = row.shown(HIDDEN, sensitive);
            if world.is(4, 2, 0) {
                shown["settings"] = Json::Object(row.settings.clone());
            }
            Ok(Reply::json(200, &shown))
        }
        (
            "POST",
            [
                source @ ("public" | "private-github-app" | "private-deploy-key" | "dockerfile"
                | "dockerimage"),
            ],
        ) => create(world, source, body),
        ("PATCH", [uuid]) => update(world, uuid, body),
        ("DELETE", [uuid]) => {
            world.get(Kind::Application, uuid).ok_or_else(gone)?;
            delete(world, Kind::Application, uuid, request);
            Ok(message(200, "Application deletion request queued."))
        }
        _ => Err(route::nothing()),
    }
}

fn gone() -> Reply {
    message(404, "Application not found.")
}

/// Queues a delete; volumes go with it unless the request says otherwise.
pub(super) fn delete(world: &mut World, kind: Kind, uuid: &str, request: &Request) {
    if route::flag(request, "delete_volumes") {
        let storages = world.of(Kind::Storage, uuid);
        let mut volumes: Vec<String> = storages
            .iter()
            .map(|row| row.text("name"))
            .filter(|name| !name.is_empty())
            .collect();
        if kind == Kind::Database {
            volumes.push(format!("{uuid}-data"));
        }
        world.destroyed.extend(volumes);
    }
    let delay = world.delete_delay;
    if let Some(row) = world.get_mut(kind, uuid)
        && row.deleting.is_none()
    {
        row.deleting = Some(delay);
        row.set("status", json!("exited"));
    }
}

fn checks(world: &World, body: &Map<String, Json>) -> Result<(), Reply> {
    let packs: &'static [&'static str] = if world.is(4, 1, 0) {
        &[
            "nixpacks",
            "railpack",
            "static",
            "dockerfile",
            "dockercompose",
        ]
    } else {
        &["nixpacks", "static", "dockerfile", "dockercompose"]
    };
    let shapes = [
        ("build_pack", Shape::OneOf(packs)),
        ("redirect", Shape::OneOf(&["www", "non-www", "both"])),
        ("static_image", Shape::OneOf(&["nginx:alpine"])),
        (
            "health_check_method",
            Shape::OneOf(&["GET", "HEAD", "POST", "OPTIONS"]),
        ),
        ("health_check_type", Shape::OneOf(&["http", "cmd"])),
        ("health_check_scheme", Shape::OneOf(&["http", "https"])),
        ("ports_exposes", Shape::Ports),
        ("ports_mappings", Shape::Mappings),
        ("base_directory", Shape::Path),
        ("publish_directory", Shape::Path),
        ("health_check_path", Shape::Path),
        ("custom_labels", Shape::Base64),
        ("custom_nginx_configuration", Shape::Base64),
        ("name", Shape::Text),
        ("description", Shape::Text),
        ("domains", Shape::Text),
        ("limits_memory", Shape::Text),
        ("limits_cpus", Shape::Text),
        ("health_check_port", Shape::Text),
    ];
    for (field, wanted) in shapes {
        shape(body, field, wanted)?;
    }
    for field in [
        "health_check_return_code",
        "health_check_interval",
        "health_check_timeout",
        "health_check_retries",
        "health_check_start_period",
        "limits_cpu_shares",
        "limits_memory_swappiness",
        "docker_images_to_keep",
        "stop_grace_period",
        "max_restart_count",
    ] {
        shape(body, field, Shape::Whole)?;
    }
    for (field, ..) in SETTINGS {
        shape(body, field, Shape::Flag)?;
    }
    for field in [
        "health_check_enabled",
        "instant_deploy",
        "autogenerate_domain",
        "force_domain_override",
        "is_http_basic_auth_enabled",
    ] {
        shape(body, field, Shape::Flag)?;
    }
    if body
        .get("name")
        .and_then(Json::as_str)
        .is_some_and(|name| name.chars().count() > 255)
    {
        return Err(invalid(
            "name",
            "The name may not be greater than 255 characters.",
        ));
    }
    if let Some(path) = body.get("health_check_path").and_then(Json::as_str)
        && path.contains(['?', '&', '#', ' '])
    {
        return Err(invalid(
            "health_check_path",
            "The health check path format is invalid.",
        ));
    }
    if let Some(text) = body.get("health_check_command").and_then(Json::as_str)
        && (text.len() > 1000 || text.contains(['|', ';', '$', '`', '<', '>']))
    {
        return Err(invalid(
            "health_check_command",
            "The health check command contains invalid characters.",
        ));
    }
    for field in ["install_command", "build_command", "start_command"] {
        if body.get(field).and_then(Json::as_str).is_some_and(|text| {
            text.contains(['$', '`', ';', '|', '<', '>']) && !text.contains("||")
        }) {
            return Err(invalid(
                field,
                &format!(
                    "The {} contains forbidden characters.",
                    field.replace('_', " ")
                ),
            ));
        }
    }
    Ok(())
}

fn create(world: &mut World, source: &str, body: &Map<String, Json>) -> Answer {
    only(world, body, &[fields::APPLICATION_CREATE])?;
    let needs: &[&str] = match source {
        "public" => &["git_repository", "git_branch", "build_pack"],
        "private-github-app" => &[
            "git_repository",
            "git_branch",
            "build_pack",
            "github_app_uuid",
        ],
        "private-deploy-key" => &[
            "git_repository",
            "git_branch",
            "build_pack",
            "private_key_uuid",
        ],
        "dockerfile" => &["dockerfile"],
        _ => &["docker_registry_image_name"],
    };
    required(body, needs)?;
    if !world.is(4, 1, 2) && !matches!(source, "dockerfile") {
        required(body, &["ports_exposes"])?;
    }
    checks(world, body)?;
    let (environment, server) = project::place(world, body)?;
    let wanted = match body.get("domains").and_then(Json::as_str) {
        Some(text) => Some(domains("domains", text)?),
        None => None,
    };
    if let Some(wanted) = &wanted {
        conflicts(world, None, wanted, body)?;
    }
    if source == "private-deploy-key" {
        let key = body
            .get("private_key_uuid")
            .and_then(Json::as_str)
            .unwrap_or_default();
        world
            .get(Kind::Key, key)
            .ok_or_else(|| message(404, "Private Key not found."))?;
    }
    let mut row = new_row(world, &environment, &server);
    let uuid = row.uuid();
    store(&mut row, body)?;
    match source {
        "public" => {
            // GitHub's own repositories are kept short.
            let repository = row.text("git_repository");
            if let Some(short) = repository.strip_prefix("https://github.com/") {
                row.set("git_repository", json!(short));
            }
        }
        "dockerfile" => {
            let text = body["dockerfile"].as_str().and_then(decode);
            let text = text
                .ok_or_else(|| invalid("dockerfile", "The dockerfile should be base64 encoded."))?;
            row.set("dockerfile", json!(text));
            row.set("build_pack", json!("dockerfile"));
            // The port is looked for in the base64 text, and what is found there wins.
            row.set("ports_exposes", json!("80"));
        }
        "dockerimage" => {
            row.set("build_pack", json!("dockerimage"));
            image(&mut row)?;
        }
        _ => {}
    }
    if wanted.is_none() && body.get("autogenerate_domain").and_then(Json::as_bool) != Some(false) {
        let ip = world
            .get(Kind::Server, &server)
            .map(|row| row.text("ip"))
            .unwrap_or_default();
        row.set("fqdn", json!(format!("http://{uuid}.{ip}.sslip.io")));
    }
    let listed: Vec<String> = row
        .text("fqdn")
        .split(',')
        .filter(|domain| !domain.is_empty())
        .map(str::to_owned)
        .collect();
    world.on.insert(uuid.clone(), server.clone());
    world.put(row);
    if project::vanishes(world, &server) {
        world.remove(Kind::Application, &uuid);
    } else if body.get("instant_deploy").and_then(Json::as_bool) == Some(true)
        && deploy::queue(world, &uuid, false).is_err()
    {
        return Ok(message(200, "Deployment already queued for this commit."));
    }
    Ok(Reply::json(201, &json!({"uuid": uuid, "domains": listed})))
}

/// An image's name and tag are told apart, whatever way they were given.
fn image(row: &mut Row) -> Result<(), Reply> {
    let name = row.text("docker_registry_image_name");
    if name.chars().any(char::is_uppercase) {
        return Err(invalid(
            "docker_registry_image_name",
            "The docker registry image name format is invalid.",
        ));
    }
    if let Some((name, digest)) = name.split_once("@sha256:") {
        row.set(
            "docker_registry_image_name",
            json!(format!("{name}@sha256")),
        );
        row.set("docker_registry_image_tag", json!(digest));
        return Ok(());
    }
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    if let Some(at) = name[slash..].find(':') {
        let (name, tag) = (
            name[..slash + at].to_owned(),
            name[slash + at + 1..].to_owned(),
        );
        row.set("docker_registry_image_name", json!(name));
        row.set("docker_registry_image_tag", json!(tag));
    }
    if row.text("docker_registry_image_tag").is_empty() {
        row.set("docker_registry_image_tag", json!("latest"));
    }
    Ok(())
}

/// Keeps what was asked for: in the columns, or in the settings.
fn store(row: &mut Row, body: &Map<String, Json>) -> Result<(), Reply> {
    for (field, value) in body {
        if TRANSIENT.contains(&field.as_str()) || field == "dockerfile" {
            continue;
        }
        if let Some((_, stored, default)) = SETTINGS.iter().find(|(name, ..)| name == field) {
            let value = if value.is_null() {
                json!(default)
            } else {
                value.clone()
            };
            row.settings.insert((*stored).to_owned(), value);
        } else if NUMBERS.iter().any(|(name, _)| name == field) {
            row.settings.insert(field.clone(), value.clone());
        } else if field == "domains" {
            let text = value
                .as_str()
                .map(|text| domains("domains", text))
                .transpose()?;
            row.set("fqdn", json!(text));
        } else if field == "custom_nginx_configuration" {
            row.set(field, json!(value.as_str().and_then(decode)));
        } else {
            row.set(field, value.clone());
        }
    }
    Ok(())
}

/// 409 unless it is forced.
pub(super) fn conflicts(
    world: &World,
    own: Option<&str>,
    wanted: &str,
    body: &Map<String, Json>,
) -> Result<(), Reply> {
    if body.get("force_domain_override").and_then(Json::as_bool) == Some(true) {
        return Ok(());
    }
    let host = |domain: &str| {
        domain
            .split("://")
            .nth(1)
            .unwrap_or(domain)
            .trim_end_matches('/')
            .to_owned()
    };
    let mut found = Vec::new();
    for row in world
        .all()
        .iter()
        .filter(|row| matches!(row.kind, Kind::Application | Kind::Service))
    {
        if Some(row.uuid().as_str()) == own || row.deleting.is_some() {
            continue;
        }
        let taken = match row.kind {
            Kind::Application => row.text("fqdn"),
            _ => super::service::domains_of(row).join(","),
        };
        for domain in wanted.split(',') {
            if taken
                .split(',')
                .any(|taken| !taken.is_empty() && host(taken) == host(domain))
            {
                let kind = if row.kind == Kind::Application {
                    "application"
                } else {
                    "service"
                };
                found.push(json!({
                    "domain": host(domain), "resource_name": row.text("name"), "resource_uuid": row.uuid(), "resource_type": kind,
                    "message": format!("Domain {} is already in use by {kind} '{}'", host(domain), row.text("name")),
                }));
            }
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Reply::json(
        409,
        &json!({
            "message": "Domain conflicts detected. Use force_domain_override=true to proceed.",
            "conflicts": found,
            "warning": "Using the same domain for multiple resources can cause routing conflicts and unpredictable behavior.",
        }),
    ))
}

fn update(world: &mut World, uuid: &str, body: &Map<String, Json>) -> Answer {
    world.get(Kind::Application, uuid).ok_or_else(gone)?;
    only(world, body, &[fields::APPLICATION_UPDATE])?;
    checks(world, body)?;
    if let Some(wanted) = body.get("domains").and_then(Json::as_str) {
        let wanted = domains("domains", wanted)?;
        conflicts(world, Some(uuid), &wanted, body)?;
    }
    let now = world.now();
    let row = world.get_mut(Kind::Application, uuid).ok_or_else(gone)?;
    store(row, body)?;
    if row.text("build_pack") == "dockerimage" {
        image(row)?;
    }
    row.set("updated_at", json!(now));
    Ok(Reply::json(200, &json!({"uuid": uuid})))
}
