//! Each odd behaviour, and that the engine lives with it.

use std::time::Duration;

use fabrik_core::engine::Fault as EngineFault;
use fabrik_core::error::ErrorKind;
use fabrik_core::provider::{Cx, OpId, Operation, Outcome, Provider as _, Verb};
use fabrik_core::stack::Stack;
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use fabrik_provider_memory::{Behaviour, Cloud, Does, Fault, Match, What, provider};
use serde_json::json;

use crate::world::{World, at, stack, thing};

fn note() -> Stack {
    stack([thing("n", "note", &json!({"title": "t"}))])
}

fn creates(world: &World) -> usize {
    let log = world.cloud.log();
    log.iter()
        .filter(|entry| entry.what == What::Create && !entry.again)
        .count()
}

#[tokio::test]
async fn refused_before_anything_is_done() {
    let world = World::new();
    let fault = Does::FailBefore(ErrorKind::Quota);
    world
        .cloud
        .inject(Fault::once(Match::what(What::Create), fault));
    let report = world.apply(&note()).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert!(world.cloud.things().is_empty() && world.cloud.log().is_empty());
    world.settle(&note()).await;
}

#[tokio::test]
async fn landed_and_the_reply_was_lost() {
    for kind in ["note", "keyed", "blob", "name", "batch", "record"] {
        let world = World::new();
        let lost = Fault::once(Match::what(What::Create), Does::LoseReply);
        world.cloud.inject(lost);
        let inputs = match kind {
            "note" => json!({"title": "t"}),
            "record" => json!({"zone": "z", "name": "n", "value": "v"}),
            _ => json!({"name": "n"}),
        };
        let report = world.settle(&stack([thing("x", kind, &inputs)])).await;
        assert_eq!(report.end.created, 1, "{kind}");
        assert_eq!(
            (world.cloud.things().len(), creates(&world)),
            (1, 1),
            "{kind}"
        );
        if kind == "blob" {
            assert!(world.cloud.things()[0].sealed);
        }
    }
}

#[tokio::test]
async fn landing_later_makes_no_second_one() {
    for kind in ["note", "keyed", "blob"] {
        let world = World::new();
        let later = Does::LandLater(Duration::from_secs(20));
        world
            .cloud
            .inject(Fault::once(Match::what(What::Create), later));
        let inputs = if kind == "note" {
            json!({"title": "t"})
        } else {
            json!({"name": "n"})
        };
        let wanted = stack([thing("x", kind, &inputs)]);
        let report = world.apply(&wanted).await;
        assert_eq!(
            report.end.result,
            RunResult::Succeeded,
            "{kind}: {report:?}"
        );
        // A repeated request with the same key may come first; what lands late finds its thing.
        if kind != "keyed" {
            world.cloud.quiet().await;
        }
        assert_eq!(creates(&world), 1, "{kind}");
        assert_eq!(world.cloud.things().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn updates_and_deletes_with_lost_replies() {
    let world = World::new();
    world.settle(&note()).await;
    for what in [What::Update, What::Delete] {
        world
            .cloud
            .inject(Fault::once(Match::what(what), Does::LoseReply));
    }
    let changed = stack([thing("n", "note", &json!({"title": "t", "body": "b"}))]);
    world.settle(&changed).await;
    world.destroy(&changed).await;
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn hidden_at_first() {
    let world = World::new();
    world.cloud.behave(Behaviour {
        shown_after: Duration::from_secs(3),
        ..Behaviour::default()
    });
    world
        .cloud
        .inject(Fault::once(Match::what(What::Create), Does::LoseReply));
    let report = world.apply(&note()).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(creates(&world), 1);
}

#[tokio::test]
async fn a_panic_is_an_error() {
    let world = World::new();
    world.cloud.inject(Fault::once(Match::any(), Does::Panic));
    let report = world.apply(&note()).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn half_a_blob_is_gone_on_with_or_removed() {
    let blob = || stack([thing("b", "blob", &json!({"name": "b", "parts": 3}))]);
    // Refused at the second part: what exists is removed.
    let world = World::new();
    let fault = Does::FailBefore(ErrorKind::Quota);
    world
        .cloud
        .inject(Fault::once(Match::what(What::Seal), fault));
    let report = world.apply(&blob()).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert!(world.cloud.things().is_empty());
    // Died in between: the same blob is finished.
    for append in 1..8 {
        let world = World::new();
        let plan = world.plan(&blob()).await;
        let options = fabrik_core::engine::ApplyOptions {
            faults: fabrik_core::engine::Faults(vec![EngineFault::CrashAfterAppend(append)]),
            ..Default::default()
        };
        _ = world.engine.apply(plan, options).finish().await;
        let wanted = std::sync::Arc::new(blob());
        world
            .engine
            .recover(Some(wanted), false)
            .finish()
            .await
            .unwrap();
        world.settle(&blob()).await;
        assert_eq!(
            (world.cloud.things().len(), creates(&world)),
            (1, 1),
            "append {append}"
        );
        assert!(world.cloud.things()[0].sealed);
    }
}

#[tokio::test]
async fn a_client_that_dies_leaves_a_request_that_lands() {
    let cloud = Cloud::new();
    cloud.behave(Behaviour {
        latency: Duration::from_millis(50),
        ..Behaviour::default()
    });
    let instance = provider(cloud.clone())
        .open(&Cx::detached(), &Value::map::<&str>([]))
        .await
        .unwrap();
    let declared = thing("n", "note", &json!({"title": "t"}));
    let operation = Operation {
        op: OpId(7),
        address: at("n"),
        type_name: declared.type_name.clone(),
        verb: Verb::Create,
        prior: None,
        observed: None,
        inputs: declared.inputs,
        checkpoint: None,
        undoes: None,
    };
    let call = [operation];
    let cx = Cx::detached();
    let given_up =
        tokio::time::timeout(Duration::from_millis(10), instance.apply(&cx, &call)).await;
    assert!(given_up.is_err());
    assert!(cloud.things().is_empty());
    cloud.quiet().await;
    assert_eq!(
        cloud.things()[0].mark.as_deref(),
        Some(OpId(7).to_string().as_str())
    );
    // What hangs never lands, and nobody waits for it.
    cloud.inject(Fault::once(Match::any(), Does::Hang));
    let given_up =
        tokio::time::timeout(Duration::from_millis(10), instance.apply(&cx, &call)).await;
    assert!(given_up.is_err());
    cloud.quiet().await;
    assert_eq!(cloud.things().len(), 1);
    cloud.heal();
    let outcomes = instance.apply(&cx, &call).await;
    assert!(matches!(outcomes[..], [Outcome::Done(_)]));
    assert_eq!(
        cloud.things().len(),
        2,
        "names may repeat, and a mark is no key"
    );
}
