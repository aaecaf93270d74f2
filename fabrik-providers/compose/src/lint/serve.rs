//! What a service should have on a platform, and what it should not.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::value::Path;
use serde_json::Value as Json;

use super::{Findings, is_checked, is_job, item, service_path};
use crate::interpolate::{Otherwise, Piece, has_variables, pieces};
use crate::model::{File, Service};
use crate::pages;

pub(super) fn check(file: &File, name: &str, service: &Service, found: &mut Findings) {
    let at = service_path(name);
    let is_job = is_job(file, name, service);
    if !is_job && !is_checked(service) {
        let message = format!("`{name}` has no health check");
        let hint = "add `healthcheck:` with a `test` that fails when it does not answer";
        found.warn(pages::HEALTH, at.clone(), message, hint);
    }
    let has_limit = service
        .limits()
        .is_some_and(|limits| limits.memory.is_some());
    if !has_limit && !service.other.contains_key("mem_limit") {
        let message = format!("`{name}` may use all memory of the server");
        let hint = "add `deploy: {resources: {limits: {memory: 512m}}}`";
        found.warn(pages::LIMITS, at.clone(), message, hint);
    }
    if service.restart.is_none() && !is_job && !restarts_by_deploy(service) {
        let message = format!("`{name}` is not started again when it ends");
        let hint = "add `restart: unless-stopped`, or `restart: \"no\"` for what runs once";
        found.warn(pages::RESTART, at.clone(), message, hint);
    }
    image(name, service, &at, found);
    ports(service, &at, found);
    networks(file, name, service, &at, found);
    secrets(service, &at, found);
    rights(service, &at, found);
    mounts(service, &at, found);
    waits(file, service, &at, found);
    health_program(service, &at, found);
    for key in ["links", "volumes_from", "external_links"] {
        if service.other.contains_key(key) {
            let message = format!("`{key}` is left over from old versions of Compose");
            let hint = "remove it: services find each other by name in their networks";
            found.warn(pages::OBSOLETE, at.join(key), message, hint);
        }
    }
    if service.other.contains_key("container_name") {
        let message = "a fixed container name allows one container only".to_owned();
        let hint = "remove it: others reach the service by its own name";
        found.warn(
            pages::CONTAINER_NAME,
            at.join("container_name"),
            message,
            hint,
        );
    }
}

fn restarts_by_deploy(service: &Service) -> bool {
    let deploy = service.deploy.as_ref();
    deploy.is_some_and(|deploy| deploy.other.contains_key("restart_policy"))
}

/// What is wrong with how an image is named.
fn unstable(name: &str, image: &str) -> Option<String> {
    // Known by its digest.
    if image.contains('@') {
        return None;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, "latest")) => Some(format!(
            "the image of `{name}` is another one tomorrow: `{image}`"
        )),
        None if !has_variables(last) => {
            Some(format!("the image of `{name}` has no tag: `{image}`"))
        }
        _ => None,
    }
}

fn image(name: &str, service: &Service, at: &Path, found: &mut Findings) {
    let image = service.image.as_deref().filter(|_| service.build.is_none());
    if let Some(message) = image.and_then(|image| unstable(name, image)) {
        let hint = "name a version, such as `nginx:1.29.1`";
        found.warn(pages::LATEST, at.join("image"), message, hint);
    }
}

fn ports(service: &Service, at: &Path, found: &mut Findings) {
    for (index, port) in service.ports.iter().enumerate() {
        let is_private = port
            .host_ip
            .as_deref()
            .is_some_and(|address| address.starts_with("127.") || address == "::1");
        if is_private {
            continue;
        }
        let shown = port.published.as_deref().unwrap_or("a free port");
        let message = format!("{shown} of the host leads past the platform's proxy");
        let hint = format!(
            "use `expose: [\"{}\"]` and a domain, or bind it to `127.0.0.1`",
            port.target
        );
        found.warn(
            pages::HOST_PORT,
            item(&at.join("ports"), index),
            message,
            hint,
        );
    }
}

