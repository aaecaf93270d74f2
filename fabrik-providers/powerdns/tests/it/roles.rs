//! Playing the role dns.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::Result;
use fabrik_core::role::{DNS, Parts, Player as _};
use fabrik_core::value::{from_json, to_wire_masked};
use fabrik_provider_powerdns::DnsPlayer;
use serde_json::{Value as Json, json};

use crate::world::{World, told};

fn expand(intent: &Json, own: &Json) -> Result<(Json, Json)> {
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "powerdns".into(), Arc::default(), None);
    let outputs = parts.scoped("powerdns".into(), "dns-0", |parts| {
        DnsPlayer.expand(&from_json(intent), &from_json(own), parts)
    })?;
    let part = parts.resources.first().unwrap();
    assert_eq!(&*part.type_name, "powerdns.record_set");
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
            "zone": "shop.co.uk", "name": "www.shop.co.uk.", "type": "A", "values": ["192.0.2.1"], "ttl": 60,
        })
    );
    assert_eq!(
        outputs,
        json!({"name": "${apps.shop.dns-0.fqdn}", "type": "A", "values": ["192.0.2.1"]})
    );

    let kind = |intent: Json, own: Json| expand(&intent, &own).unwrap().0["type"].clone();
    assert_eq!(
        kind(
            json!({"name": "a.example.com", "target": "2001:db8::1", "kind": "address"}),
            json!({})
        ),
        "AAAA"
    );
    assert_eq!(
        kind(
            json!({"name": "*.a.example.com", "target": "lb.example.net", "kind": "host"}),
            json!({})
        ),
        "CNAME"
    );
    assert_eq!(
        kind(
            json!({"name": "example.com", "target": "lb.example.net", "kind": "host"}),
            json!({"type": "ALIAS"})
        ),
        "ALIAS"
    );
    let own = json!({"zone": "dev.example.com"});
    let (inputs, _) = expand(
        &json!({"name": "dev.example.com", "target": "192.0.2.1", "kind": "address"}),
        &own,
    )
    .unwrap();
    assert_eq!(inputs["zone"], "dev.example.com");
}

#[test]
fn what_cannot_be_is_said() {
    let error = expand(
        &json!({"name": "example.com", "target": "lb.example.net", "kind": "host"}),
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(
        told(&error).1,
        "`example.com` is the zone itself, which cannot be a CNAME"
    );
    let error = expand(
        &json!({"name": "com", "target": "192.0.2.1", "kind": "address"}),
        &json!({}),
    )
    .unwrap_err();
    assert_eq!(
        told(&error),
        (
            "Invalid".to_owned(),
            "`com` is below no registrable domain".to_owned(),
            "say which zone holds it: `powerdns: {zone: …}`".to_owned(),
        )
    );
}

#[tokio::test]
async fn its_record_sets_work() {
    let world = World::new();
    world.server.make_zone("example.com");
    for (name, target, kind) in [
        ("www.example.com", "192.0.2.1", "address"),
        ("example.com", "2001:db8::1", "address"),
        ("*.w.example.com", "lb.example.net", "host"),
    ] {
        let (inputs, _) = expand(
            &json!({"name": name, "target": target, "kind": kind}),
            &json!({}),
        )
        .unwrap();
        let stack = world.stack(json!({"it": {"type": "powerdns.record_set", "spec": inputs}}));
        world.stage.settle(&stack).await.unwrap();
    }
    world
        .resolves("any.w.example.com", "CNAME", &["lb.example.net"])
        .await
        .unwrap();
}
