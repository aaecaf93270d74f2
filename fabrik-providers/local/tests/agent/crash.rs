//! The agent is killed.

use fabrik_provider_local::{Command, GenerationInfo, Port, Target, ensure_agent, stored_status};

use crate::world::{World, get, is_running, kill_process, until, until_service};

#[tokio::test(flavor = "multi_thread")]
async fn processes_outlive_the_agent_and_are_taken_up_again() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.instances = 2;
    let made = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world.route("api", Target::Service("api".into())).await;
    let port = world.port().await;
    let pids: Vec<u32> = made
        .instances
        .iter()
        .filter_map(|instance| instance.pid)
        .collect();
    world.kill_agent().await;
    assert!(pids.iter().all(|pid| is_running(*pid)));
    let direct = get(made.instances[0].port.unwrap(), "localhost", "/version").await;
    assert_eq!(direct.body, "1");
    // What is stored can be seen without an agent, and no agent is launched for it.
    let stored = stored_status(world.state_dir()).unwrap();
    assert_eq!(stored.services[0].live.as_ref().unwrap().spec_hash(), "1");
    assert_eq!((stored.pid, stored.routes.len()), (None, 1));

    ensure_agent(world.launch.clone()).await.unwrap();
    assert_eq!(world.port().await, port, "addresses stay the same");
    let live = until_service(&world.client, "api", |live| live.instances.len() == 2).await;
    let taken_up: Vec<u32> = live
        .instances
        .iter()
        .filter_map(|instance| instance.pid)
        .collect();
    assert_eq!(taken_up, pids);
    assert_eq!(world.get("api", "/version").await.body, "1");

    // Supervision goes on: one that ends now is started again.
    kill_process(pids[0]);
    let live = until_service(&world.client, "api", |live| {
        live.instances
            .iter()
            .filter(|instance| instance.pid.is_some())
            .count()
            == 2
            && live.instances[0].restarts == 1
    })
    .await;
    assert_ne!(live.instances[0].pid, Some(pids[0]));
    world.client.remove_service("api", false).await.unwrap();
    until("only the agent is left", || world.processes().len() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_died_with_the_agent_is_started_again() {
    let world = World::new().await;
    let made = world.serve("api", "1").await;
    world.kill_agent().await;
    kill_process(made.instances[0].pid.unwrap());
    // The client launches the agent by itself.
    let live = until_service(&world.client, "api", GenerationInfo::is_serving).await;
    assert_ne!(live.instances[0].pid, made.instances[0].pid);
    assert_eq!(
        (
            live.number,
            world.get("api", "/version").await.body.as_str()
        ),
        (1, "1")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_cut_short_leaves_the_old_generation() {
    let world = World::new().await;
    let first = world.serve("api", "1").await;
    let mut spec = world.server("2");
    spec.env.set("START_DELAY_MS", "600000");
    let client = fabrik_provider_local::Client::new(world.state_dir());
    let cut = tokio::spawn(async move { client.deploy_service("api", "2", &spec).await });
    until("the new process is there", || world.processes().len() == 3).await;
    world.kill_agent().await;
    assert!(cut.await.unwrap().unwrap_err().is_temporary());
    let live = until_service(&world.client, "api", GenerationInfo::is_serving).await;
    assert_eq!(live.instances[0].pid, first.instances[0].pid);
    until("the new process is gone", || world.processes().len() == 2).await;
    // The same operation is made again, and now ends well.
    let made = world
        .client
        .deploy_service("api", "2", &world.server("2"))
        .await
        .unwrap();
    assert!(made.is_serving());
    assert_eq!(world.get("api", "/version").await.body, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_leaves_or_stops_the_processes() {
    let world = World::new().await;
    let made = world.serve("api", "1").await;
    let agent = world.client.hello().await.unwrap().pid;
    world.client.shutdown(false).await.unwrap();
    until("the agent is gone", || !is_running(agent)).await;
    assert!(is_running(made.instances[0].pid.unwrap()));
    assert!(!world.state_dir().join("agent.sock").exists());
    assert!(!world.state_dir().join("agent.lock").exists());
    let live = until_service(&world.client, "api", GenerationInfo::is_serving).await;
    assert_eq!(live.instances[0].pid, made.instances[0].pid);
    let agent = world.client.hello().await.unwrap().pid;
    world.client.shutdown(true).await.unwrap();
    until("nothing runs", || {
        !is_running(agent) && world.processes().is_empty()
    })
    .await;
    assert_eq!(world.get("api", "/version").await.body, "1");
    world.client.shutdown(true).await.unwrap();
    world.client.shutdown(true).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_no_record_knows_is_killed() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.port = Port::None;
    spec.command = Command::Shell("exec sleep 1000".into());
    spec.health.path = None;
    let made = world
        .client
        .deploy_service("worker", "1", &spec)
        .await
        .unwrap();
    world.kill_agent().await;
    // As if the agent had been killed before it noted the process.
    std::fs::remove_file(world.state_dir().join("services/worker.json")).unwrap();
    ensure_agent(world.launch.clone()).await.unwrap();
    until("the stray is gone", || {
        !is_running(made.instances[0].pid.unwrap())
    })
    .await;
}
