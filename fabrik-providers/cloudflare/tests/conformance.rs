//! The conformance suite against the fake.

use std::net::SocketAddr;
use std::process::ExitCode;

use fabrik_fakes::cloudflare::{ACCOUNT, Cloudflare, Plan, TOKEN};
use fabrik_provider_cloudflare::provider;
use fabrik_testkit::Target;
use serde_json::{Value as Json, json};

/// The fake, with a zone to work in.
struct Service {
    cloud: Cloudflare,
    zone: String,
}

const ZONE: &str = "example.com";
const OTHER: &str = "other.example";
const PENDING: &str = "pending.example";

impl Service {
    fn start() -> Service {
        let cloud = Cloudflare::start();
        cloud.plan_of_new_zones(Plan::Enterprise);
        cloud.add_zone(OTHER);
        let pending = cloud.add_zone(PENDING);
        cloud.set_status(&pending, "pending");
        let zone = cloud.add_zone(ZONE);
        cloud.set_record_quota(&zone, 10_000);
        cloud.activate_after(1);
        Service { cloud, zone }
    }

    /// What both zones have.
    fn everywhere(&self, list: fn(&Cloudflare, &str) -> Vec<Json>) -> Vec<Json> {
        let zones = [ZONE, OTHER].into_iter();
        let ids = zones.filter_map(|zone| self.cloud.zone_id(zone));
        ids.flat_map(|id| list(&self.cloud, &id)).collect()
    }

    /// The records of a set's id: `ZONE/NAME/TYPE`.
    fn set(&self, id: &str) -> Vec<String> {
        let parts: Vec<&str> = id.split('/').collect();
        let [zone, name, kind] = parts.as_slice() else {
            return Vec::new();
        };
        let zone = self.cloud.zone_id(zone).unwrap_or_default();
        let found = self.cloud.record_set(&zone, name, kind);
        let ids = found.iter().filter_map(|record| record["id"].as_str());
        ids.map(str::to_owned).collect()
    }

    fn edit_set(&self, id: &str, fields: &Json) {
        for record in self.set(id) {
            self.cloud.edit_record(&record, fields);
        }
    }

    fn remove_set(&self, id: &str) {
        for record in self.set(id) {
            self.cloud.remove_record(&record);
        }
    }

    fn edit_rule(&self, id: &str, fields: &Json) {
        self.cloud.edit_rule(reference(id), fields);
    }
}

/// The reference in a rule's id: `ZONE/REF`.
fn reference(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, reference)| reference)
}

impl Target for Service {
    fn address(&self) -> SocketAddr {
        self.cloud.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        json!({"endpoint": format!("http://{at}/client/v4"), "token": TOKEN})
    }

    fn dump(&self) -> Json {
        self.cloud.dump()
    }

    fn count(&self, type_name: &str) -> usize {
        match type_name {
            "cloudflare.zone" => self.cloud.zone_names().len() - 3,
            "cloudflare.dns_record" => {
                let records = self.everywhere(Cloudflare::records);
                let mut sets: Vec<String> = records
                    .iter()
                    .map(|record| format!("{}/{}", record["name"], record["type"]))
                    .collect();
                sets.sort();
                sets.dedup();
                sets.len()
            }
            "cloudflare.redirect_rule" => self.everywhere(Cloudflare::rules).len(),
            "cloudflare.cache_purge" => self.cloud.purges().len(),
            "cloudflare.zone_settings" => {
                let dump = self.cloud.dump();
                let changed = [ZONE, OTHER].iter();
                changed
                    .filter(|zone| dump[**zone]["settings"] != json!({}))
                    .count()
            }
            _ => 0,
        }
    }
}

