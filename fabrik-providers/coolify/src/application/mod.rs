//! `coolify.application`.

mod spec;
mod wire;

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{
    Cx, Finding, Keys, LogLine, LogOptions, Lost, Object, OpId, Planned, Proposal, TypeInfo,
};
use fabrik_core::value::{Path, Value};

use crate::body::{Body, Made, encode, mark_of, marked, remarked, uuid, with_mark};
use crate::client::{Coolify, Row};
use crate::server::preflight;
use crate::version::{self, Version};

pub(crate) use spec::production;
pub use spec::{
    ApplicationOutputs, ApplicationSpec, BasicAuth, Build, Git, Health, Hook, Limits, Method, Pack,
    Redirect, Settings,
};
pub(crate) use wire::{domain, limits_of, list};

/// `coolify.application`.
#[derive(Clone, Copy, Debug)]
pub struct Application;

/// Its route.
pub(crate) const ROUTE: &str = "/applications/{uuid}";
/// Creating takes only these by a change afterwards.
const LATER: &[&str] = &["dockerfile_target_build"];

async fn observe(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
) -> Result<Observed<ApplicationSpec, ApplicationOutputs>> {
    let (mut spec, mut hidden) = wire::observe(row);
    let place = coolify.place(cx, row).await?;
    hidden.extend(place.hidden());
    spec.project = place.project.unwrap_or_default();
    spec.environment = place.environment.unwrap_or_default();
    spec.server = place.server.unwrap_or_default();
    Ok(Observed::new(spec, wire::outputs(row)).hidden(&hidden))
}

async fn found(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
    marked: bool,
) -> Result<Found<ApplicationSpec, ApplicationOutputs>> {
    Ok(Found {
        id: uuid(row),
        observed: observe(cx, coolify, row).await?,
        marked,
    })
}

fn invalid(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Invalid, message).field(Path::parse(field))
}

/// The route that makes it, by where it comes from.
fn create_route(spec: &ApplicationSpec) -> Result<&'static str> {
    match (&spec.image, &spec.git, &spec.dockerfile) {
        (Some(_), None, None) => Ok("/applications/dockerimage"),
        (None, None, Some(_)) => Ok("/applications/dockerfile"),
        (None, Some(git), None) => match (&git.deploy_key, &git.github_app) {
            (None, None) => Ok("/applications/public"),
            (Some(_), None) => Ok("/applications/private-deploy-key"),
            (None, Some(_)) => Ok("/applications/private-github-app"),
            (Some(_), Some(_)) => Err(invalid(
                "git.github_app",
                "a repository is opened by `deploy_key` or by `github_app`, not by both",
            )),
        },
        _ => Err(invalid(
            "image",
            "an application has one of `image`, `git` and `dockerfile`",
        )),
    }
}

/// What creating sends.
fn create_body(spec: &ApplicationSpec, mark: &str) -> Body {
    let mut body = wire::body(spec);
    for field in LATER {
        body.0.remove(*field);
    }
    body.set("project_uuid", &spec.project);
    body.set("environment_name", &spec.environment);
    body.set("server_uuid", &spec.server);
    body.some("destination_uuid", spec.destination.as_deref());
    body.set("description", marked(spec.description.as_deref(), mark));
    if let Some(git) = &spec.git {
        body.some("private_key_uuid", git.deploy_key.as_deref());
        body.some("github_app_uuid", git.github_app.as_deref());
        if spec.build.as_ref().and_then(|build| build.pack).is_none() {
            body.set("build_pack", Pack::Nixpacks);
        }
    }
    if let Some(text) = &spec.dockerfile {
        body.set("dockerfile", encode(text));
    }
    if spec.domains.as_ref().is_some_and(Vec::is_empty) {
        body.set("autogenerate_domain", false);
    }
    force(spec, &mut body);
    body
}

fn force(spec: &ApplicationSpec, body: &mut Body) {
    if spec.force_domains && body.0.contains_key("domains") {
        body.set("force_domain_override", true);
    }
}

async fn patch(cx: &Cx, coolify: &Coolify, id: &str, body: &Body) -> Result<()> {
    // A change of nothing is refused.
    if body.is_empty() {
        return Ok(());
    }
    coolify
        .http
        .patch(cx, ROUTE)
        .arg("uuid", id)
        .body(&body.0)
        .idempotent()
        .unit()
        .await
}

