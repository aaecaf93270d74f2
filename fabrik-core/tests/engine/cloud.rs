//! A service in memory: assigns ids, allows duplicate names, counts what it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::Plan;
use fabrik_core::provider::typed::{
    Change, Created, Found, Lookup, Observed, ProviderBuilder, Resource,
};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, TypeInfo};
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::state::MemoryStore;
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A thing in the service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) mark: Option<String>,
    pub(crate) spec: ThingSpec,
    pub(crate) exclusive: bool,
}

#[derive(Default)]
pub(crate) struct Cloud {
    pub(crate) things: Mutex<BTreeMap<String, Stored>>,
    pub(crate) log: Mutex<Vec<String>>,
    next: std::sync::atomic::AtomicU64,
    /// Called by the next create.
    pub(crate) hook: Mutex<Option<Box<dyn Fn() + Send>>>,
    /// Names whose create fails, with what it did.
    pub(crate) failing: Mutex<BTreeMap<String, Effect>>,
}

impl Cloud {
    pub(crate) fn writes(&self) -> usize {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|line| !line.starts_with("read"))
            .count()
    }
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .things
            .lock()
            .unwrap()
            .values()
            .map(|stored| format!("{}={}", stored.spec.name, stored.spec.value))
            .collect();
        names.sort();
        names
    }
    fn say(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }
}

/// No configuration.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ThingSpec {
    /// Its name.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// Its value.
    pub value: String,
    /// Something secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub secret: Option<String>,
}
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ThingOut {
    pub url: String,
}

/// A thing. An exclusive one has a name of its own in the whole service and is found by it; others
/// may share names and carry their operation's mark.
pub(crate) struct Thing<const EXCLUSIVE: bool>;

impl<const EXCLUSIVE: bool> Resource for Thing<EXCLUSIVE> {
    const TYPE: &'static str = if EXCLUSIVE {
        "test.named"
    } else {
        "test.thing"
    };
    type Client = Arc<Cloud>;
    type Spec = ThingSpec;
    type Outputs = ThingOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: if EXCLUSIVE { Lost::Name } else { Lost::Mark },
            exclusive: EXCLUSIVE,
            ..info
        }
    }
    async fn create(
        &self,
        cx: &Cx,
        cloud: &Arc<Cloud>,
        spec: &ThingSpec,
    ) -> Result<Created<ThingOut>> {
        if let Some(hook) = cloud.hook.lock().unwrap().take() {
            hook();
        }
        let effect = cloud.failing.lock().unwrap().get(&spec.name).copied();
        if effect == Some(Effect::None) {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("`{}` is refused", spec.name),
            ));
        }
        let taken = |stored: &Stored| stored.exclusive && stored.spec.name == spec.name;
        if EXCLUSIVE && cloud.things.lock().unwrap().values().any(taken) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("`{}` exists", spec.name),
            ));
        }
        let id = format!(
            "id{}.",
            cloud.next.fetch_add(1, std::sync::atomic::Ordering::SeqCst)
        );
        cloud.say(format!("create {} {id}", spec.name));
        let stored = Stored {
            mark: Some(cx.op()?.to_string()),
            spec: spec.clone(),
            exclusive: EXCLUSIVE,
        };
        cloud.things.lock().unwrap().insert(id.clone(), stored);
        if effect == Some(Effect::Unknown) {
            return Err(Error::new(ErrorKind::Timeout, "the reply was lost"));
        }
        Ok(Created::new(
            id.clone(),
            ThingOut {
                url: format!("http://{id}"),
            },
        ))
    }
    async fn read(
        &self,
        _: &Cx,
        cloud: &Arc<Cloud>,
        id: &str,
    ) -> Result<Option<Observed<ThingSpec, ThingOut>>> {
        cloud.say(format!("read {id}"));
        let things = cloud.things.lock().unwrap();
        Ok(things.get(id).map(|stored| {
            Observed::new(
                stored.spec.clone(),
                ThingOut {
                    url: format!("http://{id}"),
                },
            )
        }))
    }
    async fn update(
        &self,
        _: &Cx,
        cloud: &Arc<Cloud>,
        id: &str,
        change: &Change<'_, ThingSpec>,
    ) -> Result<ThingOut> {
        cloud.say(format!("update {id}"));
        let mut things = cloud.things.lock().unwrap();
        let Some(stored) = things.get_mut(id) else {
            return Err(Error::new(ErrorKind::NotFound, "gone"));
        };
        stored.spec = change.spec.clone();
        Ok(ThingOut {
            url: format!("http://{id}"),
        })
    }
    async fn delete(&self, _: &Cx, cloud: &Arc<Cloud>, id: &str) -> Result<()> {
        cloud.say(format!("delete {id}"));
        cloud.things.lock().unwrap().remove(id);
        Ok(())
    }
    async fn locate(
        &self,
        _: &Cx,
        cloud: &Arc<Cloud>,
        op: OpId,
        spec: &ThingSpec,
    ) -> Result<Option<Found<ThingSpec, ThingOut>>> {
        let things = cloud.things.lock().unwrap();
        let ours = |stored: &Stored| {
            if EXCLUSIVE {
                stored.exclusive && stored.spec.name == spec.name
            } else {
                stored.mark == Some(op.to_string())
            }
        };
        Ok(things
            .iter()
            .find(|(_, stored)| ours(stored))
            .map(|(id, stored)| Found {
                id: id.clone(),
                observed: Observed::new(
                    stored.spec.clone(),
                    ThingOut {
                        url: format!("http://{id}"),
                    },
                ),
                marked: !EXCLUSIVE,
            }))
    }
    fn keys(&self, _: &Arc<Cloud>, inputs: &Value) -> Keys {
        let name = inputs
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Keys {
            locks: if EXCLUSIVE {
                vec![name.into()]
            } else {
                Vec::new()
            },
            ..Keys::default()
        }
    }
}

