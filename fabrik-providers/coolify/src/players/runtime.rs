//! Playing the role runtime: an app becomes an application, its variables and storages, and their
//! deployment.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::provider::typed::{Action as _, Resource as _};
use fabrik_core::role::{Parts, Player, PlayerFacts, RUNTIME};
use fabrik_core::stack::Options;
use fabrik_core::value::{Path, Value};
use fabrik_core::verify::parse_duration;
use serde_json::Value as Json;

use super::{Inputs, at, invalid, options, place, plain, required};
use crate::application::Application;
use crate::deployment::Deployment;
use crate::env::Env;
use crate::storage::Storage;

/// Runs apps on a server of Coolify's.
#[derive(Clone, Copy, Debug)]
pub struct RuntimePlayer;

/// The port of programs that name none; they are told it in `PORT`.
const PORT: i64 = 3000;

impl Player for RuntimePlayer {
    fn role(&self) -> &'static str {
        RUNTIME
    }

    fn options(&self) -> Json {
        let key = |description: &str| serde_json::json!({"type": "string", "minLength": 1, "description": description});
        let ssh = serde_json::json!({
            "type": "object",
            "description": "How commands reach the server, for WordPress: over SSH, by its address.",
            "additionalProperties": false,
            "properties": {
                "user": {"type": "string", "minLength": 1, "description": "The user; `root` unless set."},
                "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "The port; 22 unless set."},
                "key_file": {"type": "string", "minLength": 1, "description": "The file of the private key; what SSH itself finds unless set."},
            },
        });
        options(
            "How the app runs in Coolify.",
            &[
                ("ssh", ssh),
                (
                    "deploy_key",
                    key("The id of the private key that opens the repository."),
                ),
                (
                    "github_app",
                    key("The id of the GitHub app that opens the repository."),
                ),
            ],
        )
    }

    fn cannot(&self) -> &[&'static str] {
        &[
            "build.args",
            "files.mode",
            "headers",
            "hooks.failed",
            "hooks.pre_build",
            "limits.disk",
            "not_found",
            "redirects",
            "stop.drain",
            "stop.signal",
            "timezone",
            "tls.min_version",
            "volumes.read_only",
            "volumes.size",
        ]
    }

    fn runs(&self) -> &[&'static str] {
        &["service", "worker", "cron", "static", "wordpress"]
    }

    fn facts(&self) -> PlayerFacts {
        PlayerFacts {
            wants_dns: true,
            ends_tls: true,
        }
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = required(intent, "name")?;
        let kind = required(intent, "kind")?;
        match kind.as_str() {
            Some("cron") => return super::cron::expand(intent, own, parts),
            Some("wordpress") => return super::wordpress::expand(intent, own, parts),
            _ => {}
        }
        let is_static = kind.as_str() == Some("static");
        let answers = kind.as_str() != Some("worker");
        let mut inputs = Inputs::default();
        inputs.set("name", name.clone());
        let server = place(&name, own, &mut inputs, parts)?;
        source(intent, own, is_static, &mut inputs)?;
        let urls = domains(intent, &mut inputs)?;
        if !answers {
            // Not even the address that Coolify makes up.
            inputs.set("domains", Value::list([]));
        }
        // Before 4.1.2 Coolify insists on a port; to a worker's nothing ever leads.
        let port = match at(intent, "port") {
            Some(port) => port,
            None if is_static => Value::from(80_i64),
            None => Value::from(PORT),
        };
        inputs.set("ports", Value::list([port]));
        health(intent, &mut inputs)?;
        limits(intent, &mut inputs)?;
        settings(intent, is_static, &mut inputs)?;
        hooks(intent, &mut inputs)?;
        let app = parts.add("app", Application::TYPE, inputs.value())?;

        let id = Parts::output(&app, "uuid");
        let mut watched = vec![app.clone()];
        let tells_port = answers && !is_static && at(intent, "port").is_none();
        watched.extend(env(intent, tells_port, &id, parts)?);
        watched.extend(storages(intent, &id, parts)?);
        let deployment = parts.add(
            "deployment",
            Deployment::TYPE,
            Value::map([("application", id)]),
        )?;
        if let Some(part) = parts.part_mut(&deployment) {
            part.depends_on.clone_from(&watched);
            part.options = Arc::new(Options {
                run_when_changed: watched,
                ..part.options.as_ref().clone()
            });
        }
        let mut outputs = Inputs::default();
        outputs.set("id", Parts::output(&app, "uuid"));
        outputs.set("logs", app.as_str());
        // What was deployed, not what the spec asks for.
        let version = if at(intent, "image").is_some() {
            "image"
        } else if at(intent, "source.commit").is_some() {
            "git.commit"
        } else {
            "git.branch"
        };
        outputs.set("version", Parts::output(&app, version));
        if !answers {
            return Ok(outputs.value());
        }
        outputs.set("ingress", Parts::output(&server, "ip"));
        outputs.set("ingress_kind", "address");
        // What was deployed, not what the spec asks for.
        let version = ["image", "source.commit", "source.tag", "source.branch"]
            .into_iter()
            .find(|field| at(intent, field).is_some());
        outputs.set(
            "version",
            Parts::output(
                &app,
                match version {
                    Some("image") => "image",
                    Some("source.commit") => "git.commit",
                    _ => "git.branch",
                },
            ),
        );
        match urls.first() {
            Some((url, host)) => {
                outputs.set("url", url.clone());
                outputs.set("host", host.clone());
            }
            // Coolify makes one up.
            None => outputs.set("url", Parts::output(&app, "url")),
        }
        Ok(outputs.value())
    }
}

