//! The resident agent: runs services, serves routes and sites, and survives being killed.

mod activity;
mod backoff;
mod backup;
mod balance;
mod book;
mod bucket;
mod claims;
mod control;
mod databases;
mod http;
mod instance;
mod jobs;
mod lock;
mod logs;
mod monitors;
mod operations;
mod ports;
mod probe;
mod process;
mod procfs;
mod registry;
mod routes;
mod run;
mod schedule;
mod service;
mod shared;
mod sites;
mod table;
mod tool;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::watch;

use activity::Activity;
use claims::Claims;
use databases::Databases;
use jobs::Jobs;
use monitors::Monitors;
use registry::Registry;
use routes::Routes;
use shared::Shared;
use sites::Sites;
use table::Table;

pub(crate) use book::names as describe_names;
pub(crate) use bucket::all as all_buckets;
pub(crate) use databases::{all as all_databases, service_of as database_service};
pub(crate) use jobs::{all as all_jobs, stored_log as stored_job_log};
pub(crate) use logs::LogDir;
pub(crate) use monitors::all as all_monitors;
pub use run::{AgentConfig, run_agent};
pub(crate) use service::describe as describe_generation;
pub(crate) use sites::describe as describe_site;
pub(crate) use table::stored as stored_table;

/// What the agent holds.
#[derive(Debug)]
struct Agent {
    shared: Arc<Shared>,
    registry: Arc<Registry>,
    routes: Arc<Routes>,
    sites: Arc<Sites>,
    monitors: Arc<Monitors>,
    databases: Arc<Databases>,
    jobs: Arc<Jobs>,
    /// What registered names are meant for.
    hosts: Table<String>,
    claims: Claims,
    listen: Vec<SocketAddr>,
    version: String,
    activity: Activity,
    /// Set when no more clients are answered: they are to turn to the next agent.
    closing: AtomicBool,
    /// Why the agent is to end, once it is.
    quit: watch::Sender<Option<Quit>>,
}

/// How the agent ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quit {
    /// Nothing is left to serve.
    Idle,
    /// Asked to, and its processes are to go on.
    Leave,
    /// Asked to, and its processes were stopped.
    Stop,
    /// Its state directory was removed: its processes are stopped, and no file is touched.
    Orphaned,
}
