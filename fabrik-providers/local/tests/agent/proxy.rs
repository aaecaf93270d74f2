//! What the proxy does with requests and answers.

use std::time::Duration;

use fabrik_provider_local::{Error, RouteSpec, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, get, is_running, send, until};

#[tokio::test(flavor = "multi_thread")]
async fn headers_prefixes_and_unknown_hosts() {
    let world = World::new().await;
    world.serve("api", "1").await;
    let port = world.port().await;
    let strip =
        RouteSpec::host("shop.localhost", Target::Service("api".into())).below("/api", true);
    let info = world.client.put_route("shop", &strip).await.unwrap();
    assert_eq!(info.urls, [format!("http://shop.localhost:{port}/api")]);

    let request = "GET /api/head?q=1 HTTP/1.1\r\nHost: shop.localhost:1\r\nConnection: close, X-Hop\r\n\
                   X-Hop: 1\r\nX-Forwarded-For: 10.1.1.1\r\nTE: trailers\r\n\r\n";
    let reply = send(port, request).await.unwrap();
    let seen = reply.body.to_ascii_lowercase();
    assert!(seen.starts_with("get /head?q=1 http/1.1\r\n"), "{seen}");
    for line in [
        "host: shop.localhost:1\r\n",
        "x-forwarded-for: 10.1.1.1, 127.0.0.1\r\n",
        "x-forwarded-host: shop.localhost:1\r\n",
        "x-forwarded-proto: http\r\n",
        "x-forwarded-prefix: /api\r\n",
    ] {
        assert!(seen.contains(line), "{line:?} in {seen}");
    }
    assert!(!seen.contains("x-hop") && !seen.contains("te: "), "{seen}");
    assert_eq!(reply.header("keep-alive"), None);

    let unknown = get(port, "other.localhost", "/").await;
    assert_eq!(unknown.status, 404);
    assert!(!unknown.body.contains("shop") && !unknown.body.contains("api"));
    assert_eq!(get(port, "shop.localhost", "/other").await.status, 404);
    assert_eq!(world.get("api", "/broken").await.status, 502);
    world.route("none", Target::Service("none".into())).await;
    assert_eq!(world.get("none", "/").await.status, 503);

    let clash = world.client.put_route("second", &strip).await.unwrap_err();
    assert!(matches!(clash, Error::Invalid { .. }), "{clash}");
    world.client.remove_route("shop").await.unwrap();
    world.client.remove_route("shop").await.unwrap();
    assert_eq!(get(port, "shop.localhost", "/api/head").await.status, 404);
    let log = world.client.status().await.unwrap().access_log;
    until("requests are noted", || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"path\":\"/api/head\""))
    })
    .await;
    assert!(!std::fs::read_to_string(&log).unwrap().contains("q=1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_passed_on_in_both_framings() {
    let world = World::new().await;
    world.serve("api", "1").await;
    let port = world.port().await;
    let body = "x".repeat(300_000);
    let head = "POST /echo HTTP/1.1\r\nHost: api.localhost\r\nConnection: close\r\n";
    let sized = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
    assert_eq!(send(port, &sized).await.unwrap().body, body);
    let chunked =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
    assert_eq!(send(port, &chunked).await.unwrap().body, "hello!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_protocol_passes_through_and_drains() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.drain = Duration::from_mins(10);
    let first = world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world.route("api", Target::Service("api".into())).await;
    let old = first.instances[0].pid.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", world.port().await))
        .await
        .unwrap();
    let request = "GET /upgrade HTTP/1.1\r\nHost: api.localhost\r\nConnection: Upgrade\r\n\
                   Upgrade: shout\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    assert!(
        head.starts_with("http/1.1 101 ") && head.contains("upgrade: shout"),
        "{head}"
    );
    shout(&mut stream).await;
    // The tunnel holds its generation while the next one gets the requests.
    world
        .client
        .deploy_service("api", "2", &world.server("2"))
        .await
        .unwrap();
    assert_eq!(world.get("api", "/version").await.body, "2");
    shout(&mut stream).await;
    assert!(is_running(old));
    drop(stream);
    until("the old process is gone", || !is_running(old)).await;
}

async fn shout(stream: &mut TcpStream) {
    stream.write_all(b"hello").await.unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).await.unwrap();
    assert_eq!(&back, b"HELLO");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_take_turns_on_a_kept_connection() {
    let world = World::new().await;
    let mut spec = world.server("1");
    spec.instances = 2;
    world
        .client
        .deploy_service("api", "1", &spec)
        .await
        .unwrap();
    world.route("api", Target::Service("api".into())).await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.port().await))
        .await
        .unwrap();
    let mut pids = Vec::new();
    for _ in 0..4 {
        stream
            .write_all(b"GET /pid HTTP/1.1\r\nHost: api.localhost\r\n\r\n")
            .await
            .unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split_once("content-length: ").unwrap().1;
        let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
        stream.read_exact(&mut body).await.unwrap();
        pids.push(String::from_utf8(body).unwrap());
    }
    pids.sort();
    assert_eq!(
        (pids[0] == pids[1], pids[2] == pids[3], pids[1] == pids[2]),
        (true, true, false)
    );
}
