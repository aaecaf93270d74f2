use fabrik_checks::CheckerConfig;
use serde_json::json;

use super::support::{
    Authority, answer, check, check_with, closed_port, http_server, https_server, seen,
};

#[tokio::test]
async fn localhost_names_need_no_dns() {
    let server = http_server(|head| {
        let host = head.lines().find(|line| line.starts_with("host:")).unwrap();
        answer("200 OK", "", host)
    })
    .await;
    let url = format!("http://hello.localhost:{}/", server.port());
    let host = format!("host: hello.localhost:{}", server.port());
    let evidence = check("http", json!({"url": url, "body": host}))
        .await
        .unwrap();
    assert_eq!(evidence, format!("{url} 200 in 0 ms"));
}

#[tokio::test]
async fn connects_elsewhere_but_asks_for_the_url() {
    let server = http_server(|head| answer("200 OK", "", head)).await;
    for url in [
        "http://app.example.com/x",
        "http://app.example.com:8080/x",
        "http://192.0.2.1/x",
    ] {
        let host = url.trim_start_matches("http://").trim_end_matches("/x");
        let spec = json!({
            "url": url,
            "connect": server.to_string(),
            "contains": format!("host: {host}\r\n"),
        });
        check("http", spec).await.unwrap();
    }
    let spec = json!({
        "url": format!("http://{server}/"),
        "host": "shop.example.com",
        "headers": {"X-Probe": "1"},
        "contains": "host: shop.example.com\r\n",
    });
    check("http", spec).await.unwrap();
}

#[tokio::test]
async fn refused_and_silent() {
    let port = closed_port().await;
    let spec = json!({"url": format!("http://app.localhost:{port}/up")});
    let failure = check("http", spec).await.unwrap_err();
    assert_eq!(
        failure.seen,
        format!("connection refused at 127.0.0.1:{port}")
    );
    assert!(failure.hint.unwrap().contains("nothing listens"));

    let server = http_server(|_| "hang".to_owned()).await;
    let spec = json!({"url": format!("http://{server}/"), "timeout": "200ms"});
    assert_eq!(
        seen("http", spec).await,
        format!("no answer from http://{server}/ within 200ms")
    );

    let server = http_server(|_| String::new()).await;
    assert_eq!(
        seen("http", json!({"url": format!("http://{server}/")})).await,
        format!("{server} closed the connection without an answer")
    );

    let server = http_server(|_| "garbage\r\n\r\n".to_owned()).await;
    let text = seen("http", json!({"url": format!("http://{server}/")})).await;
    assert!(
        text.starts_with(&format!("no HTTP answer from http://{server}/: ")),
        "{text}"
    );

    let server =
        http_server(|_| "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort".to_owned()).await;
    assert_eq!(
        seen("http", json!({"url": format!("http://{server}/")})).await,
        format!("http://{server}/ 200, but the connection ended after 5 bytes of the body")
    );

    let text = seen("http", json!({"url": "http://no-such-name.invalid/"})).await;
    assert!(
        text.starts_with("the name no-such-name.invalid does not resolve"),
        "{text}"
    );
}

#[tokio::test]
async fn status() {
    let server = http_server(|head| {
        if head.starts_with("GET /bad") {
            answer("502 Bad Gateway", "", "upstream\n  down")
        } else if head.starts_with("GET /html") {
            answer(
                "500 Oops",
                "Content-Type: text/html\r\n",
                "<html><title> It broke </title>",
            )
        } else {
            answer("204 No Content", "", "")
        }
    })
    .await;
    let url = |path: &str| format!("http://{server}{path}");
    let failure = check("http", json!({"url": url("/bad")}))
        .await
        .unwrap_err();
    assert_eq!(
        failure.seen,
        format!(
            "status 502, expected 200 from {}; body starts with \"upstream down\"",
            url("/bad")
        )
    );
    assert!(failure.hint.unwrap().contains("`port`"));
    assert_eq!(
        seen("http", json!({"url": url("/html"), "status": [200, 204]})).await,
        format!(
            "status 500, expected 200 or 204 from {}; answered an HTML page (\"It broke\")",
            url("/html")
        )
    );
    check("http", json!({"url": url("/"), "status": [200, 204]}))
        .await
        .unwrap();
    check("http", json!({"url": url("/"), "status": 204}))
        .await
        .unwrap();
    assert!(
        seen("http", json!({"url": url("/")}))
            .await
            .ends_with("the body is empty")
    );
}

