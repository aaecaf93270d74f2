//! The fake as the suite's target, and samples of every type.

use std::net::SocketAddr;

use fabrik_fakes::kuma::{Kuma, PASSWORD, Release, USER};
use fabrik_testkit::proxy::Exchange;
use fabrik_testkit::{Resource, Suite, Target, Wire};
use serde_json::{Value as Json, json};

/// A fake server.
pub(crate) struct Fake(pub(crate) Kuma);

impl Target for Fake {
    fn address(&self) -> SocketAddr {
        self.0.address()
    }
    fn config(&self, at: SocketAddr) -> Json {
        json!({"url": format!("http://{at}"), "username": USER, "password": PASSWORD})
    }
    fn dump(&self) -> Json {
        let mut dump = self.0.dump();
        // Stored as JSON in a text: as what it means, fields of it can be told apart.
        for item in dump["notifications"].as_array_mut().expect("a list") {
            let config = serde_json::from_str(item["config"].as_str().unwrap_or("{}"));
            item["config"] = config.expect("JSON");
        }
        dump
    }
    fn count(&self, type_name: &str) -> usize {
        let count = self.0.count(type_name);
        if type_name != "uptime_kuma.monitor" {
            return count;
        }
        // The group that samples are in is a monitor too, and no sample.
        let dump = self.0.dump();
        let monitors = dump["monitors"].as_object().expect("a map");
        count
            - monitors
                .values()
                .filter(|monitor| monitor["name"] == "group")
                .count()
    }
    fn wire(&self) -> Wire {
        Wire::WebSocket
    }
}

impl Fake {
    fn number(id: &str) -> Json {
        json!(id.parse::<u64>().expect("a number"))
    }

    /// Does something as another user of the web interface, to the object of an id.
    fn hand(&self, event: &str, id: &str) {
        let answer = self.0.by_hand(event, &[Fake::number(id)]);
        assert_eq!(answer["ok"], true, "{answer}");
    }

    /// Changes a field of an object in one of the server's lists and sends it back.
    fn resend(&self, list: &str, event: &str, id: &str, change: impl FnOnce(&mut Json)) {
        let dump = self.0.dump();
        let items = dump[list].as_array().expect("a list");
        let found = items.iter().find(|item| item["id"] == Fake::number(id));
        let mut item = found.expect("the object").clone();
        change(&mut item);
        let answer = match event {
            "addNotification" | "addDockerHost" => {
                let id = item["id"].clone();
                self.0.by_hand(event, &[item, id])
            }
            _ => self.0.by_hand(event, &[item]),
        };
        assert_eq!(answer["ok"], true, "{answer}");
    }

    /// Changes a notification's stored configuration.
    fn configure(&self, id: &str, key: &str, value: &str) {
        let dump = self.0.dump();
        let items = dump["notifications"].as_array().expect("a list");
        let found = items.iter().find(|item| item["id"] == Fake::number(id));
        let text = found.expect("the object")["config"]
            .as_str()
            .expect("a text");
        let mut config: Json = serde_json::from_str(text).expect("JSON");
        config[key] = json!(value);
        let answer = self
            .0
            .by_hand("addNotification", &[config, Fake::number(id)]);
        assert_eq!(answer["ok"], true, "{answer}");
    }

    /// Changes a setting of a status page.
    fn set_page(&self, slug: &str, key: &str, value: &str) {
        let mut config = self.0.by_hand("getStatusPage", &[json!(slug)])["config"].clone();
        let dump = self.0.dump();
        let pages = dump["status_pages"].as_array().expect("a list");
        let page = pages
            .iter()
            .find(|page| page["slug"] == slug)
            .expect("the page");
        config[key] = json!(value);
        let icon = config["icon"].clone();
        let args = [json!(slug), config, icon, page["groups"].clone()];
        let answer = self.0.by_hand("saveStatusPage", &args);
        assert_eq!(answer["ok"], true, "{answer}");
    }
}

