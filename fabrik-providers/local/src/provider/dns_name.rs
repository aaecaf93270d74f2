//! `local.dns_name`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Finding, Keys, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, Picture};
use super::problem::problem;
use super::{group, kept};
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

impl DnsName {
    fn observe(picture: &Picture, id: &str) -> Option<Observed<DnsNameInputs, DnsNameOutputs>> {
        let found = picture.status.names.iter().find(|name| name.name == id)?;
        Some(describe(found))
    }
}

impl Resource for DnsName {
    const TYPE: &'static str = "local.dns_name";
    type Client = Local;
    type Spec = DnsNameInputs;
    type Outputs = DnsNameOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        kept(info)
    }

    async fn create(
        &self,
        cx: &Cx,
        local: &Local,
        spec: &DnsNameInputs,
    ) -> Result<Created<DnsNameOutputs>> {
        let name = local_host("name", &spec.name).map_err(problem)?;
        let agent = local.claimed(cx, Kind::Name, &name).await?;
        agent.put_name(&name, &spec.target).await.map_err(problem)?;
        Ok(Created::new(name.clone(), outputs()))
    }

    async fn read(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
    ) -> Result<Option<Observed<DnsNameInputs, DnsNameOutputs>>> {
        Ok(Self::observe(&local.picture().await?, id))
    }

    async fn read_many(
        &self,
        _: &Cx,
        local: &Local,
        ids: &[String],
    ) -> Vec<ReadAnswer<DnsNameInputs, DnsNameOutputs>> {
        local.read_many(ids, Self::observe).await
    }

    async fn update(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
        change: &Change<'_, DnsNameInputs>,
    ) -> Result<DnsNameOutputs> {
        let agent = local.agent().await?;
        agent
            .put_name(id, &change.spec.target)
            .await
            .map_err(problem)?;
        Ok(outputs())
    }

    async fn delete(&self, _: &Cx, local: &Local, id: &str) -> Result<()> {
        match local.agent_with(id, Self::observe).await? {
            Some(agent) => agent.remove_name(id).await.map_err(problem),
            None => Ok(()),
        }
    }

    fn keys(&self, _: &Local, inputs: &Value) -> Keys {
        group(Self::TYPE, "name", inputs)
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

    async fn list(
        &self,
        _: &Cx,
        local: &Local,
    ) -> Result<Vec<Found<DnsNameInputs, DnsNameOutputs>>> {
        let picture = local.picture().await?;
        let found = picture.status.names.iter().map(|name| Found {
            id: name.name.clone(),
            observed: describe(name),
            marked: false,
        });
        Ok(found.collect())
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
