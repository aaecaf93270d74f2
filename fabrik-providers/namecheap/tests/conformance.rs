//! The conformance suite, against the fake.

use std::net::SocketAddr;
use std::process::ExitCode;

use fabrik_fakes::namecheap::{Domain, Host, Namecheap};
use fabrik_testkit::{Target, suite};
use serde_json::{Value as Json, json};

/// A fake with two domains.
struct Fake(Namecheap);

const DOMAIN: &str = "example.com";
const OTHER: &str = "example.org";

impl Fake {
    fn start() -> Fake {
        let fake = Namecheap::start();
        fake.register(DOMAIN);
        fake.register(OTHER);
        for at in 0..12 {
            fake.register(&format!("fbt-{at}.com"));
        }
        Fake(fake)
    }

    /// Changes the records of a set by hand.
    fn change(&self, id: &str, change: impl FnOnce(&mut Domain, &str, &str)) {
        let parts: Vec<&str> = id.split('/').collect();
        self.0
            .by_hand(parts[0], |domain| change(domain, parts[1], parts[2]));
    }
}

impl Target for Fake {
    fn address(&self) -> SocketAddr {
        self.0.address()
    }

    fn config(&self, at: SocketAddr) -> Json {
        Namecheap::config(at)
    }

    fn dump(&self) -> Json {
        self.0.dump()
    }

    fn count(&self, type_name: &str) -> usize {
        let dump = self.0.dump();
        let domains = dump.as_object().unwrap().values();
        match type_name {
            "namecheap.record_set" => domains
                .map(|domain| domain["hosts"].as_object().unwrap().len())
                .sum(),
            _ => domains
                .filter(|domain| !domain["nameservers"].is_null())
                .count(),
        }
    }
}

/// Whether a command changes nothing: all are POST requests.
fn reads(exchange: &fabrik_testkit::proxy::Exchange) -> bool {
    let body = String::from_utf8_lossy(&exchange.body);
    !["setHosts", "setCustom", "setDefault"]
        .iter()
        .any(|command| body.contains(command))
}

const KEY_REFUSED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<ApiResponse Status="ERROR" xmlns="http://api.namecheap.com/xml.response"><Errors><Error Number="1011102">API Key is invalid or API access has not been enabled</Error></Errors><Warnings /><RequestedCommand /></ApiResponse>"#;

const REFUSED: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<ApiResponse Status="ERROR" xmlns="http://api.namecheap.com/xml.response"><Errors><Error Number="2050900">refused</Error></Errors><Warnings /><RequestedCommand /></ApiResponse>"#;

