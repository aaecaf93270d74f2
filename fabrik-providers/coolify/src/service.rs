//! `coolify.service`.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{
    Cx, Finding, LogLine, LogOptions, Lost, Object, OpId, Planned, Proposal, TypeInfo,
};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::application::{domain, list, log_lines, production};
use crate::body::{
    Body, Made, encode, flag, mark_of, marked, remarked, text, unmarked, uuid, with_mark,
};
use crate::client::{Coolify, Row};
use crate::compose::{canonical, containers};
use crate::server::preflight;
use crate::version::{self, Version};

/// A stack of containers: a compose text, or an entry of Coolify's catalogue.
///
/// Making or changing one starts nothing by itself: `coolify.deployment` does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// The id of its project.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub project: String,
    /// The name of its environment; `production` unless set.
    #[serde(default = "production")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub environment: String,
    /// The id of its server.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub server: String,
    /// The id of the server's destination (network), where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub destination: Option<String>,
    /// Its name. Not unique in Coolify.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// What it is for. Fabrik keeps a mark at the end of it in Coolify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// The compose text. Coolify keeps what it means, not how it is written. One of `compose` and
    /// `template` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub compose: Option<String>,
    /// The name of a stack in Coolify's catalogue, such as `uptime-kuma`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub template: Option<String>,
    /// Where containers answer: URLs by the container's name in the compose text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub urls: BTreeMap<String, Vec<String>>,
    /// Whether to take domains that something else in this Coolify has already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub force_domains: bool,
    /// Whether its containers join the predefined network of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub predefined_network: Option<bool>,
    /// Whether special characters in labels are escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub escape_labels: Option<bool>,
    /// Whether deleting the service destroys its volumes; Coolify's own default is to do so, Fabrik's
    /// is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub delete_volumes: bool,
}

/// What is known of a service.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServiceOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
    /// Where it answers: the first URL of the first container that has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Every URL it answers at.
    pub addresses: Vec<String>,
}

/// `coolify.service`.
#[derive(Clone, Copy, Debug)]
pub struct Service;

const ROUTE: &str = "/services/{uuid}";
/// Since this version a service's log can be read.
const LOGS: Version = Version::new(4, 2, 0);

fn urls_of(row: &Row) -> BTreeMap<String, Vec<String>> {
    let containers = row.get("applications").and_then(Json::as_array);
    let mut found = BTreeMap::new();
    for container in containers.into_iter().flatten().filter_map(Json::as_object) {
        let urls = sorted(list(text(container, "fqdn")));
        if let Some(name) = text(container, "name").filter(|_| !urls.is_empty()) {
            found.insert(name, urls);
        }
    }
    found
}

/// URLs in one spelling and order.
fn sorted(urls: Vec<String>) -> Vec<String> {
    let mut urls: Vec<String> = urls.iter().map(|url| domain(url)).collect();
    urls.sort();
    urls
}

fn outputs(row: &Row) -> ServiceOutputs {
    let addresses: Vec<String> = urls_of(row).into_values().flatten().collect();
    ServiceOutputs {
        uuid: uuid(row),
        url: addresses
            .first()
            .map(|url| url.trim_end_matches('/').to_owned()),
        addresses,
    }
}

fn observe(row: &Row) -> Observed<ServiceSpec, ServiceOutputs> {
    let mut hidden = vec!["destination", "force_domains", "delete_volumes"];
    let template = text(row, "service_type");
    let compose = text(row, "docker_compose_raw");
    if compose.is_none() {
        hidden.push("compose");
    }
    let spec = ServiceSpec {
        name: text(row, "name").unwrap_or_default(),
        description: unmarked(row).0,
        compose: compose
            .filter(|_| template.is_none())
            .map(|text| canonical(&text).unwrap_or(text)),
        template,
        urls: urls_of(row),
        predefined_network: flag(row, "connect_to_docker_network"),
        escape_labels: flag(row, "is_container_label_escape_enabled"),
        ..ServiceSpec::default()
    };
    Observed::new(spec, outputs(row)).hidden(&hidden)
}

/// What is shown, and where it is.
async fn placed(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
) -> Result<Observed<ServiceSpec, ServiceOutputs>> {
    let mut observed = observe(row);
    let place = coolify.place(cx, row).await?;
    observed
        .hidden
        .extend(place.hidden().into_iter().map(Path::key));
    observed.spec.project = place.project.unwrap_or_default();
    observed.spec.environment = place.environment.unwrap_or_default();
    observed.spec.server = place.server.unwrap_or_default();
    Ok(observed)
}

async fn found(
    cx: &Cx,
    coolify: &Coolify,
    row: &Row,
    marked: bool,
) -> Result<Found<ServiceSpec, ServiceOutputs>> {
    Ok(Found {
        id: uuid(row),
        observed: placed(cx, coolify, row).await?,
        marked,
    })
}

