//! A site on a server that is reached over SSH: a real one, on loopback.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../exec/tests/it/server.rs"]
#[allow(dead_code, reason = "the other tests use more of it")]
mod server;

use fabrik_exec::BaseEnv;
use fabrik_provider_wordpress::provider_at;
use fabrik_testkit::stack::Stage;
use fabrik_wordpress_site::{Fixture, Site};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_and_an_image_go_over_ssh() {
    let Some(site) = Site::builder().build() else {
        return;
    };
    let Some(server) = server::Server::start() else {
        return;
    };
    let files = tempfile::tempdir().unwrap();
    Fixture::plugin("fabrik-harmless").zip(files.path());
    let png = files.path().join("a.png");
    site.eval(&format!(
        "$i = imagecreatetruecolor(60, 40); imagepng($i, '{}');",
        png.display()
    ));
    site.get("/");
    let fresh = site.dump();
    let config = json!({
        "path": site.path(), "wp": site.wp(),
        "ssh": {
            "host": "127.0.0.1", "port": server.port, "user": server.user,
            "key_file": server.path("id"), "known_hosts": server.path("known_hosts"),
        },
    });
    let env = BaseEnv::new("/usr/local/bin:/usr/bin:/bin").home(files.path());
    let stage = Stage::builder()
        .provider(provider_at(env, files.path()), config)
        .build()
        .unwrap();
    let stack = stage.load(&json!({"resources": {
        "plugin": {"type": "wordpress.plugin", "spec": {"slug": "fabrik-harmless", "source": "fabrik-harmless.zip"}},
        "image": {"type": "wordpress.media", "spec": {"source": "a.png", "alt": "It's \"quoted\" \\ $HOME"}},
        "settings": {"type": "wordpress.settings", "spec": {"title": "Over SSH"}},
    }})).unwrap();
    stage.settle(&stack).await.unwrap();
    let page = site.get("/").body;
    assert!(
        page.contains("fabrik-harmless") && page.contains("Over SSH"),
        "{page}"
    );
    stage.destroy(&stack).await.unwrap();
    fresh.assert_same(&site.dump());
}
