//! `local.monitor`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, TypeInfo, Undo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, Picture};
use super::problem::problem;
use super::values::Time;
use super::{group, kept};
use crate::model::{MonitorInfo, MonitorSpec};
use crate::protocol::Kind;

/// A URL that the agent asks for now and then; what it saw is in the agent's status.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MonitorInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What to watch: an `http://` URL. An answer below 400 is good.
    #[schemars(length(min = 1))]
    pub url: String,
    /// Time between two looks.
    #[serde(default = "interval")]
    pub interval: Time,
}

fn interval() -> Time {
    Time::secs(60)
}

/// What is known of a monitor.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MonitorOutputs {
    /// Its id.
    pub id: String,
}

/// `local.monitor`: a URL that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Monitor;

impl Monitor {
    fn observe(picture: &Picture, id: &str) -> Option<Observed<MonitorInputs, MonitorOutputs>> {
        let mut found = picture.status.monitors.iter();
        Some(describe(found.find(|monitor| monitor.name == id)?))
    }
}

impl Resource for Monitor {
    const TYPE: &'static str = "local.monitor";
    type Client = Local;
    type Spec = MonitorInputs;
    type Outputs = MonitorOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // The history of what was seen does not come back.
            undo_delete: Undo::Partial,
            ..kept(info)
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        local: &Local,
        spec: &MonitorInputs,
    ) -> Result<Created<MonitorOutputs>> {
        let agent = local.claimed(cx, Kind::Monitor, &spec.name).await?;
        agent
            .put_monitor(&spec.name, &wanted(spec))
            .await
            .map_err(problem)?;
        Ok(Created::new(spec.name.clone(), outputs(&spec.name)))
    }

    async fn read(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
    ) -> Result<Option<Observed<MonitorInputs, MonitorOutputs>>> {
        Ok(Self::observe(&local.picture().await?, id))
    }

    async fn read_many(
        &self,
        _: &Cx,
        local: &Local,
        ids: &[String],
    ) -> Vec<ReadAnswer<MonitorInputs, MonitorOutputs>> {
        local.read_many(ids, Self::observe).await
    }

    async fn update(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
        change: &Change<'_, MonitorInputs>,
    ) -> Result<MonitorOutputs> {
        let agent = local.agent().await?;
        agent
            .put_monitor(id, &wanted(change.spec))
            .await
            .map_err(problem)?;
        Ok(outputs(id))
    }

    async fn delete(&self, _: &Cx, local: &Local, id: &str) -> Result<()> {
        match local.agent_with(id, Self::observe).await? {
            Some(agent) => agent.remove_monitor(id).await.map_err(problem),
            None => Ok(()),
        }
    }

    fn keys(&self, _: &Local, inputs: &Value) -> Keys {
        group(Self::TYPE, "name", inputs)
    }

    async fn list(
        &self,
        _: &Cx,
        local: &Local,
    ) -> Result<Vec<Found<MonitorInputs, MonitorOutputs>>> {
        let picture = local.picture().await?;
        let found = picture.status.monitors.iter().map(|monitor| Found {
            id: monitor.name.clone(),
            observed: describe(monitor),
            marked: false,
        });
        Ok(found.collect())
    }
}

fn wanted(spec: &MonitorInputs) -> MonitorSpec {
    MonitorSpec {
        url: spec.url.clone(),
        interval: spec.interval.0,
    }
}

fn describe(info: &MonitorInfo) -> Observed<MonitorInputs, MonitorOutputs> {
    let spec = MonitorInputs {
        name: info.name.clone(),
        url: info.spec.url.clone(),
        interval: Time(info.spec.interval),
    };
    Observed::new(spec, outputs(&info.name))
}

fn outputs(name: &str) -> MonitorOutputs {
    MonitorOutputs {
        id: name.to_owned(),
    }
}