/// Creating takes a second request for these.
fn second_step(spec: &ApplicationSpec) -> Body {
    let whole = wire::body(spec);
    let mut body = Body::default();
    for field in LATER {
        body.some(field, whole.0.get(*field));
    }
    // For a Dockerfile, Coolify looks for the port in its base64 text and takes 80.
    if spec.dockerfile.is_some() {
        body.some("ports_exposes", whole.0.get("ports_exposes"));
    }
    body
}

async fn finish(
    cx: &Cx,
    coolify: &Coolify,
    id: &str,
    spec: &ApplicationSpec,
) -> Result<Created<ApplicationOutputs>> {
    let second = second_step(spec);
    if !second.is_empty() {
        let object = Object {
            id: id.to_owned(),
            ..Object::default()
        };
        cx.made(object).await?;
        patch(cx, coolify, id, &second)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
    }
    let row = coolify.made(cx, ROUTE, id, "application").await?;
    Ok(Created::new(id, wire::outputs(&row)))
}

impl Resource for Application {
    const TYPE: &'static str = "coolify.application";
    type Client = Coolify;
    type Spec = ApplicationSpec;
    type Outputs = ApplicationOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            timeout: Duration::from_secs(120),
            resumable: true,
            volatile: ["url", "addresses"].map(Path::key).to_vec(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &ApplicationSpec,
    ) -> Result<Created<ApplicationOutputs>> {
        let route = create_route(spec)?;
        let body = create_body(spec, &mark_of(cx.op()?));
        let made: Made = coolify.http.post(cx, route).body(&body.0).json().await?;
        finish(cx, coolify, &made.uuid()?, spec).await
    }

