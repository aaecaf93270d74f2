//! `local.monitor`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, TypeInfo, Undo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, kept_by_agent};
use super::values::Time;
use crate::client::Client;
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

impl Thing for Monitor {
    const KIND: Kind = Kind::Monitor;
    type Spec = MonitorInputs;
    type Outputs = MonitorOutputs;

    fn id(spec: &MonitorInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.monitors.iter();
        found.map(|monitor| monitor.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.monitors.iter();
        found.find(|monitor| monitor.name == id).map(describe)
    }

    async fn put(
        _: &Cx,
        _: &Local,
        agent: &Client,
        id: &str,
        spec: &MonitorInputs,
    ) -> Result<MonitorOutputs> {
        let made = agent.put_monitor(id, &wanted(spec)).await;
        made.map_err(problem)?;
        Ok(outputs(id))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_monitor(id).await.map_err(problem)
    }
}

kept_by_agent! { Monitor, "local.monitor", MonitorInputs, MonitorOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // The history of what was seen does not come back.
            undo_delete: Undo::Partial,
            ..kept(info)
        }
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
