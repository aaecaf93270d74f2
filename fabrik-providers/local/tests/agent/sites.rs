//! Static sites.

use std::fs;
use std::os::unix::fs::symlink;

use fabrik_provider_local::{Error, SiteSpec, Target, hash_dir};

use crate::world::{Reply, World, get, send};

fn write_site(root: &std::path::Path, text: &str) -> String {
    fs::create_dir_all(root.join("docs")).unwrap();
    fs::write(root.join("index.html"), text).unwrap();
    fs::write(root.join("about.html"), "about").unwrap();
    fs::write(root.join("docs/index.html"), "docs").unwrap();
    fs::write(root.join("a b.txt"), "0123456789").unwrap();
    hash_dir(root).unwrap()
}

async fn ask(port: u16, line: &str, headers: &str) -> Reply {
    let request =
        format!("{line} HTTP/1.1\r\nHost: site.localhost\r\nConnection: close\r\n{headers}\r\n");
    send(port, &request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_with_everything_a_browser_wants() {
    let world = World::new().await;
    let root = world.path().join("public");
    let hash = write_site(&root, "home");
    fs::write(world.path().join("secret.txt"), "secret").unwrap();
    let spec = SiteSpec::new(&root, &hash);
    let info = world.client.deploy_site("site", &spec).await.unwrap();
    assert_eq!((info.files, info.hash.as_str()), (4, hash.as_str()));
    world.route("site", Target::Site("site".into())).await;
    let port = world.port().await;

    let home = ask(port, "GET /", "").await;
    assert_eq!((home.status, home.body.as_str()), (200, "home"));
    assert_eq!(
        home.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let etag = home.header("etag").unwrap();
    let date = home.header("last-modified").unwrap();
    let fresh = ask(port, "GET /", &format!("If-None-Match: \"x\", {etag}\r\n")).await;
    assert_eq!((fresh.status, fresh.body.as_str()), (304, ""));
    assert_eq!(
        ask(port, "GET /", &format!("If-Modified-Since: {date}\r\n"))
            .await
            .status,
        304
    );
    assert_eq!(
        ask(port, "GET /", "If-None-Match: \"x\"\r\n").await.status,
        200
    );

    let head = ask(port, "HEAD /a%20b.txt", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), Some("10"));
    assert_eq!(ask(port, "GET /a%20b.txt", "").await.body, "0123456789");
    let some = ask(port, "GET /a%20b.txt", "Range: bytes=2-4\r\n").await;
    assert_eq!((some.status, some.body.as_str()), (206, "234"));
    assert_eq!(some.header("content-range"), Some("bytes 2-4/10"));
    assert_eq!(
        ask(port, "GET /a%20b.txt", "Range: bytes=20-\r\n")
            .await
            .status,
        416
    );

    assert_eq!(ask(port, "GET /about", "").await.body, "about");
    assert_eq!(ask(port, "GET /docs/", "").await.body, "docs");
    let moved = ask(port, "GET /docs?q=1", "").await;
    assert_eq!(
        (moved.status, moved.header("location")),
        (308, Some("/docs/?q=1"))
    );
    assert_eq!(
        ask(port, "POST /", "Content-Length: 0\r\n").await.status,
        405
    );

    for path in [
        "/nothing",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/docs/../../secret.txt",
        "//etc/passwd",
        "/%00",
    ] {
        let reply = ask(port, &format!("GET {path}"), "").await;
        assert!(matches!(reply.status, 400 | 404), "{path}: {reply:?}");
        assert!(!reply.body.contains("secret"), "{path}: {reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_changes_with_a_deployment_only() {
    let world = World::new().await;
    let root = world.path().join("public");
    let first = write_site(&root, "one");
    world
        .client
        .deploy_site("site", &SiteSpec::new(&root, &first))
        .await
        .unwrap();
    world.route("site", Target::Site("site".into())).await;
    fs::write(root.join("index.html"), "two").unwrap();
    assert_eq!(world.get("site", "/").await.body, "one");
    let error = world
        .client
        .deploy_site("site", &SiteSpec::new(&root, "0".repeat(64)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Invalid { ref field, .. } if field == "hash"),
        "{error}"
    );
    let second = hash_dir(&root).unwrap();
    let info = world
        .client
        .deploy_site("site", &SiteSpec::new(&root, &second))
        .await
        .unwrap();
    assert_eq!(info.kept, std::slice::from_ref(&first));
    assert_eq!(world.get("site", "/").await.body, "two");

    // Back to what was kept, without the folder, also after the agent was killed.
    fs::remove_dir_all(&root).unwrap();
    world.kill_agent().await;
    assert_eq!(world.get("site", "/").await.body, "two");
    let mut back = SiteSpec::new(&root, &first);
    back.source = None;
    world.client.deploy_site("site", &back).await.unwrap();
    assert_eq!(world.get("site", "/").await.body, "one");
    back.hash = "1".repeat(64);
    let error = world.client.deploy_site("site", &back).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_pages() {
    let world = World::new().await;
    let root = world.path().join("public");
    write_site(&root, "app");
    fs::write(root.join("404.html"), "lost?").unwrap();
    let hash = hash_dir(&root).unwrap();
    let mut spec = SiteSpec::new(&root, &hash);
    world.client.deploy_site("site", &spec).await.unwrap();
    world.route("site", Target::Site("site".into())).await;
    let lost = world.get("site", "/deep/link").await;
    assert_eq!((lost.status, lost.body.as_str()), (404, "lost?"));
    spec.spa = true;
    world.client.deploy_site("site", &spec).await.unwrap();
    let page = world.get("site", "/deep/link").await;
    assert_eq!((page.status, page.body.as_str()), (200, "app"));
    assert_eq!(world.get("site", "/missing.js").await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_may_not_lead_out() {
    let world = World::new().await;
    let root = world.path().join("public");
    let hash = write_site(&root, "home");
    fs::write(world.path().join("secret.txt"), "secret").unwrap();
    symlink(world.path().join("secret.txt"), root.join("leak.txt")).unwrap();
    let error = world
        .client
        .deploy_site("site", &SiteSpec::new(&root, &hash))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Invalid { ref field, .. } if field == "source"),
        "{error}"
    );
    assert!(world.client.site("site").await.unwrap().is_none());
    assert!(!world.state_dir().join("sites/site").exists());
    let port = world.port().await;
    assert_eq!(get(port, "site.localhost", "/leak.txt").await.status, 404);
}
