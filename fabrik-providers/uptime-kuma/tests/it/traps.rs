//! Oddities of the server that cost others time, each as a test.

use fabrik_core::address::Address;
use fabrik_core::provider::{Cx, Planned, Proposal, Verb};
use fabrik_core::value::from_json;
use fabrik_fakes::kuma::{Fault, Kuma, Release};
use serde_json::{Value as Json, json};

use crate::{apply, create, open, operation, read, update};

const MONITOR: &str = "uptime_kuma.monitor";
const BOTH: [Release; 2] = [Release::V1, Release::V2];

fn http(name: &str) -> Json {
    json!({"name": name, "type": "http", "url": "https://example.com"})
}

fn shown(kuma: &Kuma, id: &str) -> Json {
    kuma.dump()["monitors"][id].clone()
}

async fn plan(kuma: &Kuma, type_name: &str, desired: Json) -> Planned {
    let instance = open(kuma).await;
    let desired = from_json(&desired);
    let proposal = Proposal {
        address: &Address::resource("it").unwrap(),
        type_name,
        last_sent: None,
        observed: None,
        desired: &desired,
    };
    instance.plan(&Cx::detached(), proposal).await.unwrap()
}

/// Unknown fields become columns and are refused; mandatory ones crash the server: every type is
/// made with exactly what its release takes.
#[tokio::test]
async fn each_release_gets_the_fields_it_knows() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let host = json!({"name": "engine", "connection": "socket", "daemon": "/run/docker.sock"});
        let host = create(&instance, "uptime_kuma.docker_host", host)
            .await
            .unwrap();
        for inputs in [
            http("http"),
            json!({"name": "k", "type": "keyword", "url": "https://example.com", "keyword": "x"}),
            json!({"name": "j", "type": "json-query", "url": "https://example.com", "json_path": "$", "expected_value": "1"}),
            json!({"name": "p", "type": "port", "hostname": "h", "port": 80}),
            json!({"name": "i", "type": "ping", "hostname": "h"}),
            json!({"name": "d", "type": "dns", "hostname": "h"}),
            json!({"name": "u", "type": "push"}),
            json!({"name": "c", "type": "docker", "docker_container": "c", "docker_host": host.id}),
            json!({"name": "g", "type": "group"}),
        ] {
            create(&instance, MONITOR, inputs.clone())
                .await
                .unwrap_or_else(|error| {
                    panic!("{release:?} {inputs}: {error:?}");
                });
        }
        assert_eq!(kuma.count(MONITOR), 9);
    }
}

/// `editMonitor` replaces everything: what Fabrik does not manage must be sent back.
#[tokio::test]
async fn an_update_keeps_what_is_not_managed() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let made = create(&instance, MONITOR, http("mine")).await.unwrap();
        kuma.edit_monitor(&made.id, "mqttTopic", json!("theirs"));
        kuma.edit_monitor(&made.id, "maxretries", json!(4));
        update(&instance, MONITOR, &made, http("renamed"))
            .await
            .unwrap();
        let there = shown(&kuma, &made.id);
        assert_eq!(there["name"], "renamed");
        assert_eq!(there["mqttTopic"], "theirs");
        assert_eq!(
            there["maxretries"], 4,
            "a field that was never set is not ours"
        );
        // Set once and taken out again, it goes back to what is usual.
        let mut inputs = http("renamed");
        inputs["retries"] = json!(7);
        let set = update(&instance, MONITOR, &made, inputs).await.unwrap();
        assert_eq!(shown(&kuma, &made.id)["maxretries"], 7);
        update(&instance, MONITOR, &set, http("renamed"))
            .await
            .unwrap();
        assert_eq!(shown(&kuma, &made.id)["maxretries"], 0);
    }
}

#[tokio::test]
async fn the_mark_is_not_seen_and_survives_updates() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let mut inputs = http("marked");
        inputs["description"] = json!("What it is for");
        let made = create(&instance, MONITOR, inputs.clone()).await.unwrap();
        let mark = format!("<!-- fabrik:{:032x} -->", 7);
        let description = |kuma: &Kuma| {
            shown(kuma, &made.id)["description"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(description(&kuma), format!("What it is for\n{mark}"));
        let there = read(&instance, MONITOR, &made.id).await.unwrap().unwrap();
        assert_eq!(
            there.inputs.get("description").unwrap().as_str(),
            Some("What it is for")
        );
        inputs["description"] = json!("Other");
        let made = update(&instance, MONITOR, &made, inputs).await.unwrap();
        assert_eq!(description(&kuma), format!("Other\n{mark}"));
        let made = update(&instance, MONITOR, &made, http("marked"))
            .await
            .unwrap();
        assert_eq!(shown(&kuma, &made.id)["description"], mark.as_str());
    }
}

