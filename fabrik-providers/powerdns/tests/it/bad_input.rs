//! What bad input gets, word by word.

use std::net::SocketAddr;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_testkit::serve::{Reply, Server as Fake};
use serde_json::{Value as Json, json};

use crate::server::{KEY, Server, Setup};
use crate::world::{World, ZONE, resources, set, stage, told, zone};

/// Why a provider with this configuration does not open.
async fn refused(config: Json) -> Error {
    match stage(&config).open("powerdns").await {
        Ok(_) => panic!("it opens"),
        Err(error) => error,
    }
}

fn at(address: SocketAddr) -> String {
    format!("http://{address}")
}

fn texts(kind: &str, message: &str, hint: &str) -> (String, String, String) {
    (kind.to_owned(), message.to_owned(), hint.to_owned())
}

#[tokio::test]
async fn a_wrong_key() {
    let server = Server::start();
    let error =
        refused(json!({"endpoint": at(server.address()), "api_key": "wrong-wrong-wrong"})).await;
    assert_eq!(
        told(&error),
        texts(
            "Auth",
            "PowerDNS does not accept the API key",
            "set `api_key` (or POWERDNS_API_KEY) to what `api-key` is in the server's pdns.conf",
        )
    );
    assert_eq!(error.field_path().unwrap().to_string(), "api_key");
    assert!(!format!("{error:?}").contains("wrong-wrong"));
    let error = refused(json!({"endpoint": at(server.address()), "api_key": ""})).await;
    assert_eq!(told(&error).1, "the API key of PowerDNS is missing");
    assert_eq!(error.kind(), ErrorKind::Auth);
}

#[tokio::test]
async fn an_api_that_is_off() {
    let server = Server::with(Setup {
        api: false,
        ..Setup::default()
    });
    let error = refused(Server::config(server.address())).await;
    assert_eq!(
        told(&error),
        texts(
            "Unavailable",
            "something answers there, but not PowerDNS's API: it is off, or the address is wrong",
            "set `webserver=yes`, `api=yes` and `api-key=…` in the server's pdns.conf, and check `endpoint`",
        )
    );
    assert!(!error.is_temporary());
}

#[tokio::test]
async fn an_address_that_is_not_allowed() {
    let server = Server::with(Setup {
        allow_from: "127.0.0.2",
        ..Setup::default()
    });
    let error = refused(Server::config(server.address())).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.hint_text().unwrap(),
        "the server hangs up on addresses that `webserver-allow-from` in its pdns.conf does not name"
    );
}

#[tokio::test]
async fn wrong_addresses() {
    // Nobody listens.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let error = refused(Server::config(nobody)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .message()
            .starts_with("PowerDNS cannot be reached at 127.0.0.1"),
        "{error}"
    );

    // A login page.
    let page = Fake::start(|_| Reply::html(200, "<!doctype html><title>Log in</title>"));
    let error = refused(Server::config(page.address())).await;
    assert_eq!(
        error.message(),
        "PowerDNS answered with a web page, not with its API: the address may be wrong"
    );

    // The resolver of the same makers.
    let recursor =
        Fake::start(|_| Reply::json(200, &json!({"id": "localhost", "daemon_type": "recursor"})));
    let error = refused(Server::config(recursor.address())).await;
    assert_eq!(
        told(&error),
        texts(
            "Unsupported",
            "this is PowerDNS's `recursor` server, which keeps no zones",
            "give the address of the authoritative server",
        )
    );

    // Another server of the same API.
    let server = Server::start();
    let error =
        refused(json!({"endpoint": at(server.address()), "api_key": KEY, "server": "other"})).await;
    assert_eq!(
        told(&error),
        texts(
            "Invalid",
            "this API has no server `other`",
            "it has: localhost"
        )
    );
    assert_eq!(error.field_path().unwrap().to_string(), "server");

    let error = refused(json!({"endpoint": "ftp://localhost", "api_key": KEY})).await;
    assert_eq!(
        error.message(),
        "the address of PowerDNS must begin with `https://` or `http://`"
    );

    // With the API's path it works too.
    let config = json!({"endpoint": format!("{}/api/v1/", at(server.address())), "api_key": KEY});
    assert!(stage(&config).open("powerdns").await.is_ok());
}

fn why(report: &fabrik_core::engine::RunReport) -> (String, String, String) {
    told(&Error::from(report.end.error.as_ref().unwrap()))
}

#[tokio::test]
async fn a_zone_that_is_not_there() {
    let world = World::new();
    let report = world
        .fails(resources([(
            "www",
            set("nowhere.example", "www", "A", &["192.0.2.1"]),
        )]))
        .await;
    assert_eq!(
        why(&report),
        texts(
            "NotFound",
            "PowerDNS has no zone `nowhere.example`",
            "check the name; where this stack makes the zone, write `zone: ${resources.ID.name}`, so that it comes first",
        )
    );
    let report = world
        .fails(resources([(
            "note",
            json!({"type": "powerdns.metadata", "spec": {
                "zone": "nowhere.example", "kind": "X-NOTE", "values": ["a"],
            }}),
        )]))
        .await;
    assert_eq!(why(&report).1, "PowerDNS has no zone `nowhere.example`");
}

