//! What the layers pass on: a call down, a reply or a failure up.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use fabrik_core::provider::Cx;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::config::HttpConfig;
use crate::tls;

/// Whether a request may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// It only reads.
    Reads,
    /// Doing it twice is as doing it once.
    Idempotent,
    /// Doing it twice may do it twice.
    Once,
}

impl Safety {
    /// What a method promises.
    pub fn of(method: &Method) -> Safety {
        if method.is_safe() {
            Safety::Reads
        } else if method.is_idempotent() {
            Safety::Idempotent
        } else {
            Safety::Once
        }
    }
}

/// The body of a request.
#[derive(Clone, Debug, Default)]
pub enum Body {
    /// None.
    #[default]
    None,
    /// Bytes of some type.
    Bytes {
        /// Content type.
        content_type: String,
        /// The bytes.
        bytes: Bytes,
    },
    /// Fields of a form; credentials may be added to them.
    Form(Vec<(String, String)>),
}

/// A request on its way down.
#[derive(Clone, Debug)]
pub struct Call {
    /// Method.
    pub method: Method,
    /// Route as a template, without ids: `/zones/{zone}`.
    pub route: Arc<str>,
    /// The whole address, with ids and query.
    pub url: url::Url,
    /// Headers; credentials come later.
    pub headers: HeaderMap,
    /// Body.
    pub body: Body,
    /// Whether it may be repeated.
    pub safety: Safety,
    /// Time limit of one attempt.
    pub timeout: Duration,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Credentials were refused before: get others.
    pub renew: bool,
}

impl Call {
    /// Sets a header; a value that cannot be one is left out.
    pub fn set_header(&mut self, name: &str, value: &str, sensitive: bool) {
        if let (Ok(name), Ok(mut value)) =
            (HeaderName::try_from(name), HeaderValue::try_from(value))
        {
            value.set_sensitive(sensitive);
            self.headers.insert(name, value);
        }
    }
}

/// An answer on its way up.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What became of a request without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// No connection: nothing was sent.
    Connect,
    /// TLS or the certificate: nothing was sent.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection broke, or the answer was cut off.
    Broken,
    /// The run was stopped.
    Stopped,
    /// Credentials could not be had: nothing was sent.
    Credentials,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// In words.
    pub message: String,
    /// The error behind it, where there was one already.
    pub error: Option<fabrik_core::error::Error>,
    /// The service's own name for the request, where the answer began before it broke.
    pub request_id: Option<String>,
}

impl Failure {
    /// A failure without an error of its own.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure {
            kind,
            message: message.into(),
            error: None,
            request_id: None,
        }
    }

    /// Whether the service surely got nothing.
    pub fn is_unsent(&self) -> bool {
        matches!(
            self.kind,
            FailureKind::Connect | FailureKind::Tls | FailureKind::Credentials
        )
    }
}

/// Sends requests. Each layer is one around another; the innermost is reqwest, or what an embedder
/// or a test puts in its place ([`crate::Client::over`]).
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Sends it.
    ///
    /// # Errors
    /// [`Failure`] when there is no answer.
    async fn send(&self, cx: &Cx, call: Call) -> Result<Answer, Failure>;
}

/// reqwest.
pub(crate) struct Wire(reqwest::Client);

impl Wire {
    pub(crate) fn new(config: &HttpConfig) -> fabrik_core::error::Result<Wire> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config(&config.roots)?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(config.connect_timeout)
            .no_proxy()
            .build()
            .map_err(|error| {
                fabrik_core::error::Error::new(
                    fabrik_core::error::ErrorKind::Unexpected,
                    "no HTTP client can be set up",
                )
                .cause(error)
            })?;
        Ok(Wire(client))
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(&self, _: &Cx, call: Call) -> Result<Answer, Failure> {
        let mut request = self
            .0
            .request(call.method, call.url)
            .headers(call.headers)
            .timeout(call.timeout);
        request = match call.body {
            Body::None => request,
            Body::Bytes {
                content_type,
                bytes,
            } => request.header("content-type", content_type).body(bytes),
            Body::Form(fields) => {
                let encoded = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish();
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(encoded)
            }
        };
        let timeout = call.timeout;
        let reply = request.send().await.map_err(|e| failure(&e, timeout))?;
        let (status, headers) = (reply.status().as_u16(), reply.headers().clone());
        let body = reply.bytes().await.map_err(|e| Failure {
            request_id: crate::reply::request_id(&headers).map(str::to_owned),
            ..failure(&e, timeout)
        })?;
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// Words for what reqwest says, without the address: it may hold ids.
fn failure(error: &reqwest::Error, timeout: Duration) -> Failure {
    let mut words = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        words.push(source.to_string());
        next = source.source();
    }
    let cause = words.pop().unwrap_or_else(|| "it failed".to_owned());
    let is_tls = words.iter().chain([&cause]).any(|text| {
        let text = text.to_ascii_lowercase();
        text.contains("certificate") || text.contains("tls") || text.contains("handshake")
    });
    if error.is_connect() && error.is_timeout() {
        Failure::new(FailureKind::Connect, "no connection in time")
    } else if error.is_connect() && is_tls {
        Failure::new(FailureKind::Tls, cause)
    } else if error.is_connect() {
        Failure::new(FailureKind::Connect, cause)
    } else if error.is_timeout() {
        let text = format!("no answer within {}", crate::failure::seconds(timeout));
        Failure::new(FailureKind::Timeout, text)
    } else {
        Failure::new(FailureKind::Broken, cause)
    }
}
