//! Deployments, and starting and stopping.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fabrik_testkit::serve::{Reply, Request};
use serde_json::{Map, Value as Json, json};

use super::check::{Answer, message};
use super::route;
use super::world::{Kind, Said, Trial, Watch, World};

/// How deployments proceed.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// By how often they are asked about: so often while queued, so often while under way.
    Polls {
        /// Looks while it is queued.
        queued: usize,
        /// Looks while it is under way.
        running: usize,
    },
    /// By time.
    Time {
        /// How long it is queued.
        queued: Duration,
        /// How long it is under way.
        running: Duration,
    },
}

impl Default for Pace {
    fn default() -> Self {
        Pace::Polls {
            queued: 1,
            running: 2,
        }
    }
}

/// What runs: the configuration a deployment took when it began.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// The deployment; empty for services and databases.
    pub deployment: String,
    /// The image with its tag, where it is an image that runs.
    pub image: Option<String>,
    /// Where it answers.
    pub domains: Vec<String>,
    /// The first exposed port.
    pub port: Option<u16>,
    /// Its variables.
    pub env: BTreeMap<String, String>,
    /// A compose text.
    pub compose: Option<String>,
    /// The repository, with its branch or tag and its commit, where it is built from one.
    pub git: Option<(String, String, String)>,
    /// Where its health is looked at, by HTTP: the path, and the port where it is not the first
    /// exposed one.
    pub health: Option<(String, Option<u16>)>,
}

#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) uuid: String,
    pub(super) application: String,
    status: &'static str,
    looks: usize,
    since: Instant,
    force: bool,
    created_at: String,
    finished_at: Option<String>,
    logs: Vec<(String, &'static str, bool)>,
    takes: Option<Running>,
}

impl Deployment {
    fn is_active(&self) -> bool {
        matches!(self.status, "queued" | "in_progress")
    }

    fn shown(&self, world: &World, sensitive: bool) -> Json {
        let name = world
            .get(Kind::Application, &self.application)
            .map(|row| row.text("name"))
            .unwrap_or_default();
        let mut shown = json!({
            "deployment_uuid": self.uuid, "application_name": name, "status": self.status, "commit": "HEAD",
            "commit_message": null, "force_rebuild": self.force, "created_at": self.created_at,
            "finished_at": self.finished_at, "server_name": "main", "pull_request_id": 0, "rollback": false,
            "restart_only": false, "deployment_url": format!("/project/deployment/{}", self.uuid),
        });
        if sensitive {
            // A text of JSON, not JSON.
            let lines = self.logs.iter().enumerate().map(|(order, (output, kind, hidden))| {
                json!({"command": null, "output": output, "type": kind, "timestamp": self.created_at, "hidden": hidden, "batch": 1, "order": order + 1})
            });
            shown["logs"] = json!(Json::Array(lines.collect()).to_string());
        }
        shown
    }
}

pub(super) fn listed(world: &World) -> Vec<(String, String, String)> {
    let found = world.deployments.iter();
    found
        .map(|deployment| {
            (
                deployment.uuid.clone(),
                deployment.application.clone(),
                deployment.status.to_owned(),
            )
        })
        .collect()
}

/// Why nothing was queued.
pub(super) enum Skipped {
    /// One of the same commit is queued or under way.
    Same,
    /// The queue is full.
    Full,
}

pub(super) fn queue(world: &mut World, application: &str, force: bool) -> Result<String, Skipped> {
    if world.is_queue_full {
        return Err(Skipped::Full);
    }
    let same = world
        .deployments
        .iter()
        .any(|deployment| deployment.application == application && deployment.is_active());
    if same && !force {
        return Err(Skipped::Same);
    }
    let (uuid, created_at) = (world.uuid(), world.now());
    world.deployments.push(Deployment {
        uuid: uuid.clone(),
        application: application.to_owned(),
        status: "queued",
        looks: 0,
        since: Instant::now(),
        force,
        created_at,
        finished_at: None,
        logs: Vec::new(),
        takes: None,
    });
    Ok(uuid)
}

