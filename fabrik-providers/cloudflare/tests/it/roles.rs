//! Playing the role `dns`.

use fabrik_core::address::Address;
use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::kinds::intent as intent_of;
use fabrik_core::provider::Provider as _;
use fabrik_core::role::{DNS, Parts, Player as _};
use fabrik_core::stack::Declared;
use fabrik_core::value::{Value, from_json, to_wire_masked};
use fabrik_provider_cloudflare::{DnsPlayer, provider};
use serde_json::{Value as Json, json};

use super::world::{Stage, refer};

fn expand(intent: &Value, own: &Json) -> Result<(Vec<Declared>, Value)> {
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(base, "cloudflare".into(), std::sync::Arc::default(), None);
    let outputs = parts.scoped("cloudflare".into(), "dns", |parts| {
        DnsPlayer.expand(intent, &from_json(own), parts)
    })?;
    Ok((parts.resources, outputs))
}

#[test]
fn a_name_is_a_record_set() {
    let wanted =
        json!({"name": "shop.example.com", "target": "192.0.2.1", "kind": "address", "ttl": 30});
    let schema = intent_of(DNS).unwrap();
    assert!(jsonschema::is_valid(&schema, &wanted));
    let (parts, outputs) = expand(&from_json(&wanted), &json!({})).unwrap();
    assert_eq!(parts[0].address.as_str(), "apps.shop.dns");
    assert_eq!(
        to_wire_masked(&parts[0].inputs),
        json!({"name": "shop.example.com", "type": "A", "values": ["192.0.2.1"], "ttl": 60})
    );
    assert_eq!(
        to_wire_masked(&outputs),
        json!({"name": "${apps.shop.dns.name}", "type": "A", "values": ["192.0.2.1"]})
    );
    let (parts, _) = expand(
        &from_json(&json!({"name": "a.example.com", "target": "2001:db8::1", "kind": "address"})),
        &json!({"zone": "example.com", "comment": "the shop"}),
    )
    .unwrap();
    assert_eq!(
        to_wire_masked(&parts[0].inputs),
        json!({"name": "a.example.com", "type": "AAAA", "values": ["2001:db8::1"], "zone": "example.com", "comment": "the shop"})
    );
}

#[test]
fn behind_the_proxy_the_values_are_not_told() {
    let wanted =
        json!({"name": "a.example.com", "target": "lb.example.net", "kind": "host", "ttl": 600});
    let (parts, outputs) = expand(&from_json(&wanted), &json!({"proxied": true})).unwrap();
    assert_eq!(
        to_wire_masked(&parts[0].inputs),
        json!({"name": "a.example.com", "type": "CNAME", "values": ["lb.example.net"], "proxied": true})
    );
    assert_eq!(
        to_wire_masked(&outputs),
        json!({"name": "${apps.shop.dns.name}"})
    );
}

#[test]
fn mistakes_point_at_the_intent() {
    for (wanted, field) in [
        (
            json!({"name": "a.example.com", "target": "lb.example.net", "kind": "address"}),
            "target",
        ),
        (
            json!({"name": "a b", "target": "192.0.2.1", "kind": "address"}),
            "name",
        ),
        (json!({"target": "192.0.2.1", "kind": "address"}), "name"),
    ] {
        let error = expand(&from_json(&wanted), &json!({})).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.field_path().unwrap().to_string(), field);
    }
    assert_eq!(provider().players()[0].role(), DNS);
    assert!(jsonschema::is_valid(
        &DnsPlayer.options(),
        &json!({"zone": "example.com", "proxied": true})
    ));
    assert!(!jsonschema::is_valid(
        &DnsPlayer.options(),
        &json!({"nothing": 1})
    ));
}

/// What the player makes is applied, with a target that is known only then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_played_works() {
    let (stage, zone) = Stage::with_zone();
    let wanted = Value::map([
        ("name", Value::from("shop.example.com")),
        ("target", refer("zone", "name")),
        ("kind", Value::from("host")),
    ]);
    let (parts, _) = expand(&wanted, &json!({})).unwrap();
    let lookup = super::world::resource(
        "zone",
        "cloudflare.zone_by_name",
        &json!({"name": "example.com"}),
    );
    let stack = stage.stack(parts.into_iter().chain([lookup]));
    stage.settle(&stack).await;
    let made = stage.cloud.record_set(&zone, "shop.example.com", "CNAME");
    assert_eq!(made[0]["content"], "example.com");
}