/// What a change may send, besides URLs.
fn body(spec: &ServiceSpec) -> Body {
    let mut body = Body::default();
    body.set("name", spec.name.trim());
    if let Some(compose) = &spec.compose {
        let text = canonical(compose).unwrap_or_else(|_| compose.clone());
        body.set("docker_compose_raw", encode(&text));
    }
    body.some("connect_to_docker_network", spec.predefined_network);
    body.some("is_container_label_escape_enabled", spec.escape_labels);
    body
}

/// URLs as requests have them; null clears those of a container.
fn url_items(wanted: &BTreeMap<String, Vec<String>>, gone: &[&String]) -> Vec<Json> {
    let set = wanted.iter().map(|(name, urls)| {
        let urls = sorted(urls.clone()).join(",");
        json!({"name": name, "url": if urls.is_empty() { Json::Null } else { Json::String(urls) }})
    });
    let cleared = gone.iter().map(|name| json!({"name": name, "url": null}));
    set.chain(cleared).collect()
}

async fn patch(cx: &Cx, coolify: &Coolify, id: &str, body: &Body) -> Result<()> {
    coolify
        .http
        .patch(cx, ROUTE)
        .arg("uuid", id)
        .body(&body.0)
        .idempotent()
        .unit()
        .await
}

async fn finish(
    cx: &Cx,
    coolify: &Coolify,
    id: &str,
    spec: &ServiceSpec,
) -> Result<Created<ServiceOutputs>> {
    // Creating refuses this field, changing takes it.
    if let Some(on) = spec.predefined_network {
        let object = Object {
            id: id.to_owned(),
            ..Object::default()
        };
        cx.made(object).await?;
        let mut body = Body::default();
        body.set("connect_to_docker_network", on);
        patch(cx, coolify, id, &body)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
    }
    let row = coolify.made(cx, ROUTE, id, "service").await?;
    Ok(Created::new(id, outputs(&row)))
}

