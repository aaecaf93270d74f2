//! The embedding API: plan a stack, apply the plan, watch the events, stop it.

mod notices;
mod options;
mod plan;
mod report;
mod surgery;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Registry;
use crate::secrets::{Cipher, FoundSecret, Key, Redactor, SecretSources, find_secrets};
use crate::stack::SecretDecl;
use crate::state::{Holder, Liveness, LockPolicy, SealedStore, StateStore, UnknownLiveness};
use crate::value::Value;
use crate::verify::Checkers;

pub use notices::Notice;
pub use options::{ApplyOptions, Decide, EventSink, Fault, Faults, PlanOptions, Refresh};
pub use report::{Recovered, Run, RunReport};

/// Plans and applies stacks. Cheap to clone; many may live in one process.
#[derive(Clone)]
pub struct Engine(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) store: SealedStore,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) redactor: Redactor,
    pub(crate) holder: Holder,
    pub(crate) liveness: Arc<dyn Liveness>,
    pub(crate) lock: LockPolicy,
    pub(crate) parallelism: usize,
    pub(crate) checkers: Checkers,
    pub(crate) secrets: SecretFinder,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("registry", &self.0.registry)
            .finish_non_exhaustive()
    }
}

type SecretFinder = Arc<
    dyn Fn(&[&SecretDecl], BTreeMap<Arc<str>, Value>) -> Result<BTreeMap<Arc<str>, FoundSecret>>
        + Send
        + Sync,
>;

/// Finds nothing but what was generated before.
fn only_kept(
    declared: &[&SecretDecl],
    kept: BTreeMap<Arc<str>, Value>,
) -> Result<BTreeMap<Arc<str>, FoundSecret>> {
    let nothing = |path: &str| {
        Err(Error::new(
            ErrorKind::NotFound,
            format!("`{path}` is not looked for: this engine was given no secrets"),
        ))
    };
    let sources = SecretSources {
        env: BTreeMap::new(),
        dotenv: BTreeMap::new(),
        read_file: &nothing,
        run_command: &|_| nothing("command"),
        other: BTreeMap::new(),
        kept,
    };
    find_secrets(declared.iter().copied(), &sources)
}

/// Builds an [`Engine`].
pub struct EngineBuilder {
    registry: Registry,
    store: Option<Arc<dyn StateStore>>,
    key: Option<Key>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    holder: Holder,
    liveness: Arc<dyn Liveness>,
    lock: LockPolicy,
    parallelism: usize,
    checkers: Checkers,
    secrets: SecretFinder,
}

impl Engine {
    /// A builder with the machine's clock and random source.
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            registry: Registry::new(),
            store: None,
            key: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            holder: Holder {
                who: "unknown".into(),
                host: "unknown".into(),
                pid: 0,
                process: String::new(),
                command: "embedded".into(),
            },
            liveness: Arc::new(UnknownLiveness),
            lock: LockPolicy::default(),
            parallelism: 0,
            checkers: Checkers::default(),
            secrets: Arc::new(only_kept),
        }
    }

    /// Applies a plan: the run begins at once; follow it through the [`Run`].
    ///
    /// Behaviour:
    /// - two runs of one stack never interleave; waiting follows the [`LockPolicy`];
    /// - every intent is durable before its call, every outcome after it;
    /// - when a step or a check fails, what this run did is taken back (unless told otherwise).
    pub fn apply(&self, plan: crate::plan::Plan, options: ApplyOptions) -> Run<RunReport> {
        let (sink, events) = tokio::sync::mpsc::unbounded_channel();
        let (stop, signal) = crate::provider::StopHandle::new();
        let task = tokio::spawn(crate::apply::apply(
            self.clone(),
            plan,
            options,
            signal,
            sink,
        ));
        Run { events, stop, task }
    }

    /// Resolves an interrupted run: finds out what its calls in flight did, and finishes a rollback
    /// that was broken off. With `resume`, or when `stack` is what the run was applying, the next
    /// apply goes on with that run; otherwise what it did is kept.
    ///
    /// Call it before planning what is to be applied: [`Engine::apply`] refuses to begin while calls of
    /// an interrupted run are in doubt.
    pub fn recover(&self, stack: Option<Arc<crate::stack::Stack>>, resume: bool) -> Run<Recovered> {
        self.recover_with(stack, resume, ApplyOptions::default())
    }

    /// As [`Engine::recover`], with injected faults.
    pub fn recover_with(
        &self,
        stack: Option<Arc<crate::stack::Stack>>,
        resume: bool,
        options: ApplyOptions,
    ) -> Run<Recovered> {
        let (sink, events) = tokio::sync::mpsc::unbounded_channel();
        let (stop, signal) = crate::provider::StopHandle::new();
        let task = tokio::spawn(crate::apply::recover(
            self.clone(),
            stack,
            resume,
            options,
            signal,
            sink,
        ));
        Run { events, stop, task }
    }

    /// Its providers.
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }

    /// Its store.
    pub fn store(&self) -> &SealedStore {
        &self.0.store
    }

    /// Knows every secret met so far: for cleaning text before it is shown.
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }
}

