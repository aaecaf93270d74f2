//! Write groups: `whole`, `linked`, `atomic`, `ready`; one call per group and run, one per undo.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, RunReport};
use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::expr::{Expr, Reference, Target, resolve};
use fabrik_core::plan::{Action, Plan};
use fabrik_core::provider::{
    Cx, Instance, Keys, Located, Lost, Object, Operation, Outcome, Planned, Proposal, Provider,
    ProviderInfo, ReadRequest, TypeInfo, Verb, WriteGroup,
};
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::state::{MemoryStore, RunResult};
use fabrik_core::value::{Path, Value};
use serde_json::json;

/// Zones with records: a zone is always written as a whole. Sites with pages that refer to each
/// other: written in one transaction. Lines: what is ready goes together, three at most.
#[derive(Default)]
struct Service {
    objects: Mutex<BTreeMap<String, Value>>,
    /// The members of each call.
    calls: Mutex<Vec<Vec<String>>>,
}

struct Grouped {
    info: ProviderInfo,
    service: Arc<Service>,
}

fn info(name: &str) -> Arc<TypeInfo> {
    let schema = json!({"type": "object"});
    let info = TypeInfo {
        lost: Lost::Key,
        ..TypeInfo::new(name, schema, json!({"type": "object"}))
    };
    Arc::new(info)
}

#[async_trait]
impl Provider for Grouped {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }
    async fn open(&self, _: &Cx, _: &Value) -> Result<Arc<dyn Instance>> {
        Ok(Arc::new(Opened(self.service.clone())))
    }
}

struct Opened(Arc<Service>);

#[async_trait]
impl Instance for Opened {
    fn keys(&self, type_name: &str, inputs: &Value) -> Keys {
        let key: Arc<str> = inputs
            .get("in")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .into();
        let group = match type_name {
            "g.record" => WriteGroup {
                key,
                whole: true,
                linked: false,
                atomic: true,
                max: 0,
            },
            "g.page" => WriteGroup {
                key,
                whole: true,
                linked: true,
                atomic: true,
                max: 0,
            },
            "g.line" | "g.slow" => WriteGroup {
                key,
                whole: false,
                linked: false,
                atomic: false,
                max: 3,
            },
            _ => return Keys::default(),
        };
        Keys {
            write_group: Some(group),
            ..Keys::default()
        }
    }
    /// Looks at something before a slow line, each for another time.
    async fn plan(&self, _: &Cx, proposal: Proposal<'_>) -> Result<Planned> {
        if proposal.type_name == "g.slow"
            && let Some(Value::Num(number)) = proposal.desired.get("value")
        {
            for _ in 0..number.as_i64().unwrap_or(0) * 20 {
                tokio::task::yield_now().await;
            }
        }
        Ok(Planned {
            inputs: proposal.desired.clone(),
            ..Planned::default()
        })
    }
    async fn read(&self, _: &Cx, group: &[ReadRequest]) -> Vec<Result<Option<Object>>> {
        let objects = self.0.objects.lock().unwrap();
        group
            .iter()
            .map(|request| {
                let id = request.prior.id.clone();
                Ok(objects.get(&id).map(|inputs| Object {
                    id,
                    inputs: inputs.clone(),
                    ..Object::default()
                }))
            })
            .collect()
    }
    async fn apply(&self, _: &Cx, call: &[Operation]) -> Vec<Outcome> {
        let mut objects = self.0.objects.lock().unwrap();
        let mut ids: BTreeMap<Address, String> = BTreeMap::new();
        let mut members = Vec::new();
        let mut outcomes = Vec::new();
        for operation in call {
            members.push(format!("{} {}", operation.verb.word(), operation.address));
            let id = match operation.verb {
                Verb::Create => operation.op.to_string(),
                _ => operation.id().unwrap().to_owned(),
            };
            if operation.verb == Verb::Delete {
                objects.remove(&id);
                outcomes.push(Outcome::Gone);
                continue;
            }
            // References to an earlier member of the call.
            let scope = |reference: &Reference| match &reference.target {
                Target::Resource(address) => {
                    Ok(ids.get(address).map(|id| Value::from(id.as_str())))
                }
                _ => Ok(None),
            };
            let inputs = resolve(&operation.inputs, &scope).unwrap();
            assert!(
                !inputs.has_unknown(),
                "a member refers to nothing earlier: {inputs:?}"
            );
            ids.insert(operation.address.clone(), id.clone());
            objects.insert(id.clone(), inputs.clone());
            outcomes.push(Outcome::Done(Object {
                id,
                inputs,
                ..Object::default()
            }));
        }
        self.0.calls.lock().unwrap().push(members);
        outcomes
    }
    async fn locate(&self, _: &Cx, call: &[Operation]) -> Vec<Result<Located>> {
        call.iter().map(|_| Ok(Located::Absent)).collect()
    }
}