/// Where the program comes from, and how it is built.
fn source(intent: &Value, own: &Value, is_static: bool, inputs: &mut Inputs) -> Result<()> {
    if let Some(image) = at(intent, "image") {
        if at(intent, "command").is_some() {
            return Err(invalid(
                "command",
                "Coolify starts an image by the image's own command",
            )
            .hint("put the command into the image, or use a service with a compose text"));
        }
        inputs.set("image", image);
        return Ok(());
    }
    let Some(repository) = at(intent, "source.repo") else {
        return Err(no_repository(intent));
    };
    let mut git = Inputs::default();
    git.set("repository", repository);
    let branch = at(intent, "source.branch").or_else(|| at(intent, "source.tag"));
    git.set("branch", branch.unwrap_or_else(|| Value::from("main")));
    git.some("commit", at(intent, "source.commit").as_ref());
    git.some("deploy_key", own.get("deploy_key"));
    git.some("github_app", own.get("github_app"));
    inputs.set("git", git.value());

    let mut build = Inputs::default();
    let pack = at(intent, "build.pack");
    match pack.as_ref().map(|pack| pack.as_str().unwrap_or_default()) {
        None | Some("auto") => {
            build.set("pack", usual_pack(intent, is_static));
        }
        Some(word @ ("dockerfile" | "nixpacks" | "railpack")) => build.set("pack", word),
        Some("none") if is_static => build.set("pack", "static"),
        Some(word) => {
            return Err(
                invalid("build.pack", format!("Coolify does not build by `{word}`"))
                    .hint("use `nixpacks`, `railpack` or `dockerfile`"),
            );
        }
    }
    let folder = at(intent, "build.context").or_else(|| at(intent, "source.path"));
    build.some("base_directory", rooted(folder, "source.path")?.as_ref());
    build.some(
        "dockerfile",
        rooted(at(intent, "build.dockerfile"), "build.dockerfile")?.as_ref(),
    );
    build.some(
        "publish_directory",
        rooted(at(intent, "build.output"), "build.output")?.as_ref(),
    );
    build.some("target", at(intent, "build.target").as_ref());
    for (from, to) in [
        ("build.install", "install"),
        ("build.command", "command"),
        ("command", "start"),
    ] {
        build.some(to, command(intent, from)?.as_ref());
    }
    inputs.set("build", build.value());
    Ok(())
}

/// Who builds when nobody is named: the Dockerfile that is; else nothing at all for plain files,
/// and nixpacks for programs.
fn usual_pack(intent: &Value, is_static: bool) -> &'static str {
    let has_dockerfile =
        at(intent, "build.dockerfile").is_some() || at(intent, "build.target").is_some();
    if has_dockerfile {
        "dockerfile"
    } else if is_static && at(intent, "build.command").is_none() {
        "static"
    } else {
        "nixpacks"
    }
}

/// What is missing where there is neither an image nor a repository.
pub(super) fn no_repository(intent: &Value) -> Error {
    let folder = at(intent, "source.path");
    match folder.as_ref().and_then(Value::as_str) {
        Some(folder) => invalid(
            "source",
            format!("the folder `{folder}` is on this machine, and Coolify builds on its server"),
        )
        .hint(format!(
            "push it and write `source: {{repo: OWNER/NAME, path: {folder}}}`, or build an image and name it with `image`"
        )),
        None => invalid(
            "source",
            "Coolify runs an `image`, or builds from a repository: give `source.repo`",
        )
        .hint("a command alone has nothing to run in"),
    }
}

/// A path with a slash before it.
fn rooted(path: Option<Value>, field: &str) -> Result<Option<Value>> {
    let Some(path) = path else { return Ok(None) };
    let text = path.as_str().ok_or_else(|| {
        invalid(
            field,
            format!("`{field}` must be known when the stack is planned"),
        )
    })?;
    let text = text.trim_start_matches("./").trim_matches('/');
    Ok((!text.is_empty() && text != ".").then(|| Value::from(format!("/{text}"))))
}

