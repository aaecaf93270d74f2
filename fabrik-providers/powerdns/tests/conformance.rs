//! The conformance suite, against a real PowerDNS.

#[path = "server/mod.rs"]
mod server;

use std::net::SocketAddr;
use std::process::ExitCode;

use fabrik_testkit::{Target, suite};
use serde_json::{Value as Json, json};

use server::Server;

/// A server with two zones.
struct Pdns(Server);

const ZONE: &str = "example.com";
const OTHER: &str = "example.org";

impl Pdns {
    fn start() -> Pdns {
        let server = Server::start();
        server.make_zone(ZONE);
        server.make_zone(OTHER);
        Pdns(server)
    }

    /// The parts of a record set's id: zone, full name with a dot, type.
    fn parts(id: &str) -> (String, String, String) {
        let parts: Vec<&str> = id.split('/').collect();
        let name = match parts[1] {
            "@" => format!("{}.", parts[0]),
            name => format!("{name}.{}.", parts[0]),
        };
        (parts[0].to_owned(), name, parts[2].to_owned())
    }

    fn set(&self, id: &str, ttl: u32, contents: &[&str]) {
        let (zone, name, kind) = Pdns::parts(id);
        self.0.set(&zone, &name, &kind, ttl, contents);
    }

    fn metadata(&self, id: &str, values: &[&str]) {
        let (zone, kind) = id.split_once('/').unwrap();
        let path = format!("/zones/{zone}./metadata/{kind}");
        let (status, reply) = self.0.api("PUT", &path, &json!({ "metadata": values }));
        assert_eq!(status, 200, "{reply}");
    }

    fn put_zone(&self, zone: &str, body: Json) {
        let (status, reply) = self.0.api("PUT", &format!("/zones/{zone}."), &body);
        assert_eq!(status, 204, "{reply}");
    }
}

impl Target for Pdns {
    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        Server::config(at)
    }

    fn dump(&self) -> Json {
        self.0.dump()
    }

    fn count(&self, type_name: &str) -> usize {
        let dump = self.0.dump();
        let zones = dump.as_object().unwrap();
        let all = |field: &str| -> usize {
            let maps = zones.values().filter_map(|zone| zone[field].as_object());
            maps.map(serde_json::Map::len).sum()
        };
        match type_name {
            "powerdns.zone" => zones.len(),
            "powerdns.record_set" => all("rrsets"),
            _ => all("metadata"),
        }
    }
}

