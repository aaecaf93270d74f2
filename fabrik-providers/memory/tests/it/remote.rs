//! The cloud served over TCP.

use std::time::Duration;

use fabrik_core::clock::VirtualClock;
use fabrik_core::engine::{ApplyOptions, PlanOptions};
use fabrik_core::error::ErrorKind;
use fabrik_core::provider::{Cx, Provider as _};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;
use fabrik_provider_memory::{
    Behaviour, Cloud, Does, Fault, LogEntry, Match, RemoteCloud, Tuning, What,
    memory_provider_remote,
};
use serde_json::json;

use crate::world::{engine, stack, thing};

#[tokio::test]
async fn a_provider_on_a_served_cloud() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    let cloud = Cloud::new();
    cloud.log_to(&file).unwrap();
    let server = cloud.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let judge = RemoteCloud::new(server.address());
    let foreign = judge
        .plant("memory.note", json!({"title": "t"}))
        .await
        .unwrap();
    judge
        .inject(Fault::once(Match::what(What::Create), Does::LoseReply))
        .await
        .unwrap();
    let tuning = Tuning {
        timeout: Duration::from_secs(5),
        settle: Duration::from_secs(1),
    };
    let provider = memory_provider_remote(server.address()).tuned(tuning);
    let engine = engine(provider, VirtualClock::default());
    let wanted = stack([
        thing("n", "note", &json!({"title": "t"})),
        thing(
            "r",
            "record",
            &json!({"zone": "z", "name": "n", "value": "v"}),
        ),
    ]);
    let wanted = std::sync::Arc::new(wanted);
    let plan = engine
        .plan(wanted.clone(), &PlanOptions::default())
        .await
        .unwrap();
    let report = engine
        .apply(plan, ApplyOptions::default())
        .finish()
        .await
        .unwrap();
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    judge.quiet().await.unwrap();
    let things = judge.things().await.unwrap();
    assert_eq!(things.len(), 3);
    assert!(things.contains(&foreign));
    assert_eq!(judge.log().await.unwrap(), cloud.log());
    let text = std::fs::read_to_string(&file).unwrap();
    let written: Vec<LogEntry> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(written, cloud.log());
    assert!(
        engine
            .plan(wanted, &PlanOptions::default())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_a_request_that_lands() {
    let cloud = Cloud::new();
    cloud.behave(Behaviour {
        latency: Duration::from_millis(100),
        ..Behaviour::default()
    });
    let server = cloud.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let instance = memory_provider_remote(server.address())
        .open(&Cx::detached(), &Value::map::<&str>([]))
        .await
        .unwrap();
    let declared = thing("n", "note", &json!({"title": "t"}));
    let operation = fabrik_core::provider::Operation {
        op: fabrik_core::provider::OpId(1),
        address: declared.address.clone(),
        type_name: declared.type_name.clone(),
        verb: fabrik_core::provider::Verb::Create,
        prior: None,
        observed: None,
        inputs: declared.inputs.clone(),
        checkpoint: None,
        undoes: None,
    };
    let (cx, call) = (Cx::detached(), [operation]);
    let given_up =
        tokio::time::timeout(Duration::from_millis(30), instance.apply(&cx, &call)).await;
    assert!(given_up.is_err());
    assert!(cloud.things().is_empty());
    cloud.quiet().await;
    assert_eq!(cloud.things().len(), 1);
    drop(server);
}

#[tokio::test]
async fn nobody_there() {
    let provider = memory_provider_remote("127.0.0.1:1".parse().unwrap());
    let opened = provider
        .open(&Cx::detached(), &Value::map::<&str>([]))
        .await;
    assert_eq!(opened.err().unwrap().kind(), ErrorKind::Unavailable);
}
