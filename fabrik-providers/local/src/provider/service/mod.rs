//! `local.service`.

mod inputs;
mod watch;

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Finding, LogLine, LogOptions, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};

use super::link::{Local, Picture, blocking};
use super::problem::problem;
use super::thing::{Seen, Thing, exists, kept_by_agent};
use super::values::secrecy;
use super::{kept, must_run};
use crate::client::Client;
use crate::error::Error as AgentError;
use crate::model::{GenerationInfo, InstanceState, LogQuery, ServiceInfo};
use crate::offline::stored_logs;
use crate::protocol::Kind;

pub use inputs::{Health, RestartWhen, ServiceInputs, ServiceOutputs, Signal, Stop};
pub(super) use watch::hash as hash_watched;

/// Budget of a deployment: the usual health deadline, and stopping an old process that holds a
/// fixed port.
const TIMEOUT: Duration = Duration::from_secs(150);
/// Log lines given unless asked for another number.
const TAIL: usize = 100;

/// `local.service`: a command that runs as one or more processes.
#[derive(Clone, Copy, Debug)]
pub struct Service;

impl Thing for Service {
    const KIND: Kind = Kind::Service;
    type Spec = ServiceInputs;
    type Outputs = ServiceOutputs;

    fn id(spec: &ServiceInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.services.iter();
        found.map(|service| service.name.as_str()).collect()
    }

    fn observe(picture: &Picture, local: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.services.iter();
        let found = found.find(|service| service.name == id)?;
        describe(found, local, picture.running)
    }

    /// Starts a new generation beside the old one and switches once it is healthy. When it does not
    /// become so, the old one goes on.
    async fn put(
        cx: &Cx,
        local: &Local,
        agent: &Client,
        id: &str,
        spec: &ServiceInputs,
    ) -> Result<ServiceOutputs> {
        let op = cx.op()?.to_string();
        let wanted = spec.wanted(&local.resolve(&spec.dir))?;
        cx.note(format!("starting `{id}` and waiting until it is healthy"));
        let made = agent.deploy_service(id, &op, &wanted).await;
        Ok(outputs(&made.map_err(problem)?))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_service(id, false).await.map_err(problem)
    }
}

kept_by_agent! { Service, "local.service", ServiceInputs, ServiceOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            volatile: ["url", "port", "ports", "generation", "processes"]
                .map(Path::key)
                .to_vec(),
            ..kept(info)
        }
    }

    /// Adds what is found out: the hash of a watched folder, and which variables are secret.
    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let (mut inputs, mut findings) = must_run(desired);
        if let Some(names) = secret_names(desired.get("env")) {
            inputs = inputs.with(&Path::key("secret_env"), Value::list(names));
        }
        let dir = match desired.get("dir") {
            None | Some(Value::Null) => Some("."),
            Some(dir) => dir.as_str(),
        };
        if let Some(dir) = dir {
            let folder = local.resolve(dir);
            if !folder.is_dir() {
                findings.push(Finding {
                    blocking: false,
                    message: format!("there is no folder `{dir}`"),
                    hint: Some("apply fails unless something makes it before".to_owned()),
                    field: Some(Path::key("dir")),
                    adopt: None,
                });
            } else if desired.get("watch").and_then(Value::as_bool) == Some(true) {
                let ignore: Vec<String> = desired
                    .get("ignore")
                    .and_then(Value::as_list)
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|name| name.as_str().map(str::to_owned))
                    .collect();
                let hash = blocking(move || hash_watched(&folder, &ignore).map_err(problem));
                inputs = inputs.with(&Path::key("content"), Value::from(hash.await?));
            }
        }
        if proposal.last_sent.is_none() {
            findings.extend(exists::<Self>(local, "service", desired).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn logs(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        let cursor = options
            .after
            .as_deref()
            .map(serde_json::from_str)
            .transpose();
        let cursor = cursor.map_err(|error| {
            Error::new(
                ErrorKind::Invalid,
                format!("not a cursor of this log: {error}"),
            )
        })?;
        let query = LogQuery {
            generation: None,
            cursor,
            tail: options.tail.unwrap_or(TAIL),
        };
        let chunk = match Client::new(local.state_dir()).logs(id, &query).await {
            Err(
                AgentError::Unreachable { .. }
                | AgentError::Lost { .. }
                | AgentError::VersionMismatch { .. },
            ) => {
                let (dir, name) = (local.state_dir().to_owned(), id.to_owned());
                blocking(move || stored_logs(&dir, &name, &query).map_err(problem)).await?
            }
            other => other.map_err(problem)?,
        };
        let cursor = serde_json::to_string(&chunk.cursor)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        let lines = chunk.lines.into_iter().map(|line| LogLine {
            stream: format!("{}/{}", line.generation, line.instance),
            text: line.text,
            cursor: cursor.clone(),
        });
        Ok(lines.collect())
    }
}

/// The names of variables whose values are secret; `None` when that cannot be told yet, or there
/// are no variables.
fn secret_names(env: Option<&Value>) -> Option<Vec<Value>> {
    let env = env?;
    let map = env.as_map().filter(|map| !map.is_empty())?;
    let mut names = Vec::new();
    for (name, value) in map {
        if env.is_secret() || secrecy(value)? {
            names.push(Value::from(&**name));
        }
    }
    Some(names)
}

fn describe(
    info: &ServiceInfo,
    local: &Local,
    agent_runs: bool,
) -> Option<Observed<ServiceInputs, ServiceOutputs>> {
    let live = info.live.as_ref()?;
    let running = agent_runs && live.instances.iter().any(|instance| is_up(instance.state));
    let (spec, hidden) =
        ServiceInputs::of(&info.name, &live.spec, running, &|dir| local.resolve(dir));
    let mut observed = Observed::new(spec, outputs(live));
    observed.hidden = hidden;
    Some(observed)
}

/// Whether a process runs or is about to.
fn is_up(state: InstanceState) -> bool {
    match state {
        InstanceState::Starting
        | InstanceState::Healthy
        | InstanceState::Unhealthy
        | InstanceState::Waiting => true,
        InstanceState::CrashLoop | InstanceState::Exited | InstanceState::Stopped => false,
    }
}

fn outputs(made: &GenerationInfo) -> ServiceOutputs {
    let ports: Vec<u16> = made
        .instances
        .iter()
        .filter_map(|instance| instance.port)
        .collect();
    ServiceOutputs {
        url: ports.first().map(|port| format!("http://127.0.0.1:{port}")),
        port: ports.first().copied(),
        ports,
        generation: made.number,
        processes: made.instances.len(),
    }
}
