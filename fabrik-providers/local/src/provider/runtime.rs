//! Playing the role runtime: an app becomes a service or a site, and a route for each host name.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::{self, Expr, Function, Reference};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::{Parts, Player, RUNTIME};
use fabrik_core::stack::Options;
use fabrik_core::value::{Map, Path, Value};
use fabrik_core::verify::parse_duration;
use serde_json::{Value as Json, json};

use super::cron::Cron;
use super::dns_name::ADDRESS;
use super::players::field;
use super::route::Route;
use super::service::Service;
use super::site::StaticSite;
use super::wordpress;

/// Beyond this, a service's health deadline needs a larger budget for its operations.
const USUAL_DEADLINE: Duration = Duration::from_secs(60);
/// What installing and building may take.
const BUILDING: Duration = Duration::from_secs(900);
/// What a deployment may take besides waiting for health.
const ROOM: Duration = Duration::from_secs(90);

/// Runs apps as processes and serves folders, behind the agent's proxy.
#[derive(Clone, Copy, Debug)]
pub struct RuntimePlayer;

impl Player for RuntimePlayer {
    fn role(&self) -> &'static str {
        RUNTIME
    }

    fn options(&self) -> Json {
        let duration = "^([0-9]+(ms|s|m|h|d))+$";
        json!({
            "type": "object",
            "description": "How the app runs on this machine.",
            "additionalProperties": false,
            "properties": {
                "watch": {
                    "type": "boolean",
                    "description": "Whether a change of the files in `source` deploys a new version; it does unless turned off.",
                },
                "ignore": {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "description": "Names of files and folders whose changes do not count; `*` stands for anything.",
                },
                "install": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Installs what the app needs, in `source`, before a version is started: a line for `/bin/sh -c`. For `build.install` where that is meant for containers.",
                },
                "build": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Builds the app, in `source`, before a version is started. For `build.command` where that is meant for containers.",
                },
                "command": {
                    "type": "string",
                    "minLength": 1,
                    "description": "Starts the app. For `command` where that is meant for containers.",
                },
                "port": {
                    "enum": ["auto"],
                    "description": "With `auto`, `port` is meant for containers: each process is given a free one in `PORT`, so that a new version runs beside the old one.",
                },
                "restart": {
                    "enum": ["always", "on_failure", "never"],
                    "description": "When a process that ended by itself is started again; always unless set.",
                },
                "worker": {
                    "type": "boolean",
                    "description": "The program listens on no port.",
                },
                "drain": {
                    "type": "string",
                    "pattern": duration,
                    "description": "How long requests under way may take after a new version has taken over.",
                },
                "keep": {
                    "type": "integer",
                    "minimum": 0,
                    "maximum": 100,
                    "description": "How many earlier versions are kept to go back to; 3 unless set.",
                },
            },
        })
    }

    fn runs(&self) -> &[&'static str] {
        &["service", "worker", "cron", "static", "wordpress"]
    }

    fn cannot(&self) -> &[&'static str] {
        &[
            "build.args",
            "build.output",
            "build.secrets",
            "files",
            "health.body",
            "health.command",
            "health.port",
            "hooks.failed",
            "hooks.post_deploy",
            "image",
            "limits",
            "on",
            "redirects",
            "source.auto_deploy",
            "tls.enabled",
            "tls.min_version",
            "tls.redirect_http",
        ]
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        let kind = field(intent, "kind")?;
        let (target, app) = match kind.as_str() {
            Some("static") => ("site", site(&name, intent, own, parts)?),
            Some("cron") => ("cron", cron(&name, intent, own, parts)?),
            Some("wordpress") => ("service", wordpress::service(&name, intent, own, parts)?),
            _ => ("service", service(&name, intent, own, parts)?),
        };
        let is_worker = matches!(kind.as_str(), Some("worker" | "cron"))
            || target == "service" && own.get("worker").and_then(Value::as_bool) == Some(true);
        let mut outputs = Map::new();
        outputs.insert("ingress".into(), Value::from(ADDRESS));
        outputs.insert("ingress_kind".into(), Value::from("address"));
        if target != "site" {
            outputs.insert("logs".into(), Value::from(app.as_str()));
            let dir = Parts::output(&app, "dir");
            let exec = match kind.as_str() {
                // As the provider of WordPress sites takes it.
                Some("wordpress") => Value::map([("path", Parts::output(&app, "folder"))]),
                _ => Value::map([("kind", Value::from("local")), ("dir", dir)]),
            };
            outputs.insert("exec".into(), exec);
        }
        if !is_worker {
            let (host, route) = routes(&name, intent, target, &app, parts)?;
            outputs.insert("url".into(), Parts::output(&route, "url"));
            outputs.insert("host".into(), host);
        }
        Ok(Value::Map(Arc::new(outputs)))
    }
}

