//! The checks that app kinds declare, made by the checkers here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fabrik_checks::{CheckerConfig, checkers};
use fabrik_core::address::Address;
use fabrik_core::error::{Error, Result};
use fabrik_core::kinds::Service;
use fabrik_core::provider::Cx;
use fabrik_core::role::{Component as _, ComponentCx, Parts, PlayerFacts};
use fabrik_core::stack::CheckDecl;
use fabrik_core::value::{Value, from_json, to_wire};
use fabrik_core::verify::run_checks;
use serde_json::{Value as Json, json};

use super::support::{answer, http_server};

/// Plays every role with the same outputs.
struct Plays {
    parts: Parts,
    facts: PlayerFacts,
    outputs: Value,
}

impl ComponentCx for Plays {
    fn parts(&mut self) -> &mut Parts {
        &mut self.parts
    }
    fn play(&mut self, _: &str, _: &str, _: Value) -> Result<Value> {
        Ok(self.outputs.clone())
    }
    fn facts(&mut self, _: &str) -> Result<PlayerFacts> {
        Ok(self.facts)
    }
    fn has(&mut self, _: &str) -> bool {
        true
    }
    fn mistake(&mut self, error: Error) {
        panic!("{error}");
    }
    fn warn(&mut self, warning: Error) {
        panic!("{warning}");
    }
}

fn declared(block: &Json, facts: PlayerFacts, outputs: &Json) -> Vec<CheckDecl> {
    let base = Address::parse("apps.shop").unwrap();
    let mut cx = Plays {
        parts: Parts::new(base, "fake".into(), Arc::default(), None),
        facts,
        outputs: from_json(outputs),
    };
    let block = Service.normalise(from_json(block));
    Service.expand(&block, &mut cx).unwrap();
    cx.parts.checks
}

#[test]
fn declared_checks_fit_the_checkers() {
    let checks = declared(
        &json!({
            "image": "x:1",
            "domains": ["shop.example.com", "www.example.com"],
            "health": {"path": "/up", "status": 204, "method": "HEAD", "body": "ok", "timeout": 3},
        }),
        PlayerFacts {
            wants_dns: true,
            ends_tls: true,
        },
        &json!({"url": "https://shop.example.com", "ingress": "203.0.113.9", "type": "A", "values": ["203.0.113.9"]}),
    );
    assert_eq!(checks.len(), 5);
    let checkers = checkers(CheckerConfig::default());
    for check in checks {
        let schema = checkers.get(&check.kind).unwrap().schema();
        let spec = to_wire(&check.spec).unwrap();
        jsonschema::validate(&schema, &spec).unwrap_or_else(|error| panic!("{spec}: {error}"));
    }
}

#[tokio::test]
async fn an_app_that_needs_a_moment_to_start() {
    let tries = Arc::new(AtomicUsize::new(0));
    let seen = tries.clone();
    let server = http_server(move |_| match seen.fetch_add(1, Ordering::SeqCst) {
        0..2 => answer("503 Service Unavailable", "", "starting"),
        _ => answer("200 OK", "", "up"),
    })
    .await;
    let url = format!("http://shop.localhost:{}", server.port());
    let mut checks = declared(
        &json!({"command": "./shop", "health": "/up"}),
        PlayerFacts::default(),
        &json!({"url": url}),
    );
    checks[0].interval = Duration::from_millis(30);
    let checkers = checkers(CheckerConfig::default());
    let results = run_checks(&checks, &checkers, &Cx::detached(), &mut |_| {}).await;
    assert!(results[0].passed, "{results:?}");
    assert!(
        results[0]
            .evidence
            .starts_with(&format!("{url}/up 200 in ")),
        "{results:?}"
    );
    assert_eq!(tries.load(Ordering::SeqCst), 3);

    checks[0].spec = from_json(&json!({"url": url, "contains": "down"}));
    checks[0].within = Duration::from_millis(100);
    let results = run_checks(&checks, &checkers, &Cx::detached(), &mut |_| {}).await;
    assert_eq!(
        results[0].evidence,
        format!("{url}/ answered without \"down\"; body starts with \"up\"")
    );
}
