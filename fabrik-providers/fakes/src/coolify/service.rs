//! Services: compose stacks.

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, Shape, decode, domains, invalid, message, only, shape};
use super::world::{Kind, Row, World};
use super::{app, deploy, fields, project, route, yaml};

/// Only sensitive tokens see these.
pub(super) const HIDDEN: &[&str] = &["docker_compose_raw", "docker_compose"];

/// The catalogue, shortened.
const TYPES: &[&str] = &["gitea", "uptime-kuma", "wordpress-with-mysql"];

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
                .rows(Kind::Service)
                .map(|row| row.shown(HIDDEN, sensitive));
            Ok(Reply::json(200, &found.collect()))
        }
        ("GET", [uuid]) => {
            let row = world.get(Kind::Service, uuid).ok_or_else(gone)?;
            Ok(Reply::json(200, &row.shown(HIDDEN, sensitive)))
        }
        ("POST", []) => create(world, body),
        ("PATCH", [uuid]) => update(world, uuid, body),
        ("DELETE", [uuid]) => {
            world.get(Kind::Service, uuid).ok_or_else(gone)?;
            app::delete(world, Kind::Service, uuid, request);
            Ok(message(200, "Service deletion request queued."))
        }
        _ => Err(route::nothing()),
    }
}

fn gone() -> Reply {
    message(404, "Service not found.")
}

/// Where its containers answer, sorted.
pub(super) fn domains_of(row: &Row) -> Vec<String> {
    let applications = row.fields.get("applications").and_then(Json::as_array);
    let mut found: Vec<String> = applications
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("fqdn")?.as_str())
        .flat_map(|fqdn| fqdn.split(',').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    found.sort();
    found
}

/// The containers of a dumped compose text: names and images of `services`.
fn containers(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        if indent == 0 {
            inside = line.starts_with("services:");
        } else if inside && indent == 2 && line.ends_with(':') {
            found.push((
                line.trim_end_matches(':').trim_matches('\'').to_owned(),
                String::new(),
            ));
        } else if inside
            && indent == 4
            && let Some(image) = line.strip_prefix("image:")
            && let Some(last) = found.last_mut()
        {
            image.trim().trim_matches('\'').clone_into(&mut last.1);
        }
    }
    found
}

fn compose(
    row: &mut Row,
    encoded: &str,
    world_ids: &mut dyn FnMut() -> String,
) -> Result<(), Reply> {
    let text = decode(encoded).ok_or_else(|| {
        invalid(
            "docker_compose_raw",
            "The docker_compose_raw should be base64 encoded.",
        )
    })?;
    let text = yaml::dumped(&text)
        .ok_or_else(|| Reply::json(422, &json!({"message": "Validation failed.", "errors": {"docker_compose_raw": "Docker Compose file must contain a services section."}})))?;
    let found = containers(&text);
    if let Some((name, _)) = found
        .iter()
        .find(|(name, _)| name.contains(['$', '`', ';', '|', '&']))
    {
        return Err(invalid(
            "docker_compose_raw",
            &format!("Invalid service name: {name}"),
        ));
    }
    let old = row
        .fields
        .get("applications")
        .and_then(Json::as_array)
        .cloned()
        .unwrap_or_default();
    let mut applications = Vec::new();
    let mut databases = Vec::new();
    for (name, image) in found {
        let kept = old
            .iter()
            .find(|container| container["name"] == json!(name))
            .cloned();
        let mut container = kept.unwrap_or_else(
            || json!({"uuid": world_ids(), "name": name, "fqdn": null, "status": "exited"}),
        );
        container["image"] = json!(image);
        let is_database = ["postgres", "mysql", "mariadb", "redis", "mongo"]
            .iter()
            .any(|engine| image.starts_with(engine));
        if is_database {
            databases.push(container);
        } else {
            applications.push(container);
        }
    }
    row.set("docker_compose_raw", json!(text));
    row.set("docker_compose", json!(text));
    row.set("applications", Json::Array(applications));
    row.set("databases", Json::Array(databases));
    Ok(())
}

fn urls(row: &mut Row, body: &Map<String, Json>) -> Result<(), Reply> {
    for item in body
        .get("urls")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let name = item["name"].as_str().unwrap_or_default();
        let url = item["url"]
            .as_str()
            .map(|url| domains("urls", url))
            .transpose()?;
        let Some(containers) = row
            .fields
            .get_mut("applications")
            .and_then(Json::as_array_mut)
        else {
            continue;
        };
        let Some(container) = containers
            .iter_mut()
            .find(|container| container["name"] == json!(name))
        else {
            return Err(Reply::json(
                422,
                &json!({"message": "Validation failed.", "errors": {"urls": [format!("Service container with '{name}' not found.")]}}),
            ));
        };
        container["fqdn"] = json!(url);
    }
    Ok(())
}

