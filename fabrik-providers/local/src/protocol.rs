//! Requests and replies: one JSON document on one line each, one request per connection.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model::{
    AgentStatus, BucketInfo, DatabaseInfo, DatabaseSpec, GenerationInfo, JobInfo, JobRun, JobSpec,
    LogChunk, LogQuery, MonitorInfo, MonitorSpec, NameInfo, RouteInfo, RouteSpec, ServiceInfo,
    ServiceSpec, SiteInfo, SiteSpec,
};

/// Version of the protocol. An agent refuses requests of another version, except to say
/// who it is and to end, whose form never changes.
pub const PROTOCOL_VERSION: u32 = 1;

/// Longest request line that is read.
pub(crate) const MAX_LINE: u64 = 16 * 1024 * 1024;

/// One line from the client.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Protocol version of the client.
    pub(crate) v: u32,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// The version alone, read before the rest of a request.
#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    /// Protocol version of the client.
    pub(crate) v: u32,
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ask {
    Hello {},
    Status {},
    Service {
        name: String,
    },
    DeployService {
        name: String,
        op_id: String,
        spec: Box<ServiceSpec>,
    },
    Rollback {
        name: String,
        op_id: String,
        generation: u64,
    },
    RemoveService {
        name: String,
        keep_logs: bool,
    },
    Route {
        name: String,
    },
    PutRoute {
        name: String,
        spec: RouteSpec,
    },
    RemoveRoute {
        name: String,
    },
    Site {
        name: String,
    },
    DeploySite {
        name: String,
        spec: SiteSpec,
    },
    RemoveSite {
        name: String,
    },
    Bucket {
        name: String,
    },
    PutBucket {
        name: String,
    },
    RemoveBucket {
        name: String,
        force: bool,
    },
    Claim {
        kind: Kind,
        name: String,
        op_id: String,
    },
    Monitor {
        name: String,
    },
    PutMonitor {
        name: String,
        spec: MonitorSpec,
    },
    RemoveMonitor {
        name: String,
    },
    Database {
        name: String,
    },
    PutDatabase {
        name: String,
        op_id: String,
        spec: DatabaseSpec,
    },
    RemoveDatabase {
        name: String,
    },
    Job {
        name: String,
    },
    PutJob {
        name: String,
        spec: Box<JobSpec>,
    },
    RemoveJob {
        name: String,
    },
    RunJob {
        name: String,
    },
    JobLogs {
        name: String,
        query: LogQuery,
    },
    PutName {
        name: String,
        target: String,
    },
    RemoveName {
        name: String,
    },
    Logs {
        service: String,
        query: LogQuery,
    },
    Shutdown {
        stop_services: bool,
    },
}

/// What an agent keeps by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A service.
    Service,
    /// A static site.
    Site,
    /// A route.
    Route,
    /// A bucket.
    Bucket,
    /// A monitor.
    Monitor,
    /// A registered name.
    Name,
    /// A database.
    Database,
    /// A job; the name of a backup begins with `@`.
    Job,
}

impl Kind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Site => "site",
            Self::Route => "route",
            Self::Bucket => "bucket",
            Self::Monitor => "monitor",
            Self::Name => "name",
            Self::Database => "database",
            Self::Job => "job",
        }
    }
}

/// One line from the agent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Hello(Hello),
    Status(Box<AgentStatus>),
    Service(Option<Box<ServiceInfo>>),
    Generation(Box<GenerationInfo>),
    Route(Option<RouteInfo>),
    Site(Option<SiteInfo>),
    Bucket(Option<BucketInfo>),
    Monitor(Option<MonitorInfo>),
    Name(NameInfo),
    Database(Option<Box<DatabaseInfo>>),
    Job(Option<Box<JobInfo>>),
    Run(JobRun),
    Logs(LogChunk),
    Done {},
    Error(Error),
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Protocol version of the agent.
    pub protocol: u32,
    /// Its process id.
    pub pid: u32,
    /// Version of the program that runs it.
    pub version: String,
    /// Room for later versions.
    #[serde(default)]
    pub more: BTreeMap<String, String>,
}
