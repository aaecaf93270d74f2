//! A cloud, an engine and its state.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::clock::VirtualClock;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::{Action, Plan};
use fabrik_core::provider::Provider;
use fabrik_core::stack::{Declared, Options, Stack};
use fabrik_core::state::{LockPolicy, MemoryStore, RunResult};
use fabrik_core::value::{Path, Value, from_json};
use fabrik_provider_memory::{Cloud, provider};
use serde_json::Value as Json;

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) engine: Engine,
}

impl World {
    pub(crate) fn new() -> World {
        let clock = VirtualClock::default();
        let cloud = Cloud::with_clock(Arc::new(clock.clone()));
        let engine = engine(provider(cloud.clone()), clock);
        World { cloud, engine }
    }

    pub(crate) async fn plan(&self, stack: &Stack) -> Plan {
        let stack = Arc::new(stack.clone());
        self.engine
            .plan(stack, &PlanOptions::default())
            .await
            .unwrap()
    }

    pub(crate) async fn apply(&self, stack: &Stack) -> RunReport {
        self.apply_with(stack, Vec::new()).await
    }

    pub(crate) async fn apply_with(&self, stack: &Stack, faults: Vec<Fault>) -> RunReport {
        let options = ApplyOptions {
            faults: Faults(faults),
            ..ApplyOptions::default()
        };
        let plan = self.plan(stack).await;
        self.engine.apply(plan, options).finish().await.unwrap()
    }

    /// Applies, and there is nothing left to do then.
    pub(crate) async fn settle(&self, stack: &Stack) -> RunReport {
        let report = self.apply(stack).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        let writes = self.cloud.writes();
        let plan = self.plan(stack).await;
        assert!(plan.is_empty(), "{:#?}", plan.changes);
        assert_eq!(self.cloud.writes(), writes, "a plan changes nothing");
        report
    }

    pub(crate) async fn destroy(&self, stack: &Stack) -> RunReport {
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
        let run = self.engine.apply(plan, ApplyOptions::default());
        let report = run.finish().await.unwrap();
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        report
    }

    /// Values of an input of every thing of a type, sorted.
    pub(crate) fn texts(&self, kind: &str, field: &str) -> Vec<String> {
        let things = self.cloud.of(kind).into_iter();
        let texts = things.map(|thing| thing.inputs[field].as_str().unwrap_or_default().to_owned());
        let mut texts: Vec<String> = texts.collect();
        texts.sort();
        texts
    }
}

pub(crate) fn engine(provider: impl Provider, clock: VirtualClock) -> Engine {
    Engine::builder()
        .provider(provider)
        .store(MemoryStore::new("test", "default"))
        .clock(clock)
        .lock(LockPolicy {
            timeout: Duration::from_secs(600),
            ..LockPolicy::default()
        })
        .build()
        .unwrap()
}

pub(crate) fn at(id: &str) -> Address {
    Address::resource(id).unwrap()
}

pub(crate) fn thing(id: &str, kind: &str, inputs: &Json) -> Declared {
    Declared::new(at(id), format!("memory.{kind}"), from_json(inputs))
}

pub(crate) fn refer(id: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(at(id), Path::parse(path))))
}

pub(crate) fn with(mut declared: Declared, field: &str, value: Value) -> Declared {
    declared.inputs = declared.inputs.with(&Path::parse(field), value);
    declared
}

pub(crate) fn having(mut declared: Declared, change: impl FnOnce(&mut Options)) -> Declared {
    let mut options = declared.options.as_ref().clone();
    change(&mut options);
    declared.options = Arc::new(options);
    declared
}

pub(crate) fn stack(things: impl IntoIterator<Item = Declared>) -> Stack {
    let mut stack = Stack::new("test");
    for declared in things {
        stack.declare(declared).unwrap();
    }
    stack
}

pub(crate) fn actions(plan: &Plan) -> Vec<(String, Action)> {
    let action = |change: &fabrik_core::plan::PlannedChange| {
        let id = change
            .address
            .as_str()
            .rsplit('.')
            .next()
            .unwrap()
            .to_owned();
        (id, change.action.clone())
    };
    plan.changes.iter().map(action).collect()
}
