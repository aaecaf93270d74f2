//! `coolify.deployment`, an action.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::Action;
use fabrik_core::provider::{Cx, LogLine, LogOptions, Object, Progress, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::body::text;
use crate::client::{Begun, Coolify, Row, rows, wait as waiting};
use crate::listening;
use crate::owner::{Kind, Owner};

/// Deploys an application, or starts a service or database anew, and waits until it runs. Its build
/// log is shown while it goes on.
///
/// It is done when its inputs change, and when one of the resources in `run_when_changed` does. A
/// deployment that still goes on after Fabrik was ended is joined, not started again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentSpec {
    /// The id of the application to deploy. One of `application`, `service` and `database` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub application: Option<String>,
    /// The id of the service to start anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub service: Option<String>,
    /// The id of the database to start anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub database: Option<String>,
    /// Whether an application is built without what earlier builds left, and a service's images are
    /// fetched anew.
    #[serde(default)]
    pub force: bool,
    /// Any values: when one changes, it is deployed again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub on: BTreeMap<String, String>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeploymentOutputs {
    /// The deployment's id; services and databases have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The commit that was deployed, where Coolify tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// How it ended, or how it runs.
    pub status: String,
    /// Its page in Coolify's dashboard, with its whole log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// `coolify.deployment`.
#[derive(Clone, Copy, Debug)]
pub struct Deployment;

/// Coolify's own limit of a build, unless the server says otherwise.
const TIMEOUT: Duration = Duration::from_secs(3600);
/// Log lines that an error shows.
const TAIL: usize = 20;
/// How long a service may look stopped before that is how it ended.
const SETTLING: Duration = Duration::from_secs(20);

impl DeploymentSpec {
    fn owner(&self) -> Result<Owner> {
        Owner::of([
            self.application.as_ref(),
            self.service.as_ref(),
            self.database.as_ref(),
        ])
    }
}

/// What `POST /deploy` answers.
#[derive(Deserialize)]
struct Queued {
    #[serde(default)]
    deployments: Vec<QueuedOne>,
}

#[derive(Deserialize)]
struct QueuedOne {
    deployment_uuid: Option<String>,
}

/// The latest deployments of an application, newest first.
async fn latest(cx: &Cx, coolify: &Coolify, application: &str) -> Result<Vec<Row>> {
    let request = coolify
        .http
        .get(cx, "/deployments/applications/{uuid}")
        .arg("uuid", application);
    let shown: Json = request.query("skip", 0).query("take", 10).json().await?;
    // Described as an array, told as an object with a count.
    let listed = match shown {
        Json::Object(mut map) if map.contains_key("deployments") => {
            map.remove("deployments").unwrap_or_default()
        }
        other => other,
    };
    Ok(rows(listed))
}

fn id(row: &Row) -> String {
    text(row, "deployment_uuid").unwrap_or_default()
}

fn status(row: &Row) -> String {
    text(row, "status").unwrap_or_default()
}

/// One attempt's memory of an operation: beside the checkpoint, which a crash leaves, what this
/// process knows.
async fn keep(cx: &Cx, coolify: &Coolify, application: &str, begun: &Begun) -> Result<()> {
    coolify.remember(cx.op()?, begun.clone());
    let private = serde_json::to_vec(begun)
        .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
    cx.made(Object {
        id: application.to_owned(),
        private,
        ..Object::default()
    })
    .await
}

async fn deploy(
    cx: &Cx,
    coolify: &Coolify,
    application: &str,
    force: bool,
    known: Option<Begun>,
) -> Result<DeploymentOutputs> {
    let known = coolify.begun(cx.op()?).or(known);
    let mut begun = if let Some(begun) = known {
        begun
    } else {
        let seen = latest(cx, coolify, application)
            .await?
            .iter()
            .map(id)
            .collect();
        let begun = Begun {
            seen,
            deployment: None,
        };
        keep(cx, coolify, application, &begun).await?;
        begun
    };
    let deployment = if let Some(deployment) = &begun.deployment {
        deployment.clone()
    } else {
        // A request of ours may have landed without an answer.
        let there = latest(cx, coolify, application).await?;
        let landed = there.iter().map(id).find(|id| !begun.seen.contains(id));
        let deployment = match landed {
            Some(deployment) => deployment,
            None => queue(cx, coolify, application, force).await?,
        };
        begun.deployment = Some(deployment.clone());
        keep(cx, coolify, application, &begun).await?;
        deployment
    };
    watch(cx, coolify, application, &deployment).await
}

/// Queues a deployment and gives its id. Where one of the same commit is queued already, Coolify
/// answers with an id that nothing has; then it is the queued one, which has not begun and so takes
/// today's configuration.
async fn queue(cx: &Cx, coolify: &Coolify, application: &str, force: bool) -> Result<String> {
    let mut wait = waiting(cx, "the deployment before to end");
    loop {
        let mut request = coolify.http.post(cx, "/deploy").query("uuid", application);
        if force {
            request = request.query("force", true);
        }
        let queued: Queued = request.json().await?;
        let told = queued
            .deployments
            .into_iter()
            .next()
            .and_then(|one| one.deployment_uuid);
        if let Some(deployment) = told
            && coolify
                .one(cx, "/deployments/{uuid}", &deployment)
                .await?
                .is_some()
        {
            return Ok(deployment);
        }
        let there = latest(cx, coolify, application).await?;
        if let Some(row) = there.iter().find(|row| status(row) == "queued") {
            return Ok(id(row));
        }
        // One that has begun may have taken the configuration of before.
        cx.note("a deployment is under way already; waiting for its end");
        while latest(cx, coolify, application)
            .await?
            .iter()
            .any(|row| status(row) == "in_progress")
        {
            wait.next().await?;
        }
        wait.next().await?;
    }
}

/// A line of a build log.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Line {
    output: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    hidden: bool,
}

