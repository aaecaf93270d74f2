#![doc = include_str!("../README.md")]

mod agent;
mod client;
mod error;
mod glob;
mod hash;
mod launch;
mod layout;
mod marks;
mod model;
mod names;
mod offline;
mod protocol;
mod provider;
mod records;
mod socket;

pub use agent::{AgentConfig, run_agent};
pub use client::Client;
pub use error::Error;
pub use hash::hash_dir;
pub use launch::{AgentLaunch, ensure_agent};
pub use model::{
    AgentStatus, BackupSource, BackupSpec, BucketInfo, Command, DatabaseEngine, DatabaseInfo,
    DatabaseSpec, Env, EnvValue, GenerationInfo, GenerationState, Headers, HealthCheck, Hidden,
    InstanceInfo, InstanceState, JobInfo, JobRun, JobSpec, LogChunk, LogCursor, LogLine, LogQuery,
    MonitorInfo, MonitorSpec, NameInfo, Port, ProbeResult, Restart, RestartPolicy, RouteInfo,
    RouteSpec, ServiceInfo, ServiceSpec, SiteInfo, SiteSpec, StopPolicy, StopSignal, Target, Task,
};
pub use offline::{stored_job_logs, stored_logs, stored_status};
pub use protocol::{Hello, Kind, PROTOCOL_VERSION};
pub use provider::{
    Backup, BackupInputs, BackupOutputs, BackupPlayer, Bucket, BucketInputs, BucketOutputs,
    BucketPlayer, CommandLine, Cron, CronInputs, CronOutputs, Database, DatabaseInputs,
    DatabaseOutputs, DatabasePlayer, DnsName, DnsNameInputs, DnsNameOutputs, DnsPlayer, Engine,
    Health, LaunchOf, Local, LocalConfig, LocalFile, LocalFileInputs, LocalFileOutputs,
    LocalSettings, Monitor, MonitorInputs, MonitorOutputs, MonitorPlayer, RestartWhen, Route,
    RouteInputs, RouteOutputs, RuntimePlayer, Service, ServiceInputs, ServiceOutputs, Signal,
    StaticSite, StaticSiteInputs, StaticSiteOutputs, Stop, Time, provider,
};
