use serde_json::json;

use super::support::{
    Authority, check, check_with, closed_port, http_server, https_server, self_signed,
};

#[tokio::test]
async fn days_left_and_issuer() {
    let authority = Authority::new();
    let identity = authority.issue("app.localhost", (2025, 6, 11));
    let server = https_server(identity, |_| String::new()).await;
    let spec = |min_days: u32| json!({"name": "app.localhost", "port": server.port(), "min_days": min_days});
    let evidence = check_with(authority.config(), "tls", spec(9))
        .await
        .unwrap();
    assert_eq!(
        evidence,
        "app.localhost valid for 9 days (until 2025-06-11), issued by Test Root (Fabrik)"
    );
    let failure = check_with(authority.config(), "tls", spec(14))
        .await
        .unwrap_err();
    assert_eq!(
        failure.seen,
        "the certificate of app.localhost is valid for only 9 days (until 2025-06-11), issued by Test Root (Fabrik); 14 days wanted"
    );
    assert!(!failure.fatal);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate() {
    let authority = Authority::new();
    let expired = https_server(authority.issue("old.localhost", (2025, 5, 29)), |_| {
        String::new()
    })
    .await;
    let own = https_server(self_signed("new.localhost"), |_| String::new()).await;
    for (name, server, seen) in [
        (
            "old.localhost",
            expired,
            "the certificate of old.localhost expired 3 days ago, on 2025-05-29, issued by Test Root (Fabrik)",
        ),
        (
            "new.localhost",
            own,
            "the certificate of new.localhost is self-signed (proxy default)",
        ),
        (
            "www.localhost",
            expired,
            "the certificate of www.localhost expired 3 days ago, on 2025-05-29, issued by Test Root (Fabrik)",
        ),
    ] {
        let spec = json!({"name": name, "connect": server.to_string()});
        let failure = check_with(authority.config(), "tls", spec)
            .await
            .unwrap_err();
        assert_eq!(failure.seen, seen);
    }
}

#[tokio::test]
async fn no_tls_at_all() {
    let port = closed_port().await;
    let failure = check("tls", json!({"name": format!("x.localhost:{port}")}))
        .await
        .unwrap_err();
    assert_eq!(
        failure.seen,
        format!("connection refused at 127.0.0.1:{port}")
    );

    let plain = http_server(|_| "HTTP/1.1 400 Bad Request\r\n\r\n".to_owned()).await;
    let spec = json!({"name": "x.localhost", "connect": plain.to_string(), "timeout": "300ms"});
    let failure = check("tls", spec).await.unwrap_err();
    assert!(
        failure.seen.contains("no TLS with x.localhost"),
        "{}",
        failure.seen
    );
}