fn main() -> ExitCode {
    fabrik_testkit::suite("cloudflare", provider)
        .target(Service::start)
        .wrong_token(json!({"token": "v1.0-some-other-token-77aa"}), "token")
        .lacking(|t| t.cloud.drop_scope("DNS:Edit"), "DNS:Edit")
        .unauthorized(
            401,
            "application/json",
            r#"{"success":false,"errors":[{"code":1000,"message":"Invalid API Token"}],"messages":[],"result":null}"#,
        )
        .resource("cloudflare.dns_record", |r| {
            r.minimal(json!({"zone": ZONE, "name": "{fbt}-least", "type": "A", "values": ["192.0.2.1"]}))
                .maximal(json!({
                    "zone": ZONE, "name": "{fbt}-www.example.com", "type": "A",
                    "values": ["192.0.2.1", "192.0.2.2"], "ttl": 300, "proxied": false,
                    "comment": "made by a test", "tags": ["team:shop"],
                }))
                .variant("mail", json!({
                    "zone": ZONE, "name": "{fbt}-mail", "type": "MX",
                    "values": ["10 mail.example.com", "20 Mail2.example.com."],
                }))
                .variant("text", json!({
                    "zone": ZONE, "name": "{fbt}-text", "type": "TXT",
                    "values": ["v=spf1 -all", "\"a \\\"quoted\\\" text\""],
                }))
                .variant("proxied", json!({
                    "zone": ZONE, "name": "{fbt}-proxied", "type": "CNAME",
                    "values": ["other.example.org"], "proxied": true,
                }))
                .variant("service", json!({
                    "zone": ZONE, "name": "_sip._tcp.{fbt}", "type": "SRV",
                    "values": ["1 2 5060 sip.example.com"],
                }))
                .update(json!({"values": ["192.0.2.2", "192.0.2.3"], "ttl": 600, "comment": "changed"}))
                .replace("name", json!("{fbt}-other.example.com"))
                .replace("type", json!("TXT"))
                .invalid("values", json!(["192.0.2.300"]), "must be an IPv4 address")
                .invalid("ttl", json!(20), "60 to 86400")
                .same("name", json!("{fbt}-WWW.Example.com."))
                .same("name", json!("{fbt}-www"))
                .same("zone", json!("EXAMPLE.com."))
                .same("values", json!(["192.0.2.2", "192.0.2.1"]))
                .text(&["comment"])
                .drift("ttl", |t, id| t.edit_set(id, &json!({"ttl": 900})))
                .drift("comment", |t, id| t.edit_set(id, &json!({"comment": "by hand"})))
                .drift("tags", |t, id| t.edit_set(id, &json!({"tags": ["by:hand"]})))
                .refused("tags", json!((0..21).map(|n| format!("n:{n}")).collect::<Vec<_>>()), "exceeding the quota of 20")
                .replace("zone", json!(OTHER))
                .gone(Service::remove_set)
                .foreign(|t| {
                    let record = json!({"name": "fbt-www.example.com", "type": "A", "content": "192.0.2.99"});
                    t.cloud.add_record(&t.zone, &record)
                })
                .unmanaged(|t, id| t.edit_set(id, &json!({"settings": {"ipv4_only": true}})))
                .bad_id("nothing", "ZONE/NAME/TYPE")
                .many(250, |n| {
                    json!({"zone": ZONE, "name": format!("{{fbt}}-{n}"), "type": "A", "values": [format!("192.0.2.{n}")]})
                })
                .reads_at_most(3)
        })
        .resource("cloudflare.zone", |r| {
            r.minimal(json!({"name": "{fbt}-least.example", "on_destroy": "delete"}))
                .maximal(json!({
                    "name": "{fbt}-zone.example", "account": ACCOUNT, "type": "full",
                    "on_destroy": "delete",
                }))
                .update(json!({"type": "partial"}))
                .replace("name", json!("{fbt}-new.example"))
                .replace("account", json!("f".repeat(32)))
                .invalid("name", json!("no domain"), "is no host name")
                .refused("name", json!("{fbt}-zone.invalid"), "is not a registered domain")
                .same("name", json!("{fbt}-ZONE.example."))
                .drift("type", |t, id| t.cloud.set_type(id, "partial"))
                .gone(|t, id| t.cloud.remove_zone(id))
                .foreign(|t| t.cloud.add_zone("fbt-zone.example"))
                .unmanaged(|t, id| t.cloud.set_paused(id, true))
                .bad_id("nothing", "32 hexadecimal digits")
                .many(60, |n| json!({"name": format!("{{fbt}}-{n}.example"), "on_destroy": "delete"}))
                .reads_at_most(2)
        })
        .resource("cloudflare.zone_settings", |r| {
            r.minimal(json!({"zone": ZONE, "ssl": "strict"}))
                .maximal(json!({
                    "zone": ZONE, "ssl": "strict", "always_use_https": "on", "min_tls_version": "1.2",
                    "tls_1_3": "zrt", "automatic_https_rewrites": "off",
                    "opportunistic_encryption": "off", "http3": "off", "brotli": "off", "ipv6": "off",
                    "websockets": "off", "early_hints": "on", "security_level": "high",
                    "browser_check": "off", "email_obfuscation": "off", "hotlink_protection": "on",
                    "ip_geolocation": "off", "cache_level": "basic", "browser_cache_ttl": 1200,
                    "always_online": "on", "rocket_loader": "on", "development_mode": "on",
                    "polish": "off",
                }))
                .update(json!({"ssl": "full", "browser_cache_ttl": 1800}))
                .invalid("polish", json!("lossy"), "does not allow to change `polish`")
                .same("zone", json!("Example.COM."))
                .drift("ssl", |t, _| t.cloud.set_setting(&t.zone, "ssl", &json!("off")))
                .drift("browser_cache_ttl", |t, _| {
                    t.cloud.set_setting(&t.zone, "browser_cache_ttl", &json!(7_200));
                })
                .unmanaged(|t, _| t.cloud.set_setting(&t.zone, "http2", &json!("off")))
                .bad_id("nothing", "example.com")
                .replace("zone", json!(OTHER))
                .refused("browser_cache_ttl", json!(1_201), "Invalid value for zone setting")
                .waive("L9", "settings cannot be deleted: they become what they were")
                .waive("L11", "settings cannot be deleted")
                .waive("L13", "a setting that is no longer set becomes what it was")
                .waive("L17", "every zone has settings; there is nothing to be taken")
                .waive("D3", "settings cannot be deleted")
                .waive("R11", "a zone has its settings once")
        })
        .resource("cloudflare.redirect_rule", |r| {
            r.minimal(json!({
                "zone": ZONE, "expression": "http.host eq \"least.example.com\"",
                "target": "https://example.com",
            }))
            .maximal(json!({
                "zone": ZONE, "expression": "http.host eq \"www.example.com\"",
                "target": "https://example.com/", "status": 308, "preserve_query": true,
                "description": "to the apex", "enabled": true,
            }))
            .variant("worked out", json!({
                "zone": ZONE, "expression": "http.host eq \"old.example.com\"",
                "target_expression": "concat(\"https://example.com\", http.request.uri.path)",
            }))
            .update(json!({"status": 302, "description": "for now", "enabled": false}))
            .invalid("target", json!(null), "one target")
            .refused("expression", json!("http.host eq ("), "Filter parsing error")
            .same("zone", json!("EXAMPLE.com."))
            .text(&["description"])
            .drift("enabled", |t, id| t.edit_rule(id, &json!({"enabled": false})))
            .drift("description", |t, id| t.edit_rule(id, &json!({"description": "by hand"})))
            .gone(|t, id| t.cloud.remove_rule(reference(id)))
            .unmanaged(|t, id| t.edit_rule(id, &json!({"logging": {"enabled": true}})))
            .bad_id("nothing", "ZONE/REF")
            .replace("zone", json!(OTHER))
            .many(10, |n| {
                json!({
                    "zone": ZONE, "expression": format!("http.host eq \"r{n}.example.com\""),
                    "target": "https://example.com",
                })
            })
            .reads_at_most(1)
        })
        .lookup("cloudflare.zone_by_name", |l| {
            l.inputs(json!({"name": ZONE}))
                .not_found(json!({"name": "{fbt}-nothing.example"}))
        })
        .action("cloudflare.cache_purge", |a| {
            a.inputs(json!({"zone": ZONE, "everything": true}))
                .waive("S5", "the ways to purge exclude each other")
        })
        .action("cloudflare.zone_activation", |a| a.inputs(json!({"zone": PENDING})))
        .run()
}