/// Whether an event changes nothing.
fn is_read(exchange: &Exchange) -> bool {
    let kind = exchange.kind.as_str();
    kind.starts_with("get") || matches!(kind, "GET" | "UPGRADE" | "login" | "loginByToken")
}

/// The suite over a release.
pub(crate) fn suite(release: Release) -> Suite<Fake> {
    let is_2 = release == Release::V2;
    fabrik_testkit::suite("uptime_kuma", fabrik_provider_uptime_kuma::provider)
        .target(move || Fake(Kuma::start(release)))
        .reads(is_read)
        .wrong_token(json!({"password": "Wr0ng-Passw0rd"}), "password")
        .waive("C4", "a server has one kind of user, who may do everything")
        .resource("uptime_kuma.monitor", |r| monitor(r, is_2))
        .resource("uptime_kuma.notification", notification)
        .resource("uptime_kuma.tag", tag)
        .resource("uptime_kuma.docker_host", docker_host)
        .resource("uptime_kuma.status_page", |r| status_page(r, is_2))
        .resource("uptime_kuma.maintenance", maintenance)
}

const TWICE: &str = "names are not unique: the same name twice is no mistake";

fn monitor(r: Resource<Fake>, is_2: bool) -> Resource<Fake> {
    let mut most = json!({
        "name": "{fbt} most", "type": "http", "description": "What it is for",
        "parent": "${resources.group.id}", "active": false, "interval": "5m",
        "retry_interval": "30s", "retries": 2, "timeout": "24s", "resend_interval": 3,
        "upside_down": true, "notifications": ["${resources.hook.id}"],
        "tags": [{"tag": "${resources.label.id}", "value": "prod"}],
        "url": "https://example.com/health", "method": "POST",
        "headers": {"X-Probe": "fabrik-header-77a1"}, "body": "{\"a\": 1}",
        "body_encoding": "json",
        "basic_auth": {"username": "probe", "password": "basic-password-5c2e"},
        "accepted_statuscodes": ["200-299", "301"], "max_redirects": 3, "ignore_tls": true,
        "expiry_notification": false,
    });
    let mut query = json!({
        "name": "{fbt} query", "type": "json-query", "url": "https://example.com/api",
        "json_path": "$.status", "expected_value": "up",
    });
    let mut ping = json!({
        "name": "{fbt} ping", "type": "ping", "hostname": "host.example.com", "packet_size": 64,
    });
    let mut dns = json!({
        "name": "{fbt} dns", "type": "dns", "hostname": "example.com", "resolver": "9.9.9.9",
        "port": 5353, "record_type": "MX",
    });
    let mut r = r;
    if is_2 {
        most["cache_bust"] = json!(true);
        query["json_path_operator"] = json!("!=");
        query["retry_only_on_status_code_failure"] = json!(true);
        ping["ping_count"] = json!(3);
        ping["ping_numeric"] = json!(false);
        ping["ping_per_request_timeout"] = json!("5s");
        dns["conditions"] = json!([
            {"variable": "record", "operator": "contains", "value": "mx1"},
            {"variable": "record", "operator": "equals", "value": "mx2", "and_or": "or"},
        ]);
        r = r.variant(
            "bearer",
            json!({
                "name": "{fbt} bearer", "type": "http", "url": "https://example.com",
                "bearer_token": "bearer-token-19d4",
            }),
        );
    }
    r.also(
        "group",
        "uptime_kuma.monitor",
        json!({"name": "group", "type": "group"}),
    )
    .also(
        "hook",
        "uptime_kuma.notification",
        json!({"name": "hook", "type": "webhook", "config": {"webhookURL": "https://example.com"}}),
    )
    .also("label", "uptime_kuma.tag", json!({"name": "label"}))
    .also(
        "engine",
        "uptime_kuma.docker_host",
        json!({"name": "engine", "connection": "socket", "daemon": "/var/run/docker.sock"}),
    )
    .minimal(json!({"name": "{fbt} least", "type": "http", "url": "https://example.com"}))
    .maximal(most)
    .variant(
        "keyword",
        json!({
            "name": "{fbt} keyword", "type": "keyword", "url": "https://example.com",
            "keyword": "welcome", "invert_keyword": true,
        }),
    )
    .variant("query", query)
    .variant(
        "port",
        json!({"name": "{fbt} port", "type": "port", "hostname": "db.example.com", "port": 5432}),
    )
    .variant("ping", ping)
    .variant("dns", dns)
    .variant(
        "push",
        json!({
            "name": "{fbt} push", "type": "push",
            "push_token": "abcdefghijklmnopqrstuvwxyz012345",
        }),
    )
    .variant(
        "push_made_up",
        json!({"name": "{fbt} push", "type": "push"}),
    )
    .variant(
        "docker",
        json!({
            "name": "{fbt} docker", "type": "docker", "docker_container": "web",
            "docker_host": "${resources.engine.id}",
        }),
    )
    .variant("group", json!({"name": "{fbt} group", "type": "group"}))
    .update(json!({
        "name": "{fbt} renamed", "interval": "10m", "active": true, "description": "Other",
        "tags": [{"tag": "${resources.label.id}", "value": "staging"}], "retries": null,
    }))
    .invalid("interval", json!("0s"), "must be at least")
    .invalid("keyword", json!("x"), "has no `keyword`")
    .invalid("url", json!(null), "`url` is missing")
    .invalid(
        "notifications",
        json!(["nobody"]),
        "no notification is named `nobody`",
    )
    .refused("parent", json!("9999"), "does not have")
    .same("interval", json!(300))
    .drift("name", |t: &Fake, id| {
        t.0.edit_monitor(id, "name", json!("by hand"));
    })
    .drift("interval", |t: &Fake, id| {
        t.0.edit_monitor(id, "interval", json!(77));
    })
    .gone(|t: &Fake, id| t.hand("deleteMonitor", id))
    .unmanaged(|t: &Fake, id| t.0.edit_monitor(id, "mqttTopic", json!("by hand")))
    .bad_id("first", "a number")
    .many(
        100,
        |n| json!({"name": format!("monitor {n}"), "type": "http", "url": "https://example.com"}),
    )
    .reads_at_most(5)
    .waive("L17", TWICE)
}