/// What a place is looked up by.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceSpec {
    /// Its name.
    name: String,
}

/// What is found of it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct PlaceOutputs {
    /// Where it is.
    place: String,
}

/// Somewhere: looked up, never made.
struct Place;

impl Lookup for Place {
    const TYPE: &'static str = "test.place";
    type Client = Arc<Cloud>;
    type Spec = PlaceSpec;
    type Outputs = PlaceOutputs;

    async fn find(
        &self,
        _: &Cx,
        _: &Arc<Cloud>,
        spec: &PlaceSpec,
    ) -> Result<(String, PlaceOutputs)> {
        let place = format!("at {}", spec.name);
        Ok((spec.name.clone(), PlaceOutputs { place }))
    }
}

fn engine_of(cloud: &Arc<Cloud>, store: MemoryStore) -> Engine {
    let client = cloud.clone();
    let provider = ProviderBuilder::new("test", "1", move |_: &Cx, _: Config| {
        let client = client.clone();
        async move { Ok(client) }
    })
    .resource(Thing::<false>)
    .resource(Thing::<true>)
    .lookup(Place)
    .build();
    // A dead holder's lock is taken over after its time by the waiter's clock.
    let lock = fabrik_core::state::LockPolicy {
        timeout: std::time::Duration::from_secs(600),
        ..fabrik_core::state::LockPolicy::default()
    };
    Engine::builder()
        .provider(provider)
        .store(store)
        .clock(fabrik_core::clock::VirtualClock::default())
        .lock(lock)
        .build()
        .unwrap()
}

/// A world: service, state, engine.
pub(crate) struct World {
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) engine: Engine,
}

impl World {
    pub(crate) fn new() -> World {
        let cloud = Arc::new(Cloud::default());
        let engine = engine_of(&cloud, MemoryStore::new("test", "default"));
        World { cloud, engine }
    }

    /// Another engine over the same service.
    pub(crate) fn engine_on(&self, store: MemoryStore) -> Engine {
        engine_of(&self.cloud, store)
    }

    pub(crate) async fn plan(&self, stack: &Stack) -> Plan {
        self.engine
            .plan(Arc::new(stack.clone()), &PlanOptions::default())
            .await
            .unwrap()
    }

    pub(crate) async fn apply(&self, stack: &Stack) -> RunReport {
        self.apply_with(stack, Vec::new()).await
    }

    pub(crate) async fn apply_with(&self, stack: &Stack, faults: Vec<Fault>) -> RunReport {
        let plan = self.plan(stack).await;
        let options = ApplyOptions {
            faults: Faults(faults),
            ..ApplyOptions::default()
        };
        self.engine.apply(plan, options).finish().await.unwrap()
    }
}

pub(crate) fn thing(id: &str, value: &str) -> Declared {
    let inputs = Value::map([("name", Value::from(id)), ("value", Value::from(value))]);
    Declared::new(Address::resource(id).unwrap(), "test.thing", inputs)
}

pub(crate) fn refer(id: &str, path: &str) -> Value {
    Value::from(Expr::from(Reference::output(
        Address::resource(id).unwrap(),
        Path::parse(path),
    )))
}

pub(crate) fn thing_of(id: &str, value: Value) -> Declared {
    let inputs = Value::map([("name", Value::from(id)), ("value", value)]);
    Declared::new(Address::resource(id).unwrap(), "test.thing", inputs)
}

pub(crate) fn stack(things: impl IntoIterator<Item = Declared>) -> Stack {
    let mut stack = Stack::new("test");
    for declared in things {
        stack.declare(declared).unwrap();
    }
    stack
}