impl Resource for Service {
    const TYPE: &'static str = "coolify.service";
    type Client = Coolify;
    type Spec = ServiceSpec;
    type Outputs = ServiceOutputs;

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
        spec: &ServiceSpec,
    ) -> Result<Created<ServiceOutputs>> {
        let mut body = body(spec);
        body.0.remove("connect_to_docker_network");
        body.set("project_uuid", &spec.project);
        body.set("environment_name", &spec.environment);
        body.set("server_uuid", &spec.server);
        body.some("destination_uuid", spec.destination.as_deref());
        body.some("type", spec.template.as_deref());
        body.set(
            "description",
            marked(spec.description.as_deref(), &mark_of(cx.op()?)),
        );
        if !spec.urls.is_empty() {
            body.set("urls", url_items(&spec.urls, &[]));
            if spec.force_domains {
                body.set("force_domain_override", true);
            }
        }
        let made: Made = coolify
            .http
            .post(cx, "/services")
            .body(&body.0)
            .json()
            .await?;
        finish(cx, coolify, &made.uuid()?, spec).await
    }

    async fn resume(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &ServiceSpec,
        checkpoint: &Object,
    ) -> Result<Created<ServiceOutputs>> {
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
    ) -> Result<Option<Observed<ServiceSpec, ServiceOutputs>>> {
        match coolify.one(cx, ROUTE, id).await? {
            Some(row) => placed(cx, coolify, &row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Two requests where both text and URLs change: Coolify keeps the text before it looks at the
    /// URLs, and a refusal of both would leave it unclear what is there.
    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, ServiceSpec>,
    ) -> Result<ServiceOutputs> {
        let there = coolify.one(cx, ROUTE, id).await?;
        let there = there.ok_or_else(|| Error::new(ErrorKind::NotFound, "the service is gone"))?;
        let shown = observe(&there);
        let wanted = body(change.spec);
        let before = change.prior.as_ref().map(body);
        let mut changes = wanted.changes(&body(&shown.spec), before.as_ref(), |_| None);
        let description = remarked(change.spec.description.as_deref(), &there);
        if there.get("description") != Some(&description) {
            changes.set("description", description);
        }
        let mut is_begun = false;
        if !changes.is_empty() {
            patch(cx, coolify, id, &changes).await?;
            is_begun = true;
        }
        let spelled: BTreeMap<String, Vec<String>> = change
            .spec
            .urls
            .iter()
            .map(|(name, urls)| (name.clone(), sorted(urls.clone())))
            .collect();
        let prior = change.prior.iter().flat_map(|prior| prior.urls.keys());
        let gone: Vec<&String> = prior
            .filter(|name| !spelled.contains_key(*name) && shown.spec.urls.contains_key(*name))
            .collect();
        let differ: BTreeMap<String, Vec<String>> = spelled
            .into_iter()
            .filter(|(name, urls)| {
                shown.spec.urls.get(name).map_or(&[][..], Vec::as_slice) != urls.as_slice()
            })
            .collect();
        if !differ.is_empty() || !gone.is_empty() {
            let mut body = Body::default();
            body.set("urls", url_items(&differ, &gone));
            if change.spec.force_domains {
                body.set("force_domain_override", true);
            }
            let effect = if is_begun {
                Effect::Partial
            } else {
                Effect::None
            };
            patch(cx, coolify, id, &body).await.map_err(|error| {
                if error.effect_of() == Effect::None {
                    error.effect(effect)
                } else {
                    error
                }
            })?;
        }
        let row = coolify.one(cx, ROUTE, id).await?.unwrap_or(there);
        Ok(outputs(&row))
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        coolify.remove(cx, ROUTE, id, false, "service").await
    }

    /// Volumes stay unless the spec said otherwise.
    async fn delete_object(&self, cx: &Cx, coolify: &Coolify, object: &Object) -> Result<()> {
        let volumes = object.inputs.get("delete_volumes").and_then(Value::as_bool) == Some(true);
        coolify
            .remove(cx, ROUTE, &object.id, volumes, "service")
            .await
    }

    async fn plan(&self, cx: &Cx, coolify: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let mut findings = version::findings(Self::TYPE, desired, coolify.version);
        let mut inputs = desired.clone();
        let has = |field: &str| desired.get(field).is_some_and(|value| !value.is_null());
        if has("compose") == has("template") {
            findings.push(finding(
                "compose",
                "a service has one of `compose` and `template`".to_owned(),
                None,
            ));
        }
        if let Some(value) = desired.get("compose")
            && let Some(text) = value.reveal().as_str()
        {
            match canonical(text) {
                Ok(spelled) => {
                    let names = containers(text);
                    for name in desired
                        .get("urls")
                        .and_then(Value::as_map)
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name)
                    {
                        if !names.iter().any(|known| **known == **name) {
                            let hint = format!("the compose text has: {}", names.join(", "));
                            findings.push(finding(
                                &format!("urls.{name}"),
                                format!("there is no container `{name}`"),
                                Some(hint),
                            ));
                        }
                    }
                    let spelled = Value::from(spelled);
                    inputs = inputs.with(
                        &Path::key("compose"),
                        if value.is_secret() {
                            spelled.into_secret()
                        } else {
                            spelled
                        },
                    );
                }
                Err(why) => {
                    let hint =
                        "Coolify takes compose texts in YAML with a map `services`".to_owned();
                    findings.push(finding(
                        "compose",
                        format!("this is no compose text: {why}"),
                        Some(hint),
                    ));
                }
            }
        }
        for (name, urls) in desired
            .get("urls")
            .and_then(Value::as_map)
            .into_iter()
            .flatten()
        {
            let urls: Option<Vec<String>> = urls.as_list().and_then(|urls| {
                urls.iter()
                    .map(|url| url.as_str().map(str::to_owned))
                    .collect()
            });
            if let Some(urls) = urls {
                let path = Path::key("urls").join(name.clone());
                inputs = inputs.with(
                    &path,
                    Value::list(sorted(urls).into_iter().map(Value::from)),
                );
            }
        }
        if proposal.last_sent.is_none()
            && let Some(server) = desired.get("server").and_then(Value::as_str)
        {
            findings.extend(preflight(cx, coolify, server).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        spec: &ServiceSpec,
    ) -> Result<Option<Found<ServiceSpec, ServiceOutputs>>> {
        let rows = coolify.list(cx, "/services").await?;
        let Some(mut row) = with_mark(rows, op) else {
            return Ok(None);
        };
        // The create whose reply was lost may have had a second step to go.
        if let Some(on) = spec.predefined_network
            && flag(&row, "connect_to_docker_network") != Some(on)
        {
            let mut body = Body::default();
            body.set("connect_to_docker_network", on);
            let id = uuid(&row);
            patch(cx, coolify, &id, &body).await?;
            row = coolify.one(cx, ROUTE, &id).await?.unwrap_or(row);
        }
        found(cx, coolify, &row, true).await.map(Some)
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<ServiceSpec, ServiceOutputs>>> {
        let rows = coolify.list(cx, "/services").await?;
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
        if coolify.version < LOGS {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "logs of services need Coolify {LOGS}; the server runs {}",
                    coolify.version
                ),
            ));
        }
        let row = coolify.one(cx, ROUTE, id).await?.unwrap_or_default();
        let first = row
            .get("applications")
            .and_then(Json::as_array)
            .and_then(|all| all.first())
            .and_then(Json::as_object);
        let mut request = coolify
            .http
            .get(cx, "/services/{uuid}/logs")
            .arg("uuid", id);
        request = request.query("lines", options.tail.unwrap_or(100).clamp(1, 10_000));
        if let Some(name) = first.and_then(|container| text(container, "name")) {
            request = request.query("sub_service_name", name);
        }
        let shown: Json = request.json().await?;
        Ok(log_lines(&shown, options))
    }
}

fn finding(field: &str, message: String, hint: Option<String>) -> Finding {
    Finding {
        blocking: true,
        message,
        hint,
        field: Some(Path::parse(field)),
        adopt: None,
    }
}
