//! A stack on a service that fails one request in ten.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::state::RunResult;
use fabrik_fakes::cloudflare::{Cloudflare, TOKEN};
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::{Fault, Proxy};
use fabrik_testkit::stack::{Stage, virtual_clock};
use serde_json::{Map, Value as Json, json};

const RECORDS: usize = 120;

/// A zone with settings, records of three kinds, and redirects.
fn spec(version: usize) -> Json {
    let mut resources = Map::new();
    let mut add = |id: String, type_name: &str, spec: Json| {
        resources.insert(
            id,
            json!({"type": format!("cloudflare.{type_name}"), "spec": spec}),
        );
    };
    add(
        "zone".into(),
        "zone",
        json!({"name": "shop.example", "on_destroy": "delete"}),
    );
    add(
        "settings".into(),
        "zone_settings",
        json!({"zone": "${zone.id}", "ssl": "strict", "http3": "off"}),
    );
    for at in 0..RECORDS {
        let spec = match at % 3 {
            0 => {
                json!({"type": "A", "values": [format!("192.0.2.{}", at + version), "192.0.2.250"]})
            }
            1 => json!({"type": "TXT", "values": [format!("text {at} {version}")]}),
            _ => json!({"type": "MX", "values": ["10 mail.example.com"], "ttl": 300 + version}),
        };
        let mut spec = spec;
        spec["zone"] = json!("${zone.id}");
        spec["name"] = json!(format!("r{at}"));
        add(format!("r{at}"), "dns_record", spec);
    }
    for at in 0..3 {
        add(
            format!("redirect{at}"),
            "redirect_rule",
            json!({
                "zone": "${zone.id}", "expression": format!("http.host eq \"old{at}.shop.example\""),
                "target": format!("https://shop.example/{version}"),
            }),
        );
    }
    json!({"resources": resources})
}

async fn converges(seed: u64) {
    let cloud = Cloudflare::start();
    cloud.add_zone("other.example");
    let clock = virtual_clock();
    let proxy = Proxy::with_clock(cloud.address(), Wire::Http, Arc::new(clock.clone()));
    let endpoint = format!("http://{}/client/v4", proxy.address());
    let stage = Stage::builder()
        .provider(
            fabrik_provider_cloudflare::provider(),
            json!({"endpoint": endpoint, "token": TOKEN}),
        )
        .clock(clock.clone())
        .seed(seed)
        .build()
        .unwrap();
    let faults = [
        Fault::status(500),
        Fault::status(500).forwarded(),
        Fault::status(503),
        Fault::status(429).header("retry-after", "2"),
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Truncate(40),
    ];
    proxy.random(seed, 0.1, &faults);
    for version in [1, 2] {
        let stack = stage.load(&spec(version)).unwrap();
        let mut ends = Vec::new();
        for _ in 0..12 {
            match stage.apply(&stack).await {
                Ok(report) if report.end.result == RunResult::Succeeded => {
                    ends.clear();
                    break;
                }
                Ok(report) => ends.push(format!("{:?}", report.end.error)),
                Err(error) => ends.push(format!("{error:?}")),
            }
            clock.advance(Duration::from_secs(30));
        }
        assert!(ends.is_empty(), "seed {seed}, version {version}: {ends:#?}");
        let zone = cloud.zone_id("shop.example").unwrap();
        let records: usize = (0..RECORDS).map(|at| if at % 3 == 0 { 2 } else { 1 }).sum();
        assert_eq!(cloud.records(&zone).len(), records, "seed {seed}");
        assert_eq!(cloud.rules(&zone).len(), 3, "seed {seed}");
        assert_eq!(cloud.zone_names().len(), 2, "seed {seed}");
    }
    proxy.heal();
    let stack = stage.load(&spec(2)).unwrap();
    let plan = stage.plan(&stack).await.unwrap();
    assert!(plan.is_empty(), "seed {seed}: {:#?}", plan.changes);
    stage.destroy(&stack).await.unwrap();
    assert_eq!(cloud.zone_names(), ["other.example"], "seed {seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_converges_although_one_request_in_ten_fails() {
    for seed in 1..=6 {
        converges(seed).await;
    }
}