fn notification(r: Resource<Fake>) -> Resource<Fake> {
    r.minimal(json!({"name": "{fbt} least", "type": "webhook"}))
        .maximal(json!({
            "name": "{fbt} most", "type": "webhook", "is_default": true,
            "config": {
                "webhookURL": "https://example.com/hook-secret-4be1",
                "webhookContentType": "custom-secret-8a3d",
            },
        }))
        .update(json!({
            "name": "{fbt} renamed", "is_default": false}))
        .invalid("name", json!(""), "")
        .invalid("config", json!({"name": "x"}), "is no setting")
        .drift("name", |t: &Fake, id| t.configure(id, "name", "by hand"))
        .drift("config.webhookContentType", |t: &Fake, id| {
            t.configure(id, "webhookContentType", "form-data");
        })
        .gone(|t: &Fake, id| t.hand("deleteNotification", id))
        .unmanaged(|t: &Fake, id| t.configure(id, "webhookAdditionalHeaders", "by hand"))
        .bad_id("first", "a number")
        .many(
            12,
            |n| json!({"name": format!("hook {n}"), "type": "webhook"}),
        )
        .reads_at_most(2)
        .waive("L17", TWICE)
        .waive("R12", "the server keeps whatever it is sent")
}

fn tag(r: Resource<Fake>) -> Resource<Fake> {
    r.minimal(json!({"name": "{fbt} least"}))
        .maximal(json!({"name": "{fbt} most", "color": "#AA00BB"}))
        .update(json!({"name": "{fbt} renamed", "color": "#000000"}))
        .invalid("color", json!("red"), "")
        .same("color", json!("#aa00bb"))
        .drift("color", |t: &Fake, id| {
            t.resend("tags", "editTag", id, |tag| tag["color"] = json!("#123456"));
        })
        .gone(|t: &Fake, id| t.hand("deleteTag", id))
        .foreign(|t: &Fake| {
            t.0.by_hand("addTag", &[json!({"name": "fbt most", "color": "#111111"})])
        })
        .bad_id("first", "a number")
        .many(12, |n| json!({"name": format!("tag {n}")}))
        .reads_at_most(2)
        .waive("L6", "a tag has no field that Fabrik does not manage")
        .waive("D4", "a tag has no field that Fabrik does not manage")
        .waive("R12", "the server keeps whatever it is sent")
}

