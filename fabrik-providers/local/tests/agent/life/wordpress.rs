//! A WordPress folder, served by PHP's own server: with a stand-in for WordPress, which asks what
//! matters here.

use std::path::Path;

use fabrik_core::address::Address;
use fabrik_core::role::{Parts, Player as _};
use fabrik_core::value::{Value, from_json};
use fabrik_provider_local::RuntimePlayer;
use serde_json::json;

use super::roles::{expand, shown};
use super::{Stage, stack};

#[test]
fn a_wordpress_app_is_a_router_a_service_and_a_route() {
    let intent = json!({
        "kind": "wordpress", "name": "blog", "source": {"path": "wp"}, "env": {"WP_DEBUG": "1"},
        "domains": [{"name": "blog.localhost"}], "database": {"engine": "sqlite"},
        "wordpress": {"title": "Blog", "admin": {"login": "a", "email": "a@b.test", "password": "x"}},
    });
    let (parts, outputs) = expand(&RuntimePlayer, &intent, &json!({})).unwrap();
    let parts = shown(&parts);
    assert_eq!(parts[0][0], "apps.shop.router");
    assert_eq!(parts[0][2]["path"], ".fabrik/wordpress/blog.php");
    assert_eq!(parts[1][2]["dir"], "wp");
    assert_eq!(
        parts[1][2]["env"],
        json!({
            "FABRIK_ROUTER": "${apps.shop.router.absolute_path}", "PHP_CLI_SERVER_WORKERS": "6", "WP_DEBUG": "1",
        })
    );
    assert_eq!(
        parts[2][2],
        json!({"host": "blog.localhost", "service": "${apps.shop.service.name}"})
    );
    let outputs = fabrik_core::value::to_wire_masked(&outputs);
    assert_eq!(
        outputs["exec"],
        json!({"path": "${apps.shop.service.folder}"})
    );
    assert_eq!(outputs["url"], "${apps.shop.route.url}");
    for (more, field) in [
        (json!({"source": null}), "source"),
        (
            json!({"database": {"engine": "mariadb"}}),
            "database.engine",
        ),
        (
            json!({"wordpress": {"version": "6.5"}}),
            "wordpress.version",
        ),
    ] {
        let mut intent = intent.clone();
        intent
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let error = expand(&RuntimePlayer, &intent, &json!({})).unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), field);
        assert!(error.hint_text().is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_files_and_permalinks_are_served() {
    if !Path::new("/usr/bin/php").exists() {
        return;
    }
    let stage = Stage::new();
    stage.write(
        "wp/index.php",
        "<?php echo 'front of ', $_SERVER['REQUEST_URI'], ' by ', $_SERVER['SCRIPT_NAME'];",
    );
    stage.write("wp/wp-login.php", "<?php echo 'log in';");
    stage.write(
        "wp/wp-admin/index.php",
        "<?php echo 'dashboard in ', basename(getcwd());",
    );
    stage.write("wp/wp-content/style.css", "body {}");
    stage.write("wp/wp-content/database/.ht.sqlite", "secret");
    stage.write("wp/.env", "secret");
    let intent = json!({"kind": "wordpress", "name": "blog", "source": {"path": "wp"}});
    let base = Address::parse("apps.blog").unwrap();
    let mut parts = Parts::new(base, "local".into(), std::sync::Arc::default(), None);
    let empty = Value::map::<&str>([]);
    let outputs = RuntimePlayer
        .expand(&from_json(&intent), &empty, &mut parts)
        .unwrap();
    let mut wanted = stack(parts.resources);
    wanted.output("exec", outputs.get("exec").unwrap().clone());
    let report = stage.settle(&wanted).await;
    let exec = report.output("exec").unwrap();
    let folder = stage.project().join("wp").display().to_string();
    assert_eq!(exec.get("path").unwrap().as_str(), Some(folder.as_str()));
    for (path, status, body) in [
        ("/", 200, "front of / by /index.php"),
        (
            "/hello-world/?p=1",
            200,
            "front of /hello-world/?p=1 by /index.php",
        ),
        ("/wp-login.php", 200, "log in"),
        ("/wp-admin/", 200, "dashboard in wp-admin"),
        ("/wp-content/style.css", 200, "body {}"),
        ("/wp-content/database/.ht.sqlite", 403, ""),
        ("/.env", 403, ""),
        ("/wp-content/%2e%2e/.env", 403, ""),
    ] {
        let reply = stage.get("blog.localhost", path).await;
        // PHP sends what it does not know the length of in chunks.
        let text = match reply.header("transfer-encoding") {
            Some("chunked") => reply.body.split("\r\n").nth(1).unwrap_or_default(),
            _ => &reply.body,
        };
        assert_eq!((reply.status, text), (status, body), "{path}");
    }
    // Its workers go with it.
    stage.destroy(&wanted).await;
    crate::world::until("nothing is left", || {
        stage.processes().is_empty() && !stage.state_dir().exists()
    })
    .await;
    assert!(!stage.project().join(".fabrik").exists());
}