fn main() -> ExitCode {
    suite("powerdns", fabrik_provider_powerdns::provider)
        .target(Pdns::start)
        .wrong_token(json!({"api_key": "not-the-key-of-it"}), "api_key")
        .unauthorized(401, "text/plain; charset=utf-8", "Unauthorized")
        .refusal(422, "application/json", r#"{"error": "refused"}"#)
        .waive("C4", "the API key has every right: PowerDNS knows no narrower ones")
        .resource("powerdns.zone", |r| {
            r.minimal(json!({"name": "fbt.example.net"}))
                .maximal(json!({
                    "name": "fbt.example.net",
                    "kind": "Primary",
                    "nameservers": ["ns1.example.net", "ns2.example.net"],
                    "dnssec": true,
                    "soa_edit_api": "INCREASE",
                    "account": "shop",
                }))
                .variant(
                    "secondary",
                    json!({"name": "fbt.example.net", "kind": "Secondary", "primaries": ["192.0.2.53", "192.0.2.54:5300"]}),
                )
                .update(json!({
                    "kind": "Native", "nameservers": ["ns3.example.net"], "dnssec": false, "account": "other",
                }))
                .replace("name", json!("other.example.net"))
                .invalid("name", json!("a..b"), "has an empty label")
                .invalid("nameservers", json!(["a b"]), "holds ` `, which names do not")
                .invalid("primaries", json!(["192.0.2.53"]), "only a secondary zone")
                .waive("R12", "what the server refuses of a zone is refused before: names, kinds, combinations")
                .same("name", json!("FBT.Example.net."))
                .same("nameservers", json!(["NS2.example.net.", "ns1.example.net"]))
                .unset(&["kind", "dnssec", "soa_edit_api", "account"])
                .text(&["account"])
                .drift("account", |t: &Pdns, id| t.put_zone(id, json!({"account": "somebody"})))
                .drift("kind", |t: &Pdns, id| t.put_zone(id, json!({"kind": "Native"})))
                .drift("nameservers", |t: &Pdns, id| {
                    t.0.set(id, &format!("{id}."), "NS", 60, &["ns9.example.net."]);
                })
                .gone(|t: &Pdns, id| t.0.api("DELETE", &format!("/zones/{id}."), &Json::Null))
                .foreign(|t: &Pdns| t.0.make_zone("fbt.example.net"))
                .unmanaged(|t: &Pdns, id| t.0.set(id, &format!("by-hand.{id}."), "A", 60, &["192.0.2.9"]))
                .bad_id("a..b", "example.com")
                .many(12, |at| json!({"name": format!("fbt-{at}.example.net")}))
        })
        .resource("powerdns.record_set", |r| {
            r.minimal(json!({"zone": ZONE, "type": "A", "values": ["192.0.2.1"]}))
                .maximal(json!({
                    "zone": ZONE,
                    "name": "fbt",
                    "type": "TXT",
                    "ttl": 300,
                    "values": ["v=spf1 -all", "say \"hi\" \\ $HOME grün"],
                    "disabled": true,
                }))
                .variant(
                    "mail",
                    json!({"zone": ZONE, "type": "MX", "values": ["10 Mail.example.com.", "020 b.example.com"]}),
                )
                .variant("address", json!({"zone": ZONE, "name": "six", "type": "aaaa", "values": ["2001:DB8:0::1"]}))
                .variant("alias", json!({"zone": ZONE, "name": "*.w", "type": "CNAME", "values": ["Www.example.net"]}))
                .update(json!({"ttl": 600, "values": ["v=spf1 mx -all"], "disabled": false}))
                .replace("zone", json!(OTHER))
                .replace("name", json!("other"))
                .replace("type", json!("SPF"))
                .invalid("zone", json!("a..b"), "has an empty label")
                .invalid("name", json!("a b"), "holds ` `, which names do not")
                .invalid("type", json!("SOA"), "is kept by PowerDNS itself")
                .invalid("values", json!(["\"x\" y"]), "begins like a quoted text")
                .refused("type", json!("FOO"), "unknown type given")
                .same("name", json!("FBT.example.com."))
                .same("values", json!(["\"say \\\"hi\\\" \\\\ $HOME \" \"gr\\195\\188n\"", "v=spf1 -all"]))
                .text(&[])
                .drift("ttl", |t: &Pdns, id| {
                    let records = json!([
                        {"content": "\"v=spf1 -all\"", "disabled": true},
                        {"content": "\"say \\\"hi\\\" \\\\ $HOME gr\\195\\188n\"", "disabled": true},
                    ]);
                    let (zone, name, kind) = Pdns::parts(id);
                    t.0.change(&zone, &json!({
                        "name": name, "type": kind, "ttl": 7200, "changetype": "REPLACE", "records": records,
                    }));
                })
                .drift("values", |t: &Pdns, id| {
                    let (zone, name, kind) = Pdns::parts(id);
                    t.0.change(&zone, &json!({
                        "name": name, "type": kind, "ttl": 300, "changetype": "REPLACE",
                        "records": [{"content": "\"by hand\"", "disabled": true}],
                    }));
                })
                .gone(|t: &Pdns, id| {
                    let (zone, name, kind) = Pdns::parts(id);
                    t.0.unset(&zone, &name, &kind);
                })
                .foreign(|t: &Pdns| t.set("example.com/fbt/TXT", 60, &["\"theirs\""]))
                .unmanaged(|t: &Pdns, id| {
                    let (zone, name, kind) = Pdns::parts(id);
                    let path = format!("/zones/{zone}.");
                    let (_, there) = t.0.api("GET", &path, &Json::Null);
                    let set = there["rrsets"].as_array().unwrap().iter().find(|set| set["name"] == name && set["type"] == kind);
                    let mut comments = set.unwrap()["comments"].as_array().unwrap().clone();
                    comments.push(json!({"content": "by hand", "account": "somebody"}));
                    t.0.change(&zone, &json!({
                        "name": name, "type": kind, "ttl": set.unwrap()["ttl"], "changetype": "REPLACE",
                        "records": set.unwrap()["records"], "comments": comments,
                    }));
                })
                .bad_id("not an id", "ZONE/NAME/TYPE")
                .many(40, |at| {
                    json!({"zone": ZONE, "name": format!("fbt-{at}"), "type": "A", "values": ["192.0.2.1"]})
                })
                .reads_at_most(1)
        })
        .resource("powerdns.metadata", |r| {
            r.minimal(json!({"zone": ZONE, "kind": "X-FBT", "values": ["one"]}))
                .maximal(json!({"zone": ZONE, "kind": "ALLOW-AXFR-FROM", "values": ["192.0.2.0/24", "AUTO-NS"]}))
                .update(json!({"values": ["198.51.100.0/24"]}))
                .replace("zone", json!(OTHER))
                .replace("kind", json!("ALSO-NOTIFY"))
                .invalid("zone", json!("a..b"), "has an empty label")
                .refused("kind", json!("PRESIGNED"), "Unsupported metadata kind")
                .same("zone", json!("Example.com."))
                .same("kind", json!("allow-axfr-from"))
                .same("values", json!(["AUTO-NS", "192.0.2.0/24"]))
                .text(&[])
                .drift("values", |t: &Pdns, id| t.metadata(id, &["203.0.113.0/24"]))
                .gone(|t: &Pdns, id| t.metadata(id, &[]))
                .foreign(|t: &Pdns| t.metadata("example.com/ALLOW-AXFR-FROM", &["203.0.113.0/24"]))
                .unmanaged(|t: &Pdns, _| t.metadata("example.com/X-OTHER", &["by hand"]))
                .bad_id("not an id", "ZONE/KIND")
                .many(12, |at| json!({"zone": ZONE, "kind": format!("X-FBT-{at}"), "values": ["x"]}))
                .reads_at_most(1)
        })
        .run()
}
