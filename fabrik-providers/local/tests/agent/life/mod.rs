//! The provider as the engine sees it: the life of every type, from plan to destroy.

mod backup;
mod cron;
mod database;
mod errors;
mod file;
mod refusals;
mod roles;
mod service;
mod site;
mod small;
mod wordpress;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::error::Result;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::{Action, Plan};
use fabrik_core::provider::{Object, ReadRequest};
use fabrik_core::stack::{Declared, Options, Stack};
use fabrik_core::state::{MemoryStore, RunResult};
use fabrik_core::value::{Path as ValuePath, Value, from_json};
use fabrik_provider_local::{Client, LocalSettings, provider};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::helper::{ARGS, ROLE, WORLD};
use crate::world::{self, Reply, exe, kill_process, processes_with};

/// A project folder, an engine with its state, and perhaps an agent.
pub(crate) struct Stage {
    dir: TempDir,
    pub(crate) engine: Engine,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("project")).unwrap();
        let engine = engine(dir.path());
        Self { dir, engine }
    }

    /// The folder that relative paths start from.
    pub(crate) fn project(&self) -> std::path::PathBuf {
        self.dir.path().join("project")
    }

    pub(crate) fn state_dir(&self) -> std::path::PathBuf {
        self.dir.path().join("state")
    }

    /// Another stack on the same agent.
    pub(crate) fn other(&self) -> Engine {
        engine(self.dir.path())
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.project().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn agent(&self) -> Client {
        Client::new(self.state_dir())
    }

    pub(crate) async fn plan(&self, stack: &Stack) -> Plan {
        plan(&self.engine, stack).await
    }

    pub(crate) async fn apply(&self, stack: &Stack) -> RunReport {
        apply(&self.engine, stack, Vec::new()).await
    }

    /// Applies, and there is nothing left to do then.
    pub(crate) async fn settle(&self, stack: &Stack) -> RunReport {
        let report = self.apply(stack).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        let plan = self.plan(stack).await;
        assert!(plan.is_empty(), "{:#?}", plan.changes);
        report
    }

    pub(crate) async fn destroy(&self, stack: &Stack) {
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
    }

    pub(crate) async fn get(&self, host: &str, path: &str) -> Reply {
        let port = self.agent().status().await.unwrap().listen[0].port();
        world::get(port, host, path).await
    }

    pub(crate) fn processes(&self) -> Vec<u32> {
        processes_with(&format!("{WORLD}={}", self.dir.path().display()))
    }

    pub(crate) async fn kill_agent(&self) {
        let pid = self.agent().hello().await.unwrap().pid;
        kill_process(pid);
        world::until("the agent is gone", || !world::is_running(pid)).await;
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // The agent first, for it would start others again.
        for _ in 0..3 {
            self.processes().into_iter().for_each(kill_process);
        }
    }
}

fn engine(dir: &Path) -> Engine {
    let root = dir.to_owned();
    let settings = LocalSettings::new(
        dir.join("state"),
        dir.join("project"),
        move |state_dir, _| world::launch(&root, state_dir, Duration::from_mins(10)),
    );
    Engine::builder()
        .provider(provider(settings))
        .store(MemoryStore::new("test", "default"))
        .build()
        .unwrap()
}

pub(crate) async fn plan(engine: &Engine, stack: &Stack) -> Plan {
    let stack = Arc::new(stack.clone());
    engine.plan(stack, &PlanOptions::default()).await.unwrap()
}

pub(crate) async fn apply(engine: &Engine, stack: &Stack, faults: Vec<Fault>) -> RunReport {
    let plan = plan(engine, stack).await;
    let options = ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    };
    engine.apply(plan, options).finish().await.unwrap()
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
                .unwrap()
                .to_owned();
            (id, change.action.clone())
        })
        .collect()
}

pub(crate) fn at(id: &str) -> Address {
    Address::resource(id).unwrap()
}

pub(crate) fn resource(id: &str, type_name: &str, inputs: &Json) -> Declared {
    Declared::new(at(id), type_name, from_json(inputs))
}

pub(crate) fn refer(id: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(
        at(id),
        ValuePath::parse(path),
    )))
}

pub(crate) fn with(mut declared: Declared, field: &str, value: Value) -> Declared {
    declared.inputs = declared.inputs.with(&ValuePath::parse(field), value);
    declared
}

pub(crate) fn adopting(mut declared: Declared) -> Declared {
    declared.options = Arc::new(Options {
        adopt: true,
        ..Options::default()
    });
    declared
}

pub(crate) fn stack(resources: impl IntoIterator<Item = Declared>) -> Stack {
    let mut stack = Stack::new("test");
    for declared in resources {
        stack.declare(declared).unwrap();
    }
    stack
}

/// A service of the test binary.
pub(crate) fn server(id: &str, version: &str) -> Declared {
    let mut words = vec![exe().to_str().unwrap().to_owned()];
    words.extend(ARGS.map(str::to_owned));
    resource(
        id,
        "local.service",
        &json!({
            "name": id,
            "command": words,
            "env": {ROLE: "server", "VERSION": version},
            "health": {"path": "/health", "interval": "100ms", "deadline": "60s"},
        }),
    )
}

pub(crate) fn route(id: &str, to: &str, field: &str) -> Declared {
    let host = format!("{to}.localhost");
    let declared = resource(id, "local.route", &json!({"host": host}));
    with(declared, field, refer(to, "name"))
}

pub(crate) fn request(declared: &Declared, id: &str) -> ReadRequest {
    ReadRequest {
        address: declared.address.clone(),
        type_name: declared.type_name.clone(),
        prior: Object {
            id: id.to_owned(),
            ..Object::default()
        },
    }
}

pub(crate) fn failed(report: &RunReport) -> Result<()> {
    match &report.end.error {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}
