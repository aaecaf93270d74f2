use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn get(path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = api::app().oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn says_hello() {
    assert_eq!(get("/").await.1, json!({"message": "Hello, World!"}));
    assert_eq!(get("/?name=Ada").await.1, json!({"message": "Hello, Ada!"}));
}

#[tokio::test]
async fn is_healthy() {
    assert_eq!(get("/healthz").await.0, StatusCode::OK);
}
