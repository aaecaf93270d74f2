//! From a request to a reply: who may ask, what is asked for.

use std::time::{Duration, Instant};

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, message, trimmed};
use super::world::{Kind, World};
use super::{app, database, deploy, env, project, service, small};

pub(super) fn nothing() -> Reply {
    Reply::json(
        404,
        &json!({"message": "Not found.", "docs": "https://coolify.io/docs"}),
    )
}

pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let reply = match segments.as_slice() {
        ["api", "health"] | ["api", "v1", "health"] => Reply::text(200, "OK"),
        ["api", "v1", path @ ..] => match api(world, request, path) {
            Ok(reply) | Err(reply) => reply,
        },
        // Everything else is the dashboard.
        _ => Reply::html(
            200,
            "<!DOCTYPE html><html><head><title>Coolify</title></head><body>Login</body></html>",
        ),
    };
    Reply {
        after: world.delay,
        ..reply
    }
}

/// Actions: they need `deploy`, and from 4.2.0 they are POST only.
fn is_action(path: &[&str]) -> bool {
    match path {
        ["deploy"] => true,
        ["applications" | "services" | "databases", _, verb] => {
            matches!(*verb, "start" | "stop" | "restart" | "rollback")
        }
        ["deployments", _, "cancel"] => true,
        _ => false,
    }
}

fn api(world: &mut World, request: &Request, path: &[&str]) -> Answer {
    let method = request.method.as_str();
    let token = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "))
        .and_then(|token| world.tokens.get(token))
        .cloned();
    let Some(token) = token else {
        return Err(message(401, "Unauthenticated."));
    };
    // Oddly, these refusals say they are a success.
    if !world.is_api_enabled {
        return Err(Reply::json(
            403,
            &json!({"success": true, "message": "API is disabled."}),
        ));
    }
    if !world.is_allowed {
        return Err(Reply::json(
            403,
            &json!({"success": true, "message": "You are not allowed to access the API."}),
        ));
    }
    limit(world)?;
    let action = is_action(path);
    let reads = method == "GET" && !action;
    if action && method == "GET" && world.is(4, 2, 0) {
        let reply = message(
            405,
            "The GET method is not supported for this route. Supported methods: POST.",
        );
        return Err(reply.header("allow", "POST"));
    }
    let ability = match (reads, action) {
        (true, _) => "read",
        (_, true) => "deploy",
        _ => "write",
    };
    if !token.can(ability) {
        return Err(message(
            403,
            &format!("Missing required permissions: {ability}"),
        ));
    }
    if token.is_member && !reads {
        return Err(Reply::json(
            403,
            &json!({"message": "This action is unauthorized.", "error": "Unauthorized"}),
        ));
    }
    let sensitive = token.can("read:sensitive") && !token.is_member;
    world.tick();
    deploy::advance(world, path);
    let body = body(request, action)?;
    if !reads {
        let route: Vec<&str> = path
            .iter()
            .map(|part| if is_id(part) { "{}" } else { *part })
            .collect();
        world.bodies.push((
            method.to_owned(),
            format!("/{}", route.join("/")),
            Json::Object(body.clone()),
        ));
    }
    match path {
        ["version"] if reads => Ok(Reply::text(200, &world.version_text)),
        ["projects", rest @ ..] => project::answer(world, method, rest, &body, sensitive),
        ["servers", rest @ ..] => project::servers(world, method, rest),
        ["security", "keys", rest @ ..] => small::keys(world, method, rest, &body, sensitive),
        ["s3-storages", rest @ ..] if world.is(4, 3, 0) => small::s3(world, method, rest, &body),
        ["deploy"] => deploy::deploy(world, request, &body),
        ["deployments", rest @ ..] => deploy::answer(world, method, rest, request, sensitive),
        [kind, uuid, rest @ ..] if !rest.is_empty() && owner(kind).is_some() => {
            let kind = owner(kind).unwrap_or(Kind::Application);
            if world.get(kind, uuid).is_none() {
                return Err(message(404, &format!("{kind:?} not found.")));
            }
            match rest {
                ["envs", rest @ ..] => {
                    env::answer(world, kind, uuid, method, rest, &body, sensitive)
                }
                ["storages", rest @ ..] => {
                    small::storages(world, kind, uuid, method, rest, &body, sensitive)
                }
                ["scheduled-tasks", rest @ ..] if kind != Kind::Database => {
                    small::tasks(world, uuid, method, rest, &body)
                }
                ["backups", rest @ ..] if kind == Kind::Database => {
                    small::backups(world, uuid, method, rest, &body)
                }
                [verb @ ("start" | "stop" | "restart")] => {
                    deploy::act(world, kind, uuid, verb, request)
                }
                ["logs"] if reads => deploy::logs(world, kind, uuid),
                _ => Err(nothing()),
            }
        }
        ["applications", rest @ ..] => app::answer(world, method, rest, request, &body, sensitive),
        ["services", rest @ ..] => service::answer(world, method, rest, request, &body, sensitive),
        ["databases", rest @ ..] => {
            database::answer(world, method, rest, request, &body, sensitive)
        }
        _ => Err(nothing()),
    }
}

fn owner(kind: &str) -> Option<Kind> {
    match kind {
        "applications" => Some(Kind::Application),
        "services" => Some(Kind::Service),
        "databases" => Some(Kind::Database),
        _ => None,
    }
}

fn is_id(part: &str) -> bool {
    part.len() >= 20
}

/// The body of a write; mandatory for all but actions and deletes.
fn body(request: &Request, action: bool) -> Result<Map<String, Json>, Reply> {
    if !matches!(request.method.as_str(), "POST" | "PATCH" | "PUT") {
        return Ok(Map::new());
    }
    let is_json = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/json"));
    let parsed = request.json().map(trimmed);
    match parsed {
        Some(Json::Object(body)) if is_json && (!body.is_empty() || action) => Ok(body),
        _ if action => Ok(Map::new()),
        // `validate` and the like have none.
        _ if request.body.is_empty() && request.path.ends_with("/validate") => Ok(Map::new()),
        _ if !is_json => Err(Reply::json(
            400,
            &json!({"message": "Invalid request.", "error": "Content-Type must be application/json."}),
        )),
        _ => Err(Reply::json(
            400,
            &json!({"message": "Invalid request.", "error": "Invalid JSON."}),
        )),
    }
}

fn limit(world: &mut World) -> Result<(), Reply> {
    let Some(most) = world.rate_limit else {
        return Ok(());
    };
    let now = Instant::now();
    world
        .recent
        .retain(|at| now.duration_since(*at) < Duration::from_secs(60));
    if world.recent.len() >= most {
        let oldest = world
            .recent
            .first()
            .map_or(Duration::ZERO, |at| now.duration_since(*at));
        let wait = Duration::from_secs(60).saturating_sub(oldest).as_secs() + 1;
        return Err(message(429, "Too Many Attempts.").header("retry-after", &wait.to_string()));
    }
    world.recent.push(now);
    Ok(())
}

/// The flags of a delete; all are on unless said.
pub(super) fn flag(request: &Request, name: &str) -> bool {
    !matches!(request.param(name), Some("false" | "0"))
}
