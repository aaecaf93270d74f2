//! `powerdns.metadata`.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::PowerDns;
use crate::error::no_zone;
use crate::name;
use crate::wire::Meta;

/// A setting of a zone that PowerDNS keeps as metadata of some kind: who may transfer it, whom to
/// notify, own notes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataSpec {
    /// The zone: `example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub zone: String,
    /// The kind: `ALLOW-AXFR-FROM`, `ALSO-NOTIFY`, `TSIG-ALLOW-AXFR`, … or one of your own that begins
    /// with `X-`.
    #[schemars(
        regex(pattern = "^[A-Za-z][A-Za-z0-9-]*$"),
        extend("x-fabrik" = {"replace": true, "same": "lower"})
    )]
    pub kind: String,
    /// Its values, in no order.
    #[schemars(length(min = 1), extend("x-fabrik" = {"list": "set"}))]
    pub values: Vec<String>,
}

/// What is known of metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetadataOutputs {
    /// The zone, without a final dot.
    pub zone: String,
}

/// `powerdns.metadata`: metadata of a zone, of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Metadata;

type Seen = Observed<MetadataSpec, MetadataOutputs>;

const FORM: &str = "ZONE/KIND";
const EXAMPLE: &str = "example.com/ALLOW-AXFR-FROM";

impl Resource for Metadata {
    const TYPE: &'static str = "powerdns.metadata";
    type Client = PowerDns;
    type Spec = MetadataSpec;
    type Outputs = MetadataOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            settle: Duration::from_secs(2),
            import_id: FORM.to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        spec: &MetadataSpec,
    ) -> Result<Created<MetadataOutputs>> {
        let (zone, kind) = place(spec)?;
        let outputs = set(cx, pdns, &zone, &kind, &spec.values).await?;
        Ok(Created::new(name::keyed_id(&zone, &kind), outputs))
    }

    async fn read(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<Option<Seen>> {
        let (zone, kind) = parse(id)?;
        let found = pdns.metadata(cx, &zone).await?;
        Ok(found.and_then(|found| observe(&found, &zone, &kind)))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        ids: &[String],
    ) -> Vec<ReadAnswer<MetadataSpec, MetadataOutputs>> {
        // One request for each zone.
        let mut zones: BTreeMap<String, Result<Option<Vec<Meta>>>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let (zone, kind) = match parse(id) {
                Ok(parts) => parts,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            if !zones.contains_key(&zone) {
                zones.insert(zone.clone(), pdns.metadata(cx, &zone).await);
            }
            answers.push(match zones.get(&zone) {
                Some(Ok(Some(found))) => Ok(observe(found, &zone, &kind)),
                Some(Err(error)) => Err(error.clone()),
                Some(Ok(None)) | None => Ok(None),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
        id: &str,
        change: &Change<'_, MetadataSpec>,
    ) -> Result<MetadataOutputs> {
        let (zone, kind) = parse(id)?;
        set(cx, pdns, &zone, &kind, &change.spec.values).await
    }

    async fn delete(&self, cx: &Cx, pdns: &PowerDns, id: &str) -> Result<()> {
        let (zone, kind) = parse(id)?;
        match set(cx, pdns, &zone, &kind, &[]).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            other => other.map(|_| ()),
        }
    }

    fn keys(&self, _: &PowerDns, inputs: &Value) -> Keys {
        let text = |field: &str| inputs.get(field).and_then(Value::as_str);
        let Some(zone) = text("zone").and_then(|zone| name::canonical(zone).ok()) else {
            return Keys::default();
        };
        let lock = text("kind").map(|kind| name::keyed_id(&zone, &kind.to_ascii_uppercase()));
        Keys {
            locks: lock.map(Into::into).into_iter().collect(),
            read_group: Some(format!("metadata {zone}").into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &PowerDns, proposal: Proposal<'_>) -> Result<Planned> {
        let mut inputs = proposal.desired.clone();
        let mut findings = Vec::new();
        let text = |field: &str| proposal.desired.get(field).and_then(Value::as_str);
        if let Some(zone) = text("zone") {
            match name::canonical(zone) {
                Ok(zone) => inputs = inputs.with(&Path::key("zone"), Value::from(zone)),
                Err(why) => findings.push(Finding {
                    blocking: true,
                    message: format!("the zone `{zone}` {why}"),
                    hint: None,
                    field: Some(Path::key("zone")),
                    adopt: None,
                }),
            }
        }
        if let Some(kind) = text("kind") {
            let kind = kind.to_ascii_uppercase();
            inputs = inputs.with(&Path::key("kind"), Value::from(kind));
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
        pdns: &PowerDns,
        _: OpId,
        spec: &MetadataSpec,
    ) -> Result<Option<Found<MetadataSpec, MetadataOutputs>>> {
        let (zone, kind) = place(spec)?;
        let found = pdns.metadata(cx, &zone).await?;
        let observed = found.and_then(|found| observe(&found, &zone, &kind));
        Ok(observed.map(|observed| Found {
            id: name::keyed_id(&zone, &kind),
            observed,
            marked: false,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        pdns: &PowerDns,
    ) -> Result<Vec<Found<MetadataSpec, MetadataOutputs>>> {
        let mut found = Vec::new();
        for zone in pdns.zones(cx).await? {
            let Ok(zone) = name::canonical(&zone.name) else {
                continue;
            };
            let all = pdns.metadata(cx, &zone).await?.unwrap_or_default();
            for meta in &all {
                // The API keeps this one itself: it is `soa_edit_api` of the zone.
                if meta.kind == "SOA-EDIT-API" {
                    continue;
                }
                if let Some(observed) = observe(&all, &zone, &meta.kind) {
                    found.push(Found {
                        id: name::keyed_id(&zone, &meta.kind),
                        observed,
                        marked: false,
                    });
                }
            }
        }
        Ok(found)
    }
}

fn parse(id: &str) -> Result<(String, String)> {
    let (zone, kind) = name::parse_keyed_id(id, FORM, EXAMPLE)?;
    Ok((zone, kind.to_ascii_uppercase()))
}

fn place(spec: &MetadataSpec) -> Result<(String, String)> {
    let zone = name::canonical(&spec.zone).map_err(|why| {
        Error::new(
            ErrorKind::Invalid,
            format!("the zone `{}` {why}", spec.zone),
        )
        .field(Path::key("zone"))
    })?;
    Ok((zone, spec.kind.to_ascii_uppercase()))
}

async fn set(
    cx: &Cx,
    pdns: &PowerDns,
    zone: &str,
    kind: &str,
    values: &[String],
) -> Result<MetadataOutputs> {
    let meta = Meta {
        kind: kind.to_owned(),
        metadata: values.to_vec(),
    };
    pdns.set_metadata(cx, zone, &meta).await.map_err(|error| {
        if error.kind() == ErrorKind::NotFound {
            return no_zone(zone);
        }
        error
    })?;
    Ok(MetadataOutputs {
        zone: zone.to_owned(),
    })
}

/// Metadata without values is none.
fn observe(found: &[Meta], zone: &str, kind: &str) -> Option<Seen> {
    let meta = found
        .iter()
        .find(|meta| meta.kind.eq_ignore_ascii_case(kind) && !meta.metadata.is_empty())?;
    let spec = MetadataSpec {
        zone: zone.to_owned(),
        kind: kind.to_owned(),
        values: meta.metadata.clone(),
    };
    let outputs = MetadataOutputs {
        zone: zone.to_owned(),
    };
    Some(Observed::new(spec, outputs))
}
