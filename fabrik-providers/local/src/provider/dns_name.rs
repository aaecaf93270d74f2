//! `local.dns_name`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Finding, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, kept_by_agent};
use crate::client::Client;
use crate::model::NameInfo;
use crate::names::local_host;
use crate::protocol::Kind;

/// Where names under `localhost` lead.
pub(super) const ADDRESS: &str = "127.0.0.1";

/// A host name under `localhost`. Such names lead to this machine by themselves, so this only
/// registers that the name is taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsNameInputs {
    /// The host name: `shop.localhost`.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true, "same": "trim_dot"}))]
    pub name: String,
    /// What it is meant for: an address or a host name.
    #[schemars(length(min = 1))]
    pub target: String,
}

/// What is known of a name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DnsNameOutputs {
    /// The address it leads to.
    pub address: String,
}

/// `local.dns_name`: a host name under `localhost`.
#[derive(Clone, Copy, Debug)]
pub struct DnsName;

impl Thing for DnsName {
    const KIND: Kind = Kind::Name;
    type Spec = DnsNameInputs;
    type Outputs = DnsNameOutputs;

    fn id(spec: &DnsNameInputs) -> Result<String> {
        local_host("name", &spec.name).map_err(problem)
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.names.iter();
        found.map(|name| name.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.names.iter();
        found.find(|name| name.name == id).map(describe)
    }

    async fn put(
        _: &Cx,
        _: &Local,
        agent: &Client,
        id: &str,
        spec: &DnsNameInputs,
    ) -> Result<DnsNameOutputs> {
        agent.put_name(id, &spec.target).await.map_err(problem)?;
        Ok(outputs())
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_name(id).await.map_err(problem)
    }
}

kept_by_agent! { DnsName, "local.dns_name", DnsNameInputs, DnsNameOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        kept(info)
    }

    async fn plan(&self, _: &Cx, _: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let name = proposal.desired.get("name").and_then(Value::as_str);
        let findings = name
            .and_then(|name| local_host("name", name).err())
            .map(|error| Finding {
                blocking: true,
                message: error.to_string(),
                hint: Some("other names need a provider of DNS".to_owned()),
                field: Some(Path::key("name")),
                adopt: None,
            });
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: findings.into_iter().collect(),
            ..Planned::default()
        })
    }
}

fn describe(info: &NameInfo) -> Observed<DnsNameInputs, DnsNameOutputs> {
    let spec = DnsNameInputs {
        name: info.name.clone(),
        target: info.target.clone(),
    };
    Observed::new(spec, outputs())
}

fn outputs() -> DnsNameOutputs {
    DnsNameOutputs {
        address: ADDRESS.to_owned(),
    }
}
