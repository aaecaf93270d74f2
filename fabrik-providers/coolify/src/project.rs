//! `coolify.project`.

use std::time::Duration;

use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, TypeInfo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{Body, Made, mark_of, marked, remarked, text, unmarked, uuid, with_mark};
use crate::client::{Coolify, EMPTYING, Row, wait as waiting};

/// A project: what holds environments, and these applications, services and databases. Coolify makes
/// an environment `production` with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectSpec {
    /// Its name: letters, digits, spaces and `- _ . @ / & ( ) # , : +`. Not unique in Coolify.
    #[schemars(
        length(min = 3, max = 255),
        regex(pattern = r"^[\p{L}\p{N}\s\-_.@/&()#,:+]+$")
    )]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), regex(pattern = r"^[^`<>;|{}\[\]:$\\]+$"))]
    pub description: Option<String>,
}

/// What is known of a project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ProjectOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
}

/// `coolify.project`.
#[derive(Clone, Copy, Debug)]
pub struct Project;

fn observe(row: &Row) -> Observed<ProjectSpec, ProjectOutputs> {
    let spec = ProjectSpec {
        name: text(row, "name").unwrap_or_default(),
        description: unmarked(row).0,
    };
    Observed::new(spec, ProjectOutputs { uuid: uuid(row) })
}

fn found(row: &Row, marked: bool) -> Found<ProjectSpec, ProjectOutputs> {
    Found {
        id: uuid(row),
        observed: observe(row),
        marked,
    }
}

impl Resource for Project {
    const TYPE: &'static str = "coolify.project";
    type Client = Coolify;
    type Spec = ProjectSpec;
    type Outputs = ProjectOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            // Deleting waits until what was in it is gone.
            timeout: Duration::from_secs(120),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &ProjectSpec,
    ) -> Result<Created<ProjectOutputs>> {
        let mut body = Body::default();
        body.set("name", spec.name.trim());
        body.set(
            "description",
            marked(spec.description.as_deref(), &mark_of(cx.op()?)),
        );
        let made: Made = coolify
            .http
            .post(cx, "/projects")
            .body(&body.0)
            .json()
            .await?;
        let uuid = made.uuid()?;
        Ok(Created::new(uuid.clone(), ProjectOutputs { uuid }))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<ProjectSpec, ProjectOutputs>>> {
        let row = coolify.one(cx, "/projects/{uuid}", id).await?;
        Ok(row.map(|row| observe(&row)))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        ids: &[String],
    ) -> Vec<ReadAnswer<ProjectSpec, ProjectOutputs>> {
        if let [id] = ids {
            return vec![self.read(cx, coolify, id).await];
        }
        match coolify.list(cx, "/projects").await {
            Ok(rows) => {
                let find = |id: &String| rows.iter().find(|row| uuid(row) == *id);
                ids.iter().map(|id| Ok(find(id).map(observe))).collect()
            }
            Err(error) => ids.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, ProjectSpec>,
    ) -> Result<ProjectOutputs> {
        let there = coolify
            .one(cx, "/projects/{uuid}", id)
            .await?
            .unwrap_or_default();
        let mut body = Body::default();
        body.set("name", change.spec.name.trim());
        body.set(
            "description",
            remarked(change.spec.description.as_deref(), &there),
        );
        coolify
            .http
            .patch(cx, "/projects/{uuid}")
            .arg("uuid", id)
            .body(&body.0)
            .idempotent()
            .unit()
            .await?;
        Ok(ProjectOutputs {
            uuid: id.to_owned(),
        })
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        // What was in it is deleted by Coolify's queue, which may take a while.
        let mut wait = waiting(cx, "what was in the project to be deleted");
        loop {
            let request = coolify
                .http
                .delete(cx, "/projects/{uuid}")
                .arg("uuid", id)
                .ok_if(404);
            match request.unit().await {
                Err(error) if error.kind() == ErrorKind::Refused && wait.waited() < EMPTYING => {
                    wait.next().await?;
                }
                done => return done,
            }
        }
    }

    fn keys(&self, _: &Coolify, _: &Value) -> Keys {
        Keys {
            read_group: Some(Self::TYPE.into()),
            ..Keys::default()
        }
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        _: &ProjectSpec,
    ) -> Result<Option<Found<ProjectSpec, ProjectOutputs>>> {
        let rows = coolify.list(cx, "/projects").await?;
        Ok(with_mark(rows, op).map(|row| found(&row, true)))
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<ProjectSpec, ProjectOutputs>>> {
        let rows = coolify.list(cx, "/projects").await?;
        Ok(rows.iter().map(|row| found(row, false)).collect())
    }
}
