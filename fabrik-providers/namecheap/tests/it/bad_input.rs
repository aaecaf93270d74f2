//! What bad input gets, word by word.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_fakes::namecheap::Namecheap;
use fabrik_testkit::serve::{Reply, Server};
use serde_json::{Value as Json, json};

use crate::world::{World, read, set, stage, texts, told};

const ID: &str = "example.com/www/CNAME";

/// What reading gives with this configuration.
async fn fails(config: Json) -> Error {
    read(&stage(&config), ID).await.unwrap_err()
}

#[tokio::test]
async fn wrong_credentials() {
    let world = World::new();
    let with = |field: &str, value: &str| {
        let mut config = Namecheap::config(world.fake.address());
        config[field] = json!(value);
        config
    };
    let error = fails(with("api_key", "wrong-wrong-wrong")).await;
    assert_eq!(
        told(&error),
        texts(
            "Auth",
            "Namecheap does not accept the API key: API Key is invalid or API access has not been enabled (1011102)",
            "check `api_user` and `api_key` (NAMECHEAP_API_KEY), and that API access is on at Profile > Tools > API Access; the sandbox has keys of its own",
        )
    );
    assert_eq!(error.field_path().unwrap().to_string(), "api_key");
    assert!(!format!("{error:?}").contains("wrong-wrong"));

    let error = fails(with("client_ip", "198.51.100.1")).await;
    assert_eq!(
        told(&error),
        texts(
            "Permission",
            "Namecheap does not take requests from this address: Invalid request IP: 198.51.100.1 (1011150)",
            "add the IPv4 address at Profile > Tools > API Access > Whitelisted IPs, and set `client_ip` (NAMECHEAP_CLIENT_IP) to it; machines with changing addresses need a proxy (`endpoint`)",
        )
    );
    assert_eq!(error.field_path().unwrap().to_string(), "client_ip");
}

#[tokio::test]
async fn a_configuration_that_cannot_be() {
    let open = async |config: Json| match stage(&config).open("namecheap").await {
        Ok(_) => panic!("it opens"),
        Err(error) => error,
    };
    let user = json!({"api_user": "u", "api_key": "0123456789", "client_ip": "192.0.2.1"});
    let without = |field: &str| {
        let mut config = user.clone();
        config.as_object_mut().unwrap().remove(field);
        config
    };
    for (field, message) in [
        (
            "api_user",
            "`api_user` of Namecheap is missing: the user whose API key it is",
        ),
        ("api_key", "`api_key` of Namecheap is missing: the API key"),
        (
            "client_ip",
            "`client_ip` of Namecheap is missing: the IPv4 address that requests come from",
        ),
    ] {
        let error = open(without(field)).await;
        assert_eq!((error.kind(), error.message()), (ErrorKind::Auth, message));
        assert_eq!(error.field_path().unwrap().to_string(), field);
        assert!(
            error
                .hint_text()
                .unwrap()
                .contains(&format!("set `{field}` (or NAMECHEAP_"))
        );
    }
    let mut both = user.clone();
    both["sandbox"] = json!(true);
    both["endpoint"] = json!("https://proxy.example");
    assert_eq!(
        open(both).await.message(),
        "`sandbox` and `endpoint` exclude each other"
    );
    let mut stray = user.clone();
    stray["bearer"] = json!("token-token");
    assert_eq!(
        open(stray).await.message(),
        "`bearer` and `headers` are for a proxy, and there is no `endpoint`"
    );
    let mut wrong = user.clone();
    wrong["endpoint"] = json!("not a url");
    assert!(
        open(wrong)
            .await
            .message()
            .starts_with("the address of Namecheap is not a URL")
    );
}

#[tokio::test]
async fn through_a_proxy() {
    let fake = Namecheap::start();
    fake.register("example.com");
    fake.behind_proxy("token-of-the-proxy");
    let endpoint = format!("http://{}", fake.address());
    let config = json!({"endpoint": endpoint, "bearer": "token-of-the-proxy"});
    assert!(read(&stage(&config), ID).await.unwrap().is_some());
    let config =
        json!({"endpoint": endpoint, "headers": {"Authorization": "Bearer token-of-the-proxy"}});
    assert!(read(&stage(&config), ID).await.unwrap().is_some());
    let error = fails(json!({"endpoint": endpoint, "bearer": "another-token"})).await;
    assert_eq!(
        told(&error),
        texts(
            "Auth",
            "the proxy before Namecheap does not accept the credentials",
            "check `bearer` and `headers`",
        )
    );
}

#[tokio::test]
async fn a_spent_quota() {
    let world = World::new();
    world.fake.quota(Some(0));
    let error = world.read(ID).await.unwrap_err();
    assert_eq!(
        told(&error),
        texts(
            "RateLimited",
            "Namecheap's quota of requests is spent (20 a minute, 700 an hour, 8000 a day)",
            "wait, or let fewer runs go at once",
        )
    );
    assert!(error.is_temporary());
    assert_eq!(world.fake.commands().len(), 0, "nothing was carried out");
    // It is waited for, and nothing is done twice.
    world.fake.quota(Some(2));
    let stack = world.stack(json!({"a": set("a", "A", &["192.0.2.1"])}));
    let plan = world.stage.plan(&stack).await.unwrap();
    world.fake.quota(None);
    world.stage.run(plan).await.unwrap();
    assert_eq!(world.values("a", "A"), ["192.0.2.1"]);
}

