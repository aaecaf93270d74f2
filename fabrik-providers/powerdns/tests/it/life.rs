//! The life of zones, record sets and metadata on a real server.

use fabrik_core::plan::Action;
use fabrik_core::state::RunResult;
use fabrik_testkit::proxy::{Fault, Match};
use serde_json::json;

use crate::world::{World, ZONE, resources, set, zone};

#[tokio::test]
async fn a_zone_with_everything_in_it() {
    let world = World::new();
    let long = "k=".to_owned() + &"x".repeat(400);
    let wanted = |ttl: u32| {
        world.stack(json!({
            "zone": {"type": "powerdns.zone", "spec": {
                "name": "Example.com.", "kind": "Primary", "nameservers": ["NS1.example.net", "ns2.example.net."],
                "account": "shop", "dnssec": true,
            }},
            "apex": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl": ttl,
            }},
            "six": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "www.example.com", "type": "aaaa",
                "values": ["2001:DB8:0:0::1"],
            }},
            "mail": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "@", "type": "MX", "values": ["010 Mail.example.com", "20 b.example.com."],
            }},
            "text": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "_Dmarc", "type": "TXT",
                "values": ["v=DMARC1; p=none", "say \"hi\" \\ $HOME grün", long],
            }},
            "alias": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "blog", "type": "CNAME", "values": ["${resources.six.fqdn}"],
            }},
            "service": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "_sip._tcp", "type": "SRV", "values": ["10 5 5060 sip.example.com"],
            }},
            "issuer": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "type": "CAA", "values": ["0 issue letsencrypt.org"],
            }},
            "binding": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "type": "HTTPS", "values": ["1 . ipv4hint=192.0.2.1 alpn=\"h2,h3\""],
            }},
            "off": {"type": "powerdns.record_set", "spec": {
                "zone": "${resources.zone.name}", "name": "off", "type": "A", "values": ["192.0.2.9"], "disabled": true,
            }},
            "transfer": {"type": "powerdns.metadata", "spec": {
                "zone": "${resources.zone.name}", "kind": "allow-axfr-from", "values": ["192.0.2.0/24", "AUTO-NS"],
            }},
        }))
    };
    world.stage.settle(&wanted(300)).await.unwrap();
    world
        .resolves("example.com", "A", &["192.0.2.1", "192.0.2.2"])
        .await
        .unwrap();
    world
        .resolves("www.example.com", "AAAA", &["2001:db8::1"])
        .await
        .unwrap();
    world
        .resolves(
            "example.com",
            "MX",
            &["10 mail.example.com", "20 b.example.com"],
        )
        .await
        .unwrap();
    world
        .resolves("blog.example.com", "CNAME", &["www.example.com"])
        .await
        .unwrap();
    world
        .resolves("example.com", "NS", &["ns1.example.net", "ns2.example.net"])
        .await
        .unwrap();
    assert!(
        world
            .resolves("off.example.com", "A", &["192.0.2.9"])
            .await
            .is_err()
    );

    // The zone's changes were one write, the alias's reference to another member included.
    let writes: Vec<String> = world
        .requests(0)
        .into_iter()
        .filter(|one| !one.starts_with("GET"))
        .collect();
    assert_eq!(
        writes.iter().filter(|one| one.starts_with("PATCH")).count(),
        1,
        "{writes:#?}"
    );

    let row = world.stage.row("resources.zone").await.unwrap();
    let ds = row
        .object
        .outputs
        .get("ds")
        .and_then(|ds| ds.as_list().map(<[_]>::len));
    assert_eq!(ds, Some(3), "{:?}", row.object.outputs);
    assert_eq!(row.object.id, "example.com");
    assert_eq!(
        world.stage.row("resources.text").await.unwrap().object.id,
        "example.com/_dmarc/TXT"
    );

    // An update of one set leaves everything else as it is.
    let before = world.server.dump();
    world.stage.settle(&wanted(600)).await.unwrap();
    let after = world.server.dump();
    let own = |dump: &serde_json::Value| dump["example.com."]["rrsets"]["example.com. A"].clone();
    assert_eq!(own(&before)["ttl"], 300);
    assert_eq!(own(&after)["ttl"], 600);
    assert_eq!(
        own(&before)["comments"],
        own(&after)["comments"],
        "the mark stays"
    );
    let rest = |mut dump: serde_json::Value| {
        dump["example.com."]["rrsets"]
            .as_object_mut()
            .unwrap()
            .remove("example.com. A");
        dump
    };
    assert_eq!(rest(before), rest(after));

    world.stage.destroy(&wanted(600)).await.unwrap();
    assert_eq!(world.server.dump(), json!({}));
}