fn wanted_urls(body: &Map<String, Json>) -> Result<String, Reply> {
    let items = body.get("urls").and_then(Json::as_array);
    let listed: Result<Vec<String>, Reply> = items
        .into_iter()
        .flatten()
        .filter_map(|item| item["url"].as_str())
        .map(|url| domains("urls", url))
        .collect();
    Ok(listed?.join(","))
}

fn create(world: &mut World, body: &Map<String, Json>) -> Answer {
    only(world, body, &[fields::SERVICE_CREATE])?;
    shape(body, "is_container_label_escape_enabled", Shape::Flag)?;
    let text = |field: &str| body.get(field).and_then(Json::as_str);
    if text("type").is_some() == text("docker_compose_raw").is_some() {
        return Err(message(
            422,
            "You need to provide either type or docker_compose_raw, not both.",
        ));
    }
    let (environment, server) = project::place(world, body)?;
    let wanted = wanted_urls(body)?;
    app::conflicts(world, None, &wanted, body)?;
    let (uuid, id, now) = (world.uuid(), world.number(), world.now());
    let name = text("name").map_or_else(|| format!("service-{uuid}"), str::to_owned);
    let mut row = Row::new(
        Kind::Service,
        &environment,
        json!({
            "id": id, "uuid": uuid, "name": name, "description": text("description"), "status": "exited",
            "service_type": text("type"), "connect_to_docker_network": false,
            "is_container_label_escape_enabled": body.get("is_container_label_escape_enabled").and_then(Json::as_bool).unwrap_or(true),
            "config_hash": null, "created_at": now, "updated_at": now,
        }),
    );
    let encoded = match text("type") {
        None => text("docker_compose_raw").unwrap_or_default().to_owned(),
        Some(kind) if TYPES.contains(&kind) => {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD
                .encode(format!("services:\n  {kind}:\n    image: {kind}:1\n"))
        }
        Some(_) => {
            return Err(Reply::json(
                404,
                &json!({"message": "Service not found.", "valid_service_types": TYPES}),
            ));
        }
    };
    compose(&mut row, &encoded, &mut || world.uuid())?;
    urls(&mut row, body)?;
    let listed = domains_of(&row);
    let magic: Vec<String> = row
        .text("docker_compose_raw")
        .lines()
        .filter_map(|line| {
            let at = line.find("SERVICE_")?;
            let name: String = line[at..]
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            Some(name)
        })
        .collect();
    world.on.insert(uuid.clone(), server.clone());
    world.put(row);
    for name in magic {
        super::env::by_hand(world, &uuid, &name, "generated", true);
    }
    if project::vanishes(world, &server) {
        world.remove(Kind::Service, &uuid);
    } else if body.get("instant_deploy").and_then(Json::as_bool) == Some(true) {
        deploy::start(world, Kind::Service, &uuid);
    }
    Ok(Reply::json(201, &json!({"uuid": uuid, "domains": listed})))
}

fn update(world: &mut World, uuid: &str, body: &Map<String, Json>) -> Answer {
    world.get(Kind::Service, uuid).ok_or_else(gone)?;
    only(world, body, &[fields::SERVICE_UPDATE])?;
    shape(body, "connect_to_docker_network", Shape::Flag)?;
    shape(body, "is_container_label_escape_enabled", Shape::Flag)?;
    let mut row = world.get(Kind::Service, uuid).cloned().ok_or_else(gone)?;
    // The compose text is kept before the URLs are looked at.
    if let Some(encoded) = body.get("docker_compose_raw").and_then(Json::as_str) {
        compose(&mut row, encoded, &mut || world.uuid())?;
    }
    for field in [
        "name",
        "description",
        "connect_to_docker_network",
        "is_container_label_escape_enabled",
    ] {
        if let Some(value) = body.get(field) {
            row.set(field, value.clone());
        }
    }
    let now = world.now();
    row.set("updated_at", json!(now));
    let kept = row.clone();
    if let Some(there) = world.get_mut(Kind::Service, uuid) {
        *there = kept;
    }
    let wanted = wanted_urls(body)?;
    app::conflicts(world, Some(uuid), &wanted, body)?;
    urls(&mut row, body)?;
    let listed = domains_of(&row);
    if let Some(there) = world.get_mut(Kind::Service, uuid) {
        *there = row;
    }
    Ok(Reply::json(200, &json!({"uuid": uuid, "domains": listed})))
}
