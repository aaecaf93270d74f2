//! What the state directory tells when no agent runs.

use std::path::Path;

use crate::agent::{all_buckets, describe_generation, describe_site};
use crate::error::Error;
use crate::layout::Layout;
use crate::model::{AgentStatus, GenerationInfo, RouteInfo, ServiceInfo};
use crate::records::{self, RoutesRecord, ServiceRecord, SiteRecord};

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
        .filter_map(|record| service(&layout, record))
        .collect();
    let mut sites = Vec::new();
    for name in records::names(&layout.sites())? {
        let record: Option<SiteRecord> = records::read(&layout.site(&name).join("site.json"))?;
        sites.extend(record.as_ref().map(describe_site));
    }
    let routes: RoutesRecord = records::read(&layout.routes())?.unwrap_or_default();
    let routes = routes.routes.into_iter();
    Ok(AgentStatus {
        pid: None,
        version: String::new(),
        listen: Vec::new(),
        services,
        routes: routes
            .map(|(name, spec)| RouteInfo {
                name,
                spec,
                urls: Vec::new(),
            })
            .collect(),
        sites,
        buckets: all_buckets(&layout)?,
        access_log: layout.access_log(),
    })
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
