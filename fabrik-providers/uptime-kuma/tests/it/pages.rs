//! Status pages and maintenances.

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_core::provider::Cx;
use fabrik_fakes::kuma::{Fault, Kuma, Release};
use serde_json::{Value as Json, json};

use crate::{create, open, read, update};

const PAGE: &str = "uptime_kuma.status_page";
const MAINTENANCE: &str = "uptime_kuma.maintenance";
const BOTH: [Release; 2] = [Release::V1, Release::V2];

fn page(kuma: &Kuma, slug: &str) -> Json {
    let dump = kuma.dump();
    let pages = dump["status_pages"].as_array().unwrap();
    pages
        .iter()
        .find(|page| page["slug"] == slug)
        .unwrap()
        .clone()
}

/// Making a page takes two steps: whichever answer is lost, one page comes of it.
#[tokio::test]
async fn a_page_is_made_once_whichever_answer_is_lost() {
    for release in BOTH {
        for (event, fault) in [
            ("addStatusPage", Fault::CutBefore),
            ("addStatusPage", Fault::CutAfter),
            (
                "addStatusPage",
                Fault::RefuseAfter("SQLITE_BUSY: database is locked".to_owned()),
            ),
            ("saveStatusPage", Fault::CutBefore),
            ("saveStatusPage", Fault::CutAfter),
        ] {
            let kuma = Kuma::start(release);
            let instance = open(&kuma).await;
            kuma.fault(event, fault.clone());
            let inputs = json!({"slug": "status", "title": "Status", "groups": [{"name": "All"}]});
            create(&instance, PAGE, inputs)
                .await
                .unwrap_or_else(|error| panic!("{event} {fault:?}: {error:?}"));
            assert_eq!(kuma.count(PAGE), 1);
            assert_eq!(page(&kuma, "status")["title"], "Status");
        }
    }
}

#[tokio::test]
async fn a_slug_that_is_taken_is_a_conflict_and_left_alone() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        kuma.by_hand("addStatusPage", &[json!("Theirs"), json!("status")]);
        let instance = open(&kuma).await;
        let error = create(&instance, PAGE, json!({"slug": "status", "title": "Ours"}))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (ErrorKind::Conflict, Effect::None)
        );
        assert!(
            error
                .message()
                .contains("a status page `status` exists already")
        );
        assert!(error.hint_text().unwrap().contains("import"));
        assert_eq!(page(&kuma, "status")["title"], "Theirs");
    }
}

/// Saving replaces everything. What was set by hand and is not managed stays.
#[tokio::test]
async fn an_update_keeps_settings_and_groups_of_others() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let monitor = kuma.add_monitor(json!({"name": "web"}));
        let instance = open(&kuma).await;
        let inputs = |title: &str| json!({"slug": "status", "title": title});
        let made = create(&instance, PAGE, inputs("One")).await.unwrap();
        let mut config = page(&kuma, "status");
        config["footerText"] = json!("by hand");
        let link = json!({"id": monitor, "sendUrl": true, "url": "https://elsewhere.example.com"});
        let groups = json!([{"name": "Theirs", "monitorList": [link]}]);
        let saved = kuma.by_hand(
            "saveStatusPage",
            &[json!("status"), config, json!("/icon.svg"), groups],
        );
        let id = saved["publicGroupList"][0]["id"].clone();
        update(&instance, PAGE, &made, inputs("Two")).await.unwrap();
        let there = page(&kuma, "status");
        assert_eq!(there["title"], "Two");
        assert_eq!(there["footerText"], "by hand");
        assert_eq!(there["groups"][0]["id"], id, "groups keep their ids");
        if release == Release::V2 {
            let url = &there["groups"][0]["monitorList"][0]["url"];
            assert_eq!(url, "https://elsewhere.example.com");
        }
        // A monitor's own link is not frozen into the page.
        let link = json!({"id": monitor, "sendUrl": true});
        let groups = json!([{"name": "Theirs", "monitorList": [link]}]);
        kuma.by_hand(
            "saveStatusPage",
            &[
                json!("status"),
                page(&kuma, "status"),
                json!("/icon.svg"),
                groups,
            ],
        );
        update(&instance, PAGE, &made, inputs("Three"))
            .await
            .unwrap();
        kuma.edit_monitor(
            &monitor.to_string(),
            "url",
            json!("https://new.example.com"),
        );
        let url = page(&kuma, "status")["groups"][0]["monitorList"][0]["url"].clone();
        assert_eq!(url, "https://new.example.com");
    }
}