#[tokio::test]
async fn wrong_addresses() {
    let world = World::new();
    let at = |address: &str| {
        let mut config = Namecheap::config(world.fake.address());
        config["endpoint"] = json!(address);
        config
    };
    let page = Server::start(|_| Reply::html(200, "<!doctype html><title>Log in</title>"));
    assert_eq!(
        fails(at(&page.url())).await.message(),
        "Namecheap answered with a web page, not with its API: the address may be wrong"
    );
    let other = Server::start(|_| Reply::json(200, &json!({"hello": "world"})));
    let error = fails(at(&other.url())).await;
    assert_eq!(error.kind(), ErrorKind::Misbehaved);
    assert_eq!(
        error.message(),
        "the answer of Namecheap is not the expected XML"
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = fails(at(&nobody)).await;
    assert!(
        error
            .message()
            .starts_with("Namecheap cannot be reached at 127.0.0.1"),
        "{error}"
    );
}

#[tokio::test]
async fn numbers_mean_something() {
    let world = World::new();
    for (number, kind, words) in [
        (
            "2016166",
            ErrorKind::Permission,
            "the domain is not in this account: Unknown error (2016166)",
        ),
        (
            "3016166",
            ErrorKind::Permission,
            "the domain is not in this account: Unknown error (3016166)",
        ),
        (
            "4011103",
            ErrorKind::Permission,
            "Namecheap refuses permission: Unknown error (4011103)",
        ),
        (
            "2030166",
            ErrorKind::Conflict,
            "the domain does not use Namecheap's name servers, so it has no records there",
        ),
        (
            "4013288",
            ErrorKind::Quota,
            "the domain has too many records: Unknown error (4013288)",
        ),
        (
            "1017101",
            ErrorKind::Auth,
            "Namecheap does not accept the user: Unknown error (1017101)",
        ),
        (
            "9999999",
            ErrorKind::Invalid,
            "Namecheap refuses it: Unknown error (9999999)",
        ),
    ] {
        world.fake.fail_next("dns.getHosts", number, false);
        let error = world.read(ID).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, words));
    }
}

#[tokio::test]
async fn a_domain_that_is_not_there() {
    let world = World::new();
    let of = |domain: &str| {
        json!({"a": {"type": "namecheap.record_set", "spec": {
            "domain": domain, "name": "a", "type": "A", "values": ["192.0.2.1"],
        }}})
    };
    assert_eq!(
        world.why(of("example.net")).await,
        texts(
            "NotFound",
            "Namecheap has no domain `example.net`",
            "check the name; the sandbox has domains of its own",
        )
    );
    let ns = json!({"ns": {"type": "namecheap.nameservers", "spec": {
        "domain": "example.net", "nameservers": ["a.example", "b.example"],
    }}});
    let error = world.stage.plan(&world.stack(ns)).await.unwrap_err();
    assert!(
        error
            .message()
            .contains("Namecheap has no domain `example.net`"),
        "{error:?}"
    );
}

#[tokio::test]
async fn two_resources_of_one_record_set() {
    let world = World::new();
    assert_eq!(
        world.why(json!({"a": set("a", "A", &["192.0.2.1"]), "b": set("a.example.com.", "a", &["192.0.2.2"])})).await,
        texts(
            "Conflict",
            "two resources of this stack set `example.com/a/A`",
            "put their values into one `namecheap.record_set`",
        )
    );
}

#[tokio::test]
async fn wishes_that_cannot_be() {
    let world = World::new();
    let one = async |inputs: Json| world.planned("namecheap.record_set", &inputs).await;
    let pair = |field: &str, text: &str| (field.to_owned(), text.to_owned());
    assert_eq!(
        one(json!({"domain": "www.example.com", "name": "a b", "type": "SRV", "values": ["x"], "ttl": 5})).await,
        [
            pair("domain", "the domain `www.example.com` is not a registered domain, but a name below `example.com`"),
            pair("type", "Namecheap's API cannot write records of type SRV"),
            pair("ttl", "Namecheap keeps answers from 60 to 60000 seconds, not 5"),
        ]
    );
    assert_eq!(
        one(
            json!({"domain": "example.com", "name": "a b", "type": "TXT", "values": ["a \"b\" c"]})
        )
        .await,
        [
            pair("name", "the name `a b` holds ` `, which names do not"),
            pair(
                "values[0]",
                "`a \"b\" c` holds a double quote, which Namecheap cannot"
            ),
        ]
    );
    assert_eq!(
        one(
            json!({"domain": "example.com", "type": "CNAME", "values": ["a.example", "b.example"]})
        )
        .await,
        [
            pair("values", "CNAME has one value, not 2"),
            pair("type", "the domain itself cannot be a CNAME"),
        ]
    );
    assert_eq!(
        world
            .planned(
                "namecheap.nameservers",
                &json!({"domain": "com", "nameservers": ["a..b", "c"]})
            )
            .await,
        [
            pair(
                "domain",
                "`com` is not a registered domain, but a public suffix"
            ),
            pair(
                "nameservers[0]",
                "the name server `a..b` has an empty label"
            ),
        ]
    );
}
