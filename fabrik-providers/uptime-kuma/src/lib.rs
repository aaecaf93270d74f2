#![doc = include_str!("../README.md")]

mod address;
mod client;
mod config;
mod connection;
mod dial;
mod docker_host;
mod lists;
mod login;
mod maintenance;
mod mark;
mod monitor;
mod notification;
mod player;
mod refusal;
mod status_page;
mod tag;
mod totp;
mod values;
mod version;
mod wire;

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Found, Observed, ProviderBuilder, TypedProvider};
use fabrik_core::provider::{Cx, Keys, Object};
use fabrik_core::value::Value;
use serde_json::Value as Json;

pub use client::Kuma;
pub use config::KumaConfig;
pub use docker_host::{DockerConnection, DockerHost, DockerHostInputs, DockerHostOutputs};
pub use maintenance::{
    Day, Maintenance, MaintenanceInputs, MaintenanceOutputs, Strategy, TimeRange, Weekday,
};
pub use monitor::{
    BasicAuth, Condition, Monitor, MonitorInputs, MonitorOutputs, MonitorTag, MonitorType,
};
pub use notification::{Notification, NotificationInputs, NotificationOutputs, Setting};
pub use player::MonitorPlayer;
pub use status_page::{
    Analytics, Group, GroupMonitor, StatusPage, StatusPageInputs, StatusPageOutputs, Theme,
};
pub use tag::{Tag, TagInputs, TagOutputs};
pub use values::{Id, Seconds};

/// Budget of one operation: a few calls, each answered within seconds.
const TIMEOUT: Duration = Duration::from_secs(45);

/// How many calls the server takes at once. Writes go one after another anyway.
const IN_FLIGHT: usize = 4;

/// The provider `uptime_kuma`.
pub fn provider() -> TypedProvider<KumaConfig, Kuma> {
    let open = async |cx: &Cx, config: KumaConfig| Kuma::open(cx, config).await;
    ProviderBuilder::new("uptime_kuma", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .resource(Monitor)
        .resource(Notification)
        .resource(Tag)
        .resource(StatusPage)
        .resource(Maintenance)
        .resource(DockerHost)
        .player(MonitorPlayer)
        .facts(|kuma| Value::map([("version", Value::from(kuma.release()))]))
        .build()
}

/// What is recorded of an object whose making takes further calls.
fn checkpoint(id: impl ToString, name: &str) -> Object {
    Object {
        id: id.to_string(),
        inputs: Value::map([("name", Value::from(name))]),
        ..Object::default()
    }
}

/// The id in an answer to a create.
fn made_id(id: &Json, event: &'static str) -> Result<u64> {
    id.as_u64()
        .ok_or_else(|| Error::new(ErrorKind::Unexpected, "the server gave no id").operation(event))
}

/// Outputs that hold the object's id.
trait HasId {
    fn id(&self) -> &str;
}

/// An object that was found by something else than a mark.
fn unmarked<S, O: HasId>(observed: Observed<S, O>) -> Found<S, O> {
    Found {
        id: observed.outputs.id().to_owned(),
        observed,
        marked: false,
    }
}

/// Objects of a type are read together; two of one name are not written at once.
fn named(type_name: &str, inputs: &Value, field: &str) -> Keys {
    let name = inputs.get(field).and_then(Value::as_str);
    Keys {
        locks: name
            .map(|name| format!("{type_name}/{name}").into())
            .into_iter()
            .collect(),
        read_group: Some(type_name.into()),
        ..Keys::default()
    }
}
