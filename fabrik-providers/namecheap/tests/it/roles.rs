//! Playing the role dns.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::role::{DNS, Parts, Player as _};
use fabrik_core::value::{from_json, to_wire_masked};
use fabrik_provider_namecheap::DnsPlayer;
use serde_json::{Value as Json, json};

use crate::world::World;

fn expand(intent: &Json, own: &Json) -> Result<(Json, Json)> {
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "namecheap".into(), Arc::default(), None);
    let outputs = parts.scoped("namecheap".into(), "dns-0", |parts| {
        DnsPlayer.expand(&from_json(intent), &from_json(own), parts)
    })?;
    let part = parts.resources.first().unwrap();
    assert_eq!(&*part.type_name, "namecheap.record_set");
    Ok((to_wire_masked(&part.inputs), to_wire_masked(&outputs)))
}

#[test]
fn a_host_name_becomes_a_record_set() {
    assert_eq!(DnsPlayer.role(), DNS);
    let intent =
        json!({"name": "www.shop.co.uk", "target": "192.0.2.1", "kind": "address", "ttl": 60});
    let (inputs, outputs) = expand(&intent, &json!({})).unwrap();
    assert_eq!(
        inputs,
        json!({
            "domain": "shop.co.uk", "name": "www.shop.co.uk.", "type": "A", "values": ["192.0.2.1"], "ttl": 60,
        })
    );
    assert_eq!(
        outputs,
        json!({"name": "${apps.shop.dns-0.fqdn}", "type": "A", "values": ["192.0.2.1"]})
    );
    let kind = |name: &str, target: &str, kind: &str| {
        let intent = json!({"name": name, "target": target, "kind": kind});
        expand(&intent, &json!({})).unwrap().0["type"].clone()
    };
    assert_eq!(kind("a.example.com", "2001:db8::1", "address"), "AAAA");
    assert_eq!(kind("*.a.example.com", "lb.example.net", "host"), "CNAME");
    assert_eq!(kind("example.com", "lb.example.net", "host"), "ALIAS");
    let error = expand(
        &json!({"name": "com", "target": "192.0.2.1", "kind": "address"}),
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(error.message(), "`com` is below no registered domain");
}

#[tokio::test]
async fn its_record_sets_work() {
    let world = World::new();
    let mut all = serde_json::Map::new();
    for (id, name, target, kind) in [
        ("a", "shop.example.com", "192.0.2.1", "address"),
        ("b", "example.com", "lb.example.net", "host"),
    ] {
        let (inputs, _) = expand(
            &json!({"name": name, "target": target, "kind": kind}),
            &json!({}),
        )
        .unwrap();
        all.insert(
            id.to_owned(),
            json!({"type": "namecheap.record_set", "spec": inputs}),
        );
    }
    world.stage.settle(&world.stack(all.into())).await.unwrap();
    assert_eq!(world.values("shop", "A"), ["192.0.2.1"]);
    assert_eq!(world.values("@", "ALIAS"), ["lb.example.net."]);
}
