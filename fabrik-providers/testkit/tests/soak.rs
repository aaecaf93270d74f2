//! A stack through a bad network: one request of ten goes wrong.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "acme/mod.rs"]
#[expect(dead_code, reason = "the service is needed, its suite is not")]
mod service;

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::state::RunResult;
use fabrik_testkit::Target as _;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::{Fault, Proxy};
use fabrik_testkit::stack::{Stage, virtual_clock};
use serde_json::{Map, json};

const NOTES: usize = 20;

async fn converges(seed: u64) {
    let acme = service::Acme::start();
    let clock = virtual_clock();
    let proxy = Proxy::with_clock(acme.address(), Wire::Http, Arc::new(clock.clone()));
    let stage = Stage::builder()
        .provider(service::provider(""), acme.config(proxy.address()))
        .clock(clock)
        .seed(seed)
        .build()
        .unwrap();
    let mut resources = Map::from_iter([(
        "folder".to_owned(),
        json!({"type": "acme.folder", "spec": {"name": "all"}}),
    )]);
    for number in 0..NOTES {
        let spec = json!({"folder": "${resources.folder.name}", "title": format!("{number}")});
        resources.insert(
            format!("note-{number}"),
            json!({"type": "acme.note", "spec": spec}),
        );
    }
    let stack = stage
        .load(&json!({"resources": resources, "on_failure": "keep"}))
        .unwrap();
    let faults = [
        Fault::status(500),
        Fault::status(500).forwarded(),
        Fault::status(429).header("retry-after", "3"),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::LandsLater(Duration::from_secs(5)),
        Fault::Truncate(10),
    ];
    proxy.random(seed, 0.1, &faults);
    for _ in 0..12 {
        let Ok(plan) = stage.plan(&stack).await else {
            continue;
        };
        if plan.is_empty() {
            break;
        }
        if let Ok(report) = stage.run(plan).await
            && report.end.result == RunResult::Succeeded
        {
            break;
        }
    }
    proxy.heal();
    proxy.quiet().await;
    let last = stage.settle(&stack).await;
    assert!(last.is_ok(), "seed {seed}: {last:?}");
    assert_eq!(acme.count("acme.note"), NOTES, "seed {seed}: no duplicate");
    let faulty = proxy.log().iter().filter(|one| one.fault.is_some()).count();
    assert!(faulty > 0, "seed {seed}: nothing went wrong");
}

#[tokio::test]
async fn it_converges_without_a_duplicate() {
    for seed in 1..=10 {
        converges(seed).await;
    }
}
