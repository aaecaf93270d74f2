//! Finding and launching the agent.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use fabrik_provider_local::{AgentConfig, Client, Error, ensure_agent, run_agent};

use crate::world::{World, launch, until};

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_get_one_agent() {
    let world = World::new().await;
    world.kill_agent().await;
    let callers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(ensure_agent(world.launch.clone())))
        .collect();
    let mut pids = Vec::new();
    for caller in callers {
        pids.push(caller.await.unwrap().unwrap().hello().await.unwrap().pid);
    }
    pids.dedup();
    assert_eq!(pids.len(), 1);
    until("the others have ended", || world.processes() == pids).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_agent_is_refused() {
    let world = World::new().await;
    #[expect(
        clippy::disallowed_methods,
        reason = "a test is a program, not the library"
    )]
    let mut config = AgentConfig::new(world.state_dir(), std::time::SystemTime::now);
    config.detach = false;
    let error = run_agent(config).await.unwrap_err();
    let pid = world.client.hello().await.unwrap().pid;
    assert!(
        matches!(error, Error::AlreadyRunning { pid: holder, .. } if holder == pid),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_talk_to_it() {
    let world = World::new().await;
    world.client.put_bucket("files").await.unwrap();
    world.serve("api", "1").await;
    let mode = |name: &str| {
        world
            .state_dir()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode(""), 0o700);
    assert_eq!(
        (
            mode("agent.sock"),
            mode("services/api.json"),
            mode("agent.log")
        ),
        (0o600, 0o600, 0o600)
    );
    assert_eq!((mode("buckets/files"), mode("services")), (0o700, 0o700));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_path_is_no_obstacle() {
    let below = format!("{}/{}", "long".repeat(40), "state".repeat(10));
    let world = World::with(Duration::from_mins(10), &below).await;
    assert!(world.state_dir().as_os_str().len() > 200);
    world.client.put_bucket("files").await.unwrap();
    assert!(world.client.bucket("files").await.unwrap().unwrap().empty);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::new(dir.path());
    assert!(matches!(
        client.status().await,
        Err(Error::Unreachable { .. })
    ));
    client.shutdown(true).await.unwrap();
    let mut launch = launch(dir.path(), dir.path(), Duration::from_mins(10));
    launch.program = "/no/such/program".into();
    let error = ensure_agent(launch.clone()).await.unwrap_err();
    assert!(error.to_string().contains("/no/such/program"), "{error}");
    assert!(
        !format!("{launch:?}").contains("600000"),
        "values of variables are not shown"
    );
}
