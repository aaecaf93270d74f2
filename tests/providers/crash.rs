//! A process that dies at any moment of a run, with each service.

use std::time::Duration;

use fabrik_core::engine::{ApplyOptions, Fault, Faults};
use fabrik_core::state::RunResult;

use crate::cast::Cast;

/// Records are few: every moment of the run is a run of its own.
const FEW: usize = 4;

/// Before and after each append to the journal, the process dies; the next run goes on, and the
/// services end as if nothing had happened.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_any_append_leaves_nothing_twice() {
    let calm = Cast::start();
    let stage = calm.stage().build().unwrap();
    let secret = stage.secret("canary-of-the-crash");
    let stack = stage.load(&calm.spec(FEW, &secret)).unwrap();
    stage.settle(&stack).await.unwrap();
    let expected = calm.counts();
    let mut moments = 0;
    for append in 1.. {
        let mut died = false;
        for fault in [
            Fault::CrashBeforeAppend(append),
            Fault::CrashAfterAppend(append),
        ] {
            died |= one(&fault, append, &expected).await;
            moments += 1;
        }
        if !died {
            break;
        }
    }
    assert!(moments > 20, "{moments}");
}

/// Whether the run died before its end.
async fn one(fault: &Fault, seed: u64, expected: &serde_json::Value) -> bool {
    let cast = Cast::start();
    let stage = cast.stage().seed(seed).build().unwrap();
    let secret = stage.secret("canary-of-the-crash");
    let stack = stage.load(&cast.spec(FEW, &secret)).unwrap();
    let plan = stage.plan(&stack).await.unwrap();
    let options = ApplyOptions {
        faults: Faults(vec![fault.clone()]),
        ..ApplyOptions::default()
    };
    let ended = stage.follow(stage.engine().apply(plan, options)).await;
    let died = !matches!(&ended, Ok(report) if report.end.result == RunResult::Succeeded);
    // Time is virtual, the wire is not: what was sent before the death arrives before we look.
    tokio::time::sleep(Duration::from_millis(150)).await;
    stage
        .settle(&stack)
        .await
        .unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
    assert_eq!(cast.counts(), *expected, "{fault:?}");
    died
}
