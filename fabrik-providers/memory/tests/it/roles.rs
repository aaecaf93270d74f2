//! Playing runtime and dns beside other providers.

use fabrik_core::address::Address;
use fabrik_core::role::{DNS, Parts, Player as _, RUNTIME};
use fabrik_core::value::{Value, from_json};
use fabrik_provider_memory::{DnsPlayer, RuntimePlayer};
use serde_json::json;

use crate::world::{World, stack};

#[tokio::test]
async fn an_app_and_its_record() {
    let world = World::new();
    assert_eq!((RuntimePlayer.role(), DnsPlayer.role()), (RUNTIME, DNS));
    assert!(RuntimePlayer.facts().wants_dns);
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "memory".into(), std::sync::Arc::default(), None);
    let empty = Value::map::<&str>([]);
    let intent = json!({
        "kind": "service",
        "name": "shop",
        "image": "acme/shop:1",
        "env": {"A": "1"},
        "domains": [{"name": "shop.example.com"}],
    });
    let runtime = RuntimePlayer
        .expand(&from_json(&intent), &empty, &mut parts)
        .unwrap();
    let intent = Value::map([
        ("name", Value::from("shop.example.com")),
        ("target", runtime.get("ingress").unwrap().clone()),
        ("kind", runtime.get("ingress_kind").unwrap().clone()),
    ]);
    let instance = parts.instance().clone();
    let dns = |parts: &mut Parts| DnsPlayer.expand(&intent, &empty, parts);
    parts.scoped(instance, "dns", dns).unwrap();
    let mut wanted = stack(parts.resources);
    wanted.output("url", runtime.get("url").unwrap().clone());
    let report = world.settle(&wanted).await;
    assert_eq!(
        report.output("url").unwrap().as_str(),
        Some("http://shop.example.com")
    );
    assert_eq!(
        world.cloud.of("memory.dns")[0].inputs["target"],
        "192.0.2.10"
    );
    assert_eq!(world.cloud.of("memory.app")[0].inputs["run"], "acme/shop:1");
    world.destroy(&wanted).await;
    assert!(world.cloud.things().is_empty());
}