impl EngineBuilder {
    /// Sets the providers.
    #[must_use]
    pub fn registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// Adds a provider.
    #[must_use]
    pub fn provider(mut self, provider: impl crate::provider::Provider) -> Self {
        self.registry.register(provider);
        self
    }

    /// Sets where state is kept.
    #[must_use]
    pub fn store(mut self, store: impl StateStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// As [`EngineBuilder::store`], for one that is shared.
    #[must_use]
    pub fn store_arc(mut self, store: Arc<dyn StateStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Sets the key secrets in state are encrypted with.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the random source.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy + 'static) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// Says who runs this, for locks and history.
    #[must_use]
    pub fn holder(mut self, holder: Holder) -> Self {
        self.holder = holder;
        self
    }

    /// Sets how to tell whether another lock holder lives.
    #[must_use]
    pub fn liveness(mut self, liveness: impl Liveness + 'static) -> Self {
        self.liveness = Arc::new(liveness);
        self
    }

    /// Sets how the lock is waited for.
    #[must_use]
    pub fn lock(mut self, lock: LockPolicy) -> Self {
        self.lock = lock;
        self
    }

    /// Caps calls in flight over all providers; 0 leaves it to each provider's own limit.
    #[must_use]
    pub fn parallelism(mut self, parallelism: usize) -> Self {
        self.parallelism = parallelism;
        self
    }

    /// Sets how checks are made; without any, a stack with checks fails them.
    #[must_use]
    pub fn checkers(mut self, checkers: Checkers) -> Self {
        self.checkers = checkers;
        self
    }

    /// Sets how declared secrets are found (see [`crate::secrets::find_secrets`]). It gets what
    /// earlier runs generated. Without it every secret is generated, and required ones are missing.
    #[must_use]
    pub fn secrets(
        mut self,
        find: impl Fn(
            &[&SecretDecl],
            BTreeMap<Arc<str>, Value>,
        ) -> Result<BTreeMap<Arc<str>, FoundSecret>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.secrets = Arc::new(find);
        self
    }

    /// Builds it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] without a store; a key that cannot be generated.
    pub fn build(self) -> Result<Engine> {
        let store = self
            .store
            .ok_or_else(|| Error::new(ErrorKind::Invalid, "an engine needs a state store"))?;
        let key = match self.key {
            Some(key) => key,
            None => Key::generate(&*self.entropy)?,
        };
        let cipher = Cipher::new(key, self.entropy.clone());
        Ok(Engine(Arc::new(Inner {
            registry: self.registry,
            store: SealedStore::new(store, cipher),
            clock: self.clock,
            entropy: self.entropy,
            redactor: Redactor::default(),
            holder: self.holder,
            liveness: self.liveness,
            lock: self.lock,
            parallelism: self.parallelism,
            checkers: self.checkers,
            secrets: self.secrets,
        })))
    }
}