/// Public pages are kept for five minutes; what is read is what is there.
#[tokio::test]
async fn reading_is_not_deceived_by_the_cache() {
    let kuma = Kuma::start(Release::V2);
    let monitor = kuma.add_monitor(json!({"name": "web"}));
    let instance = open(&kuma).await;
    let group = json!({"name": "All", "monitors": [{"monitor": monitor}]});
    let inputs = json!({"slug": "status", "title": "Status", "groups": [group]});
    let made = create(&instance, PAGE, inputs).await.unwrap();
    let monitors = |object: &fabrik_core::provider::Object| {
        let groups = object
            .inputs
            .get("groups")
            .unwrap()
            .as_list()
            .unwrap()
            .to_vec();
        groups[0]
            .get("monitors")
            .and_then(|list| list.as_list().map(<[_]>::len))
            .unwrap_or_default()
    };
    let there = read(&instance, PAGE, &made.id).await.unwrap().unwrap();
    assert_eq!(monitors(&there), 1);
    // Deleting a monitor does not empty the cache.
    kuma.by_hand("deleteMonitor", &[json!(monitor)]);
    let there = read(&instance, PAGE, &made.id).await.unwrap().unwrap();
    assert_eq!(monitors(&there), 0);
}

/// The list of status pages comes after a login only.
#[tokio::test]
async fn pages_made_since_the_login_are_listed() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        kuma.by_hand("addStatusPage", &[json!("Later"), json!("later")]);
        let listed = instance.list(&Cx::detached(), PAGE).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].id, "later");
        let logins = kuma.log().iter().filter(|event| *event == "login").count();
        assert_eq!(logins, 1, "by the stored login");
    }
}

#[tokio::test]
async fn a_maintenance_is_made_once_and_covers_what_it_says() {
    for release in BOTH {
        for (event, fault) in [
            ("addMaintenance", Fault::CutAfter),
            ("addMaintenance", Fault::RefuseAfter(String::new())),
            ("addMonitorMaintenance", Fault::CutAfter),
            ("addMaintenanceStatusPage", Fault::CutBefore),
        ] {
            let kuma = Kuma::start(release);
            let monitor = kuma.add_monitor(json!({"name": "web"}));
            kuma.by_hand("addStatusPage", &[json!("Page"), json!("page")]);
            let instance = open(&kuma).await;
            // It is made after the login, so its slug is not among those that were told.
            kuma.by_hand("addStatusPage", &[json!("Late"), json!("late")]);
            kuma.fault(event, fault.clone());
            let inputs = json!({
                "title": "Deploy", "strategy": "manual", "monitors": [monitor],
                "status_pages": ["page", "late"],
            });
            let made = create(&instance, MAINTENANCE, inputs).await.unwrap();
            assert_eq!(kuma.count(MAINTENANCE), 1, "{event} {fault:?}");
            // A client that has not made it has to learn the slug too.
            let there = read(&open(&kuma).await, MAINTENANCE, &made.id)
                .await
                .unwrap()
                .unwrap();
            let pages = there
                .inputs
                .get("status_pages")
                .unwrap()
                .as_list()
                .unwrap()
                .len();
            assert_eq!(pages, 2);
            assert!(
                there.inputs.get("description").is_none(),
                "the mark is not shown"
            );
        }
    }
}

/// An open end is shown as a list of one and taken as a list of two.
#[tokio::test]
async fn dates_survive_an_update() {
    for release in BOTH {
        let kuma = Kuma::start(release);
        let instance = open(&kuma).await;
        let inputs = |title: &str| {
            json!({
                "title": title, "strategy": "recurring-interval", "every_days": 2,
                "time_range": {"from": "02:00", "to": "03:30"}, "start": "2026-12-01 00:00",
            })
        };
        let made = create(&instance, MAINTENANCE, inputs("One")).await.unwrap();
        update(&instance, MAINTENANCE, &made, inputs("Two"))
            .await
            .unwrap();
        let there = kuma.dump()["maintenances"][0].clone();
        assert_eq!(there["title"], "Two");
        assert_eq!(there["dateRange"], json!(["2026-12-01 00:00"]));
        let seen = read(&instance, MAINTENANCE, &made.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            seen.inputs
                .get("time_range")
                .unwrap()
                .get("to")
                .unwrap()
                .as_str(),
            Some("03:30")
        );
        assert!(
            seen.inputs.get("cron").is_none(),
            "the server's own expression is not shown"
        );
    }
}
