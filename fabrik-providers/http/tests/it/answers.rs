//! What becomes of answers, and what is said of them.

use std::sync::{Arc, Mutex};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Verdict};
use fabrik_core::secrets::Secret;
use fabrik_http::{Auth, Authenticator, Client, HttpConfig, Next};
use fabrik_testkit::serve::{Reply, Server};
use serde_json::{Value as Json, json};

use crate::support::{Stage, TOKEN, config, script};

#[tokio::test]
async fn a_request_is_dressed_and_its_route_is_filled() {
    let seen = Arc::new(Mutex::new(None));
    let kept = seen.clone();
    let server = Server::start(move |request| {
        *kept.lock().unwrap() = Some(request.clone());
        Reply::json(200, &json!({"ok": true}))
    });
    let stage = Stage::new();
    let client = Client::new(config(&format!("{}/api/v1/", server.url()))).unwrap();
    let _: Json = client
        .post(&stage.cx(), "/zones/{zone}/things")
        .arg("zone", "a/b ü")
        .query("q", "1&2")
        .body(&json!({"x": 1}))
        .json()
        .await
        .unwrap();
    let request = seen.lock().unwrap().clone().unwrap();
    assert_eq!(request.path, "/api/v1/zones/a%2Fb%20%C3%BC/things");
    assert_eq!(request.param("q"), Some("1&2"));
    assert_eq!(request.json(), Some(json!({"x": 1})));
    assert_eq!(
        request.header("authorization"),
        Some(&*format!("Bearer {TOKEN}"))
    );
    let agent = request.header("user-agent").unwrap();
    assert!(agent.starts_with("fabrik/") && agent.ends_with("(provider acme/1.2.3)"));
    // The event tells the route, not the id.
    let route = "/zones/{zone}/things".to_owned();
    assert_eq!(stage.http(), [(route, Some(200), 1)]);
}

#[tokio::test]
async fn a_segment_that_would_change_the_route_is_refused_unsent() {
    let server = script(vec![Reply::empty(200)]);
    let client = Client::new(config(&server.url())).unwrap();
    let cx = Stage::new().cx();
    for bad in ["", ".", ".."] {
        let request = client.delete(&cx, "/zones/{zone}").arg("zone", bad);
        assert_eq!(request.unit().await.unwrap_err().kind(), ErrorKind::Invalid);
    }
    let unfilled = client.delete(&cx, "/zones/{zone}").unit().await;
    assert_eq!(unfilled.unwrap_err().kind(), ErrorKind::Unexpected);
    assert!(server.log().is_empty());
}

#[test]
fn an_address_that_cannot_be_one_is_refused() {
    for bad in [
        "",
        "example.com",
        "ftp://example.com",
        "https://user:pw@example.com",
        "https://example.com?x=1",
    ] {
        let error = HttpConfig::new("acme", "1", bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{bad}");
        assert_eq!(error.field_path().unwrap().to_string(), "endpoint");
        assert!(error.hint_text().is_some());
    }
}

#[tokio::test]
async fn statuses_mean_what_they_mean() {
    let table = [
        (401, ErrorKind::Auth, Effect::None),
        (403, ErrorKind::Permission, Effect::None),
        (404, ErrorKind::NotFound, Effect::None),
        (409, ErrorKind::Conflict, Effect::None),
        (422, ErrorKind::Invalid, Effect::None),
        (500, ErrorKind::Unavailable, Effect::Unknown),
    ];
    for (status, kind, effect) in table {
        let reply = Reply::json(status, &json!({"message": "no\u{1b}[31m way"}))
            .header("x-request-id", "req-7");
        let server = script(vec![reply]);
        let client = Client::new(config(&server.url())).unwrap();
        let cx = Stage::new().cx();
        let error = client.post(&cx, "/things").unit().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect_of()),
            (kind, effect),
            "{status}"
        );
        assert!(error.message().contains("no"), "{error:?}");
        assert!(!error.message().contains('\u{1b}'), "{error:?}");
        assert_eq!(error.operation_name(), Some("POST /things"));
        let context: Vec<_> = error.context_pairs().collect();
        assert_eq!(context, [("request id", "req-7")]);
    }
}