/// Moves deployments on: those that are asked about, or all by time.
pub(super) fn advance(world: &mut World, path: &[&str]) {
    let asked = match path {
        ["deployments", "applications", uuid] => Some(*uuid),
        ["deployments", uuid] => Some(*uuid),
        _ => None,
    };
    if let Some(asked) = asked {
        for deployment in &mut world.deployments {
            if deployment.uuid == asked || deployment.application == asked {
                deployment.looks += 1;
            }
        }
    }
    if let ["services" | "databases", uuid] = path
        && let Some(left) = world.starting.get_mut(*uuid)
    {
        if *left == 0 {
            world.starting.remove(*uuid);
            started(world, uuid);
        } else {
            *left -= 1;
        }
    }
    settle(world);
}

pub(super) fn settle(world: &mut World) {
    for at in 0..world.deployments.len() {
        loop {
            let deployment = &world.deployments[at];
            let status = deployment.status;
            let due = match world.pace {
                Pace::Polls { queued, running } => {
                    deployment.looks
                        > if deployment.status == "queued" {
                            queued
                        } else {
                            running
                        }
                }
                Pace::Time { queued, running } => {
                    deployment.since.elapsed()
                        >= if deployment.status == "queued" {
                            queued
                        } else {
                            running
                        }
                }
            };
            let waits = deployment.status == "queued"
                && world.deployments[..at]
                    .iter()
                    .any(|other| other.application == deployment.application && other.is_active());
            if !deployment.is_active() || !due || waits {
                break;
            }
            step(world, at);
            if world.deployments[at].status == status {
                break;
            }
        }
    }
}

fn step(world: &mut World, at: usize) {
    let application = world.deployments[at].application.clone();
    let now = world.now();
    if world.deployments[at].status == "queued" {
        let takes = snapshot(world, &application, &world.deployments[at].uuid.clone());
        let deployment = &mut world.deployments[at];
        deployment.status = "in_progress";
        (deployment.looks, deployment.since) = (0, Instant::now());
        deployment
            .logs
            .push(("Starting deployment to main.".to_owned(), "stdout", false));
        deployment.logs.push((
            "docker exec helper bash -c 'echo secret-command'".to_owned(),
            "stdout",
            true,
        ));
        deployment
            .logs
            .push(("Building docker image started.".to_owned(), "stdout", false));
        deployment.takes = takes;
        return;
    }
    let mut failing = world.failing.remove(&application);
    if let (None, Some(Trial(trial)), Some(takes)) =
        (&failing, &world.trial, &world.deployments[at].takes)
    {
        failing = match trial(takes) {
            Some(came_to) => came_to.err(),
            // It goes on.
            None => return,
        };
    }
    let deployment = &mut world.deployments[at];
    deployment.finished_at = Some(now);
    if let Some(lines) = failing {
        deployment.status = "failed";
        deployment
            .logs
            .extend(lines.into_iter().map(|line| (line, "stderr", false)));
        deployment.logs.push((
            "Deployment failed. Removing the new version of your application.".to_owned(),
            "stderr",
            false,
        ));
        return;
    }
    deployment.status = "finished";
    deployment
        .logs
        .push(("Rolling update completed.".to_owned(), "stdout", false));
    let takes = deployment.takes.clone();
    if let Some(row) = world.get_mut(Kind::Application, &application) {
        let status = if row.flag("health_check_enabled") {
            "running:healthy"
        } else {
            "running:unknown"
        };
        row.set("status", json!(status));
    }
    if let Some(takes) = takes {
        runs(world, &application, takes);
    }
}

fn runs(world: &mut World, uuid: &str, running: Running) {
    if let Some(Watch(watch)) = &world.watch {
        watch(uuid, Some(&running));
    }
    world.running.insert(uuid.to_owned(), running);
}

fn variables(world: &World, owner: &str) -> BTreeMap<String, String> {
    let rows = world
        .variables
        .iter()
        .filter(|row| row.owner == owner && !row.flag("is_preview"));
    rows.map(|row| (row.text("key"), row.text("value")))
        .collect()
}

