//! What happens to a generation that does not become healthy, or does not stay up.

use std::time::Duration;

use fabrik_provider_local::{Command, Error, InstanceState, Port};

use crate::world::{World, is_running, role, send, until, until_service};

#[tokio::test(flavor = "multi_thread")]
async fn a_sick_generation_is_not_used() {
    let world = World::new().await;
    let first = world.serve("api", "1").await;
    let mut spec = world.server("2");
    spec.env.set("SICK", "1");
    spec.health.deadline = Duration::from_secs(2);
    // A child that left the group, and one that cleared its environment, must go too.
    spec.command = with_children(&spec.command);
    let error = world
        .client
        .deploy_service("api", "2", &spec)
        .await
        .unwrap_err();
    let Error::HealthGate {
        generation: 2,
        reason,
        logs,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    assert!(reason.contains("500"), "{reason}");
    assert!(
        logs.iter()
            .any(|line| line.contains("version 2 listens on")),
        "{logs:?}"
    );
    let info = world.client.service("api").await.unwrap().unwrap();
    assert_eq!(info.live.unwrap().instances[0].pid, first.instances[0].pid);
    assert!(info.others.is_empty());
    assert_eq!(world.get("api", "/version").await.body, "1");
    assert_eq!(world.processes().len(), 2, "the agent and the old process");
    // The same operation may try again, and gets a new generation then.
    let made = world
        .client
        .deploy_service("api", "2", &world.server("2"))
        .await
        .unwrap();
    assert_eq!(made.number, 3);
}

fn with_children(command: &Command) -> Command {
    let Command::Argv(words) = command else {
        panic!("not a list of words")
    };
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    Command::Shell(format!(
        "setsid sleep 1000 & env -i sleep 1000 & {}",
        quoted.join(" ")
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_generation_that_fails_leaves_nothing() {
    let world = World::new().await;
    let mut spec = role("crash", world.path());
    spec.env.set_secret("TOKEN", "very-secret-token");
    let error = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap_err();
    let Error::HealthGate { reason, logs, .. } = &error else {
        panic!("{error}")
    };
    assert!(reason.contains("exit code 101"), "{reason}");
    assert!(
        logs.iter()
            .any(|line| line.contains("about to crash with ***")),
        "{logs:?}"
    );
    assert!(world.client.service("api").await.unwrap().is_none());
    assert_eq!(world.processes().len(), 1, "the agent");
    assert!(!world.state_dir().join("services/api.json").exists());
    let spec = fabrik_provider_local::ServiceSpec::new(
        Command::Argv(vec!["/no/such/program".into()]),
        world.path(),
    );
    let error = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("could not start"), "{error}");
    let spec = fabrik_provider_local::ServiceSpec::new(Command::Shell("true".into()), "relative");
    let error = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Invalid { ref field, .. } if field == "dir"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_port_is_named() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.env.set("WRONG_PORT", "1");
    spec.health.deadline = Duration::from_secs(3);
    let error = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap_err();
    let Error::HealthGate {
        logs,
        expected_port,
        listening_ports,
        ..
    } = &error
    else {
        panic!("{error}")
    };
    let [port] = listening_ports[..] else {
        panic!("{listening_ports:?}")
    };
    assert!(
        logs.iter().any(|line| line.ends_with(&format!(":{port}"))),
        "{logs:?}"
    );
    assert_ne!(Some(port), *expected_port);
    assert!(
        error
            .to_string()
            .contains(&format!("listens on {port} instead of")),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_the_other_loopback_address_is_found() {
    let world = World::new().await;
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let mut spec = world.server("six");
    spec.env.set("ONLY_V6", "1");
    world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world
        .route("api", fabrik_provider_local::Target::Service("api".into()))
        .await;
    assert_eq!(world.get("api", "/version").await.body, "six");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_ends_is_started_again() {
    let world = World::new().await;
    let first = world.serve("api", "1").await;
    // Ends without an answer; whoever asks next waits for the new process.
    let request = "POST /exit HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n\
                   Content-Length: 0\r\n\r\n";
    assert_eq!(send(world.port().await, request).await.unwrap().status, 502);
    assert_eq!(world.get("api", "/version").await.body, "1");
    let live = until_service(&world.client, "api", |live| {
        live.instances[0].restarts == 1 && live.is_serving()
    })
    .await;
    assert_ne!(live.instances[0].pid, first.instances[0].pid);
    let exit = live.instances[0].last_exit.as_deref();
    assert_eq!(exit, Some("was ended by signal 9"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_ends_and_a_deployment_heals_it() {
    let world = World::new().await;
    let flag = world.path().join("crash");
    let mut spec = role("crash", world.path());
    let Command::Argv(words) = &spec.command else {
        panic!("not a list of words")
    };
    let crash = words.join(" ");
    spec.command = Command::Shell(format!(
        "test -e {} && exec {crash}; exec sleep 1000",
        flag.display()
    ));
    spec.port = Port::None;
    spec.restart.max_crashes = 3;
    let made = world
        .client
        .deploy_service("worker", "1", &spec)
        .await
        .unwrap();
    std::fs::write(&flag, "").unwrap();
    crate::world::kill_process(made.instances[0].pid.unwrap());
    let live = until_service(&world.client, "worker", |live| {
        live.instances[0].state == InstanceState::CrashLoop
    })
    .await;
    assert_eq!(
        (live.instances[0].restarts, live.instances[0].pid),
        (2, None)
    );
    std::fs::remove_file(&flag).unwrap();
    let made = world
        .client
        .deploy_service("worker", "2", &spec)
        .await
        .unwrap();
    assert!(made.is_serving());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ignores_the_signal_is_killed() {
    let world = World::new().await;
    let mut spec = role("server", world.path());
    spec.command = Command::Shell("trap '' TERM; sleep 1000 & while :; do sleep 1; done".into());
    spec.port = Port::None;
    spec.stop.grace = Duration::from_millis(200);
    let made = world
        .client
        .deploy_service("worker", "1", &spec)
        .await
        .unwrap();
    let pid = made.instances[0].pid.unwrap();
    world.client.remove_service("worker", false).await.unwrap();
    until("all are gone", || {
        !is_running(pid) && world.processes().len() == 1
    })
    .await;
}
