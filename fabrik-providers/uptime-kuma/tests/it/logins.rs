//! Logins, and everything that can be wrong with them, word by word.

use fabrik_core::clock::VirtualClock;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::{Cx, StopSignal};
use fabrik_core::value::Path;
use fabrik_fakes::kuma::{Kuma, Release, USER};
use fabrik_testkit::serve::{Reply, Server};
use serde_json::{Value as Json, json};

use crate::{config, open, open_with, read};

/// The key of RFC 6238's examples: at second 59 its code is 287082, a step later 359152.
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

async fn refused(kuma: &Kuma, over: Json) -> Error {
    let opened = open_with(&Cx::detached(), config(kuma, over)).await;
    opened.err().expect("an error")
}

fn check(error: &Error, kind: ErrorKind, field: Option<&str>, message: &str, hint: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(
        error.field_path(),
        field.map(Path::key).as_ref(),
        "{error:?}"
    );
    assert!(error.message().contains(message), "{error:?}");
    assert!(
        error.hint_text().unwrap_or_default().contains(hint),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_wrong_password_says_so() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let error = refused(&kuma, json!({"password": "not-the-password"})).await;
        check(
            &error,
            ErrorKind::Auth,
            Some("password"),
            "wrong user name or password",
            "UPTIME_KUMA_PASSWORD",
        );
        assert!(!format!("{error:?}").contains("not-the-password"));
    }
}

#[tokio::test]
async fn nothing_is_sent_without_credentials() {
    let kuma = Kuma::start(Release::V2);
    let error = refused(&kuma, json!({"password": null})).await;
    check(
        &error,
        ErrorKind::Auth,
        Some("password"),
        "`password` is missing",
        "UPTIME_KUMA_PASSWORD",
    );
    let error = refused(&kuma, json!({"username": null})).await;
    check(
        &error,
        ErrorKind::Auth,
        Some("username"),
        "`username` is missing",
        "UPTIME_KUMA_USERNAME",
    );
    assert_eq!(kuma.connections(), 0);
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_made_from_the_key() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        kuma.two_factor(&["359152"]);
        let error = refused(&kuma, json!({})).await;
        check(
            &error,
            ErrorKind::Auth,
            Some("totp"),
            "logs in with two factors",
            "UPTIME_KUMA_TOTP",
        );
        let error = refused(&kuma, json!({"totp": "000000"})).await;
        check(
            &error,
            ErrorKind::Auth,
            Some("totp"),
            "the one-time code was refused",
            "clock",
        );
        let error = refused(&kuma, json!({"totp": "no key!"})).await;
        check(
            &error,
            ErrorKind::Auth,
            Some("totp"),
            "neither a six-digit code nor a key",
            "QR code",
        );
        // At second 59 the code of that step was used up by somebody; the next step's is right.
        let clock = VirtualClock::at(jiff::Timestamp::from_second(1_111_111_080 - 1).unwrap());
        let before = clock.clone();
        let cx = Cx::new(std::sync::Arc::new(clock), StopSignal::never());
        kuma.two_factor(&["081804"]);
        open_with(&cx, config(&kuma, json!({"totp": KEY})))
            .await
            .unwrap();
        let now = fabrik_core::clock::Clock::now(&before);
        assert_eq!(
            now.as_second(),
            1_111_111_080,
            "it waits for the next step, once"
        );
    }
}

#[tokio::test]
async fn a_stored_login_needs_no_password_and_ends_with_it() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        let login =
            json!({"username": USER, "password": fabrik_fakes::kuma::PASSWORD, "token": ""});
        let token = kuma.by_hand("login", &[login])["token"].clone();
        let stored = json!({"username": null, "password": null, "token": token});
        open_with(&Cx::detached(), config(&kuma, stored.clone()))
            .await
            .unwrap();
        assert!(!kuma.log().iter().any(|event| event == "login"));
        kuma.set_password("An0ther-Passw0rd");
        let error = refused(&kuma, stored).await;
        check(
            &error,
            ErrorKind::Auth,
            Some("token"),
            "the stored login was refused",
            "UPTIME_KUMA_TOKEN",
        );
        // With a password beside it, that is used.
        let both = json!({"token": "JWT.stale.TOKEN", "password": "An0ther-Passw0rd"});
        open_with(&Cx::detached(), config(&kuma, both))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn too_many_logins_ask_to_wait() {
    let kuma = Kuma::start(Release::V2);
    kuma.use_up_logins(20);
    let error = refused(&kuma, json!({})).await;
    check(
        &error,
        ErrorKind::RateLimited,
        None,
        "the server takes 20 a minute",
        "wait a minute",
    );
    assert_eq!(error.wait().unwrap().as_secs(), 60);
}

#[tokio::test]
async fn a_server_without_users_says_where_to_make_one() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::never_set_up(release);
        let error = refused(&kuma, json!({})).await;
        check(
            &error,
            ErrorKind::Auth,
            None,
            "it was never set up",
            &kuma.url(),
        );
    }
}

#[tokio::test]
async fn a_server_without_logins_needs_none() {
    for release in [Release::V1, Release::V2] {
        let kuma = Kuma::start(release);
        kuma.disable_auth();
        let over = json!({"password": "whatever-it-is"});
        open_with(&Cx::detached(), config(&kuma, over))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn other_releases_are_refused() {
    for (version, text) in [
        ("1.22.1", "Uptime Kuma 1.22.1"),
        ("3.0.0", "Uptime Kuma 3.0.0"),
    ] {
        let kuma = Kuma::start(Release::V2);
        kuma.set_version(version);
        let error = refused(&kuma, json!({})).await;
        check(&error, ErrorKind::Unsupported, None, text, "1.23 and 2.x");
    }
}

#[tokio::test]
async fn something_else_at_the_address_is_told() {
    let login = Server::start(|_| Reply::html(200, "<html>Please log in</html>"));
    let with = json!({"url": login.url(), "username": "a", "password": "b"});
    let error = open_with(&Cx::detached(), with).await.err().unwrap();
    check(
        &error,
        ErrorKind::Unavailable,
        None,
        "the address may be wrong",
        "proxy or login page",
    );
    assert!(!error.is_temporary());
    // Nobody there at all.
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let with = json!({"url": url, "username": "a", "password": "b"});
    let error = open_with(&Cx::detached(), with).await.err().unwrap();
    check(
        &error,
        ErrorKind::Unavailable,
        None,
        "cannot reach Uptime Kuma",
        "check `url`",
    );
}

#[tokio::test]
async fn a_run_logs_in_once() {
    let kuma = Kuma::start(Release::V2);
    let instance = open(&kuma).await;
    for _ in 0..3 {
        kuma.break_connections();
        assert!(
            read(&instance, "uptime_kuma.tag", "1")
                .await
                .unwrap()
                .is_none()
        );
    }
    let logins = kuma.log().iter().filter(|event| *event == "login").count();
    assert_eq!(logins, 1, "{:?}", kuma.log());
    assert_eq!(kuma.connections(), 4);
}
