//! Budgets, slots and waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::Progress;
use fabrik_http::{Client, Rate, Wait};
use fabrik_testkit::serve::{Reply, Server};

use crate::support::{Stage, config, script};

#[tokio::test]
async fn a_budget_spreads_requests() {
    let server = script(vec![Reply::empty(200)]);
    let stage = Stage::new();
    let rate = Rate::per(10, Duration::from_secs(60));
    let client = Client::new(config(&server.url()).rate(rate)).unwrap();
    let cx = stage.cx();
    for _ in 0..10 {
        client.get(&cx, "/x").unit().await.unwrap();
    }
    assert!(stage.seconds() < 1.0);
    for _ in 0..10 {
        client.get(&cx, "/x").unit().await.unwrap();
    }
    assert!(
        (60.0..61.0).contains(&stage.seconds()),
        "{}",
        stage.seconds()
    );
}

#[tokio::test]
async fn what_the_service_says_is_left_is_believed() {
    for (name, value, further) in [
        ("ratelimit", "\"default\";r=0;t=30", None),
        ("x-ratelimit-remaining", "0", Some("30")),
    ] {
        let mut used_up = Reply::empty(200).header(name, value);
        if let Some(reset) = further {
            used_up = used_up.header("x-ratelimit-reset", reset);
        }
        let server = script(vec![used_up, Reply::empty(200)]);
        let stage = Stage::new();
        let client = Client::new(config(&server.url())).unwrap();
        let cx = stage.cx();
        client.get(&cx, "/x").unit().await.unwrap();
        client.get(&cx, "/x").unit().await.unwrap();
        assert!((30.0..31.0).contains(&stage.seconds()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_at_once_and_no_more() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, highest) = (now.clone(), most.clone());
    let server = Server::start(move |_| {
        let here = counted.fetch_add(1, Ordering::SeqCst) + 1;
        highest.fetch_max(here, Ordering::SeqCst);
        let counted = counted.clone();
        // The reply leaves after this long; the request counts as in flight until shortly before.
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            counted.fetch_sub(1, Ordering::SeqCst);
        });
        Reply::empty(200).after(Duration::from_millis(30))
    });
    let client = Client::new(config(&server.url()).max_in_flight(3)).unwrap();
    let cx = Stage::new().cx();
    let all: Vec<_> = (0..12)
        .map(|_| {
            let (client, cx) = (client.clone(), cx.clone());
            tokio::spawn(async move { client.get(&cx, "/x").unit().await })
        })
        .collect();
    for one in all {
        one.await.unwrap().unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn waiting_looks_past_passing_errors_and_ends_in_time() {
    let stage = Stage::new();
    let cx = stage.within(Duration::from_secs(100));
    let (first, longest) = (Duration::from_secs(1), Duration::from_secs(10));
    let down = || Error::new(ErrorKind::Unavailable, "down");
    let mut wait = Wait::new(&cx, "the build", first, longest);
    let mut looks = 0;
    let found = loop {
        looks += 1;
        let looked = match looks {
            2 => Err(down()),
            5 => Ok(Some(looks)),
            _ => Ok(None),
        };
        if let Some(found) = wait.look_past(looked).unwrap() {
            break found;
        }
        wait.next().await.unwrap();
    };
    assert_eq!(found, 5);
    let refused = Error::new(ErrorKind::Permission, "no");
    assert!(wait.look_past::<()>(Err(refused)).is_err());
    let mut wait = Wait::new(&cx, "the build", first, longest);
    wait.look_past::<()>(Err(down())).unwrap();
    let error = loop {
        if let Err(error) = wait.next().await {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().starts_with("waited ") && error.message().ends_with("for the build"));
    assert!(error.causes()[0].contains("down"));
    assert!(stage.seconds() <= 100.0);
    let said = stage.said.0.lock().unwrap();
    let notes = said
        .iter()
        .filter(|progress| matches!(progress, Progress::Note(_)));
    assert!(notes.count() >= 5);
}
