//! A whole stack in a test: an engine over some providers, with state in memory.
//!
//! ```
//! use fabrik_testkit::stack::Stage;
//! use fabrik_provider_memory::{Cloud, provider};
//! use serde_json::json;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let cloud = Cloud::new();
//! let stage = Stage::builder().provider(provider(cloud.clone()), json!({})).build()?;
//! let stack = stage.load(&json!({"resources": {
//!     "readme": {"type": "memory.note", "spec": {"title": "Read me"}},
//! }}))?;
//! // Applies, and sees that nothing is left to do then.
//! stage.settle(&stack).await?;
//! assert_eq!(cloud.things().len(), 1);
//! stage.destroy(&stack).await?;
//! assert!(cloud.things().is_empty());
//! # Ok::<(), fabrik_core::error::Error>(()) }).unwrap();
//! ```
//!
//! To count requests or to make them fail, point a provider at a [`Proxy`](crate::proxy::Proxy).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fabrik_core::clock::{BoxFuture, Clock, SeededEntropy, VirtualClock};
use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Run, RunReport};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::event::Event;
use fabrik_core::plan::Plan;
use fabrik_core::provider::{Cx, Instance, Provider, Registry, StopSignal};
use fabrik_core::secrets::{FoundSecret, SecretOrigin};
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::stack::{SecretDecl, Stack};
use fabrik_core::state::{LockPolicy, MemoryStore, Row, RowStatus, RunResult};
use fabrik_core::value::{Value, from_json};
use jiff::Timestamp;
use serde_json::{Map, Value as Json, json};

/// The id of stacks that do not say another.
const STACK: &str = "conformance";

/// A clock that starts at a usual time, and moves only when somebody sleeps.
pub fn virtual_clock() -> VirtualClock {
    // 1 January 2026.
    VirtualClock::at(Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A clock behind a pointer.
#[derive(Clone, Debug)]
struct Shared(Arc<dyn Clock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration)
    }
    fn idle(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.idle(duration)
    }
}

/// Providers with their configurations, a clock and a seed: what a [`Stage`] is made of.
#[derive(Clone)]
pub struct StageBuilder {
    providers: Vec<Arc<dyn Provider>>,
    configs: Map<String, Json>,
    clock: Arc<dyn Clock>,
    seed: u64,
    parallelism: usize,
}

/// An engine over some providers, with state in memory.
pub struct Stage {
    parts: StageBuilder,
    registry: Registry,
    store: MemoryStore,
    engine: Engine,
    events: Mutex<Vec<Event>>,
    secrets: Secrets,
    /// Configurations as specs have them.
    shown: Map<String, Json>,
}

/// Secrets by name.
type Secrets = Arc<Mutex<BTreeMap<String, String>>>;

/// Finds what the stage was told, and nothing else.
fn find(secrets: &Secrets, declared: &[&SecretDecl]) -> Result<BTreeMap<Arc<str>, FoundSecret>> {
    let known = secrets.lock().unwrap_or_else(PoisonError::into_inner);
    let one = |decl: &&SecretDecl| {
        let value = known.get(&*decl.name).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("this stage was given no secret `{}`", decl.name),
            )
        })?;
        let found = FoundSecret {
            value: Some(Value::secret(value.as_str())),
            origin: SecretOrigin::Other("test".to_owned()),
        };
        Ok((decl.name.clone(), found))
    };
    declared.iter().map(one).collect()
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for StageBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Configurations hold credentials.
        f.debug_struct("StageBuilder")
            .field("providers", &self.configs.keys())
            .finish_non_exhaustive()
    }
}

impl StageBuilder {
    /// Adds a provider with its configuration.
    #[must_use]
    pub fn provider(self, provider: impl Provider, config: Json) -> StageBuilder {
        self.provider_arc(Arc::new(provider), config)
    }

    /// As [`StageBuilder::provider`], for one that is shared.
    #[must_use]
    pub fn provider_arc(mut self, provider: Arc<dyn Provider>, config: Json) -> StageBuilder {
        self.configs
            .insert(provider.info().name.to_string(), config);
        self.providers.push(provider);
        self
    }

