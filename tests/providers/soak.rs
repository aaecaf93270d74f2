//! A stack over all services while a tenth of all exchanges goes wrong.

use std::ops::RangeInclusive;
use std::time::Duration;

use fabrik_core::state::RunResult;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::{Fault, Match};

use crate::cast::{Cast, RECORDS};

/// How often a run may be repeated until it has gone through.
const MOST_RUNS: u64 = 40;

/// What goes wrong on a wire; sockets know no statuses.
fn faults(wire: Wire) -> Vec<Fault> {
    let mut faults = vec![
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::LandsLater(Duration::from_secs(2)),
    ];
    if wire == Wire::Http {
        faults.extend([
            Fault::status(500),
            Fault::status(500).forwarded(),
            Fault::status(503),
            Fault::status(429).header("retry-after", "1"),
            Fault::Truncate(20),
        ]);
    }
    faults
}

/// The seeds: those of `FABRIK_SOAK_SEEDS=FROM-TO`, else a few.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to soak is for whoever runs the test"
)]
fn seeds() -> RangeInclusive<u64> {
    let wanted = std::env::var("FABRIK_SOAK_SEEDS").ok();
    wanted
        .as_deref()
        .and_then(|text| text.split_once('-'))
        .and_then(|(from, to)| Some(from.parse().ok()?..=to.parse().ok()?))
        .unwrap_or(1..=1)
}

/// `FABRIK_SOAK_SEEDS=1-50` for more seeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenth_of_all_goes_wrong_and_nothing_is_there_twice() {
    for seed in seeds() {
        let runs = one(seed).await;
        assert!(runs >= 1);
        println!("seed {seed}: {runs} runs");
    }
}

async fn one(seed: u64) -> u64 {
    let cast = Cast::start();
    let stage = cast.stage().seed(seed).build().unwrap();
    let secret = stage.secret("canary-of-the-soak");
    let stack = stage.load(&cast.spec(RECORDS, &secret)).unwrap();
    for (index, (proxy, wire)) in cast.proxies.iter().enumerate() {
        proxy.random(seed * 16 + index as u64, 0.1, &faults(*wire));
        // Now and then, no answer at all.
        if seed % 10 == index as u64 {
            proxy.on(Match::any().nth(5), Fault::LandsAfterDeath);
        }
    }
    let mut said = Vec::new();
    for run in 1..=MOST_RUNS {
        cast.kuma.a_minute_later();
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
    runs: u64,
    cast: &Cast,
    stage: &fabrik_testkit::stack::Stage,
    stack: &std::sync::Arc<fabrik_core::stack::Stack>,
) -> u64 {
    for (proxy, _) in &cast.proxies {
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
        "inner": RECORDS / 10,
        // Two are there from the beginning.
        "hosts": 5,
        "projects": 1,
        "applications": 1,
        "services": 1,
        "monitors": 2,
        "pages": 1,
    })
}
