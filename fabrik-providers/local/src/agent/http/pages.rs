//! The proxy's own pages. They say what a visitor may know and nothing about other hosts.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use super::body::{AnyBody, full};

/// A small page that explains a status.
pub(super) fn page(status: StatusCode, text: &str) -> Response<AnyBody> {
    let title = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    let html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{code} {title}</title>\
         <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto;\
         padding:0 1rem;color-scheme:light dark}}</style></head>\
         <body><h1>{code} {title}</h1><p>{text}</p></body></html>\n"
    );
    let mut response = Response::new(full(html));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

pub(super) fn unknown_host() -> Response<AnyBody> {
    page(
        StatusCode::NOT_FOUND,
        "Nothing is served under this address.",
    )
}

pub(super) fn bad_request() -> Response<AnyBody> {
    page(StatusCode::BAD_REQUEST, "The request names no host.")
}

pub(super) fn not_running() -> Response<AnyBody> {
    page(
        StatusCode::SERVICE_UNAVAILABLE,
        "The service is not running at the moment.",
    )
}

pub(super) fn bad_gateway() -> Response<AnyBody> {
    page(
        StatusCode::BAD_GATEWAY,
        "The service broke off before it answered.",
    )
}
