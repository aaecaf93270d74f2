//! Rollback as a property: random stacks with drift, foreign objects, updates, replacements,
//! adoptions, deletes and moves; each step failed in turn, each check, each undo.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::engine::{ApplyOptions, Fault, Faults, PlanOptions, Recovered, RunReport};
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Plan;
use fabrik_core::stack::{Declared, Moved, Options, Stack};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;

use crate::cloud::{Stored, ThingSpec, World, refer};

/// A small repeatable source of choices.
struct Choice(u64);

impl Choice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// One wanted thing, before it becomes a declaration.
#[derive(Clone, Debug)]
struct Wish {
    id: String,
    name: String,
    value: String,
    refers: Option<String>,
    named: bool,
    adopt: bool,
}

fn declared(wish: &Wish) -> Declared {
    let value = match &wish.refers {
        Some(other) => refer(other, "id"),
        None => Value::from(wish.value.as_str()),
    };
    let kind = if wish.named {
        "test.named"
    } else {
        "test.thing"
    };
    let inputs = Value::map([("name", Value::from(wish.name.as_str())), ("value", value)]);
    let mut declared = Declared::new(Address::resource(&wish.id).unwrap(), kind, inputs);
    declared.options = Arc::new(Options {
        adopt: wish.adopt,
        ..Options::default()
    });
    declared
}

fn stack_of(wishes: &[Wish], moved: Vec<Moved>) -> Stack {
    let mut stack = Stack::new("test");
    for wish in wishes {
        stack.declare(declared(wish)).unwrap();
    }
    stack.moved = moved;
    stack
}

struct Case {
    first: Vec<Wish>,
    drift: Vec<(usize, u64)>,
    second: Vec<Wish>,
    moved: Vec<Moved>,
}

fn case(seed: u64) -> Case {
    let mut choice = Choice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678);
    let n = 2 + choice.below(6);
    let mut first: Vec<Wish> = Vec::new();
    for at in 0..n {
        let refers = (at > 0 && choice.one_in(2)).then(|| format!("r{}", choice.below(at)));
        first.push(Wish {
            id: format!("r{at}"),
            name: format!("n{at}"),
            value: format!("v{}", choice.below(3)),
            refers,
            named: choice.one_in(3),
            adopt: false,
        });
    }
    let drift = (0..choice.below(3))
        .map(|_| (usize::try_from(choice.below(n)).unwrap(), choice.below(3)))
        .collect();
    let mut second = first.clone();
    let mut moved = Vec::new();
    // Some leave: those nobody who stays refers to.
    for at in (0..second.len()).rev() {
        let used = second
            .iter()
            .any(|wish| wish.refers.as_deref() == Some(&second[at].id));
        if !used && choice.one_in(4) {
            second.remove(at);
        }
    }
    for at in 0..second.len() {
        match choice.below(6) {
            0 => second[at].value = format!("w{}", choice.below(3)),
            1 => second[at].name = format!("{}x", second[at].name),
            2 => second[at].refers = None,
            3 => {
                let (old, new) = (second[at].id.clone(), format!("{}m", second[at].id));
                moved.push(Moved {
                    from: format!("resources.{old}"),
                    to: format!("resources.{new}"),
                });
                for wish in &mut second {
                    if wish.refers.as_deref() == Some(&old) {
                        wish.refers = Some(new.clone());
                    }
                }
                second[at].id = new;
                // Some move and are made anew.
                if choice.one_in(2) {
                    second[at].name = format!("{}y", second[at].name);
                }
            }
            _ => {}
        }
    }
    for at in 0..choice.below(3) {
        let refers = (!second.is_empty() && choice.one_in(2)).then(|| {
            second[usize::try_from(choice.below(second.len() as u64)).unwrap()]
                .id
                .clone()
        });
        second.push(Wish {
            id: format!("new{at}"),
            name: format!("new{at}"),
            value: "v".into(),
            refers,
            named: choice.one_in(2),
            adopt: false,
        });
    }
    if choice.one_in(2) {
        // A foreign object is adopted.
        second.push(Wish {
            id: "adopted".into(),
            name: "foreign".into(),
            value: format!("a{}", choice.below(2)),
            refers: None,
            named: true,
            adopt: true,
        });
    }
    Case {
        first,
        drift,
        second,
        moved,
    }
}

