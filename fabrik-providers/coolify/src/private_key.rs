//! `coolify.private_key`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::secrets::Secret;
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::body::{Body, Made, mark_of, marked, remarked, text, unmarked, uuid, with_mark};
use crate::client::{Coolify, Row};

/// A private SSH key: for servers, and for private repositories.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrivateKeySpec {
    /// Its name.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// What it is for. Fabrik keeps a mark at the end of it in Coolify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// The key in PEM form. A key may be in a Coolify once only, over all teams.
    pub private_key: Secret,
}

/// What is known of a key.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PrivateKeyOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
    /// Its fingerprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The public half, where Coolify tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
}

/// `coolify.private_key`.
#[derive(Clone, Copy, Debug)]
pub struct PrivateKey;

const ROUTE: &str = "/security/keys/{uuid}";

fn outputs(row: &Row) -> PrivateKeyOutputs {
    PrivateKeyOutputs {
        uuid: uuid(row),
        fingerprint: text(row, "fingerprint"),
        public_key: text(row, "public_key"),
    }
}

fn observe(row: &Row) -> Observed<PrivateKeySpec, PrivateKeyOutputs> {
    let key = text(row, "private_key");
    let hidden: &[&str] = if key.is_none() { &["private_key"] } else { &[] };
    let spec = PrivateKeySpec {
        name: text(row, "name").unwrap_or_default(),
        description: unmarked(row).0,
        private_key: Secret::from(key.unwrap_or_default().trim()),
    };
    Observed::new(spec, outputs(row)).hidden(hidden)
}

fn found(row: &Row, marked: bool) -> Found<PrivateKeySpec, PrivateKeyOutputs> {
    Found {
        id: uuid(row),
        observed: observe(row),
        marked,
    }
}

impl Resource for PrivateKey {
    const TYPE: &'static str = "coolify.private_key";
    type Client = Coolify;
    type Spec = PrivateKeySpec;
    type Outputs = PrivateKeyOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            // The same key cannot be there twice.
            exclusive: true,
            volatile: ["fingerprint", "public_key"].map(Path::key).to_vec(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &PrivateKeySpec,
    ) -> Result<Created<PrivateKeyOutputs>> {
        let mut body = Body::default();
        body.set("name", spec.name.trim());
        body.set(
            "description",
            marked(spec.description.as_deref(), &mark_of(cx.op()?)),
        );
        body.set("private_key", spec.private_key.expose().trim());
        let made: Made = coolify
            .http
            .post(cx, "/security/keys")
            .body(&body.0)
            .json()
            .await?;
        let id = made.uuid()?;
        let row = coolify.made(cx, ROUTE, &id, "key").await?;
        Ok(Created::new(id, outputs(&row)))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<PrivateKeySpec, PrivateKeyOutputs>>> {
        let row = coolify.one(cx, ROUTE, id).await?;
        Ok(row.map(|row| observe(&row)))
    }

    /// Coolify wants the key with every change, even where it stays.
    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, PrivateKeySpec>,
    ) -> Result<PrivateKeyOutputs> {
        let there = coolify.one(cx, ROUTE, id).await?.unwrap_or_default();
        let mut body = Body::default();
        body.set("name", change.spec.name.trim());
        body.set(
            "description",
            remarked(change.spec.description.as_deref(), &there),
        );
        body.set("private_key", change.spec.private_key.expose().trim());
        coolify
            .http
            .patch(cx, ROUTE)
            .arg("uuid", id)
            .body(&body.0)
            .idempotent()
            .unit()
            .await?;
        let row = coolify.one(cx, ROUTE, id).await?.unwrap_or(there);
        Ok(outputs(&row))
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

    async fn plan(&self, _: &Cx, _: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let path = Path::key("private_key");
        let mut inputs = proposal.desired.clone();
        // A file ends with a line end, and Coolify takes it off.
        if let Some(value) = inputs.get("private_key").cloned()
            && let Some(text) = value.reveal().as_str()
            && text != text.trim()
        {
            inputs = inputs.with(&path, Value::from(text.trim()).into_secret());
        }
        Ok(Planned {
            inputs,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        op: OpId,
        _: &PrivateKeySpec,
    ) -> Result<Option<Found<PrivateKeySpec, PrivateKeyOutputs>>> {
        let rows = coolify.list(cx, "/security/keys").await?;
        Ok(with_mark(rows, op).map(|row| found(&row, true)))
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<PrivateKeySpec, PrivateKeyOutputs>>> {
        let rows = coolify.list(cx, "/security/keys").await?;
        Ok(rows.iter().map(|row| found(row, false)).collect())
    }
}
