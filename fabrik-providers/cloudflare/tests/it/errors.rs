//! What wrong input gets, word by word.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::{Cx, Health, Provider as _};
use fabrik_core::value::from_json;
use fabrik_fakes::cloudflare::{Plan, TOKEN};
use fabrik_provider_cloudflare::provider;
use fabrik_testkit::serve::{Reply, Server};
use serde_json::{Value as Json, json};

use super::world::{Stage, record, resource};

fn www(inputs: &Json) -> fabrik_core::stack::Declared {
    let mut all = json!({"name": "www", "type": "A", "values": ["192.0.2.1"]});
    for (key, value) in inputs.as_object().unwrap() {
        all[key] = value.clone();
    }
    record("www", &all)
}

/// What opening the provider fails with.
async fn open_failure(stage: &Stage) -> Error {
    stage
        .try_plan(&stage.stack([www(&json!({}))]))
        .await
        .unwrap_err()
}

const NEW_TOKEN: &str = "set `token` of the provider (or CLOUDFLARE_API_TOKEN) to an API token, not to the global key; make one in the dashboard under \"API Tokens\"";

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_none() {
    let mut stage = Stage::new();
    for (token, message) in [
        ("", "the API token is empty"),
        (
            "two words",
            "the API token is malformed: Invalid request headers: Invalid format for Authorization header",
        ),
        (
            "v1.0-another-token-of-somebody",
            "Cloudflare does not accept the API token: Invalid API Token",
        ),
    ] {
        stage.config["token"] = json!(token);
        let error = open_failure(&stage).await;
        assert_eq!(error.kind(), ErrorKind::Auth, "{token}");
        assert_eq!(error.message(), message);
        assert_eq!(error.field_path().unwrap().to_string(), "token");
        let hint = error.hint_text().unwrap();
        assert!(hint.contains("CLOUDFLARE_API_TOKEN"), "{hint}");
        let shown = format!("{error} {error:?}");
        assert!(token.is_empty() || !shown.contains(token), "{shown}");
    }
    assert_eq!(open_failure(&stage).await.hint_text(), Some(NEW_TOKEN));
    // An empty token sends nothing.
    stage.cloud.clear_log();
    stage.config["token"] = json!(" ");
    open_failure(&stage).await;
    assert!(stage.cloud.log().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_are_no_longer() {
    let stage = Stage::new();
    for status in ["disabled", "expired"] {
        stage.cloud.set_token_status(status);
        let error = open_failure(&stage).await;
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert_eq!(error.message(), format!("the API token is {status}"));
        assert_eq!(
            error.hint_text(),
            Some(
                "make a new token, or turn this one on again, in the dashboard under \"API Tokens\""
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_accounts_are_tokens_too() {
    let (mut stage, _) = Stage::with_zone();
    stage.cloud.own_tokens_by_account();
    stage.settle(&stage.stack([www(&json!({}))])).await;
    stage.config["account"] = json!(fabrik_fakes::cloudflare::ACCOUNT);
    stage.empty(&stage.stack([www(&json!({}))])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_named() {
    let zone_settings = resource(
        "x",
        "cloudflare.zone_settings",
        &json!({"zone": "example.com", "ssl": "strict"}),
    );
    let zone = resource("x", "cloudflare.zone", &json!({"name": "example.org"}));
    let redirect = resource(
        "x",
        "cloudflare.redirect_rule",
        &json!({"zone": "example.com", "expression": "true", "target": "https://a.example"}),
    );
    let purge = resource(
        "x",
        "cloudflare.cache_purge",
        &json!({"zone": "example.com", "everything": true}),
    );
    for (dropped, declared) in [
        (&["DNS:Edit"][..], www(&json!({}))),
        (&["Zone Settings:Edit"], zone_settings),
        (&["Zone:Edit"], zone),
        (&["Single Redirect:Edit"], redirect),
        (&["Cache Purge:Purge"], purge),
    ] {
        let (stage, _) = Stage::with_zone();
        for scope in dropped {
            stage.cloud.drop_scope(scope);
        }
        let error = stage.failure(&stage.stack([declared])).await;
        assert_eq!(error.kind(), ErrorKind::Permission, "{error:?}");
        let start = format!(
            "the API token lacks the permission `{}`, or is not for this zone: ",
            dropped[0]
        );
        assert!(error.message().starts_with(&start), "{error}");
        let hint = format!(
            "add `{}` to the token in the dashboard under \"API Tokens\", for this zone; a token made in the last two minutes may not work everywhere yet",
            dropped[0]
        );
        assert_eq!(error.hint_text(), Some(hint.as_str()));
    }
    // Already at the plan, where reading is not allowed.
    let (stage, _) = Stage::with_zone();
    stage.cloud.drop_scope("DNS:Edit");
    stage.cloud.drop_scope("DNS:Read");
    let error = stage
        .try_plan(&stage.stack([www(&json!({}))]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(error.message().contains("`DNS:Read`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_what_is_missing() {
    let (stage, _) = Stage::with_zone();
    stage.cloud.drop_scope("Single Redirect:Edit");
    stage.cloud.drop_scope("Single Redirect:Read");
    let cx = Cx::detached();
    let config = from_json(&stage.config);
    let opened = provider().open(&cx, &config).await.unwrap();
    stage.cloud.clear_log();
    let lines = |found: Vec<Health>| -> Vec<String> {
        found
            .iter()
            .map(|line| format!("{:?} {line}", line.verdict))
            .collect()
    };
    assert_eq!(
        lines(opened.examine(&cx).await),
        [
            "Ok token: active",
            "Ok zones: sees 1",
            "Fail permissions: lacks Single Redirect:Read"
        ]
    );
    assert_eq!(stage.writes(), 0);
    stage.cloud.limit_to_zones(&[]);
    assert_eq!(
        lines(opened.examine(&cx).await),
        ["Ok token: active", "Warn zones: the token sees no zone"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zone_that_is_not_seen() {
    let (stage, _) = Stage::with_zone();
    stage.cloud.limit_to_zones(&[]);
    let error = stage.failure(&stage.stack([www(&json!({}))])).await;
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.message(), "the API token sees no zone `example.com`");
    assert_eq!(
        error.hint_text(),
        Some(
            "add the zone to Cloudflare (`cloudflare.zone`), or give the token the permission `Zone:Read` for it"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address() {
    let page =
        Server::start(|_| Reply::html(200, "<!DOCTYPE html><html><title>Log in</title></html>"));
    let mut stage = Stage::new();
    stage.config["endpoint"] = json!(page.url());
    let error = open_failure(&stage).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "cloudflare answered with a web page, not with its API: the address may be wrong"
    );
    // The host is right, the path is not.
    stage.config["endpoint"] = json!(stage.cloud.url().replace("/client/v4", ""));
    let error = open_failure(&stage).await;
    assert!(
        error.message().contains("the address may be wrong"),
        "{error}"
    );
    for wrong in ["api.cloudflare.com", "ftp://api.cloudflare.com"] {
        stage.config["endpoint"] = json!(wrong);
        let error = open_failure(&stage).await;
        assert_eq!(error.field_path().unwrap().to_string(), "endpoint");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_none() {
    let (stage, zone) = Stage::with_zone();
    for (inputs, field, message, hint) in [
        (
            json!({"values": ["192.0.2.1", "192.0.2.300"]}),
            "values[1]",
            "`192.0.2.300` is no value of a record of type A: it must be an IPv4 address",
            "write an IPv4 address",
        ),
        (
            json!({"type": "MX", "values": ["mail.example.com"]}),
            "values[0]",
            "`mail.example.com` is no value of a record of type MX: `priority` must be a number from 0 to 65535; it is written `PRIORITY HOST`",
            "write `PRIORITY HOST`",
        ),
        (
            json!({"type": "CNAME", "values": ["a.example", "b.example"]}),
            "values",
            "a CNAME has one value only",
            "keep one value; several addresses of one name are A or AAAA records",
        ),
        (
            json!({"ttl": 300, "proxied": true}),
            "ttl",
            "the ttl of a proxied record is always automatic",
            "leave `ttl` out, or set `proxied: false`",
        ),
        (
            json!({"ttl": 20}),
            "ttl",
            "a ttl is 60 to 86400 seconds, or 1 for automatic, not 20",
            "leave `ttl` out for automatic",
        ),
        (
            json!({"ttl": 30}),
            "ttl",
            "a ttl below 60 seconds needs the enterprise plan",
            "use 60 or more, or leave `ttl` out for automatic",
        ),
        (
            json!({"type": "TXT", "values": ["x"], "proxied": true}),
            "proxied",
            "records of type TXT cannot be proxied",
            "leave `proxied` out; only A, AAAA and CNAME records can be proxied",
        ),
        (
            json!({"comment": "x".repeat(101)}),
            "comment",
            "the comment has 101 characters; the zone's plan allows 100",
            "shorten it, or put the zone on a bigger plan",
        ),
        (
            json!({"comment": "a\nb"}),
            "comment",
            "a comment is one line",
            "take the line breaks out",
        ),
        (
            json!({"comment": "mine fabrik:v1:0000000000000000"}),
            "comment",
            "the comment holds a mark of Fabrik",
            "leave the part from `fabrik:v1:` on out: Fabrik adds its mark by itself",
        ),
        (
            json!({"tags": ["team:shop"]}),
            "tags",
            "records of a free zone have no tags",
            "leave `tags` out, or put the zone on a bigger plan",
        ),
        (
            json!({"name": "www.example.org."}),
            "name",
            "`www.example.org` is not in the zone `example.com`",
            "write the full name, a name below the zone, or `@` for the zone itself",
        ),
    ] {
        let found = stage.finding(&stage.stack([www(&inputs)])).await;
        let expected = (field.to_owned(), message.to_owned(), hint.to_owned());
        assert_eq!(found, expected, "{inputs}");
    }
    assert_eq!(stage.writes(), 0);
    // On another plan some of it is fine.
    stage.cloud.set_plan(&zone, Plan::Enterprise);
    let fine = json!({"ttl": 30, "comment": "x".repeat(101), "tags": ["team:shop"]});
    stage.settle(&stage.stack([www(&fine)])).await;
}

/// What only the service knows.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_the_service() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.add_record(
        &zone,
        &json!({"name": "www", "type": "AAAA", "content": "2001:db8::1"}),
    );
    let cname = json!({"type": "CNAME", "values": ["other.example.org"]});
    let error = stage.failure(&stage.stack([www(&cname)])).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(
        error.message(),
        "another record is in the way: An A, AAAA, or CNAME record with that host already exists"
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "a CNAME stands alone at its name, and so do NS records; remove the other record or take it over with `fabrik import`"
        )
    );
    // A DS without NS: what is wrong stands in the chain only.
    let (stage, _) = Stage::with_zone();
    let ds = json!({"type": "DS", "values": ["1 13 2 ab"]});
    let error = stage.failure(&stage.stack([www(&ds)])).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.message(),
        "Cloudflare refuses the request: DNS Validation Error: DS records need NS records at the same name"
    );
    let codes: Vec<(&str, &str)> = error
        .context_pairs()
        .filter(|(key, _)| *key == "code")
        .collect();
    assert_eq!(codes, [("code", "1004, 9204")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_zone() {
    let (stage, zone) = Stage::with_zone();
    stage.cloud.set_record_quota(&zone, 2);
    let sets = ["a", "b", "c"].map(|name| {
        record(
            name,
            &json!({"name": name, "type": "A", "values": ["192.0.2.1"]}),
        )
    });
    let error = stage.failure(&stage.stack(sets)).await;
    assert_eq!(error.kind(), ErrorKind::Quota);
    assert_eq!(
        error.message(),
        "the zone cannot hold more records: Record quota exceeded"
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "a free zone holds 200 records (1,000 when it was made before September 2024), a paid one 3,500: remove records or change the plan"
        )
    );
    assert!(
        stage.cloud.records(&zone).is_empty(),
        "a batch is all or nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_without_partial_zones() {
    let (stage, _) = Stage::with_zone();
    let zone = |kind: &str| {
        super::world::adopting(resource(
            "zone",
            "cloudflare.zone",
            &json!({"name": "example.com", "type": kind}),
        ))
    };
    let error = stage.failure(&stage.stack([zone("partial")])).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(
        error.message(),
        "the zone's plan does not allow this: Your zone must be on a Business plan or higher for a partial setup"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_asks_to_slow_down() {
    let (stage, _) = Stage::with_zone();
    stage.cloud.refuse(2, "1");
    stage.settle(&stage.stack([www(&json!({}))])).await;
    // For longer than anybody waits.
    stage.cloud.refuse(100, "300");
    let error = open_failure(&stage).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(
        error.message(),
        "Cloudflare asks to slow down: Please wait and consider throttling your request speed"
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "1,200 requests in 5 minutes are allowed per token; wait 5 minutes, or run fewer things with this token"
        )
    );
    assert!(!format!("{error:?}").contains(TOKEN));
}
