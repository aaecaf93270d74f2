//! `namecheap.nameservers`.

use std::collections::BTreeSet;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Segment, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Namecheap;
use crate::error::no_domain;
use crate::name;
use crate::xml;

/// The name servers of a domain, where these are not Namecheap's own. Deleting it brings back those
/// that the domain had before: Namecheap's own, or the list it was taken over with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameServersSpec {
    /// The registered domain: `example.com`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub domain: String,
    /// The name servers, as host names in no order; at least two.
    #[schemars(length(min = 2, max = 12), extend("x-fabrik" = {"list": "set"}))]
    pub nameservers: Vec<String>,
}

/// What is known of a domain's name servers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NameServersOutputs {
    /// The domain, without a final dot.
    pub domain: String,
}

/// `namecheap.nameservers`: name servers that are not Namecheap's own.
#[derive(Clone, Copy, Debug)]
pub struct NameServers;

type Seen = Observed<NameServersSpec, NameServersOutputs>;

/// The list to bring back, kept beside the object; empty for Namecheap's own.
#[derive(Default, Serialize, Deserialize)]
struct Before {
    nameservers: Vec<String>,
}

impl Before {
    fn bytes(list: &[String]) -> Vec<u8> {
        let before = Before {
            nameservers: list.to_vec(),
        };
        serde_json::to_vec(&before).unwrap_or_default()
    }
}

