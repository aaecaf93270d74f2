//! A real server, when one is at hand.

use fabrik_core::provider::{Cx, Verb};
use serde_json::json;

use crate::{apply, create, open_with, operation, read, update};

/// Goes through the life of one object of each type that others do not see. Set
/// `FABRIK_KUMA_URL`, `FABRIK_KUMA_USERNAME` and `FABRIK_KUMA_PASSWORD`.
#[tokio::test]
#[ignore = "needs a real server: FABRIK_KUMA_URL, FABRIK_KUMA_USERNAME, FABRIK_KUMA_PASSWORD"]
#[expect(clippy::disallowed_methods, reason = "settings of a test")]
async fn a_real_server_is_driven() {
    let var = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let config = json!({
        "url": var("FABRIK_KUMA_URL"), "username": var("FABRIK_KUMA_USERNAME"),
        "password": var("FABRIK_KUMA_PASSWORD"),
    });
    let instance = open_with(&Cx::detached(), config).await.unwrap();
    let mut made = Vec::new();
    for (type_name, inputs, field) in [
        ("uptime_kuma.tag", json!({"name": "fabrik-test"}), "name"),
        (
            "uptime_kuma.notification",
            json!({"name": "fabrik-test", "type": "webhook", "config": {"webhookURL": "http://127.0.0.1:9/", "webhookContentType": "json"}}),
            "name",
        ),
        (
            "uptime_kuma.docker_host",
            json!({"name": "fabrik-test", "connection": "tcp", "daemon": "http://127.0.0.1:9"}),
            "name",
        ),
        (
            "uptime_kuma.monitor",
            json!({"name": "fabrik-test", "type": "http", "url": "http://127.0.0.1:9/", "active": false}),
            "name",
        ),
        (
            "uptime_kuma.maintenance",
            json!({"title": "fabrik-test", "strategy": "manual", "active": false}),
            "title",
        ),
        (
            "uptime_kuma.status_page",
            json!({"slug": "fabrik-test", "title": "fabrik-test", "groups": [{"name": "All"}]}),
            "title",
        ),
    ] {
        let object = create(&instance, type_name, inputs.clone()).await.unwrap();
        let mut renamed = inputs;
        renamed[field] = json!("fabrik-test-2");
        let object = update(&instance, type_name, &object, renamed)
            .await
            .unwrap();
        let there = read(&instance, type_name, &object.id)
            .await
            .unwrap()
            .unwrap();
        let name = there.inputs.get(field).unwrap().as_str().map(str::to_owned);
        assert_eq!(name.as_deref(), Some("fabrik-test-2"), "{type_name}");
        made.push((type_name, object));
    }
    for (type_name, object) in made {
        let mut delete = operation(Verb::Delete, type_name, 9, json!(null));
        delete.prior = Some(object.clone());
        apply(&instance, delete).await.unwrap();
        assert!(
            read(&instance, type_name, &object.id)
                .await
                .unwrap()
                .is_none(),
            "{type_name}"
        );
    }
}
