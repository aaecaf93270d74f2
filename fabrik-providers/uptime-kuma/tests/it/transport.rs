//! The connection: pings, breaks, counts.

use std::time::Duration;

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_core::provider::{Located, Verb};
use fabrik_fakes::kuma::{Fault, Kuma, Release};
use serde_json::{Value as Json, json};

use crate::{create, open, operation, read, update};

const MONITOR: &str = "uptime_kuma.monitor";

fn http(name: &str) -> Json {
    json!({"name": name, "type": "http", "url": "https://example.com"})
}

#[tokio::test]
async fn pings_are_answered() {
    let kuma = Kuma::start(Release::V2);
    kuma.ping_every(Duration::from_millis(40));
    let instance = open(&kuma).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(kuma.pongs() >= 3, "{}", kuma.pongs());
    assert!(read(&instance, MONITOR, "1").await.unwrap().is_none());
    assert_eq!(kuma.connections(), 1, "nobody was thrown out");
}

#[tokio::test]
async fn a_hundred_monitors_are_read_over_one_connection_in_one_call() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let ids: Vec<u64> = (0..100)
            .map(|n| kuma.add_monitor(json!({"name": format!("m{n}")})))
            .collect();
        let instance = open(&kuma).await;
        kuma.clear_log();
        let requests: Vec<_> = ids
            .iter()
            .map(|id| fabrik_core::provider::ReadRequest {
                address: fabrik_core::address::Address::resource("it").unwrap(),
                type_name: MONITOR.into(),
                prior: fabrik_core::provider::Object {
                    id: id.to_string(),
                    ..Default::default()
                },
            })
            .collect();
        let answers = instance.read(&Cx::detached(), &requests).await;
        assert_eq!(
            answers
                .iter()
                .filter(|answer| matches!(answer, Ok(Some(_))))
                .count(),
            100
        );
        assert_eq!(kuma.log(), ["getMonitorList"]);
        assert_eq!(kuma.connections(), 1);
    }
}

/// The server may not answer, answer late, or answer that it failed after it did it.
#[tokio::test]
async fn a_create_is_done_once_whatever_becomes_of_its_answer() {
    for release in [Release::V1, Release::V2] {
        for fault in [
            Fault::CutAfter,
            Fault::RefuseAfter(String::new()),
            Fault::RefuseAfter("Knex: Timeout acquiring a connection".to_owned()),
            Fault::LandsLater(Duration::from_millis(300)),
        ] {
            let kuma = Kuma::start(release);
            let instance = open(&kuma).await;
            kuma.fault("add", fault.clone());
            let made = create(&instance, MONITOR, http("once")).await;
            assert_eq!(kuma.count(MONITOR), 1, "{release:?} {fault:?}: {made:?}");
            let id = made.unwrap().id;
            assert!(read(&instance, MONITOR, &id).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn a_create_that_was_cut_off_before_it_landed_is_in_doubt_and_then_absent() {
    let kuma = Kuma::start(Release::V2);
    let instance = open(&kuma).await;
    kuma.fault("add", Fault::CutBefore);
    let error = create(&instance, MONITOR, http("never")).await.unwrap_err();
    assert_eq!(error.effect_of(), Effect::Unknown);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let looked = operation(Verb::Create, MONITOR, 7, http("never"));
    let located = instance
        .locate(&Cx::detached(), &[looked])
        .await
        .pop()
        .unwrap();
    assert!(matches!(located, Ok(Located::Absent)), "{located:?}");
}

/// A refusal may come after the row was written, when its links are bad: nothing stays.
#[tokio::test]
async fn a_monitor_whose_links_are_refused_leaves_nothing() {
    let kuma = Kuma::start(Release::V2);
    let instance = open(&kuma).await;
    let mut inputs = http("linked");
    inputs["notifications"] = json!(["99"]);
    let error = create(&instance, MONITOR, inputs).await.unwrap_err();
    assert_eq!(error.field_path().unwrap().to_string(), "notifications");
    assert_eq!(error.effect_of(), Effect::None);
    assert_eq!(kuma.count(MONITOR), 0);
}

#[tokio::test]
async fn a_busy_database_is_tried_again() {
    let kuma = Kuma::start(Release::V2);
    let instance = open(&kuma).await;
    let made = create(&instance, MONITOR, http("busy")).await.unwrap();
    let busy = "update `monitor` set `name` = 'x' - SQLITE_BUSY: database is locked";
    kuma.fault("editMonitor", Fault::Refuse(busy.to_owned()));
    kuma.fault("editMonitor", Fault::CutBefore);
    update(&instance, MONITOR, &made, http("renamed"))
        .await
        .unwrap();
    let there = read(&instance, MONITOR, &made.id).await.unwrap().unwrap();
    assert_eq!(there.inputs.get("name").unwrap().as_str(), Some("renamed"));
}

/// What others change is pushed, and what is read is never older than the question.
#[tokio::test]
async fn lists_that_cannot_be_asked_for_are_up_to_date() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        for n in 0..20 {
            let hook = json!({"name": format!("hook {n}"), "type": "webhook", "isDefault": false});
            let id = kuma.by_hand("addNotification", &[hook, Json::Null])["id"].to_string();
            let there = read(&instance, "uptime_kuma.notification", &id)
                .await
                .unwrap();
            assert!(there.is_some(), "{release:?}: {id}");
        }
    }
}