/// The same name twice is two monitors: a lost create is found by its mark, not by its name.
#[tokio::test]
async fn a_lost_create_is_not_taken_for_another_of_the_same_name() {
    let kuma = Kuma::start(Release::V2);
    let theirs = kuma.add_monitor(json!({"name": "twin"}));
    let instance = open(&kuma).await;
    kuma.fault("add", Fault::CutAfter);
    let made = create(&instance, MONITOR, http("twin")).await.unwrap();
    assert_ne!(made.id, theirs.to_string());
    assert_eq!(kuma.count(MONITOR), 2);
}

/// `active` counts the groups above in.
#[tokio::test]
async fn a_paused_group_does_not_look_like_a_paused_monitor() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let group = json!({"name": "group", "type": "group"});
        let group = create(&instance, MONITOR, group).await.unwrap();
        let mut inputs = http("child");
        inputs["parent"] = json!(group.id);
        inputs["active"] = json!(true);
        let child = create(&instance, MONITOR, inputs).await.unwrap();
        kuma.by_hand("pauseMonitor", &[json!(group.id.parse::<u64>().unwrap())]);
        assert_eq!(shown(&kuma, &child.id)["active"], false);
        let there = read(&instance, MONITOR, &child.id).await.unwrap().unwrap();
        let hidden: Vec<String> = there.hidden.iter().map(ToString::to_string).collect();
        assert_eq!(hidden, ["active"]);
        let there = read(&instance, MONITOR, &group.id).await.unwrap().unwrap();
        assert_eq!(there.inputs.get("active").unwrap().as_bool(), Some(false));
    }
}

#[tokio::test]
async fn intervals_are_as_short_as_the_release_allows() {
    for (release, seconds, text) in [
        (
            Release::V1,
            19,
            Some("`interval` must be at least 20s on Uptime Kuma 1.23.17"),
        ),
        (Release::V1, 20, None),
        (
            Release::V2,
            0,
            Some("`interval` must be at least 1s on Uptime Kuma 2.5.3"),
        ),
        (Release::V2, 1, None),
    ] {
        let kuma = Kuma::start(release);
        let mut inputs = http("short");
        inputs["interval"] = json!(format!("{seconds}s"));
        let planned = plan(&kuma, MONITOR, inputs.clone()).await;
        let found: Vec<&str> = planned
            .findings
            .iter()
            .map(|finding| finding.message.as_str())
            .collect();
        assert_eq!(found, text.into_iter().collect::<Vec<_>>());
        if text.is_none() {
            create(&open(&kuma).await, MONITOR, inputs).await.unwrap();
        }
    }
}

#[tokio::test]
async fn fields_of_newer_releases_are_refused_by_the_plan() {
    let kuma = Kuma::start(Release::V1);
    for (inputs, field, text) in [
        (
            json!({"name": "d", "type": "dns", "hostname": "h", "conditions": []}),
            "conditions",
            "`conditions` needs Uptime Kuma 2.0.0, and the server is 1.23.17",
        ),
        (
            json!({"name": "h", "type": "http", "url": "https://e.com", "bearer_token": "t"}),
            "bearer_token",
            "`bearer_token` needs Uptime Kuma 2.4.0",
        ),
    ] {
        let planned = plan(&kuma, MONITOR, inputs).await;
        let finding = planned.findings.first().unwrap();
        assert!(
            finding.blocking && finding.message.contains(text),
            "{finding:?}"
        );
        assert_eq!(finding.field.as_ref().unwrap().to_string(), field);
    }
    let page = json!({"slug": "s", "title": "t", "rss_title": "x"});
    let planned = plan(&kuma, "uptime_kuma.status_page", page).await;
    assert!(
        planned.findings[0]
            .message
            .contains("`rss_title` needs Uptime Kuma 2.0.0")
    );
}

#[tokio::test]
async fn names_of_notifications_become_ids_in_the_plan() {
    let kuma = Kuma::start(Release::V2);
    for name in ["ops", "twice", "twice"] {
        let hook = json!({"name": name, "type": "webhook", "isDefault": false});
        kuma.by_hand("addNotification", &[hook, Json::Null]);
    }
    let mut inputs = http("told");
    inputs["notifications"] = json!(["ops", "2"]);
    let planned = plan(&kuma, MONITOR, inputs.clone()).await;
    assert!(planned.findings.is_empty(), "{:?}", planned.findings);
    let ids = planned
        .inputs
        .get("notifications")
        .unwrap()
        .as_list()
        .unwrap()
        .to_vec();
    let ids: Vec<&str> = ids.iter().filter_map(|id| id.as_str()).collect();
    assert_eq!(ids, ["1", "2"]);
    for (name, text) in [
        ("nobody", "no notification is named `nobody`"),
        ("twice", "2 notifications are named `twice`"),
    ] {
        inputs["notifications"] = json!([name]);
        let planned = plan(&kuma, MONITOR, inputs.clone()).await;
        assert!(
            planned.findings[0].message.contains(text),
            "{:?}",
            planned.findings
        );
    }
}