#[tokio::test]
async fn bodies_and_headers() {
    let server = http_server(|head| match head.split(' ').nth(1) {
        Some("/json") => answer(
            "200 OK",
            "Content-Type: application/json\r\n",
            r#"{"status":"ok","n":1.0,"deep":[{"x":true}]}"#,
        ),
        Some("/login") => answer(
            "200 OK",
            "Content-Type: text/html; charset=utf-8\r\n",
            "<!DOCTYPE html><title>Sign in</title><input type=\"password\">",
        ),
        _ => answer("200 OK", "Content-Type: text/plain\r\n", "\u{1b}[31mhello"),
    })
    .await;
    let url = |path: &str| format!("http://{server}{path}");
    check(
        "http",
        json!({"url": url("/json"), "json": {"/status": "ok", "/n": 1, "/deep/0/x": true}}),
    )
    .await
    .unwrap();
    let failed = |path: &str, expect: serde_json::Value| {
        let mut spec = json!({"url": url(path)});
        spec.as_object_mut()
            .unwrap()
            .extend(expect.as_object().unwrap().clone());
        seen("http", spec)
    };
    assert_eq!(
        failed("/json", json!({"json": {"/status": "up"}})).await,
        format!(
            "{} answered \"ok\" at /status, expected \"up\"",
            url("/json")
        )
    );
    assert!(
        failed("/json", json!({"json": {"/gone": 1}}))
            .await
            .starts_with(&format!(
                "{} answered nothing at /gone, expected 1; body",
                url("/json")
            ))
    );
    assert_eq!(
        failed("/login", json!({"json": {"/status": "ok"}})).await,
        format!(
            "{} answered an HTML login page (\"Sign in\") where JSON was expected",
            url("/login")
        )
    );
    assert!(
        failed("/", json!({"json": {"": "x"}}))
            .await
            .contains("no JSON")
    );
    assert_eq!(
        failed("/", json!({"contains": "bye"})).await,
        format!(
            "{} answered without \"bye\"; body starts with \"\\u{{1b}}[31mhello\"",
            url("/")
        )
    );
    assert!(
        failed("/", json!({"body": "hell"}))
            .await
            .contains("another body")
    );
    check(
        "http",
        json!({"url": url("/"), "header": {"content-type": "text/"}}),
    )
    .await
    .unwrap();
    assert_eq!(
        failed("/", json!({"header": {"Content-Type": "json"}})).await,
        format!(
            "{} answered with `Content-Type: text/plain`, expected \"json\" in it",
            url("/")
        )
    );
    assert!(
        failed("/", json!({"header": {"x-y": ""}}))
            .await
            .contains("without the header `x-y`")
    );
}

