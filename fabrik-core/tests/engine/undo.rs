//! Rollback where something has another value, or another address, than before the run.

use fabrik_core::address::Address;
use fabrik_core::engine::{Fault, Recovered};
use fabrik_core::error::ErrorKind;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::stack::{Declared, Moved, SecretDecl, Stack};
use fabrik_core::state::RunResult;
use fabrik_core::value::Value;

use crate::cloud::{World, refer, stack, thing, thing_of};

fn at(id: &str) -> Address {
    Address::resource(id).unwrap()
}

fn fails(id: &str) -> Fault {
    Fault::FailStep {
        address: at(id),
        verb: None,
        kind: ErrorKind::Quota,
    }
}

/// `a` holds a secret; `value` is another field of it.
fn with_secret(value: &str) -> Stack {
    let mut a = thing("a", value);
    let secret = Value::from(Expr::from(Reference::secret("S")));
    a.inputs = a
        .inputs
        .with(&fabrik_core::value::Path::key("secret"), secret);
    let mut stack = stack([a]);
    let declared = SecretDecl {
        name: "S".into(),
        from: None,
        length: 32,
        required: false,
        span: None,
    };
    stack.secrets.insert("S".into(), declared);
    stack
}

/// And `last`, which comes after `a`.
fn and_last(mut stack: Stack) -> Stack {
    let mut last = thing("last", "1");
    last.depends_on = vec![at("a")];
    stack.declare(last).unwrap();
    stack
}

fn secret_of(world: &World) -> Option<String> {
    let things = world.cloud.things.lock().unwrap();
    let a = things.values().find(|stored| stored.spec.name == "a");
    a.unwrap().spec.secret.clone()
}

#[tokio::test]
async fn a_secret_comes_back_as_it_was_sent() {
    let world = World::new();
    world.apply(&with_secret("1")).await;
    let before = secret_of(&world);
    assert!(before.is_some());
    world.engine.rotate_secret("S", 32).await.unwrap();

    let report = world
        .apply_with(&and_last(with_secret("2")), vec![fails("last")])
        .await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1"]);
    assert_eq!(secret_of(&world), before);

    // And the new value goes out with the next run.
    world.apply(&with_secret("1")).await;
    assert_ne!(secret_of(&world), before);
}

#[tokio::test]
async fn a_secret_that_left_the_spec_comes_back() {
    let world = World::new();
    world.apply(&with_secret("1")).await;
    let before = secret_of(&world);

    let without = and_last(stack([thing("a", "2")]));
    let report = world.apply_with(&without, vec![fails("last")]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1"]);
    assert_eq!(secret_of(&world), before);
    assert!(world.plan(&with_secret("1")).await.is_empty());
}

#[tokio::test]
async fn a_rollback_that_knows_no_spec_finds_secrets() {
    let world = World::new();
    world.apply(&with_secret("1")).await;
    let before = secret_of(&world);
    let stuck = Fault::FailUndo {
        address: at("a"),
        times: 1000,
    };
    let second = and_last(with_secret("2"));
    let report = world.apply_with(&second, vec![fails("last"), stuck]).await;
    assert_eq!(report.end.result, RunResult::Stuck, "{report:?}");
    assert!(
        report.end.left[0].starts_with("resources.a could not be taken back"),
        "{report:?}"
    );
    let recovered = world.engine.recover(None, true).finish().await.unwrap();
    let Recovered::RolledBack(report) = recovered else {
        panic!("{recovered:?}")
    };
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.names(), ["a=1"]);
    assert_eq!(secret_of(&world), before);
}

/// A thing with a name of its own in the whole service, so that it is deleted before it is made
/// anew.
fn named(id: &str, name: &str) -> Declared {
    let inputs = Value::map([("name", Value::from(name)), ("value", Value::from("1"))]);
    Declared::new(at(id), "test.named", inputs)
}

#[tokio::test]
async fn what_moved_and_was_made_anew_comes_back_where_it_was() {
    let world = World::new();
    let first = stack([named("old", "one"), thing_of("user", refer("old", "id"))]);
    world.apply(&first).await;

    let mut second = stack([named("new", "two"), thing_of("user", refer("new", "id"))]);
    second.moved.push(Moved {
        from: "resources.old".into(),
        to: "resources.new".into(),
    });
    for failing in ["new", "user"] {
        let report = world.apply_with(&second, vec![fails(failing)]).await;
        assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
        let names = world.cloud.names();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(world.plan(&first).await.is_empty(), "{failing}");
    }
}

/// What was looked up is nowhere in state; who refers to it is restored as it was sent.
#[tokio::test]
async fn what_refers_to_something_looked_up_is_restored() {
    let world = World::new();
    let stack_of = |secret: &str| {
        let name = Value::map([("name", Value::from("here"))]);
        let mut a = thing_of("a", refer("place", "place"));
        let field = fabrik_core::value::Path::key("secret");
        a.inputs = a.inputs.with(&field, Value::from(secret));
        let mut last = thing("last", secret);
        last.depends_on = vec![at("a")];
        stack([Declared::new(at("place"), "test.place", name), a, last])
    };
    world.apply(&stack_of("one")).await;
    assert_eq!(world.cloud.names(), ["a=at here", "last=one"]);
    let report = world
        .apply_with(&stack_of("two"), vec![fails("last")])
        .await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:#?}");
    assert_eq!(secret_of(&world).as_deref(), Some("one"));
    assert!(world.plan(&stack_of("one")).await.is_empty());
}