/// The lines of a build log that are for people. It comes as a text of JSON.
fn lines(row: &Row) -> Vec<Line> {
    let parsed = match row.get("logs") {
        Some(Json::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(list @ Json::Array(_)) => serde_json::from_value(list.clone()).unwrap_or_default(),
        _ => Vec::new(),
    };
    parsed
        .into_iter()
        .filter(|line: &Line| !line.hidden && line.output.is_some())
        .collect()
}

/// The single lines of a build log.
fn texts(all: &[Line]) -> impl Iterator<Item = &str> {
    let outputs = all.iter().filter_map(|line| line.output.as_deref());
    outputs.flat_map(str::lines)
}

/// Waits for the end of a deployment, showing its log.
async fn watch(
    cx: &Cx,
    coolify: &Coolify,
    application: &str,
    deployment: &str,
) -> Result<DeploymentOutputs> {
    let what = format!("the deployment {deployment}");
    let mut wait = waiting(cx, &what);
    let mut shown = 0;
    let mut last = String::new();
    let mut missing = 0;
    loop {
        let row = match coolify.one(cx, "/deployments/{uuid}", deployment).await {
            Ok(row) => row,
            // What was begun goes on; looking at it may fail for a while.
            Err(error) if error.is_temporary() => {
                wait.next().await?;
                continue;
            }
            Err(error) => return Err(error.effect(Effect::Unknown)),
        };
        let Some(row) = row else {
            missing += 1;
            if missing > 5 {
                return Err(Error::new(
                    ErrorKind::CheckFailed,
                    format!("the deployment {deployment} is gone"),
                )
                .effect(Effect::None)
                .hint("somebody deleted it, or the application; apply again"));
            }
            wait.next().await?;
            continue;
        };
        let all = lines(&row);
        for line in all.iter().skip(shown) {
            for text in line.output.as_deref().unwrap_or_default().lines() {
                cx.progress(Progress::Log(text.to_owned()));
            }
        }
        shown = shown.max(all.len());
        let now = status(&row);
        if now != last {
            cx.note(format!("deployment {}", now.replace('_', " ")));
            last.clone_from(&now);
        }
        match now.as_str() {
            "finished" => {
                return Ok(DeploymentOutputs {
                    deployment: Some(deployment.to_owned()),
                    commit: text(&row, "commit"),
                    page: page(coolify, &row),
                    status: now,
                });
            }
            "failed" => {
                let mut error = failed(deployment, &all);
                if let Some(page) = page(coolify, &row) {
                    error = error.context("page", page);
                }
                return Err(
                    match listening::elsewhere(cx, coolify, application, texts(&all)).await {
                        Some(hint) => error.hint(hint),
                        None => error,
                    },
                );
            }
            "cancelled-by-user" => {
                return Err(Error::new(
                    ErrorKind::CheckFailed,
                    format!("the deployment {deployment} was cancelled in Coolify"),
                )
                .effect(Effect::None)
                .hint("apply again to deploy"));
            }
            _ => {
                if let Err(error) = wait.next().await {
                    return Err(give_up(cx, coolify, deployment, &all, error).await);
                }
            }
        }
    }
}

/// The page of a deployment in the dashboard; Coolify tells its path.
fn page(coolify: &Coolify, row: &Row) -> Option<String> {
    let told = text(row, "deployment_url")?;
    Some(if told.starts_with('/') {
        format!("{}{told}", coolify.dashboard)
    } else {
        told
    })
}

/// The time is up: what goes on would be in the way of whatever comes next, so it is cancelled. A
/// run that is merely stopped leaves it; the next one joins it.
async fn give_up(
    cx: &Cx,
    coolify: &Coolify,
    deployment: &str,
    all: &[Line],
    error: Error,
) -> Error {
    if error.kind() != ErrorKind::Timeout {
        return error;
    }
    let cancel = coolify
        .http
        .post(cx, "/deployments/{uuid}/cancel")
        .arg("uuid", deployment)
        .idempotent();
    let tail: Vec<&str> = texts(all).collect();
    let from = tail.len().saturating_sub(TAIL);
    // No timeout any more: trying again would only find it cancelled.
    let message = format!("{}, which did not end", error.message());
    let error = Error::new(ErrorKind::CheckFailed, message)
        .log_tail(tail[from..].iter().map(|line| (*line).to_owned()));
    match cancel.unit().await {
        Ok(()) => error
            .effect(Effect::None)
            .hint("it was cancelled; a longer `timeout` on the resource gives it more time"),
        Err(_) => error.effect(Effect::Unknown),
    }
}

fn failed(deployment: &str, all: &[Line]) -> Error {
    let text_of = |line: &Line| line.output.clone().unwrap_or_default();
    let is_bad = |line: &&Line| line.kind.as_deref() == Some("stderr");
    let bad: Vec<String> = all.iter().filter(is_bad).map(text_of).collect();
    let tail: Vec<String> = if bad.is_empty() {
        all.iter().map(text_of).collect()
    } else {
        bad
    };
    let tail: Vec<String> = tail
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect();
    let hint = if tail.is_empty() {
        "its log needs a token with the ability `read:sensitive`; look at it in Coolify's dashboard"
    } else {
        "the version before keeps running; the log says why this one does not"
    };
    let from = tail.len().saturating_sub(TAIL);
    Error::new(
        ErrorKind::CheckFailed,
        format!("the deployment {deployment} failed"),
    )
    .effect(Effect::None)
    .log_tail(tail.into_iter().skip(from))
    .hint(hint)
}

/// Whether a status such as `running:healthy` says that it runs as it should.
pub(crate) fn is_well(status: &str) -> bool {
    let mut parts = status.split(':');
    parts.next() == Some("running") && parts.next() != Some("unhealthy")
}

/// Waits until a service or database runs. There is no deployment to look at, only its status.
pub(crate) async fn runs(cx: &Cx, coolify: &Coolify, owner: &Owner) -> Result<String> {
    let what = format!("the {} to run", owner.kind.word());
    let mut wait = waiting(cx, &what);
    let mut has_begun = false;
    loop {
        let row = coolify.one(cx, owner.kind.route(), &owner.uuid).await?;
        let row = row.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("the {} is gone", owner.kind.word()),
            )
        })?;
        let now = status(&row);
        if is_well(&now) {
            return Ok(now);
        }
        has_begun |= now.starts_with("starting") || now.starts_with("running");
        let has_ended = now.starts_with("exited") || now.starts_with("degraded");
        if has_ended
            && (has_begun || wait.waited() > SETTLING)
            && wait.waited() > Duration::from_secs(1)
        {
            return Err(Error::new(
                ErrorKind::CheckFailed,
                format!("the {} did not start: it is `{now}`", owner.kind.word()),
            )
            .effect(Effect::None)
            .hint("its log in Coolify's dashboard says why"));
        }
        wait.next().await?;
    }
}

