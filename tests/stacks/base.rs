//! The base stack: one graph, one run.

use std::collections::BTreeMap;

use fabrik_fakes::coolify::Kind;
use fabrik_fakes::host::Program;
use serde_json::{Value as Json, json};

use crate::support::{apply, env_of, no_secret, nothing_is_left, plan, run, stage};
use crate::world::Stage;

/// Where in the record each step begins and ends, by address.
fn steps(events: &[Json]) -> BTreeMap<String, (usize, usize)> {
    let mut steps: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let Some(address) = event["address"].as_str() else {
            continue;
        };
        match event["type"].as_str() {
            Some("step_started") => _ = steps.insert(address.to_owned(), (at, usize::MAX)),
            Some("step_done") => {
                if let Some(step) = steps.get_mut(address) {
                    step.1 = at;
                }
            }
            _ => {}
        }
    }
    steps
}

fn counts(stage: &Stage) -> Json {
    json!({
        "applications": stage.coolify.count(Kind::Application),
        "services": stage.coolify.count(Kind::Service),
        "databases": stage.coolify.count(Kind::Database),
        "backups": stage.coolify.count(Kind::Backup),
        "tasks": stage.coolify.count(Kind::Task),
        "projects": stage.coolify.count(Kind::Project),
        "monitors": stage.kuma.count("uptime_kuma.monitor"),
        "pages": stage.kuma.count("uptime_kuma.status_page"),
    })
}

#[test]
fn it_plans_as_one_graph_and_touches_nothing() {
    let stage = stage("base-stack");
    let before = stage.dump();
    let plan = plan(&stage, &[]);
    let changes = plan["changes"].as_array().unwrap();
    let of = |start: &str| {
        let starts = |change: &&Json| change["address"].as_str().unwrap().starts_with(start);
        changes.iter().filter(starts).count()
    };
    for part in [
        "apps.postgres-main.",
        "apps.redis-main.",
        "apps.shop.",
        "apps.shop-jobs.",
        "apps.shop-report.",
        "apps.blog.",
    ] {
        assert!(of(part) > 0, "{part}");
    }
    for one in ["resources.project", "resources.backups", "resources.status"] {
        assert_eq!(of(one), 1, "{one}");
    }
    assert_eq!(stage.writes(), []);
    assert_eq!(stage.dump(), before);
}

#[test]
fn one_run_makes_all_of_it_and_what_is_independent_overlaps() {
    let stage = stage("base-stack");
    let (ran, events) = apply(&stage, &[]);
    no_secret(&ran);
    for check in [
        "shop.health",
        "shop.tls",
        "shop.dns",
        "blog.health",
        "blog.tls",
        "blog.dns",
    ] {
        ran.says(&format!("✓ apps.{check}"));
    }
    // One application, project and monitor were there before.
    assert_eq!(
        counts(&stage),
        json!({
            "applications": 4, "services": 1, "databases": 2, "backups": 1, "tasks": 1,
            "projects": 2, "monitors": 4, "pages": 1,
        })
    );
    // The apps have what the databases gave.
    let env = env_of(&stage, "shop.example.com");
    let url = env["DATABASE_URL"].as_str().unwrap();
    assert!(
        url.starts_with("postgres://") && url.ends_with("/main"),
        "{url}"
    );
    assert!(env["REDIS_URL"].as_str().unwrap().starts_with("redis://"));
    assert_eq!(env["SESSION_KEY"].as_str().unwrap().len(), 48);

    let steps = steps(&events);
    assert!(steps.len() >= 20, "{steps:?}");
    // Some step of the one is under way together with some step of the other.
    let of = |part: &str| -> Vec<(usize, usize)> {
        let of = steps
            .iter()
            .filter(|(address, _)| address.starts_with(part));
        of.map(|(_, step)| *step).collect()
    };
    let overlap = |one: &str, other: &str| {
        let others = of(other);
        of(one).iter().any(|one| {
            others
                .iter()
                .any(|other| one.0 < other.1 && other.0 < one.1)
        })
    };
    let before = |one: &str, other: &str| steps[one].1 < steps[other].0;
    // What waits for nothing of each other is done at the same time …
    for (one, other) in [
        ("apps.postgres-main.", "apps.redis-main."),
        ("apps.blog.", "apps.postgres-main."),
        ("apps.blog.", "apps.shop-jobs."),
        ("apps.shop-report.", "apps.shop-jobs."),
        // Of different services.
        ("resources.", "apps.blog.dns-"),
        ("resources.backups", "resources.apps"),
    ] {
        assert!(overlap(one, other), "{one} and {other}: {steps:?}");
    }
    // … and what waits is done after what it waits for.
    for (one, other) in [
        ("resources.project", "apps.postgres-main.database"),
        ("apps.postgres-main.database", "apps.shop.env"),
        ("apps.redis-main.database", "apps.shop.env"),
        ("apps.shop.env", "apps.shop.deployment"),
        ("resources.backups", "apps.postgres-main.backup"),
        ("apps.shop.monitor", "resources.status"),
        ("apps.shop-report.deployment", "apps.shop-report.task"),
    ] {
        assert!(before(one, other), "{one} before {other}: {steps:?}");
    }
    // At one moment several were under way.
    let mut under_way = 0_i32;
    let mut most = 0;
    for event in &events {
        match event["type"].as_str() {
            Some("step_started") => under_way += 1,
            Some("step_done") => under_way -= 1,
            _ => {}
        }
        most = most.max(under_way);
    }
    assert!(most >= 4, "{most} at once");
    // It took less time than its steps one after the other.
    let took = |kind: &str| {
        let of = events.iter().filter(|event| event["type"] == kind);
        of.map(|event| {
            event["ms"]
                .as_u64()
                .or(event["end"]["millis"].as_u64())
                .unwrap()
        })
        .sum::<u64>()
    };
    assert!(
        took("run_ended") < took("step_done"),
        "{} and {}",
        took("run_ended"),
        took("step_done")
    );
    nothing_is_left(&stage, &[]);
}

#[test]
fn a_build_that_fails_takes_all_of_it_back_and_destroy_too() {
    let stage = stage("base-stack");
    let before = stage.dump();
    stage.host.set_program(Program {
        unbuildable: Some(vec!["npm ERR! missing script: build".to_owned()]),
        ..Program::default()
    });
    let ran = run(&stage, &["apply", "--yes"]).code(6);
    ran.says("npm ERR! missing script: build");
    no_secret(&ran);
    assert_eq!(stage.dump(), before);

    stage.host.set_program(Program::default());
    apply(&stage, &[]);
    run(&stage, &["destroy", "--yes", "--allow-data-loss"]).code(0);
    assert_eq!(stage.dump(), before);
}
