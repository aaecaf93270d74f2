//! The role monitor.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::provider::Provider as _;
use fabrik_core::role::{MONITOR, Parts, Player};
use fabrik_core::stack::Options;
use fabrik_core::value::{from_json, to_wire_masked};
use fabrik_provider_uptime_kuma::{MonitorPlayer, provider};
use serde_json::{Value as Json, json};

fn expand(intent: Json, own: Json) -> (Json, Json) {
    let schema = fabrik_core::kinds::intent(MONITOR).unwrap();
    assert!(
        jsonschema::validator_for(&schema)
            .unwrap()
            .is_valid(&intent),
        "{intent}"
    );
    assert!(
        jsonschema::validator_for(&MonitorPlayer.options())
            .unwrap()
            .is_valid(&own),
        "{own}"
    );
    let base = Address::parse("apps.shop").unwrap();
    let mut parts = Parts::new(
        base,
        "uptime_kuma".into(),
        Arc::new(Options::default()),
        None,
    );
    let outputs = parts
        .scoped("uptime_kuma".into(), "monitor", |parts| {
            MonitorPlayer.expand(&from_json(&intent), &from_json(&own), parts)
        })
        .unwrap();
    let [part] = parts.resources.as_slice() else {
        panic!("one monitor");
    };
    assert_eq!(part.address.to_string(), "apps.shop.monitor");
    let provider = provider();
    let info = provider.info().type_named(&part.type_name).unwrap().clone();
    let inputs = to_wire_masked(&part.inputs);
    let validator = jsonschema::validator_for(&info.schema).unwrap();
    assert!(validator.is_valid(&inputs), "{inputs}");
    (inputs, to_wire_masked(&outputs))
}

#[test]
fn an_intent_becomes_a_monitor() {
    let intent = json!({
        "name": "shop", "url": "https://shop.example.com", "interval": "30s", "notify": ["ops"],
    });
    let (inputs, outputs) = expand(intent, json!({"retries": 2, "notifications": ["oncall"]}));
    assert_eq!(
        inputs,
        json!({
            "name": "shop", "type": "http", "url": "https://shop.example.com", "interval": "30s",
            "retries": 2, "notifications": ["ops", "oncall"],
        })
    );
    assert_eq!(outputs["id"], "${apps.shop.monitor.id}");
}

#[test]
fn a_keyword_makes_it_a_keyword_monitor() {
    let intent = json!({"name": "shop", "url": "https://shop.example.com"});
    let (inputs, _) = expand(intent, json!({"keyword": "welcome"}));
    assert_eq!(inputs["type"], "keyword");
}
