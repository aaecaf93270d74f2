//! What is sent again, and what never is.

use std::time::Duration;

use fabrik_core::error::{Effect, ErrorKind};
use fabrik_http::Client;
use fabrik_testkit::serve::Reply;
use serde_json::json;

use crate::support::{Stage, config, script};

#[tokio::test]
async fn a_read_is_repeated_with_growing_waits() {
    let server = script(vec![
        Reply::empty(503),
        Reply::empty(502),
        Reply::json(200, &json!(1)),
    ]);
    let stage = Stage::new();
    let client = Client::new(config(&server.url())).unwrap();
    let found: u32 = client.get(&stage.cx(), "/x").json().await.unwrap();
    assert_eq!(found, 1);
    // 0.25 to 0.5 s, then 0.5 to 1 s.
    assert!(
        (0.75..=1.5).contains(&stage.seconds()),
        "{}",
        stage.seconds()
    );
    let attempts: Vec<u32> = stage
        .http()
        .iter()
        .map(|(_, _, attempt)| *attempt)
        .collect();
    assert_eq!(attempts, [1, 2, 3]);
}

#[tokio::test]
async fn a_write_that_may_have_landed_is_not_repeated() {
    for status in [500, 502, 503, 504] {
        let server = script(vec![Reply::empty(status)]);
        let client = Client::new(config(&server.url())).unwrap();
        let cx = Stage::new().cx();
        let error = client.post(&cx, "/x").unit().await.unwrap_err();
        assert_eq!(error.effect_of(), Effect::Unknown);
        assert_eq!(server.log().len(), 1, "{status}");
        // Said to be harmless, it is repeated; so is a POST that only reads.
        _ = client.post(&cx, "/x").idempotent().unit().await;
        assert_eq!(server.log().len(), 6, "{status}");
        let error = client.post(&cx, "/x").reads().unit().await.unwrap_err();
        assert_eq!(error.effect_of(), Effect::None);
        assert_eq!(server.log().len(), 11, "{status}");
        // And what costs money is not, whatever its method.
        _ = client.put(&cx, "/x").once().unit().await;
        assert_eq!(server.log().len(), 12, "{status}");
    }
}

#[tokio::test]
async fn slow_down_is_obeyed_in_seconds_and_as_a_date() {
    for retry_after in ["7", "Thu, 01 Jan 2026 00:00:07 GMT"] {
        let slow = Reply::empty(429).header("retry-after", retry_after);
        let server = script(vec![slow, Reply::empty(204)]);
        let stage = Stage::new();
        let client = Client::new(config(&server.url())).unwrap();
        // A write, too: it was not carried out.
        client.post(&stage.cx(), "/x").unit().await.unwrap();
        assert!((stage.seconds() - 7.0).abs() < 0.01, "{}", stage.seconds());
        assert_eq!(server.log().len(), 2);
    }
}

#[tokio::test]
async fn nobody_waits_past_the_end() {
    let slow =
        Reply::json(429, &json!({"message": "come back later"})).header("retry-after", "3600");
    let server = script(vec![slow]);
    let stage = Stage::new();
    let client = Client::new(config(&server.url())).unwrap();
    let cx = stage.within(Duration::from_secs(60));
    let error = client.post(&cx, "/x").unit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.effect_of(), Effect::None);
    assert_eq!(error.wait(), Some(Duration::from_secs(3600)));
    assert!(error.message().contains("come back later"));
    assert_eq!((server.log().len(), stage.seconds() < 1.0), (1, true));
}

#[tokio::test]
async fn a_status_of_the_service_s_own_means_slow_down() {
    let server = script(vec![
        Reply::empty(405),
        Reply::empty(405),
        Reply::empty(200),
    ]);
    let client = Client::new(config(&server.url()).retry_status(&[405])).unwrap();
    let cx = Stage::new().cx();
    client.post(&cx, "/x").unit().await.unwrap();
    assert_eq!(server.log().len(), 3);
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_also_for_writes() {
    // A port that nobody listens on.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let stage = Stage::new();
    let client = Client::new(config(&url).attempts(3)).unwrap();
    let error = client.post(&stage.cx(), "/x").unit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.effect_of(), Effect::None);
    assert!(
        error.message().contains("cannot be reached at 127.0.0.1"),
        "{error}"
    );
    assert_eq!(stage.http().len(), 3);
}

#[tokio::test]
async fn a_slow_answer_names_the_operation_and_the_limit() {
    let server = script(vec![Reply::empty(200).after(Duration::from_secs(20))]);
    let client = Client::new(config(&server.url()).timeout(Duration::from_millis(200))).unwrap();
    let cx = Stage::new().cx();
    let error = client.post(&cx, "/slow").unit().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.effect_of(), Effect::Unknown);
    assert_eq!(
        error.to_string(),
        "POST /slow: acme gave no answer within 0.2 s"
    );
}

#[tokio::test]
async fn a_hard_stop_ends_a_request_at_once() {
    let server = script(vec![Reply::empty(200).after(Duration::from_secs(20))]);
    let stage = Stage::new();
    let client = Client::new(config(&server.url())).unwrap();
    let cx = stage.cx();
    let request = client.post(&cx, "/slow").unit();
    let (result, ()) = tokio::join!(request, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        stage.stop.now();
    });
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.effect_of(), Effect::Unknown);
}