fn networks(file: &File, name: &str, service: &Service, at: &Path, found: &mut Findings) {
    let mode = service.other.get("network_mode").and_then(Json::as_str);
    if mode == Some("host") {
        let message = format!("`{name}` is on the host's own network");
        let hint = "remove `network_mode` and name the networks it joins";
        found.warn(pages::NETWORK, at.join("network_mode"), message, hint);
    } else if mode.is_none() && service.networks.is_empty() && file.services.len() > 1 {
        let message = format!("`{name}` is on the default network, with every other service");
        let hint = "name networks, and say which it joins: `networks: [back]`";
        found.warn(pages::NETWORK, at.clone(), message, hint);
    }
}

/// Words in names of what is secret.
const SECRET_WORDS: [&str; 10] = [
    "password",
    "passwd",
    "pass",
    "secret",
    "token",
    "apikey",
    "passphrase",
    "credential",
    "credentials",
    "pwd",
];
/// Two words that are one.
const SECRET_PAIRS: [(&str, &str); 4] = [
    ("api", "key"),
    ("private", "key"),
    ("access", "key"),
    ("encryption", "key"),
];

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    // A path to a secret is none, nor is how long one lives.
    if matches!(
        words.last(),
        Some(&("file" | "path" | "id" | "ttl" | "expiry" | "length"))
    ) {
        return false;
    }
    words.iter().any(|word| SECRET_WORDS.contains(word))
        || words.windows(2).any(|two| {
            SECRET_PAIRS
                .iter()
                .any(|(first, second)| two == [*first, *second])
        })
}

/// Whether a text has user and password before a host: `postgres://app:hunter2@db`.
fn has_credentials(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', ' ']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .and_then(|(user, _)| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty() && !has_variables(password))
}

/// The text that stands in the file: the whole one, or a variable's default.
fn written(text: &str) -> String {
    let mut out = String::new();
    for piece in pieces(text).unwrap_or_default() {
        match piece {
            Piece::Text(text) => out.push_str(&text),
            Piece::Variable(variable) => {
                if let Otherwise::Default(default) = variable.otherwise {
                    for piece in default {
                        if let Piece::Text(text) = piece {
                            out.push_str(&text);
                        }
                    }
                }
            }
        }
    }
    out
}

fn secrets(service: &Service, at: &Path, found: &mut Findings) {
    let build = service.build.as_ref().map(|build| &build.args);
    let blocks = [
        (at.join("environment"), Some(&service.environment)),
        (at.join("labels"), Some(&service.labels)),
        (at.join("build").join("args"), build),
    ];
    for (path, pairs) in blocks {
        for (name, value) in pairs.into_iter().flatten() {
            magic(name, &path, found);
            let Some(value) = value else { continue };
            let literal = written(value);
            let is_switch = matches!(
                literal.as_str(),
                "" | "true" | "false" | "yes" | "no" | "0" | "1"
            );
            let is_secret = sounds_secret(name) && !is_switch;
            if is_secret || has_credentials(value) {
                // The value itself is not repeated.
                let message =
                    format!("the value of `{name}` looks like a secret that stands in the file");
                let hint = format!("write `${{{name}:?}}`, and set it where the file is used");
                found.warn(pages::SECRET, path.join(name.as_str()), message, hint);
            }
        }
    }
}

/// Second words of variables that Coolify makes.
const MAGIC: [&str; 8] = [
    "FQDN",
    "URL",
    "NAME",
    "USER",
    "PASSWORD",
    "PASSWORDWITHSYMBOLS",
    "BASE64",
    "REALBASE64",
];

fn magic(name: &str, path: &Path, found: &mut Findings) {
    let Some(word) = name
        .strip_prefix("SERVICE_")
        .and_then(|rest| rest.split('_').next())
    else {
        return;
    };
    if let Some(near) = did_you_mean(word, MAGIC).filter(|near| *near != word) {
        let message = format!("the platform makes no variable `SERVICE_{word}_…`");
        let hint = format!("did you mean `SERVICE_{near}_…`?");
        found.warn(pages::MAGIC, path.join(name), message, hint);
    }
}

