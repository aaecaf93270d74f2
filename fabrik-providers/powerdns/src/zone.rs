//! `powerdns.zone`.

use std::collections::BTreeSet;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource, encode};
use fabrik_core::provider::{
    Cx, Finding, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo, Undo,
};
use fabrik_core::value::{Path, Segment, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::PowerDns;
use crate::name::{self, dotted};
use crate::wire::{Patch, Record, SetChange, Zone as Wire};

/// TTL of the NS record set where there is none to keep.
const NS_TTL: u32 = 3600;

/// What a server does with a zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ZoneKind {
    /// It answers from its database; other servers get the zone by the database's own replication.
    #[default]
    Native,
    /// It also tells secondary servers of changes, and hands the zone to them.
    Primary,
    /// It gets the zone from primary servers.
    Secondary,
}

impl ZoneKind {
    /// The word that every version of PowerDNS takes.
    fn wire(self) -> &'static str {
        match self {
            ZoneKind::Native => "Native",
            ZoneKind::Primary => "Master",
            ZoneKind::Secondary => "Slave",
        }
    }

    fn from_wire(word: &str) -> Option<ZoneKind> {
        match word.to_ascii_lowercase().as_str() {
            "native" => Some(ZoneKind::Native),
            "master" | "primary" => Some(ZoneKind::Primary),
            "slave" | "secondary" => Some(ZoneKind::Secondary),
            _ => None,
        }
    }
}

/// How the zone's serial moves with each change through the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SoaEdit {
    /// The day and a counter, `2025063001`.
    #[default]
    #[serde(rename = "DEFAULT")]
    Default,
    /// One more.
    #[serde(rename = "INCREASE")]
    Increase,
    /// Seconds since 1970.
    #[serde(rename = "EPOCH")]
    Epoch,
    /// As the server's `SOA-EDIT` says.
    #[serde(rename = "SOA-EDIT")]
    SoaEdit,
    /// The higher of `SOA-EDIT` and one more.
    #[serde(rename = "SOA-EDIT-INCREASE")]
    SoaEditIncrease,
    /// It does not move. Secondary servers then see no change.
    #[serde(rename = "OFF")]
    Off,
}

impl SoaEdit {
    fn wire(self) -> &'static str {
        match self {
            SoaEdit::Default => "DEFAULT",
            SoaEdit::Increase => "INCREASE",
            SoaEdit::Epoch => "EPOCH",
            SoaEdit::SoaEdit => "SOA-EDIT",
            SoaEdit::SoaEditIncrease => "SOA-EDIT-INCREASE",
            SoaEdit::Off => "",
        }
    }

    /// A word that PowerDNS does not know moves no serial.
    fn from_wire(word: &str) -> SoaEdit {
        let all = [
            SoaEdit::Default,
            SoaEdit::Increase,
            SoaEdit::Epoch,
            SoaEdit::SoaEdit,
            SoaEdit::SoaEditIncrease,
        ];
        all.into_iter()
            .find(|edit| edit.wire() == word)
            .unwrap_or(SoaEdit::Off)
    }
}

/// A zone. Deleting it deletes every record in it, also those that Fabrik did not make, and its
/// DNSSEC keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneSpec {
    /// Its name: `example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// What the server does with it.
    #[serde(default)]
    pub kind: ZoneKind,
    /// Its name servers, as host names in no order: the NS records at the zone itself. Left out, they
    /// stay as they are, for a `powerdns.record_set` to set. Not for secondary zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set", "sticky": true}))]
    pub nameservers: Vec<String>,
    /// Addresses of the primary servers (`192.0.2.1`, `192.0.2.1:5300`). Only for secondary zones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub primaries: Vec<String>,
    /// Whether the zone is signed. The server makes the keys; their DS records are the output `ds`.
    #[serde(default)]
    pub dnssec: bool,
    /// How the zone's serial moves with each change.
    #[serde(default)]
    pub soa_edit_api: SoaEdit,
    /// A free label, by which PowerDNS's own tools group zones.
    #[serde(default)]
    #[schemars(length(max = 40))]
    pub account: String,
}

/// What is known of a zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ZoneOutputs {
    /// Its name, without a final dot.
    pub name: String,
    /// The DS records for the parent zone; empty unless the zone is signed.
    pub ds: Vec<String>,
}