#[tokio::test]
async fn a_cname_beside_others() {
    let world = World::new();
    let report = world
        .fails(resources([
            ("zone", zone("example.com")),
            ("a", set(ZONE, "www", "A", &["192.0.2.1"])),
            ("b", set(ZONE, "www", "CNAME", &["other.example.net"])),
        ]))
        .await;
    let (kind, message, hint) = why(&report);
    assert_eq!(kind, "Conflict");
    assert!(
        message.starts_with("PowerDNS refuses it: RRset www.example.com. IN ")
            && message.contains("Conflicts with"),
        "{message}"
    );
    assert_eq!(
        hint,
        "a CNAME stands alone at its name: remove the other record sets of that name, or this one"
    );
}

#[tokio::test]
async fn two_resources_of_one_record_set() {
    let world = World::new();
    let report = world
        .fails(resources([
            ("zone", zone("example.com")),
            ("a", set(ZONE, "www", "A", &["192.0.2.1"])),
            ("b", set(ZONE, "www.example.com.", "a", &["192.0.2.2"])),
        ]))
        .await;
    assert_eq!(
        why(&report),
        texts(
            "Conflict",
            "two resources of this stack set `example.com/www/A`",
            "put their values into one `powerdns.record_set`",
        )
    );
}

#[tokio::test]
async fn what_only_the_server_refuses() {
    let world = World::new();
    let refused = async |kind: &str, value: &str| {
        let report = world
            .fails(resources([
                ("zone", zone("example.com")),
                ("it", set(ZONE, "it", kind, &[value])),
            ]))
            .await;
        why(&report)
    };
    assert_eq!(
        refused("FOO", "bar").await,
        texts(
            "Invalid",
            "PowerDNS refuses it: RRset it.example.com. IN FOO: unknown type given",
            "check the type's spelling; this version of PowerDNS may not know it",
        )
    );
    let (kind, message, _) = refused("LOC", "nowhere").await;
    assert_eq!(kind, "Invalid");
    assert!(
        message.starts_with("PowerDNS refuses it: Record it.example.com./LOC 'nowhere'"),
        "{message}"
    );

    let report = world
        .fails(resources([
            ("zone", zone("example.com")),
            (
                "note",
                json!({"type": "powerdns.metadata", "spec": {
                    "zone": "${resources.zone.name}", "kind": "PRESIGNED", "values": ["1"],
                }}),
            ),
        ]))
        .await;
    assert_eq!(
        why(&report),
        texts(
            "Invalid",
            "PowerDNS refuses it: Unsupported metadata kind 'PRESIGNED'",
            "kinds that the API itself keeps cannot be set as metadata; own kinds begin with `X-`",
        )
    );
    assert_eq!(world.server.dump(), json!({}), "what failed was taken back");
}

#[tokio::test]
async fn dnssec_that_is_off_in_the_backend() {
    let server = Server::with(Setup {
        dnssec: false,
        ..Setup::default()
    });
    let stage = stage(&Server::config(server.address()));
    let signed = json!({"resources": {"zone": {"type": "powerdns.zone", "spec": {
        "name": "example.com", "nameservers": ["ns1.example.net"], "dnssec": true,
    }}}});
    let stack = stage.load(&signed).unwrap();
    let report = stage.apply(&stack).await.unwrap();
    assert_eq!(
        why(&report),
        texts(
            "Unsupported",
            "PowerDNS cannot sign the zone: DNSSEC is off in its backend",
            "switch it on in pdns.conf, such as `gsqlite3-dnssec=yes`, or leave out `dnssec`",
        )
    );
    assert_eq!(
        server.dump(),
        json!({}),
        "the zone made just before is gone again"
    );
}

#[tokio::test]
async fn a_request_too_large_for_the_web_server_is_sent_in_parts() {
    let world = World::new();
    let text = "x".repeat(60_000);
    let mut all = serde_json::Map::new();
    all.insert("zone".to_owned(), zone("example.com"));
    for at in 0..40 {
        let id = format!("t{at}");
        all.insert(id.clone(), set(ZONE, &id, "TXT", &[&text]));
    }
    let stack = world.stack(all.into());
    world.stage.settle(&stack).await.unwrap();
    let patches = world
        .requests(0)
        .into_iter()
        .filter(|one| one.starts_with("PATCH"))
        .count();
    assert!((2..8).contains(&patches), "{patches}");
}

#[tokio::test]
async fn a_zone_in_the_way_and_wishes_that_cannot_be() {
    let world = World::new();
    world.server.make_zone("example.com");
    let found = world
        .findings(resources([("zone", zone("example.com"))]))
        .await;
    assert_eq!(
        found[0].2,
        "an object of that name exists already (`example.com`), and it was not made by this stack"
    );
    let wishes = json!({"zone": {"type": "powerdns.zone", "spec": {
        "name": "exa mple.org", "kind": "Secondary", "nameservers": ["a..b"], "dnssec": true,
    }}});
    let found = world
        .planned("powerdns.zone", &wishes["zone"]["spec"])
        .await;
    let messages: Vec<(&str, &str)> = found
        .iter()
        .map(|(field, text)| (&**field, &**text))
        .collect();
    assert_eq!(
        messages,
        [
            (
                "name",
                "the zone `exa mple.org` holds ` `, which names do not"
            ),
            (
                "nameservers[0]",
                "the name server `a..b` has an empty label"
            ),
            (
                "primaries",
                "a secondary zone needs the addresses of its primary servers"
            ),
            (
                "nameservers",
                "a secondary zone gets its name servers from its primary"
            ),
            (
                "dnssec",
                "a secondary zone cannot be signed before it was fetched"
            ),
        ]
    );
    let error = world.stage.plan(&world.stack(wishes)).await.unwrap_err();
    assert_eq!(told(&error).1, messages[0].1);
}
