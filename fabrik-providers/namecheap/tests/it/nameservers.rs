//! Name servers and domains.

use fabrik_core::address::Address;
use serde_json::{Value as Json, json};

use crate::world::{World, set, texts};

fn servers(list: &[&str]) -> Json {
    json!({"type": "namecheap.nameservers", "spec": {"domain": "Example.com", "nameservers": list}})
}

#[tokio::test]
async fn they_come_and_go_back_to_namecheaps_own() {
    let world = World::new();
    let stack = world.stack(json!({"ns": servers(&["NS1.example.net.", "ns2.example.net"])}));
    world.stage.settle(&stack).await.unwrap();
    let custom = || world.fake.domain("example.com").unwrap().nameservers;
    assert_eq!(custom().unwrap(), ["ns1.example.net", "ns2.example.net"]);
    // Another order is no change.
    let other = world.stack(json!({"ns": servers(&["ns2.example.net", "ns1.example.net"])}));
    assert!(world.stage.plan(&other).await.unwrap().is_empty());
    let changed = world.stack(json!({"ns": servers(&["ns3.example.net", "ns1.example.net"])}));
    world.stage.settle(&changed).await.unwrap();
    // By hand, and back.
    world.fake.by_hand("example.com", |domain| {
        domain.nameservers = Some(vec!["a.example".into(), "b.example".into()])
    });
    assert_eq!(world.stage.plan(&changed).await.unwrap().drift.len(), 1);
    world.stage.settle(&changed).await.unwrap();
    world.stage.destroy(&changed).await.unwrap();
    assert_eq!(custom(), None);
}

#[tokio::test]
async fn those_taken_over_go_back_to_the_list_before() {
    let world = World::new();
    world.fake.by_hand("example.com", |domain| {
        domain.nameservers = Some(vec!["old1.example.net".into(), "old2.example.net".into()]);
    });
    let mut adopting = servers(&["ns1.example.net", "ns2.example.net"]);
    let plan = world
        .stage
        .plan(&world.stack(json!({"ns": adopting})))
        .await
        .unwrap();
    assert!(
        plan.findings[0]
            .finding
            .message
            .contains("exists already (`example.com`)")
    );
    adopting["adopt"] = json!(true);
    let stack = world.stack(json!({"ns": adopting}));
    world.stage.settle(&stack).await.unwrap();
    let custom = || {
        world
            .fake
            .domain("example.com")
            .unwrap()
            .nameservers
            .unwrap()
    };
    assert_eq!(custom(), ["ns1.example.net", "ns2.example.net"]);
    world.stage.destroy(&stack).await.unwrap();
    assert_eq!(custom(), ["old1.example.net", "old2.example.net"]);
}

#[tokio::test]
async fn they_are_listed_and_imported() {
    let world = World::new();
    world.fake.register("example.org");
    world.fake.by_hand("example.org", |domain| {
        domain.nameservers = Some(vec!["a.example".into(), "b.example".into()])
    });
    let instance = world.stage.open("namecheap").await.unwrap();
    let found = instance
        .list(&world.stage.cx(), "namecheap.nameservers")
        .await
        .unwrap();
    let ids: Vec<&str> = found.iter().map(|object| &*object.id).collect();
    assert_eq!(ids, ["example.org"]);
    let stack = world.stack(json!({"ns": {"type": "namecheap.nameservers", "spec": {
        "domain": "example.org", "nameservers": ["b.example", "a.example"],
    }}}));
    let address = Address::resource("ns").unwrap();
    world
        .stage
        .engine()
        .import(stack.clone(), &address, "example.org")
        .await
        .unwrap();
    assert!(world.stage.plan(&stack).await.unwrap().is_empty());
}

#[tokio::test]
async fn records_need_namecheaps_own() {
    let world = World::new();
    world.fake.by_hand("example.com", |domain| {
        domain.nameservers = Some(vec!["a.example".into(), "b.example".into()])
    });
    assert_eq!(
        world.why(json!({"a": set("a", "A", &["192.0.2.1"])})).await,
        texts(
            "Conflict",
            "the domain does not use Namecheap's name servers, so it has no records there",
            "manage the records where its name servers are, or remove its `namecheap.nameservers`",
        )
    );
}

#[tokio::test]
async fn what_is_known_of_a_domain() {
    let world = World::new();
    let stack = world.stage.load(&json!({
        "lookups": {"shop": {"type": "namecheap.domain", "spec": {"domain": "example.com"}}},
    }));
    // Wherever lookups are declared, the provider answers them.
    drop(stack);
    let instance = world.stage.open("namecheap").await.unwrap();
    let ask = async |domain: &str| {
        let inputs = fabrik_core::value::from_json(&json!({ "domain": domain }));
        instance
            .lookup(&world.stage.cx(), "namecheap.domain", &inputs)
            .await
    };
    let found = ask("Example.com").await.unwrap();
    assert_eq!(found.id, "example.com");
    assert_eq!(
        fabrik_core::value::to_wire(&found.outputs).unwrap(),
        json!({
            "domain": "example.com", "status": "Ok", "owner": true,
            "created": "2024-11-04", "expires": "2027-11-04",
            "own_dns": true, "dns": "FREE", "email_type": "NONE",
            "nameservers": ["dns1.registrar-servers.com", "dns2.registrar-servers.com"],
        })
    );
    assert_eq!(
        ask("example.net").await.unwrap_err().message(),
        "Namecheap has no domain `example.net`"
    );
    assert_eq!(
        ask("www.example.com").await.unwrap_err().message(),
        "`www.example.com` is not a registered domain, but a name below `example.com`"
    );
}