fn main() -> ExitCode {
    suite("namecheap", fabrik_provider_namecheap::provider)
        .target(Fake::start)
        .reads(reads)
        .wrong_token(json!({"api_key": "not-the-key-of-it"}), "api_key")
        .lacking(|t: &Fake| t.0.forbid(), "client_ip")
        .unauthorized(200, "text/xml; charset=utf-8", KEY_REFUSED)
        .refusal(200, "text/xml; charset=utf-8", REFUSED)
        .resource("namecheap.record_set", |r| {
            r.minimal(json!({"domain": DOMAIN, "name": "fbt", "type": "A", "values": ["192.0.2.1"]}))
                .maximal(json!({
                    "domain": DOMAIN,
                    "name": "fbt",
                    "type": "TXT",
                    "ttl": 300,
                    "values": ["a.example.net", "b.example.net"],
                }))
                .variant("mail", json!({"domain": DOMAIN, "type": "MX", "values": ["10 Mail.example.com.", "020 b.example.com"]}))
                .variant("address", json!({"domain": DOMAIN, "name": "six", "type": "aaaa", "values": ["2001:DB8:0::1"], "ttl": 1800}))
                .variant("alias", json!({"domain": DOMAIN, "name": "*.w", "type": "CNAME", "values": ["Www.example.net"]}))
                .variant("issuer", json!({"domain": DOMAIN, "type": "CAA", "values": ["0 ISSUE letsencrypt.org"]}))
                .variant("redirect", json!({"domain": DOMAIN, "name": "old", "type": "URL301", "values": ["https://example.com/new?a=b&c=d"]}))
                .update(json!({"ttl": 600, "values": ["v=spf1 mx -all"]}))
                .replace("domain", json!(OTHER))
                .replace("name", json!("other"))
                .replace("type", json!("NS"))
                .invalid("domain", json!("www.example.com"), "is not a registered domain")
                .invalid("name", json!("a b"), "holds ` `, which names do not")
                .invalid("type", json!("SRV"), "cannot write records of type SRV")
                .invalid("ttl", json!(5), "from 60 to 60000 seconds")
                .invalid("values", json!(["a \"b\" c"]), "holds a double quote")
                .same("domain", json!("Example.COM."))
                .same("name", json!("FBT.example.com."))
                .same("values", json!(["b.example.net", "\"a.example.net\""]))
                .text(&[])
                .drift("ttl", |t: &Fake, id| {
                    t.change(id, |domain, name, kind| {
                        for host in domain.hosts.iter_mut().filter(|host| host.name == name && host.kind == kind) {
                            host.ttl = 7200;
                        }
                    });
                })
                .drift("values", |t: &Fake, id| {
                    t.change(id, |domain, name, kind| {
                        let mut own = domain.hosts.iter_mut().filter(|host| host.name == name && host.kind == kind);
                        own.next().unwrap().address = "by hand".to_owned();
                    });
                })
                .gone(|t: &Fake, id| {
                    t.change(id, |domain, name, kind| {
                        domain.hosts.retain(|host| host.name != name || host.kind != kind);
                    });
                })
                .foreign(|t: &Fake| t.0.by_hand(DOMAIN, |domain| domain.hosts.push(Host::new("fbt", "TXT", "theirs"))))
                .unmanaged(|t: &Fake, _| t.0.by_hand(DOMAIN, |domain| domain.hosts.push(Host::new("by-hand", "A", "192.0.2.9"))))
                .waive("R12", "what the service refuses of a record set is refused before: types, values, TTLs")
                .bad_id("not an id", "DOMAIN/NAME/TYPE")
                .many(40, |at| json!({"domain": DOMAIN, "name": format!("fbt-{at}"), "type": "A", "values": ["192.0.2.1"]}))
                .reads_at_most(1)
        })
        .resource("namecheap.nameservers", |r| {
            r.maximal(json!({"domain": DOMAIN, "nameservers": ["ns1.example.net", "ns2.example.net"]}))
                .minimal(json!({"domain": DOMAIN, "nameservers": ["ns1.example.net", "ns2.example.net"]}))
                .update(json!({"nameservers": ["ns1.example.net", "ns3.example.net"]}))
                .replace("domain", json!(OTHER))
                .invalid("domain", json!("www.example.com"), "is not a registered domain")
                .invalid("nameservers", json!(["a..b", "c.example"]), "has an empty label")
                .same("domain", json!("Example.COM."))
                .same("nameservers", json!(["NS2.example.net.", "ns1.example.net"]))
                .text(&[])
                .drift("nameservers", |t: &Fake, id| {
                    t.0.by_hand(id, |domain| domain.nameservers = Some(vec!["a.example".into(), "b.example".into()]));
                })
                .gone(|t: &Fake, id| t.0.by_hand(id, |domain| domain.nameservers = None))
                .foreign(|t: &Fake| {
                    t.0.by_hand(DOMAIN, |domain| domain.nameservers = Some(vec!["a.example".into(), "b.example".into()]));
                })
                .unmanaged(|t: &Fake, id| t.0.by_hand(id, |domain| domain.email_type = "FWD".to_owned()))
                .waive("R12", "what the service refuses of name servers is refused before")
                .many(12, |at| json!({"domain": format!("fbt-{at}.com"), "nameservers": ["ns1.example.net", "ns2.example.net"]}))
                .bad_id("www.example.com", "example.com")
        })
        .lookup("namecheap.domain", |l| {
            l.inputs(json!({"domain": DOMAIN})).not_found(json!({"domain": "example.net"}))
        })
        .run()
}
