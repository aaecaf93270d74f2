//! The embedded default provider: runs real services on one machine, with no account, no root and
//! no container engine.
//!
//! A small *agent* stays in the background, one for each state directory. It runs services as
//! processes, replaces a running one only by one that has proved to work, serves static sites, and
//! passes requests for `NAME.localhost` on to them. [`ensure_agent`] gives a [`Client`] of it and
//! launches it if needed; the launched program calls [`run_agent`].
//!
//! The library reads no environment, no home directory and no clock of its own, and prints
//! nothing: everything is passed in.
//!
//! # Secrets
//!
//! Values of variables are never logged and never shown by `Debug`. They are stored in the clear
//! in the record of their service, because the agent must be able to start a process again after a
//! crash: in files of mode 0600, in a directory of mode 0700, removed with the service.

mod agent;
mod client;
mod error;
mod hash;
mod launch;
mod layout;
mod marks;
mod model;
mod names;
mod offline;
mod protocol;
mod records;
mod socket;

pub use agent::{AgentConfig, run_agent};
pub use client::Client;
pub use error::Error;
pub use hash::hash_dir;
pub use launch::{AgentLaunch, ensure_agent};
pub use model::{
    AgentStatus, BucketInfo, Command, Env, EnvValue, GenerationInfo, GenerationState, Headers,
    HealthCheck, InstanceInfo, InstanceState, LogChunk, LogCursor, LogLine, LogQuery, MonitorInfo,
    MonitorSpec, NameInfo, Port, ProbeResult, Restart, RestartPolicy, RouteInfo, RouteSpec,
    ServiceInfo, ServiceSpec, SiteInfo, SiteSpec, StopPolicy, StopSignal, Target,
};
pub use offline::{stored_logs, stored_status};
pub use protocol::{Hello, Kind, PROTOCOL_VERSION};
