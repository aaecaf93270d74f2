//! `coolify.s3_storage`.

use fabrik_core::error::{Effect, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, Object, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{Body, Made, flag, mark_of, marked, remarked, text, unmarked, uuid, with_mark};
use crate::client::{Coolify, Row};
use crate::version;

/// A bucket that backups go to. Needs Coolify 4.3.0; before, make it in the dashboard and give its id
/// to backups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct S3StorageSpec {
    /// Its name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// What it is for. Fabrik keeps a mark at the end of it in Coolify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// The URL of the service.
    #[schemars(regex(pattern = "^https?://"), extend("x-fabrik" = {"same": "url"}))]
    pub endpoint: String,
    /// The bucket.
    #[schemars(length(min = 1))]
    pub bucket: String,
    /// The region.
    #[schemars(length(min = 1))]
    pub region: String,
    /// The access key. Coolify never shows it.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true}))]
    pub key: Secret,
    /// The secret of the access key. Coolify never shows it.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "write_only": true}))]
    pub secret: Secret,
    /// Whether Coolify tries it out when it is made or changed, and the run fails when it does not
    /// work.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub validate: bool,
}

fn yes() -> bool {
    true
}

/// What is known of a storage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct S3StorageOutputs {
    /// Its id, as backups want it.
    pub uuid: String,
    /// Whether Coolify has tried it out with success.
    pub usable: bool,
}

/// `coolify.s3_storage`.
#[derive(Clone, Copy, Debug)]
pub struct S3Storage;

const ROUTE: &str = "/s3-storages/{uuid}";

fn outputs(row: &Row) -> S3StorageOutputs {
    S3StorageOutputs {
        uuid: uuid(row),
        usable: flag(row, "is_usable").unwrap_or_default(),
    }
}

fn observe(row: &Row) -> Observed<S3StorageSpec, S3StorageOutputs> {
    let told = |field: &str| text(row, field).unwrap_or_default();
    let spec = S3StorageSpec {
        name: told("name"),
        description: unmarked(row).0,
        endpoint: told("endpoint"),
        bucket: told("bucket"),
        region: told("region"),
        validate: true,
        ..S3StorageSpec::default()
    };
    Observed::new(spec, outputs(row)).hidden(&["key", "secret", "validate"])
}

fn found(row: &Row, marked: bool) -> Found<S3StorageSpec, S3StorageOutputs> {
    Found {
        id: uuid(row),
        observed: observe(row),
        marked,
    }
}

fn body(spec: &S3StorageSpec) -> Body {
    let mut body = Body::default();
    body.set("name", spec.name.trim());
    body.set("endpoint", spec.endpoint.trim());
    body.set("bucket", spec.bucket.trim());
    body.set("region", spec.region.trim());
    body.set("key", spec.key.expose().trim());
    body.set("secret", spec.secret.expose().trim());
    body
}

async fn finish(
    cx: &Cx,
    coolify: &Coolify,
    id: &str,
    spec: &S3StorageSpec,
) -> Result<S3StorageOutputs> {
    if spec.validate {
        let request = coolify
            .http
            .post(cx, "/s3-storages/{uuid}/validate")
            .arg("uuid", id)
            .idempotent();
        request
            .unit()
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
    }
    let row = coolify.made(cx, ROUTE, id, "storage").await?;
    Ok(outputs(&row))
}

impl Resource for S3Storage {
    const TYPE: &'static str = "coolify.s3_storage";
    type Client = Coolify;
    type Spec = S3StorageSpec;
    type Outputs = S3StorageOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            resumable: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &S3StorageSpec,
    ) -> Result<Created<S3StorageOutputs>> {
        let mut body = body(spec);
        body.set(
            "description",
            marked(spec.description.as_deref(), &mark_of(cx.op()?)),
        );
        let made: Made = coolify
            .http
            .post(cx, "/s3-storages")
            .body(&body.0)
            .json()
            .await?;
        let id = made.uuid()?;
        cx.made(Object {
            id: id.clone(),
            ..Object::default()
        })
        .await?;
        let outputs = finish(cx, coolify, &id, spec).await?;
        Ok(Created::new(id, outputs))
    }

    async fn resume(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &S3StorageSpec,
        checkpoint: &Object,
    ) -> Result<Created<S3StorageOutputs>> {
        if coolify.one(cx, ROUTE, &checkpoint.id).await?.is_none() {
            return self.create(cx, coolify, spec).await;
        }
        let outputs = finish(cx, coolify, &checkpoint.id, spec).await?;
        Ok(Created::new(checkpoint.id.clone(), outputs))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<S3StorageSpec, S3StorageOutputs>>> {
        let row = coolify.one(cx, ROUTE, id).await?;
        Ok(row.map(|row| observe(&row)))
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, S3StorageSpec>,
    ) -> Result<S3StorageOutputs> {
        let there = coolify.one(cx, ROUTE, id).await?.unwrap_or_default();
        let shown = observe(&there).spec;
        let mut shown = body(&shown);
        for field in ["key", "secret"] {
            shown.0.remove(field);
        }
        let before = change.prior.as_ref().map(body);
        let mut changes = body(change.spec).changes(&shown, before.as_ref(), |_| None);
        let description = remarked(change.spec.description.as_deref(), &there);
        if there.get("description") != Some(&description) {
            changes.set("description", description);
        }
        if !changes.is_empty() {
            coolify
                .http
                .patch(cx, ROUTE)
                .arg("uuid", id)
                .body(&changes.0)
                .idempotent()
                .unit()
                .await?;
        }
        finish(cx, coolify, id, change.spec).await
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        coolify
            .http
            .delete(cx, ROUTE)
            .arg("uuid", id)
            .ok_if(404)
            .unit()
            .await
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
        op: OpId,
        _: &S3StorageSpec,
    ) -> Result<Option<Found<S3StorageSpec, S3StorageOutputs>>> {
        let rows = coolify.list(cx, "/s3-storages").await?;
        Ok(with_mark(rows, op).map(|row| found(&row, true)))
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<S3StorageSpec, S3StorageOutputs>>> {
        let rows = coolify.list(cx, "/s3-storages").await?;
        Ok(rows.iter().map(|row| found(row, false)).collect())
    }
}
