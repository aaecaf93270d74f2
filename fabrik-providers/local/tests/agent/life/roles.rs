//! Playing roles.

use fabrik_core::address::Address;
use fabrik_core::role::{BACKUP, BUCKET, DNS, MONITOR, Parts, Player as _, RUNTIME};
use fabrik_core::stack::Declared;
use fabrik_core::value::{Value, from_json, to_wire_masked};
use fabrik_provider_local::{BucketPlayer, DnsPlayer, MonitorPlayer, RuntimePlayer};
use serde_json::{Value as Json, json};

use super::{Stage, stack};

pub(super) fn expand(
    player: &dyn fabrik_core::role::Player,
    intent: &Json,
    own: &Json,
) -> fabrik_core::error::Result<(Vec<Declared>, Value)> {
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "local".into(), std::sync::Arc::default(), None);
    // As kinds do: what is beside the app itself is named after the role.
    let prefix = match player.role() {
        BACKUP => "backup",
        _ => "",
    };
    let outputs = parts.scoped("local".into(), prefix, |parts| {
        player.expand(&from_json(intent), &from_json(own), parts)
    })?;
    Ok((parts.resources, outputs))
}

pub(super) fn shown(parts: &[Declared]) -> Json {
    let shown = parts.iter().map(|part| {
        json!([
            part.address.to_string(),
            &*part.type_name,
            to_wire_masked(&part.inputs)
        ])
    });
    shown.collect()
}

#[test]
fn an_app_is_a_service_and_routes() {
    assert_eq!(RuntimePlayer.role(), RUNTIME);
    assert!(!RuntimePlayer.facts().wants_dns && !RuntimePlayer.facts().ends_tls);
    let intent = json!({
        "kind": "service",
        "name": "shop",
        "source": {"path": "./shop"},
        "command": "python3 main.py",
        "env": {"A": "1"},
        "replicas": 2,
        "domains": [{"name": "*.shop.localhost"}, {"name": "shop.example.com", "path": "/a"}, {"name": "b.localhost"}],
        "health": {"path": "/up", "start_period": "5m", "method": "GET"},
        "stop": {"grace": "5s", "drain": "1s"},
    });
    let (parts, outputs) = expand(&RuntimePlayer, &intent, &json!({"keep": 5})).unwrap();
    assert_eq!(
        shown(&parts),
        json!([
            ["apps.shop.service", "local.service", {
                "name": "shop",
                "command": "python3 main.py",
                "dir": "./shop",
                "env": {"A": "1"},
                "instances": 2,
                "watch": true,
                "keep": 5,
                "drain": "1s",
                "stop": {"grace": "5s"},
                "health": {"path": "/up", "deadline": "5m"},
            }],
            ["apps.shop.route-wildcard-shop-localhost", "local.route",
                {"host": "*.shop.localhost", "service": "${apps.shop.service.name}"}],
            ["apps.shop.route", "local.route",
                {"host": "shop.example.com", "path": "/a", "service": "${apps.shop.service.name}"}],
            ["apps.shop.route-b-localhost", "local.route",
                {"host": "b.localhost", "service": "${apps.shop.service.name}"}],
        ])
    );
    assert_eq!(parts[0].options.timeout.unwrap().as_secs(), 390);
    let outputs = to_wire_masked(&outputs);
    assert_eq!(outputs["url"], "${apps.shop.route.url}");
    assert_eq!(outputs["host"], "shop.example.com");
    assert_eq!(outputs["ingress"], "127.0.0.1");
    assert_eq!(outputs["logs"], "apps.shop.service");
}

#[test]
fn what_is_meant_for_containers_has_a_twin_for_this_machine() {
    let intent = json!({
        "kind": "service", "name": "shop", "port": 8000,
        "source": {"path": ".", "repo": "acme/shop", "branch": "main"},
        "command": "in-the-container",
        "build": {"install": "old", "command": "make"},
        "hooks": {"pre_deploy": "migrate"},
    });
    let own = json!({"command": "here", "install": "pip install", "port": "auto"});
    let (parts, _) = expand(&RuntimePlayer, &intent, &own).unwrap();
    assert_eq!(
        shown(&parts)[0][2],
        json!({
            "name": "shop", "dir": ".", "watch": true, "command": "here",
            "prepare": ["pip install", "make", "migrate"],
        })
    );
    // Building takes its time.
    assert_eq!(parts[0].options.timeout.unwrap().as_secs(), 1050);
    let far = json!({"kind": "service", "name": "shop", "command": "x", "source": {"repo": "a/b"}});
    let error = expand(&RuntimePlayer, &far, &json!({})).unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "source");
}

