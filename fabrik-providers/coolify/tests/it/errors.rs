//! What bad input gets, word by word.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_fakes::coolify::{Coolify, Kind, TOKEN};
use fabrik_provider_coolify::provider;
use fabrik_testkit::stack::Stage;
use serde_json::{Value as Json, json};

use crate::world::World;

/// The error of connecting with a configuration.
async fn refused(config: Json) -> Error {
    let stage = Stage::builder()
        .provider(provider(), config)
        .build()
        .expect("a stage");
    match stage.open("coolify").await {
        Err(error) => error,
        Ok(_) => panic!("it connects"),
    }
}

fn says(error: &Error, kind: ErrorKind, message: &str, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(error.message(), message);
    assert_eq!(error.hint_text(), Some(hint));
    assert!(!format!("{error:?}").contains("0000secret0000"));
}

#[tokio::test]
async fn a_wrong_token() {
    let coolify = Coolify::start("4.3.10");
    let error = refused(json!({"endpoint": coolify.url(), "token": "7|0000secret0000"})).await;
    says(
        &error,
        ErrorKind::Auth,
        "Coolify does not accept the token",
        "make one under Keys & Tokens, API Tokens, and give all of it, with the number and `|` before it, as `token` or in COOLIFY_API_TOKEN",
    );
    assert_eq!(error.field_path().unwrap().to_string(), "token");
}

#[tokio::test]
async fn a_missing_ability() {
    let coolify = Coolify::start("4.3.10");
    coolify.add_token("2|deploys0only", &["deploy"]);
    let error = refused(json!({"endpoint": coolify.url(), "token": "2|deploys0only"})).await;
    says(
        &error,
        ErrorKind::Permission,
        "the token lacks the ability `read`",
        "abilities of a token are fixed: make a new one with `read` under Keys & Tokens, API Tokens",
    );
    let world = World::new("4.3.10");
    world.coolify.drop_ability("write");
    let error = world
        .fail(json!({"shop": {"type": "coolify.project", "spec": {"name": "Shop"}}}))
        .await;
    assert_eq!(error.message(), "the token lacks the ability `write`");
    let world = World::new("4.3.10");
    world.coolify.drop_ability("deploy");
    let mut app = world.app(json!({}));
    app["go"] =
        json!({"type": "coolify.deployment", "spec": {"application": "${resources.api.id}"}});
    let error = world.fail(app).await;
    assert_eq!(error.message(), "the token lacks the ability `deploy`");
}

#[tokio::test]
async fn a_mere_member() {
    let world = World::new("4.3.10");
    world.coolify.make_member();
    let error = world
        .fail(json!({"shop": {"type": "coolify.project", "spec": {"name": "Shop"}}}))
        .await;
    says(
        &error,
        ErrorKind::Permission,
        "the user the token belongs to is not allowed to do this",
        "make the token as an owner or admin of the team",
    );
}

#[tokio::test]
async fn the_api_is_off_or_the_address_not_allowed() {
    let coolify = Coolify::start("4.3.10");
    coolify.set_api(false);
    let config = json!({"endpoint": coolify.url(), "token": TOKEN});
    says(
        &refused(config.clone()).await,
        ErrorKind::Permission,
        "Coolify's API is switched off",
        "switch it on under Settings, Advanced, API Access",
    );
    coolify.set_api(true);
    coolify.set_allowed(false);
    says(
        &refused(config).await,
        ErrorKind::Permission,
        "Coolify does not let this machine's address use its API",
        "add the address under Settings, Advanced, Allowed IPs for API Access",
    );
}

#[tokio::test]
async fn a_wrong_address() {
    let coolify = Coolify::start("4.3.10");
    let error =
        refused(json!({"endpoint": format!("{}/elsewhere", coolify.url()), "token": TOKEN})).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.message(),
        "coolify answered with a web page, not with its API: the address may be wrong"
    );
    // The address of the API itself is fine too.
    let stage = Stage::builder()
        .provider(
            provider(),
            json!({"endpoint": format!("{}/api/v1/", coolify.url()), "token": TOKEN}),
        )
        .build()
        .unwrap();
    assert!(stage.open("coolify").await.is_ok());
}

#[tokio::test]
async fn a_version_that_is_too_old() {
    let coolify = Coolify::start("4.0.0-beta.460");
    says(
        &refused(json!({"endpoint": coolify.url(), "token": TOKEN})).await,
        ErrorKind::Unsupported,
        "Coolify 4.0.0-beta.460 is not supported: this provider needs 4.0.0 or newer",
        "update Coolify (Settings, Update)",
    );
}

#[tokio::test]
async fn a_field_newer_than_the_server_is_seen_at_plan_time() {
    let world = World::new("4.1.2");
    let error = world
        .fail(world.app(json!({"settings": {"gzip": true}})))
        .await;
    assert_eq!(error.kind(), ErrorKind::Refused);
    let said = format!("{error:?}");
    assert!(
        said.contains("`settings.gzip` needs Coolify 4.2.0; the server runs 4.1.2"),
        "{said}"
    );
    assert!(
        world
            .coolify
            .log()
            .iter()
            .all(|request| !request.is_write())
    );
}

#[tokio::test]
async fn a_domain_that_is_taken() {
    let world = World::new("4.3.10");
    let project = world.coolify.add_project("Others");
    let other = world.coolify.add_application(&project, "blog", "nginx:1");
    world.coolify.edit(
        Kind::Application,
        &other,
        "fqdn",
        json!("https://api.example.com"),
    );
    let error = world.fail(world.app(json!({}))).await;
    says(
        &error,
        ErrorKind::Conflict,
        &format!(
            "the domain is taken: api.example.com belongs to the application `blog` ({other})"
        ),
        "choose another domain, take it from the other one first, or set `force_domains: true` to have it twice",
    );
    world
        .settle(world.app(json!({"force_domains": true})))
        .await;
}

#[tokio::test]
async fn a_full_deployment_queue() {
    let world = World::new("4.3.10");
    world.coolify.set_queue_full(true);
    let mut app = world.app(json!({}));
    app["go"] =
        json!({"type": "coolify.deployment", "spec": {"application": "${resources.api.id}"}});
    says(
        &world.fail(app).await,
        ErrorKind::Quota,
        "the deployment queue of the server is full",
        "wait until deployments have ended, cancel some in the dashboard, or raise the server's deployment queue limit",
    );
}

#[tokio::test]
async fn requests_beyond_the_limit_wait() {
    let coolify = Coolify::start("4.3.10");
    coolify.set_rate_limit(Some(0));
    let error = refused(json!({"endpoint": coolify.url(), "token": TOKEN})).await;
    says(
        &error,
        ErrorKind::RateLimited,
        "Coolify answers no more requests of this user for a while",
        "lower `requests_per_minute`, or raise `API_RATE_LIMIT` in Coolify's environment",
    );
}
