//! A provider from its parts.

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use super::handler::{Acted, Handler, Looked, Managed, info_of};
use super::{Action, Examine, Groups, Lookup, Resource, decode};
use crate::clock::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::{
    Cx, Health, Instance, Keys, Located, LogLine, LogOptions, Mode, Object, Operation, Outcome,
    Planned, Proposal, Provider, ProviderInfo, ReadRequest,
};
use crate::role::Player;
use crate::value::Value;

/// Connects: from configuration to client. Implemented by `async |cx: &Cx, config: Config| …`.
pub trait Open<K, C>: Send + Sync + 'static {
    /// Connects.
    fn open<'a>(&'a self, cx: &'a Cx, config: K) -> BoxFuture<'a, Result<C>>;
}

impl<K, C, F> Open<K, C> for F
where
    K: Send + 'static,
    C: Send + 'static,
    F: for<'a> OpenFn<'a, K, C> + Send + Sync + 'static,
{
    fn open<'a>(&'a self, cx: &'a Cx, config: K) -> BoxFuture<'a, Result<C>> {
        Box::pin(self.call(cx, config))
    }
}

/// A helper for [`Open`]: a function whose future may borrow the context.
pub trait OpenFn<'a, K, C> {
    /// The future.
    type Future: Future<Output = Result<C>> + Send + 'a;
    /// Calls the function.
    fn call(&'a self, cx: &'a Cx, config: K) -> Self::Future;
}

impl<'a, K, C, F, T> OpenFn<'a, K, C> for F
where
    F: Fn(&'a Cx, K) -> T,
    T: Future<Output = Result<C>> + Send + 'a,
{
    type Future = T;
    fn call(&'a self, cx: &'a Cx, config: K) -> T {
        self(cx, config)
    }
}

type FactsOf<C> = Arc<dyn Fn(&C) -> Value + Send + Sync>;

/// Puts a provider together. `K` is its configuration, `C` its client.
pub struct ProviderBuilder<K, C> {
    info: ProviderInfo,
    open: Box<dyn Open<K, C>>,
    handlers: BTreeMap<Arc<str>, Arc<dyn Handler<C>>>,
    players: Vec<Arc<dyn Player>>,
    facts: FactsOf<C>,
    doctor: Option<Arc<dyn Examine<C>>>,
    groups: Option<Arc<dyn Groups<C>>>,
    config: PhantomData<K>,
}

impl<K, C> ProviderBuilder<K, C>
where
    K: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    C: Send + Sync + 'static,
{
    /// A provider of a name and version; `open` turns a configuration into a client.
    pub fn new(name: &str, version: &str, open: impl Open<K, C>) -> ProviderBuilder<K, C> {
        let config = schemars::schema_for!(K).to_value();
        let description = config
            .get("description")
            .and_then(|text| text.as_str())
            .unwrap_or_default()
            .to_owned();
        ProviderBuilder {
            info: ProviderInfo {
                name: name.into(),
                version: version.into(),
                description,
                config,
                types: Vec::new(),
                max_in_flight: 8,
            },
            open: Box::new(open),
            handlers: BTreeMap::new(),
            players: Vec::new(),
            facts: Arc::new(|_| Value::Null),
            doctor: None,
            groups: None,
            config: PhantomData,
        }
    }

    /// Says how many calls the service takes at once; 8 unless said.
    #[must_use]
    pub fn max_in_flight(mut self, calls: usize) -> Self {
        self.info.max_in_flight = calls.max(1);
        self
    }

    /// Adds a managed type.
    #[must_use]
    pub fn resource<R: Resource<Client = C>>(mut self, resource: R) -> Self {
        let info = resource.describe(info_of::<R::Spec, R::Outputs>(R::TYPE, Mode::Managed));
        let info = Arc::new(info);
        self.add(Arc::new(Managed(resource, info)));
        self
    }

    /// Adds a lookup.
    #[must_use]
    pub fn lookup<L: Lookup<Client = C>>(mut self, lookup: L) -> Self {
        let info = Arc::new(info_of::<L::Spec, L::Outputs>(L::TYPE, Mode::Lookup));
        self.add(Arc::new(Looked(lookup, info)));
        self
    }

    /// Adds an action.
    #[must_use]
    pub fn action<A: Action<Client = C>>(mut self, action: A) -> Self {
        let info = action.describe(info_of::<A::Spec, A::Outputs>(A::TYPE, Mode::Action));
        let info = Arc::new(info);
        self.add(Arc::new(Acted(action, info)));
        self
    }

    /// Adds a role it plays.
    #[must_use]
    pub fn player(mut self, player: impl Player + 'static) -> Self {
        self.players.push(Arc::new(player));
        self
    }

    /// States facts of a connected client: version, permissions, capabilities. Asked when a plan is
    /// finished, so that they may come with the first read.
    #[must_use]
    pub fn facts(mut self, facts: impl Fn(&C) -> Value + Send + Sync + 'static) -> Self {
        self.facts = Arc::new(facts);
        self
    }

    /// Looks at the service for `fabrik doctor`; see [`Instance::examine`].
    #[must_use]
    pub fn doctor(mut self, doctor: impl Examine<C>) -> Self {
        self.doctor = Some(Arc::new(doctor));
        self
    }

    /// Carries out calls and reads whose members are of several types; see [`Groups`].
    #[must_use]
    pub fn groups(mut self, groups: impl Groups<C>) -> Self {
        self.groups = Some(Arc::new(groups));
        self
    }

    /// The provider.
    pub fn build(self) -> TypedProvider<K, C> {
        TypedProvider {
            info: self.info,
            open: self.open,
            handlers: Arc::new(self.handlers),
            players: self.players,
            facts: self.facts,
            doctor: self.doctor,
            groups: self.groups,
        }
    }

    fn add(&mut self, handler: Arc<dyn Handler<C>>) {
        let info = handler.info().clone();
        self.handlers.insert(info.name.clone(), handler);
        self.info.types.push(info);
    }
}

/// A provider made of typed parts.
pub struct TypedProvider<K, C> {
    info: ProviderInfo,
    open: Box<dyn Open<K, C>>,
    handlers: Arc<BTreeMap<Arc<str>, Arc<dyn Handler<C>>>>,
    players: Vec<Arc<dyn Player>>,
    facts: FactsOf<C>,
    doctor: Option<Arc<dyn Examine<C>>>,
    groups: Option<Arc<dyn Groups<C>>>,
}

#[async_trait]
impl<K, C> Provider for TypedProvider<K, C>
where
    K: DeserializeOwned + JsonSchema + Send + Sync + 'static,
    C: Send + Sync + 'static,
{
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let config: K = decode(config).map_err(|error| {
            error.operation(format!("configuration of provider `{}`", self.info.name))
        })?;
        let client = self.open.open(cx, config).await?;
        Ok(Arc::new(TypedInstance {
            client,
            handlers: self.handlers.clone(),
            facts: self.facts.clone(),
            doctor: self.doctor.clone(),
            groups: self.groups.clone(),
        }))
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        self.players.clone()
    }
}

