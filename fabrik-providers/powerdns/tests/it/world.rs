//! A server, an engine over the provider, and state.

use std::collections::BTreeMap;
use std::sync::Arc;

use fabrik_checks::{CheckerConfig, checkers};
use fabrik_core::address::Address;
use fabrik_core::engine::RunReport;
use fabrik_core::error::Error;
use fabrik_core::plan::Plan;
use fabrik_core::provider::Proposal;
use fabrik_core::stack::Stack;
use fabrik_core::value::from_json;
use fabrik_provider_powerdns::provider;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::Proxy;
use fabrik_testkit::stack::Stage;
use serde_json::{Value as Json, json};

use crate::server::Server;

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    pub(crate) stage: Stage,
}

impl World {
    pub(crate) fn new() -> World {
        let server = Server::start();
        let proxy = Proxy::start(server.address(), Wire::Http);
        let stage = stage(&Server::config(proxy.address()));
        World {
            server,
            proxy,
            stage,
        }
    }

    /// A stack of resources.
    pub(crate) fn stack(&self, resources: Json) -> Arc<Stack> {
        self.stage.load(&json!({ "resources": resources })).unwrap()
    }

    /// What a plan would find wrong.
    pub(crate) async fn findings(&self, resources: Json) -> Vec<(String, String, String)> {
        let plan = self.stage.plan(&self.stack(resources)).await.unwrap();
        findings(&plan)
    }

    /// What the provider alone finds wrong with inputs, as field and message.
    pub(crate) async fn planned(&self, type_name: &str, inputs: &Json) -> Vec<(String, String)> {
        let instance = self.stage.open("powerdns").await.unwrap();
        let address = Address::resource("it").unwrap();
        let desired = from_json(inputs);
        let proposal = Proposal {
            address: &address,
            type_name,
            last_sent: None,
            observed: None,
            desired: &desired,
        };
        let planned = instance.plan(&self.stage.cx(), proposal).await.unwrap();
        let found = planned.findings.into_iter().map(|finding| {
            let field = finding.field.map(|field| field.to_string());
            (field.unwrap_or_default(), finding.message)
        });
        found.collect()
    }

    /// Why applying fails.
    pub(crate) async fn fails(&self, resources: Json) -> RunReport {
        let report = self.stage.apply(&self.stack(resources)).await.unwrap();
        assert!(report.end.error.is_some(), "{report:?}");
        report
    }

    /// Requests since the proxy was asked last, as `METHOD path`.
    pub(crate) fn requests(&self, since: usize) -> Vec<String> {
        let new = self.proxy.since(since).into_iter();
        new.map(|one| format!("{} {}", one.kind, one.path))
            .collect()
    }

    /// Whether the server's DNS gives exactly these values.
    pub(crate) async fn resolves(
        &self,
        name: &str,
        kind: &str,
        values: &[&str],
    ) -> Result<String, String> {
        let spec = json!({
            "name": name, "type": kind, "values": values,
            "servers": [self.server.dns().to_string()], "timeout": "5s",
        });
        let checkers = checkers(CheckerConfig::default());
        let check = checkers.get("dns").unwrap();
        let cx = fabrik_core::provider::Cx::detached();
        check
            .check(&cx, &spec)
            .await
            .map_err(|failure| failure.seen)
    }
}

pub(crate) fn stage(config: &Json) -> Stage {
    Stage::builder()
        .provider(provider(), config.clone())
        .build()
        .unwrap()
}

/// Blocking findings as address, field, message.
pub(crate) fn findings(plan: &Plan) -> Vec<(String, String, String)> {
    let found = plan.findings.iter().map(|found| {
        (
            found.address.to_string(),
            found
                .finding
                .field
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            found.finding.message.clone(),
        )
    });
    found.collect()
}

/// Kind, message, hint of an error.
pub(crate) fn told(error: &Error) -> (String, String, String) {
    (
        format!("{:?}", error.kind()),
        error.message().to_owned(),
        error.hint_text().unwrap_or_default().to_owned(),
    )
}

pub(crate) fn zone(name: &str) -> Json {
    json!({"type": "powerdns.zone", "spec": {"name": name, "nameservers": ["ns1.example.net"]}})
}

pub(crate) fn set(zone: &str, name: &str, kind: &str, values: &[&str]) -> Json {
    json!({"type": "powerdns.record_set", "spec": {
        "zone": zone, "name": name, "type": kind, "values": values,
    }})
}

/// Resources by id.
pub(crate) fn resources<const N: usize>(pairs: [(&str, Json); N]) -> Json {
    let map: BTreeMap<&str, Json> = pairs.into_iter().collect();
    json!(map)
}

/// The zone that a resource `zone` makes.
pub(crate) const ZONE: &str = "${resources.zone.name}";
