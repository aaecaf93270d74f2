//! The life of record sets.

use fabrik_core::address::Address;
use fabrik_core::plan::Action;
use fabrik_core::state::RunResult;
use fabrik_fakes::namecheap::Host;
use fabrik_testkit::proxy::{Fault, Match};
use serde_json::{Value as Json, json};

use crate::world::{World, set};

fn everything(ttl: u32) -> Json {
    json!({
        "apex": {"type": "namecheap.record_set", "spec": {
            "domain": "Example.com.", "type": "A", "values": ["192.0.2.1", "192.0.2.2"], "ttl": ttl,
        }},
        "six": set("six.example.com", "aaaa", &["2001:DB8:0::1"]),
        "mail": set("@", "MX", &["010 Mail.example.com", "20 b.example.com."]),
        "text": set("_Dmarc", "TXT", &["v=DMARC1; p=none", "Say $HOME \\ grün"]),
        "alias": set("blog", "CNAME", &["${resources.six.fqdn}"]),
        "issuer": set("@", "CAA", &["0 ISSUE letsencrypt.org"]),
        "jump": set("old", "URL301", &["https://example.com/new"]),
    })
}

#[tokio::test]
async fn a_domain_is_written_once() {
    let world = World::new();
    let others = world.fake.dump();
    world
        .stage
        .settle(&world.stack(everything(1800)))
        .await
        .unwrap();
    let domain = world.fake.domain("example.com").unwrap();
    assert_eq!(domain.writes, 1);
    assert_eq!(domain.email_type, "MX", "the first MX record needs it");
    assert_eq!(world.values("blog", "CNAME"), ["six.example.com."]);
    assert_eq!(world.values("@", "CAA"), ["0 issue \"letsencrypt.org\""]);
    assert_eq!(
        world.values("www", "CNAME"),
        ["parkingpage.namecheap.com."],
        "not ours"
    );
    // One look for the plan, one for the names, then read, write, read, and the plan afterwards.
    let commands = world.commands(0);
    assert!(commands.len() <= 6, "{commands:?}");
    assert_eq!(commands.iter().filter(|one| *one == "setHosts").count(), 1);

    // An update, a new one and one that goes: one write again, and the rest as it was.
    let mut changed = everything(300);
    changed["new"] = set("new", "A", &["192.0.2.9"]);
    changed.as_object_mut().unwrap().remove("jump");
    let before = world.fake.commands().len();
    world
        .stage
        .settle(&world.stack(changed.clone()))
        .await
        .unwrap();
    assert_eq!(world.fake.domain("example.com").unwrap().writes, 2);
    let commands = world.commands(before);
    assert!(commands.len() <= 6, "{commands:?}");
    assert!(world.values("old", "URL301").is_empty());

    world.stage.destroy(&world.stack(changed)).await.unwrap();
    assert_eq!(world.fake.domain("example.com").unwrap().writes, 3);
    assert_eq!(
        world.fake.dump(),
        others,
        "what was not ours is there, mail routing is as it was"
    );
}

#[tokio::test]
async fn a_refresh_is_one_request() {
    let world = World::new();
    let all: serde_json::Map<String, Json> = (0..60)
        .map(|at| {
            (
                format!("r{at}"),
                set(&format!("r{at}"), "A", &["192.0.2.1"]),
            )
        })
        .collect();
    let stack = world.stack(all.into());
    world.stage.settle(&stack).await.unwrap();
    let before = world.fake.commands().len();
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
    assert_eq!(world.commands(before), ["getHosts"]);
}

#[tokio::test]
async fn another_type_takes_the_place_in_one_write() {
    let world = World::new();
    world
        .stage
        .settle(&world.stack(json!({"it": set("a", "A", &["192.0.2.1"])})))
        .await
        .unwrap();
    let other = world.stack(json!({"it": set("a", "CNAME", &["host.example.net"])}));
    world.stage.settle(&other).await.unwrap();
    assert_eq!(world.fake.domain("example.com").unwrap().writes, 2);
    assert!(world.values("a", "A").is_empty());
    assert_eq!(world.values("a", "CNAME"), ["host.example.net."]);
}

#[tokio::test]
async fn drift_is_seen_and_repaired() {
    let world = World::new();
    let stack = world.stack(json!({
        "a": set("a", "A", &["192.0.2.1"]),
        "b": set("b", "TXT", &["here"]),
    }));
    world.stage.settle(&stack).await.unwrap();
    world.fake.by_hand("example.com", |domain| {
        domain.hosts.retain(|host| host.name != "b");
        for host in domain.hosts.iter_mut().filter(|host| host.name == "a") {
            host.ttl = 60;
        }
        domain.hosts.push(Host::new("c", "A", "192.0.2.3"));
    });
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
    assert_eq!(seen, ["resources.a false ttl", "resources.b true "]);
    world.stage.settle(&stack).await.unwrap();
    assert_eq!(world.values("c", "A"), ["192.0.2.3"]);
    assert_eq!(world.values("b", "TXT"), ["here"]);
}