/// Starts a service or database, or starts it anew.
async fn start(
    cx: &Cx,
    coolify: &Coolify,
    owner: &Owner,
    force: bool,
) -> Result<DeploymentOutputs> {
    let row = coolify
        .one(cx, owner.kind.route(), &owner.uuid)
        .await?
        .unwrap_or_default();
    let is_up = status(&row).starts_with("running") || status(&row).starts_with("starting");
    let route = if is_up {
        owner.kind.pick([
            "/applications/{uuid}/restart",
            "/services/{uuid}/restart",
            "/databases/{uuid}/restart",
        ])
    } else {
        owner.kind.pick([
            "/applications/{uuid}/start",
            "/services/{uuid}/start",
            "/databases/{uuid}/start",
        ])
    };
    let mut request = coolify
        .http
        .post(cx, route)
        .arg("uuid", &owner.uuid)
        .idempotent();
    if force && is_up && owner.kind == Kind::Service {
        request = request.query("latest", true);
    }
    match request.unit().await {
        // Somebody else was faster.
        Err(error)
            if error.kind() == ErrorKind::Invalid
                && error.message().contains("already running") => {}
        done => done?,
    }
    let status = runs(cx, coolify, owner).await?;
    Ok(DeploymentOutputs {
        deployment: None,
        commit: None,
        page: None,
        status,
    })
}

