//! `cloudflare.dns_record`: all values of one name and type.

mod batch;
mod plan;
mod set;

use std::sync::Arc;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{
    Cx, Keys, Lost, OpId, Operation, Outcome, Planned, Proposal, TypeInfo, WriteGroup,
};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::RecordObject;
use crate::client::Cloudflare;
use crate::names;
use crate::refs::{ZoneRef, missing};
use set::RecordId;

/// How many steps go in one call; a batch of the free plan holds as many operations.
const GROUP: usize = 200;
/// Up to so many record sets of a zone are read one by one; more are read by listing the zone.
const SINGLE: usize = 3;

/// Types of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the types of RFC 1035 and its followers")]
pub enum RecordType {
    A,
    Aaaa,
    Caa,
    Cert,
    Cname,
    Dnskey,
    Ds,
    Https,
    Loc,
    Mx,
    Naptr,
    Ns,
    Openpgpkey,
    Ptr,
    Smimea,
    Srv,
    Sshfp,
    Svcb,
    Tlsa,
    Txt,
    Uri,
}

impl RecordType {
    /// Its name as in a zone file.
    pub fn name(self) -> &'static str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Caa => "CAA",
            RecordType::Cert => "CERT",
            RecordType::Cname => "CNAME",
            RecordType::Dnskey => "DNSKEY",
            RecordType::Ds => "DS",
            RecordType::Https => "HTTPS",
            RecordType::Loc => "LOC",
            RecordType::Mx => "MX",
            RecordType::Naptr => "NAPTR",
            RecordType::Ns => "NS",
            RecordType::Openpgpkey => "OPENPGPKEY",
            RecordType::Ptr => "PTR",
            RecordType::Smimea => "SMIMEA",
            RecordType::Srv => "SRV",
            RecordType::Sshfp => "SSHFP",
            RecordType::Svcb => "SVCB",
            RecordType::Tlsa => "TLSA",
            RecordType::Txt => "TXT",
            RecordType::Uri => "URI",
        }
    }

    /// The type of a name as in a zone file.
    pub fn named(name: &str) -> Option<RecordType> {
        serde_json::from_value(serde_json::Value::from(name)).ok()
    }

    fn can_be_proxied(self) -> bool {
        matches!(self, RecordType::A | RecordType::Aaaa | RecordType::Cname)
    }
}

/// A DNS record set: all values of one name and type.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsRecordInputs {
    /// The zone, by name or id. Unless set, the zone among those that the token sees that holds the
    /// name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"computed": true, "replace": true, "same": "trim_dot"}))]
    pub zone: Option<String>,
    /// The name: full (`www.example.com`), below the zone (`www`), or `@` for the zone itself.
    #[schemars(length(min = 1, max = 255), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub kind: RecordType,
    /// The values, each written as in a zone file: `192.0.2.1`, `10 mail.example.com` (MX),
    /// `0 issue "letsencrypt.org"` (CAA), `1 2 5060 sip.example.com` (SRV). Texts need no quotes.
    #[schemars(length(min = 1, max = 200), extend("x-fabrik" = {"list": "set"}))]
    pub values: Vec<String>,
    /// How many seconds answers may be kept: 60 to 86400 (from 30 on the enterprise plan), or 1 for
    /// automatic, which it is unless set. Proxied records are always automatic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400), extend("x-fabrik" = {"computed": true}))]
    pub ttl: Option<u32>,
    /// Whether requests go through Cloudflare's proxy; not unless set. Only A, AAAA and CNAME can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub proxied: Option<bool>,
    /// A comment for people: one line, up to 100 characters on the free plan, 500 on others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 500))]
    pub comment: Option<String>,
    /// Tags as `NAME:VALUE`; paid plans only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Vec<String>,
}

/// What is known of a record set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DnsRecordOutputs {
    /// The full name, in punycode.
    pub name: String,
    /// The id of the zone.
    pub zone_id: String,
}

/// `cloudflare.dns_record`: all values of one name and type.
#[derive(Clone, Copy, Debug)]
pub struct DnsRecord;

type Seen = Observed<DnsRecordInputs, DnsRecordOutputs>;

