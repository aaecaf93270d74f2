//! Removal leaves nothing.

use std::net::TcpStream;
use std::time::Duration;

use fabrik_provider_local::{Error, SiteSpec, Target, hash_dir};

use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn no_process_no_port_no_file() {
    let world = World::with(Duration::from_secs(2), "state").await;
    let made = world.serve("api", "1").await;
    let root = world.path().join("public");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("index.html"), "home").unwrap();
    let spec = SiteSpec::new(&root, hash_dir(&root).unwrap());
    world.client.deploy_site("site", &spec).await.unwrap();
    world.route("site", Target::Site("site".into())).await;
    let bucket = world.client.put_bucket("files").await.unwrap();
    std::fs::write(bucket.path.join("object"), "x").unwrap();
    assert_eq!(world.get("api", "/version").await.body, "1");
    let proxy = world.port().await;
    let ports = [proxy, made.instances[0].port.unwrap()];

    let client = &world.client;
    for _ in 0..2 {
        client.remove_route("api").await.unwrap();
        client.remove_route("site").await.unwrap();
        client.remove_service("api", false).await.unwrap();
        client.remove_site("site").await.unwrap();
        client.remove_bucket("files", true).await.unwrap();
    }
    until("no process runs", || world.processes().is_empty()).await;
    for port in ports {
        assert!(
            TcpStream::connect(("127.0.0.1", port)).is_err(),
            "port {port} is open"
        );
    }
    assert!(
        !world.state_dir().exists(),
        "{:?}",
        std::fs::read_dir(world.state_dir())
            .unwrap()
            .collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_stay_if_asked_to() {
    let world = World::new().await;
    world.serve("api", "1").await;
    let logs = world.client.service("api").await.unwrap().unwrap().log_dir;
    world.client.remove_service("api", true).await.unwrap();
    assert!(logs.join("1-0.log").exists());
    world.client.remove_service("api", false).await.unwrap();
    assert!(!logs.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_does_not_wait_for_a_deployment() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.env.set("START_DELAY_MS", "600000");
    let client = world.client.clone();
    let cut = tokio::spawn(async move { client.deploy_service("api", "1", &spec).await });
    until("the process is there", || world.processes().len() == 2).await;
    world.client.remove_service("api", false).await.unwrap();
    let error = cut.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    assert_eq!(world.processes().len(), 1, "the agent");
    // The name is free again.
    world.serve("api", "2").await;
    assert_eq!(world.get("api", "/version").await.body, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_its_directory_stops_everything() {
    let world = World::new().await;
    world.serve("api", "1").await;
    std::fs::remove_dir_all(world.state_dir()).unwrap();
    until("nothing runs", || world.processes().is_empty()).await;
    // And the next one begins anew.
    assert!(world.client.service("api").await.unwrap().is_none());
}