impl Action for Deployment {
    const TYPE: &'static str = "coolify.deployment";
    type Client = Coolify;
    type Spec = DeploymentSpec;
    type Outputs = DeploymentOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            resumable: true,
            ..info
        }
    }

    async fn run(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &DeploymentSpec,
    ) -> Result<DeploymentOutputs> {
        let owner = spec.owner()?;
        match owner.kind {
            Kind::Application => deploy(cx, coolify, &owner.uuid, spec.force, None).await,
            Kind::Service | Kind::Database => start(cx, coolify, &owner, spec.force).await,
        }
    }

    /// The build log of the deployment that was done last.
    async fn logs(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        outputs: &DeploymentOutputs,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let Some(deployment) = &outputs.deployment else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "Coolify keeps a build log of applications, not of services and databases",
            ));
        };
        let row = coolify.one(cx, "/deployments/{uuid}", deployment).await?;
        let row = row.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("Coolify has the log of the deployment {deployment} no more"),
            )
        })?;
        let mut shown = Vec::new();
        for line in lines(&row) {
            let stream = line.kind.unwrap_or_else(|| "build".to_owned());
            for text in line.output.as_deref().unwrap_or_default().lines() {
                shown.push(LogLine {
                    stream: stream.clone(),
                    text: text.to_owned(),
                    cursor: shown.len().to_string(),
                });
            }
        }
        let after = options.after.as_ref().and_then(|at| at.parse().ok());
        let from = after.map_or(0, |at: usize| at + 1);
        let last = options.tail.unwrap_or(shown.len());
        let from = from.max(shown.len().saturating_sub(last)).min(shown.len());
        Ok(shown.split_off(from))
    }

    /// A deployment that goes on is joined.
    async fn resume(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &DeploymentSpec,
        checkpoint: &Object,
    ) -> Result<DeploymentOutputs> {
        let owner = spec.owner()?;
        match (owner.kind, serde_json::from_slice(&checkpoint.private)) {
            (Kind::Application, Ok(begun)) => {
                let begun: Begun = begun;
                if let Some(deployment) = &begun.deployment {
                    cx.note(format!("joining the deployment {deployment}"));
                }
                deploy(cx, coolify, &owner.uuid, spec.force, Some(begun)).await
            }
            _ => self.run(cx, coolify, spec).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn a_log_is_a_text_of_json_and_hides_commands() {
        let text = json!([
            {"output": "docker build --build-arg TOKEN=x", "type": "stdout", "hidden": true, "order": 1},
            {"output": "one\ntwo", "type": "stdout", "hidden": false, "order": 2},
            {"output": "no space left", "type": "stderr", "hidden": false, "order": 3},
        ])
        .to_string();
        let row: Row = Map::from_iter([("logs".to_owned(), json!(text))]);
        assert_eq!(lines(&row).len(), 2);
        let error = failed("d1", &lines(&row));
        assert_eq!(error.log_lines(), ["no space left"]);
        assert_eq!(error.effect_of(), Effect::None);
        assert!(
            failed("d1", &[])
                .hint_text()
                .unwrap()
                .contains("read:sensitive")
        );
    }

    #[test]
    fn statuses_have_suffixes() {
        for well in [
            "running:healthy",
            "running:unknown",
            "running:healthy:excluded",
            "running",
        ] {
            assert!(is_well(well), "{well}");
        }
        for ill in [
            "running:unhealthy",
            "starting:unknown",
            "degraded:unhealthy",
            "paused:unknown",
            "exited",
            "unknown:unknown:excluded",
        ] {
            assert!(!is_well(ill), "{ill}");
        }
    }
}
