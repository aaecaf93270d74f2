//! A transport as the kit's HTTP layer does it, small: retries, waits, errors, events.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Progress};
use fabrik_core::value::Path;
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use jiff::fmt::strtime;
use serde_json::Value as Json;
use tokio::net::TcpStream;

pub(crate) struct Client {
    pub(crate) endpoint: SocketAddr,
    pub(crate) token: String,
    pub(crate) bug: &'static str,
}

struct Got {
    status: u16,
    retry_after: Option<String>,
    request_id: String,
    html: bool,
    body: Bytes,
}

impl Client {
    pub(crate) fn is(&self, bug: &str) -> bool {
        super::has(self.bug, bug)
    }

    fn lost(&self, why: &str) -> Error {
        let effect = if self.is("a cut did nothing") {
            Effect::None
        } else {
            Effect::Unknown
        };
        Error::new(ErrorKind::Unavailable, format!("the reply was lost: {why}")).effect(effect)
    }

    async fn once(&self, method: &Method, path: &str, body: Option<&Json>) -> Result<Got> {
        let refused = |error: std::io::Error| {
            let kind = if self.is("down is a bug") {
                ErrorKind::Unexpected
            } else {
                ErrorKind::Unavailable
            };
            Error::new(
                kind,
                format!("cannot connect to {}: {error}", self.endpoint),
            )
            .effect(Effect::None)
        };
        let stream = TcpStream::connect(self.endpoint).await.map_err(refused)?;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io)
            .await
            .map_err(|error| self.lost(&error.to_string()))?;
        let driving = tokio::spawn(connection);
        // A request that is dropped closes its connection.
        let _closing = Closing(driving.abort_handle());
        let bytes = body.map(Json::to_string).unwrap_or_default();
        let agent = if self.is("no user agent") {
            "curl/8"
        } else {
            "fabrik/0.1 acme/0.1"
        };
        let path = if self.is("token in the query") {
            let mark = if path.contains('?') { '&' } else { '?' };
            format!("{path}{mark}token={}", self.token)
        } else {
            path.to_owned()
        };
        if self.is("logs the token") {
            tracing::debug!(token = %self.token, "sending");
        }
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.endpoint.to_string())
            .header("authorization", format!("Bearer {}", self.token))
            .header("user-agent", agent)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(bytes)))
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        let reply = sender
            .send_request(request)
            .await
            .map_err(|error| self.lost(&error.to_string()))?;
        let (head, body) = reply.into_parts();
        let text = |name: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let request_id = text("x-request-id").unwrap_or_default();
        let body = body.collect().await.map_err(|_| {
            let error = self.lost("it breaks off");
            self.with_id(error, &request_id)
        })?;
        Ok(Got {
            status: head.status.as_u16(),
            retry_after: text("retry-after"),
            html: text("content-type").is_some_and(|kind| kind.contains("html")),
            request_id,
            body: body.to_bytes(),
        })
    }

    fn with_id(&self, error: Error, id: &str) -> Error {
        if id.is_empty() || self.is("no request id") {
            return error;
        }
        error.context("request id", id)
    }

    fn wait(&self, cx: &Cx, got: &Got) -> Duration {
        let Some(text) = &got.retry_after else {
            return Duration::from_secs(1);
        };
        if let Ok(seconds) = text.parse() {
            let seconds = if self.is("ignores seconds") {
                1
            } else {
                seconds
            };
            return Duration::from_secs(seconds);
        }
        if self.is("ignores dates") {
            return Duration::from_secs(1);
        }
        let date = strtime::parse("%a, %d %b %Y %H:%M:%S GMT", text)
            .and_then(|parsed| parsed.to_datetime())
            .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC));
        let until = date.map_or(Timestamp::UNIX_EPOCH, |date| date.timestamp());
        Duration::try_from(until.duration_since(cx.clock().now())).unwrap_or_default()
    }

    /// Sends until it is answered for good. `route` is the path without ids.
    pub(crate) async fn send(
        &self,
        cx: &Cx,
        method: Method,
        route: &str,
        path: &str,
        body: Option<&Json>,
    ) -> Result<Option<Json>> {
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            let got = self.once(&method, path, body).await;
            if !self.is("no events") {
                let route = if self.is("ids in routes") {
                    path
                } else {
                    route
                };
                cx.progress(Progress::Http {
                    method: method.to_string(),
                    route: route.to_owned(),
                    status: got.as_ref().ok().map(|got| got.status),
                    millis: u64::try_from(begun.elapsed().as_millis()).unwrap_or_default(),
                    attempt,
                });
            }
            attempt += 1;
            match got {
                Ok(got) if got.status == 429 && attempt < 5 => {
                    cx.sleep(self.wait(cx, &got)).await?;
                }
                Ok(got)
                    if got.status == 503
                        && method.is_safe()
                        && attempt < 5
                        && !self.is("gives up at 503") =>
                {
                    cx.sleep(Duration::from_secs(1)).await?;
                }
                Ok(got) if got.status == 401 && self.is("asks again and again") && attempt < 12 => {
                }
                // Safe requests may be sent again when their reply was lost.
                Err(error)
                    if method.is_safe()
                        && attempt < 4
                        && error.kind() == ErrorKind::Unavailable =>
                {
                    cx.sleep(Duration::from_millis(200)).await?;
                }
                Ok(got) => return self.judge(&got),
                Err(error) => return Err(error),
            }
        }
    }

    fn judge(&self, got: &Got) -> Result<Option<Json>> {
        let error = match got.status {
            200..=299 if got.html && !self.is("pages are JSON") => Error::new(
                ErrorKind::Misbehaved,
                "a web page came instead of an answer",
            )
            .hint("the address in `endpoint` may be wrong"),
            204 => return Ok(Some(Json::Null)),
            200..=299 => match serde_json::from_slice(&got.body) {
                Ok(json) => return Ok(Some(json)),
                Err(error) if self.is("pages are JSON") && got.html => {
                    Error::new(ErrorKind::Unexpected, error.to_string())
                }
                Err(_) => Error::new(ErrorKind::Misbehaved, "the answer is not what was agreed"),
            },
            404 => return Ok(None),
            other => self.refused(other, got),
        };
        Err(self.with_id(error, &got.request_id))
    }

    fn refused(&self, status: u16, got: &Got) -> Error {
        let json: Json = serde_json::from_slice(&got.body).unwrap_or_default();
        let said = json["message"].as_str().unwrap_or_default();
        // Services echo what they were sent.
        let said = if self.is("tells what it heard") {
            said.to_owned()
        } else {
            said.replace(&self.token, "(secret)")
        };
        match status {
            401 => {
                let hint = if self.is("no variable in the hint") {
                    "look at the token"
                } else {
                    "look at `token`, or the variable ACME_TOKEN"
                };
                Error::new(ErrorKind::Auth, "Acme does not accept the token").hint(hint)
            }
            403 if self.is("permission without a name") => {
                Error::new(ErrorKind::Permission, "not allowed")
            }
            403 => {
                let missing = json["missing"].as_str().unwrap_or("a permission");
                Error::new(
                    ErrorKind::Permission,
                    format!("the token lacks `{missing}`"),
                )
            }
            409 => Error::new(ErrorKind::Conflict, "the name is taken")
                .hint("import it, or choose another name"),
            422 => {
                let first = json["errors"]
                    .as_object()
                    .and_then(|errors| errors.iter().next());
                let (field, why) = first.map_or(("", ""), |(field, why)| {
                    (field.as_str(), why.as_str().unwrap_or_default())
                });
                let error = Error::new(ErrorKind::Invalid, format!("`{field}` {why}"));
                if self.is("refusals without a field") {
                    return error;
                }
                error.field(Path::key(field))
            }
            429 => Error::new(ErrorKind::RateLimited, "Acme asks to slow down"),
            500 if self.is("a 500 did nothing") => {
                Error::new(ErrorKind::Unavailable, "Acme failed").effect(Effect::None)
            }
            500..=599 => Error::new(ErrorKind::Unavailable, format!("Acme failed: {said}"))
                .effect(Effect::Unknown),
            _ => Error::new(ErrorKind::Invalid, format!("Acme refused it: {said}")),
        }
    }
}

struct Closing(tokio::task::AbortHandle);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.abort();
    }
}