/// Inputs put together; what is not given is left out.
#[derive(Default)]
struct Inputs(Map);

impl Inputs {
    fn set(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            self.0.insert(name.into(), value.clone());
        }
    }

    fn value(self) -> Value {
        Value::Map(Arc::new(self.0))
    }
}

fn site(name: &Value, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Address> {
    let source = intent.get("source").and_then(|source| source.get("path"));
    if source.is_none() {
        return Err(invalid(
            "source",
            "the local runtime serves a folder: give its `path`",
        ));
    }
    if intent.get("build").is_some() {
        return Err(
            invalid("build", "the local runtime serves a folder as it is")
                .hint("build it yourself, and give the folder of the result as `source`"),
        );
    }
    let mut inputs = Inputs::default();
    inputs.set("name", Some(name));
    inputs.set("source", source);
    for field in ["spa", "not_found", "headers"] {
        inputs.set(field, intent.get(field));
    }
    inputs.set("keep", own.get("keep"));
    parts.add("site", StaticSite::TYPE, inputs.value())
}

/// A program that runs at times.
fn cron(name: &Value, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Address> {
    check_build(intent, own)?;
    let mut inputs = Inputs::default();
    inputs.set("name", Some(name));
    inputs.set("command", Some(&command(intent, own)?));
    inputs.set("schedule", intent.get("schedule"));
    inputs.set("timezone", intent.get("timezone"));
    inputs.set("env", intent.get("env"));
    check_volumes(intent)?;
    let source = folder(intent)?;
    inputs.set("dir", source);
    let prepare = prepare(intent, own);
    if !prepare.is_empty() {
        inputs.set("prepare", Some(&Value::list(prepare)));
        // What is built has to be built again; what is only run is as it is by then.
        inputs.set("watch", source.map(|_| Value::from(true)).as_ref());
        inputs.set("watch", own.get("watch"));
        inputs.set("ignore", own.get("ignore"));
    }
    parts.add("cron", Cron::TYPE, inputs.value())
}

/// What starts the app.
fn command(intent: &Value, own: &Value) -> Result<Value> {
    let command = own.get("command").or(intent.get("command"));
    command.cloned().ok_or_else(|| {
        invalid(
            "command",
            "the local runtime runs programs as processes: say which `command` starts it",
        )
    })
}

/// The folder of this machine that the app runs in.
fn folder(intent: &Value) -> Result<Option<&Value>> {
    let source = intent.get("source").and_then(|source| source.get("path"));
    if source.is_none() && intent.get("source").is_some() {
        return Err(invalid(
            "source",
            "the local runtime runs a folder of this machine: give its `path`, also beside a `repo`",
        ));
    }
    Ok(source)
}

/// A program that is no container finds a folder where it is, and nowhere else.
fn check_volumes(intent: &Value) -> Result<()> {
    let volumes = intent.get("volumes").and_then(Value::as_list);
    for (index, volume) in volumes.unwrap_or_default().iter().enumerate() {
        for field in ["read_only", "size"] {
            let value = volume
                .get(field)
                .filter(|value| value.as_bool() != Some(false));
            if value.is_some_and(|value| !value.is_null()) {
                return Err(invalid(
                    &format!("volumes[{index}].{field}"),
                    &format!("the local runtime cannot do `{field}`, for it has no containers"),
                ));
            }
        }
        let path = volume
            .get("path")
            .and_then(Value::as_str)
            .unwrap_or("/data");
        if volume.get("source").and_then(Value::as_str) != Some(path) {
            return Err(invalid(
                &format!("volumes[{index}]"),
                "the local runtime puts no folder at another place, for it has no containers",
            )
            .hint(format!(
                "make the folder and give it at its own place (`source: {path}`, `path: {path}`), or tell the program where it is by a variable"
            )));
        }
    }
    Ok(())
}

fn service(name: &Value, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Address> {
    check_build(intent, own)?;
    let command = command(intent, own)?;
    check_volumes(intent)?;
    let port = intent
        .get("port")
        .filter(|_| own.get("port").and_then(Value::as_str) != Some("auto"));
    check_service(intent, port)?;
    let prepare = prepare(intent, own);
    let mut inputs = Inputs::default();
    inputs.set("name", Some(name));
    inputs.set("command", Some(&command));
    inputs.set("env", intent.get("env"));
    inputs.set("port", port);
    let takes_long = !prepare.is_empty();
    if takes_long {
        inputs.set("prepare", Some(&Value::list(prepare)));
    }
    inputs.set("instances", intent.get("replicas"));
    let source = folder(intent)?;
    inputs.set("dir", source);
    if source.is_some() && own.get("watch").is_none() {
        inputs.set("watch", Some(&Value::from(true)));
    }
    for field in ["watch", "ignore", "restart", "worker", "keep"] {
        inputs.set(field, own.get(field));
    }
    if intent.get("kind").and_then(Value::as_str) == Some("worker") {
        inputs.set("worker", Some(&Value::from(true)));
    }
    let stop = intent.get("stop");
    let part = |field: &str| stop.and_then(|stop| stop.get(field));
    inputs.set("drain", own.get("drain").or(part("drain")));
    let mut ending = Inputs::default();
    ending.set("grace", part("grace"));
    ending.set("signal", part("signal"));
    if !ending.0.is_empty() {
        inputs.set("stop", Some(&ending.value()));
    }
    let health = health(intent.get("health"));
    let deadline = health
        .get("deadline")
        .and_then(Value::as_str)
        .and_then(parse_duration);
    if health.as_map().is_some_and(|map| !map.is_empty()) {
        inputs.set("health", Some(&health));
    }
    let address = parts.add("service", Service::TYPE, inputs.value())?;
    let deadline = deadline.unwrap_or(USUAL_DEADLINE);
    let building = if takes_long { BUILDING } else { Duration::ZERO };
    if (takes_long || deadline > USUAL_DEADLINE)
        && let Some(part) = parts.part_mut(&address)
        && part.options.timeout.is_none()
    {
        part.options = Arc::new(Options {
            timeout: Some(deadline.saturating_add(ROOM).saturating_add(building)),
            ..part.options.as_ref().clone()
        });
    }
    Ok(address)
}

/// What is run before a version is started, in this order.
fn prepare(intent: &Value, own: &Value) -> Vec<Value> {
    let part = |block: &str, field: &str| intent.get(block).and_then(|block| block.get(field));
    [
        part("hooks", "pre_build"),
        own.get("install").or(part("build", "install")),
        own.get("build").or(part("build", "command")),
        part("hooks", "pre_deploy"),
    ]
    .into_iter()
    .flatten()
    .cloned()
    .collect()
}

/// Fields that say how a container is built.
const CONTAINER: [&str; 4] = [
    "build.context",
    "build.dockerfile",
    "build.pack",
    "build.target",
];

/// How a container is built means nothing here, and is no mistake where the spec says besides how
/// the program runs without one.
fn check_build(intent: &Value, own: &Value) -> Result<()> {
    let used = CONTAINER.iter().find(|field| {
        intent
            .at(&Path::parse(field))
            .is_some_and(|value| !value.is_null())
    });
    match used {
        Some(field) if own.get("command").is_none() => Err(Error::new(
            ErrorKind::Unsupported,
            format!("`local` cannot do `{field}`: it runs programs without a container"),
        )
        .field(Path::parse(field))
        .hint("say how it runs here, in its own block: `local: { command: … }`")),
        _ => Ok(()),
    }
}

/// What cannot be told by the name of a field alone.
fn check_service(intent: &Value, port: Option<&Value>) -> Result<()> {
    if intent.get("replicas").and_then(Value::as_i64) == Some(0) {
        return Err(
            invalid("replicas", "the local runtime runs at least one process")
                .hint("take the app out of the spec to stop it"),
        );
    }
    let method = intent.get("health").and_then(|health| health.get("method"));
    if method
        .and_then(Value::as_str)
        .is_some_and(|method| method != "GET")
    {
        return Err(invalid(
            "health.method",
            "the local runtime asks by GET only",
        ));
    }
    let strategy = intent
        .get("strategy")
        .and_then(|strategy| strategy.get("type"));
    if strategy.and_then(Value::as_str) == Some("recreate") && port.is_none() {
        return Err(invalid(
            "strategy.type",
            "the local runtime stops the old version first only where a fixed `port` forces it to",
        ));
    }
    Ok(())
}

fn health(health: Option<&Value>) -> Value {
    let mut out = Inputs::default();
    let field = |name: &str| health.and_then(|health| health.get(name));
    if field("enabled").and_then(Value::as_bool) != Some(false) {
        for name in ["path", "status", "interval", "timeout", "retries"] {
            out.set(name, field(name));
        }
        out.set("deadline", field("start_period"));
    }
    out.value()
}

/// A route for each domain, else one for `NAME.localhost`; gives the main host and its route.
fn routes(
    name: &Value,
    intent: &Value,
    target: &str,
    app: &Address,
    parts: &mut Parts,
) -> Result<(Value, Address)> {
    let mut hosts: Vec<(Value, Option<Value>)> = Vec::new();
    for domain in intent
        .get("domains")
        .and_then(Value::as_list)
        .unwrap_or_default()
    {
        hosts.push((field(domain, "name")?, domain.get("path").cloned()));
    }
    let is_wildcard = |host: &Value| host.as_str().is_some_and(|host| host.starts_with("*."));
    if hosts.iter().all(|(host, _)| is_wildcard(host)) {
        // Something must be there to open.
        let own = name.as_str().unwrap_or_default();
        hosts.insert(0, (Value::from(format!("{own}.localhost")), None));
    }
    let mut main = None;
    for (index, (host, path)) in hosts.into_iter().enumerate() {
        let part = match (main.is_none() && !is_wildcard(&host), host.as_str()) {
            (true, _) => "route".to_owned(),
            (false, Some(text)) => format!("route-{}", slug(text, path.as_ref())),
            (false, None) => format!("route-{}", index + 1),
        };
        let mut inputs = Inputs::default();
        inputs.set("host", Some(&host));
        inputs.set("path", path.as_ref());
        inputs.set(target, Some(&Parts::output(app, "name")));
        let route = parts.add(&part, Route::TYPE, inputs.value())?;
        if main.is_none() && !is_wildcard(&host) {
            main = Some((host, route));
        }
    }
    main.ok_or_else(|| invalid("domains", "no host name to answer at"))
}

fn slug(host: &str, path: Option<&Value>) -> String {
    let path = path.and_then(Value::as_str).unwrap_or_default();
    let text = format!("{} {path}", host.replace('*', "wildcard"));
    let slug = Expr::Call(Function::Slug, vec![Expr::Literal(Value::from(text))]);
    expr::evaluate(&slug, &|_: &Reference| Ok(None))
        .ok()
        .and_then(|slug| slug.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn invalid(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, message).field(Path::parse(field))
}
