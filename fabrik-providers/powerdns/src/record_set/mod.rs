//! `powerdns.record_set`.

mod group;
mod normal;

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{
    Cx, Keys, Lost, OpId, Operation, Outcome, Planned, Proposal, TypeInfo, WriteGroup,
};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::PowerDns;
use crate::content;
use crate::name::{self, SetId};
use crate::wire::{RrSet, Zone};

pub(crate) use normal::Set;

/// What the comments that mark our record sets are filed under.
const MARK_ACCOUNT: &str = "fabrik";

/// All records of one name and type in a zone. All changes of a zone in one run go to the server
/// together, and land all or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSetSpec {
    /// The zone: `example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub zone: String,
    /// The name, relative to the zone (`www`), in full (`www.example.com`), or `@` for the zone
    /// itself. With a dot at its end it is always the full name.
    #[serde(default = "apex")]
    #[schemars(extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// The type of record: `A`, `AAAA`, `CNAME`, `MX`, `TXT`, `SRV`, `CAA`, `HTTPS` or any other
    /// that the server knows.
    #[serde(rename = "type")]
    #[schemars(
        regex(pattern = "^[A-Za-z][A-Za-z0-9-]*$"),
        extend("x-fabrik" = {"replace": true, "same": "lower"})
    )]
    pub kind: String,
    /// How many seconds answers may be kept.
    #[serde(default = "ttl")]
    #[schemars(range(max = 2_147_483_647))]
    pub ttl: u32,
    /// The values, in no order: addresses, host names (in full; a final dot is not needed), texts as
    /// they are, and for other types what stands in a zone file: `10 mail.example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"list": "set"}))]
    pub values: Vec<String>,
    /// Whether the server keeps the records without answering with them.
    #[serde(default)]
    pub disabled: bool,
}

fn apex() -> String {
    name::APEX.to_owned()
}

fn ttl() -> u32 {
    3600
}

/// What is known of a record set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordSetOutputs {
    /// The full name, without a final dot.
    pub fqdn: String,
}

/// `powerdns.record_set`: all records of one name and type.
#[derive(Clone, Copy, Debug)]
pub struct RecordSet;

type Seen = Observed<RecordSetSpec, RecordSetOutputs>;

