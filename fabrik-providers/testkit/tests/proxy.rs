//! The proxy alone: what each fault does, on each wire.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fabrik_core::clock::VirtualClock;
use fabrik_testkit::Wire;
use fabrik_testkit::proxy::{Fault, Match, Proxy};
use fabrik_testkit::serve::{Reply, Server};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

/// A service that keeps what it was sent.
fn keeper() -> (Server, Arc<Mutex<Vec<String>>>) {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let also = kept.clone();
    let server = Server::start(move |request| {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        if request.is_write() {
            also.lock().unwrap().push(text);
        }
        Reply::json(
            200,
            &serde_json::json!({"kept": also.lock().unwrap().len()}),
        )
    });
    (server, kept)
}

/// One request on a connection of its own; what came back, as text.
async fn send(at: SocketAddr, method: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    let length = body.len();
    let text = format!(
        "{method} /things?x=1 HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut reply = Vec::new();
    // A cut connection ends in an error or in nothing.
    let _ = stream.read_to_end(&mut reply).await;
    String::from_utf8_lossy(&reply).into_owned()
}

#[tokio::test]
async fn http_faults() {
    let (server, kept) = keeper();
    let proxy = Proxy::start(server.address(), Wire::Http);
    let at = proxy.address();
    let count = || kept.lock().unwrap().len();

    assert!(send(at, "POST", "a").await.starts_with("HTTP/1.1 200"));
    assert_eq!(count(), 1);

    proxy.on(Match::write(), Fault::CutBefore);
    assert_eq!(send(at, "POST", "b").await, "");
    assert_eq!(count(), 1, "it never landed");

    proxy.on(Match::write(), Fault::CutAfter);
    assert_eq!(send(at, "POST", "c").await, "");
    assert_eq!(count(), 2, "it landed");

    proxy.on(Match::write(), Fault::status(500).forwarded());
    assert!(send(at, "POST", "d").await.starts_with("HTTP/1.1 500"));
    assert_eq!(count(), 3, "it landed");

    proxy.on(
        Match::write(),
        Fault::status(429).header("retry-after", "7"),
    );
    let refused = send(at, "POST", "e").await;
    assert!(refused.contains("retry-after: 7"), "{refused}");
    assert_eq!(count(), 3);

    proxy.on(Match::read(), Fault::Truncate(4));
    let part = send(at, "GET", "").await;
    assert!(
        part.contains("content-length: 10") && part.ends_with("\r\n\r\n{\"ke"),
        "{part}"
    );

    proxy.on(Match::any(), Fault::Html);
    assert!(send(at, "GET", "").await.contains("<!doctype html>"));

    proxy.on(Match::read(), Fault::Stale);
    send(at, "POST", "f").await;
    assert!(
        send(at, "GET", "").await.starts_with("HTTP/1.1 404"),
        "never asked before"
    );

    proxy.on(Match::write().nth(2), Fault::CutBefore);
    assert_ne!(send(at, "POST", "g").await, "", "the first is fine");
    assert_eq!(send(at, "POST", "h").await, "", "the second is not");
    assert_ne!(send(at, "POST", "i").await, "", "the third is fine");

    let log = proxy.log();
    assert_eq!(log[0].path, "/things");
    assert_eq!(log[0].query, "x=1");
    assert_eq!((log[0].status, log[1].status), (Some(200), None));
    assert_eq!(log[2].fault, Some("cut after"));
    assert_eq!(proxy.writes(), 9);
}

#[tokio::test]
async fn what_lands_later_has_landed_before_anybody_looks() {
    let (server, kept) = keeper();
    let clock = VirtualClock::default();
    let proxy = Proxy::with_clock(server.address(), Wire::Http, Arc::new(clock.clone()));
    proxy.on(Match::write(), Fault::LandsLater(Duration::from_secs(60)));
    assert_eq!(send(proxy.address(), "POST", "late").await, "");
    send(proxy.address(), "GET", "").await;
    assert!(kept.lock().unwrap().is_empty(), "its time has not come");
    clock.advance(Duration::from_secs(61));
    assert!(
        send(proxy.address(), "GET", "")
            .await
            .contains("\"kept\":1")
    );
    proxy.quiet().await;
    assert_eq!(*kept.lock().unwrap(), ["late"]);
}

#[tokio::test]
async fn it_lands_after_the_client_died() {
    let (server, kept) = keeper();
    let proxy = Proxy::start(server.address(), Wire::Http);
    proxy.on(Match::write(), Fault::LandsAfterDeath);
    let dying = send(proxy.address(), "POST", "last words");
    assert!(
        tokio::time::timeout(Duration::from_millis(50), dying)
            .await
            .is_err()
    );
    proxy.quiet().await;
    assert_eq!(*kept.lock().unwrap(), ["last words"]);
}

#[tokio::test]
async fn chance_is_repeatable() {
    let drawn = async |seed| {
        let (server, _) = keeper();
        let proxy = Proxy::start(server.address(), Wire::Http);
        proxy.random(seed, 0.3, &[Fault::status(500), Fault::CutAfter]);
        for _ in 0..40 {
            send(proxy.address(), "GET", "").await;
        }
        proxy.log().iter().map(|one| one.fault).collect::<Vec<_>>()
    };
    let first = drawn(7).await;
    assert_eq!(first, drawn(7).await);
    assert_ne!(first, drawn(8).await);
    let faulty = first.iter().flatten().count();
    assert!(
        (4..=20).contains(&faulty),
        "{faulty} of 40 at a share of 0.3"
    );
}

/// A service of events with acknowledgements; `add` keeps a name.
async fn events() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let kept = Arc::new(Mutex::new(Vec::new()));
    let all = kept.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let kept = all.clone();
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                socket
                    .send(Message::text("0{\"sid\":\"x\"}"))
                    .await
                    .unwrap();
                while let Some(Ok(Message::Text(text))) = socket.next().await {
                    if text.as_str() == "2" {
                        socket.send(Message::text("3")).await.unwrap();
                        continue;
                    }
                    let rest = text.strip_prefix("42").unwrap();
                    let (id, arguments) = rest.split_at(rest.find('[').unwrap());
                    let json: serde_json::Value = serde_json::from_str(arguments).unwrap();
                    if json[0] == "add" {
                        kept.lock()
                            .unwrap()
                            .push(json[1].as_str().unwrap().to_owned());
                    }
                    let said = format!("43{id}[{{\"ok\":true,\"name\":{}}}]", json[1]);
                    // A client that is gone hears nothing.
                    if socket.send(Message::text(said)).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (at, kept)
}

type Client = tokio_tungstenite::WebSocketStream<TcpStream>;

async fn connect(at: SocketAddr) -> Client {
    let stream = TcpStream::connect(at).await.unwrap();
    let url = format!("ws://{at}/socket.io/?EIO=4&transport=websocket");
    let (mut client, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
    let hello = client.next().await.unwrap().unwrap();
    assert_eq!(hello.into_text().unwrap().as_str(), "0{\"sid\":\"x\"}");
    client
}

/// What comes back to an event; nothing when the connection is cut.
async fn ask(client: &mut Client, text: &str) -> Option<String> {
    client.send(Message::text(text)).await.ok()?;
    match client.next().await? {
        Ok(Message::Text(text)) => Some(text.to_string()),
        _ => None,
    }
}

#[tokio::test]
async fn socket_faults() {
    let (at, kept) = events().await;
    let proxy = Proxy::start(at, Wire::WebSocket);
    proxy.reads(|one| one.kind != "add");
    let count = || kept.lock().unwrap().len();
    let mut client = connect(proxy.address()).await;
    let fine = ask(&mut client, "421[\"add\",\"a\"]").await.unwrap();
    assert_eq!(fine, "431[{\"ok\":true,\"name\":\"a\"}]");
    assert_eq!(
        ask(&mut client, "2").await.unwrap(),
        "3",
        "upkeep is passed on"
    );

    proxy.on(Match::write(), Fault::status(500).forwarded());
    let failed = ask(&mut client, "422[\"add\",\"b\"]").await.unwrap();
    assert_eq!(failed, "432[{\"msg\":\"injected 500\",\"ok\":false}]");
    proxy.quiet().await;
    assert_eq!(count(), 2, "it landed");

    proxy.on(Match::read(), Fault::Truncate(8));
    assert_eq!(
        ask(&mut client, "423[\"get\",\"c\"]").await.unwrap(),
        "433[{\"ok"
    );

    let mut client = connect(proxy.address()).await;
    proxy.on(Match::write(), Fault::CutAfter);
    assert_eq!(ask(&mut client, "424[\"add\",\"d\"]").await, None);
    assert_eq!(count(), 3, "it landed");

    let mut client = connect(proxy.address()).await;
    proxy.on(Match::write(), Fault::CutBefore);
    assert_eq!(ask(&mut client, "425[\"add\",\"e\"]").await, None);
    proxy.quiet().await;
    assert_eq!(count(), 3, "it never landed");

    let mut client = connect(proxy.address()).await;
    proxy.on(Match::write(), Fault::LandsAfterDeath);
    client
        .send(Message::text("426[\"add\",\"f\"]"))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(count(), 3, "the client lives");
    drop(client);
    proxy.quiet().await;
    assert_eq!(count(), 4, "the client is gone");

    let mut client = connect(proxy.address()).await;
    proxy.on(Match::write(), Fault::LandsLater(Duration::from_millis(60)));
    assert_eq!(ask(&mut client, "427[\"add\",\"g\"]").await, None);
    assert_eq!(count(), 4);
    proxy.quiet().await;
    assert_eq!(count(), 5);

    let kinds: Vec<String> = proxy.log().into_iter().map(|one| one.kind).collect();
    assert_eq!(kinds[..3], ["UPGRADE", "add", "add"]);
    let log = proxy.log();
    assert!(!log[0].write && log[1].write);
    assert_eq!(log[1].json().unwrap()[1], "a");
}

#[tokio::test]
async fn a_socket_may_find_a_web_page() {
    let (at, _) = events().await;
    let proxy = Proxy::start(at, Wire::WebSocket);
    proxy.on(Match::any(), Fault::Html);
    let stream = TcpStream::connect(proxy.address()).await.unwrap();
    let url = format!("ws://{}/", proxy.address());
    let error = tokio_tungstenite::client_async(url, stream)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("200"), "{error}");
}
