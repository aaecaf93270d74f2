//! A copy of an example, an engine that applies it in one of its versions, and its agent.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_checks::CheckerConfig;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, Recovered, RunReport};
use fabrik_core::plan::Plan;
use fabrik_core::provider::{Cx, Registry};
use fabrik_core::spec::{LoadRequest, Source, load};
use fabrik_core::stack::{CheckDecl, Stack};
use fabrik_core::state::{MemoryStore, RunResult};
use fabrik_core::value::Value;
use fabrik_core::verify::{CheckFailure, Checker, INTERVAL};
use fabrik_provider_local::{AgentLaunch, Client, LocalSettings, provider};
use serde_json::{Value as Json, json};

use super::cases::{Case, Edit};
use crate::support::{self, Place};

/// A check that every stack here has and that always holds, so that a run can be failed when all
/// else is done.
pub(super) const JUDGE: &str = "judge";

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// That nothing is there.
    Nothing,
    /// The example as it is.
    First,
    /// The example with its changes.
    Second,
}

pub(super) struct Stage {
    pub(super) case: &'static Case,
    pub(super) place: Place,
    pub(super) engine: Engine,
    registry: Registry,
    /// The agent's processes end with the stage.
    over: bool,
}

struct Judge;

#[async_trait]
impl Checker for Judge {
    fn kind(&self) -> &str {
        JUDGE
    }

    fn schema(&self) -> Json {
        json!({"type": "object"})
    }

    async fn check(&self, _: &Cx, _: &Json) -> Result<String, CheckFailure> {
        Ok("all is well".into())
    }
}

impl Stage {
    pub(super) fn new(case: &'static Case) -> Stage {
        let place = Place::with_example(case.folder);
        change(&place, case.prepare);
        let greeter = place.dir().join("greeter/greeter.rs");
        if greeter.exists() {
            compile(&place, &greeter);
        }
        let mut registry = Registry::new();
        registry.register(provider(settings(&place)));
        for kind in fabrik_core::kinds::all() {
            registry.register_component(kind);
        }
        let checkers = fabrik_checks::checkers(CheckerConfig::default()).with(Judge);
        let env = case.env.unwrap_or("default");
        let engine = Engine::builder()
            .registry(registry.clone())
            .store(MemoryStore::new(case.folder, env))
            .checkers(checkers)
            .build()
            .unwrap();
        Stage {
            case,
            place,
            engine,
            registry,
            over: false,
        }
    }

    pub(super) fn agent(&self) -> Client {
        Client::new(self.place.root().join("agent"))
    }

    /// What is wanted in a version; the project's files are put as they are in it.
    pub(super) fn stack(&self, version: Version) -> Stack {
        let example = format!("examples/{}", self.case.folder);
        for file in support::files(&example) {
            let name = file.strip_prefix(&format!("{example}/")).unwrap();
            self.place.write(name, &support::read(&file));
        }
        change(&self.place, self.case.prepare);
        if version == Version::Second {
            change(&self.place, self.case.second);
        }
        let text = self.place.text(self.case.file).unwrap();
        let overlay = self.case.env.and_then(|env| {
            let name = self.case.file.replace(".yaml", &format!(".{env}.yaml"));
            Some((self.place.text(&name)?, name))
        });
        let request = LoadRequest {
            env: self.case.env,
            overlays: overlay
                .iter()
                .map(|(text, name)| Source {
                    name,
                    bytes: text.as_bytes(),
                })
                .collect(),
            ..LoadRequest::new(&self.registry, self.case.file, text.as_bytes())
        };
        let mut stack = load(&request).into_stack().unwrap();
        stack.checks.push(CheckDecl {
            name: JUDGE.into(),
            kind: JUDGE.into(),
            spec: Value::map::<String>([]),
            within: INTERVAL,
            interval: INTERVAL,
            stable_for: std::time::Duration::ZERO,
            concerns: Vec::new(),
            span: None,
        });
        stack
    }

    pub(super) async fn plan(&self, to: Version) -> Plan {
        let stack = Arc::new(self.stack(to));
        let options = PlanOptions {
            destroy: to == Version::Nothing,
            allow_data_loss: vec!["**".into()],
            ..PlanOptions::default()
        };
        let plan = self.engine.plan(stack, &options).await.unwrap();
        assert_eq!(plan.blocking().count(), 0, "{:#?}", plan.changes);
        plan
    }

    pub(super) async fn run(&self, to: Version, faults: Vec<Fault>) -> RunReport {
        let plan = self.plan(to).await;
        let options = with_faults(faults);
        self.engine.apply(plan, options).finish().await.unwrap()
    }

    /// Goes on with a run that is stuck.
    pub(super) async fn resume(&self, faults: Vec<Fault>) -> Recovered {
        let options = with_faults(faults);
        let resumed = self.engine.recover_with(None, true, options);
        resumed.finish().await.unwrap()
    }

    /// Applies a version; then there is nothing left to do.
    pub(super) async fn settle(&self, to: Version) {
        let report = self.run(to, Vec::new()).await;
        assert_eq!(report.end.result, RunResult::Succeeded, "{report:#?}");
        let plan = self.plan(to).await;
        assert!(plan.is_empty(), "{:#?}", plan.changes);
    }

    /// Makes a version stand, with what is changed by hand, and says how the world is then.
    pub(super) async fn reset(&self, to: Version) -> super::Picture {
        self.settle(to).await;
        if let (Some(by_hand), Version::First) = (self.case.by_hand, to) {
            by_hand(&self.place.dir());
        }
        self.picture().await
    }

    /// Nothing is left running.
    pub(super) async fn end(mut self) {
        self.agent().shutdown(true).await.unwrap();
        self.over = true;
        self.place.nothing_runs();
    }
}

impl Drop for Stage {
    /// A failed test leaves nothing running either.
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let agent = self.agent();
        let ended = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            _ = runtime.block_on(agent.shutdown(true));
        });
        _ = ended.join();
    }
}

fn with_faults(faults: Vec<Fault>) -> ApplyOptions {
    ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    }
}

fn settings(place: &Place) -> LocalSettings {
    let env = vec![
        ("PATH".into(), support::path().into()),
        ("HOME".into(), place.root().join("home").into()),
    ];
    LocalSettings::new(
        place.root().join("agent"),
        place.dir(),
        move |state_dir, port| {
            let program = env!("CARGO_BIN_EXE_fabrik-under-test");
            let mut launch = AgentLaunch::new(program, state_dir);
            let port = port.unwrap_or_default().to_string();
            launch.args = ["agent", "local"].map(Into::into).to_vec();
            launch.args.push(state_dir.into());
            launch.args.extend(["--port".into(), port.into()]);
            launch.env.clone_from(&env);
            launch
        },
    )
}

fn change(place: &Place, edits: &[Edit]) {
    let project = place.dir().display().to_string();
    for Edit { file, old, new } in edits {
        let text = place.text(file).unwrap();
        assert!(text.contains(old), "{file} has no `{old}`");
        let new = new.replace("@PROJECT@", &project);
        place.write(file, &text.replace(old, &new));
    }
}

fn compile(place: &Place, source: &std::path::Path) {
    let done = std::process::Command::new("rustc")
        .arg("-o")
        .arg(place.dir().join("greeter-program"))
        .arg(source)
        .status()
        .unwrap();
    assert!(done.success());
}
