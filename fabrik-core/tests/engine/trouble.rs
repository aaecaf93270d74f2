//! What can go wrong around a run: lost leases, panics, hanging providers, refusing stores.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fabrik_core::clock::VirtualClock;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, Recovered};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ProviderBuilder, Resource};
use fabrik_core::provider::{Cx, Lost, OpId, Stop, StopHandle, TypeInfo};
use fabrik_core::stack::OnFailure;
use fabrik_core::state::{AppendFault, MemoryStore, RunResult, StateStore as _};

use crate::cloud::{Config, ThingOut, ThingSpec, World, refer, stack, thing, thing_of};

/// A thing that misbehaves as its value says.
struct Odd;

impl Resource for Odd {
    const TYPE: &'static str = "test.thing";
    type Client = Arc<VirtualClock>;
    type Spec = ThingSpec;
    type Outputs = ThingOut;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            timeout: Duration::from_secs(30),
            ..info
        }
    }
    async fn create(
        &self,
        cx: &Cx,
        clock: &Arc<VirtualClock>,
        spec: &ThingSpec,
    ) -> Result<Created<ThingOut>> {
        match spec.value.as_str() {
            "panics" => panic!("a bug with hunter2-hunter2 in it"),
            "hangs" => {
                // Time passes while the service does not answer.
                clock.advance(Duration::from_secs(31));
                std::future::pending().await
            }
            "waits" => {
                cx.note("waiting");
                std::future::pending().await
            }
            _ => Ok(Created::new(
                spec.name.clone(),
                ThingOut { url: String::new() },
            )),
        }
    }
    async fn read(
        &self,
        _: &Cx,
        _: &Arc<VirtualClock>,
        _: &str,
    ) -> Result<Option<Observed<ThingSpec, ThingOut>>> {
        Ok(None)
    }
    async fn update(
        &self,
        _: &Cx,
        _: &Arc<VirtualClock>,
        _: &str,
        _: &Change<'_, ThingSpec>,
    ) -> Result<ThingOut> {
        Err(Error::new(ErrorKind::Unsupported, "no"))
    }
    async fn delete(&self, _: &Cx, _: &Arc<VirtualClock>, _: &str) -> Result<()> {
        Ok(())
    }
    async fn locate(
        &self,
        _: &Cx,
        _: &Arc<VirtualClock>,
        _: OpId,
        _: &ThingSpec,
    ) -> Result<Option<Found<ThingSpec, ThingOut>>> {
        Ok(None)
    }
}

fn odd() -> (Engine, MemoryStore) {
    let clock = VirtualClock::default();
    let client = Arc::new(clock.clone());
    let provider = ProviderBuilder::new("test", "1", move |_: &Cx, _: Config| {
        let client = client.clone();
        async move { Ok(client) }
    })
    .resource(Odd)
    .build();
    let store = MemoryStore::new("test", "default");
    let engine = Engine::builder()
        .provider(provider)
        .store(store.clone())
        .clock(clock)
        .build()
        .unwrap();
    (engine, store)
}

async fn run(engine: &Engine, value: &str) -> fabrik_core::engine::RunReport {
    let plan = engine
        .plan(
            Arc::new(stack([thing("a", value)])),
            &PlanOptions::default(),
        )
        .await
        .unwrap();
    engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_panic_of_a_provider_is_an_error_and_state_is_intact() {
    let (engine, _) = odd();
    engine
        .redactor()
        .learn(&fabrik_core::value::Value::secret("hunter2-hunter2"));
    let report = run(&engine, "panics").await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(report.end.error.as_ref().unwrap().kind, ErrorKind::Panicked);
    assert!(!format!("{report:?}").contains("hunter2"));
    assert_eq!(run(&engine, "fine").await.end.result, RunResult::Succeeded);
}

#[tokio::test]
async fn a_hanging_provider_runs_into_its_time_limit() {
    let (engine, _) = odd();
    let report = run(&engine, "hangs").await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let error = report.end.error.unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error:?}");
    assert_eq!(run(&engine, "fine").await.end.result, RunResult::Succeeded);
}

