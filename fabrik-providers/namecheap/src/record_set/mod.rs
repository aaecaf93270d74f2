//! `namecheap.record_set`.

mod merge;
mod normal;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{
    Cx, Keys, Lost, OpId, Operation, Outcome, Planned, Proposal, TypeInfo, WriteGroup,
};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Namecheap;
use crate::content::{self, AUTOMATIC};
use crate::name::{self, SetId};
use crate::xml::{Host, Hosts};

use normal::Set;
use write::Todo;

/// All records of one name and type of a domain. All changes of a domain in one run go to Namecheap
/// in one write, which replaces everything; records that are not Fabrik's are written back as they
/// are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordSetSpec {
    /// The registered domain: `example.com`, `example.co.uk`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub domain: String,
    /// The name, relative to the domain (`www`), in full (`www.example.com`), or `@` for the domain
    /// itself. With a dot at its end it is always the full name.
    #[serde(default = "apex")]
    #[schemars(extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// The type of record: `A`, `AAAA`, `ALIAS`, `CAA`, `CNAME`, `MX`, `MXE`, `NS`, `TXT`, and
    /// Namecheap's redirects `URL`, `URL301` and `FRAME`.
    #[serde(rename = "type")]
    #[schemars(
        regex(pattern = "^[A-Za-z][A-Za-z0-9]*$"),
        extend("x-fabrik" = {"replace": true, "same": "lower"})
    )]
    pub kind: String,
    /// How many seconds answers may be kept, from 60 to 60000; 1799 leaves it to Namecheap.
    #[serde(default = "automatic")]
    #[schemars(range(max = 60_000))]
    pub ttl: u32,
    /// The values, in no order: addresses, host names (in full; a final dot is not needed), texts as
    /// they are, URLs, `10 mail.example.com` for MX, `0 issue "letsencrypt.org"` for CAA.
    #[schemars(length(min = 1), extend("x-fabrik" = {"list": "set"}))]
    pub values: Vec<String>,
}

fn apex() -> String {
    name::APEX.to_owned()
}

fn automatic() -> u32 {
    AUTOMATIC
}

/// What is known of a record set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordSetOutputs {
    /// The full name, without a final dot.
    pub fqdn: String,
}

/// `namecheap.record_set`: all records of one name and type.
#[derive(Clone, Copy, Debug)]
pub struct RecordSet;

type Seen = Observed<RecordSetSpec, RecordSetOutputs>;