fn docker_host(r: Resource<Fake>) -> Resource<Fake> {
    r.minimal(json!({"name": "{fbt} least", "connection": "socket", "daemon": "/run/docker.sock"}))
        .maximal(json!({"name": "{fbt} most", "connection": "tcp", "daemon": "http://10.0.0.1:2375"}))
        .update(json!({"name": "{fbt} renamed", "daemon": "http://10.0.0.2:2375"}))
        .invalid("connection", json!("carrier"), "")
        .drift("daemon", |t: &Fake, id| {
            t.resend("docker_hosts", "addDockerHost", id, |host| {
                host["dockerDaemon"] = json!("http://10.0.0.9:2375");
            });
        })
        .gone(|t: &Fake, id| t.hand("deleteDockerHost", id))
        .foreign(|t: &Fake| {
            let host = json!({"name": "fbt most", "dockerType": "socket", "dockerDaemon": "/theirs"});
            t.0.by_hand("addDockerHost", &[host, Json::Null])
        })
        .bad_id("first", "a number")
        .many(12, |n| {
            json!({"name": format!("host {n}"), "connection": "socket", "daemon": "/run/docker.sock"})
        })
        .reads_at_most(2)
        .waive("L6", "a docker host has no field that Fabrik does not manage")
        .waive("D4", "a docker host has no field that Fabrik does not manage")
        .waive("R12", "the server keeps whatever it is sent")
}

fn status_page(r: Resource<Fake>, is_2: bool) -> Resource<Fake> {
    let mut most = json!({
        "slug": "{fbt}-most", "title": "Most", "description": "How we are", "theme": "dark",
        "icon": "https://example.com/icon.png", "footer_text": "The end",
        "custom_css": "body { color: red }", "show_powered_by": false, "show_tags": true,
        "show_certificate_expiry": true, "domain_names": ["status.example.com", "up.example.com"],
        "analytics": {"type": "google", "id": "G-1"},
        "groups": [
            {"name": "Services", "monitors": [
                {"monitor": "${resources.web.id}", "show_link": true},
                {"monitor": "${resources.api.id}"},
            ]},
            {"name": "Empty"},
        ],
    });
    if is_2 {
        most["show_only_last_heartbeat"] = json!(true);
        most["auto_refresh_interval"] = json!("2m");
        most["rss_title"] = json!("Feed");
        most["analytics"] = json!({
            "type": "umami", "id": "u-1", "script_url": "https://stats.example.com/script.js",
        });
    }
    let watched = |name: &str| json!({"name": name, "type": "http", "url": "https://example.com"});
    r.also("web", "uptime_kuma.monitor", watched("web"))
        .also("api", "uptime_kuma.monitor", watched("api"))
        .minimal(json!({"slug": "{fbt}-least", "title": "Least"}))
        .maximal(most)
        .update(json!({
            "title": "Renamed", "theme": "light", "description": null,
            "groups": [{"name": "Services", "monitors": [{"monitor": "${resources.api.id}"}]}],
        }))
        .replace("slug", json!("{fbt}-other"))
        .invalid("slug", json!("No Slug"), "")
        .invalid("icon", json!("data:image/gif;base64,AA=="), "must be a PNG")
        .refused(
            "groups",
            json!([{"name": "Services", "monitors": [{"monitor": "9999"}]}]),
            "does not have",
        )
        .drift("title", |t: &Fake, id| t.set_page(id, "title", "by hand"))
        .gone(|t: &Fake, id| {
            let answer = t.0.by_hand("deleteStatusPage", &[json!(id)]);
            assert_eq!(answer["ok"], true, "{answer}");
        })
        .foreign(|t: &Fake| {
            t.0.by_hand("addStatusPage", &[json!("Theirs"), json!("fbt-most")])
        })
        .bad_id("not a slug", "a slug")
        .many(
            12,
            |n| json!({"slug": format!("page-{n}"), "title": format!("Page {n}")}),
        )
        .waive(
            "L6",
            "a page is sent as a whole; what is not set is sent as it was (tests of its own)",
        )
        .waive("D4", "every setting of a page can be managed")
}

