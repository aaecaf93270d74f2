//! From Coolify's refusals to errors that say what to do.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Path;
use fabrik_http::Reply;
use serde::Deserialize;
use serde_json::Value as Json;

/// What Coolify's error bodies may hold.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Refusal {
    message: String,
    error: Option<String>,
    /// A map of fields to a text or a list of texts, or a list of field names.
    errors: Json,
    conflicts: Vec<Conflict>,
    /// Odd: true in some refusals.
    success: Option<bool>,
    valid_service_types: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Conflict {
    domain: String,
    resource_name: String,
    resource_uuid: String,
    resource_type: String,
}

/// Where a request field stands in a spec.
const FIELDS: &[(&str, &str)] = &[
    ("base_directory", "build.base_directory"),
    ("build_command", "build.command"),
    ("build_pack", "build.pack"),
    ("custom_docker_run_options", "docker_options"),
    ("custom_labels", "labels"),
    ("custom_network_aliases", "network_aliases"),
    ("docker_compose_raw", "compose"),
    ("docker_registry_image_name", "image"),
    ("docker_registry_image_tag", "image"),
    ("dockerfile_location", "build.dockerfile"),
    ("dockerfile_target_build", "build.target"),
    ("environment_name", "environment"),
    ("frequency", "schedule"),
    ("git_branch", "git.branch"),
    ("git_repository", "git.repository"),
    ("health_check_command", "health.command"),
    ("health_check_method", "health.method"),
    ("health_check_path", "health.path"),
    ("install_command", "build.install"),
    ("mount_path", "path"),
    ("ports_exposes", "ports"),
    ("ports_mappings", "publish"),
    ("private_key_uuid", "git.deploy_key"),
    ("project_uuid", "project"),
    ("publish_directory", "build.publish_directory"),
    ("s3_storage_uuid", "s3"),
    ("server_uuid", "server"),
    ("start_command", "build.start"),
    ("type", "template"),
    ("static_image", "build.static"),
];

fn spec_field(field: &str) -> Path {
    let found = FIELDS.iter().find(|(name, _)| *name == field);
    Path::parse(found.map_or(field, |(_, path)| path))
}

/// The ability a route needs.
fn ability(operation: &str) -> &'static str {
    let (method, route) = operation.split_once(' ').unwrap_or((operation, ""));
    let is_action = route == "/deploy"
        || ["/start", "/stop", "/restart", "/cancel", "/rollback"]
            .iter()
            .any(|end| route.ends_with(end));
    match (method, is_action) {
        (_, true) => "deploy",
        ("GET", _) => "read",
        _ => "write",
    }
}

/// The error a reply stands for; `None` when it is fine, or has nothing of Coolify's own.
pub(crate) fn problem(reply: &Reply) -> Option<Error> {
    if reply.status() < 400 || reply.is_html() {
        return None;
    }
    let said: Refusal = serde_json::from_slice(reply.bytes()).unwrap_or_default();
    let words = reply.clean(&said.message);
    let error = match reply.status() {
        401 => wrong_token(),
        400 if said.message == "Invalid token." => wrong_token(),
        403 => forbidden(reply, &said, &words),
        409 if !said.conflicts.is_empty() => domain_conflict(reply, &said),
        409 => Error::new(ErrorKind::Conflict, words).hint(
            "choose another name, or take what is there over with `fabrik import`",
        ),
        422 => invalid(reply, &said, &words),
        400 if words.contains("already used by another database") => {
            Error::new(ErrorKind::Conflict, words).field(Path::key("public_port")).hint("choose another port")
        }
        400 if words.contains("has resources") => Error::new(ErrorKind::Refused, words)
            .effect(fabrik_core::error::Effect::None)
            .hint("delete what is in it first"),
        400 => Error::new(ErrorKind::Invalid, with_reason(words, said.error.as_deref().map(|text| reply.clean(text)))),
        404 if !said.valid_service_types.is_empty() => {
            let types: Vec<String> = said.valid_service_types.iter().take(20).map(|name| reply.clean(name)).collect();
            Error::new(ErrorKind::Invalid, "Coolify has no service of this type")
                .field(Path::key("template"))
                .hint(format!("some of the types it has: {}", types.join(", ")))
        }
        404 => Error::new(ErrorKind::NotFound, if words.is_empty() { "Coolify has no such thing".to_owned() } else { words }),
        429 if reply.operation() == "POST /deploy" && words.to_lowercase().contains("queue") => Error::new(
            ErrorKind::Quota,
            "the deployment queue of the server is full",
        )
        .temporary(true)
        .hint("wait until deployments have ended, cancel some in the dashboard, or raise the server's deployment queue limit"),
        429 => Error::new(ErrorKind::RateLimited, "Coolify answers no more requests of this user for a while")
            .hint("lower `requests_per_minute`, or raise `API_RATE_LIMIT` in Coolify's environment"),
        _ => return None,
    };
    Some(error)
}