#[tokio::test]
async fn redirects() {
    let server = http_server(|head| match head.split(' ').nth(1) {
        Some("/") => answer("302 Found", "Location: /en/\r\n", ""),
        Some("/loop") => answer("302 Found", "Location: /loop\r\n", ""),
        Some("/away") => answer("302 Found", "Location: http://away.localhost:1/\r\n", ""),
        _ => answer("200 OK", "", head),
    })
    .await;
    let url = |path: &str| format!("http://{server}{path}");
    let spec = json!({"url": url("/"), "headers": {"x-key": "v"}, "contains": "x-key: v"});
    let evidence = check("http", spec).await.unwrap();
    assert_eq!(
        evidence,
        format!("{} 200 after a redirect in 0 ms", url("/en/"))
    );
    assert_eq!(
        seen("http", json!({"url": url("/"), "redirects": false})).await,
        format!(
            "status 302 to /en/, expected 200 from {}; the body is empty",
            url("/")
        )
    );
    check("http", json!({"url": url("/"), "status": [301, 302]}))
        .await
        .unwrap();
    assert!(
        seen("http", json!({"url": url("/loop")}))
            .await
            .starts_with("more than 10 redirects")
    );
    assert_eq!(
        seen("http", json!({"url": url("/away")})).await,
        "connection refused at 127.0.0.1:1"
    );
}

#[tokio::test]
async fn https_with_an_own_authority() {
    let authority = Authority::new();
    let server = https_server(authority.issue("app.localhost", (2030, 1, 1)), |_| {
        answer("200 OK", "", "secure")
    })
    .await;
    let spec =
        json!({"url": format!("https://app.localhost:{}/", server.port()), "body": "secure"});
    check_with(authority.config(), "http", spec.clone())
        .await
        .unwrap();
    // Without it, the reason is told.
    let failure = check("http", spec).await.unwrap_err();
    assert_eq!(
        failure.seen,
        "the certificate of app.localhost is not trusted, issued by Test Root (Fabrik)"
    );
    // The name in the URL counts, also when connecting elsewhere.
    let spec = json!({"url": "https://other.example/", "connect": server.to_string()});
    let failure = check_with(authority.config(), "http", spec)
        .await
        .unwrap_err();
    assert_eq!(
        failure.seen,
        "the certificate shown is for app.localhost, not for other.example, issued by Test Root (Fabrik)"
    );
    let spec = json!({"url": format!("http://{server}/")});
    let failure = check_with(authority.config(), "http", spec)
        .await
        .unwrap_err();
    assert!(!failure.fatal);
}

/// A detour changes where is connected to, and nothing of what is asked for.
#[tokio::test]
async fn a_detour_keeps_host_and_certificate_name() {
    let authority = Authority::new();
    let server = https_server(
        authority.issue("shop.example", (2030, 1, 1)),
        |head: &str| {
            let host = head
                .lines()
                .find(|line| line.to_ascii_lowercase().starts_with("host:"));
            answer("200 OK", "", host.unwrap_or_default())
        },
    )
    .await;
    let config = authority
        .config()
        .detour(&format!("shop.example:443={server}"))
        .unwrap();
    let spec = json!({"url": "https://shop.example/", "contains": "shop.example"});
    let told = check_with(config.clone(), "http", spec).await.unwrap();
    assert!(told.contains("https://shop.example/ 200"), "{told}");
    let spec = json!({"url": "https://shop.example/", "contains": "8443"});
    check_with(config.clone(), "http", spec).await.unwrap_err();
    let told = check_with(config, "tls", json!({"name": "shop.example"})).await;
    assert!(told.unwrap().contains("shop.example valid"));
}

/// An address has detours too, whichever way it was found.
#[tokio::test]
async fn a_detour_of_an_address() {
    let server = http_server(|head: &str| {
        let host = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("host:"));
        answer("200 OK", "", host.unwrap_or_default())
    })
    .await;
    let config = CheckerConfig::default()
        .detour(&format!("203.0.113.10={server}"))
        .unwrap();
    for spec in [
        json!({"url": "http://203.0.113.10/", "contains": "203.0.113.10"}),
        json!({"url": "http://shop.example:81/", "connect": "203.0.113.10:80", "contains": "shop.example:81"}),
        json!({"url": "http://shop.example/", "connect": "203.0.113.10", "host": "other", "contains": "other"}),
    ] {
        check_with(config.clone(), "http", spec).await.unwrap();
    }
    let spec = json!({"address": "203.0.113.10:5432"});
    check_with(config, "tcp", spec).await.unwrap();
}
