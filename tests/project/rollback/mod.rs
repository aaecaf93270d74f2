//! Every example, applied, changed and taken away, with each step and each check failed in turn,
//! each reply lost and each undo failed: the world is as it was before, or the run is stuck, says
//! what is left, and resuming finishes it.
//!
//! The engine runs in this process, over the real local provider and its agent.

mod cases;
mod picture;
mod stage;

use std::collections::BTreeSet;

use fabrik_core::address::Address;
use fabrik_core::engine::{Fault, Recovered, RunReport};
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::{Action, Plan};
use fabrik_core::provider::Verb;
use fabrik_core::state::RunResult;

use cases::Case;
use picture::Picture;
use stage::{JUDGE, Stage, Version};

/// More often than any rollback tries.
const ALWAYS: u32 = 1000;

/// From which version to which.
const WAYS: [(Version, Version); 4] = [
    (Version::Nothing, Version::First),
    (Version::First, Version::Second),
    (Version::Second, Version::First),
    (Version::First, Version::Nothing),
];

/// One way of an example, and how the world is at both of its ends.
struct Way<'a> {
    stage: &'a Stage,
    from: Version,
    to: Version,
    before: Picture,
    after: Picture,
}

/// What was failed at least once.
#[derive(Debug, Default)]
struct Failed {
    steps: usize,
    checks: BTreeSet<String>,
    undos: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environments_staging() {
    holds(&cases::STAGING).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn environments_production() {
    holds(&cases::PRODUCTION).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files() {
    holds(&cases::FILES).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hello() {
    holds(&cases::HELLO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn service() {
    holds(&cases::SERVICE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify() {
    holds(&cases::VERIFY).await;
}

#[test]
fn every_example_is_here() {
    let mut here: Vec<String> = cases::ALL
        .iter()
        .map(|case| format!("{}/{}", case.folder, case.file))
        .collect();
    here.dedup();
    let specs: Vec<&str> = crate::examples::SPECS
        .iter()
        .map(|(file, _)| *file)
        .collect();
    assert_eq!(here, specs);
}

async fn holds(case: &'static Case) {
    let stage = Stage::new(case);
    let mut failed = Failed::default();
    for (from, to) in WAYS {
        stage.settle(to).await;
        let after = stage.picture().await;
        let before = stage.reset(from).await;
        let way = Way {
            stage: &stage,
            from,
            to,
            before,
            after,
        };
        way.fail_steps(&mut failed).await;
        way.lose_replies().await;
        if to != Version::Nothing {
            way.fail_checks(&mut failed).await;
            way.fail_undos(&mut failed).await;
        }
    }
    for version in [Version::First, Version::Second] {
        let checks = stage.stack(version).checks;
        let names: BTreeSet<_> = checks.iter().map(|check| check.name.clone()).collect();
        assert_eq!(names.len(), checks.len(), "checks of one name: {names:?}");
    }
    let checks: BTreeSet<String> = [Version::First, Version::Second]
        .into_iter()
        .flat_map(|version| stage.stack(version).checks)
        .map(|check| check.name.to_string())
        .collect();
    assert_eq!(failed.checks, checks, "checks that were never failed");
    assert!(failed.steps > 0 && failed.undos > 0, "{failed:?}");
    stage.settle(Version::Nothing).await;
    stage.end().await;
}

impl Way<'_> {
    async fn fail_steps(&self, failed: &mut Failed) {
        for (address, verb) in steps(&self.stage.plan(self.to).await) {
            let what = format!("{self}: {verb:?} of {address} fails");
            let fault = Fault::FailStep {
                address: address.clone(),
                verb: Some(verb),
                kind: ErrorKind::Quota,
            };
            let report = self.stage.run(self.to, vec![fault]).await;
            match report.end.result {
                RunResult::RolledBack => self.is_as_before(&what).await,
                // What is deleted last is past the point of return: the next apply goes on.
                RunResult::Failed if verb == Verb::Delete => {
                    assert!(
                        names(&report, &address),
                        "{what}: it does not say what is left: {report:#?}"
                    );
                    self.stage.settle(self.to).await;
                    self.stage.picture().await.must_be(&self.after, &what);
                    self.reset(&what).await;
                }
                _ => panic!("{what}: {report:#?}"),
            }
            failed.steps += 1;
        }
    }

    async fn lose_replies(&self) {
        for address in touched(&self.stage.plan(self.to).await) {
            let what = format!("{self}: the reply for {address} is lost");
            let fault = Fault::LoseReply {
                address: address.clone(),
            };
            let report = self.stage.run(self.to, vec![fault]).await;
            assert_eq!(
                report.end.result,
                RunResult::Succeeded,
                "{what}: {report:#?}"
            );
            self.stage.picture().await.must_be(&self.after, &what);
            self.reset(&what).await;
        }
    }

    async fn fail_checks(&self, failed: &mut Failed) {
        for check in &self.stage.stack(self.to).checks {
            let what = format!("{self}: check {} fails", check.name);
            let report = self.stage.run(self.to, vec![fail_check(&check.name)]).await;
            if report.checks.iter().all(|made| made.name != check.name) {
                // It tells about nothing that changes here.
                self.reset(&what).await;
                continue;
            }
            assert_eq!(
                report.end.result,
                RunResult::RolledBack,
                "{what}: {report:#?}"
            );
            self.is_as_before(&what).await;
            failed.checks.insert(check.name.to_string());
        }
    }

    /// A check fails when all else is done, and then the way back fails: once, and for good.
    async fn fail_undos(&self, failed: &mut Failed) {
        let plan = self.stage.plan(self.to).await;
        for address in touched(&plan) {
            // What was moved and is made anew is so at its address of before.
            let moved = plan.stack.moved.iter();
            let was = moved.filter(|moved| moved.to == address.as_str());
            let was = was.map(|moved| Address::parse(&moved.from).unwrap());
            let addresses: Vec<Address> = was.chain([address.clone()]).collect();
            let undo = |times| {
                let fault = |address: &Address| Fault::FailUndo {
                    address: address.clone(),
                    times,
                };
                addresses.iter().map(fault).collect::<Vec<_>>()
            };
            let what = format!("{self}: undoing {address} fails once");
            let faults = [vec![fail_check(JUDGE)], undo(1)].concat();
            let report = self.stage.run(self.to, faults).await;
            assert_eq!(
                report.end.result,
                RunResult::RolledBack,
                "{what}: {report:#?}"
            );
            self.is_as_before(&what).await;

            let what = format!("{self}: undoing {address} fails");
            let faults = [vec![fail_check(JUDGE)], undo(ALWAYS)].concat();
            let report = self.stage.run(self.to, faults).await;
            if report.end.result == RunResult::RolledBack {
                assert!(
                    only_deleted(&plan, &address),
                    "{what}: it was never undone: {report:#?}"
                );
                self.is_as_before(&what).await;
                continue;
            }
            stuck(&report, &addresses, &what);
            // Still so when it is resumed; and then it works.
            let again = self.stage.resume(undo(ALWAYS)).await;
            let Recovered::RolledBack(again) = again else {
                panic!("{what}, resumed: {again:#?}")
            };
            stuck(&again, &addresses, &what);
            let done = self.stage.resume(Vec::new()).await;
            let Recovered::RolledBack(done) = done else {
                panic!("{what}, resumed twice: {done:#?}")
            };
            assert_eq!(done.end.result, RunResult::RolledBack, "{what}: {done:#?}");
            assert_eq!(done.end.left, Vec::<String>::new(), "{what}");
            self.is_as_before(&what).await;
            failed.undos += 1;
        }
    }

    async fn is_as_before(&self, what: &str) {
        self.stage.picture().await.must_be(&self.before, what);
    }

    /// Back to where this way begins, which is where it began.
    async fn reset(&self, what: &str) {
        let now = self.stage.reset(self.from).await;
        now.must_be(&self.before, &format!("{what}, and was set back"));
    }
}

impl std::fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "from {:?} to {:?}", self.from, self.to)
    }
}

fn fail_check(name: &str) -> Fault {
    Fault::FailCheck {
        name: name.to_owned(),
    }
}

fn names(report: &RunReport, address: &Address) -> bool {
    let left = &report.end.left;
    left.iter().any(|line| line.contains(address.as_str()))
}

#[track_caller]
fn stuck(report: &RunReport, addresses: &[Address], what: &str) {
    assert_eq!(report.end.result, RunResult::Stuck, "{what}: {report:#?}");
    assert!(
        addresses.iter().any(|address| names(report, address)),
        "{what}: it does not say what is left: {report:#?}"
    );
}

/// Each operation of a plan.
fn steps(plan: &Plan) -> Vec<(Address, Verb)> {
    let verbs = |action: &Action| match action {
        Action::Create => vec![Verb::Create],
        Action::Update | Action::Adopt | Action::Import => vec![Verb::Update],
        Action::Replace { .. } => vec![Verb::Create, Verb::Delete],
        Action::Delete => vec![Verb::Delete],
        Action::Run => vec![Verb::Run],
        Action::Move { .. } | Action::Forget | Action::Read | Action::Accept => Vec::new(),
    };
    plan.changes
        .iter()
        .flat_map(|change| {
            verbs(&change.action)
                .into_iter()
                .map(|verb| (change.address.clone(), verb))
        })
        .collect()
}

/// Each address that something is done to.
fn touched(plan: &Plan) -> BTreeSet<Address> {
    steps(plan)
        .into_iter()
        .map(|(address, _)| address)
        .collect()
}

fn only_deleted(plan: &Plan, address: &Address) -> bool {
    plan.changes
        .iter()
        .filter(|change| change.address == *address)
        .all(|change| change.action == Action::Delete)
}
