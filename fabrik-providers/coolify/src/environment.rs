//! `coolify.environment`.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, TypeInfo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::body::{Made, text, uuid};
use crate::client::{Coolify, EMPTYING, Row, rows, wait as waiting};

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
            updatable: false,
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

    /// Nothing of it can change in place.
    async fn update(
        &self,
        _: &Cx,
        _: &Coolify,
        id: &str,
        _: &Change<'_, EnvironmentSpec>,
    ) -> Result<EnvironmentOutputs> {
        let (_, environment) = parts(id)?;
        Ok(EnvironmentOutputs {
            uuid: environment.to_owned(),
        })
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        let (project, environment) = parts(id)?;
        let mut wait = waiting(cx, "what was in the environment to be deleted");
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
