//! HTTP/1.1 on both sides, and WebSockets after their upgrade.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::hub::{Answer, Hub, Met};
use super::rules::Exchange;

/// The connection is cut.
#[derive(Debug)]
pub(super) struct Cut;

impl std::fmt::Display for Cut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("cut on purpose")
    }
}
impl std::error::Error for Cut {}

/// A body that may break off.
pub(super) struct Reply {
    data: Option<Bytes>,
    whole: bool,
    /// Until what came before the cut has been sent.
    sent: Option<Pin<Box<tokio::time::Sleep>>>,
}

/// How long the beginning of an answer gets to arrive before the cut.
const FLUSH: Duration = Duration::from_millis(5);

impl Reply {
    fn whole(data: Bytes) -> Reply {
        Reply {
            data: Some(data),
            whole: true,
            sent: None,
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.data.take() {
            Some(data) if !data.is_empty() => Poll::Ready(Some(Ok(Frame::data(data)))),
            _ if self.whole => Poll::Ready(None),
            _ => {
                let sent = self
                    .sent
                    .get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSH)));
                sent.as_mut().poll(cx).map(|()| Some(Err(Cut)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.whole && self.data.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.data, self.whole) {
            (Some(data), true) => {
                SizeHint::with_exact(u64::try_from(data.len()).unwrap_or(u64::MAX))
            }
            (None, true) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

pub(super) async fn serve(hub: Arc<Hub>, stream: TcpStream, connection: u64) {
    let service = service_fn(move |request: Request<Incoming>| {
        let hub = hub.clone();
        async move {
            if request.headers().contains_key(UPGRADE) {
                return super::socket::upgrade(hub, request, connection).await;
            }
            one(&hub, request, connection).await
        }
    });
    // A client that goes away is no mistake, and a cut is on purpose.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

pub(super) fn listed(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        })
        .collect()
}

async fn one(
    hub: &Arc<Hub>,
    request: Request<Incoming>,
    connection: u64,
) -> Result<Response<Reply>, Cut> {
    let (head, body) = request.into_parts();
    // A client that dies while it sends has sent nothing.
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let exchange = Exchange {
        number: 0,
        connection,
        kind: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: listed(&head.headers),
        body: body.clone(),
        write: !head.method.is_safe(),
        status: None,
        fault: None,
    };
    let (ticket, fault) = hub.begin(exchange.clone());
    let key = format!("{} {}?{}", exchange.kind, exchange.path, exchange.query);
    let mut passed = Request::new(Full::new(body));
    *passed.method_mut() = head.method;
    *passed.uri_mut() = head.uri;
    *passed.headers_mut() = head.headers;
    let forward = {
        let (hub, exchange) = (hub.clone(), exchange.clone());
        Box::pin(async move {
            if let Some(answer) = hub.replayed(&exchange) {
                hub.keep(&exchange, &answer);
                return answer;
            }
            match ask(&hub, passed).await {
                Ok(answer) => {
                    hub.keep(&exchange, &answer);
                    answer
                }
                Err(why) => Answer {
                    status: 502,
                    headers: Vec::new(),
                    body: Bytes::from(format!("the proxy cannot reach the service: {why}")),
                },
            }
        })
    };
    match hub.carry(fault, forward).await {
        Met::Answer(answer) => {
            hub.remember(&key, &answer);
            ticket.answered(answer.status);
            Ok(response(hub, answer, None))
        }
        Met::Instead(answer) => {
            ticket.answered(answer.status);
            Ok(response(hub, answer, None))
        }
        Met::Stale => {
            let answer = hub.stale(&key);
            ticket.answered(answer.status);
            Ok(response(hub, answer, None))
        }
        Met::Part(answer, bytes) => Ok(response(hub, answer, Some(bytes))),
        Met::Cut => Err(Cut),
    }
}

async fn ask(hub: &Hub, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let stream = TcpStream::connect(hub.upstream)
        .await
        .map_err(|error| text(&error))?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| text(&error))?;
    tokio::spawn(connection);
    let reply = sender
        .send_request(request)
        .await
        .map_err(|error| text(&error))?;
    let (head, body) = reply.into_parts();
    let body = body.collect().await.map_err(|error| text(&error))?;
    Ok(Answer {
        status: head.status.as_u16(),
        headers: listed(&head.headers),
        body: body.to_bytes(),
    })
}

/// The answer; cut after so many bytes of its body.
pub(super) fn response(hub: &Hub, answer: Answer, cut: Option<usize>) -> Response<Reply> {
    let length = answer.body.len();
    let body = match cut {
        None => Reply::whole(answer.body),
        Some(bytes) => Reply {
            data: Some(answer.body.slice(..bytes.min(length.saturating_sub(1)))),
            whole: false,
            sent: None,
        },
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in answer.headers.into_iter().chain(hub.stamped()) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) && ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name)
        {
            headers.append(name, value);
        }
    }
    if cut.is_some() {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length.max(1)));
    }
    response
}

/// The answer to an upgrade that is accepted.
pub(super) fn switching(accept: &str) -> Response<Reply> {
    let mut response = Response::new(Reply::whole(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(accept) {
        headers.insert("sec-websocket-accept", accept);
    }
    response
}
