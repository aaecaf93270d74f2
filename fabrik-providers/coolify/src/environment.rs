//! `coolify.environment`.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::body::{Made, text, uuid};
use crate::client::{Coolify, EMPTYING, Row, Wait, rows};
use crate::version;

/// An environment of a project. `production` is there from the start and needs none of these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// The id of its project.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub project: String,
    /// Its name, unique in the project.
    #[schemars(length(min = 1, max = 255), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What it is for. Needs Coolify 4.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
}

/// What is known of an environment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct EnvironmentOutputs {
    /// Its id in Coolify.
    pub uuid: String,
}

/// `coolify.environment`.
#[derive(Clone, Copy, Debug)]
pub struct Environment;

/// `PROJECT/ENVIRONMENT`.
fn parts(id: &str) -> Result<(&str, &str)> {
    match id.split_once('/') {
        Some((project, environment))
            if !project.is_empty() && !environment.is_empty() && !environment.contains('/') =>
        {
            Ok((project, environment))
        }
        _ => Err(Error::new(
            ErrorKind::Invalid,
            format!("`{id}` is no id of an environment"),
        )
        .hint("write it as PROJECT_UUID/ENVIRONMENT_UUID")),
    }
}

fn observe(project: &str, row: &Row) -> Observed<EnvironmentSpec, EnvironmentOutputs> {
    let spec = EnvironmentSpec {
        project: project.to_owned(),
        name: text(row, "name").unwrap_or_default(),
        description: text(row, "description"),
    };
    Observed::new(spec, EnvironmentOutputs { uuid: uuid(row) })
}

async fn environments(cx: &Cx, coolify: &Coolify, project: &str) -> Result<Vec<Row>> {
    let shown = coolify
        .one(cx, "/projects/{uuid}", project)
        .await?
        .unwrap_or_default();
    Ok(rows(shown.get("environments").cloned().unwrap_or_default()))
}

async fn describe_it(
    cx: &Cx,
    coolify: &Coolify,
    project: &str,
    id: &str,
    text: Option<&str>,
) -> Result<()> {
    coolify
        .http
        .patch(cx, "/projects/{uuid}/environments/{environment}")
        .arg("uuid", project)
        .arg("environment", id)
        .body(&json!({"description": text}))
        .idempotent()
        .unit()
        .await
}

impl Resource for Environment {
    const TYPE: &'static str = "coolify.environment";
    type Client = Coolify;
    type Spec = EnvironmentSpec;
    type Outputs = EnvironmentOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            timeout: Duration::from_secs(120),
            exclusive: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &EnvironmentSpec,
    ) -> Result<Created<EnvironmentOutputs>> {
        let request = coolify
            .http
            .post(cx, "/projects/{uuid}/environments")
            .arg("uuid", &spec.project);
        let made: Made = request.body(&json!({"name": spec.name})).json().await?;
        let uuid = made.uuid()?;
        let id = format!("{}/{uuid}", spec.project);
        if let Some(text) = &spec.description {
            cx.made(fabrik_core::provider::Object {
                id: id.clone(),
                ..fabrik_core::provider::Object::default()
            })
            .await?;
            describe_it(cx, coolify, &spec.project, &uuid, Some(text))
                .await
                .map_err(|error| error.effect(fabrik_core::error::Effect::Partial))?;
        }
        Ok(Created::new(id, EnvironmentOutputs { uuid }))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<EnvironmentSpec, EnvironmentOutputs>>> {
        let (project, wanted) = parts(id)?;
        let found = environments(cx, coolify, project).await?;
        let row = found
            .iter()
            .find(|row| uuid(row) == wanted || text(row, "name").as_deref() == Some(wanted));
        Ok(row.map(|row| observe(project, row)))
    }

    /// One request for all environments of a project.
    async fn read_many(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        ids: &[String],
    ) -> Vec<ReadAnswer<EnvironmentSpec, EnvironmentOutputs>> {
        let mut known: BTreeMap<&str, Result<Vec<Row>>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let (project, wanted) = match parts(id) {
                Ok(parts) => parts,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            if !known.contains_key(project) {
                known.insert(project, environments(cx, coolify, project).await);
            }
            answers.push(match &known[project] {
                Ok(found) => {
                    let named = |row: &&Row| {
                        uuid(row) == wanted || text(row, "name").as_deref() == Some(wanted)
                    };
                    Ok(found.iter().find(named).map(|row| observe(project, row)))
                }
                Err(error) => Err(error.clone()),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, EnvironmentSpec>,
    ) -> Result<EnvironmentOutputs> {
        let (project, environment) = parts(id)?;
        describe_it(
            cx,
            coolify,
            project,
            environment,
            change.spec.description.as_deref(),
        )
        .await?;
        Ok(EnvironmentOutputs {
            uuid: environment.to_owned(),
        })
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        let (project, environment) = parts(id)?;
        let mut wait = Wait::new(cx, "what was in the environment to be deleted");
        loop {
            let request = coolify
                .http
                .delete(cx, "/projects/{uuid}/environments/{environment}")
                .arg("uuid", project)
                .arg("environment", environment)
                .ok_if(404);
            match request.unit().await {
                Err(error) if error.kind() == ErrorKind::Refused && wait.waited() < EMPTYING => {
                    wait.next().await?;
                }
                done => return done,
            }
        }
    }

    fn keys(&self, _: &Coolify, inputs: &Value) -> Keys {
        let project = inputs.get("project").and_then(Value::as_str);
        Keys {
            read_group: project.map(|project| format!("{}/{project}", Self::TYPE).into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, coolify: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: version::findings(Self::TYPE, proposal.desired, coolify.version),
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        _: OpId,
        spec: &EnvironmentSpec,
    ) -> Result<Option<Found<EnvironmentSpec, EnvironmentOutputs>>> {
        let found = environments(cx, coolify, &spec.project).await?;
        let row = found
            .iter()
            .find(|row| text(row, "name").as_deref() == Some(&spec.name));
        Ok(row.map(|row| Found {
            id: format!("{}/{}", spec.project, uuid(row)),
            observed: observe(&spec.project, row),
            marked: false,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<EnvironmentSpec, EnvironmentOutputs>>> {
        let mut all = Vec::new();
        for project in coolify.list(cx, "/projects").await? {
            let project = uuid(&project);
            for row in environments(cx, coolify, &project).await? {
                all.push(Found {
                    id: format!("{project}/{}", uuid(&row)),
                    observed: observe(&project, &row),
                    marked: false,
                });
            }
        }
        Ok(all)
    }
}
