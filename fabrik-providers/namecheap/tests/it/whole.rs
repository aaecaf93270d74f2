//! Writing a domain whole: what must not be lost, and what somebody else does meanwhile.

use fabrik_fakes::namecheap::Host;
use serde_json::json;

use crate::world::{World, set};

#[tokio::test]
async fn a_domain_that_cannot_be_written_back_is_refused() {
    let world = World::new();
    world.fake.by_hand("example.com", |domain| {
        domain
            .hosts
            .push(Host::new("_sip._tcp", "SRV", "10 5 5060 sip.example.com."));
        domain.hosts.push(Host {
            dynamic: true,
            ..Host::new("home", "A", "192.0.2.80")
        });
    });
    let before = world.fake.dump();
    let (kind, message, hint) = world.why(json!({"a": set("a", "A", &["192.0.2.1"])})).await;
    assert_eq!(kind, "Unsupported");
    assert_eq!(
        message,
        "`example.com` cannot be written: Namecheap's API replaces all of its records, and cannot write back _sip._tcp SRV, home A (dynamic DNS)"
    );
    assert_eq!(
        hint,
        "change it in Namecheap's panel, or set `drop_unwritable: true` in the provider's configuration to lose these"
    );
    assert_eq!(world.fake.dump(), before);
}

#[tokio::test]
async fn unless_losing_them_is_wanted() {
    let world = World::with(|mut config| {
        config["drop_unwritable"] = json!(true);
        config
    });
    world.fake.by_hand("example.com", |domain| {
        domain
            .hosts
            .push(Host::new("_sip._tcp", "SRV", "10 5 5060 sip.example.com."));
        domain.email_type = "OX".to_owned();
    });
    world
        .stage
        .settle(&world.stack(json!({"a": set("a", "A", &["192.0.2.1"])})))
        .await
        .unwrap();
    assert!(world.values("_sip._tcp", "SRV").is_empty());
    let domain = world.fake.domain("example.com").unwrap();
    assert_eq!(domain.email_type, "OX");
    assert!(
        domain.hosts.iter().all(|host| host.kind != "MX"),
        "private e-mail brings its own"
    );
}

#[tokio::test]
async fn private_e_mail_is_left_alone() {
    let world = World::new();
    world
        .fake
        .by_hand("example.com", |domain| domain.email_type = "OX".to_owned());
    let (_, message, _) = world.why(json!({"a": set("a", "A", &["192.0.2.1"])})).await;
    assert!(
        message.ends_with("cannot write back the MX records of e-mail type OX"),
        "{message}"
    );
}

#[tokio::test]
async fn mail_routing_is_kept_or_follows_the_records() {
    let world = World::new();
    let email = || world.fake.domain("example.com").unwrap().email_type;
    world
        .fake
        .by_hand("example.com", |domain| domain.email_type = "FWD".to_owned());
    let a = set("a", "A", &["192.0.2.1"]);
    world
        .stage
        .settle(&world.stack(json!({"a": a})))
        .await
        .unwrap();
    assert_eq!(email(), "FWD", "not ours to change");
    let (kind, message, hint) = world
        .why(json!({"a": a, "mx": set("@", "MX", &["10 mail.example.com"])}))
        .await;
    assert_eq!(kind, "Conflict");
    assert_eq!(
        message,
        "the domain's mail is routed by e-mail type FWD, so MX records do not count"
    );
    assert_eq!(
        hint,
        "change Mail Settings of the domain in Namecheap's panel first"
    );

    world.fake.by_hand("example.com", |domain| {
        domain.email_type = "NONE".to_owned()
    });
    world
        .stage
        .settle(&world.stack(json!({"a": a, "mx": set("@", "MX", &["10 mail.example.com"])})))
        .await
        .unwrap();
    assert_eq!(email(), "MX");
    world
        .stage
        .settle(&world.stack(json!({"a": a, "mxe": set("@", "MXE", &["192.0.2.25"])})))
        .await
        .unwrap();
    assert_eq!(email(), "MXE");
    let both = json!({"a": a, "mxe": set("@", "MXE", &["192.0.2.25"]), "mx": set("@", "MX", &["10 mail.example.com"])});
    assert_eq!(
        world.why(both).await.1,
        "a domain has MX records or an MXE record, not both"
    );
    world
        .stage
        .settle(&world.stack(json!({"a": a})))
        .await
        .unwrap();
    assert_eq!(email(), "NONE", "the last one is gone");
}

#[tokio::test]
async fn what_somebody_else_changed_since_the_plan_stays() {
    let world = World::new();
    let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1"])}));
    let plan = world.stage.plan(&stack).await.unwrap();
    world.fake.by_hand("example.com", |domain| {
        domain.hosts.push(Host::new("theirs", "A", "192.0.2.9"))
    });
    world.stage.run(plan).await.unwrap();
    assert_eq!(world.values("theirs", "A"), ["192.0.2.9"]);
    assert_eq!(world.values("a", "A"), ["192.0.2.1"]);
}

#[tokio::test]
async fn what_somebody_else_overwrites_is_written_again() {
    let world = World::new();
    world.fake.right_after("dns.setHosts", |domain| {
        // Somebody who read before our write, and wrote after it.
        domain.hosts.retain(|host| host.name != "a");
        domain.hosts.push(Host::new("theirs", "A", "192.0.2.9"));
    });
    world
        .stage
        .settle(&world.stack(json!({"a": set("a", "A", &["192.0.2.1"])})))
        .await
        .unwrap();
    assert_eq!(world.values("a", "A"), ["192.0.2.1"]);
    assert_eq!(world.values("theirs", "A"), ["192.0.2.9"]);
    assert_eq!(world.fake.domain("example.com").unwrap().writes, 2);
}

#[tokio::test]
async fn between_read_and_write_the_api_has_no_protection() {
    // A documented limit: there is no conditional write. What is ours is right all the same.
    let world = World::new();
    let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1"])}));
    let plan = world.stage.plan(&stack).await.unwrap();
    world.fake.right_after("dns.getHosts", |domain| {
        domain.hosts.push(Host::new("late", "A", "192.0.2.9"))
    });
    world.stage.run(plan).await.unwrap();
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn records_of_one_set_with_different_ttls_are_made_alike() {
    let world = World::new();
    let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1", "192.0.2.2"])}));
    world.stage.settle(&stack).await.unwrap();
    world.fake.by_hand("example.com", |domain| {
        let host = domain
            .hosts
            .iter_mut()
            .find(|host| host.address == "192.0.2.2")
            .unwrap();
        host.ttl = 60;
    });
    assert_eq!(world.stage.plan(&stack).await.unwrap().drift.len(), 1);
    world.stage.settle(&stack).await.unwrap();
    let domain = world.fake.domain("example.com").unwrap();
    assert!(domain.hosts.iter().all(|host| host.ttl == 1799));
}
