//! What the agent says about what it runs.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{
    BucketInfo, DatabaseInfo, JobInfo, MonitorInfo, NameInfo, RouteInfo, ServiceSpec, SiteInfo,
};

/// Everything the agent holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentStatus {
    /// Process id of the agent; `None` in a picture read from the state directory.
    pub pid: Option<u32>,
    /// Version of the program that runs the agent.
    pub version: String,
    /// Addresses on which it serves requests.
    pub listen: Vec<SocketAddr>,
    /// Services in the order of their names.
    pub services: Vec<ServiceInfo>,
    /// Routes in the order of their names.
    pub routes: Vec<RouteInfo>,
    /// Static sites in the order of their names.
    pub sites: Vec<SiteInfo>,
    /// Buckets in the order of their names.
    pub buckets: Vec<BucketInfo>,
    /// Monitors in the order of their names.
    #[serde(default)]
    pub monitors: Vec<MonitorInfo>,
    /// Registered names in their order.
    #[serde(default)]
    pub names: Vec<NameInfo>,
    /// Databases in the order of their names.
    #[serde(default)]
    pub databases: Vec<DatabaseInfo>,
    /// Jobs in the order of their names; those of backups begin with `@`.
    #[serde(default)]
    pub jobs: Vec<JobInfo>,
    /// The access log.
    pub access_log: PathBuf,
}

/// A service and its generations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// The generation that gets the requests. `None` before the first one became healthy.
    pub live: Option<GenerationInfo>,
    /// Other generations, oldest first: earlier good ones, and one that is being started.
    pub others: Vec<GenerationInfo>,
    /// The directory of its log files, `GENERATION-INSTANCE.log` and `….log.1`.
    pub log_dir: PathBuf,
}

/// One generation of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationInfo {
    /// Its number; a later one is higher.
    pub number: u64,
    /// The operation that made it.
    pub op_id: String,
    /// What it runs; the values of secret variables are left out.
    pub spec: ServiceSpec,
    /// Where it stands.
    pub state: GenerationState,
    /// Its processes.
    pub instances: Vec<InstanceInfo>,
}

impl GenerationInfo {
    /// The caller's own mark of the spec.
    pub fn spec_hash(&self) -> &str {
        &self.spec.spec_hash
    }

    /// Whether at least one process answers.
    pub fn is_serving(&self) -> bool {
        self.instances
            .iter()
            .any(|instance| instance.state == InstanceState::Healthy)
    }
}

/// Where a generation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GenerationState {
    /// Being started; it is not used before it is healthy.
    Pending,
    /// Gets the requests.
    Live,
    /// Was live, and can be deployed again.
    Kept,
}

/// One process of a generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceInfo {
    /// Which one, from 0.
    pub index: u32,
    /// Where it stands.
    pub state: InstanceState,
    /// Process id, while it runs; also the id of its process group.
    pub pid: Option<u32>,
    /// The port it was told to listen on.
    pub port: Option<u16>,
    /// How often it was started again.
    pub restarts: u32,
    /// Requests and tunnels it is answering now.
    pub in_flight: usize,
    /// How the last run ended, if it ended by itself.
    pub last_exit: Option<String>,
}

/// Where a process stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    /// Runs, and was not healthy yet.
    #[default]
    Starting,
    /// Runs and answers.
    Healthy,
    /// Runs, and failed its last probes.
    Unhealthy,
    /// Ended, and will be started again after a pause.
    Waiting,
    /// Ended too often; stays down until the next deployment.
    CrashLoop,
    /// Ended, and stays down by its restart policy.
    Exited,
    /// Stopped.
    Stopped,
}
