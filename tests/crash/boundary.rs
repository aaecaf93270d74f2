//! Runs broken off at every write to the journal, in this process and in virtual time.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::clock::VirtualClock;
use fabrik_core::engine::{ApplyOptions, Engine, Fault, Faults, PlanOptions, Recovered, RunReport};
use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::secrets::Key;
use fabrik_core::stack::Stack;
use fabrik_core::state::{LockPolicy, MemoryStore, RunResult};
use fabrik_provider_memory::{Behaviour, Cloud, Thing, provider};

use crate::judge;
use crate::wanted::{Version, address, plant, stack};

const SIZE: usize = 20;
/// More than any run here writes.
const MOST: u64 = 500;

/// Just before or just after a write.
type Crash = fn(u64) -> Fault;
const CRASHES: [(&str, Crash); 2] = [
    ("before", Fault::CrashBeforeAppend),
    ("after", Fault::CrashAfterAppend),
];

/// From which version to which, and whether a step fails on the way.
#[derive(Clone, Copy, Debug)]
struct Way {
    from: Version,
    to: Version,
    fails: Option<&'static str>,
}

const fn way(from: Version, to: Version, fails: Option<&'static str>) -> Way {
    Way { from, to, fails }
}

const WAYS: [Way; 3] = [
    way(Version::Empty, Version::One, None),
    way(Version::One, Version::Two, None),
    way(Version::Two, Version::Empty, None),
];

/// The failing step comes late, so that there is much to take back.
const ROLLBACKS: [Way; 2] = [
    way(Version::Empty, Version::One, Some("old0")),
    way(Version::One, Version::Two, Some("new0")),
];

struct World {
    cloud: Cloud,
    engine: Engine,
    foreign: Vec<Thing>,
}

fn faults(faults: Vec<Fault>) -> ApplyOptions {
    ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    }
}

impl World {
    /// A world in which the version stands.
    async fn with(version: Version) -> World {
        let clock = VirtualClock::default();
        let cloud = Cloud::with_clock(Arc::new(clock.clone()));
        let foreign = plant(&cloud, SIZE);
        let engine = Engine::builder()
            .provider(provider(cloud.clone()))
            .store(MemoryStore::new("crash", "default"))
            .key(Key::new([7; 32]))
            .clock(clock)
            .lock(LockPolicy {
                timeout: Duration::from_secs(600),
                ..LockPolicy::default()
            })
            .build()
            .unwrap();
        let world = World {
            cloud,
            engine,
            foreign,
        };
        if version != Version::Empty {
            let report = world.apply(version, Vec::new()).await.unwrap();
            assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
        }
        // What is under way when a run dies lands after it.
        world.cloud.behave(Behaviour {
            latency: Duration::from_millis(4),
            ..Behaviour::default()
        });
        world
    }

    async fn apply(&self, version: Version, with: Vec<Fault>) -> Result<RunReport> {
        let options = PlanOptions {
            destroy: version == Version::Empty,
            allow_data_loss: vec!["**".to_owned()],
            ..PlanOptions::default()
        };
        let plan = self
            .engine
            .plan(stack(version, SIZE), &options)
            .await
            .unwrap();
        let report = self.engine.apply(plan, faults(with)).finish().await;
        // Time is not real here: what lands late does so before anything else happens.
        self.cloud.quiet().await;
        report
    }

    async fn recover(&self, wanted: Arc<Stack>, with: Vec<Fault>) -> Result<Recovered> {
        let run = self.engine.recover_with(Some(wanted), false, faults(with));
        let recovered = run.finish().await;
        self.cloud.quiet().await;
        recovered
    }

    async fn judge(&self, version: Version, about: &str) -> Vec<String> {
        let wanted = stack(version, SIZE);
        let wrong = judge::faults(&self.engine, &self.cloud, &self.foreign, &wanted).await;
        wrong
            .into_iter()
            .map(|line| format!("{about}: {line}"))
            .collect()
    }