#[tokio::test]
async fn a_web_page_means_a_wrong_address() {
    let page = "<!DOCTYPE html><title>Log in</title>";
    for reply in [
        Reply::html(200, page),
        Reply::new(200, "application/json", page),
        Reply::html(404, page),
    ] {
        let server = script(vec![reply]);
        let client = Client::new(config(&server.url())).unwrap();
        let cx = Stage::new().cx();
        let error = client.get(&cx, "/me").json_opt::<Json>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert_eq!(
            error.message(),
            "acme answered with a web page, not with its API: the address may be wrong"
        );
        assert!(!error.is_temporary());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_it_led() {
    let reply = Reply::empty(301).header("location", "https://elsewhere.test/login?next=secret");
    let server = script(vec![reply]);
    let client = Client::new(config(&server.url())).unwrap();
    let cx = Stage::new().cx();
    let error = client.get(&cx, "/me").unit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let context: Vec<_> = error.context_pairs().collect();
    assert_eq!(context, [("redirected to", "https://elsewhere.test")]);
    assert_eq!(server.log().len(), 1);
}

#[tokio::test]
async fn damaged_json_is_said_to_be_so() {
    for (body, what) in [
        ("[1, 2", "is cut off"),
        ("nonsense", "is not JSON"),
        (r#"{"id": "x"}"#, "has not the expected form"),
    ] {
        let server = script(vec![
            Reply::new(200, "application/json", body).header("cf-ray", "ray-1"),
        ]);
        let client = Client::new(config(&server.url())).unwrap();
        let cx = Stage::new().cx();
        let error = client.get(&cx, "/me").json::<Vec<u32>>().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misbehaved);
        assert_eq!(error.message(), format!("the answer of acme {what}"));
        assert!(
            error
                .context_pairs()
                .any(|pair| pair == ("request id", "ray-1"))
        );
    }
}

#[tokio::test]
async fn secrets_are_kept_out_of_what_is_said() {
    let words = format!("token {TOKEN} is bad, and so is pw-canary-987654");
    let server = script(vec![Reply::json(403, &json!({"error": words}))]);
    let client =
        Client::new(config(&server.url()).secret(&Secret::from("pw-canary-987654"))).unwrap();
    let cx = Stage::new().cx();
    let error = client.get(&cx, "/me").unit().await.unwrap_err();
    let shown = format!("{error} {error:?} {client:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("is bad"));
}

#[tokio::test]
async fn the_provider_maps_replies_that_look_fine() {
    let server = script(vec![Reply::json(
        200,
        &json!({"success": false, "code": 7}),
    )]);
    let config = config(&server.url()).errors(|reply| {
        let body: Json = reply.json().ok()?;
        (body["success"] == false).then(|| reply.error(ErrorKind::Quota, "seven"))
    });
    let client = Client::new(config).unwrap();
    let cx = Stage::new().cx();
    let error = client.post(&cx, "/x").unit().await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Quota, "seven"));
    assert_eq!(error.operation_name(), Some("POST /x"));
}

#[tokio::test]
async fn pages_are_gathered_and_a_loop_of_pages_ends() {
    let server = Server::start(|request| {
        let page: usize = request.param("page").unwrap_or("1").parse().unwrap();
        let items: Vec<usize> = (0..3).map(|n| page * 10 + n).collect();
        Reply::json(200, &json!({"items": items, "last": page == 4}))
    });
    let client = Client::new(config(&server.url())).unwrap();
    let cx = Stage::new().cx();
    let read = |end: bool| {
        let mut page = 1;
        move |reply: &fabrik_http::Reply| {
            let body: Json = reply.json()?;
            let items: Vec<Json> = body["items"].as_array().unwrap().clone();
            if body["last"] == true {
                return Ok((items, Next::End));
            }
            page += usize::from(end);
            Ok((items, Next::with("page", page)))
        }
    };
    let all = client.get(&cx, "/items").pages(read(true)).await.unwrap();
    assert_eq!(all.len(), 12);
    let error = client.get(&cx, "/items").pages(read(false)).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Misbehaved);
}

struct Renewing(Mutex<Vec<bool>>);

#[async_trait::async_trait]
impl Authenticator for Renewing {
    async fn headers(&self, _: &Cx, renew: bool) -> Result<Vec<(String, Secret)>> {
        self.0.lock().unwrap().push(renew);
        let token = if renew { "new" } else { "old" };
        Ok(vec![("x-token".to_owned(), Secret::from(token))])
    }
}

#[tokio::test]
async fn expired_credentials_are_renewed_once() {
    let server = Server::start(|request| match request.header("x-token") {
        Some("new") if request.path == "/ok" => Reply::empty(204),
        _ => Reply::json(401, &json!({"message": "expired"})),
    });
    let renewing = Arc::new(Renewing(Mutex::default()));
    let config = HttpConfig::new("acme", "1", &server.url())
        .unwrap()
        .auth(Auth::with(renewing.clone()));
    let client = Client::new(config).unwrap();
    let cx = Stage::new().cx();
    client.post(&cx, "/ok").unit().await.unwrap();
    assert_eq!(*renewing.0.lock().unwrap(), [false, true]);
    let error: Error = client.post(&cx, "/never").unit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert_eq!(server.log().len(), 4);
}

#[tokio::test]
async fn a_clock_that_is_off_is_noticed() {
    // The server writes the real date; the client lives at the beginning of 2026.
    let server = script(vec![
        Reply::empty(200).header("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        Reply::empty(200).header("date", "Thu, 01 Jan 2026 00:02:00 GMT"),
    ]);
    let client = Client::new(config(&server.url())).unwrap();
    assert!(client.clock_health().is_none());
    let cx = Stage::new().cx();
    client.get(&cx, "/x").unit().await.unwrap();
    assert_eq!(client.clock_health().unwrap().verdict, Verdict::Ok);
    client.get(&cx, "/x").unit().await.unwrap();
    let health = client.clock_health().unwrap();
    assert_eq!(health.verdict, Verdict::Warn);
    assert_eq!(
        health.text,
        "the service's clock is 120 s ahead of this machine's"
    );
}
