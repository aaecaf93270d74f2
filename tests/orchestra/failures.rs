//! Each step of the run fails, and each check: the services are as they were before, and the
//! message says which step it was, why, in the service's own words, and what helps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use fabrik_fakes::edge::Certificates;
use fabrik_fakes::host::Program;
use fabrik_testkit::proxy::{Fault, Match};
use serde_json::{Value as Json, json};

use crate::world::{Ran, Stage, Write, route};

/// What the services say when they refuse something here.
const WORDS: &str = "The frobnicator of this instance is worn out";

/// What a run starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    /// Nothing of it is there.
    Nothing,
    /// An earlier version runs.
    Deployed,
}

impl From {
    fn stage(self) -> Stage {
        let stage = Stage::with_project("coolify");
        stage.widen();
        if self == From::Deployed {
            stage.apply().code(0);
            stage.change();
        }
        stage.writes();
        stage
    }
}

/// A failure somewhere, and where it was told to be.
struct Failed {
    addresses: BTreeSet<String>,
    checks: BTreeSet<String>,
}

/// Runs an apply that must fail and leave no trace.
#[track_caller]
fn fails(stage: &Stage, from: From, what: &str) -> (Ran, Failed) {
    let before = stage.before(from);
    let (ran, events) = stage.apply_with_events();
    assert!(
        ran.exit != 0 && ran.exit != 7,
        "{from:?}, {what}: it did not fail, or is stuck\n{}",
        ran.all()
    );
    let after = stage.dump();
    assert_eq!(
        difference(&before, &after, ""),
        Vec::<String>::new(),
        "{from:?}, {what}: it is not as before\n{}",
        ran.all()
    );
    (ran, Failed::of(&events))
}

impl Stage {
    /// How it is, and that what is there needs no more than the change at hand.
    fn before(&self, from: From) -> Json {
        if from == From::Deployed {
            assert_eq!(self.plan()["drift"], json!([]));
        }
        self.dump()
    }
}

impl Stage {
    /// The version that the spec asks for.
    fn version(&self) -> String {
        let is_new = self.spec().contains("tag: v2");
        if is_new { "@v2" } else { "@main" }.to_owned()
    }
}

impl Failed {
    fn of(events: &[Json]) -> Failed {
        let mut failed = Failed {
            addresses: BTreeSet::new(),
            checks: BTreeSet::new(),
        };
        for event in events {
            let text = |field: &Json| field.as_str().unwrap_or_default().to_owned();
            match event["type"].as_str() {
                Some("step_done")
                    if !event["outcome"]["failed"].is_null() && event["undoes"].is_null() =>
                {
                    failed.addresses.insert(text(&event["address"]));
                }
                Some("check") if event["result"]["passed"] == false => {
                    failed.checks.insert(text(&event["result"]["name"]));
                }
                _ => {}
            }
        }
        failed
    }
}