#[tokio::test]
async fn a_run_that_lost_its_lease_writes_nothing_more() {
    let world = World::new();
    world.apply(&stack([thing("a", "1")])).await;
    let store = world.engine.store().inner().clone();
    let plan = world
        .plan(&stack([thing("a", "2"), thing("b", "1"), thing("c", "1")]))
        .await;
    let before = store.load().await.unwrap().head;
    // While the service works, somebody takes the lock away.
    let (taken_from, at_break) = (store.clone(), Arc::new(Mutex::new(0)));
    let seen = at_break.clone();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move || {
        let held = at_once(taken_from.holder()).unwrap().unwrap();
        at_once(taken_from.break_lease(held.token)).unwrap();
        *seen.lock().unwrap() = at_once(taken_from.load()).unwrap().head;
    }));
    let error = world
        .engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::LeaseLost | ErrorKind::Conflict),
        "{error:?}"
    );
    let at_break = *at_break.lock().unwrap();
    assert!(at_break >= before);
    assert_eq!(
        store.load().await.unwrap().head,
        at_break,
        "nothing was written after that"
    );
    *world.cloud.hook.lock().unwrap() = None;
    // The next run resolves it.
    let wanted = stack([thing("a", "2"), thing("b", "1"), thing("c", "1")]);
    world
        .engine
        .recover(Some(Arc::new(wanted.clone())), false)
        .finish()
        .await
        .unwrap();
    assert_eq!(world.apply(&wanted).await.end.result, RunResult::Succeeded);
    assert_eq!(world.cloud.names(), ["a=2", "b=1", "c=1"]);
}

#[tokio::test]
async fn a_store_that_refuses_an_outcome_stops_the_run_and_loses_nothing() {
    for refuse_from in 1..12 {
        let world = World::new();
        let store = MemoryStore::new("test", "default");
        let engine = world.engine_on(store.clone());
        let wanted = Arc::new(stack([thing("a", "1"), thing("b", "1"), thing("c", "1")]));
        let plan = engine
            .plan(wanted.clone(), &PlanOptions::default())
            .await
            .unwrap();
        let full = Error::new(ErrorKind::Io, "no space left on device");
        store.fail_from(refuse_from, AppendFault::Refuse(full));
        let result = engine.apply(plan, ApplyOptions::default()).finish().await;
        store.heal();
        if let Err(error) = result {
            assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
        }
        engine
            .recover(Some(wanted.clone()), false)
            .finish()
            .await
            .unwrap();
        let plan = engine
            .plan(wanted.clone(), &PlanOptions::default())
            .await
            .unwrap();
        engine
            .apply(plan, ApplyOptions::default())
            .finish()
            .await
            .unwrap();
        assert_eq!(
            world.cloud.names(),
            ["a=1", "b=1", "c=1"],
            "refused from {refuse_from}"
        );
        let plan = engine.plan(wanted, &PlanOptions::default()).await.unwrap();
        assert!(plan.is_empty(), "refused from {refuse_from}");
    }
}

#[tokio::test]
async fn stopping_hard_leaves_what_was_in_flight_in_doubt_and_the_next_run_resolves_it() {
    let (engine, store) = odd();
    let wanted = Arc::new(stack([thing("a", "waits")]));
    let plan = engine
        .plan(wanted.clone(), &PlanOptions::default())
        .await
        .unwrap();
    let mut run = engine.apply(plan, ApplyOptions::default());
    let stop = run.stopper();
    while let Some(event) = run.next().await {
        if matches!(
            event.body,
            fabrik_core::event::EventBody::StepStarted { .. }
        ) {
            assert_eq!(stop.escalate(), Stop::Graceful);
            assert_eq!(stop.escalate(), Stop::Now);
            break;
        }
    }
    let report = run.finish().await.unwrap();
    assert_eq!(report.end.result, RunResult::Interrupted);
    assert!(store.load().await.unwrap().open_run.is_some());
    let fine = Arc::new(stack([thing("a", "fine")]));
    engine
        .recover(Some(fine.clone()), false)
        .finish()
        .await
        .unwrap();
    assert_eq!(run_stack(&engine, fine).await, RunResult::Succeeded);
}