struct World {
    service: Arc<Service>,
    engine: Engine,
}

impl World {
    fn new() -> World {
        let service = Arc::new(Service::default());
        let provider = Grouped {
            info: ProviderInfo {
                name: "g".into(),
                version: "1".into(),
                description: String::new(),
                config: json!({"type": "object"}),
                types: ["g.record", "g.page", "g.line", "g.single", "g.slow"]
                    .map(info)
                    .to_vec(),
                max_in_flight: 4,
            },
            service: service.clone(),
        };
        let engine = Engine::builder()
            .provider(provider)
            .store(MemoryStore::new("g", "default"))
            .build()
            .unwrap();
        World { service, engine }
    }
    async fn plan(&self, stack: &Stack) -> Plan {
        self.engine
            .plan(Arc::new(stack.clone()), &PlanOptions::default())
            .await
            .unwrap()
    }
    async fn apply(&self, stack: &Stack, faults: Vec<Fault>) -> RunReport {
        let options = ApplyOptions {
            faults: Faults(faults),
            ..ApplyOptions::default()
        };
        let plan = self.plan(stack).await;
        self.engine.apply(plan, options).finish().await.unwrap()
    }
    fn take_calls(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.service.calls.lock().unwrap())
    }
}

fn one(kind: &str, id: &str, place: &str, value: Value) -> Declared {
    let inputs = Value::map([("in", Value::from(place)), ("value", value)]);
    Declared::new(Address::resource(id).unwrap(), kind, inputs)
}

fn id_of(id: &str) -> Value {
    Value::from(Expr::from(Reference::output(
        Address::resource(id).unwrap(),
        Path::key("id"),
    )))
}

fn stack(all: impl IntoIterator<Item = Declared>) -> Stack {
    let mut stack = Stack::new("g");
    for declared in all {
        stack.declare(declared).unwrap();
    }
    stack
}