impl Resource for RecordSet {
    const TYPE: &'static str = "namecheap.record_set";
    type Client = Namecheap;
    type Spec = RecordSetSpec;
    type Outputs = RecordSetOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            // The quota may make a write wait for a minute.
            timeout: Duration::from_secs(180),
            settle: Duration::from_secs(10),
            import_id: "DOMAIN/NAME/TYPE".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        spec: &RecordSetSpec,
    ) -> Result<Created<RecordSetOutputs>> {
        let set = Set::of(spec)?;
        let created = Created::new(set.id.to_string(), outputs(&set.id));
        write::one(cx, namecheap, Todo::Create(set)).await?;
        Ok(created)
    }

    async fn read(&self, cx: &Cx, namecheap: &Namecheap, id: &str) -> Result<Option<Seen>> {
        let id = SetId::parse(id)?;
        let hosts = namecheap.hosts(cx, &id.domain).await?;
        Ok(hosts.as_ref().and_then(|hosts| observe(hosts, &id)))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        ids: &[String],
    ) -> Vec<ReadAnswer<RecordSetSpec, RecordSetOutputs>> {
        // One request for each domain.
        let mut domains: BTreeMap<String, Result<Option<Arc<Hosts>>>> = BTreeMap::new();
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            let id = match SetId::parse(id) {
                Ok(id) => id,
                Err(error) => {
                    answers.push(Err(error));
                    continue;
                }
            };
            if !domains.contains_key(&id.domain) {
                let found = namecheap.refresh(cx, &id.domain).await;
                domains.insert(id.domain.clone(), found);
            }
            answers.push(match domains.get(&id.domain) {
                Some(Ok(hosts)) => Ok(hosts.as_deref().and_then(|hosts| observe(hosts, &id))),
                Some(Err(error)) => Err(error.clone()),
                None => Ok(None),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        id: &str,
        change: &Change<'_, RecordSetSpec>,
    ) -> Result<RecordSetOutputs> {
        let set = Set::of(change.spec)?;
        if set.id != SetId::parse(id)? {
            return Err(cannot_become(id, &set.id));
        }
        let outputs = outputs(&set.id);
        write::one(cx, namecheap, Todo::Update(set)).await?;
        Ok(outputs)
    }

    async fn delete(&self, cx: &Cx, namecheap: &Namecheap, id: &str) -> Result<()> {
        write::one(cx, namecheap, Todo::Delete(SetId::parse(id)?)).await
    }

    fn keys(&self, _: &Namecheap, inputs: &Value) -> Keys {
        let text = |field: &str| inputs.get(field).and_then(Value::as_str);
        let Some(domain) = text("domain").and_then(|domain| name::canonical(domain).ok()) else {
            return Keys::default();
        };
        let relative = name::relative(text("name").unwrap_or_default(), &domain);
        let lock = match (relative, text("type")) {
            (Ok(name), Some(kind)) => Some(SetId {
                domain: domain.clone(),
                name,
                kind: kind.to_ascii_uppercase(),
            }),
            _ => None,
        };
        let key: Arc<str> = format!("domain {domain}").into();
        Keys {
            locks: lock.map(|id| id.to_string().into()).into_iter().collect(),
            read_group: Some(key.clone()),
            write_group: Some(WriteGroup {
                key,
                whole: true,
                linked: true,
                atomic: true,
                max: 0,
            }),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &Namecheap, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(normal::plan(proposal.desired))
    }

    async fn locate(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        _: OpId,
        spec: &RecordSetSpec,
    ) -> Result<Option<Found<RecordSetSpec, RecordSetOutputs>>> {
        let set = Set::of(spec)?;
        let hosts = namecheap.glance(cx, &set.id.domain).await?;
        let observed = hosts.and_then(|hosts| observe(&hosts, &set.id));
        Ok(observed.map(|observed| Found {
            id: set.id.to_string(),
            observed,
            marked: false,
        }))
    }

    async fn apply_group(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        call: &[Operation],
    ) -> Option<Vec<Outcome>> {
        Some(write::apply(cx, namecheap, call).await)
    }

    async fn list(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
    ) -> Result<Vec<Found<RecordSetSpec, RecordSetOutputs>>> {
        let mut found = Vec::new();
        for listed in namecheap.domains(cx).await? {
            let Ok(domain) = name::registered(&listed.name) else {
                continue;
            };
            if !listed.own_dns {
                continue;
            }
            let Some(hosts) = namecheap.hosts(cx, &domain).await? else {
                continue;
            };
            let mut ids: Vec<SetId> = hosts
                .hosts
                .iter()
                .map(|host| id_of(host, &domain))
                .filter(|id| content::WRITABLE.contains(&id.kind.as_str()))
                .collect();
            ids.sort();
            ids.dedup();
            for id in ids {
                found.extend(observe(&hosts, &id).map(|observed| Found {
                    id: id.to_string(),
                    observed,
                    marked: false,
                }));
            }
        }
        Ok(found)
    }
}

fn cannot_become(id: &str, other: &SetId) -> Error {
    Error::new(
        ErrorKind::Unexpected,
        format!("`{id}` cannot become `{other}`"),
    )
}

fn outputs(id: &SetId) -> RecordSetOutputs {
    RecordSetOutputs {
        fqdn: name::full(&id.name, &id.domain),
    }
}

/// Which set a host record belongs to.
fn id_of(host: &Host, domain: &str) -> SetId {
    let name = host.name.trim().to_ascii_lowercase();
    SetId {
        domain: domain.to_owned(),
        name: if name.is_empty() { apex() } else { name },
        kind: host.kind.to_ascii_uppercase(),
    }
}

fn observe(hosts: &Hosts, id: &SetId) -> Option<Seen> {
    let own: Vec<&Host> = hosts
        .hosts
        .iter()
        .filter(|host| hosts.own_dns && id_of(host, &id.domain) == *id)
        .collect();
    let first = own.first()?;
    let ttl_of = |host: &Host| content::ttl(host.ttl.parse().unwrap_or_default());
    let alike = own.iter().all(|host| ttl_of(host) == ttl_of(first));
    let values = own.iter().map(|host| {
        let preference = host.mx_pref.parse().unwrap_or(10);
        content::from_wire(&id.kind, &host.address, preference)
    });
    let spec = RecordSetSpec {
        domain: id.domain.clone(),
        name: id.name.clone(),
        kind: id.kind.clone(),
        // Records of one set with different TTLs are like none that can be wanted.
        ttl: if alike { ttl_of(first) } else { 0 },
        values: values.collect(),
    };
    Some(Observed::new(spec, outputs(id)))
}