#[tokio::test]
async fn what_is_there_is_adopted_or_refused() {
    let world = World::new();
    let parked = set("www", "CNAME", &["host.example.net"]);
    let plan = world
        .stage
        .plan(&world.stack(json!({"www": parked})))
        .await
        .unwrap();
    let found: Vec<&str> = plan
        .findings
        .iter()
        .map(|found| &*found.finding.message)
        .collect();
    assert_eq!(
        found,
        [
            "an object of that name exists already (`example.com/www/CNAME`), and it was not made by this stack"
        ]
    );
    let mut adopting = set("WWW.example.com.", "cname", &["host.example.net"]);
    adopting["adopt"] = json!(true);
    let stack = world.stack(json!({"www": adopting}));
    let plan = world.stage.plan(&stack).await.unwrap();
    assert_eq!(
        plan.changes[0].action,
        Action::Adopt,
        "{:#?}",
        plan.findings
    );
    world.stage.settle(&stack).await.unwrap();
    assert_eq!(world.values("www", "CNAME"), ["host.example.net."]);
}

#[tokio::test]
async fn what_is_there_is_listed_and_imported() {
    let world = World::new();
    world.fake.register("example.co.uk");
    let instance = world.stage.open("namecheap").await.unwrap();
    let found = instance
        .list(&world.stage.cx(), "namecheap.record_set")
        .await
        .unwrap();
    let ids: Vec<&str> = found.iter().map(|object| &*object.id).collect();
    assert_eq!(
        ids,
        [
            "example.co.uk/@/URL",
            "example.co.uk/www/CNAME",
            "example.com/@/URL",
            "example.com/www/CNAME",
        ]
    );
    let stack = world.stack(json!({"www": set("www", "CNAME", &["parkingpage.namecheap.com"])}));
    let address = Address::resource("www").unwrap();
    world
        .stage
        .engine()
        .import(
            stack.clone(),
            &address,
            "Example.com./www.example.com./cname",
        )
        .await
        .unwrap();
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_run_is_taken_back_by_one_write() {
    let world = World::new();
    let first = json!({"a": set("a", "A", &["192.0.2.1"]), "b": set("b", "A", &["192.0.2.1"]), "mx": set("@", "MX", &["10 mail.example.com"])});
    world.stage.settle(&world.stack(first)).await.unwrap();
    let before = world.fake.dump();
    // The second domain fails after the first was written.
    world.fake.register("example.org");
    world.fake.by_hand("example.org", |domain| {
        domain
            .hosts
            .push(Host::new("_x._tcp", "SRV", "1 1 1 a.example.org."))
    });
    let mut second = json!({"a": set("a", "A", &["192.0.2.2"]), "c": set("c", "TXT", &["new"])});
    second["z"] = json!({"type": "namecheap.record_set", "depends_on": ["resources.a"], "spec": {
        "domain": "example.org", "name": "z", "type": "A", "values": ["192.0.2.1"],
    }});
    let report = world.fails(second).await;
    assert_eq!(report.end.result, RunResult::RolledBack, "{report:?}");
    let mut after = world.fake.dump();
    after.as_object_mut().unwrap().remove("example.org");
    assert_eq!(after, before);
    assert_eq!(
        world.fake.domain("example.com").unwrap().writes,
        3,
        "made, changed, taken back"
    );
}

#[tokio::test]
async fn a_lost_reply_makes_nothing_twice() {
    for fault in [
        Fault::CutAfter,
        Fault::status(500).forwarded(),
        Fault::Html,
        Fault::Truncate(60),
    ] {
        let world = World::new();
        let is_write = |one: &fabrik_testkit::proxy::Exchange| {
            String::from_utf8_lossy(&one.body).contains("setHosts")
        };
        world.proxy.on(Match::any().when(is_write), fault.clone());
        let stack = world
            .stack(json!({"a": set("a", "A", &["192.0.2.1"]), "b": set("b", "A", &["192.0.2.1"])}));
        world
            .stage
            .settle(&stack)
            .await
            .unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        assert_eq!(world.values("a", "A"), ["192.0.2.1"]);
    }
}

#[tokio::test]
async fn what_the_service_fails_to_do_is_done_again() {
    for (command, landed) in [
        ("dns.getHosts", false),
        ("dns.setHosts", false),
        ("dns.setHosts", true),
    ] {
        let world = World::new();
        world.fake.fail_next(command, "3050900", landed);
        let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1"])}));
        world
            .stage
            .settle(&stack)
            .await
            .unwrap_or_else(|error| panic!("{command} {landed}: {error:?}"));
        assert_eq!(world.values("a", "A"), ["192.0.2.1"]);
    }
}
