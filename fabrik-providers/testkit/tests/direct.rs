//! The suite without TCP: faults lie between the engine and the provider.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo};
use fabrik_core::value::{Path, Value};
use fabrik_provider_memory::{Cloud, provider};
use fabrik_testkit::{Ended, Target, Wire};
use serde_json::{Value as Json, json};

/// Clouds of this process by name, as folders of a machine are known by their path.
static CLOUDS: LazyLock<Mutex<BTreeMap<String, Cloud>>> = LazyLock::new(Mutex::default);

struct Here(String, Cloud);

impl Here {
    fn start() -> Here {
        let mut clouds = CLOUDS.lock().unwrap();
        let name = format!("cloud-{}", clouds.len());
        let cloud = Cloud::new();
        clouds.insert(name.clone(), cloud.clone());
        Here(name, cloud)
    }
}

impl Target for Here {
    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    fn config(&self, _: SocketAddr) -> Json {
        json!({"place": self.0})
    }

    fn dump(&self) -> Json {
        serde_json::to_value(self.1.things()).unwrap()
    }

    fn count(&self, type_name: &str) -> usize {
        self.1.of(type_name).len()
    }

    fn wire(&self) -> Wire {
        Wire::Direct
    }
}

/// The memory provider, told its cloud by its configuration.
struct Placed(ProviderInfo);

#[async_trait]
impl Provider for Placed {
    fn info(&self) -> &ProviderInfo {
        &self.0
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let place = config
            .get("place")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let cloud = CLOUDS
            .lock()
            .unwrap()
            .get(place)
            .cloned()
            .unwrap_or_default();
        let rest = config.without(&Path::key("place"));
        provider(cloud).open(cx, &rest).await
    }
}

fn placed() -> Placed {
    let mut info = provider(Cloud::new()).info().clone();
    info.config["properties"]["place"] = json!({"type": "string", "description": "Which cloud."});
    Placed(info)
}

fn set(target: &Here, id: &str, field: &str, value: Json) {
    assert!(target.1.tamper(id, field, value));
}

#[test]
fn every_case_holds_without_a_network() {
    let mut suite = fabrik_testkit::suite("memory", placed)
        .target(Here::start)
        .waive("C2", "a cloud of this process asks for no token")
        .waive("C3", "a cloud of this process asks for no token")
        .waive("C4", "a cloud of this process asks for no token")
        .waive("R12", "the cloud refuses nothing that the schema allows")
        .resource("memory.note", |r| {
            r.minimal(json!({"title": "least"}))
                .maximal(json!({
                    "folder": "home", "title": "note", "body": "text",
                    "tags": ["a", "b"], "secret": "note-secret-91c2",
                }))
                .update(json!({"title": "renamed"}))
                .replace("folder", json!("work"))
                .invalid("title", json!(""), "is empty")
                .drift("title", |t, id| set(t, id, "title", json!("by hand")))
                .gone(|t, id| t.1.remove(id))
                .unmanaged(|t, id| set(t, id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"title": n.to_string()}))
                .waive("L6", "the cloud replaces a thing as a whole")
        })
        .resource("memory.keyed", |r| {
            r.minimal(json!({"name": "least"}))
                .maximal(json!({"name": "full", "value": "one"}))
                .update(json!({"value": "two"}))
                .invalid("name", json!(""), "is empty")
                .drift("value", |t, id| set(t, id, "value", json!("by hand")))
                .gone(|t, id| t.1.remove(id))
                .unmanaged(|t, id| set(t, id, "colour", json!("red")))
                .opaque_ids()
                .many(12, |n| json!({"name": n.to_string()}))
                .waive("L6", "the cloud replaces a thing as a whole")
        });
    for name in [
        "name", "blob", "record", "page", "batch", "child", "flush", "latest", "null", "app", "dns",
    ] {
        suite = suite.untested(&format!("memory.{name}"), "tested over TCP");
    }
    let mut passed = 0;
    for (name, ended) in suite.outcomes(&[]) {
        match ended {
            Ended::Passed => passed += 1,
            Ended::Failed(why) => panic!("{name}: {why}"),
            Ended::Skipped(why) | Ended::Waived(why) => assert!(!why.is_empty()),
        }
    }
    assert!(passed > 80, "{passed} cases passed");
}
