//! `coolify.storage`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::body::{Body, Made, is_shown, text, uuid};
use crate::client::{Coolify, Row, rows};
use crate::owner::{self, Kind, Owner};

/// A volume, a folder of the server, or a file, in an application, service or database. It is there
/// from the next deployment on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorageSpec {
    /// The id of the application it belongs to. One of `application`, `service` and `database` is
    /// needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub application: Option<String>,
    /// The id of the service it belongs to; `container` says which part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub service: Option<String>,
    /// The id of the database it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub database: Option<String>,
    /// The id of the service's container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub container: Option<String>,
    /// Where the program finds it.
    #[schemars(regex(pattern = "^/"), extend("x-fabrik" = {"replace": true}))]
    pub path: String,
    /// The name of the volume; Coolify puts the application's id before it. Needed unless there is
    /// `content`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9_.-]*$"), extend("x-fabrik" = {"replace": true}))]
    pub name: Option<String>,
    /// A folder of the server instead of a volume of Docker's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"), extend("x-fabrik" = {"replace": true}))]
    pub host_path: Option<String>,
    /// The content of a file. Coolify takes whitespace off both ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What is known of a storage.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StorageOutputs {
    /// Its id in Coolify.
    pub uuid: String,
}

/// `coolify.storage`.
#[derive(Clone, Copy, Debug)]
pub struct Storage;

const SHAPE: &str = "application/UUID/STORAGE_UUID (or service/…, database/…)";
const ROUTES: [&str; 3] = [
    "/applications/{uuid}/storages",
    "/services/{uuid}/storages",
    "/databases/{uuid}/storages",
];
const ONE: [&str; 3] = [
    "/applications/{uuid}/storages/{storage}",
    "/services/{uuid}/storages/{storage}",
    "/databases/{uuid}/storages/{storage}",
];

impl StorageSpec {
    fn owner(&self) -> Result<Owner> {
        Owner::of([
            self.application.as_ref(),
            self.service.as_ref(),
            self.database.as_ref(),
        ])
    }
}

async fn storages(cx: &Cx, coolify: &Coolify, owner: &Owner) -> Result<Vec<Row>> {
    let shown: Option<Json> = coolify
        .http
        .get(cx, owner.kind.pick(ROUTES))
        .arg("uuid", &owner.uuid)
        .json_opt()
        .await?;
    let Some(Json::Object(mut shown)) = shown else {
        return Ok(Vec::new());
    };
    let mut all = rows(shown.remove("persistent_storages").unwrap_or_default());
    all.extend(rows(shown.remove("file_storages").unwrap_or_default()));
    Ok(all)
}

fn observe(owner: &Owner, row: &Row) -> Observed<StorageSpec, StorageOutputs> {
    let named = |kind: Kind| (owner.kind == kind).then(|| owner.uuid.clone());
    // The volume's name has the owner's id before it.
    let prefix = format!("{}-", owner.uuid);
    let name = text(row, "name").map(|name| {
        name.strip_prefix(&prefix)
            .map_or(name.clone(), str::to_owned)
    });
    let is_file = name.is_none();
    let mut hidden = vec!["container"];
    if is_file && !is_shown(row, "content") {
        hidden.push("content");
    }
    let spec = StorageSpec {
        application: named(Kind::Application),
        service: named(Kind::Service),
        database: named(Kind::Database),
        container: None,
        path: text(row, "mount_path").unwrap_or_default(),
        name,
        host_path: text(row, "host_path"),
        content: text(row, "content"),
    };
    Observed::new(spec, StorageOutputs { uuid: uuid(row) }).hidden(&hidden)
}