    /// Sets the clock; a virtual one ([`virtual_clock`]) unless set.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> StageBuilder {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the seed of operation ids.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> StageBuilder {
        self.seed = seed;
        self
    }

    /// Caps calls in flight over all providers.
    #[must_use]
    pub fn parallelism(mut self, parallelism: usize) -> StageBuilder {
        self.parallelism = parallelism;
        self
    }

    /// The stage, with empty state.
    ///
    /// # Errors
    /// Those of [`fabrik_core::engine::EngineBuilder::build`].
    pub fn build(self) -> Result<Stage> {
        let mut registry = Registry::new();
        for provider in &self.providers {
            registry.register_arc(provider.clone());
        }
        let store = MemoryStore::new(STACK, "default");
        let secrets = Secrets::default();
        let kept = secrets.clone();
        let engine = Engine::builder()
            .registry(registry.clone())
            .store(store.clone())
            .clock(Shared(self.clock.clone()))
            .entropy(SeededEntropy::new(self.seed))
            .parallelism(self.parallelism)
            .secrets(move |declared, _| find(&kept, declared))
            .lock(LockPolicy {
                timeout: Duration::from_secs(600),
                ..LockPolicy::default()
            })
            .build()?;
        Ok(Stage {
            shown: self.configs.clone(),
            secrets,
            parts: self,
            registry,
            store,
            engine,
            events: Mutex::default(),
        })
    }
}

impl Stage {
    /// Without providers yet.
    pub fn builder() -> StageBuilder {
        StageBuilder {
            providers: Vec::new(),
            configs: Map::new(),
            clock: Arc::new(virtual_clock()),
            seed: 1,
            parallelism: 0,
        }
    }

    /// The same providers over empty state; operation ids differ.
    ///
    /// # Errors
    /// As [`StageBuilder::build`].
    pub fn fresh(&self) -> Result<Stage> {
        let mut parts = self.parts.clone();
        parts.seed = parts.seed.wrapping_add(0x5EED);
        parts.build()
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where state is kept, as stored: secrets are sealed.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }

    /// Its clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Its providers and types.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Reads a spec. `fabrik`, `id` and the configurations of the providers are added where it has
    /// none of its own.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with every mistake.
    pub fn load(&self, spec: &Json) -> Result<Arc<Stack>> {
        let mut document = match spec {
            Json::Object(map) => map.clone(),
            _ => Map::new(),
        };
        document.entry("fabrik").or_insert(json!(1));
        document.entry("id").or_insert(json!(STACK));
        let configs = Json::Object(self.shown.clone());
        document.entry("providers").or_insert(configs);
        let secrets: Vec<String> = self.known().keys().cloned().collect();
        if !secrets.is_empty() {
            document.entry("secrets").or_insert(json!(secrets));
        }
        let text = Json::Object(document).to_string();
        let request = LoadRequest::new(&self.registry, "conformance.json", text.as_bytes());
        load(&request).into_stack().map(Arc::new)
    }