fn snapshot(world: &World, uuid: &str, deployment: &str) -> Option<Running> {
    let kinds = [Kind::Application, Kind::Service, Kind::Database];
    let row = kinds.into_iter().find_map(|kind| world.get(kind, uuid))?;
    let name = row.text("docker_registry_image_name");
    let image = match row.kind {
        Kind::Database => Some(row.text("image")),
        _ => {
            (!name.is_empty()).then(|| format!("{name}:{}", row.text("docker_registry_image_tag")))
        }
    };
    let domains = match row.kind {
        Kind::Service => super::service::domains_of(row),
        _ => row
            .text("fqdn")
            .split(',')
            .filter(|domain| !domain.is_empty())
            .map(str::to_owned)
            .collect(),
    };
    let compose = row.text("docker_compose_raw");
    Some(Running {
        deployment: deployment.to_owned(),
        image,
        domains,
        port: row
            .text("ports_exposes")
            .split(',')
            .next()
            .and_then(|port| port.parse().ok()),
        env: variables(world, uuid),
        compose: (!compose.is_empty()).then_some(compose),
        git: (row.kind == Kind::Application && name.is_empty()).then(|| {
            (
                row.text("git_repository"),
                row.text("git_branch"),
                row.text("git_commit_sha"),
            )
        }),
        health: (row.flag("health_check_enabled") && row.text("health_check_type") != "cmd").then(
            || {
                (
                    row.text("health_check_path"),
                    row.text("health_check_port").parse().ok(),
                )
            },
        ),
    })
}

/// Starts a service or database: its status says how far it is.
pub(super) fn start(world: &mut World, kind: Kind, uuid: &str) {
    if let Some(row) = world.get_mut(kind, uuid) {
        row.set("status", json!("starting:unknown"));
    }
    let looks = match world.pace {
        Pace::Polls { running, .. } => running,
        Pace::Time { .. } => 1,
    };
    world.starting.insert(uuid.to_owned(), looks);
}

fn started(world: &mut World, uuid: &str) {
    let fails = world.failing.remove(uuid).is_some();
    for kind in [Kind::Service, Kind::Database] {
        if let Some(row) = world.get_mut(kind, uuid) {
            row.set(
                "status",
                json!(if fails { "exited" } else { "running:healthy" }),
            );
        }
    }
    if !fails && let Some(running) = snapshot(world, uuid, "") {
        runs(world, uuid, running);
    }
}

/// `start`, `stop` and `restart`.
pub(super) fn act(
    world: &mut World,
    kind: Kind,
    uuid: &str,
    verb: &str,
    request: &Request,
) -> Answer {
    let status = world
        .get(kind, uuid)
        .map(|row| row.text("status"))
        .unwrap_or_default();
    let is_up = status.starts_with("running") || status.starts_with("starting");
    match (kind, verb) {
        (Kind::Application, "stop") => {
            if let Some(row) = world.get_mut(kind, uuid) {
                row.set("status", json!("exited"));
            }
            world.running.remove(uuid);
            Ok(message(200, "Application stopping request queued."))
        }
        (Kind::Application, _) => {
            let force = request.param("force") == Some("true")
                || request.param("instant_deploy") == Some("true");
            match queue(world, uuid, force) {
                Ok(deployment) => Ok(Reply::json(
                    200,
                    &json!({"message": "Deployment request queued.", "deployment_uuid": deployment}),
                )),
                Err(Skipped::Same) => {
                    Ok(message(200, "Deployment already queued for this commit."))
                }
                // A full queue goes unnoticed here.
                Err(Skipped::Full) => {
                    let phantom = world.uuid();
                    Ok(Reply::json(
                        200,
                        &json!({"message": "Deployment request queued.", "deployment_uuid": phantom}),
                    ))
                }
            }
        }
        (_, "start") if is_up => Err(message(400, &format!("{kind:?} is already running."))),
        (_, "stop") if !is_up => Err(message(400, &format!("{kind:?} is already stopped."))),
        (_, "stop") => {
            if let Some(row) = world.get_mut(kind, uuid) {
                row.set("status", json!("exited"));
            }
            world.running.remove(uuid);
            Ok(message(200, &format!("{kind:?} stopping request queued.")))
        }
        _ => {
            start(world, kind, uuid);
            Ok(message(200, &format!("{kind:?} starting request queued.")))
        }
    }
}