impl Resource for RecordSet {
    const TYPE: &'static str = "powerdns.record_set";
    type Client = PowerDns;
    type Spec = RecordSetSpec;
    type Outputs = RecordSetOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            settle: Duration::from_secs(2),
            import_id: "ZONE/NAME/TYPE".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        spec: &RecordSetSpec,
    ) -> Result<Created<RecordSetOutputs>> {
        let set = Set::of(spec)?;
        let created = Created::new(set.id.to_string(), outputs(&set.id));
        group::one(cx, pdns, group::Todo::Create(cx.op()?, set)).await?;
        Ok(created)
    }

    async fn read(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<Option<Seen>> {
        let id = SetId::parse(id)?;
        let zone = pdns.zone(cx, &id.zone).await?;
        Ok(zone.as_ref().and_then(|zone| observe(zone, &id)))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        ids: &[String],
    ) -> Vec<ReadAnswer<RecordSetSpec, RecordSetOutputs>> {
        // One request for each zone.
        let mut zones: BTreeMap<String, Result<Option<Zone>>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let id = match SetId::parse(id) {
                Ok(id) => id,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            if !zones.contains_key(&id.zone) {
                zones.insert(id.zone.clone(), pdns.zone(cx, &id.zone).await);
            }
            answers.push(match zones.get(&id.zone) {
                Some(Ok(zone)) => Ok(zone.as_ref().and_then(|zone| observe(zone, &id))),
                Some(Err(error)) => Err(error.clone()),
                None => Ok(None),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        id: &str,
        change: &Change<'_, RecordSetSpec>,
    ) -> Result<RecordSetOutputs> {
        let set = Set::of(change.spec)?;
        if set.id != SetId::parse(id)? {
            return Err(Error::new(
                ErrorKind::Unexpected,
                format!("`{id}` cannot become `{}`", set.id),
            ));
        }
        let outputs = outputs(&set.id);
        group::one(cx, pdns, group::Todo::Update(set)).await?;
        Ok(outputs)
    }

    async fn delete(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<()> {
        group::one(cx, pdns, group::Todo::Delete(SetId::parse(id)?)).await
    }

    fn keys(&self, _: &PowerDns, inputs: &Value) -> Keys {
        let text = |field: &str| inputs.get(field).and_then(Value::as_str);
        let Some(zone) = text("zone").and_then(|zone| name::canonical(zone).ok()) else {
            return Keys::default();
        };
        let relative = name::relative(text("name").unwrap_or_default(), &zone);
        let lock = match (relative, text("type")) {
            (Ok(name), Some(kind)) => Some(SetId {
                zone: zone.clone(),
                name,
                kind: kind.to_ascii_uppercase(),
            }),
            _ => None,
        };
        Keys {
            locks: lock.map(|id| id.to_string().into()).into_iter().collect(),
            read_group: Some(format!("zone {zone}").into()),
            write_group: Some(WriteGroup {
                key: format!("zone {zone}").into(),
                whole: true,
                linked: true,
                atomic: true,
                max: 0,
            }),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &PowerDns, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(normal::plan(proposal.desired))
    }

    async fn locate(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        op: OpId,
        spec: &RecordSetSpec,
    ) -> Result<Option<Found<RecordSetSpec, RecordSetOutputs>>> {
        let set = Set::of(spec)?;
        let Some(zone) = pdns.glance(cx, &set.id.zone).await? else {
            return Ok(None);
        };
        let there = zone.set(&set.id.dotted(), &set.id.kind);
        let marked = there.is_some_and(|there| group::is_marked(there, op));
        Ok(observe(&zone, &set.id).map(|observed| Found {
            id: set.id.to_string(),
            observed,
            marked,
        }))
    }

    async fn apply_group(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        call: &[Operation],
    ) -> Option<Vec<Outcome>> {
        Some(group::apply(cx, pdns, call).await)
    }

    async fn list(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
    ) -> Result<Vec<Found<RecordSetSpec, RecordSetOutputs>>> {
        let mut found = Vec::new();
        for zone in pdns.zones(cx).await? {
            let Ok(name) = name::canonical(&zone.name) else {
                continue;
            };
            let Some(zone) = pdns.zone(cx, &name).await? else {
                continue;
            };
            for set in &zone.rrsets {
                let Ok(relative) = name::relative(&set.name, &name) else {
                    continue;
                };
                // The server keeps the SOA itself.
                if set.kind == "SOA" || set.records.is_empty() {
                    continue;
                }
                let id = SetId {
                    zone: name.clone(),
                    name: relative,
                    kind: set.kind.clone(),
                };
                found.push(Found {
                    id: id.to_string(),
                    observed: of_set(set, &id),
                    marked: false,
                });
            }
        }
        Ok(found)
    }
}

pub(crate) fn outputs(id: &SetId) -> RecordSetOutputs {
    RecordSetOutputs {
        fqdn: name::full(&id.name, &id.zone),
    }
}

fn observe(zone: &Zone, id: &SetId) -> Option<Seen> {
    zone.set(&id.dotted(), &id.kind).map(|set| of_set(set, id))
}

/// Records that are disabled beside others that are not do not count: nobody gets them.
fn of_set(set: &RrSet, id: &SetId) -> Seen {
    let disabled = set.records.iter().all(|record| record.disabled);
    let values = set
        .records
        .iter()
        .filter(|record| record.disabled == disabled)
        .map(|record| content::from_wire(&id.kind, &record.content))
        .collect();
    let spec = RecordSetSpec {
        zone: id.zone.clone(),
        name: id.name.clone(),
        kind: id.kind.clone(),
        ttl: set.ttl,
        values,
        disabled,
    };
    Observed::new(spec, outputs(id))
}