/// Where two dumps differ.
fn difference(before: &Json, after: &Json, at: &str) -> Vec<String> {
    match (before, after) {
        (Json::Object(left), Json::Object(right)) => {
            let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            keys.into_iter()
                .flat_map(|key| difference(&before[key], &after[key], &format!("{at}.{key}")))
                .collect()
        }
        (Json::Array(left), Json::Array(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .enumerate()
            .flat_map(|(index, (left, right))| difference(left, right, &format!("{at}[{index}]")))
            .collect(),
        (left, right) if left == right => Vec::new(),
        (left, right) => vec![format!("{at}: {left} is now {right}")],
    }
}

/// Each request of the run that changes something, told apart by how often its like came before.
fn requests(from: From) -> Vec<(Write, usize)> {
    let stage = from.stage();
    stage.apply().code(0);
    let mut times: BTreeMap<Write, usize> = BTreeMap::new();
    let mut all = Vec::new();
    for write in stage.writes() {
        let count = times.entry(write.clone()).or_default();
        *count += 1;
        all.push((write, *count));
    }
    all
}

/// How a service refuses, in its own form.
fn refusal(proxy: usize) -> Fault {
    let body = match proxy {
        0 => json!({
            "success": false, "errors": [{"code": 9999, "message": WORDS}], "messages": [], "result": null,
        }),
        1 => json!({"message": WORDS}),
        _ => json!({"ok": false, "msg": WORDS}),
    };
    Fault::status(400).body(body.to_string())
}

/// Fails each request in turn; gives how many there were, and how many steps they belong to.
fn every_request_refused(from: From) -> (usize, usize) {
    let stage = from.stage();
    let planned: BTreeSet<String> = stage.plan()["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["address"].as_str().unwrap().to_owned())
        .collect();
    let mut failed = BTreeSet::new();
    let all = requests(from);
    for (write, nth) in &all {
        let what = format!("{write:?} for the {nth}. time");
        let stage = from.stage();
        let wanted = write.route.clone();
        let on = Match::write()
            .kind(&write.kind)
            .when(move |exchange| route(&exchange.path) == wanted)
            .nth(*nth);
        stage.proxies[write.proxy].on(on, refusal(write.proxy));
        let (ran, now) = fails(&stage, from, &what);
        assert_eq!(
            now.addresses.len(),
            1,
            "{what}: {:?}\n{}",
            now.addresses,
            ran.all()
        );
        let address = now.addresses.first().unwrap();
        assert!(
            ran.err.contains(&format!("✗ {address}")),
            "{what}:\n{}",
            ran.all()
        );
        assert!(spaced(&ran.err).contains(WORDS), "{what}:\n{}", ran.all());
        assert!(ran.err.contains("help: "), "{what}:\n{}", ran.all());
        failed.extend(now.addresses);
    }
    assert_eq!(failed, planned, "steps that were never failed");
    (all.len(), planned.len())
}

/// The text with line breaks and indents as one blank.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_request_of_a_first_run() {
    let (requests, steps) = every_request_refused(From::Nothing);
    println!("{requests} requests of {steps} steps");
}

#[test]
fn every_request_of_a_later_run() {
    let (requests, steps) = every_request_refused(From::Deployed);
    println!("{requests} requests of {steps} steps");
}

/// What a build, a start and a health check of the new version come to.
#[test]
fn every_way_a_deployment_ends() {
    type Way = (&'static str, fn(&Stage), &'static [&'static str]);
    let ways: [Way; 4] = [
        (
            "its build fails",
            |stage| {
                stage.host.set_program(Program {
                    wrong_in: stage.version(),
                    unbuildable: Some(vec![
                        "ERROR: Could not find a version that satisfies the requirement fastapy"
                            .to_owned(),
                        "failed to solve: process \"pip install\" did not complete: exit code: 1"
                            .to_owned(),
                    ]),
                    ..Program::default()
                });
            },
            &["last log lines:", "requirement fastapy", "exit code: 1"],
        ),
        (
            "it is not healthy",
            |stage| {
                stage.host.set_program(Program {
                    wrong_in: stage.version(),
                    broken: vec!["/healthz".to_owned()],
                    ..Program::default()
                });
            },
            &[
                "last log lines:",
                "500 Internal Server Error",
                "Uvicorn running",
            ],
        ),
        (
            "it listens on another port",
            |stage| {
                stage.host.set_program(Program {
                    wrong_in: stage.version(),
                    port: Some(9000),
                    ..Program::default()
                });
            },
            &[
                "Connection refused (localhost:8000)",
                "the program listens on 9000, but `port` is 8000",
            ],
        ),
        (
            "it never ends",
            |stage| {
                stage.host.set_program(Program {
                    wrong_in: stage.version(),
                    endless: true,
                    ..Program::default()
                });
            },
            &[
                "for the deployment",
                "Building docker image started.",
                "it was cancelled",
            ],
        ),
    ];
    for from in [From::Nothing, From::Deployed] {
        for (what, breaks, words) in &ways {
            let stage = from.stage();
            breaks(&stage);
            let (ran, now) = fails(&stage, from, what);
            assert_eq!(ran.exit, 6, "{from:?}, {what}\n{}", ran.all());
            let failed: Vec<&str> = now.addresses.iter().map(String::as_str).collect();
            assert_eq!(failed, ["apps.demo.deployment"]);
            ran.says("✗ apps.demo.deployment").says("help: ");
            for word in *words {
                assert!(
                    spaced(&ran.err).contains(word),
                    "{what}: no `{word}`\n{}",
                    ran.all()
                );
            }
        }
    }
}

#[test]
fn every_check() {
    for from in [From::Nothing, From::Deployed] {
        let stage = from.stage();
        let planned: BTreeSet<String> = stage.plan()["checks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|check| check["name"].as_str().unwrap().to_owned())
            .collect();
        let mut failed = BTreeSet::new();
        let broken: [(&str, fn(&Stage), &str); 5] = [
            (
                "the name server knows nothing",
                |stage| stage.dark.store(true, Ordering::Relaxed),
                "no such name",
            ),
            (
                "no certificate",
                |stage| stage.host.edge().set_certificates(Certificates::None),
                "self-signed",
            ),
            (
                "an old certificate",
                |stage| stage.host.edge().set_certificates(Certificates::Expired),
                "expired",
            ),
            (
                "the proxy does not learn of it",
                |stage| {
                    stage.host.set_program(Program {
                        wrong_in: stage.version(),
                        unrouted: true,
                        ..Program::default()
                    });
                },
                "traefik.default",
            ),
            (
                "it answers with an error, though it is said to be well",
                |stage| {
                    stage.host.set_program(Program {
                        wrong_in: stage.version(),
                        broken: vec!["/healthz".to_owned()],
                        lenient: true,
                        ..Program::default()
                    });
                },
                "500",
            ),
        ];
        for (what, breaks, words) in broken {
            let stage = from.stage();
            breaks(&stage);
            let before = stage.dump();
            let (ran, events) = stage.apply_with_events();
            let now = Failed::of(&events);
            assert_eq!(ran.exit, 6, "{from:?}, {what}\n{}", ran.all());
            assert_eq!(difference(&before, &stage.dump(), ""), Vec::<String>::new());
            for check in &now.checks {
                assert!(ran.err.contains(&format!("✗ {check}")), "{what}");
            }
            assert!(
                ran.err.contains(words),
                "{what}: no `{words}`\n{}",
                ran.all()
            );
            failed.extend(now.checks);
        }
        assert_eq!(failed, planned, "checks that were never failed");
    }
}
