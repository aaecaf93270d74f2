//! `local.service`.

mod inputs;
mod watch;

use std::time::Duration;

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Planned, Proposal, TypeInfo};
use fabrik_core::value::Path;

use super::environment::find_out;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, exists, kept_by_agent};
use super::written::Of;
use super::{kept, must_run};
use crate::client::Client;
use crate::model::{GenerationInfo, InstanceState, ServiceInfo};
use crate::protocol::Kind;

pub use inputs::{Health, RestartWhen, ServiceInputs, ServiceOutputs, Signal, Stop};
pub(super) use watch::hash as hash_watched;

/// Budget of a deployment: the usual health deadline, and stopping an old process that holds a
/// fixed port.
const TIMEOUT: Duration = Duration::from_secs(150);

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

    fn log_of(id: &str) -> Option<Of> {
        Some(Of::Service(id.to_owned()))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_service(id, false).await.map_err(problem)
    }
}

kept_by_agent! { Service, "local.service", ServiceInputs, ServiceOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            volatile: ["url", "port", "ports", "folder", "generation", "processes"]
                .map(Path::key)
                .to_vec(),
            ..kept(info)
        }
    }

    /// Adds what is found out: the hash of a watched folder, and which variables are secret.
    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let (inputs, mut findings) = must_run(desired);
        let (inputs, found) = find_out(local, desired, inputs).await?;
        findings.extend(found);
        if proposal.last_sent.is_none() {
            findings.extend(exists::<Self>(local, "service", desired).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }
}

fn describe(
    info: &ServiceInfo,
    local: &Local,
    agent_runs: bool,
) -> Option<Observed<ServiceInputs, ServiceOutputs>> {
    let live = info.live.as_ref()?;
    let running = agent_runs && live.instances.iter().any(|instance| is_up(instance.state));
    let (spec, hidden) = ServiceInputs::of(&info.name, &live.spec, running, local);
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
        folder: made.spec.dir.display().to_string(),
        generation: made.number,
        processes: made.instances.len(),
    }
}
