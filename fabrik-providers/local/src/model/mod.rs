//! What a caller asks of the agent and what it answers: plain data, the same on both sides of the
//! socket and in the state files.

mod bucket;
mod database;
mod duration;
mod env;
mod job;
mod logs;
mod monitor;
mod name;
mod route;
mod service;
mod site;
mod status;

pub use bucket::BucketInfo;
pub use database::{DatabaseEngine, DatabaseInfo, DatabaseSpec, Hidden};
pub use env::{Env, EnvValue};
pub use job::{BackupSource, BackupSpec, JobInfo, JobRun, JobSpec, Task};
pub use logs::{LogChunk, LogCursor, LogLine, LogQuery};
pub use monitor::{MonitorInfo, MonitorSpec, ProbeResult};
pub use name::NameInfo;
pub use route::{RouteInfo, RouteSpec, Target};
pub use service::{
    Command, HealthCheck, Port, Restart, RestartPolicy, ServiceSpec, StopPolicy, StopSignal,
};
pub use site::{Headers, SiteInfo, SiteSpec};
pub use status::{
    AgentStatus, GenerationInfo, GenerationState, InstanceInfo, InstanceState, ServiceInfo,
};