/// A command as one line.
fn command(intent: &Value, field: &str) -> Result<Option<Value>> {
    match at(intent, field) {
        Some(value) if value.as_list().is_some() => {
            Err(invalid(field, "Coolify takes a command as one line")
                .hint("write it as one text instead of a list"))
        }
        other => Ok(other),
    }
}

/// URLs and host names of the domains.
fn domains(intent: &Value, inputs: &mut Inputs) -> Result<Vec<(Value, Value)>> {
    let urls = urls(intent)?;
    if !urls.is_empty() {
        inputs.set(
            "domains",
            Value::list(urls.iter().map(|(url, _)| url.clone())),
        );
    }
    let scheme = scheme(intent);
    // Where the app answers is without the path of a domain.
    Ok(urls
        .into_iter()
        .map(|(_, host)| {
            (
                Value::from(format!("{scheme}://{}", host.as_str().unwrap_or_default())),
                host,
            )
        })
        .collect())
}

fn scheme(intent: &Value) -> &'static str {
    let is_plain = at(intent, "tls.enabled").and_then(|on| on.as_bool()) == Some(false);
    if is_plain { "http" } else { "https" }
}

/// URLs of the domains, with their host names.
pub(super) fn urls(intent: &Value) -> Result<Vec<(Value, Value)>> {
    let scheme = scheme(intent);
    let listed = at(intent, "domains");
    let mut urls = Vec::new();
    for (index, domain) in listed
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let field = format!("domains[{index}].name");
        let host = at(domain, "name").ok_or_else(|| invalid(&field, "a domain has a `name`"))?;
        let Some(text) = host.as_str() else {
            return Err(invalid(
                &field,
                "the name of a domain must be known when the stack is planned",
            ));
        };
        if text.starts_with("*.") {
            return Err(invalid(
                &field,
                "Coolify answers at host names, not at all names below one",
            )
            .hint("list the host names"));
        }
        let path = at(domain, "path");
        let path = path.as_ref().and_then(Value::as_str).unwrap_or_default();
        let url = Value::from(format!("{scheme}://{text}{}", path.trim_end_matches('/')));
        urls.push((url, host));
    }
    Ok(urls)
}

/// A length of time in whole seconds.
fn seconds(value: &Value, field: &str) -> Result<Value> {
    let parsed = value.as_str().and_then(parse_duration);
    let parsed = parsed
        .ok_or_else(|| invalid(field, format!("`{field}` must be a known length of time")))?;
    let whole = i64::try_from(parsed.as_secs()).unwrap_or(i64::MAX);
    Ok(Value::from(whole.max(1)))
}

fn health(intent: &Value, inputs: &mut Inputs) -> Result<()> {
    let Some(wanted) = at(intent, "health") else {
        return Ok(());
    };
    if at(&wanted, "enabled").and_then(|on| on.as_bool()) == Some(false) {
        return Ok(());
    }
    let mut health = Inputs::default();
    for field in ["path", "port", "method", "body", "retries"] {
        health.some(field, wanted.get(field));
    }
    health.some("command", command(intent, "health.command")?.as_ref());
    if let Some(statuses) = at(&wanted, "status") {
        match statuses.as_list() {
            Some([status]) => health.set("status", status.clone()),
            Some(_) => return Err(invalid("health.status", "Coolify expects one status")),
            None => health.set("status", statuses),
        }
    }
    for field in ["interval", "timeout", "start_period"] {
        if let Some(value) = at(&wanted, field) {
            health.set(field, seconds(&value, &format!("health.{field}"))?);
        }
    }
    inputs.set("health", health.value());
    Ok(())
}

fn limits(intent: &Value, inputs: &mut Inputs) -> Result<()> {
    let mut limits = Inputs::default();
    if let Some(cpu) = at(intent, "limits.cpu") {
        let text = plain(&cpu).ok_or_else(|| {
            invalid(
                "limits.cpu",
                "`limits.cpu` must be known when the stack is planned",
            )
        })?;
        limits.set("cpus", text);
    }
    if let Some(memory) = at(intent, "limits.memory") {
        let text = plain(&memory).ok_or_else(|| {
            invalid(
                "limits.memory",
                "`limits.memory` must be known when the stack is planned",
            )
        })?;
        limits.set("memory", docker_size(&text));
    }
    if !limits.0.is_empty() {
        inputs.set("limits", limits.value());
    }
    Ok(())
}

/// `512Mi` as Docker writes it: `512m`.
pub(super) fn docker_size(text: &str) -> String {
    let digits: String = text
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    let unit = text[digits.len()..].trim();
    let unit = unit
        .chars()
        .next()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| "kmg".contains(*c));
    match unit {
        Some(unit) => format!("{digits}{unit}"),
        None => format!("{digits}b"),
    }
}