impl Resource for Storage {
    const TYPE: &'static str = "coolify.storage";
    type Client = Coolify;
    type Spec = StorageSpec;
    type Outputs = StorageOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            holds_data: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &StorageSpec,
    ) -> Result<Created<StorageOutputs>> {
        let owner = spec.owner()?;
        let mut body = Body::default();
        body.set("mount_path", &spec.path);
        body.some("resource_uuid", spec.container.as_deref());
        if let Some(content) = &spec.content {
            body.set("type", "file");
            body.set("content", content.trim());
        } else {
            body.set("type", "persistent");
            body.some("name", spec.name.as_deref());
            body.some("host_path", spec.host_path.as_deref());
        }
        let request = coolify
            .http
            .post(cx, owner.kind.pick(ROUTES))
            .arg("uuid", &owner.uuid);
        let made: Made = request.body(&body.0).json().await?;
        let uuid = made.uuid()?;
        Ok(Created::new(
            format!("{}/{uuid}", owner.id()),
            StorageOutputs { uuid },
        ))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<StorageSpec, StorageOutputs>>> {
        let (owner, rest) = Owner::parse(id, 1, SHAPE)?;
        let found = storages(cx, coolify, &owner).await?;
        Ok(found
            .iter()
            .find(|row| uuid(row) == rest[0])
            .map(|row| observe(&owner, row)))
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, StorageSpec>,
    ) -> Result<StorageOutputs> {
        let (owner, rest) = Owner::parse(id, 1, SHAPE)?;
        if let Some(content) = &change.spec.content {
            let body = json!({"uuid": rest[0], "type": "file", "content": content.trim()});
            let request = coolify
                .http
                .patch(cx, owner.kind.pick(ROUTES))
                .arg("uuid", &owner.uuid);
            request.body(&body).idempotent().unit().await?;
        }
        Ok(StorageOutputs {
            uuid: rest[0].to_owned(),
        })
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        let (owner, rest) = Owner::parse(id, 1, SHAPE)?;
        let request = coolify
            .http
            .delete(cx, owner.kind.pick(ONE))
            .arg("uuid", &owner.uuid)
            .arg("storage", rest[0]);
        request.ok_if(404).unit().await
    }

    async fn plan(&self, _: &Cx, _: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let has =
            |value: &Value, field: &str| value.get(field).is_some_and(|value| !value.is_null());
        let mut findings: Vec<Finding> = owner::check(desired, &Kind::ALL).into_iter().collect();
        let finding = |field: &str, message: &str| Finding {
            blocking: true,
            message: message.to_owned(),
            hint: None,
            field: Some(Path::key(field)),
            adopt: None,
        };
        if has(desired, "content") == has(desired, "name") {
            findings.push(finding(
                "name",
                "a storage is a volume, which has a `name`, or a file, which has `content`",
            ));
        }
        if has(desired, "content") && has(desired, "host_path") {
            findings.push(finding("host_path", "a file has no `host_path`"));
        }
        if has(desired, "service") && !has(desired, "container") {
            findings.push(finding(
                "container",
                "say which `container` of the service it belongs to",
            ));
        }
        let mut inputs = desired.clone();
        if let Some(value) = desired.get("content")
            && let Some(text) = value.reveal().as_str()
            && text != text.trim()
        {
            let trimmed = Value::from(text.trim());
            inputs = inputs.with(
                &Path::key("content"),
                if value.is_secret() {
                    trimmed.into_secret()
                } else {
                    trimmed
                },
            );
        }
        // A volume does not become a file.
        let became = proposal
            .last_sent
            .is_some_and(|last| has(&last.inputs, "content") != has(desired, "content"));
        Ok(Planned {
            inputs,
            replace: if became {
                vec![Path::key("content"), Path::key("name")]
            } else {
                Vec::new()
            },
            findings,
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        _: OpId,
        spec: &StorageSpec,
    ) -> Result<Option<Found<StorageSpec, StorageOutputs>>> {
        let owner = spec.owner()?;
        let found = storages(cx, coolify, &owner).await?;
        let row = found
            .iter()
            .find(|row| text(row, "mount_path").as_deref() == Some(spec.path.trim()));
        Ok(row.map(|row| Found {
            id: format!("{}/{}", owner.id(), uuid(row)),
            observed: observe(&owner, row),
            marked: false,
        }))
    }
}