#[test]
fn a_worker_has_no_route() {
    let intent = json!({"kind": "worker", "name": "jobs", "command": "work"});
    let (parts, outputs) = expand(&RuntimePlayer, &intent, &json!({})).unwrap();
    assert_eq!(
        shown(&parts),
        json!([["apps.shop.service", "local.service", {"name": "jobs", "command": "work", "worker": true}]])
    );
    assert!(to_wire_masked(&outputs).get("url").is_none());
    assert_eq!(
        RuntimePlayer.runs(),
        ["service", "worker", "cron", "static", "wordpress"]
    );
}

#[test]
fn a_site_is_a_site_and_a_route() {
    let intent = json!({"kind": "static", "name": "shop", "source": {"path": "site"}, "spa": true});
    let (parts, outputs) = expand(&RuntimePlayer, &intent, &json!({})).unwrap();
    assert_eq!(
        shown(&parts),
        json!([
            ["apps.shop.site", "local.static_site", {"name": "shop", "source": "site", "spa": true}],
            ["apps.shop.route", "local.route", {"host": "shop.localhost", "site": "${apps.shop.site.name}"}],
        ])
    );
    assert_eq!(to_wire_masked(&outputs)["host"], "shop.localhost");
}

#[test]
fn what_cannot_be_done_is_an_error_at_its_field() {
    for (more, field) in [
        (json!({}), "command"),
        (json!({"command": "x", "replicas": 0}), "replicas"),
        (
            json!({"command": "x", "build": {"dockerfile": "Dockerfile"}}),
            "build.dockerfile",
        ),
        (
            json!({"command": "x", "health": {"method": "POST"}}),
            "health.method",
        ),
        (
            json!({"command": "x", "strategy": {"type": "recreate"}}),
            "strategy.type",
        ),
        (
            json!({"command": "x", "volumes": [{"name": "media", "path": "/media"}]}),
            "volumes[0]",
        ),
        (
            json!({"command": "x", "volumes": [{"source": "/m", "path": "/m", "read_only": true}]}),
            "volumes[0].read_only",
        ),
    ] {
        let mut intent = json!({"kind": "service", "name": "shop"});
        intent
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let error = expand(&RuntimePlayer, &intent, &json!({})).unwrap_err();
        assert_eq!(error.field_path().unwrap().to_string(), field);
    }
    for field in [
        "image",
        "limits",
        "tls.enabled",
        "redirects",
        "hooks.post_deploy",
    ] {
        assert!(RuntimePlayer.cannot().contains(&field), "{field}");
    }
    let intent = json!({"name": "shop.test", "target": "1.2.3.4", "kind": "address"});
    let error = expand(&DnsPlayer, &intent, &json!({})).unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "name");
    let intent = json!({"name": "a", "url": "https://a.test"});
    assert!(expand(&MonitorPlayer, &intent, &json!({})).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_is_played_for_real() {
    let stage = Stage::new();
    stage.write("site/index.html", "hello");
    let site = json!({"kind": "static", "name": "shop", "source": {"path": "site"}});
    let name = json!({"name": "other.localhost", "target": "127.0.0.1", "kind": "address"});
    let monitor = json!({"name": "shop", "url": "http://shop.localhost", "interval": "30s"});
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "local".into(), std::sync::Arc::default(), None);
    let empty = Value::map::<&str>([]);
    let outputs = RuntimePlayer
        .expand(&from_json(&site), &empty, &mut parts)
        .unwrap();
    for (prefix, player, intent) in [
        ("dns", &DnsPlayer as &dyn fabrik_core::role::Player, &name),
        ("monitor", &MonitorPlayer, &monitor),
        ("bucket", &BucketPlayer, &json!({"name": "media"})),
    ] {
        assert_eq!(
            player.role(),
            [DNS, MONITOR, BUCKET][["dns", "monitor", "bucket"]
                .iter()
                .position(|it| *it == prefix)
                .unwrap()]
        );
        let instance = parts.instance().clone();
        let inner = |parts: &mut Parts| player.expand(&from_json(intent), &empty, parts);
        parts.scoped(instance, prefix, inner).unwrap();
    }
    let mut wanted = stack(parts.resources);
    wanted.output("url", outputs.get("url").unwrap().clone());
    let report = stage.settle(&wanted).await;
    assert!(
        report
            .output("url")
            .unwrap()
            .as_str()
            .unwrap()
            .starts_with("http://shop.localhost:")
    );
    assert_eq!(stage.get("shop.localhost", "/").await.body, "hello");
    let status = stage.agent().status().await.unwrap();
    assert_eq!(
        (
            status.names.len(),
            status.monitors.len(),
            status.buckets.len()
        ),
        (1, 1, 1)
    );
    stage.destroy(&wanted).await;
    stage.agent().shutdown(false).await.unwrap();
    crate::world::until("nothing is left", || {
        stage.processes().is_empty() && !stage.state_dir().exists()
    })
    .await;
}