fn maintenance(r: Resource<Fake>) -> Resource<Fake> {
    r.also(
        "web",
        "uptime_kuma.monitor",
        json!({"name": "web", "type": "http", "url": "https://example.com"}),
    )
    .also(
        "page",
        "uptime_kuma.status_page",
        json!({"slug": "page", "title": "Page"}),
    )
    .minimal(json!({"title": "{fbt} least", "strategy": "manual"}))
    .maximal(json!({
        "title": "{fbt} most", "description": "What is done", "strategy": "recurring-weekday",
        "active": false, "start": "2026-12-01 02:00", "end": "2027-12-01 02:00",
        "time_range": {"from": "02:00", "to": "04:30"}, "weekdays": [1, 5],
        "timezone": "Europe/Berlin", "monitors": ["${resources.web.id}"],
        "status_pages": ["${resources.page.id}"],
    }))
    .variant(
        "single",
        json!({
            "title": "{fbt} single", "strategy": "single", "start": "2026-12-01 02:00",
            "end": "2026-12-01 04:00",
        }),
    )
    .variant(
        "cron",
        json!({"title": "{fbt} cron", "strategy": "cron", "cron": "0 3 * * 1", "duration": "90m"}),
    )
    .variant(
        "interval",
        json!({
            "title": "{fbt} interval", "strategy": "recurring-interval", "every_days": 3,
            "time_range": {"from": "23:00", "to": "01:00"},
        }),
    )
    .variant(
        "month",
        json!({
            "title": "{fbt} month", "strategy": "recurring-day-of-month",
            "days_of_month": [1, "15", "lastDay1"], "time_range": {"from": "00:00", "to": "01:00"},
        }),
    )
    .update(json!({
        "title": "{fbt} renamed", "active": true, "weekdays": [0], "status_pages": null,
        "description": null,
    }))
    // A weekly one needs its days and times.
    .unset(&[
        "description",
        "active",
        "start",
        "end",
        "timezone",
        "monitors",
        "status_pages",
    ])
    .invalid("weekdays", json!(null), "`weekdays` is missing")
    .invalid("cron", json!("0 3 * * *"), "has no `cron`")
    .refused("monitors", json!(["9999"]), "does not have")
    .drift("title", |t: &Fake, id| {
        t.resend("maintenances", "editMaintenance", id, |item| {
            item["title"] = json!("by hand");
        });
    })
    .gone(|t: &Fake, id| t.hand("deleteMaintenance", id))
    .bad_id("first", "a number")
    .many(
        12,
        |n| json!({"title": format!("maintenance {n}"), "strategy": "manual"}),
    )
    // One for all, and two for what each covers.
    .reads_at_most(30)
    .waive("L17", TWICE)
    .waive("L6", "every field of a maintenance can be managed")
    .waive("D4", "every field of a maintenance can be managed")
}