    /// Runs again without faults; gives what is wrong then.
    async fn again(&self, way: Way, about: &str) -> Vec<String> {
        let recovered = match self.recover(stack(way.to, SIZE), Vec::new()).await {
            Ok(recovered) => recovered,
            Err(error) => return vec![format!("{about}: recovering: {error:?}")],
        };
        let mut wrong = Vec::new();
        match &recovered {
            Recovered::RolledBack(report) => {
                if report.end.result != RunResult::RolledBack {
                    wrong.push(format!("{about}: the rollback ended so: {report:?}"));
                }
                wrong.extend(self.judge(way.from, &format!("{about}, rolled back")).await);
            }
            Recovered::Kept { unsure, .. } if !unsure.is_empty() => {
                wrong.push(format!("{about}: unsure of {unsure:?}"));
            }
            _ => {}
        }
        match self.apply(way.to, Vec::new()).await {
            Ok(report) if report.end.result == RunResult::Succeeded => {}
            other => wrong.push(format!("{about}, {recovered:?}: the next apply: {other:?}")),
        }
        wrong.extend(self.judge(way.to, about).await);
        wrong
    }
}

fn step_that_fails(way: Way) -> Vec<Fault> {
    let fail = |id: &'static str| Fault::FailStep {
        address: address(id),
        verb: None,
        kind: ErrorKind::Invalid,
    };
    way.fails.map(fail).into_iter().collect()
}

/// Whether the run got to its end uncrashed.
fn ended<T: std::fmt::Debug>(result: &Result<T>, about: &str) -> bool {
    match result {
        Ok(_) => true,
        Err(error) if error.code_text() == Some("CRASH") => false,
        Err(error) => panic!("{about}: {error:?}"),
    }
}

fn report(boundaries: u64, wrong: &[String]) {
    println!("{boundaries} boundaries");
    let text: String = wrong
        .iter()
        .take(20)
        .map(|line| format!("{line:.1500}\n"))
        .collect();
    assert!(wrong.is_empty(), "{} faults:\n{text}", wrong.len());
}

async fn every_boundary(ways: &[Way]) {
    let (mut boundaries, mut wrong) = (0, Vec::new());
    for way in ways {
        for (word, crash) in CRASHES {
            for n in 1..MOST {
                let about = format!("{way:?} {word} {n}");
                let world = World::with(way.from).await;
                let mut with = step_that_fails(*way);
                with.push(crash(n));
                if ended(&world.apply(way.to, with).await, &about) {
                    break;
                }
                boundaries += 1;
                wrong.extend(world.again(*way, &about).await);
            }
        }
    }
    report(boundaries, &wrong);
}

#[tokio::test]
async fn a_run_broken_off_anywhere() {
    every_boundary(&WAYS).await;
}

#[tokio::test]
async fn a_rollback_broken_off_anywhere() {
    every_boundary(&ROLLBACKS).await;
}

#[tokio::test]
async fn a_recovery_broken_off_anywhere() {
    let (mut boundaries, mut wrong) = (0, Vec::new());
    for way in WAYS.iter().chain(&ROLLBACKS) {
        for n in 1..MOST {
            let mut last = false;
            for (word, crash) in CRASHES {
                for m in 1..MOST {
                    let about = format!("{way:?} at {n}, recovery {word} {m}");
                    let world = World::with(way.from).await;
                    let mut with = step_that_fails(*way);
                    with.push(Fault::CrashAfterAppend(n));
                    last = ended(&world.apply(way.to, with).await, &about);
                    if last {
                        break;
                    }
                    let recovered = world.recover(stack(way.to, SIZE), vec![crash(m)]).await;
                    if ended(&recovered, &about) {
                        break;
                    }
                    boundaries += 1;
                    wrong.extend(world.again(*way, &about).await);
                }
            }
            if last {
                break;
            }
        }
    }
    report(boundaries, &wrong);
}