/// The world as a person sees it: names and values, ids replaced by the names they stand for.
fn dump(world: &World) -> Vec<String> {
    let things = world.cloud.things.lock().unwrap();
    let mut lines: Vec<String> = things
        .values()
        .map(|stored| {
            let value = &stored.spec.value;
            let value = match things.get(value) {
                Some(target) => format!("->{}", target.spec.name),
                None if value.starts_with("id") => format!("DANGLING {value}"),
                None => value.clone(),
            };
            format!("{}:{}={value}", stored.exclusive, stored.spec.name)
        })
        .collect();
    lines.sort();
    lines
}

fn put_foreign(world: &World, id: &str, name: &str, exclusive: bool) {
    let spec = ThingSpec {
        name: name.into(),
        value: "theirs".into(),
        secret: None,
    };
    world.cloud.things.lock().unwrap().insert(
        id.into(),
        Stored {
            mark: None,
            spec,
            exclusive,
        },
    );
}

/// A world after the first apply and the drift that followed.
async fn prepared(case: &Case) -> World {
    let world = World::new();
    put_foreign(&world, "x-foreign", "foreign", true);
    for wish in &case.first {
        if !wish.named {
            put_foreign(&world, &format!("x-{}", wish.name), &wish.name, false);
        }
    }
    let report = world.apply(&stack_of(&case.first, Vec::new())).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    for (at, kind) in &case.drift {
        let name = &case.first[*at].name;
        let mut things = world.cloud.things.lock().unwrap();
        let ours = things
            .iter()
            .find(|(_, stored)| stored.spec.name == *name && stored.mark.is_some())
            .map(|(id, _)| id.clone());
        let Some(id) = ours else { continue };
        match kind {
            0 => _ = things.remove(&id),
            _ => things.get_mut(&id).unwrap().spec.value = "drifted".into(),
        }
    }
    world
}

async fn plan(world: &World, case: &Case) -> Option<Plan> {
    let stack = Arc::new(stack_of(&case.second, case.moved.clone()));
    let plan = world
        .engine
        .plan(stack, &PlanOptions::default())
        .await
        .unwrap();
    (plan.blocking().next().is_none() && !plan.is_empty()).then_some(plan)
}

async fn run(world: &World, plan: Plan, faults: Vec<Fault>) -> RunReport {
    let options = ApplyOptions {
        faults: Faults(faults),
        ..ApplyOptions::default()
    };
    world.engine.apply(plan, options).finish().await.unwrap()
}

async fn fails_at_each_step(seed: u64) {
    let case = case(seed);
    let world = prepared(&case).await;
    let Some(planned) = plan(&world, &case).await else {
        return;
    };
    let addresses: Vec<Address> = planned
        .changes
        .iter()
        .filter(|change| !change.action.is_state_only())
        .map(|change| change.address.clone())
        .collect();
    for address in addresses {
        let world = prepared(&case).await;
        let before = dump(&world);
        let plan = plan(&world, &case).await.unwrap();
        let fault = Fault::FailStep {
            address: address.clone(),
            verb: None,
            kind: ErrorKind::Quota,
        };
        let report = run(&world, plan, vec![fault]).await;
        let after = dump(&world);
        match report.end.result {
            RunResult::RolledBack => {
                assert_eq!(
                    after, before,
                    "seed {seed}, failed {address}: {report:#?}\n{:#?}",
                    world.cloud.log
                );
                // State agrees with the world: what is missing is planned, nothing else is.
                let stack = stack_of(&case.first, Vec::new());
                let again = world.apply(&stack).await;
                assert_eq!(
                    again.end.result,
                    RunResult::Succeeded,
                    "seed {seed} {address}: {again:?}"
                );
                assert!(world.plan(&stack).await.is_empty(), "seed {seed} {address}");
                assert!(
                    !dump(&world).iter().any(|line| line.contains("DANGLING")),
                    "seed {seed} {address}"
                );
            }
            // Only a second-phase step (a delete) is past the point of return.
            RunResult::Failed => assert!(
                !report.end.left.is_empty(),
                "seed {seed} {address}: {report:?}"
            ),
            // The failing half of a replacement was not needed after all.
            RunResult::Succeeded => {}
            other => panic!("seed {seed}, failed {address}: {other:?} {report:#?}"),
        }
        let foreign = world.cloud.things.lock().unwrap();
        for wish in case.first.iter().filter(|wish| !wish.named) {
            assert_eq!(
                foreign[&format!("x-{}", wish.name)].spec.value,
                "theirs",
                "seed {seed} {address}"
            );
        }
    }
}

