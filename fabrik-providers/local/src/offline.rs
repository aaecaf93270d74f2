//! What the state directory tells when no agent runs.

use std::path::Path;

use crate::agent::{
    LogDir, all_buckets, all_databases, all_jobs, all_monitors, describe_generation,
    describe_names, describe_site, stored_job_log, stored_table,
};
use crate::error::Error;
use crate::layout::Layout;
use crate::model::{AgentStatus, GenerationInfo, LogChunk, LogQuery, RouteInfo, ServiceInfo};
use crate::names;
use crate::records::{self, AgentRecord, RoutesRecord, ServiceRecord, SiteRecord};

/// Reads what an agent would run and serve, without launching one: for plans, which change
/// nothing. No process is shown, whether it runs or not. A directory that does not exist holds
/// nothing.
///
/// Blocks on files.
pub fn stored_status(state_dir: &Path) -> Result<AgentStatus, Error> {
    let layout = Layout::new(state_dir);
    let records = records::services(&layout)?;
    let services = records
        .iter()
        .filter(|record| !record.name.starts_with('@'))
        .filter_map(|record| service(&layout, record))
        .collect();
    let mut sites = Vec::new();
    for name in records::names(&layout.sites())? {
        let record: Option<SiteRecord> = records::read(&layout.site(&name).join("site.json"))?;
        sites.extend(record.as_ref().map(describe_site));
    }
    let routes: RoutesRecord = records::read(&layout.routes())?.unwrap_or_default();
    let routes = routes.routes.into_iter();
    let agent: AgentRecord = records::read(&layout.agent_record())?.unwrap_or_default();
    let port = agent.http_port;
    Ok(AgentStatus {
        pid: None,
        version: String::new(),
        listen: Vec::new(),
        services,
        routes: routes
            .map(|(name, spec)| RouteInfo {
                name,
                urls: port.map(|port| spec.urls(port)).unwrap_or_default(),
                spec,
            })
            .collect(),
        sites,
        buckets: all_buckets(&layout)?,
        monitors: all_monitors(&layout)?,
        databases: all_databases(&layout)?,
        jobs: all_jobs(&layout)?,
        names: describe_names(stored_table(&layout.host_names())?),
        access_log: layout.access_log(),
    })
}

/// Reads the logs of a service from its files, without an agent.
///
/// Blocks on files.
pub fn stored_logs(state_dir: &Path, service: &str, query: &LogQuery) -> Result<LogChunk, Error> {
    names::check_kept("service", service)?;
    let layout = Layout::new(state_dir);
    let record: ServiceRecord =
        records::read(&layout.service(service))?.ok_or_else(|| Error::NotFound {
            what: format!("service `{service}`"),
        })?;
    let mask = |number: u64, text: &str| record.mask(number, text);
    Ok(LogDir::new(layout.service_logs(service)).read(query, &mask))
}

fn service(layout: &Layout, record: &ServiceRecord) -> Option<ServiceInfo> {
    if record.generations.is_empty() || record.removing.is_some() {
        return None;
    }
    let (live, others): (Vec<GenerationInfo>, Vec<GenerationInfo>) = record
        .generations
        .iter()
        .map(describe_generation)
        .partition(|generation| Some(generation.number) == record.live);
    Some(ServiceInfo {
        name: record.name.clone(),
        live: live.into_iter().next(),
        others,
        log_dir: layout.service_logs(&record.name),
    })
}

/// Reads the logs of a job from its files, without an agent.
///
/// Blocks on files.
pub fn stored_job_logs(state_dir: &Path, job: &str, query: &LogQuery) -> Result<LogChunk, Error> {
    stored_job_log(&Layout::new(state_dir), job, query)
}