fn with_reason(words: String, reason: Option<String>) -> String {
    match reason {
        Some(reason) => format!("{words} {reason}"),
        None => words,
    }
}

fn wrong_token() -> Error {
    Error::new(ErrorKind::Auth, "Coolify does not accept the token")
        .field(Path::key("token"))
        .hint("make one under Keys & Tokens, API Tokens, and give all of it, with the number and `|` before it, as `token` or in COOLIFY_API_TOKEN")
}

fn forbidden(reply: &Reply, said: &Refusal, words: &str) -> Error {
    // Coolify says `success: true` in these two refusals.
    if said.success == Some(true) && words.contains("disabled") {
        return Error::new(ErrorKind::Permission, "Coolify's API is switched off")
            .hint("switch it on under Settings, Advanced, API Access");
    }
    if said.success == Some(true) {
        return Error::new(
            ErrorKind::Permission,
            "Coolify does not let this machine's address use its API",
        )
        .hint("add the address under Settings, Advanced, Allowed IPs for API Access");
    }
    if said.error.as_deref() == Some("Unauthorized") {
        return Error::new(
            ErrorKind::Permission,
            "the user the token belongs to is not allowed to do this",
        )
        .hint("make the token as an owner or admin of the team");
    }
    let ability = ability(reply.operation());
    Error::new(ErrorKind::Permission, format!("the token lacks the ability `{ability}`"))
        .field(Path::key("token"))
        .hint(format!("abilities of a token are fixed: make a new one with `{ability}` under Keys & Tokens, API Tokens"))
}

fn domain_conflict(reply: &Reply, said: &Refusal) -> Error {
    let taken: Vec<String> = said
        .conflicts
        .iter()
        .map(|conflict| {
            reply.clean(&format!(
                "{} belongs to the {} `{}` ({})",
                conflict.domain,
                conflict.resource_type,
                conflict.resource_name,
                conflict.resource_uuid
            ))
        })
        .collect();
    let field = if reply.operation().contains("/services") {
        "urls"
    } else {
        "domains"
    };
    Error::new(ErrorKind::Conflict, format!("the domain is taken: {}", taken.join("; ")))
        .field(Path::key(field))
        .hint("choose another domain, take it from the other one first, or set `force_domains: true` to have it twice")
}

fn invalid(reply: &Reply, said: &Refusal, words: &str) -> Error {
    let complaints: Vec<(String, String)> = match &said.errors {
        Json::Object(fields) => fields
            .iter()
            .map(|(field, complaint)| {
                let text = match complaint {
                    Json::String(text) => text.clone(),
                    Json::Array(items) => {
                        let texts: Vec<&str> = items.iter().filter_map(Json::as_str).collect();
                        texts.join(" ")
                    }
                    _ => String::new(),
                };
                (field.clone(), text)
            })
            .collect(),
        // Creating a database: names of unknown fields only.
        Json::Array(names) => names
            .iter()
            .filter_map(Json::as_str)
            .map(|name| (name.to_owned(), "This field is not allowed.".to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    if words.contains("already exists") {
        return Error::new(ErrorKind::Conflict, words)
            .hint("take what is there over with `fabrik import`; it may belong to another team of this Coolify");
    }
    if reply.operation().ends_with("/security/keys") && words.contains("private key is invalid") {
        return Error::new(
            ErrorKind::Invalid,
            "this is no private key that Coolify can read",
        )
        .field(Path::key("private_key"))
        .hint(
            "give the whole key in PEM form, with its BEGIN and END lines and without a passphrase",
        );
    }
    let Some((first, _)) = complaints.first() else {
        return Error::new(ErrorKind::Invalid, words);
    };
    let told: Vec<String> = complaints
        .iter()
        .map(|(field, text)| reply.clean(&format!("{field}: {text}")))
        .collect();
    let error = Error::new(
        ErrorKind::Invalid,
        format!("Coolify refuses the request: {}", told.join("; ")),
    )
    .field(spec_field(first));
    if complaints
        .iter()
        .any(|(_, text)| text.contains("not allowed"))
    {
        return error.hint("this version of Coolify does not know the field; update Coolify, or take it out of the spec");
    }
    error
}
