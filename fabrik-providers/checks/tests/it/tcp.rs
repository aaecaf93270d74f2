use serde_json::json;

use super::support::{check, closed_port, http_server, seen};

#[tokio::test]
async fn accepts_or_refuses() {
    let server = http_server(|_| String::new()).await;
    let evidence = check("tcp", json!({"address": server.to_string()})).await;
    assert_eq!(evidence.unwrap(), format!("{server} accepts connections"));

    let named = format!("db.localhost:{}", server.port());
    let evidence = check("tcp", json!({"address": named})).await.unwrap();
    assert_eq!(
        evidence,
        format!("{named} accepts connections (at {server})")
    );

    let port = closed_port().await;
    let text = seen("tcp", json!({"address": format!("127.0.0.1:{port}")})).await;
    assert_eq!(text, format!("connection refused at 127.0.0.1:{port}"));
}
