//! A thousand records: made, resolved, changed, broken by hand, repaired, deleted.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::world::{World, ZONE, set, zone};

const RECORDS: usize = 1000;

fn wanted(change: usize) -> Json {
    let mut all = serde_json::Map::new();
    all.insert("zone".to_owned(), zone("example.com"));
    for at in 0..RECORDS {
        let name = format!("host-{at}");
        all.insert(name.clone(), set(ZONE, &name, "A", &[&address(at, change)]));
    }
    all.into()
}

/// Every fifth changes.
fn address(at: usize, change: usize) -> String {
    let change = if at.is_multiple_of(5) { change } else { 0 };
    format!("10.{change}.{}.{}", at / 250, at % 250)
}

async fn twenty_resolve(world: &World, change: usize) {
    for at in (0..RECORDS).step_by(RECORDS / 20) {
        let name = format!("host-{at}.example.com");
        world
            .resolves(&name, "A", &[&address(at, change)])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_thousand_records() {
    let world = World::new();
    let begun = Instant::now();
    let count = |from: usize, method: &str| {
        let requests = world.requests(from);
        requests
            .iter()
            .filter(|one| one.starts_with(method))
            .count()
    };

    let first = world.stack(wanted(0));
    world.stage.settle(&first).await.unwrap();
    assert_eq!(count(0, "PATCH"), 1);
    twenty_resolve(&world, 0).await;

    let before = world.proxy.seen();
    let second = world.stack(wanted(1));
    world.stage.settle(&second).await.unwrap();
    assert_eq!(count(before, "PATCH"), 1);
    twenty_resolve(&world, 1).await;

    // By hand: 30 changed, 30 deleted, 5 that are nobody's.
    for at in 0..30 {
        world.server.set(
            "example.com",
            &format!("host-{at}.example.com."),
            "A",
            60,
            &["192.0.2.66"],
        );
        world.server.unset(
            "example.com",
            &format!("host-{}.example.com.", at + 500),
            "A",
        );
    }
    for at in 0..5 {
        world.server.set(
            "example.com",
            &format!("other-{at}.example.com."),
            "A",
            60,
            &["192.0.2.9"],
        );
    }
    assert!(
        world
            .resolves("host-0.example.com", "A", &[&address(0, 1)])
            .await
            .is_err()
    );
    let before = world.proxy.seen();
    let plan = world.stage.plan(&second).await.unwrap();
    assert_eq!(plan.drift.len(), 60);
    assert_eq!(plan.changes.len(), 60);
    let reads = world.requests(before).len();
    assert!(
        reads <= 10,
        "a refresh of {RECORDS} records took {reads} requests"
    );
    world.stage.settle(&second).await.unwrap();
    twenty_resolve(&world, 1).await;
    world
        .resolves("other-1.example.com", "A", &["192.0.2.9"])
        .await
        .unwrap();

    world.stage.destroy(&second).await.unwrap();
    assert_eq!(world.server.dump(), json!({}));
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(100), "{took:?}");
}
