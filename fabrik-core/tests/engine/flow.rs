//! Create, no change, update, replace, delete, failure.

use fabrik_core::address::Address;
use fabrik_core::engine::Fault;
use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::plan::Action;
use fabrik_core::state::RunResult;

use crate::cloud::{World, refer, stack, thing, thing_of};

fn address(id: &str) -> Address {
    Address::resource(id).unwrap()
}

#[tokio::test]
async fn apply_twice_changes_once() {
    let world = World::new();
    let mut wanted = stack([thing("a", "1"), thing_of("b", refer("a", "url"))]);
    wanted.output("b", refer("b", "id"));
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1", "b=http://id0."]);
    assert_eq!(report.output("b").unwrap().as_str(), Some("id1."));
    let writes = world.cloud.writes();
    let plan = world.plan(&wanted).await;
    assert!(plan.is_empty(), "{:?}", plan.changes);
    world.apply(&wanted).await;
    assert_eq!(world.cloud.writes(), writes);
}

#[tokio::test]
async fn update_replace_and_delete() {
    let world = World::new();
    world
        .apply(&stack([
            thing("a", "1"),
            thing_of("b", refer("a", "id")),
            thing("c", "x"),
        ]))
        .await;
    // `a` is replaced, because its name cannot change; `b` follows; `c` leaves.
    let mut renamed = thing("a", "1");
    renamed.inputs = renamed
        .inputs
        .with(&fabrik_core::value::Path::key("name"), "a2".into());
    let wanted = stack([renamed, thing_of("b", refer("a", "id"))]);
    let plan = world.plan(&wanted).await;
    let actions: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.address.to_string(), change.action.clone()))
        .collect();
    assert_eq!(
        actions,
        [
            ("resources.a".into(), Action::Replace { create_first: true }),
            ("resources.b".into(), Action::Update),
            ("resources.c".into(), Action::Delete),
        ]
    );
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(world.cloud.names(), ["a2=1", "b=id3."]);
    assert!(world.plan(&wanted).await.is_empty());
    let empty = world.apply(&stack([])).await;
    assert_eq!(empty.end.deleted, 2);
    assert!(world.cloud.names().is_empty());
}

#[tokio::test]
async fn a_failed_run_is_taken_back() {
    let world = World::new();
    world
        .apply(&stack([thing("a", "1"), thing("gone", "1")]))
        .await;
    let before = world.cloud.names();
    world
        .cloud
        .failing
        .lock()
        .unwrap()
        .insert("bad".into(), Effect::None);
    let wanted = stack([thing("a", "2"), thing("new", "1"), {
        let mut bad = thing("bad", "1");
        bad.depends_on = vec![address("a"), address("new")];
        bad
    }]);
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(report.end.error.as_ref().unwrap().kind, ErrorKind::Invalid);
    assert_eq!(world.cloud.names(), before);
    // State is as before, too.
    assert!(
        world
            .plan(&stack([thing("a", "1"), thing("gone", "1")]))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_lost_reply_makes_no_second_copy() {
    let world = World::new();
    world
        .cloud
        .failing
        .lock()
        .unwrap()
        .insert("a".into(), Effect::Unknown);
    let report = world.apply(&stack([thing("a", "1")])).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1"]);
}

#[tokio::test]
async fn crashes_at_every_append_leave_no_orphan() {
    for nth in 1..=6 {
        for fault in [Fault::CrashBeforeAppend(nth), Fault::CrashAfterAppend(nth)] {
            let world = World::new();
            let wanted = stack([
                thing("a", "1"),
                thing_of("b", refer("a", "id")),
                thing("c", "1"),
            ]);
            let plan = world.plan(&wanted).await;
            let options = fabrik_core::engine::ApplyOptions {
                faults: fabrik_core::engine::Faults(vec![fault.clone()]),
                ..Default::default()
            };
            let crashed = world.engine.apply(plan, options).finish().await;
            // The dead holder's lock is taken over after its time by the waiter's clock.
            let wanted = std::sync::Arc::new(wanted);
            let recovered = world
                .engine
                .recover(Some(wanted.clone()), false)
                .finish()
                .await;
            assert!(recovered.is_ok(), "{fault:?}: {recovered:?}");
            let report = world.apply(&wanted).await;
            assert_eq!(
                report.end.result,
                RunResult::Succeeded,
                "{fault:?} {crashed:?} {report:?}"
            );
            let id_of_a = world
                .cloud
                .things
                .lock()
                .unwrap()
                .iter()
                .find(|(_, stored)| stored.spec.name == "a")
                .unwrap()
                .0
                .clone();
            assert_eq!(
                world.cloud.names(),
                ["a=1".to_owned(), format!("b={id_of_a}"), "c=1".into()],
                "{fault:?}"
            );
            assert!(world.plan(&wanted).await.is_empty(), "{fault:?}");
        }
    }
}