/// Two things, of which the second fails with an error of a kind.
fn failing(kind: ErrorKind) -> (fabrik_core::stack::Stack, Faults) {
    let b = thing_of("b", refer("a", "id"));
    let fault = Fault::FailStep {
        address: b.address.clone(),
        verb: None,
        kind,
    };
    (stack([thing("a", "one"), b]), Faults(vec![fault]))
}

#[tokio::test]
async fn a_stop_while_undoing_leaves_the_rest_to_the_next_run() {
    let world = World::new();
    let (wanted, faults) = failing(ErrorKind::Conflict);
    let wanted = Arc::new(wanted);
    let plan = world.plan(&wanted).await;
    let stopper = Arc::new(std::sync::OnceLock::<StopHandle>::new());
    let asked = stopper.clone();
    let options = ApplyOptions {
        faults,
        on_failure: Some(OnFailure::Ask),
        decide: Some(Arc::new(move |_: &Error| {
            asked.get().unwrap().escalate();
            OnFailure::Rollback
        })),
        ..ApplyOptions::default()
    };
    let run = world.engine.apply(plan, options);
    _ = stopper.set(run.stopper());
    let report = run.finish().await.unwrap();
    assert_eq!(report.end.result, RunResult::Interrupted, "{report:?}");
    let recovered = world
        .engine
        .recover(Some(wanted), false)
        .finish()
        .await
        .unwrap();
    let Recovered::RolledBack(report) = recovered else {
        panic!("{recovered:?}")
    };
    assert_eq!(report.end.result, RunResult::RolledBack);
    assert!(world.cloud.names().is_empty(), "{:?}", world.cloud.names());
}

#[tokio::test]
async fn a_step_that_never_gets_healthy_is_a_failure_and_no_failed_check() {
    let world = World::new();
    let (wanted, faults) = failing(ErrorKind::CheckFailed);
    let plan = world.plan(&wanted).await;
    let options = ApplyOptions {
        faults,
        on_failure: Some(OnFailure::Keep),
        ..ApplyOptions::default()
    };
    let report = world.engine.apply(plan, options).finish().await.unwrap();
    assert_eq!(report.end.result, RunResult::Failed, "{report:?}");
}

/// The memory store answers without waiting.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut cx) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("the store waits"),
    }
}

async fn run_stack(engine: &Engine, wanted: Arc<fabrik_core::stack::Stack>) -> RunResult {
    let plan = engine.plan(wanted, &PlanOptions::default()).await.unwrap();
    engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap()
        .end
        .result
}

#[tokio::test]
async fn a_run_stopped_gently_goes_on_under_its_number_with_its_baseline() {
    let world = World::new();
    world.apply(&stack([thing("a", "1")])).await;
    let wanted = Arc::new(stack([thing("a", "2"), thing("b", "1"), {
        let mut last = thing("c", "1");
        last.depends_on = vec![fabrik_core::address::Address::resource("b").unwrap()];
        last
    }]));
    let plan = world
        .engine
        .plan(wanted.clone(), &PlanOptions::default())
        .await
        .unwrap();
    let run = world.engine.apply(plan, ApplyOptions::default());
    let stop = run.stopper();
    *world.cloud.hook.lock().unwrap() = Some(Box::new(move || stop.graceful()));
    let report = run.finish().await.unwrap();
    assert_eq!(report.end.result, RunResult::Interrupted, "{report:?}");
    let number = report.run;
    world
        .engine
        .recover(Some(wanted.clone()), true)
        .finish()
        .await
        .unwrap();
    // What is left fails, and the whole run is taken back.
    world
        .cloud
        .failing
        .lock()
        .unwrap()
        .insert("c".into(), fabrik_core::error::Effect::None);
    let plan = world
        .engine
        .plan(wanted.clone(), &PlanOptions::default())
        .await
        .unwrap();
    let report = world
        .engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap();
    assert_eq!(report.run, number);
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1"]);
    // It went back to what it had found, not to how it was when it was stopped.
    assert_eq!(report.end.revision, 1);
    let store = world.engine.store();
    let now = store.load().await.unwrap().revision;
    let declared = store.declared_at(now).await.unwrap();
    assert_eq!(declared, store.declared_at(1).await.unwrap());
    assert_eq!(
        world.engine.store().load().await.unwrap().unfinished(),
        None
    );
}
