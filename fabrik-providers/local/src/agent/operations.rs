//! What clients can ask of the agent.

use std::sync::Arc;

use crate::agent::book::{self, blocking};
use crate::agent::service::Service;
use crate::agent::{Agent, Quit, bucket};
use crate::error::Error;
use crate::model::{
    AgentStatus, BucketInfo, GenerationInfo, RouteInfo, RouteSpec, ServiceInfo, ServiceSpec,
};
use crate::names;
use crate::records::ServiceRecord;

impl Agent {
    pub(super) async fn status(&self) -> Result<AgentStatus, Error> {
        let mut services = Vec::new();
        for service in self.registry.all() {
            let info = service.info().await;
            // Those that run databases are told as databases.
            if !info.name.starts_with('@') && !service.is_empty().await {
                services.push(info);
            }
        }
        let layout = self.shared.layout.clone();
        let routes = self.routes.all().await;
        Ok(AgentStatus {
            pid: Some(std::process::id()),
            version: self.version.clone(),
            listen: self.listen.clone(),
            services,
            routes: routes
                .into_iter()
                .map(|(name, spec)| self.route_info(name, spec))
                .collect(),
            sites: self.sites.all(),
            access_log: layout.access_log(),
            buckets: blocking(move || bucket::all(&layout)).await?,
            monitors: self.monitors.all().await,
            databases: self.databases().await,
            jobs: self.jobs.all().await,
            names: book::names(self.hosts.all().await),
        })
    }

    pub(super) async fn service_info(&self, name: &str) -> Option<ServiceInfo> {
        let service = self.registry.get(name)?;
        if service.is_empty().await {
            None
        } else {
            Some(service.info().await)
        }
    }

    pub(super) async fn deploy_service(
        &self,
        name: &str,
        op_id: &str,
        spec: ServiceSpec,
    ) -> Result<GenerationInfo, Error> {
        names::check("service", name)?;
        names::check_op_id(op_id)?;
        self.run_service(name, op_id, spec).await
    }

    /// Deploys a service, also one that only the agent knows.
    pub(super) async fn run_service(
        &self,
        name: &str,
        op_id: &str,
        spec: ServiceSpec,
    ) -> Result<GenerationInfo, Error> {
        let service = self.service(name).await?;
        let result = service.deploy(op_id, spec).await;
        if result.is_err() && service.is_empty().await {
            // A first deployment that failed leaves nothing.
            service.remove(false).await?;
            self.registry.remove(name, &service);
        }
        result
    }

    /// The service of this name, made if it is not there. One that is being removed is waited for.
    async fn service(&self, name: &str) -> Result<Arc<Service>, Error> {
        loop {
            let service = self.registry.get_or_insert(name, || {
                Service::new(name, &self.shared, ServiceRecord::new(name))
            });
            if !service.is_ending() || self.quit.borrow().is_some() {
                return Ok(service);
            }
            service.remove(true).await?;
            self.registry.remove(name, &service);
        }
    }

    pub(super) async fn rollback(
        &self,
        name: &str,
        op_id: &str,
        generation: u64,
    ) -> Result<GenerationInfo, Error> {
        names::check_op_id(op_id)?;
        let missing = || Error::NotFound {
            what: format!("service `{name}`"),
        };
        self.registry
            .get(name)
            .ok_or_else(missing)?
            .rollback(op_id, generation)
            .await
    }

    pub(super) async fn remove_service(&self, name: &str, keep_logs: bool) -> Result<(), Error> {
        names::check("service", name)?;
        if let Some(service) = self.registry.get(name) {
            service.remove(keep_logs).await?;
            self.registry.remove(name, &service);
        } else if !keep_logs {
            // Logs that an earlier removal kept.
            let dir = self.shared.layout.service_logs(name);
            blocking(move || crate::records::remove_tree(&dir)).await?;
        }
        Ok(())
    }

    pub(super) async fn route(&self, name: &str) -> Option<RouteInfo> {
        let spec = self.routes.all().await.remove(name)?;
        Some(self.route_info(name.to_owned(), spec))
    }

    fn route_info(&self, name: String, spec: RouteSpec) -> RouteInfo {
        let port = self.listen.first().map_or(80, std::net::SocketAddr::port);
        let urls = spec.urls(port);
        RouteInfo { name, spec, urls }
    }

    pub(super) async fn bucket(&self, name: &str) -> Result<Option<BucketInfo>, Error> {
        let (layout, name) = (self.shared.layout.clone(), name.to_owned());
        blocking(move || bucket::get(&layout, &name)).await
    }

    pub(super) async fn put_bucket(&self, name: &str) -> Result<BucketInfo, Error> {
        let (layout, name) = (self.shared.layout.clone(), name.to_owned());
        blocking(move || bucket::put(&layout, &name)).await
    }

    pub(super) async fn remove_bucket(&self, name: &str, force: bool) -> Result<(), Error> {
        let (layout, name) = (self.shared.layout.clone(), name.to_owned());
        blocking(move || bucket::remove(&layout, &name, force)).await
    }

    /// Ends the agent after this was answered.
    pub(super) async fn shut_down(self: &Arc<Self>, stop_services: bool) {
        let quit = if stop_services {
            Quit::Stop
        } else {
            Quit::Leave
        };
        self.quit.send_if_modified(|now| {
            let first = now.is_none();
            if first {
                *now = Some(quit);
            }
            first
        });
        for service in self.registry.all() {
            service.end(stop_services).await;
        }
    }

    /// Whether nothing is left to run or to serve.
    pub(super) async fn is_empty(&self) -> bool {
        for service in self.registry.all() {
            if !service.is_empty().await {
                return false;
            }
        }
        self.sites.all().is_empty()
            && self.routes.all().await.is_empty()
            && self.monitors.is_empty().await
            && self.jobs.is_empty().await
            && self.databases.is_empty().await
    }
}
