//! Deploying, switching, rolling back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use fabrik_provider_local::{Command, Error, GenerationState, LogQuery, Port, Target};

use crate::world::{World, get, is_running, send, until};

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_over_twenty_generations() {
    let world = World::new().await;
    world.serve("api", "0").await;
    let port = world.port().await;
    let stop = Arc::new(AtomicBool::new(false));
    let sent = Arc::new(AtomicUsize::new(0));
    let load: Vec<_> = (0..4)
        .map(|worker| {
            // The proxy may not repeat a POST, so these show that none is lost.
            let method = if worker % 2 == 0 { "GET" } else { "POST" };
            let request = format!(
                "{method} /version HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\
                 Content-Length: 0\r\n\r\n"
            );
            let (stop, sent) = (stop.clone(), sent.clone());
            tokio::spawn(async move {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let reply = send(port, &request).await.unwrap();
                    if reply.status != 200 || reply.body.is_empty() {
                        failures.push(reply);
                    }
                    sent.fetch_add(1, Ordering::Relaxed);
                }
                failures
            })
        })
        .collect();
    for version in 1..=20 {
        let before = sent.load(Ordering::Relaxed);
        let mut spec = world.server(&version.to_string());
        spec.instances = 1 + version % 3;
        world
            .client
            .deploy_service("api", &spec.spec_hash, &spec)
            .await
            .unwrap();
        assert_eq!(
            get(port, "api.localhost", "/version").await.body,
            version.to_string()
        );
        until("requests go on", || {
            sent.load(Ordering::Relaxed) > before + 20
        })
        .await;
    }
    stop.store(true, Ordering::Relaxed);
    for worker in load {
        let failures = worker.await.unwrap();
        assert!(
            failures.is_empty(),
            "{} failed: {:?}",
            failures.len(),
            failures[0]
        );
    }
    let info = world.client.service("api").await.unwrap().unwrap();
    let live = info.live.unwrap();
    assert_eq!((live.number, live.instances.len()), (21, 3));
    until("only the last generation runs", || {
        world.processes().len() == 4
    })
    .await;
    let kept: Vec<_> = info
        .others
        .iter()
        .filter(|kept| kept.state == GenerationState::Kept)
        .collect();
    assert!(kept.len() >= 3, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_outlives_its_generation() {
    let world = World::new().await;
    let first = world.serve("api", "1").await;
    let port = world.port().await;
    let slow = tokio::spawn(async move { get(port, "api.localhost", "/slow").await });
    let old = first.instances[0].pid.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    world
        .client
        .deploy_service("api", "2", &world.server("2"))
        .await
        .unwrap();
    assert_eq!(world.get("api", "/version").await.body, "2");
    let reply = slow.await.unwrap();
    assert_eq!((reply.status, reply.body.as_str()), (200, "first-last"));
    until("the old process is gone", || !is_running(old)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prepares_a_generation_comes_first_and_must_succeed() {
    let world = World::new().await;
    let line = |text: &str| Command::Shell(text.to_owned());
    let mut spec = world.server("1");
    spec.env.set_secret("TOKEN", "canary-of-prepare");
    spec.prepare = vec![
        line("echo one >> steps; sleep 60 & echo left behind"),
        Command::Argv(vec!["sh".into(), "-c".into(), "echo two >> steps".into()]),
    ];
    world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world.route("api", Target::Service("api".into())).await;
    let steps = std::fs::read_to_string(world.path().join("steps")).unwrap();
    assert_eq!(steps, "one\ntwo\n");
    // The agent and the server: what a command left in the background is gone.
    assert_eq!(world.processes().len(), 2);
    let mut broken = world.server("2");
    broken.env = spec.env.clone();
    broken.prepare = vec![
        line("echo building with $TOKEN; exit 7"),
        line("touch never"),
    ];
    let error = world
        .client
        .deploy_service("api", "2", &broken)
        .await
        .unwrap_err();
    let Error::Prepare { reason, logs, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(reason, "ended with exit code 7");
    assert!(
        logs.iter().any(|line| line.contains("building with")),
        "{logs:?}"
    );
    assert!(!error.to_string().contains("canary"), "{error}");
    assert!(!world.path().join("never").exists());
    assert_eq!(world.get("api", "/version").await.body, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_makes_one_generation() {
    let world = World::new().await;
    let spec = world.server("1");
    let (first, second) = tokio::join!(
        world.client.deploy_service("api", "op", &spec),
        world.client.deploy_service("api", "op", &spec),
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.number, second.number);
    let third = world
        .client
        .deploy_service("api", "op", &spec)
        .await
        .unwrap();
    assert_eq!(third.instances[0].pid, first.instances[0].pid);
    let other = world
        .client
        .deploy_service("api", "other op", &spec)
        .await
        .unwrap();
    assert_eq!(other.number, 2);
    let late = world
        .client
        .deploy_service("api", "op", &spec)
        .await
        .unwrap();
    assert_eq!((late.number, late.state), (1, GenerationState::Kept));
    until("one process is left", || world.processes().len() == 2).await;
    world.kill_agent().await;
    let after = world
        .client
        .deploy_service("api", "other op", &spec)
        .await
        .unwrap();
    assert_eq!((after.number, after.state), (2, GenerationState::Live));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_generation_can_be_deployed_again() {
    let world = World::new().await;
    world.serve("api", "one").await;
    world
        .client
        .deploy_service("api", "two", &world.server("two"))
        .await
        .unwrap();
    let back = world
        .client
        .rollback_service("api", "back", 1)
        .await
        .unwrap();
    assert_eq!((back.number, back.spec_hash()), (3, "one"));
    let again = world
        .client
        .rollback_service("api", "back", 1)
        .await
        .unwrap();
    assert_eq!(again.number, 3);
    assert_eq!(world.get("api", "/version").await.body, "one");
    let error = world
        .client
        .rollback_service("api", "far back", 99)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_port_is_handed_over_without_a_failed_request() {
    let world = World::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    let mut spec = world.server("1");
    spec.port = Port::Fixed(port);
    let error = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap_err();
    let Error::PortTaken { by, .. } = &error else {
        panic!("{error}")
    };
    assert!(by.contains(&std::process::id().to_string()), "{by}");
    assert!(world.client.service("api").await.unwrap().is_none());
    drop(free);
    world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world
        .route("api", fabrik_provider_local::Target::Service("api".into()))
        .await;
    let proxy = world.port().await;
    let stop = Arc::new(AtomicBool::new(false));
    let load = {
        let stop = stop.clone();
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let request = "POST /version HTTP/1.1\r\nHost: api.localhost\r\n\
                               Connection: close\r\nContent-Length: 0\r\n\r\n";
                let reply = send(proxy, request).await.unwrap();
                assert_eq!(reply.status, 200, "{reply:?}");
            }
        })
    };
    spec.env.set("VERSION", "2");
    let second = world
        .client
        .deploy_service("api", "2", &spec)
        .await
        .unwrap();
    assert_eq!(second.instances[0].port, Some(port));
    assert_eq!(world.get("api", "/version").await.body, "2");
    // One that fails gives the port back to the one before.
    spec.env.set("SICK", "1");
    spec.health.deadline = Duration::from_millis(500);
    world
        .client
        .deploy_service("api", "3", &spec)
        .await
        .unwrap_err();
    assert_eq!(world.get("api", "/version").await.body, "2");
    stop.store(true, Ordering::Relaxed);
    load.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_can_be_followed_and_hide_secrets() {
    let world = World::new().await;
    let mut spec = world.server("quiet");
    spec.env.set_secret("VERSION", "top-secret-value");
    world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    let chunk = world
        .client
        .logs("api", &LogQuery::default())
        .await
        .unwrap();
    let all: Vec<_> = chunk.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(
        all.iter()
            .any(|line| line.contains("version *** listens on")),
        "{all:?}"
    );
    let next = LogQuery {
        cursor: Some(chunk.cursor),
        ..LogQuery::default()
    };
    let chunk = world.client.logs("api", &next).await.unwrap();
    assert!(chunk.lines.is_empty(), "{chunk:?}");
    let live = world
        .client
        .service("api")
        .await
        .unwrap()
        .unwrap()
        .live
        .unwrap();
    assert!(!format!("{live:?}").contains("top-secret"));
    let secret = live
        .spec
        .env
        .iter()
        .find(|(name, _)| *name == "VERSION")
        .unwrap()
        .1;
    assert!(secret.is_secret() && secret.expose().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_needs_no_port() {
    let world = World::new().await;
    let mut spec = world.server("worker");
    spec.command = fabrik_provider_local::Command::Shell("echo works; exec sleep 1000".into());
    spec.port = Port::None;
    spec.health.path = None;
    let made = world
        .client
        .deploy_service("worker", "1", &spec)
        .await
        .unwrap();
    assert!(made.is_serving());
    assert_eq!(made.instances[0].port, None);
    world
        .route(
            "worker",
            fabrik_provider_local::Target::Service("worker".into()),
        )
        .await;
    let port = world.port().await;
    let request = "HEAD / HTTP/1.1\r\nHost: unknown.localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(send(port, request).await.unwrap().status, 404);
}
