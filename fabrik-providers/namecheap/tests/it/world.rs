//! A fake, an engine over the provider, and state.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::engine::RunReport;
use fabrik_core::error::Error;
use fabrik_core::provider::{Object, Proposal, ReadRequest};
use fabrik_core::stack::Stack;
use fabrik_core::value::from_json;
use fabrik_fakes::namecheap::Namecheap;
use fabrik_provider_namecheap::provider;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::Proxy;
use fabrik_testkit::stack::Stage;
use serde_json::{Value as Json, json};

pub(crate) struct World {
    pub(crate) fake: Namecheap,
    pub(crate) proxy: Proxy,
    pub(crate) stage: Stage,
}

impl World {
    /// With the domain `example.com`.
    pub(crate) fn new() -> World {
        World::with(|config| config)
    }

    pub(crate) fn with(change: impl FnOnce(Json) -> Json) -> World {
        let fake = Namecheap::start();
        fake.register("example.com");
        let proxy = Proxy::start(fake.address(), Wire::Http);
        let config = change(Namecheap::config(proxy.address()));
        let stage = stage(&config);
        World { fake, proxy, stage }
    }

    pub(crate) fn stack(&self, resources: Json) -> Arc<Stack> {
        self.stage.load(&json!({ "resources": resources })).unwrap()
    }

    /// Why applying fails.
    pub(crate) async fn fails(&self, resources: Json) -> RunReport {
        let report = self.stage.apply(&self.stack(resources)).await.unwrap();
        assert!(report.end.error.is_some(), "{report:?}");
        report
    }

    /// Kind, message, hint of why applying fails.
    pub(crate) async fn why(&self, resources: Json) -> (String, String, String) {
        let report = self.fails(resources).await;
        told(&Error::from(report.end.error.as_ref().unwrap()))
    }

    /// What the provider alone finds wrong with inputs, as field and message.
    pub(crate) async fn planned(&self, type_name: &str, inputs: &Json) -> Vec<(String, String)> {
        let instance = self.stage.open("namecheap").await.unwrap();
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

    /// Reads one record set.
    pub(crate) async fn read(&self, id: &str) -> Result<Option<Object>, Error> {
        read(&self.stage, id).await
    }

    /// Commands since so many, without `dns.`.
    pub(crate) fn commands(&self, since: usize) -> Vec<String> {
        let all = self.fake.commands().into_iter().skip(since);
        all.map(|command| command.replace("dns.", "")).collect()
    }

    /// The values of a set, sorted.
    pub(crate) fn values(&self, name: &str, kind: &str) -> Vec<String> {
        let domain = self.fake.domain("example.com").unwrap();
        let own = domain
            .hosts
            .into_iter()
            .filter(|host| host.name == name && host.kind == kind);
        let mut values: Vec<String> = own.map(|host| host.address).collect();
        values.sort();
        values
    }
}

pub(crate) async fn read(stage: &Stage, id: &str) -> Result<Option<Object>, Error> {
    let instance = stage.open("namecheap").await?;
    let request = ReadRequest {
        address: Address::resource("it").unwrap(),
        type_name: "namecheap.record_set".into(),
        prior: Object {
            id: id.to_owned(),
            ..Object::default()
        },
    };
    instance.read(&stage.cx(), &[request]).await.pop().unwrap()
}

pub(crate) fn stage(config: &Json) -> Stage {
    Stage::builder()
        .provider(provider(), config.clone())
        .build()
        .unwrap()
}

/// Kind, message, hint of an error.
pub(crate) fn told(error: &Error) -> (String, String, String) {
    (
        format!("{:?}", error.kind()),
        error.message().to_owned(),
        error.hint_text().unwrap_or_default().to_owned(),
    )
}

pub(crate) fn texts(kind: &str, message: &str, hint: &str) -> (String, String, String) {
    (kind.to_owned(), message.to_owned(), hint.to_owned())
}

pub(crate) fn set(name: &str, kind: &str, values: &[&str]) -> Json {
    json!({"type": "namecheap.record_set", "spec": {
        "domain": "example.com", "name": name, "type": kind, "values": values,
    }})
}
