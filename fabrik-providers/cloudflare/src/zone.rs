//! `cloudflare.zone`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{
    Cx, Finding, Keys, Lost, OpId, Operation, Outcome, Planned, Proposal, TypeInfo, Undo, Verb,
    WriteGroup,
};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Envelope, ZoneObject};
use crate::client::Cloudflare;
use crate::names;

/// From so many zones on, they are read by listing them.
const MANY: usize = 4;

/// How a zone is set up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ZoneKind {
    /// Cloudflare answers for the domain.
    #[default]
    Full,
    /// Others answer for the domain and point single names to Cloudflare. Needs a business plan.
    Partial,
    /// Cloudflare copies the zone from elsewhere. Needs an enterprise plan.
    Secondary,
    /// For an internal network. Needs an enterprise plan.
    Internal,
}

impl ZoneKind {
    fn name(self) -> &'static str {
        match self {
            ZoneKind::Full => "full",
            ZoneKind::Partial => "partial",
            ZoneKind::Secondary => "secondary",
            ZoneKind::Internal => "internal",
        }
    }

    fn named(name: &str) -> ZoneKind {
        match name {
            "partial" => ZoneKind::Partial,
            "secondary" => ZoneKind::Secondary,
            "internal" => ZoneKind::Internal,
            _ => ZoneKind::Full,
        }
    }
}

/// What becomes of a zone that leaves the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnDestroy {
    /// It stays at Cloudflare with all its records and is forgotten here.
    #[default]
    Keep,
    /// It is deleted with everything in it.
    Delete,
}

/// A domain at Cloudflare.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneInputs {
    /// The domain: `example.com`.
    #[schemars(length(min = 3, max = 253), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// The account it is made in, by id. Unless set, the provider's `account`, or the one account
    /// that the token sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"), extend("x-fabrik" = {"computed": true, "replace": true}))]
    pub account: Option<String>,
    /// How it is set up; `full` unless set when it is made.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub kind: Option<ZoneKind>,
    /// What becomes of it when it leaves the stack: it stays, unless this is `delete`.
    #[serde(default)]
    pub on_destroy: OnDestroy,
}

/// What is known of a zone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ZoneOutputs {
    /// The id.
    pub id: String,
    /// The servers that answer for it: the registrar must delegate the domain to them.
    pub name_servers: Vec<String>,
    /// `pending` until the registrar delegates the domain, then `active`; `initializing` and `moved`
    /// besides.
    pub status: String,
    /// The servers that answered before.
    #[serde(default)]
    pub original_name_servers: Vec<String>,
    /// The registrar, where Cloudflare knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_registrar: Option<String>,
    /// What is paid for: `free`, `pro`, `business`, `enterprise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// `cloudflare.zone`: a domain at Cloudflare.
#[derive(Clone, Copy, Debug)]
pub struct Zone;

type Seen = Observed<ZoneInputs, ZoneOutputs>;

pub(crate) fn outputs(zone: &ZoneObject) -> ZoneOutputs {
    ZoneOutputs {
        id: zone.id.clone(),
        name_servers: zone.name_servers.clone().unwrap_or_default(),
        status: zone.status.clone(),
        original_name_servers: zone.original_name_servers.clone().unwrap_or_default(),
        original_registrar: zone.original_registrar.clone(),
        plan: zone
            .plan
            .legacy_id
            .clone()
            .or_else(|| zone.plan.name.clone()),
    }
}

/// A zone as it is. What becomes of it in the end is not the service's business: it does not show it.
fn observe(zone: &ZoneObject) -> Seen {
    let account = Some(zone.account.id.clone());
    let spec = ZoneInputs {
        name: names::host(&zone.name).unwrap_or_else(|_| zone.name.clone()),
        account: account.filter(|id| !id.is_empty()),
        kind: Some(ZoneKind::named(&zone.kind)),
        on_destroy: OnDestroy::Keep,
    };
    Observed::new(spec, outputs(zone)).hidden(&["on_destroy"])
}

/// An id, or what an id looks like.
pub(crate) fn checked_id(id: &str) -> Result<&str> {
    if names::is_id(id) {
        return Ok(id);
    }
    Err(Error::new(ErrorKind::Invalid, format!("`{id}` is no id of a zone"))
        .hint("it has 32 hexadecimal digits, such as `023e105f4ecef8ad9ca31a8372d0c353`; the zone's page in the dashboard shows it"))
}

impl Zone {
    async fn edit(
        cx: &Cx,
        client: &Cloudflare,
        id: &str,
        body: &serde_json::Value,
    ) -> Result<ZoneObject> {
        let request = client
            .http
            .patch(cx, "/zones/{zone}")
            .arg("zone", id)
            .body(body);
        let found: Envelope<ZoneObject> = request.idempotent().json().await?;
        Ok(found.result)
    }

    async fn remove(cx: &Cx, client: &Cloudflare, id: &str) -> Result<()> {
        let request = client.http.delete(cx, "/zones/{zone}").arg("zone", id);
        let done = request.ok_if(404).unit().await;
        client.memo().remove(id);
        done
    }
}

