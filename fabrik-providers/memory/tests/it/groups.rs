//! Things that are written together.

use fabrik_core::engine::Fault as EngineFault;
use fabrik_core::error::ErrorKind;
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::stack::Declared;
use fabrik_core::state::RunResult;
use fabrik_core::value::{Path, Value};
use fabrik_provider_memory::{Does, Fault, Match, What};
use serde_json::json;

use crate::world::{World, at, refer, stack, thing, with};

fn record(id: &str, zone: &str, value: &str) -> Declared {
    thing(
        id,
        "record",
        &json!({"zone": zone, "name": id, "value": value}),
    )
}

#[tokio::test]
async fn a_zone_is_written_once_and_read_once() {
    let world = World::new();
    let wanted = |value: &str| {
        let of = |zone: &'static str| (0..6).map(move |at| (format!("{zone}{at}"), zone));
        let ids: Vec<(String, &str)> = of("a").chain(of("b")).collect();
        stack(ids.iter().map(|(id, zone)| record(id, zone, value)))
    };
    let plan = world.plan(&wanted("1")).await;
    assert_eq!(plan.groups.len(), 2);
    world.settle(&wanted("1")).await;
    assert_eq!(
        (world.cloud.writes_of("a"), world.cloud.writes_of("b")),
        (1, 1)
    );
    let before = world.cloud.reads();
    assert!(world.plan(&wanted("1")).await.is_empty());
    assert_eq!(world.cloud.reads() - before, 2, "one listing for each zone");
    // Updates, a create and a delete in one write.
    let mut mixed = wanted("2");
    mixed.resources.remove(&at("a0"));
    mixed.declare(record("new", "a", "1")).unwrap();
    world.settle(&mixed).await;
    assert_eq!(
        (world.cloud.writes_of("a"), world.cloud.writes_of("b")),
        (2, 2)
    );
    world.destroy(&mixed).await;
    assert_eq!(
        (world.cloud.writes_of("a"), world.cloud.writes_of("b")),
        (3, 3)
    );
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn a_group_is_found_through_references() {
    let world = World::new();
    let note = |title: &str| thing("note", "note", &json!({"title": title}));
    let of_note = |id: &str| with(record(id, "?", "1"), "zone", refer("note", "title"));
    let wanted = || stack([note("z"), of_note("a"), record("b", "z", "1"), of_note("c")]);
    world.settle(&wanted()).await;
    assert_eq!(world.cloud.writes_of("z"), 1);
    // Through another's reference, and to an output of what stays.
    let mut more = wanted();
    let through = with(record("d", "?", "1"), "zone", refer("a", "zone"));
    more.declare(through).unwrap();
    more.declare(record("e", "z", "1")).unwrap();
    world.settle(&more).await;
    assert_eq!(world.cloud.writes_of("z"), 2);
}

#[tokio::test]
async fn a_zone_is_written_all_or_none() {
    let world = World::new();
    world
        .settle(&stack([record("a", "z", "1"), record("b", "z", "1")]))
        .await;
    let refused = Fault::once(
        Match::what(What::Update).named("b"),
        Does::FailBefore(ErrorKind::Invalid),
    );
    world.cloud.inject(refused);
    let wanted = stack([
        record("a", "z", "2"),
        record("b", "z", "2"),
        record("c", "z", "2"),
    ]);
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.texts("memory.record", "value"), ["1", "1"]);
    assert_eq!(world.cloud.writes_of("z"), 1, "nothing of it was done");
}

#[tokio::test]
async fn a_write_of_a_zone_is_undone_by_one() {
    let world = World::new();
    let rev = Expr::Concat(vec![
        Expr::Literal(Value::from("revision ")),
        Expr::from(Reference::output(at("a"), Path::parse("rev"))),
    ]);
    let after = || {
        let note = thing("after", "note", &json!({"title": "t"}));
        with(note, "body", Value::from(rev.clone()))
    };
    let wanted = |value: &str| stack([record("a", "z", value), record("b", "z", value), after()]);
    world.settle(&wanted("1")).await;
    let fault = EngineFault::FailStep {
        address: at("after"),
        verb: None,
        kind: ErrorKind::Io,
    };
    let before = world.cloud.writes_of("z");
    let report = world.apply_with(&wanted("2"), vec![fault]).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.cloud.writes_of("z") - before, 2);
    assert_eq!(world.texts("memory.record", "value"), ["1", "1"]);
}

#[tokio::test]
async fn pages_refer_to_each_other_in_one_write() {
    let world = World::new();
    let page = |id: &str| thing(id, "page", &json!({"site": "s", "title": id}));
    let text = Expr::Concat(vec![
        Expr::Literal(Value::from("see ")),
        Expr::from(Reference::output(at("home"), Path::parse("url"))),
        Expr::Literal(Value::from(" and ")),
        Expr::from(Reference::output(at("about"), Path::parse("id"))),
    ]);
    let wanted = || {
        stack([
            page("home"),
            with(page("about"), "parent", refer("home", "id")),
            with(page("team"), "body", Value::from(text.clone())),
        ])
    };
    world.settle(&wanted()).await;
    assert_eq!(world.cloud.writes_of("s"), 1);
    let id = |title: &str| {
        let pages = world.cloud.of("memory.page");
        pages
            .into_iter()
            .find(|page| page.inputs["title"] == title)
            .unwrap()
            .id
    };
    let team = world.cloud.thing(&id("team")).unwrap();
    let expected = format!("see https://memory.test/{} and {}", id("home"), id("about"));
    assert_eq!(team.inputs["body"], expected);
    assert_eq!(
        world.cloud.thing(&id("about")).unwrap().inputs["parent"],
        id("home")
    );
    // A new page below one that exists, and one below the new one.
    let mut more = wanted();
    more.declare(with(page("jobs"), "parent", refer("about", "id")))
        .unwrap();
    more.declare(with(page("rust"), "parent", refer("jobs", "id")))
        .unwrap();
    world.settle(&more).await;
    assert_eq!(world.cloud.writes_of("s"), 2);
    assert_eq!(
        world.cloud.thing(&id("rust")).unwrap().inputs["parent"],
        id("jobs")
    );
    world.destroy(&more).await;
    assert_eq!(world.cloud.writes_of("s"), 3);
    assert!(world.cloud.things().is_empty());
}

#[tokio::test]
async fn what_is_ready_together_goes_in_batches() {
    let world = World::new();
    let wanted = stack((0..120).map(|at| thing(&format!("b{at}"), "batch", &json!({"name": "b"}))));
    world.settle(&wanted).await;
    assert_eq!(world.cloud.of("memory.batch").len(), 120);
    let requests = world.cloud.writes_of("batch");
    assert!((3..30).contains(&requests), "{requests}");
    let log = world.cloud.log();
    let most = log.iter().map(|entry| {
        log.iter()
            .filter(|other| other.request == entry.request)
            .count()
    });
    assert!(most.max().unwrap() <= 50);
}

#[tokio::test]
async fn a_batch_that_breaks_off_is_found_out_one_by_one() {
    let world = World::new();
    world
        .cloud
        .inject(Fault::once(Match::any(), Does::StopAfter(1)));
    let wanted = stack(["a", "b", "c"].map(|id| thing(id, "batch", &json!({"name": id}))));
    // The reply came when the time was over: what did not land is not tried again in this run.
    let report = world.apply(&wanted).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert!(world.cloud.things().is_empty());
    world.settle(&wanted).await;
    assert_eq!(world.texts("memory.batch", "name"), ["a", "b", "c"]);
}
