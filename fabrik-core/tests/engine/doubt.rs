//! Objects that cannot be found again: a person says whether they exist.

use std::sync::{Arc, Mutex};

use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, Recovered};
use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Observed, ProviderBuilder, Resource};
use fabrik_core::provider::{Cx, Lost, TypeInfo};
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::state::{EntryKind, MemoryStore, RowStatus, RunResult};
use fabrik_core::value::Value;

use crate::cloud::{Config, ThingOut, ThingSpec};

/// Names of what exists; an id is a name.
type Names = Arc<Mutex<Vec<String>>>;

/// A thing that leaves no trace by which a lost create could be found.
struct Blind;

impl Resource for Blind {
    const TYPE: &'static str = "test.blind";
    type Client = Names;
    type Spec = ThingSpec;
    type Outputs = ThingOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::None,
            ..info
        }
    }
    async fn create(&self, _: &Cx, names: &Names, spec: &ThingSpec) -> Result<Created<ThingOut>> {
        names.lock().unwrap().push(spec.name.clone());
        Ok(Created::new(spec.name.clone(), out()))
    }
    async fn read(
        &self,
        _: &Cx,
        names: &Names,
        id: &str,
    ) -> Result<Option<Observed<ThingSpec, ThingOut>>> {
        let there = names.lock().unwrap().iter().any(|name| name == id);
        let spec = ThingSpec {
            name: id.into(),
            ..ThingSpec::default()
        };
        Ok(there.then(|| Observed::new(spec, out())))
    }
    async fn update(
        &self,
        _: &Cx,
        _: &Names,
        _: &str,
        _: &Change<'_, ThingSpec>,
    ) -> Result<ThingOut> {
        Ok(out())
    }
    async fn delete(&self, _: &Cx, names: &Names, id: &str) -> Result<()> {
        names.lock().unwrap().retain(|name| name != id);
        Ok(())
    }
}

fn out() -> ThingOut {
    ThingOut { url: String::new() }
}

fn at(id: &str) -> Address {
    Address::resource(id).unwrap()
}

fn two() -> Arc<Stack> {
    let mut stack = Stack::new("test");
    for id in ["a", "b"] {
        let inputs = Value::map([("name", Value::from(id))]);
        let mut declared = Declared::new(at(id), "test.blind", inputs);
        if id == "b" {
            declared.depends_on = vec![at("a")];
        }
        stack.declare(declared).unwrap();
    }
    Arc::new(stack)
}

/// A run that died with the create of `b` under way, resumed: `b` is in doubt.
async fn in_doubt(names: &Names) -> Engine {
    let client = names.clone();
    let provider = ProviderBuilder::new("test", "1", move |_: &Cx, _: Config| {
        let client = client.clone();
        async move { Ok(client) }
    })
    .resource(Blind)
    .build();
    let engine = Engine::builder()
        .provider(provider)
        .store(MemoryStore::new("test", "default"))
        .clock(fabrik_core::clock::VirtualClock::default())
        .lock(fabrik_core::state::LockPolicy {
            timeout: std::time::Duration::from_secs(600),
            ..fabrik_core::state::LockPolicy::default()
        })
        .build()
        .unwrap();
    let plan = engine.plan(two(), &PlanOptions::default()).await.unwrap();
    // The beginning, the intent of `a`, its outcome with the intent of `b`.
    let options = ApplyOptions {
        faults: Faults(vec![Fault::CrashAfterAppend(3)]),
        ..ApplyOptions::default()
    };
    assert!(engine.apply(plan, options).finish().await.is_err());
    // While nobody knows whether `b` is there, nothing is begun that could make it again.
    let plan = engine.plan(two(), &PlanOptions::default()).await.unwrap();
    let refused = engine.apply(plan, ApplyOptions::default()).finish().await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Stale);
    resume(&engine).await;
    let rows = engine.store().load().await.unwrap().rows;
    let b = rows.iter().find(|row| row.address == at("b")).unwrap();
    assert_eq!(b.status, RowStatus::Unsure);
    engine
}

async fn resume(engine: &Engine) {
    let recovered = engine.recover(Some(two()), true).finish().await.unwrap();
    assert!(
        matches!(recovered, Recovered::Continues { run: 1, .. }),
        "{recovered:?}"
    );
}

/// Goes on with the open run, which then ends.
async fn goes_on(engine: &Engine, faults: Vec<Fault>) -> RunResult {
    resume(engine).await;
    let plan = engine.plan(two(), &PlanOptions::default()).await.unwrap();
    let options = ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    };
    let report = engine.apply(plan, options).finish().await.unwrap();
    assert_eq!(report.run, Some(1));
    assert_eq!(engine.store().load().await.unwrap().unfinished(), None);
    report.end.result
}

#[tokio::test]
async fn what_is_in_doubt_is_forgotten_while_its_run_is_open() {
    let names = Names::default();
    let engine = in_doubt(&names).await;
    let plan = engine.plan(two(), &PlanOptions::default()).await.unwrap();
    assert_eq!(plan.blocking().count(), 1);

    // Only that: the rest of the run is not settled yet.
    for globs in [&["resources.a"][..], &["**"]] {
        let globs: Vec<String> = globs.iter().map(ToString::to_string).collect();
        let refused = engine.remove_state(&globs).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused:?}");
    }
    let removed = engine.remove_state(&["resources.b".into()]).await.unwrap();
    assert_eq!(removed, [at("b")]);

    assert_eq!(goes_on(&engine, Vec::new()).await, RunResult::Succeeded);
    assert_eq!(*names.lock().unwrap(), ["a", "b"]);
    let entries = engine.store().entries(1).await.unwrap();
    let recorded = entries.iter().any(|(_, entry)| {
        matches!(&entry.kind, EntryKind::State { address, what, .. }
            if *address == at("b") && what.contains("state rm resources.b"))
    });
    assert!(recorded, "{entries:#?}");
}

#[tokio::test]
async fn what_was_forgotten_does_not_come_back_with_a_rollback() {
    let names = Names::default();
    let engine = in_doubt(&names).await;
    engine.remove_state(&["resources.b".into()]).await.unwrap();
    let fault = Fault::FailStep {
        address: at("b"),
        verb: None,
        kind: ErrorKind::Quota,
    };
    assert_eq!(goes_on(&engine, vec![fault]).await, RunResult::RolledBack);
    assert_eq!(*names.lock().unwrap(), Vec::<String>::new());
    assert!(engine.store().load().await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn what_is_in_doubt_is_imported_while_its_run_is_open() {
    let names = Names::default();
    let engine = in_doubt(&names).await;
    names.lock().unwrap().push("b".into());
    engine.import(two(), &at("b"), "b").await.unwrap();
    assert_eq!(goes_on(&engine, Vec::new()).await, RunResult::Succeeded);
    assert_eq!(*names.lock().unwrap(), ["a", "b"]);
    let plan = engine.plan(two(), &PlanOptions::default()).await.unwrap();
    assert!(plan.is_empty(), "{:#?}", plan.changes);
}