/// Rows of tags are not unique: the same tag is not added again.
#[tokio::test]
async fn tags_are_set_as_a_whole_and_added_once() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let tag = create(&instance, "uptime_kuma.tag", json!({"name": "env"}))
            .await
            .unwrap();
        let mut inputs = http("tagged");
        inputs["tags"] = json!([{"tag": tag.id, "value": "prod"}, {"tag": tag.id}]);
        // The answer to the first is lost: what is there is looked at before it is tried again.
        let made = create(&instance, MONITOR, inputs.clone()).await.unwrap();
        inputs["name"] = json!("renamed");
        let made = update(&instance, MONITOR, &made, inputs.clone())
            .await
            .unwrap();
        assert_eq!(shown(&kuma, &made.id)["tags"].as_array().unwrap().len(), 2);
        inputs["tags"] = json!([{"tag": tag.id, "value": "staging"}]);
        let made = update(&instance, MONITOR, &made, inputs).await.unwrap();
        let tags = shown(&kuma, &made.id)["tags"].clone();
        assert_eq!(tags.as_array().unwrap().len(), 1);
        assert_eq!(tags[0]["value"], "staging");
    }
}

#[tokio::test]
async fn a_push_monitor_gets_a_token_that_stays() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let push = |name: &str| json!({"name": name, "type": "push"});
        let made = create(&instance, MONITOR, push("beat")).await.unwrap();
        let token = shown(&kuma, &made.id)["pushToken"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let url = made
            .outputs
            .get("push_url")
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(url, format!("{}/api/push/{token}", kuma.url()));
        let made = update(&instance, MONITOR, &made, push("renamed"))
            .await
            .unwrap();
        assert_eq!(
            made.outputs.get("push_url").unwrap().as_str(),
            Some(url.as_str())
        );
        assert_eq!(shown(&kuma, &made.id)["pushToken"], token.as_str());
    }
}

/// Deleting what is not there is fine for monitors and maintenances, and refused for others.
#[tokio::test]
async fn deleting_twice_is_fine_everywhere() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        for (type_name, inputs) in [
            (MONITOR, http("m")),
            (
                "uptime_kuma.notification",
                json!({"name": "n", "type": "webhook"}),
            ),
            ("uptime_kuma.tag", json!({"name": "t"})),
            (
                "uptime_kuma.docker_host",
                json!({"name": "d", "connection": "socket", "daemon": "/s"}),
            ),
            (
                "uptime_kuma.status_page",
                json!({"slug": "s", "title": "s"}),
            ),
            (
                "uptime_kuma.maintenance",
                json!({"title": "w", "strategy": "manual"}),
            ),
        ] {
            let made = create(&instance, type_name, inputs).await.unwrap();
            for _ in 0..2 {
                let mut delete = operation(Verb::Delete, type_name, 9, Json::Null);
                delete.prior = Some(made.clone());
                apply(&instance, delete).await.unwrap();
                assert_eq!(kuma.count(type_name), 0, "{type_name}");
            }
            assert!(
                read(&instance, type_name, &made.id)
                    .await
                    .unwrap()
                    .is_none()
            );
        }
    }
}

/// A notification is replaced as a whole: settings of others are sent back, ours are changed.
#[tokio::test]
async fn settings_of_a_notification_are_changed_one_by_one() {
    const TYPE: &str = "uptime_kuma.notification";
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let inputs = |config: Json| json!({"name": "hook", "type": "webhook", "config": config});
        let config = |kuma: &Kuma| -> Json {
            let dump = kuma.dump();
            serde_json::from_str(dump["notifications"][0]["config"].as_str().unwrap()).unwrap()
        };
        let made = inputs(json!({"webhookURL": "https://one.example.com", "gone": "soon"}));
        let made = create(&instance, TYPE, made).await.unwrap();
        let mut theirs = config(&kuma);
        theirs["webhookAdditionalHeaders"] = json!("by hand");
        let id = json!(made.id.parse::<u64>().unwrap());
        kuma.by_hand("addNotification", &[theirs, id]);
        let wanted = inputs(json!({"webhookURL": "https://two.example.com"}));
        update(&instance, TYPE, &made, wanted).await.unwrap();
        let there = config(&kuma);
        assert_eq!(there["webhookURL"], "https://two.example.com");
        assert_eq!(there["webhookAdditionalHeaders"], "by hand");
        assert!(there.get("gone").is_none(), "{there}");
        let mark = format!("{:032x}", 7);
        assert_eq!(there["fabrikOperation"], mark.as_str());
        assert_eq!(kuma.count(TYPE), 1);
    }
}
