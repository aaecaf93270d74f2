//! A stack over all services while a tenth of all exchanges goes wrong.

use std::time::Duration;

use fabrik_core::state::RunResult;
use fabrik_testkit::proxy::{Fault, Match};

use crate::cast::{Cast, RECORDS};

/// How often a run may be repeated until it has gone through.
const MOST_RUNS: usize = 40;

fn faults() -> Vec<Fault> {
    vec![
        Fault::status(500),
        Fault::status(500).forwarded(),
        Fault::status(503),
        Fault::status(429).header("retry-after", "1"),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Truncate(20),
        Fault::LandsLater(Duration::from_secs(2)),
    ]
}

fn seeds() -> u64 {
    let wanted = std::env::var("FABRIK_SOAK_SEEDS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(50)
}

/// `FABRIK_SOAK_SEEDS=N` for another number of seeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_all_goes_wrong_and_nothing_is_there_twice() {
    let mut runs = 0;
    for seed in 1..=seeds() {
        runs += one(seed).await;
    }
    assert!(runs >= seeds() as usize);
}

async fn one(seed: u64) -> usize {
    let cast = Cast::start();
    let stage = cast.stage().seed(seed).build().unwrap();
    let secret = stage.secret("canary-of-the-soak");
    let stack = stage.load(&cast.spec(RECORDS, &secret)).unwrap();
    for (index, proxy) in cast.proxies.iter().enumerate() {
        proxy.random(seed * 16 + index as u64, 0.1, &faults());
        // Now and then, no answer at all.
        if seed % 10 == index as u64 {
            proxy.on(Match::any().nth(5), Fault::LandsAfterDeath);
        }
    }
    let mut said = Vec::new();
    for run in 1..=MOST_RUNS {
        match stage.apply(&stack).await {
            Ok(report) if report.end.result == RunResult::Succeeded => {
                return settled(seed, run, &cast, &stage, &stack).await;
            }
            Ok(report) => said.push(format!("{run}: {:?}", report.end.error)),
            Err(error) => said.push(format!("{run}: {error:?}")),
        }
    }
    panic!("seed {seed} does not converge:\n{}", said.join("\n"));
}

/// In calm weather, there is nothing left to do, and nothing is there twice.
async fn settled(
    seed: u64,
    runs: usize,
    cast: &Cast,
    stage: &fabrik_testkit::stack::Stage,
    stack: &std::sync::Arc<fabrik_core::stack::Stack>,
) -> usize {
    for proxy in &cast.proxies {
        proxy.heal();
    }
    let plan = stage.plan(stack).await.unwrap();
    assert!(
        plan.is_empty(),
        "seed {seed}: {}",
        fabrik_testkit::stack::said(&plan)
    );
    assert_eq!(cast.counts(), expected(), "seed {seed}");
    runs
}

fn expected() -> serde_json::Value {
    serde_json::json!({
        "zones": ["example.com"],
        "records": RECORDS,
        // SOA is a set of its own.
        "inner": RECORDS / 10 + 1,
        "projects": 1,
        "applications": 1,
        "services": 1,
        "monitors": 2,
        "pages": 1,
    })
}