    async fn resume(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &ApplicationSpec,
        checkpoint: &Object,
    ) -> Result<Created<ApplicationOutputs>> {
        if coolify.one(cx, ROUTE, &checkpoint.id).await?.is_none() {
            return self.create(cx, coolify, spec).await;
        }
        finish(cx, coolify, &checkpoint.id, spec).await
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<ApplicationSpec, ApplicationOutputs>>> {
        match coolify.one(cx, ROUTE, id).await? {
            Some(row) => observe(cx, coolify, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Before 4.2.0 the list shows all there is to see; since then it lacks the settings.
    async fn read_many(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        ids: &[String],
    ) -> Vec<ReadAnswer<ApplicationSpec, ApplicationOutputs>> {
        if ids.len() > 1 && coolify.version < SETTINGS_SHOWN {
            return match coolify.list(cx, "/applications").await {
                Ok(rows) => {
                    let mut answers = Vec::with_capacity(ids.len());
                    for id in ids {
                        answers.push(match rows.iter().find(|row| uuid(row) == *id) {
                            Some(row) => observe(cx, coolify, row).await.map(Some),
                            None => Ok(None),
                        });
                    }
                    answers
                }
                Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
            };
        }
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(self.read(cx, coolify, id).await);
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, ApplicationSpec>,
    ) -> Result<ApplicationOutputs> {
        create_route(change.spec)?;
        let there = coolify.one(cx, ROUTE, id).await?;
        let there =
            there.ok_or_else(|| Error::new(ErrorKind::NotFound, "the application is gone"))?;
        let wanted = wire::body(change.spec);
        let before = change.prior.as_ref().map(wire::body);
        let mut body = wanted.changes(&wire::body_of(&there), before.as_ref(), wire::reset);
        let description = remarked(change.spec.description.as_deref(), &there);
        if there.get("description") != Some(&description) {
            body.set("description", description);
        }
        force(change.spec, &mut body);
        patch(cx, coolify, id, &body).await?;
        let row = coolify.one(cx, ROUTE, id).await?.unwrap_or(there);
        Ok(wire::outputs(&row))
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        coolify.remove(cx, ROUTE, id, false, "application").await
    }

    /// Volumes stay unless the spec said otherwise.
    async fn delete_object(&self, cx: &Cx, coolify: &Coolify, object: &Object) -> Result<()> {
        let volumes = object.inputs.get("delete_volumes").and_then(Value::as_bool) == Some(true);
        coolify
            .remove(cx, ROUTE, &object.id, volumes, "application")
            .await
    }

    fn keys(&self, coolify: &Coolify, _: &Value) -> Keys {
        Keys {
            // One by one they are read beside each other.
            read_group: (coolify.version < SETTINGS_SHOWN).then(|| Self::TYPE.into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, cx: &Cx, coolify: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let mut findings = version::findings(Self::TYPE, desired, coolify.version);
        findings.extend(check(desired, proposal.observed, coolify.version));
        if proposal.last_sent.is_none()
            && let Some(server) = desired.get("server").and_then(Value::as_str)
        {
            findings.extend(preflight(cx, coolify, server).await?);
        }
        Ok(Planned {
            inputs: normalised(desired),
            replace: source_change(proposal.last_sent, desired),
            findings,
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        spec: &ApplicationSpec,
    ) -> Result<Option<Found<ApplicationSpec, ApplicationOutputs>>> {
        let rows = coolify.list(cx, "/applications").await?;
        let Some(mut row) = with_mark(rows, op) else {
            return Ok(None);
        };
        // The create whose reply was lost may have had a second step to go.
        let there = wire::body_of(&row);
        let second = second_step(spec).changes(&there, None, |_| None);
        let id = uuid(&row);
        patch(cx, coolify, &id, &second).await?;
        row = coolify.one(cx, ROUTE, &id).await?.unwrap_or(row);
        found(cx, coolify, &row, true).await.map(Some)
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<ApplicationSpec, ApplicationOutputs>>> {
        let rows = coolify.list(cx, "/applications").await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(found(cx, coolify, row, false).await?);
        }
        Ok(all)
    }

    async fn logs(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let lines = options.tail.unwrap_or(100).clamp(1, 10_000);
        let request = coolify
            .http
            .get(cx, "/applications/{uuid}/logs")
            .arg("uuid", id)
            .query("lines", lines);
        let shown: serde_json::Value = request.json().await?;
        Ok(log_lines(&shown, options))
    }
}

/// Log lines have no ids: the cursor is the number of lines and the last of them.
pub(crate) fn log_lines(shown: &serde_json::Value, options: &LogOptions) -> Vec<LogLine> {
    let text = shown
        .get("logs")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    let from = match &options.after {
        Some(cursor) => all
            .iter()
            .rposition(|line| line == cursor)
            .map_or(0, |at| at + 1),
        None => 0,
    };
    let lines = all[from..].iter().map(|line| LogLine {
        stream: "app".to_owned(),
        text: (*line).to_owned(),
        cursor: (*line).to_owned(),
    });
    lines.collect()
}

/// Since this version settings are shown, by reading one application.
const SETTINGS_SHOWN: Version = Version::new(4, 2, 0);
/// Since this version `ports` may be left out.
const PORTS_OPTIONAL: Version = Version::new(4, 1, 2);

fn blocking(field: &str, message: impl Into<String>, hint: &str) -> Finding {
    Finding {
        blocking: true,
        message: message.into(),
        hint: Some(hint.to_owned()),
        field: Some(Path::parse(field)),
        adopt: None,
    }
}

/// What would be refused.
fn check(desired: &Value, observed: Option<&Object>, server: Version) -> Vec<Finding> {
    let has = |field: &str| {
        desired
            .at(&Path::parse(field))
            .is_some_and(|value| !value.is_null())
    };
    let mut found = Vec::new();
    let sources: Vec<&str> = ["image", "git", "dockerfile"]
        .into_iter()
        .filter(|field| has(field))
        .collect();
    if sources.len() != 1 {
        let field = sources.get(1).copied().unwrap_or("image");
        found.push(blocking(
            field,
            "an application has one of `image`, `git` and `dockerfile`",
            "set exactly one of them",
        ));
    }
    if has("git.deploy_key") && has("git.github_app") {
        found.push(blocking(
            "git.github_app",
            "a repository is opened by `deploy_key` or by `github_app`, not by both",
            "take one of them out",
        ));
    }
    if !has("ports") && !has("dockerfile") && server < PORTS_OPTIONAL {
        found.push(blocking(
            "ports",
            format!("`ports` is needed before Coolify {PORTS_OPTIONAL}; the server runs {server}"),
            "say which port the application listens on",
        ));
    }
    if let Some(image) = desired.get("image").and_then(Value::as_str) {
        let (name, tag) = wire::image_parts(image);
        if name.chars().any(char::is_uppercase) {
            found.push(blocking(
                "image",
                format!("the name of the image `{image}` must be in lower case"),
                "registries know lower case names only",
            ));
        }
        let is_tag = tag.len() <= 128
            && tag
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
        if !is_tag || tag.is_empty() {
            found.push(blocking(
                "image",
                format!("`{tag}` is no tag of an image"),
                "a tag has letters, digits, `_`, `.` and `-`",
            ));
        }
    }
    let domains = |value: &Value| {
        value
            .get("domains")
            .and_then(Value::as_list)
            .map(<[Value]>::len)
    };
    if domains(desired) == Some(0)
        && let Some(observed) = observed
        && domains(&observed.inputs).is_some_and(|count| count > 0)
    {
        found.push(blocking(
            "domains",
            "Coolify's API cannot take away the last domain of an application",
            "clear it in the dashboard, or replace the application",
        ));
    }
    for field in ["build.install", "build.command", "build.start"] {
        let text = desired.at(&Path::parse(field));
        let text = text
            .as_ref()
            .and_then(|value| value.as_str())
            .unwrap_or_default();
        let plain = text.replace("||", "");
        if plain.contains(['$', '`', ';', '|', '<', '>']) && !plain.contains(['"', '\'']) {
            found.push(blocking(
                field,
                "Coolify refuses `$`, backticks, `;`, `|`, `<` and `>` in this command",
                "join commands by `&&`, or put them into a script",
            ));
        }
    }
    if has("health") && !has("health.command") && sources == ["image"] {
        found.push(Finding {
            blocking: false,
            message: "the health check runs inside the container and needs `curl` or `wget` there; without them each deployment fails".to_owned(),
            hint: Some("use an image that has one of them, or `health.command`".to_owned()),
            field: Some(Path::key("health")),
            adopt: None,
        });
    }
    found
}

/// Going from one kind of source to another makes a new application.
fn source_change(before: Option<&Object>, desired: &Value) -> Vec<Path> {
    let Some(before) = before else {
        return Vec::new();
    };
    let kind = |value: &Value| {
        ["image", "git", "dockerfile"]
            .into_iter()
            .find(|field| value.get(field).is_some_and(|value| !value.is_null()))
    };
    match (kind(&before.inputs), kind(desired)) {
        (Some(old), Some(new)) if old != new => vec![Path::key(old), Path::key(new)],
        _ => Vec::new(),
    }
}

/// Spellings that Coolify changes are changed before.
fn normalised(desired: &Value) -> Value {
    let mut inputs = desired.clone();
    let mut set = |path: &str, spell: &dyn Fn(&str) -> String| {
        let path = Path::parse(path);
        if let Some(text) = inputs
            .at(&path)
            .and_then(|value| value.as_str().map(str::to_owned))
        {
            let spelled = spell(&text);
            if spelled != text {
                inputs = inputs.with(&path, Value::from(spelled));
            }
        }
    };
    set("git.repository", &|text| wire::repository(text));
    set("image", &|text| {
        let (name, tag) = wire::image_parts(text);
        wire::image_text(&name, Some(&tag))
    });
    for field in [
        "name",
        "description",
        "docker_options",
        "build.install",
        "build.command",
        "build.start",
    ] {
        set(field, &|text| text.trim().to_owned());
    }
    // What Coolify has when nothing is said is shown as nothing.
    for (field, usual) in [
        ("build.base_directory", "/"),
        ("build.dockerfile", "/Dockerfile"),
        ("git.commit", "HEAD"),
    ] {
        let path = Path::parse(field);
        if inputs
            .at(&path)
            .is_some_and(|value| value.as_str() == Some(usual))
        {
            inputs = inputs.without(&path);
        }
    }
    if let Some(domains) = inputs
        .get("domains")
        .and_then(Value::as_list)
        .map(<[Value]>::to_vec)
    {
        let spelled = domains.iter().map(|value| match value.as_str() {
            Some(text) => Value::from(domain(text)),
            None => value.clone(),
        });
        inputs = inputs.with(&Path::key("domains"), Value::list(spelled));
    }
    inputs
}