impl Resource for NameServers {
    const TYPE: &'static str = "namecheap.nameservers";
    type Client = Namecheap;
    type Spec = NameServersSpec;
    type Outputs = NameServersOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            timeout: Duration::from_secs(180),
            settle: Duration::from_secs(10),
            import_id: "DOMAIN".to_owned(),
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        spec: &NameServersSpec,
    ) -> Result<Created<NameServersOutputs>> {
        let (domain, list) = checked(spec)?;
        namecheap.set_nameservers(cx, &domain, &list).await?;
        Ok(Created {
            // The engine looked: it had Namecheap's own.
            private: Before::bytes(&[]),
            ..Created::new(domain.clone(), outputs(&domain))
        })
    }

    async fn read(&self, cx: &Cx, namecheap: &Namecheap, id: &str) -> Result<Option<Seen>> {
        let domain = parse(id)?;
        let found = namecheap.nameservers(cx, &domain).await?;
        Ok(found.and_then(|found| observe(&found, &domain)))
    }

    async fn update(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        id: &str,
        change: &Change<'_, NameServersSpec>,
    ) -> Result<NameServersOutputs> {
        let domain = parse(id)?;
        let (_, list) = checked(change.spec)?;
        namecheap.set_nameservers(cx, &domain, &list).await?;
        Ok(outputs(&domain))
    }

    async fn delete(&self, cx: &Cx, namecheap: &Namecheap, id: &str) -> Result<()> {
        restore(cx, namecheap, &parse(id)?, &[]).await
    }

    async fn delete_object(&self, cx: &Cx, namecheap: &Namecheap, object: &Object) -> Result<()> {
        let before: Before = serde_json::from_slice(&object.private).unwrap_or_default();
        restore(cx, namecheap, &parse(&object.id)?, &before.nameservers).await
    }

    fn keys(&self, _: &Namecheap, inputs: &Value) -> Keys {
        let domain = inputs.get("domain").and_then(Value::as_str);
        let domain = domain.and_then(|domain| name::canonical(domain).ok());
        Keys {
            locks: domain
                .map(|domain| format!("nameservers {domain}").into())
                .into_iter()
                .collect(),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &Namecheap, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(plan(proposal.desired))
    }

    async fn locate(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
        _: OpId,
        spec: &NameServersSpec,
    ) -> Result<Option<Found<NameServersSpec, NameServersOutputs>>> {
        let (domain, _) = checked(spec)?;
        let found = namecheap.nameservers(cx, &domain).await?;
        let found = found.ok_or_else(|| no_domain(Error::new(ErrorKind::NotFound, ""), &domain))?;
        Ok(observe(&found, &domain).map(|observed| Found {
            id: domain,
            observed,
            marked: false,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        namecheap: &Namecheap,
    ) -> Result<Vec<Found<NameServersSpec, NameServersOutputs>>> {
        let mut found = Vec::new();
        for listed in namecheap.domains(cx).await? {
            let Ok(domain) = name::registered(&listed.name) else {
                continue;
            };
            if listed.own_dns {
                continue;
            }
            let servers = namecheap.nameservers(cx, &domain).await?;
            let observed = servers.and_then(|servers| observe(&servers, &domain));
            found.extend(observed.map(|observed| Found {
                id: domain,
                observed,
                marked: false,
            }));
        }
        Ok(found)
    }
}

fn parse(id: &str) -> Result<String> {
    name::registered(id).map_err(|why| {
        name::wrong_id(id, "the domain's name", "example.com").context("reason", why)
    })
}

fn outputs(domain: &str) -> NameServersOutputs {
    NameServersOutputs {
        domain: domain.to_owned(),
    }
}

/// Namecheap's own name servers count as none.
fn observe(found: &xml::NameServers, domain: &str) -> Option<Seen> {
    if found.own_dns {
        return None;
    }
    let list: Vec<String> = found
        .list
        .iter()
        .map(|host| name::canonical(host).unwrap_or_else(|_| host.clone()))
        .collect();
    let spec = NameServersSpec {
        domain: domain.to_owned(),
        nameservers: list.clone(),
    };
    Some(Observed {
        // What is taken over with these goes back to these.
        private: Before::bytes(&list),
        ..Observed::new(spec, outputs(domain))
    })
}

/// Sets name servers unless the domain has them already.
async fn restore(cx: &Cx, namecheap: &Namecheap, domain: &str, list: &[String]) -> Result<()> {
    let Some(there) = namecheap.nameservers(cx, domain).await? else {
        return Ok(());
    };
    let now = observe(&there, domain).map(|observed| observed.spec.nameservers);
    let now: BTreeSet<String> = now.unwrap_or_default().into_iter().collect();
    if now == list.iter().cloned().collect() {
        return Ok(());
    }
    namecheap.set_nameservers(cx, domain, list).await
}

/// Domain and list in their one form.
fn checked(spec: &NameServersSpec) -> Result<(String, Vec<String>)> {
    let wrong = |field: Path, message: String| Error::new(ErrorKind::Invalid, message).field(field);
    let domain = name::registered(&spec.domain)
        .map_err(|why| wrong(Path::key("domain"), format!("`{}` {why}", spec.domain)))?;
    let mut list = Vec::with_capacity(spec.nameservers.len());
    for (at, host) in spec.nameservers.iter().enumerate() {
        let host = name::canonical(host)
            .map_err(|why| wrong(place(at), format!("the name server `{host}` {why}")))?;
        list.push(host);
    }
    Ok((domain, list))
}

fn place(at: usize) -> Path {
    let mut path = Path::key("nameservers");
    path.push(Segment::Index(at));
    path
}

/// Wanted inputs in their one form as far as they are known, and what is wrong with them.
fn plan(desired: &Value) -> Planned {
    let mut inputs = desired.clone();
    let mut findings = Vec::new();
    let mut wrong = |field: Path, message: String| {
        findings.push(Finding {
            blocking: true,
            message,
            hint: None,
            field: Some(field),
            adopt: None,
        });
    };
    if let Some(text) = desired.get("domain").and_then(Value::as_str) {
        match name::registered(text) {
            Ok(domain) => inputs = inputs.with(&Path::key("domain"), Value::from(domain)),
            Err(why) => wrong(Path::key("domain"), format!("`{text}` {why}")),
        }
    }
    if let Some(list) = desired.get("nameservers").and_then(Value::as_list) {
        let mut hosts = Vec::with_capacity(list.len());
        for (at, item) in list.iter().enumerate() {
            hosts.push(
                match item.as_str().map(|text| (text, name::canonical(text))) {
                    Some((_, Ok(host))) => Value::from(host),
                    Some((text, Err(why))) => {
                        wrong(place(at), format!("the name server `{text}` {why}"));
                        item.clone()
                    }
                    None => item.clone(),
                },
            );
        }
        inputs = inputs.with(&Path::key("nameservers"), Value::list(hosts));
    }
    Planned {
        inputs,
        findings,
        ..Planned::default()
    }
}