#[tokio::test]
async fn a_refresh_of_a_zone_is_one_request() {
    let world = World::new();
    world.server.make_zone("example.com");
    let sets: serde_json::Map<String, _> = (0..50)
        .map(|at| {
            (
                format!("r{at}"),
                set("example.com", &format!("r{at}"), "A", &["192.0.2.1"]),
            )
        })
        .collect();
    let stack = world.stack(sets.into());
    let before = world.proxy.log().len();
    world.stage.succeed(&stack).await.unwrap();
    let requests = world.requests(before);
    assert!(requests.len() <= 6, "{requests:#?}");
    assert_eq!(
        requests
            .iter()
            .filter(|one| one.starts_with("PATCH"))
            .count(),
        1,
        "{requests:#?}"
    );
    let before = world.proxy.log().len();
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
    assert_eq!(
        world.requests(before).len(),
        2,
        "connecting, and one read: {:#?}",
        world.requests(before)
    );
}

#[tokio::test]
async fn a_cname_takes_the_place_of_an_address_in_one_write() {
    let world = World::new();
    let with = |kind: &str, value: &str| {
        world.stack(resources([
            ("zone", zone("example.com")),
            ("www", set(ZONE, "www", kind, &[value])),
        ]))
    };
    world.stage.settle(&with("A", "192.0.2.1")).await.unwrap();
    let before = world.proxy.log().len();
    world
        .stage
        .settle(&with("CNAME", "other.example.net"))
        .await
        .unwrap();
    world
        .resolves("www.example.com", "CNAME", &["other.example.net"])
        .await
        .unwrap();
    // Also when one resource goes and another comes.
    let other = world.stack(resources([
        ("zone", zone("example.com")),
        ("new", set(ZONE, "www", "A", &["192.0.2.7"])),
    ]));
    world.stage.settle(&other).await.unwrap();
    world
        .resolves("www.example.com", "A", &["192.0.2.7"])
        .await
        .unwrap();
    let patches = world
        .requests(before)
        .into_iter()
        .filter(|one| one.starts_with("PATCH"))
        .count();
    assert!(patches <= 3, "{:#?}", world.requests(before));
}

#[tokio::test]
async fn a_replacement_that_is_asked_for_is_one_write() {
    let world = World::new();
    let stack = world.stack(resources([
        ("zone", zone("example.com")),
        ("www", set(ZONE, "www", "A", &["192.0.2.1"])),
    ]));
    world.stage.settle(&stack).await.unwrap();
    let options = fabrik_core::engine::PlanOptions {
        replace: vec!["resources.www".to_owned()],
        ..Default::default()
    };
    let plan = world.stage.plan_with(&stack, &options).await.unwrap();
    let before = world.proxy.writes();
    let report = world.stage.run(plan).await.unwrap();
    assert_eq!(report.end.result, RunResult::Succeeded, "{report:?}");
    assert_eq!(world.proxy.writes() - before, 1);
    world
        .resolves("www.example.com", "A", &["192.0.2.1"])
        .await
        .unwrap();
}