impl Resource for Zone {
    const TYPE: &'static str = "cloudflare.zone";
    type Client = Cloudflare;
    type Spec = ZoneInputs;
    type Outputs = ZoneOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            import_id: "the zone's id, 32 hexadecimal digits".to_owned(),
            exclusive: true,
            holds_data: true,
            undo_delete: Undo::Partial,
            volatile: vec![Path::key("status")],
            kept_unless: Some((Path::key("on_destroy"), Value::from("delete"))),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneInputs,
    ) -> Result<Created<ZoneOutputs>> {
        let known = client.memo().account();
        let account = spec
            .account
            .clone()
            .or_else(|| client.account.clone())
            .or(known);
        let account = account.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "it is not known which account the zone is made in")
                .field(Path::key("account"))
                .hint("set `account` of the zone or of the provider: the id is on the account's page in the dashboard")
        })?;
        let body = json!({"name": spec.name, "account": {"id": account}, "type": spec.kind.unwrap_or_default().name()});
        let request = client.http.post(cx, "/zones").body(&body);
        let found: Envelope<ZoneObject> = request.json().await?;
        let zone = found.result;
        client.memo().insert(&zone);
        Ok(Created::new(zone.id.clone(), outputs(&zone)))
    }

    async fn read(&self, cx: &Cx, client: &Cloudflare, id: &str) -> Result<Option<Seen>> {
        let found = client.zone_by_id(cx, checked_id(id)?).await?;
        Ok(found.map(|zone| {
            client.memo().insert(&zone);
            observe(&zone)
        }))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        ids: &[String],
    ) -> Vec<ReadAnswer<ZoneInputs, ZoneOutputs>> {
        let mut listed: Vec<ZoneObject> = Vec::new();
        if ids.len() >= MANY {
            let mut page = 1;
            // One that is not in the list is asked for by itself: the list is only a shortcut.
            while let Ok((zones, last)) = client.zone_page(cx, page).await {
                listed.extend(zones);
                if last {
                    break;
                }
                page += 1;
            }
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.push(match listed.iter().find(|zone| zone.id == *id) {
                Some(zone) => Ok(Some(observe(zone))),
                None => self.read(cx, client, id).await,
            });
        }
        found
    }

    async fn update(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        id: &str,
        change: &Change<'_, ZoneInputs>,
    ) -> Result<ZoneOutputs> {
        let found = client.zone_by_id(cx, checked_id(id)?).await?;
        let mut zone = found.ok_or_else(|| crate::refs::missing(id))?;
        if let Some(kind) = change.spec.kind
            && zone.kind != kind.name()
        {
            zone = Self::edit(cx, client, id, &json!({"type": kind.name()})).await?;
        }
        Ok(outputs(&zone))
    }

    async fn delete(&self, cx: &Cx, client: &Cloudflare, id: &str) -> Result<()> {
        Self::remove(cx, client, checked_id(id)?).await
    }

    fn keys(&self, _: &Cloudflare, inputs: &Value) -> Keys {
        let name = inputs.get("name").and_then(Value::as_str);
        let name = name.and_then(|name| names::host(name).ok());
        Keys {
            locks: name
                .map(|name| format!("cloudflare.zone/{name}").into())
                .into_iter()
                .collect(),
            read_group: Some(Self::TYPE.into()),
            // Of one member: so that a delete is seen with what it undoes.
            write_group: Some(WriteGroup {
                key: Self::TYPE.into(),
                whole: false,
                linked: false,
                atomic: false,
                max: 1,
            }),
            deleted_with: None,
        }
    }

    /// Deletes: a zone that is to be kept is only let go, unless this run made it and takes it back.
    async fn apply_group(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        call: &[Operation],
    ) -> Option<Vec<Outcome>> {
        let [operation] = call else { return None };
        if operation.verb != Verb::Delete {
            return None;
        }
        let inputs = operation.prior.as_ref().map(|prior| &prior.inputs);
        let deletes = inputs
            .and_then(|inputs| inputs.get("on_destroy"))
            .and_then(Value::as_str)
            == Some("delete");
        if !deletes && operation.undoes.is_none() {
            cx.for_op(operation.op)
                .note("the zone stays at Cloudflare (`on_destroy: keep`)");
            return Some(vec![Outcome::Gone]);
        }
        let removed = match operation.id().and_then(checked_id) {
            Ok(id) => Self::remove(cx, client, id).await,
            Err(error) => Err(error),
        };
        Some(vec![match removed {
            Ok(()) => Outcome::Gone,
            Err(error) => Outcome::Failed(error),
        }])
    }

    async fn plan(&self, _: &Cx, _: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
        let mut inputs = proposal.desired.clone();
        let mut findings = Vec::new();
        if let Some(name) = proposal.desired.get("name").and_then(Value::as_str) {
            let checked = names::host(name).and_then(|host| {
                let is_domain = host.contains('.') && !host.contains(['*', '_', '/']);
                is_domain
                    .then_some(host)
                    .ok_or_else(|| format!("`{name}` is no domain"))
            });
            match checked {
                Ok(host) => inputs = inputs.with(&Path::key("name"), Value::from(host)),
                Err(message) => findings.push(Finding {
                    blocking: true,
                    message,
                    hint: Some("write the domain alone, such as `example.com`".to_owned()),
                    field: Some(Path::key("name")),
                    adopt: None,
                }),
            }
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
        client: &Cloudflare,
        _: OpId,
        spec: &ZoneInputs,
    ) -> Result<Option<Found<ZoneInputs, ZoneOutputs>>> {
        let name = names::host(&spec.name)
            .map_err(|why| Error::new(ErrorKind::Invalid, why).field(Path::key("name")))?;
        let mut found = client.zones_named(cx, &name).await?;
        if let Some(account) = &spec.account {
            found.retain(|zone| zone.account.id == *account);
        }
        Ok(found.pop().map(|zone| Found {
            id: zone.id.clone(),
            observed: observe(&zone),
            marked: false,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        client: &Cloudflare,
    ) -> Result<Vec<Found<ZoneInputs, ZoneOutputs>>> {
        let mut found = Vec::new();
        let mut page = 1;
        loop {
            let (zones, last) = client.zone_page(cx, page).await?;
            found.extend(zones.iter().map(|zone| Found {
                id: zone.id.clone(),
                observed: observe(zone),
                marked: false,
            }));
            if last {
                return Ok(found);
            }
            page += 1;
        }
    }
}