impl DnsRecord {
    /// Reads sets of one zone: few one by one, many from one list.
    async fn read_zone(
        cx: &Cx,
        client: &Cloudflare,
        zone: &Arc<ZoneRef>,
        ids: &[&RecordId],
    ) -> Result<Vec<Option<Seen>>> {
        if ids.len() > SINGLE {
            let records = client.records(cx, &zone.id).await?;
            let sets = set::by_name_and_type(&records);
            let found = ids.iter().map(|id| {
                let key = (id.name.as_str(), id.kind.name());
                sets.get(&key)
                    .map(|records| set::observe(zone, id, records))
            });
            return Ok(found.collect());
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let records = client
                .record_set(cx, &zone.id, &id.name, id.kind.name())
                .await?;
            let records = set::changeable(&records);
            found.push((!records.is_empty()).then(|| set::observe(zone, id, &records)));
        }
        Ok(found)
    }
}

impl Resource for DnsRecord {
    const TYPE: &'static str = "cloudflare.dns_record";
    type Client = Cloudflare;
    type Spec = DnsRecordInputs;
    type Outputs = DnsRecordOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            settle: std::time::Duration::from_secs(8),
            // A name holds either a CNAME or addresses, and one set of a type.
            exclusive: true,
            import_id: "ZONE/NAME/TYPE".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        _: &Cx,
        _: &Cloudflare,
        _: &DnsRecordInputs,
    ) -> Result<Created<DnsRecordOutputs>> {
        Err(grouped())
    }

    async fn read(&self, cx: &Cx, client: &Cloudflare, id: &str) -> Result<Option<Seen>> {
        let mut found = self.read_many(cx, client, &[id.to_owned()]).await;
        found.pop().unwrap_or(Ok(None))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        ids: &[String],
    ) -> Vec<ReadAnswer<DnsRecordInputs, DnsRecordOutputs>> {
        let parsed: Vec<Result<RecordId>> = ids.iter().map(|id| RecordId::parse(id)).collect();
        let mut zones: Vec<&str> = Vec::new();
        for id in parsed.iter().flatten() {
            if !zones.contains(&id.zone.as_str()) {
                zones.push(&id.zone);
            }
        }
        let mut answers: Vec<ReadAnswer<DnsRecordInputs, DnsRecordOutputs>> =
            ids.iter().map(|_| Ok(None)).collect();
        for name in zones {
            let members: Vec<(usize, &RecordId)> = parsed
                .iter()
                .enumerate()
                .filter_map(|(at, id)| Some((at, id.as_ref().ok()?)))
                .filter(|(_, id)| id.zone == name)
                .collect();
            let ids: Vec<&RecordId> = members.iter().map(|(_, id)| *id).collect();
            let found = match client.find_zone(cx, name).await {
                Ok(Some(zone)) => Self::read_zone(cx, client, &zone, &ids).await,
                Ok(None) => continue,
                Err(error) => Err(error),
            };
            match found {
                Ok(found) => {
                    for ((at, _), seen) in members.into_iter().zip(found) {
                        answers[at] = Ok(seen);
                    }
                }
                // The zone is gone, and its records with it.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    for (at, _) in members {
                        answers[at] = Err(error.clone());
                    }
                }
            }
        }
        for (answer, id) in answers.iter_mut().zip(parsed) {
            if let Err(error) = id {
                // Of a type that is not known here there is nothing.
                *answer = if error.kind() == ErrorKind::NotFound {
                    Ok(None)
                } else {
                    Err(error)
                };
            }
        }
        answers
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Cloudflare,
        _: &str,
        _: &Change<'_, DnsRecordInputs>,
    ) -> Result<DnsRecordOutputs> {
        Err(grouped())
    }

    async fn delete(&self, _: &Cx, _: &Cloudflare, _: &str) -> Result<()> {
        Err(grouped())
    }

    fn keys(&self, client: &Cloudflare, inputs: &Value) -> Keys {
        keys(client, inputs)
    }

    async fn plan(&self, cx: &Cx, client: &Cloudflare, proposal: Proposal<'_>) -> Result<Planned> {
        plan::plan(cx, client, proposal).await
    }

    async fn locate(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        op: OpId,
        spec: &DnsRecordInputs,
    ) -> Result<Option<Found<DnsRecordInputs, DnsRecordOutputs>>> {
        let Some((zone, id)) = set::place(cx, client, spec).await? else {
            return Ok(None);
        };
        let found = client.glance(cx, &zone.id, |records: &[RecordObject]| {
            let own = records.iter().filter(|record| id.holds(record));
            let own: Vec<&RecordObject> = own.filter(|record| !record.is_read_only()).collect();
            let mark = set::mark_of(op);
            let marked = !own.is_empty()
                && own.iter().all(|record| {
                    set::split_comment(record.comment.as_deref()).1.as_deref() == Some(&mark)
                });
            (!own.is_empty()).then(|| (set::observe(&zone, &id, &own), marked))
        });
        match found.await {
            Ok(found) => Ok(found.map(|(observed, marked)| Found {
                id: id.to_string(),
                observed,
                marked,
            })),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn apply_group(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        call: &[Operation],
    ) -> Option<Vec<Outcome>> {
        Some(batch::carry_out(cx, client, call).await)
    }

    async fn list(
        &self,
        cx: &Cx,
        client: &Cloudflare,
    ) -> Result<Vec<Found<DnsRecordInputs, DnsRecordOutputs>>> {
        let mut found = Vec::new();
        let mut page = 1;
        loop {
            let (zones, last) = client.zone_page(cx, page).await?;
            for zone in zones {
                let zone = client.memo().insert(&zone);
                let records = client.records(cx, &zone.id).await?;
                for ((name, kind), records) in set::by_name_and_type(&records) {
                    let Some(kind) = RecordType::named(kind) else {
                        continue;
                    };
                    let id = RecordId {
                        zone: zone.name.clone(),
                        name: name.to_owned(),
                        kind,
                    };
                    found.push(Found {
                        observed: set::observe(&zone, &id, &records),
                        id: id.to_string(),
                        marked: false,
                    });
                }
            }
            if last {
                return Ok(found);
            }
            page += 1;
        }
    }
}

/// Records of a zone are read together and written together. What cannot stand at one name at once
/// shares a lock.
fn keys(client: &Cloudflare, inputs: &Value) -> Keys {
    let text = |field: &str| inputs.get(field).map(Value::reveal).and_then(Value::as_str);
    let zone = text("zone").map(|zone| match client.memo().get(zone) {
        Some(zone) => zone.name.clone(),
        None => names::host(zone).unwrap_or_else(|_| zone.to_owned()),
    });
    let name = text("name").and_then(|name| match &zone {
        Some(zone) => names::in_zone(name, zone).ok(),
        None => names::host(name).ok(),
    });
    let zone = zone.or_else(|| Some(client.memo().holding(name.as_deref()?)?.name.clone()));
    let lock = name.zip(text("type")).map(|(name, kind)| match kind {
        "A" | "AAAA" | "CNAME" | "NS" => format!("cloudflare.dns_record/{name}"),
        _ => format!("cloudflare.dns_record/{name}/{kind}"),
    });
    let group = format!("cloudflare.dns_record/{}", zone.as_deref().unwrap_or("?"));
    Keys {
        locks: lock.into_iter().map(Into::into).collect(),
        read_group: zone.map(|_| group.as_str().into()),
        // Deletes come without inputs when they are alone: they need a group all the same.
        write_group: Some(WriteGroup {
            key: group.into(),
            whole: false,
            linked: false,
            atomic: false,
            max: GROUP,
        }),
        deleted_with: None,
    }
}

fn grouped() -> Error {
    Error::new(
        ErrorKind::Unexpected,
        "record sets are written in groups only",
    )
}

/// A field of the inputs at fault.
fn at(field: &'static str) -> Path {
    Path::key(field)
}

/// The zone of a record's inputs.
async fn zone_of(
    cx: &Cx,
    client: &Cloudflare,
    zone: Option<&str>,
    name: &str,
) -> Result<Arc<ZoneRef>> {
    if let Some(zone) = zone {
        return client.zone(cx, zone).await;
    }
    let name =
        names::host(name).map_err(|why| Error::new(ErrorKind::Invalid, why).field(at("name")))?;
    let found = client.zone_of(cx, &name).await?;
    found.ok_or_else(|| missing(&name))
}