/// `powerdns.zone`: a zone.
#[derive(Clone, Copy, Debug)]
pub struct Zone;

type Seen = Observed<ZoneSpec, ZoneOutputs>;

impl Zone {
    /// Makes what a zone needs besides being there. Each part may be repeated.
    async fn finish(cx: &Cx, pdns: &PowerDns, zone: &str, spec: &ZoneSpec) -> Result<ZoneOutputs> {
        if spec.dnssec {
            let body = json!({"dnssec": true});
            pdns.set_zone(cx, zone, &body)
                .await
                .map_err(|error| error.effect(Effect::Partial))?;
        }
        outputs(cx, pdns, zone, spec.dnssec).await
    }
}

impl Resource for Zone {
    const TYPE: &'static str = "powerdns.zone";
    type Client = PowerDns;
    type Spec = ZoneSpec;
    type Outputs = ZoneOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            resumable: true,
            holds_data: true,
            undo_delete: Undo::Partial,
            settle: Duration::from_secs(2),
            volatile: vec![Path::key("ds")],
            import_id: "NAME".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        spec: &ZoneSpec,
    ) -> Result<Created<ZoneOutputs>> {
        let spec = checked(spec)?;
        let zone = spec.name.clone();
        // Not signed at once: where that fails, PowerDNS leaves half a zone behind.
        let body = json!({
            "name": dotted(&zone),
            "kind": spec.kind.wire(),
            "nameservers": spec.nameservers.iter().map(|host| dotted(host)).collect::<Vec<_>>(),
            "masters": spec.primaries,
            "soa_edit_api": spec.soa_edit_api.wire(),
            "account": spec.account,
        });
        if let Err(error) = pdns.create_zone(cx, &zone, &body).await {
            let error = match error.kind() {
                ErrorKind::Conflict => taken(&zone),
                _ => error,
            };
            let unclear = error.effect_of() == Effect::Unknown;
            if !unclear || !has_landed(cx, pdns, &spec).await {
                return Err(error);
            }
        }
        cx.made(Object {
            id: zone.clone(),
            inputs: encode(&spec, None)?,
            ..Object::default()
        })
        .await?;
        let outputs = Self::finish(cx, pdns, &zone, &spec).await?;
        Ok(Created::new(zone, outputs))
    }

    async fn resume(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        spec: &ZoneSpec,
        checkpoint: &Object,
    ) -> Result<Created<ZoneOutputs>> {
        let spec = checked(spec)?;
        if pdns.zone(cx, &spec.name).await?.is_none() {
            return self.create(cx, pdns, &spec).await;
        }
        let outputs = Self::finish(cx, pdns, &spec.name, &spec).await?;
        Ok(Created::new(checkpoint.id.clone(), outputs))
    }

    async fn read(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<Option<Seen>> {
        let zone = zone_of(id)?;
        match pdns.zone(cx, &zone).await? {
            Some(found) => observe(cx, pdns, &zone, &found).await.map(Some),
            None => Ok(None),
        }
    }

    async fn update(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        id: &str,
        change: &Change<'_, ZoneSpec>,
    ) -> Result<ZoneOutputs> {
        let zone = zone_of(id)?;
        let spec = checked(change.spec)?;
        let now = pdns
            .zone(cx, &zone)
            .await?
            .ok_or_else(|| crate::error::no_zone(&zone))?;
        let is = spec_of(&zone, &now)?;
        let mut changed = false;
        // First what may be refused.
        if !spec.nameservers.is_empty() && !is_same(&spec.nameservers, &is.nameservers) {
            let ttl = now.set(&dotted(&zone), "NS").map_or(NS_TTL, |set| set.ttl);
            let records = spec.nameservers.iter().map(|host| Record {
                content: dotted(host),
                disabled: false,
            });
            let change = SetChange::replace(dotted(&zone), "NS".to_owned(), ttl, records.collect());
            let rrsets = vec![change];
            pdns.patch(cx, &zone, &Patch { rrsets }).await?;
            changed = true;
        }
        let mut body = Map::new();
        if spec.kind != is.kind {
            body.insert("kind".to_owned(), json!(spec.kind.wire()));
        }
        if !is_same(&spec.primaries, &is.primaries) {
            body.insert("masters".to_owned(), json!(spec.primaries));
        }
        if spec.soa_edit_api != is.soa_edit_api {
            body.insert("soa_edit_api".to_owned(), json!(spec.soa_edit_api.wire()));
        }
        if spec.account != is.account {
            body.insert("account".to_owned(), json!(spec.account));
        }
        if spec.dnssec != is.dnssec {
            body.insert("dnssec".to_owned(), json!(spec.dnssec));
        }
        if !body.is_empty() {
            pdns.set_zone(cx, &zone, &Json::Object(body))
                .await
                .map_err(|error| {
                    if changed && error.effect_of() == Effect::None {
                        error.effect(Effect::Partial)
                    } else {
                        error
                    }
                })?;
        }
        outputs(cx, pdns, &zone, spec.dnssec).await
    }

    async fn delete(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<()> {
        pdns.delete_zone(cx, &zone_of(id)?).await
    }

    fn keys(&self, _: &PowerDns, inputs: &Value) -> Keys {
        let name = inputs.get("name").and_then(Value::as_str);
        let name = name.and_then(|name| name::canonical(name).ok());
        Keys {
            locks: name
                .map(|name| format!("zone {name}").into())
                .into_iter()
                .collect(),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &PowerDns, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(plan(proposal.desired))
    }

    async fn locate(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        op: OpId,
        spec: &ZoneSpec,
    ) -> Result<Option<Found<ZoneSpec, ZoneOutputs>>> {
        let zone = name::canonical(&spec.name).map_err(|why| wrong_name(&spec.name, &why))?;
        let Some(found) = pdns.zone(cx, &zone).await? else {
            return Ok(None);
        };
        let mut observed = observe(cx, pdns, &zone, &found).await?;
        // A create is lost before the zone is signed: that is still to come, as a drift.
        if op != OpId(0) && spec.dnssec {
            observed.spec.dnssec = true;
        }
        Ok(Some(Found {
            id: zone,
            observed,
            marked: false,
        }))
    }

    async fn list(&self, cx: &Cx, pdns: &PowerDns) -> Result<Vec<Found<ZoneSpec, ZoneOutputs>>> {
        let mut found = Vec::new();
        for listed in pdns.zones(cx).await? {
            let known = ZoneKind::from_wire(&listed.kind);
            let (Ok(zone), Some(_)) = (name::canonical(&listed.name), known) else {
                continue;
            };
            if let Some(full) = pdns.zone(cx, &zone).await? {
                found.push(Found {
                    observed: observe(cx, pdns, &zone, &full).await?,
                    id: zone,
                    marked: false,
                });
            }
        }
        Ok(found)
    }
}

/// Whether a zone whose create got no reply is there, as it was asked for. Nothing was before.
async fn has_landed(cx: &Cx, pdns: &PowerDns, spec: &ZoneSpec) -> bool {
    let Ok(Some(found)) = pdns.zone(cx, &spec.name).await else {
        return false;
    };
    spec_of(&spec.name, &found).is_ok_and(|there| {
        there.kind == spec.kind
            && there.account == spec.account
            && there.soa_edit_api == spec.soa_edit_api
            && is_same(&there.primaries, &spec.primaries)
            && is_same(&there.nameservers, &spec.nameservers)
    })
}

/// Lists as sets.
fn is_same(a: &[String], b: &[String]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

fn zone_of(id: &str) -> Result<String> {
    name::canonical(id)
        .map_err(|why| name::wrong_id(id, "the zone's name", "example.com").context("reason", why))
}

fn taken(zone: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("PowerDNS has a zone `{zone}` already"),
    )
    .field(Path::key("name"))
    .hint(format!(
        "take it over with `adopt: true` (its id is `{zone}`), or choose another name"
    ))
}

fn wrong_name(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the zone `{name}` {why}")).field(Path::key("name"))
}

fn spec_of(zone: &str, found: &Wire) -> Result<ZoneSpec> {
    let kind = ZoneKind::from_wire(&found.kind).ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{zone}` is a catalog zone ({}), which Fabrik does not manage",
                found.kind
            ),
        )
    })?;
    // A secondary zone's name servers come with it.
    let own = found
        .set(&dotted(zone), "NS")
        .filter(|_| kind != ZoneKind::Secondary);
    let hosts = own.into_iter().flat_map(|set| &set.records);
    Ok(ZoneSpec {
        name: zone.to_owned(),
        kind,
        nameservers: hosts
            .map(|record| crate::content::from_wire("NS", &record.content))
            .collect(),
        primaries: found.masters.clone(),
        dnssec: found.dnssec,
        soa_edit_api: SoaEdit::from_wire(&found.soa_edit_api),
        account: found.account.clone(),
    })
}

async fn observe(cx: &Cx, pdns: &PowerDns, zone: &str, found: &Wire) -> Result<Seen> {
    let spec = spec_of(zone, found)?;
    let outputs = outputs(cx, pdns, zone, spec.dnssec).await?;
    Ok(Observed::new(spec, outputs))
}

async fn outputs(cx: &Cx, pdns: &PowerDns, zone: &str, dnssec: bool) -> Result<ZoneOutputs> {
    Ok(ZoneOutputs {
        name: zone.to_owned(),
        ds: if dnssec {
            pdns.ds(cx, zone).await?
        } else {
            Vec::new()
        },
    })
}

/// Inputs in their one form.
fn checked(spec: &ZoneSpec) -> Result<ZoneSpec> {
    let planned = plan(&encode(spec, None)?);
    if let Some(problem) = planned.findings.into_iter().next() {
        let error = Error::new(ErrorKind::Invalid, problem.message);
        return Err(error.field(problem.field.unwrap_or_default()));
    }
    fabrik_core::provider::typed::decode(&planned.inputs)
}

/// Wanted inputs in their one form as far as they are known, and what is wrong with them.
fn plan(desired: &Value) -> Planned {
    let mut inputs = desired.clone();
    let mut findings = Vec::new();
    let mut wrong = |field: Path, message: String, hint: Option<&str>| {
        findings.push(Finding {
            blocking: true,
            message,
            hint: hint.map(str::to_owned),
            field: Some(field),
            adopt: None,
        });
    };
    if let Some(text) = desired.get("name").and_then(Value::as_str) {
        match name::canonical(text) {
            Ok(name) => inputs = inputs.with(&Path::key("name"), Value::from(name)),
            Err(why) => wrong(Path::key("name"), format!("the zone `{text}` {why}"), None),
        }
    }
    let list = |field: &str| {
        let list = desired.get(field).and_then(Value::as_list);
        list.unwrap_or_default()
    };
    let mut hosts = Vec::new();
    for (at, item) in list("nameservers").iter().enumerate() {
        let known = item.as_str().map(|text| (text, name::canonical(text)));
        hosts.push(match known {
            Some((_, Ok(host))) => Value::from(host),
            Some((text, Err(why))) => {
                let mut path = Path::key("nameservers");
                path.push(Segment::Index(at));
                wrong(path, format!("the name server `{text}` {why}"), None);
                item.clone()
            }
            None => item.clone(),
        });
    }
    if !hosts.is_empty() {
        inputs = inputs.with(&Path::key("nameservers"), Value::list(hosts));
    }
    let kind = desired.get("kind").and_then(Value::as_str);
    if kind == Some("Secondary") {
        if list("primaries").is_empty() {
            wrong(
                Path::key("primaries"),
                "a secondary zone needs the addresses of its primary servers".to_owned(),
                None,
            );
        }
        if !list("nameservers").is_empty() {
            wrong(
                Path::key("nameservers"),
                "a secondary zone gets its name servers from its primary".to_owned(),
                Some("leave `nameservers` out"),
            );
        }
        if desired.get("dnssec").and_then(Value::as_bool) == Some(true) {
            wrong(
                Path::key("dnssec"),
                "a secondary zone cannot be signed before it was fetched".to_owned(),
                Some("leave `dnssec` out, and let the primary server sign it"),
            );
        }
    } else if !list("primaries").is_empty() && (kind.is_some() || desired.get("kind").is_none()) {
        wrong(
            Path::key("primaries"),
            "only a secondary zone has primary servers".to_owned(),
            Some("set `kind: Secondary`, or leave `primaries` out"),
        );
    }
    Planned {
        inputs,
        findings,
        ..Planned::default()
    }
}