#[tokio::test]
async fn drift_is_seen_and_repaired() {
    let world = World::new();
    let stack = world.stack(resources([
        ("zone", zone("example.com")),
        ("www", set(ZONE, "www", "A", &["192.0.2.1", "192.0.2.2"])),
        ("gone", set(ZONE, "gone", "TXT", &["here"])),
        ("note", json!({"type": "powerdns.metadata", "spec": {"zone": ZONE, "kind": "X-NOTE", "values": ["a"]}})),
    ]));
    world.stage.settle(&stack).await.unwrap();
    world.server.set(
        "example.com",
        "www.example.com.",
        "A",
        7200,
        &["192.0.2.1", "192.0.2.66"],
    );
    world
        .server
        .unset("example.com", "gone.example.com.", "TXT");
    world.server.api(
        "PUT",
        "/zones/example.com./metadata/X-NOTE",
        &json!({"metadata": ["b"]}),
    );
    world.server.api(
        "PUT",
        "/zones/example.com.",
        &json!({"account": "somebody"}),
    );
    // What nobody manages is no drift.
    world
        .server
        .set("example.com", "other.example.com.", "A", 60, &["192.0.2.9"]);
    let plan = world.stage.plan(&stack).await.unwrap();
    let mut seen: Vec<String> = plan
        .drift
        .iter()
        .map(|drift| {
            let paths: Vec<String> = drift
                .diff
                .iter()
                .map(|diff| diff.path.to_string())
                .collect();
            format!("{} {} {}", drift.address, drift.missing, paths.join(","))
        })
        .collect();
    seen.sort();
    assert_eq!(
        seen,
        [
            "resources.gone true ",
            "resources.note false values",
            "resources.www false ttl,values",
        ],
        "the account is not set by the spec"
    );
    world.stage.settle(&stack).await.unwrap();
    world
        .resolves("www.example.com", "A", &["192.0.2.1", "192.0.2.2"])
        .await
        .unwrap();
    world
        .resolves("gone.example.com", "TXT", &["here"])
        .await
        .unwrap();
    world
        .resolves("other.example.com", "A", &["192.0.2.9"])
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_there_is_adopted_or_refused() {
    let world = World::new();
    world.server.make_zone("example.com");
    world
        .server
        .set("example.com", "www.example.com.", "A", 60, &["192.0.2.1"]);
    let refused = world
        .findings(resources([(
            "www",
            set("example.com", "www", "A", &["192.0.2.2"]),
        )]))
        .await;
    assert_eq!(refused.len(), 1);
    assert_eq!(
        refused[0].2,
        "an object of that name exists already (`example.com/www/A`), and it was not made by this stack"
    );
    let mut adopting = set("example.com", "WWW.example.com.", "a", &["192.0.2.2"]);
    adopting["adopt"] = json!(true);
    let mut own = zone("example.com");
    own["adopt"] = json!(true);
    let stack = world.stack(resources([("www", adopting), ("zone", own)]));
    let plan = world.stage.plan(&stack).await.unwrap();
    let actions: Vec<&Action> = plan.changes.iter().map(|change| &change.action).collect();
    assert_eq!(
        actions,
        [&Action::Adopt, &Action::Adopt],
        "{:#?}",
        plan.findings
    );
    world.stage.settle(&stack).await.unwrap();
    world
        .resolves("www.example.com", "A", &["192.0.2.2"])
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_there_is_listed_and_imported() {
    let world = World::new();
    world.server.make_zone("example.com");
    world.server.set(
        "example.com",
        "mail.example.com.",
        "MX",
        60,
        &["10 MX.example.com."],
    );
    world.server.api(
        "PUT",
        "/zones/example.com./metadata/X-NOTE",
        &json!({"metadata": ["b"]}),
    );
    let instance = world.stage.open("powerdns").await.unwrap();
    let cx = world.stage.cx();
    let ids = async |name: &str| {
        let found = instance.list(&cx, name).await.unwrap();
        found
            .into_iter()
            .map(|object| object.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids("powerdns.zone").await, ["example.com"]);
    assert_eq!(
        ids("powerdns.record_set").await,
        ["example.com/mail/MX", "example.com/@/NS"]
    );
    assert_eq!(ids("powerdns.metadata").await, ["example.com/X-NOTE"]);
    let stack = world.stack(json!({
        "zone": zone("example.com"),
        "mail": {"type": "powerdns.record_set", "spec": {
            "zone": "${resources.zone.name}", "name": "mail", "type": "MX", "values": ["10 mx.example.com"], "ttl": 60,
        }},
        "note": {"type": "powerdns.metadata", "spec": {"zone": "example.com", "kind": "X-NOTE", "values": ["b"]}},
    }));
    for (id, of) in [
        ("zone", "Example.com."),
        ("mail", "example.com/mail.example.com./mx"),
        ("note", "example.com/x-note"),
    ] {
        let address = fabrik_core::address::Address::resource(id).unwrap();
        world
            .stage
            .engine()
            .import(stack.clone(), &address, of)
            .await
            .unwrap();
    }
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lost_reply_makes_nothing_twice() {
    for (fault, times) in [(Fault::CutAfter, 5), (Fault::CutBefore, 3)] {
        let world = World::new();
        world.server.make_zone("example.com");
        // Every attempt of the transport at the write is lost.
        world
            .proxy
            .on(Match::write().kind("PATCH").times(times), fault);
        let stack = world.stack(resources([(
            "www",
            set("example.com", "www", "A", &["192.0.2.1"]),
        )]));
        world.stage.settle(&stack).await.unwrap();
        world
            .resolves("www.example.com", "A", &["192.0.2.1"])
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_failed_run_is_taken_back() {
    let world = World::new();
    let first = world.stack(resources([
        ("zone", zone("example.com")),
        ("www", set(ZONE, "www", "A", &["192.0.2.1"])),
        ("old", set(ZONE, "old", "A", &["192.0.2.1"])),
    ]));
    world.stage.settle(&first).await.unwrap();
    let before = world.server.dump();
    // The server alone knows that this cannot be: the whole write is refused, nothing is done.
    let report = world
        .fails(resources([
            ("zone", zone("example.com")),
            ("www", set(ZONE, "www", "A", &["192.0.2.2"])),
            ("new", set(ZONE, "new", "TXT", &["x"])),
            ("bad", set(ZONE, "bad", "LOC", &["nowhere"])),
        ]))
        .await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    assert_eq!(world.server.dump(), before);
}
