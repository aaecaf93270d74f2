//! A small HTTP/1.1 server on a free loopback port: the front of a stateful fake.
//!
//! The fake itself is a function from request to reply over its own state. The server keeps a log
//! of what it was asked, so that tests can count.
//!
//! ```
//! use fabrik_testkit::serve::{Reply, Server};
//!
//! let server = Server::start(|request| match (request.method.as_str(), request.path.as_str()) {
//!     ("GET", "/me") => Reply::json(200, &serde_json::json!({"name": "me"})),
//!     _ => Reply::json(404, &serde_json::json!({"message": "Not found."})),
//! });
//! assert!(server.url().starts_with("http://127.0.0.1:"));
//! assert!(server.log().is_empty());
//! ```

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use percent_encoding::percent_decode_str;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A request as a fake sees it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path without query, percent-encoded as it came.
    pub path: String,
    /// Query parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Request {
    /// Segments of the path, decoded: `/zones/a%20b/` gives `zones`, `a b`.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect()
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first query parameter of a name.
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name)?;
        Some(&found.1)
    }

    /// The body as JSON, when it is.
    pub fn json(&self) -> Option<Json> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as a form, decoded, in its order.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// Whether the method may change something.
    pub fn is_write(&self) -> bool {
        !self.method.is_safe()
    }
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
    };
    text.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// A fake's reply.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: u16,
    /// Headers besides length and connection.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
    /// How long to wait before it is sent; what the request did is done by then.
    pub after: Duration,
}

impl Reply {
    /// An empty reply.
    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
            after: Duration::ZERO,
        }
    }

    /// A reply of some type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
        Reply {
            body: body.into(),
            ..Reply::empty(status).header("content-type", content_type)
        }
    }

    /// A JSON reply.
    pub fn json(status: u16, body: &Json) -> Reply {
        Reply::new(status, "application/json", body.to_string())
    }

    /// A plain text reply.
    pub fn text(status: u16, body: &str) -> Reply {
        Reply::new(status, "text/plain; charset=utf-8", body.to_owned())
    }

    /// A web page, such as a login page before the service.
    pub fn html(status: u16, body: &str) -> Reply {
        Reply::new(status, "text/html; charset=utf-8", body.to_owned())
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it later.
    #[must_use]
    pub fn after(mut self, wait: Duration) -> Reply {
        self.after = wait;
        self
    }
}

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Status of the reply.
    pub status: u16,
}

impl Logged {
    /// Whether the method may have changed something.
    pub fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS")
    }
}

type Log = Arc<Mutex<Vec<Logged>>>;

/// A running server; it stops when dropped. It has a thread of its own, so tests with and without a
/// runtime may use it, and dropped clients do not take requests back that have arrived.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    log: Log,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Starts a server whose every request is answered by the function.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener =
            std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let log = Log::default();
        let (stop, stopped) = oneshot::channel();
        let (answer, kept) = (Arc::new(answer), log.clone());
        std::thread::Builder::new()
            .name("fake".to_owned())
            .spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime")
                    .block_on(async move {
                        let listener = TcpListener::from_std(listener).expect("a socket");
                        tokio::select! {
                            () = accept(&listener, answer, kept) => {}
                            _ = stopped => {}
                        }
                    });
            })
            .expect("a thread");
        Server {
            address,
            log,
            stop: Some(stop),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request answered so far.
    pub fn log(&self) -> Vec<Logged> {
        lock(&self.log).clone()
    }

    /// Forgets the log.
    pub fn clear_log(&self) {
        lock(&self.log).clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            let _ = stop.send(());
        }
    }
}

fn lock(log: &Log) -> std::sync::MutexGuard<'_, Vec<Logged>> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept<F>(listener: &TcpListener, answer: Arc<F>, log: Log)
where
    F: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let (answer, log) = (answer.clone(), log.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let (answer, log) = (answer.clone(), log.clone());
                // A task of its own: what has arrived is carried out although its sender is gone.
                let done = tokio::spawn(async move { one(request, &*answer, &log).await });
                async move {
                    let reply = done.await.unwrap_or_else(|_| {
                        let mut reply = http::Response::new(Full::new(Bytes::from("panicked")));
                        *reply.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                        reply
                    });
                    Ok::<_, Infallible>(reply)
                }
            });
            // A client that goes away is no mistake.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn one<F>(
    request: http::Request<hyper::body::Incoming>,
    answer: &F,
    log: &Log,
) -> http::Response<Full<Bytes>>
where
    F: Fn(&Request) -> Reply,
{
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        let mut reply = http::Response::new(Full::new(Bytes::from("cut off")));
        *reply.status_mut() = StatusCode::BAD_REQUEST;
        return reply;
    };
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: pairs(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body: body.to_bytes(),
    };
    let reply = answer(&request);
    lock(log).push(Logged {
        method: request.method.to_string(),
        path: request.path,
        query: request.query,
        status: reply.status,
    });
    if !reply.after.is_zero() {
        tokio::time::sleep(reply.after).await;
    }
    let mut response = http::Response::new(Full::new(reply.body));
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