/// `POST /deploy` with `uuid` in the query or the body.
pub(super) fn deploy(world: &mut World, request: &Request, body: &Map<String, Json>) -> Answer {
    let wanted = |name: &str| {
        request
            .param(name)
            .map(str::to_owned)
            .or_else(|| Some(body.get(name)?.as_str()?.to_owned()))
    };
    let force = wanted("force").as_deref() == Some("true")
        || body.get("force").and_then(Json::as_bool) == Some(true);
    let Some(uuids) = wanted("uuid") else {
        return Err(message(400, "You must provide uuid or tag."));
    };
    let mut done = Vec::new();
    for uuid in uuids.split(',') {
        if world.get(Kind::Application, uuid).is_some() {
            match queue(world, uuid, force) {
                Ok(deployment) => done.push(json!({"message": "Application deployment queued.", "resource_uuid": uuid, "deployment_uuid": deployment})),
                // The id is new, and nothing has it.
                Err(Skipped::Same) => {
                    let phantom = world.uuid();
                    done.push(json!({"message": "Deployment already queued for this commit.", "resource_uuid": uuid, "deployment_uuid": phantom}));
                }
                Err(Skipped::Full) => {
                    return Err(message(429, "Deployment queue is full. Please try again later.").header("retry-after", "60"));
                }
            }
        } else if let Some(kind) = [Kind::Service, Kind::Database]
            .into_iter()
            .find(|kind| world.get(*kind, uuid).is_some())
        {
            start(world, kind, uuid);
            done.push(json!({"message": format!("{kind:?} started."), "resource_uuid": uuid}));
        }
    }
    if done.is_empty() {
        return Err(message(404, "No resources found."));
    }
    Ok(Reply::json(200, &json!({"deployments": done})))
}

pub(super) fn answer(
    world: &mut World,
    method: &str,
    path: &[&str],
    request: &Request,
    sensitive: bool,
) -> Answer {
    match (method, path) {
        ("GET", []) => {
            // Sorted with its keys kept: an object, unless nothing was moved.
            let active: Vec<&Deployment> = world
                .deployments
                .iter()
                .filter(|deployment| deployment.is_active())
                .collect();
            let found: Map<String, Json> = active
                .iter()
                .enumerate()
                .rev()
                .map(|(at, deployment)| (at.to_string(), deployment.shown(world, sensitive)))
                .collect();
            Ok(Reply::json(
                200,
                &if found.len() > 1 {
                    Json::Object(found)
                } else {
                    found.into_iter().map(|(_, item)| item).collect()
                },
            ))
        }
        ("GET", ["applications", uuid]) => {
            world
                .get(Kind::Application, uuid)
                .ok_or_else(|| message(404, "Application not found"))?;
            let whole = |name: &str, default: usize| {
                request
                    .param(name)
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(default)
            };
            let of: Vec<&Deployment> = world
                .deployments
                .iter()
                .rev()
                .filter(|deployment| deployment.application == *uuid)
                .collect();
            let page = of.iter().skip(whole("skip", 0)).take(whole("take", 10));
            let page: Vec<Json> = page
                .map(|deployment| deployment.shown(world, sensitive))
                .collect();
            Ok(Reply::json(
                200,
                &json!({"count": of.len(), "deployments": page}),
            ))
        }
        ("GET", [uuid]) => {
            let found = world
                .deployments
                .iter()
                .find(|deployment| deployment.uuid == *uuid);
            let found = found.ok_or_else(|| message(404, "Deployment not found."))?;
            Ok(Reply::json(200, &found.shown(world, sensitive)))
        }
        ("POST", [uuid, "cancel"]) => {
            let now = world.now();
            let found = world
                .deployments
                .iter_mut()
                .find(|deployment| deployment.uuid == *uuid);
            let found = found.ok_or_else(|| message(404, "Deployment not found."))?;
            if !found.is_active() {
                return Err(message(
                    400,
                    &format!(
                        "Deployment cannot be cancelled. Current status: {}",
                        found.status
                    ),
                ));
            }
            found.status = "cancelled-by-user";
            found.finished_at = Some(now);
            Ok(Reply::json(
                200,
                &json!({"message": "Deployment cancelled successfully.", "deployment_uuid": found.uuid, "status": found.status}),
            ))
        }
        _ => Err(route::nothing()),
    }
}

/// The log of what runs: one text.
pub(super) fn logs(world: &World, kind: Kind, uuid: &str) -> Answer {
    if kind != Kind::Application && !world.is(4, 2, 0) {
        return Err(route::nothing());
    }
    let Some(running) = world.running.get(uuid) else {
        return Err(message(400, &format!("{kind:?} is not running.")));
    };
    let text = match &world.said {
        Some(Said(said)) => said(running),
        None => format!("listening on {}\nready\n", running.port.unwrap_or(80)),
    };
    Ok(Reply::json(200, &json!({"logs": text})))
}
