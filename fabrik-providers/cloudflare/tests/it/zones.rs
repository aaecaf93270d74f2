//! `cloudflare.zone`, `cloudflare.zone_activation`, `cloudflare.zone_by_name`.

use std::time::Duration;

use fabrik_core::engine::Fault;
use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;
use fabrik_core::stack::Options;
use fabrik_core::state::RunResult;
use fabrik_fakes::cloudflare::{ACCOUNT, Plan};
use serde_json::json;

use super::world::{Stage, actions, adopting, at, options, refer, resource, with};

fn zone(inputs: &serde_json::Value) -> fabrik_core::stack::Declared {
    resource("zone", "cloudflare.zone", inputs)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_made_and_stays() {
    let stage = Stage::new();
    stage.cloud.add_zone("other.example");
    let mut stack = stage.stack([zone(&json!({"name": "Bücher.Example."}))]);
    stack.output("servers", refer("zone", "name_servers"));
    stack.output("status", refer("zone", "status"));
    stack.output("id", refer("zone", "id"));
    let report = stage.settle(&stack).await;
    let servers = report.output("servers").unwrap().as_list().unwrap();
    assert_eq!(servers[0].as_str(), Some("ada.ns.cloudflare.com"));
    assert_eq!(report.output("status").unwrap().as_str(), Some("pending"));
    let id = stage.cloud.zone_id("xn--bcher-kva.example").unwrap();
    assert_eq!(report.output("id").unwrap().as_str(), Some(id.as_str()));
    assert_eq!(stage.cloud.zone(&id).unwrap()["account"]["id"], ACCOUNT);
    // It stays, and the plan says so.
    let plan = stage.destroy(&stack).await;
    assert_eq!(actions(&plan), [("zone".into(), Action::Forget)]);
    assert!(stage.cloud.zone(&id).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_goes_only_when_that_is_written() {
    let (stage, id) = Stage::with_zone();
    let declared = |then: &str| adopting(zone(&json!({"name": "example.com", "on_destroy": then})));
    let stack = stage.stack([declared("keep")]);
    assert_eq!(
        actions(&stage.plan(&stack).await),
        [("zone".into(), Action::Adopt)]
    );
    stage.settle(&stack).await;
    assert_eq!(stage.writes(), 0);
    let stack = stage.stack([declared("delete")]);
    stage.settle(&stack).await;
    let plan = stage.destroy(&stack).await;
    assert_eq!(actions(&plan), [("zone".into(), Action::Delete)]);
    assert!(plan.changes[0].data_loss);
    assert!(stage.cloud.zone(&id).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_of_that_name_is_not_taken_silently() {
    let (stage, id) = Stage::with_zone();
    let (_, message, hint) = stage
        .finding(&stage.stack([zone(&json!({"name": "EXAMPLE.com"}))]))
        .await;
    assert_eq!(
        message,
        format!(
            "an object of that name exists already (`{id}`), and it was not made by this stack"
        )
    );
    assert!(hint.contains("adopt: true"), "{hint}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_imported_by_its_id() {
    let (stage, id) = Stage::with_zone();
    let import = |id: &str| {
        let import = Options {
            import: Some(id.into()),
            ..Options::default()
        };
        stage.stack([options(zone(&json!({"name": "example.com"})), import)])
    };
    let error = stage.try_plan(&import("example.com")).await.unwrap_err();
    assert!(
        error.message().contains("`example.com` is no id of a zone"),
        "{error:?}"
    );
    assert!(error.hint_text().unwrap().contains("32 hexadecimal digits"));
    stage.settle(&import(&id)).await;
    assert_eq!(stage.writes(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_makes_no_second_zone() {
    let stage = Stage::new();
    stage.cloud.add_zone("other.example");
    let mut declared = zone(&json!({"name": "example.com"}));
    declared = options(
        declared,
        Options {
            timeout: Some(Duration::from_secs(2)),
            ..Options::default()
        },
    );
    let stack = stage.stack([declared]);
    let lost = Fault::LoseReply {
        address: at("zone"),
    };
    let report = stage.apply_with(&stack, vec![lost]).await;
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    stage.empty(&stack).await;
    assert_eq!(stage.cloud.zone_names().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_account_has_to_be_known() {
    let mut stage = Stage::new();
    let stack = stage.stack([zone(&json!({"name": "example.com"}))]);
    let error = stage.failure(&stack).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.message(),
        "it is not known which account the zone is made in"
    );
    stage.config["account"] = json!(ACCOUNT);
    stage
        .settle(&stage.stack([zone(&json!({"name": "example.com"}))]))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_is_waited_for() {
    let stage = Stage::new();
    stage.cloud.add_zone("other.example");
    stage.cloud.activate_after(1);
    let active = resource("active", "cloudflare.zone_activation", &json!({}));
    let active = with(active, "zone", refer("zone", "id"));
    let stack = stage.stack([zone(&json!({"name": "example.com"})), active]);
    stage.settle(&stack).await;
    let id = stage.cloud.zone_id("example.com").unwrap();
    assert_eq!(stage.cloud.activation_checks(&id), 1);
    assert_eq!(stage.cloud.zone(&id).unwrap()["status"], "active");
    // It is done once.
    stage.cloud.clear_log();
    stage.empty(&stack).await;
    assert_eq!(stage.writes(), 0);
    stage.destroy(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_and_says_what_to_do() {
    let (stage, id) = Stage::with_zone();
    stage.cloud.set_status(&id, "pending");
    let active = |seconds: u64| {
        let declared = resource(
            "active",
            "cloudflare.zone_activation",
            &json!({"zone": "example.com"}),
        );
        let timeout = Some(Duration::from_secs(seconds));
        stage.stack([options(
            declared,
            Options {
                timeout,
                ..Options::default()
            },
        )])
    };
    let error = stage.failure(&active(1)).await;
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.message(), "the zone `example.com` is still pending");
    assert_eq!(
        error.hint_text(),
        Some(
            "delegate the domain to ada.ns.cloudflare.com and bob.ns.cloudflare.com at the registrar, or give it more time with `timeout`"
        )
    );
    stage.cloud.set_status(&id, "moved");
    let error = stage.failure(&active(60)).await;
    assert_eq!(
        error.message(),
        "the zone `example.com` is no longer delegated to Cloudflare"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_is_looked_up_by_its_name() {
    let (stage, id) = Stage::with_zone();
    stage.cloud.set_plan(&id, Plan::Pro);
    let lookup = |name: &str| {
        let declared = resource("zone", "cloudflare.zone_by_name", &json!({"name": name}));
        let mut stack = stage.stack([declared]);
        stack.output("id", refer("zone", "id"));
        stack.output("plan", refer("zone", "plan"));
        stack
    };
    let report = stage.apply(&lookup("EXAMPLE.com.")).await;
    assert_eq!(report.output("id").unwrap().as_str(), Some(id.as_str()));
    assert_eq!(report.output("plan").unwrap().as_str(), Some("pro"));
    let error = stage.try_plan(&lookup("example.org")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error
            .to_string()
            .ends_with("the API token sees no zone `example.org`"),
        "{error}"
    );
}
