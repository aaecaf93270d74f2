//! A fake Cloudflare, and an engine with a stack on it.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::error::{Error, Result};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::{Action, Plan};
use fabrik_core::stack::{Declared, InstanceDecl, Options, Stack};
use fabrik_core::state::{MemoryStore, RunResult};
use fabrik_core::value::{Path, Value, from_json};
use fabrik_fakes::cloudflare::{Cloudflare, TOKEN};
use serde_json::{Value as Json, json};

/// A fake and an engine.
pub(crate) struct Stage {
    pub(crate) cloud: Cloudflare,
    pub(crate) engine: Engine,
    pub(crate) config: Json,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let cloud = Cloudflare::start();
        let config = json!({"endpoint": cloud.url(), "token": TOKEN});
        Stage {
            cloud,
            engine: engine(),
            config,
        }
    }

    /// With a zone `example.com`; gives its id.
    pub(crate) fn with_zone() -> (Stage, String) {
        let stage = Stage::new();
        let zone = stage.cloud.add_zone("example.com");
        (stage, zone)
    }

    pub(crate) fn stack(&self, resources: impl IntoIterator<Item = Declared>) -> Stack {
        let mut stack = Stack::new("test");
        stack.instances.insert(
            "cloudflare".into(),
            InstanceDecl {
                name: "cloudflare".into(),
                provider: "cloudflare".into(),
                config: self.secret_config(),
            },
        );
        for declared in resources {
            stack.declare(declared).unwrap();
        }
        stack
    }

    /// The configuration, its token a secret.
    fn secret_config(&self) -> Value {
        let token = self.config["token"].as_str().unwrap_or_default();
        from_json(&self.config).with(&Path::key("token"), Value::secret(token))
    }

    pub(crate) async fn try_plan(&self, stack: &Stack) -> Result<Plan> {
        self.engine
            .plan(Arc::new(stack.clone()), &PlanOptions::default())
            .await
    }

    pub(crate) async fn plan(&self, stack: &Stack) -> Plan {
        self.try_plan(stack).await.unwrap()
    }

    pub(crate) async fn apply_with(&self, stack: &Stack, faults: Vec<Fault>) -> RunReport {
        let plan = self.plan(stack).await;
        let options = ApplyOptions {
            faults: Faults(faults),
            ..ApplyOptions::default()
        };
        self.engine.apply(plan, options).finish().await.unwrap()
    }

    pub(crate) async fn apply(&self, stack: &Stack) -> RunReport {
        self.apply_with(stack, Vec::new()).await
    }

    /// Applies; nothing is left to do then, with and without looking.
    pub(crate) async fn settle(&self, stack: &Stack) -> RunReport {
        let report = self.apply(stack).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        self.empty(stack).await;
        report
    }

    pub(crate) async fn empty(&self, stack: &Stack) {
        let plan = self.plan(stack).await;
        assert!(plan.is_empty(), "{:#?}", plan.changes);
        assert!(plan.drift.is_empty(), "{:#?}", plan.drift);
        assert!(plan.findings.is_empty(), "{:#?}", plan.findings);
    }

    pub(crate) async fn destroy(&self, stack: &Stack) -> Plan {
        let options = PlanOptions {
            destroy: true,
            allow_data_loss: vec!["**".into()],
            ..PlanOptions::default()
        };
        let plan = self
            .engine
            .plan(Arc::new(stack.clone()), &options)
            .await
            .unwrap();
        let run = self.engine.apply(plan.clone(), ApplyOptions::default());
        let report = run.finish().await.unwrap();
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        plan
    }

    /// What the one blocking finding says: field, message, hint.
    pub(crate) async fn finding(&self, stack: &Stack) -> (String, String, String) {
        let plan = self.plan(stack).await;
        let blocking: Vec<_> = plan
            .findings
            .iter()
            .filter(|found| found.finding.blocking)
            .collect();
        let [found] = blocking.as_slice() else {
            panic!("{:#?}", plan.findings);
        };
        let finding = &found.finding;
        (
            finding
                .field
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            finding.message.clone(),
            finding.hint.clone().unwrap_or_default(),
        )
    }

    /// What applying fails with.
    pub(crate) async fn failure(&self, stack: &Stack) -> Error {
        let report = self.apply(stack).await;
        Error::from(
            report
                .end
                .error
                .as_ref()
                .unwrap_or_else(|| panic!("{report:?}")),
        )
    }

    /// How many requests of a method there were.
    pub(crate) fn requests(&self, method: &str) -> usize {
        self.cloud
            .log()
            .iter()
            .filter(|logged| logged.method == method)
            .count()
    }

    pub(crate) fn writes(&self) -> usize {
        self.cloud
            .log()
            .iter()
            .filter(|logged| logged.is_write())
            .count()
    }
}

pub(crate) fn engine() -> Engine {
    Engine::builder()
        .provider(fabrik_provider_cloudflare::provider())
        .store(MemoryStore::new("test", "default"))
        .build()
        .unwrap()
}

pub(crate) fn at(id: &str) -> Address {
    Address::resource(id).unwrap()
}

pub(crate) fn resource(id: &str, type_name: &str, inputs: &Json) -> Declared {
    Declared::new(at(id), type_name, from_json(inputs))
}

/// A record set of `example.com`.
pub(crate) fn record(id: &str, inputs: &Json) -> Declared {
    let mut inputs = inputs.clone();
    if inputs["zone"].is_null() {
        inputs["zone"] = json!("example.com");
    }
    resource(id, "cloudflare.dns_record", &inputs)
}

pub(crate) fn refer(id: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(at(id), Path::parse(path))))
}

pub(crate) fn with(mut declared: Declared, field: &str, value: Value) -> Declared {
    declared.inputs = declared.inputs.with(&Path::parse(field), value);
    declared
}

pub(crate) fn options(mut declared: Declared, options: Options) -> Declared {
    declared.options = Arc::new(options);
    declared
}

pub(crate) fn adopting(declared: Declared) -> Declared {
    options(
        declared,
        Options {
            adopt: true,
            ..Options::default()
        },
    )
}

/// What a plan does to which resource.
pub(crate) fn actions(plan: &Plan) -> Vec<(String, Action)> {
    plan.changes
        .iter()
        .map(|change| {
            let id = change
                .address
                .as_str()
                .rsplit('.')
                .next()
                .unwrap_or_default();
            (id.to_owned(), change.action.clone())
        })
        .collect()
}