fn settings(intent: &Value, is_static: bool, inputs: &mut Inputs) -> Result<()> {
    let mut settings = Inputs::default();
    settings.some("auto_deploy", at(intent, "source.auto_deploy").as_ref());
    settings.some("force_https", at(intent, "tls.redirect_http").as_ref());
    if is_static && at(intent, "build.command").is_some() {
        settings.set("static_site", true);
    }
    settings.some("spa", at(intent, "spa").as_ref());
    if let Some(grace) = at(intent, "stop.grace") {
        settings.set("stop_grace_period", seconds(&grace, "stop.grace")?);
    }
    match at(intent, "strategy.type").as_ref().and_then(Value::as_str) {
        None | Some("rolling") => {}
        // With a name of its own, the old container has to go first.
        Some("recreate") => settings.set("consistent_container_name", true),
        Some(other) => {
            return Err(invalid(
                "strategy.type",
                format!("Coolify has no strategy `{other}`"),
            )
            .hint("use `rolling` or `recreate`"));
        }
    }
    if at(intent, "replicas").is_some_and(|count| count.as_i64() != Some(1)) {
        return Err(invalid(
            "replicas",
            "Coolify runs one container of an application",
        ));
    }
    if !settings.0.is_empty() {
        inputs.set("settings", settings.value());
    }
    Ok(())
}

fn hooks(intent: &Value, inputs: &mut Inputs) -> Result<()> {
    for field in ["pre_deploy", "post_deploy"] {
        if let Some(line) = command(intent, &format!("hooks.{field}"))? {
            inputs.set(field, Value::map([("command", line)]));
        }
    }
    Ok(())
}

/// The app's variables, those of its build among them.
fn env(
    intent: &Value,
    tells_port: bool,
    app: &Value,
    parts: &mut Parts,
) -> Result<Option<Address>> {
    let mut variables = Inputs::default();
    if tells_port {
        variables.set("PORT", PORT.to_string());
    }
    for (name, value) in at(intent, "env")
        .as_ref()
        .and_then(Value::as_map)
        .into_iter()
        .flatten()
    {
        variables.some(name, Some(value));
    }
    let mut build_only = Vec::new();
    for (name, value) in at(intent, "build.secrets")
        .as_ref()
        .and_then(Value::as_map)
        .into_iter()
        .flatten()
    {
        if variables.0.contains_key(name) {
            return Err(invalid(
                "build.secrets",
                format!("the variable `{name}` is set for the program too"),
            )
            .hint("give the build's secret another name"));
        }
        variables.some(name, Some(value));
        build_only.push(Value::from(&**name));
    }
    if variables.0.is_empty() {
        return Ok(None);
    }
    let mut inputs = Inputs::default();
    inputs.set("application", app.clone());
    inputs.set("variables", variables.value());
    inputs.set("mode", "exact");
    if !build_only.is_empty() {
        inputs.set("build_only", Value::list(build_only));
    }
    parts.add("env", Env::TYPE, inputs.value()).map(Some)
}

/// Volumes and files.
fn storages(intent: &Value, app: &Value, parts: &mut Parts) -> Result<Vec<Address>> {
    let mut made = Vec::new();
    let volumes = at(intent, "volumes");
    for (index, volume) in volumes
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        let mut inputs = Inputs::default();
        inputs.set("application", app.clone());
        inputs.set("path", required(volume, "path")?);
        inputs.set(
            "name",
            at(volume, "name").unwrap_or_else(|| Value::from(format!("data{}", index + 1))),
        );
        inputs.some("host_path", at(volume, "source").as_ref());
        made.push(parts.add(
            &format!("volume-{}", index + 1),
            Storage::TYPE,
            inputs.value(),
        )?);
    }
    let files = at(intent, "files");
    for (index, file) in files
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        if at(file, "mode").is_some() {
            let field = format!("files[{index}].mode");
            return Err(invalid(&field, "Coolify sets no mode of files").field(Path::parse(&field)));
        }
        let mut inputs = Inputs::default();
        inputs.set("application", app.clone());
        inputs.set("path", required(file, "path")?);
        inputs.set("content", required(file, "content")?);
        made.push(parts.add(
            &format!("file-{}", index + 1),
            Storage::TYPE,
            inputs.value(),
        )?);
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_as_docker_does() {
        for (from, to) in [
            ("512Mi", "512m"),
            ("1Gi", "1g"),
            ("64k", "64k"),
            ("1048576", "1048576b"),
            ("1.5G", "1.5g"),
        ] {
            assert_eq!(docker_size(from), to);
        }
    }
}