#[tokio::test]
async fn a_whole_group_is_written_once_per_run_and_once_per_undo() {
    let world = World::new();
    let records = |last: &str| {
        let mut all: Vec<Declared> = (0..5)
            .map(|n| {
                one(
                    "g.record",
                    &format!("r{n}"),
                    "a.org",
                    Value::from(i64::from(n)),
                )
            })
            .collect();
        all.extend((0..3).map(|n| one("g.record", &format!("s{n}"), "b.org", Value::from(last))));
        all
    };
    let plan = world.plan(&stack(records("x"))).await;
    let announced: Vec<(&str, usize, usize)> = plan
        .groups
        .iter()
        .map(|group| (&*group.key, group.changes, group.calls))
        .collect();
    assert_eq!(announced, [("a.org", 5, 1), ("b.org", 3, 1)]);
    world.apply(&stack(records("x")), Vec::new()).await;
    assert_eq!(world.take_calls().iter().map(Vec::len).sum::<usize>(), 8);
    assert!(world.plan(&stack(records("x"))).await.is_empty());

    // A create, updates and deletes of one zone: one call. Then a failure elsewhere: one call back.
    let before = world
        .service
        .objects
        .lock()
        .unwrap()
        .values()
        .cloned()
        .collect::<Vec<_>>();
    let mut wanted = records("y");
    wanted.retain(|declared| declared.address.as_str() != "resources.s0");
    wanted.push(one("g.record", "s9", "b.org", Value::from("new")));
    let mut last = one("g.single", "last", "-", Value::from(1_i64));
    last.depends_on = vec![Address::resource("s9").unwrap()];
    wanted.push(last);
    let fault = Fault::FailStep {
        address: Address::resource("last").unwrap(),
        verb: None,
        kind: ErrorKind::Quota,
    };
    let plan = world.plan(&stack(wanted.clone())).await;
    assert_eq!(plan.groups.len(), 1);
    assert_eq!((plan.groups[0].changes, plan.groups[0].calls), (4, 1));
    let report = world.apply(&stack(wanted), vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let calls = world.take_calls();
    assert_eq!(
        calls.iter().map(Vec::len).collect::<Vec<_>>(),
        [4, 4],
        "{calls:?}"
    );
    let mut after = world
        .service
        .objects
        .lock()
        .unwrap()
        .values()
        .cloned()
        .collect::<Vec<_>>();
    let sort = |list: &mut Vec<Value>| list.sort_by_key(|value| format!("{value:?}"));
    let mut before = before;
    sort(&mut before);
    sort(&mut after);
    assert_eq!(after, before);
}

#[tokio::test]
async fn a_linked_group_goes_in_one_call_with_references_among_its_members() {
    let world = World::new();
    let wanted = stack([
        one(
            "g.page",
            "menu",
            "site",
            Value::list([id_of("home"), id_of("about")]),
        ),
        one("g.page", "home", "site", Value::from("home")),
        one("g.page", "about", "site", id_of("home")),
        one("g.single", "watch", "-", id_of("menu")),
    ]);
    let plan = world.plan(&wanted).await;
    assert_eq!((plan.groups[0].changes, plan.groups[0].calls), (3, 1));
    let report = world.apply(&wanted, Vec::new()).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    let calls = world.take_calls();
    assert_eq!(
        calls.iter().map(Vec::len).collect::<Vec<_>>(),
        [3, 1],
        "{calls:?}"
    );
    let again = world.plan(&wanted).await;
    assert!(again.is_empty(), "{:?}", again.changes);
}

#[tokio::test]
async fn a_group_that_depends_on_itself_through_others_is_written_in_two_calls() {
    let world = World::new();
    let wanted = stack([
        one("g.record", "first", "a.org", Value::from("1")),
        one("g.single", "between", "-", id_of("first")),
        one("g.record", "second", "a.org", id_of("between")),
    ]);
    let plan = world.plan(&wanted).await;
    assert_eq!(
        (plan.groups[0].changes, plan.groups[0].calls),
        (2, 2),
        "announced"
    );
    world.apply(&wanted, Vec::new()).await;
    assert_eq!(world.take_calls().len(), 3);
}

#[tokio::test]
async fn what_is_ready_together_goes_together_up_to_a_maximum() {
    let world = World::new();
    let wanted =
        stack((0..8).map(|n| one("g.line", &format!("l{n}"), "-", Value::from(i64::from(n)))));
    let plan = world.plan(&wanted).await;
    assert!(plan.groups.is_empty(), "only whole groups are announced");
    assert!(
        plan.changes
            .iter()
            .all(|change| change.action == Action::Create)
    );
    world.apply(&wanted, Vec::new()).await;
    let calls = world.take_calls();
    assert!(calls.iter().all(|call| call.len() <= 3), "{calls:?}");
    assert!(calls.len() < 8, "{calls:?}");
}

/// What has to be looked at before is no reason to send each by itself.
#[tokio::test]
async fn what_is_prepared_at_different_times_still_goes_together() {
    let world = World::new();
    let wanted =
        stack((0..8).map(|n| one("g.slow", &format!("l{n}"), "-", Value::from(i64::from(n)))));
    world.apply(&wanted, Vec::new()).await;
    let calls = world.take_calls();
    assert_eq!(calls[0].len(), 3, "{calls:?}");
    assert!(calls.len() <= 5, "{calls:?}");
}