async fn stuck_then_resumed(seed: u64) {
    let case = case(seed);
    let world = prepared(&case).await;
    let Some(planned) = plan(&world, &case).await else {
        return;
    };
    let Some(last) = planned
        .changes
        .iter()
        .rev()
        .find(|change| !change.action.is_state_only())
    else {
        return;
    };
    let failing = last.address.clone();
    let undone: Vec<Address> = planned
        .changes
        .iter()
        .filter(|change| change.address != failing && !change.action.is_state_only())
        .map(|change| change.address.clone())
        .collect();
    for address in undone {
        let world = prepared(&case).await;
        let before = dump(&world);
        let plan = plan(&world, &case).await.unwrap();
        let faults = vec![
            Fault::FailStep {
                address: failing.clone(),
                verb: None,
                kind: ErrorKind::Quota,
            },
            Fault::FailUndo {
                address: address.clone(),
                times: 1000,
            },
        ];
        let report = run(&world, plan, faults).await;
        if report.end.result != RunResult::Stuck {
            continue;
        }
        assert!(
            report.end.left.iter().any(|line| line
                .contains(address.as_str().split('m').next().unwrap())
                || line.contains("resources.")),
            "seed {seed}: {report:?}"
        );
        let recovered = world.engine.recover(None, true).finish().await.unwrap();
        let Recovered::RolledBack(report) = recovered else {
            panic!("seed {seed}: {recovered:?}")
        };
        assert_eq!(
            report.end.result,
            RunResult::RolledBack,
            "seed {seed} {address}: {report:?}"
        );
        assert_eq!(
            dump(&world),
            before,
            "seed {seed} {address}: {:#?}",
            world.cloud.log
        );
    }
}

const SEEDS: u64 = 150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_failed_step_is_taken_back() {
    for seed in 0..SEEDS {
        fails_at_each_step(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stuck_rollback_is_finished_by_resuming() {
    for seed in 0..SEEDS {
        stuck_then_resumed(seed).await;
    }
}

#[tokio::test]
async fn drift_before_the_run_comes_back_as_it_was() {
    let world = World::new();
    let a = |value: &str| crate::cloud::thing("a", value);
    world.apply(&crate::cloud::stack([a("1")])).await;
    let id = world
        .cloud
        .things
        .lock()
        .unwrap()
        .keys()
        .next()
        .unwrap()
        .clone();
    world
        .cloud
        .things
        .lock()
        .unwrap()
        .get_mut(&id)
        .unwrap()
        .spec
        .value = "by hand".into();
    let mut bad = crate::cloud::thing("b", "1");
    bad.depends_on = vec![Address::resource("a").unwrap()];
    let wanted = crate::cloud::stack([a("2"), bad]);
    let fault = Fault::FailStep {
        address: Address::resource("b").unwrap(),
        verb: None,
        kind: ErrorKind::Quota,
    };
    let report = world.apply_with(&wanted, vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=by hand"]);
}