    /// Tells the stage a secret; specs then refer to it by the text this gives.
    pub fn secret(&self, value: &str) -> String {
        let mut secrets = self.known();
        let old = secrets.iter().find(|(_, known)| *known == value);
        let name = match old {
            Some((name, _)) => name.clone(),
            None => format!("fbt-{}", secrets.len() + 1),
        };
        secrets.insert(name.clone(), value.to_owned());
        format!("${{secrets.{name}}}")
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on specs have this configuration of a provider.
    pub(crate) fn show(&mut self, provider: &str, config: Json) {
        self.shown.insert(provider.to_owned(), config);
    }

    /// Plans, reading everything first; losing data is allowed.
    ///
    /// # Errors
    /// Those of [`Engine::plan`].
    pub async fn plan(&self, stack: &Arc<Stack>) -> Result<Plan> {
        self.plan_with(stack, &PlanOptions::default()).await
    }

    /// Plans with options; losing data is allowed.
    ///
    /// # Errors
    /// Those of [`Engine::plan`].
    pub async fn plan_with(&self, stack: &Arc<Stack>, options: &PlanOptions) -> Result<Plan> {
        let options = PlanOptions {
            allow_data_loss: vec!["**".into()],
            ..options.clone()
        };
        self.engine.plan(stack.clone(), &options).await
    }

    /// Applies a plan to its end, keeping the events.
    ///
    /// # Errors
    /// Those of [`Run::finish`]; a run that failed is a report.
    pub async fn run(&self, plan: Plan) -> Result<RunReport> {
        let run = self.engine.apply(plan, ApplyOptions::default());
        self.follow(run).await
    }

    /// Follows a run to its end, keeping the events.
    ///
    /// # Errors
    /// Those of [`Run::finish`].
    pub async fn follow<T>(&self, mut run: Run<T>) -> Result<T> {
        while let Some(event) = run.next().await {
            self.events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(event);
        }
        run.finish().await
    }

    /// Finds out what an interrupted run did, plans and applies.
    ///
    /// # Errors
    /// Those of planning and of a run that could not begin; a run that failed is a report.
    pub async fn apply(&self, stack: &Arc<Stack>) -> Result<RunReport> {
        self.follow(self.engine.recover(Some(stack.clone()), false))
            .await?;
        let plan = self.plan(stack).await?;
        self.run(plan).await
    }

    /// Plans and applies, and it succeeds.
    ///
    /// # Errors
    /// Any, also that of a run that failed.
    pub async fn succeed(&self, stack: &Arc<Stack>) -> Result<RunReport> {
        succeeded(self.apply(stack).await?)
    }

    /// Plans and applies, it succeeds, and nothing is left to do then.
    ///
    /// # Errors
    /// Any; [`ErrorKind::Misbehaved`] when a plan afterwards is not empty.
    pub async fn settle(&self, stack: &Arc<Stack>) -> Result<RunReport> {
        let report = self.succeed(stack).await?;
        let plan = self.plan(stack).await?;
        if plan.is_empty() {
            return Ok(report);
        }
        Err(Error::new(
            ErrorKind::Misbehaved,
            format!("there is something left to do: {}", said(&plan)),
        ))
    }

    /// Deletes everything, and it succeeds.
    ///
    /// # Errors
    /// Any, also that of a run that failed.
    pub async fn destroy(&self, stack: &Arc<Stack>) -> Result<RunReport> {
        let options = PlanOptions {
            destroy: true,
            ..PlanOptions::default()
        };
        let plan = self.plan_with(stack, &options).await?;
        succeeded(self.run(plan).await?)
    }

    /// Every event of the runs so far.
    pub fn events(&self) -> Vec<Event> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What state has, with secrets opened.
    ///
    /// # Errors
    /// Of the store.
    pub async fn rows(&self) -> Result<Vec<Row>> {
        Ok(self
            .engine
            .store()
            .load()
            .await?
            .rows
            .iter()
            .cloned()
            .collect())
    }

    /// The current object of an address such as `resources.readme`.
    ///
    /// # Errors
    /// Of the store; [`ErrorKind::NotFound`] when there is none.
    pub async fn row(&self, address: &str) -> Result<Row> {
        let rows = self.rows().await?;
        let found = rows
            .into_iter()
            .find(|row| row.address.as_str() == address && row.status == RowStatus::Current);
        found.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("state has no current object of {address}"),
            )
        })
    }

    /// A context by this stage's clock, for calling a provider directly.
    pub fn cx(&self) -> Cx {
        Cx::new(self.parts.clock.clone(), StopSignal::never())
    }

    /// A provider of this stage, opened with its configuration.
    ///
    /// # Errors
    /// Those of the provider; [`ErrorKind::NotFound`] when there is none of that name.
    pub async fn open(&self, name: &str) -> Result<Arc<dyn Instance>> {
        let provider = self.registry.provider(name).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("there is no provider `{name}`"),
            )
        })?;
        let config = from_json(self.parts.configs.get(name).unwrap_or(&Json::Null));
        let fields = fabrik_core::provider::Fields::of_schema(&provider.info().config);
        provider.open(&self.cx(), &fields.mark(&config)).await
    }
}

/// The report of a run that succeeded.
fn succeeded(report: RunReport) -> Result<RunReport> {
    if report.end.result == RunResult::Succeeded {
        return Ok(report);
    }
    Err(match &report.end.error {
        Some(error) => Error::from(error).context("run", format!("{:?}", report.end.result)),
        None => Error::new(
            ErrorKind::Misbehaved,
            format!("the run ended with {:?}", report.end.result),
        ),
    })
}

/// What a plan would do, in one line.
pub fn said(plan: &Plan) -> String {
    let changes = plan.changes.iter().map(|change| {
        let fields: Vec<String> = change
            .diff
            .iter()
            .map(|diff| {
                format!(
                    "{} {:?} -> {:?}",
                    diff.path,
                    diff.before.masked(),
                    diff.after.masked()
                )
            })
            .collect();
        let reasons: Vec<String> = change
            .reasons
            .iter()
            .map(fabrik_core::plan::Reason::text)
            .collect();
        format!(
            "{} {} ({}) {}",
            change.action.word(),
            change.address,
            reasons.join(", "),
            fields.join(", ")
        )
    });
    let changes: Vec<String> = changes.collect();
    if changes.is_empty() {
        return "nothing".to_owned();
    }
    changes.join("; ")
}
