//! The provider `local`: typed resources on top of the agent.
//!
//! Reading never launches the agent: when none runs, the state directory tells what is there. The
//! first mutating call launches it.

mod backup;
mod bucket;
mod cron;
mod database;
mod dns_name;
mod environment;
mod file;
mod link;
mod monitor;
mod place;
mod players;
mod problem;
mod route;
mod runtime;
mod service;
mod settings;
mod site;
mod thing;
mod values;
mod wordpress;
mod written;

use std::time::Duration;

use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};
use fabrik_core::provider::{Cx, Finding, Keys, Lost, Provider, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::Deserialize;

pub use backup::{Backup, BackupInputs, BackupOutputs};
pub use bucket::{Bucket, BucketInputs, BucketOutputs};
pub use cron::{Cron, CronInputs, CronOutputs};
pub use database::{Database, DatabaseInputs, DatabaseOutputs, Engine};
pub use dns_name::{DnsName, DnsNameInputs, DnsNameOutputs};
pub use file::{LocalFile, LocalFileInputs, LocalFileOutputs};
pub use link::Local;
pub use monitor::{Monitor, MonitorInputs, MonitorOutputs};
pub use players::{BackupPlayer, BucketPlayer, DatabasePlayer, DnsPlayer, MonitorPlayer};
pub use route::{Route, RouteInputs, RouteOutputs};
pub use runtime::RuntimePlayer;
pub use service::{Health, RestartWhen, Service, ServiceInputs, ServiceOutputs, Signal, Stop};
pub use settings::{LaunchOf, LocalSettings};
pub use site::{StaticSite, StaticSiteInputs, StaticSiteOutputs};
pub use values::{CommandLine, Time};

/// Runs services and serves sites on this machine, behind a small agent that stays in the
/// background. Needs no account, no root and no container engine.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LocalConfig {
    /// The port on which sites and services answer; when it is taken, the next free one is used
    /// and remembered. 8080 unless set.
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// The folder in which the agent keeps what it runs, relative to the spec's file.
    #[schemars(length(min = 1))]
    pub state_dir: Option<String>,
}

/// Budget of a call that only writes a record, with room for launching the agent.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How many calls the agent takes at once: each may start processes.
const IN_FLIGHT: usize = 8;

/// The provider `local`.
pub fn provider(settings: LocalSettings) -> impl Provider {
    build(settings)
}

fn build(settings: LocalSettings) -> TypedProvider<LocalConfig, Local> {
    let open = move |_: &Cx, config: LocalConfig| {
        let local = Local::new(&settings, &config);
        async move { Ok(local) }
    };
    ProviderBuilder::new("local", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .resource(LocalFile)
        .resource(StaticSite)
        .resource(Service)
        .resource(Route)
        .resource(Bucket)
        .resource(Monitor)
        .resource(DnsName)
        .resource(Cron)
        .resource(Database)
        .resource(Backup)
        .player(RuntimePlayer)
        .player(DnsPlayer)
        .player(MonitorPlayer)
        .player(BucketPlayer)
        .player(DatabasePlayer)
        .player(BackupPlayer)
        .build()
}

/// What holds of every type that the agent keeps objects of: they are told apart by their names, and
/// an operation's id makes one at most, however often it is sent.
fn kept(info: TypeInfo) -> TypeInfo {
    TypeInfo {
        lost: Lost::Key,
        settle: Duration::ZERO,
        timeout: TIMEOUT,
        exclusive: true,
        ..info
    }
}

/// The keys of a type whose objects are told apart by one input.
fn group(type_name: &str, field: &str, inputs: &Value) -> Keys {
    let name = inputs.get(field).and_then(Value::as_str);
    group_key(type_name, name.map(str::to_ascii_lowercase))
}

/// One status answers for all objects of a type; no two calls meet on one object.
fn group_key(type_name: &str, name: Option<String>) -> Keys {
    Keys {
        locks: name
            .map(|name| format!("{type_name}/{name}").into())
            .into_iter()
            .collect(),
        read_group: Some(type_name.into()),
        ..Keys::default()
    }
}

/// The wanted inputs of what has to run, and what to say when the user wants it not to.
fn must_run(desired: &Value) -> (Value, Vec<Finding>) {
    let path = Path::key("running");
    let mut findings = Vec::new();
    if desired.get("running").and_then(Value::as_bool) == Some(false) {
        findings.push(Finding {
            blocking: true,
            message: "`running` cannot be turned off".to_owned(),
            hint: Some("take the resource out of the spec".to_owned()),
            field: Some(path.clone()),
            adopt: None,
        });
    }
    (desired.with(&path, Value::from(true)), findings)
}

fn yes() -> bool {
    true
}
