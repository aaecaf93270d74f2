//! The API, without a port, so that tests can use it.

use axum::extract::Query;
use axum::http::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

/// Every route.
pub fn app() -> Router {
    Router::new()
        .route("/", get(hello))
        .route("/healthz", get(healthz))
        .layer(middleware::from_fn(log))
}

#[derive(Deserialize)]
struct Who {
    name: Option<String>,
}

async fn hello(Query(who): Query<Who>) -> Json<Value> {
    let name = who.name.unwrap_or_else(|| "World".to_owned());
    Json(json!({"message": format!("Hello, {name}!")}))
}

/// Answers while the program works; Fabrik and the monitor ask for it.
async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn log(request: Request<axum::body::Body>, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::info!(%method, path, status = response.status().as_u16(), "request");
    response
}
