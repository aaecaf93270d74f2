//! Passing a request on to a process.
//!
//! Every request gets a connection of its own. A kept connection may be closed by the process just
//! when a request is written to it, and then nobody knows whether the request was seen; with a
//! fresh one a failure before anything was sent is certain, and another process can be tried. A
//! request that may have been seen is repeated only if it changes nothing, and only once.

use std::net::IpAddr;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use super::body::{AnyBody, empty, leased, passed};
use super::{headers, pages, tunnel};
use crate::agent::balance::Upstream;
use crate::agent::probe::connect;

/// How long a request waits for a process that is coming up.
const HOLD: Duration = Duration::from_secs(10);

/// Where a request comes from and what it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin<'a> {
    pub(super) host: &'a str,
    pub(super) peer: IpAddr,
    pub(super) strip: Option<&'a str>,
}

/// Passes a request on to a process of the service, and its answer back.
pub(super) async fn forward(
    mut request: Request<Incoming>,
    upstream: &Upstream,
    origin: Origin<'_>,
) -> Response<AnyBody> {
    let client = headers::upgrade(request.headers()).map(|_| hyper::upgrade::on(&mut request));
    prepare(&mut request, origin);
    let mut spare = spare(&request).filter(|_| client.is_none());
    let mut request = request.map(passed);
    let deadline = Instant::now() + HOLD;
    let mut tried = Vec::new();
    loop {
        let Some(lease) = upstream.lease(&mut tried, deadline).await else {
            return pages::not_running();
        };
        let port = lease.port();
        match send(request, port).await {
            Ok(mut response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let Some(client) = client else {
                    return pages::bad_gateway();
                };
                let backend = hyper::upgrade::on(&mut response);
                tunnel::join(client, backend, lease);
                return response.map(|_| empty());
            }
            Ok(mut response) => {
                headers::remove_hop_by_hop(response.headers_mut());
                return response.map(|body| leased(body, lease));
            }
            Err(Failed::Unsent(unsent)) => {
                tried.push(port);
                request = *unsent;
            }
            Err(Failed::Sent(error)) => {
                tracing::debug!(%error, "a process broke off");
                let Some(again) = spare.take() else {
                    return pages::bad_gateway();
                };
                tried.push(port);
                request = again;
            }
        }
    }
}

enum Failed {
    /// Nothing was sent: here is the request again.
    Unsent(Box<Request<AnyBody>>),
    Sent(hyper::Error),
}

async fn send(request: Request<AnyBody>, port: u16) -> Result<Response<Incoming>, Failed> {
    let Ok(stream) = connect(port).await else {
        return Err(Failed::Unsent(Box::new(request)));
    };
    let Ok((mut sender, connection)) = http1::handshake(TokioIo::new(stream)).await else {
        return Err(Failed::Unsent(Box::new(request)));
    };
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to a process broke");
        }
    });
    sender
        .try_send_request(request)
        .await
        .map_err(|mut error| match error.take_message() {
            Some(request) => Failed::Unsent(Box::new(request)),
            None => Failed::Sent(error.into_error()),
        })
}

/// A copy of a request that may be repeated: one that only asks, and has no body.
fn spare(request: &Request<Incoming>) -> Option<Request<AnyBody>> {
    let asks = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    (asks && request.body().is_end_stream()).then(|| {
        let mut copy = Request::new(empty());
        request.method().clone_into(copy.method_mut());
        request.uri().clone_into(copy.uri_mut());
        request.headers().clone_into(copy.headers_mut());
        copy
    })
}

fn prepare(request: &mut Request<Incoming>, origin: Origin<'_>) {
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str);
    if let Ok(uri) = stripped(target, origin.strip).parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_11;
    headers::prepare(
        request.headers_mut(),
        origin.host,
        origin.peer,
        origin.strip,
    );
}

/// A path without its prefix, always starting with `/`.
pub(super) fn stripped(target: &str, strip: Option<&str>) -> String {
    let rest = strip
        .and_then(|prefix| target.strip_prefix(prefix))
        .unwrap_or(target);
    match rest.as_bytes().first() {
        Some(b'/' | b'*') => rest.to_owned(),
        _ => format!("/{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn prefixes_are_taken_off() {
        assert_eq!(stripped("/api/x?q=1", Some("/api")), "/x?q=1");
        assert_eq!(stripped("/api?q=1", Some("/api")), "/?q=1");
        assert_eq!(stripped("/api", Some("/api")), "/");
        assert_eq!(stripped("/x", None), "/x");
    }
}