fn rights(service: &Service, at: &Path, found: &mut Findings) {
    let hint = "give the one right that is needed";
    for (key, bad) in [
        ("privileged", Json::Bool(true)),
        ("pid", Json::from("host")),
    ] {
        if service.other.get(key) == Some(&bad) {
            let message = format!("`{key}` makes whoever gets in the master of the server");
            found.warn(pages::PRIVILEGED, at.join(key), message, hint);
        }
    }
    for (index, right) in service.cap_add.iter().enumerate() {
        if matches!(right.as_str(), "ALL" | "SYS_ADMIN" | "CAP_SYS_ADMIN") {
            let message = format!("`{right}` makes whoever gets in the master of the server");
            found.warn(
                pages::PRIVILEGED,
                item(&at.join("cap_add"), index),
                message,
                hint,
            );
        }
    }
    if service.other.get("use_api_socket") == Some(&Json::Bool(true)) {
        let message = "the socket of Docker is the right to everything on the server".to_owned();
        found.warn(pages::PRIVILEGED, at.join("use_api_socket"), message, hint);
    }
}

fn mounts(service: &Service, at: &Path, found: &mut Findings) {
    for (index, mount) in service.volumes.iter().enumerate() {
        let path = item(&at.join("volumes"), index);
        let source = mount.source.as_deref().unwrap_or_default();
        if source.ends_with("/docker.sock") {
            let message =
                "the socket of Docker is the right to everything on the server".to_owned();
            let hint = "put a filtering proxy before the socket";
            found.warn(pages::PRIVILEGED, path.clone(), message, hint);
        }
        if mount.kind == "bind" && source.starts_with(['.', '~']) {
            let message = format!("`{source}` is not there where the text alone is used");
            let hint = "use a named volume for data, and `configs:` with `content:` for files";
            found.warn(pages::RELATIVE, path.clone(), message, hint);
        }
        let odd = |text: &str| {
            !has_variables(text) && text.contains([';', '|', '&', '`', '<', '>', '\'', '"', '\n'])
        };
        if odd(source) || odd(&mount.target) {
            let message =
                "a path of this mount has signs that a shell takes for its own".to_owned();
            let hint = "use letters, digits, `.`, `_`, `-` and `/`";
            found.warn(pages::ODD_PATH, path, message, hint);
        }
    }
    for (index, file) in service.env_file.iter().enumerate() {
        let message = format!("`{}` is not there on a server", file.path);
        let hint = "list what is needed below `environment:` as `${NAME}`";
        found.warn(
            pages::ENV_FILE,
            item(&at.join("env_file"), index),
            message,
            hint,
        );
    }
}

fn waits(file: &File, service: &Service, at: &Path, found: &mut Findings) {
    for (name, dependency) in &service.depends_on {
        let Some(other) = file.services.get(name) else {
            continue;
        };
        let condition = dependency.condition.as_deref().unwrap_or("service_started");
        let path = at.join("depends_on").join(name.as_str());
        if condition == "service_started" && is_checked(other) {
            let message = format!("it starts before `{name}` answers");
            let hint = format!("write `depends_on: {{{name}: {{condition: service_healthy}}}}`");
            found.warn(pages::NOT_READY, path, message, hint);
        } else if condition == "service_healthy" && !is_checked(other) {
            let message =
                format!("it waits for the health of `{name}`, which has no health check here");
            let hint = format!("give `{name}` a `healthcheck`, unless its image has one");
            found.warn(pages::NOT_READY, path, message, hint);
        }
    }
}

fn health_program(service: &Service, at: &Path, found: &mut Findings) {
    let test = service
        .healthcheck
        .as_ref()
        .and_then(|health| health.test.as_ref());
    let (Some(test), Some(image)) = (test, service.image.as_deref()) else {
        return;
    };
    let text = test.text();
    let uses = |program: &str| {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .any(|word| word == program)
    };
    let (from_nothing, alpine) = (
        image.contains("distroless") || image.contains("scratch"),
        image.contains("alpine"),
    );
    let missing = if from_nothing && (uses("curl") || uses("wget") || uses("CMD-SHELL")) {
        "it"
    } else if alpine && uses("curl") && !uses("wget") {
        "`curl`"
    } else {
        return;
    };
    let message = format!("`{image}` may not have {missing}, which the health check needs");
    let hint = "use `wget -q -O /dev/null URL`, or a check that the program brings along";
    found.warn(pages::HEALTH_PROGRAM, at.join("healthcheck"), message, hint);
}