struct TypedInstance<C> {
    client: C,
    handlers: Arc<BTreeMap<Arc<str>, Arc<dyn Handler<C>>>>,
    facts: FactsOf<C>,
    doctor: Option<Arc<dyn Examine<C>>>,
    groups: Option<Arc<dyn Groups<C>>>,
}

impl<C: Send + Sync + 'static> TypedInstance<C> {
    /// The hook, for a type that it takes.
    fn grouped(&self, type_name: &str) -> Option<&dyn Groups<C>> {
        self.groups
            .as_deref()
            .filter(|groups| groups.takes(type_name))
    }

    fn handler(&self, type_name: &str) -> Result<&Arc<dyn Handler<C>>> {
        self.handlers.get(type_name).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("this provider has no type `{type_name}`"),
            )
        })
    }
}

#[async_trait]
impl<C: Send + Sync + 'static> Instance for TypedInstance<C> {
    fn facts(&self) -> Value {
        (self.facts)(&self.client)
    }

    async fn examine(&self, cx: &Cx) -> Vec<Health> {
        match &self.doctor {
            Some(doctor) => doctor.examine(cx, &self.client).await,
            None => Vec::new(),
        }
    }

    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        self.handler(type_name)
            .map(|handler| handler.keys(&self.client, inputs))
            .unwrap_or_default()
    }

    fn upgrade(&self, type_name: &str, from: u32, stored: Object) -> Result<Object> {
        self.handler(type_name)?.upgrade(from, stored)
    }

    async fn plan(&self, cx: &Cx, proposal: Proposal<'_>) -> Result<Planned> {
        self.handler(proposal.type_name)?
            .plan(cx, &self.client, proposal)
            .await
    }

    async fn read(&self, cx: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        // A read group may hold several types: ask each handler for its own, keep the order.
        let mut answers: Vec<Option<Result<Option<Object>>>> = group.iter().map(|_| None).collect();
        let (together, apart): (Vec<usize>, Vec<usize>) = (0..group.len()).partition(|at| {
            let groups = self.groups.as_ref();
            groups.is_some_and(|groups| groups.reads(&group[*at].type_name))
        });
        if let Some(groups) = &self.groups
            && !together.is_empty()
        {
            let requests: Vec<ReadRequest> = together.iter().map(|at| group[*at].clone()).collect();
            let found = groups.read(cx, &self.client, &requests).await;
            for (at, answer) in together.into_iter().zip(found) {
                answers[at] = Some(answer);
            }
        }
        let mut types: Vec<&Arc<str>> = apart.iter().map(|at| &group[*at].type_name).collect();
        types.sort();
        types.dedup();
        for type_name in types {
            let members: Vec<usize> = (0..group.len())
                .filter(|at| group[*at].type_name == *type_name)
                .collect();
            match self.handler(type_name) {
                Ok(handler) => {
                    let ids: Vec<String> = members
                        .iter()
                        .map(|at| group[*at].prior.id.clone())
                        .collect();
                    let found = handler.read(cx, &self.client, &ids).await;
                    for (at, answer) in members.into_iter().zip(found) {
                        answers[at] = Some(answer);
                    }
                }
                Err(error) => members
                    .into_iter()
                    .for_each(|at| answers[at] = Some(Err(error.clone()))),
            }
        }
        answers
            .into_iter()
            .map(|answer| {
                answer.unwrap_or_else(|| {
                    Err(Error::new(ErrorKind::Misbehaved, "no answer to a read"))
                })
            })
            .collect()
    }

    async fn apply(&self, cx: &Cx, call: &[Operation]) -> Vec<Outcome> {
        let Some(first) = call.first() else {
            return Vec::new();
        };
        let together = call
            .iter()
            .all(|operation| self.grouped(&operation.type_name).is_some());
        if let Some(groups) = self.groups.as_ref().filter(|_| together) {
            return groups.apply(cx, &self.client, call).await;
        }
        if call
            .iter()
            .all(|operation| operation.type_name == first.type_name)
        {
            return match self.handler(&first.type_name) {
                Ok(handler) => handler.apply(cx, &self.client, call).await,
                Err(error) => call
                    .iter()
                    .map(|_| Outcome::Failed(error.clone()))
                    .collect(),
            };
        }
        let mut outcomes = Vec::with_capacity(call.len());
        for operation in call {
            if let Some(groups) = self.grouped(&operation.type_name) {
                let single = std::slice::from_ref(operation);
                outcomes.extend(groups.apply(cx, &self.client, single).await);
                continue;
            }
            match self.handler(&operation.type_name) {
                Ok(handler) => {
                    outcomes.extend(
                        handler
                            .apply(cx, &self.client, std::slice::from_ref(operation))
                            .await,
                    );
                }
                Err(error) => outcomes.push(Outcome::Failed(error)),
            }
        }
        outcomes
    }

    async fn locate(&self, cx: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        let mut found = Vec::with_capacity(call.len());
        for operation in call {
            found.push(match self.handler(&operation.type_name) {
                Ok(handler) => handler.locate(cx, &self.client, operation).await,
                Err(error) => Err(error),
            });
        }
        found
    }

    async fn lookup(&self, cx: &Cx, type_name: &str, inputs: &Value) -> Result<Object> {
        self.handler(type_name)?
            .lookup(cx, &self.client, inputs)
            .await
    }

    async fn list(&self, cx: &Cx, type_name: &str) -> Result<Vec<Object>> {
        self.handler(type_name)?.list(cx, &self.client).await
    }

    async fn logs(
        &self,
        cx: &Cx,
        request: &ReadRequest,
        options: &LogOptions,
    ) -> Result<Vec<LogLine>> {
        self.handler(&request.type_name)?
            .logs(cx, &self.client, &request.prior, options)
            .await
    }
}
