//! A request being put together, and its ways of being sent.

use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::failure;
use crate::layers::retry_after;
use crate::reply::Reply;
use crate::transport::{Body, Call, Safety};

/// Everything but what RFC 3986 calls unreserved.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// More pages than this is a loop.
const MOST_PAGES: usize = 10_000;

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// That was the last.
    End,
    /// The same request with these query parameters set.
    Query(Vec<(String, String)>),
}

impl Next {
    /// The same request with one query parameter set.
    pub fn with(name: &str, value: impl Display) -> Next {
        Next::Query(vec![(name.to_owned(), value.to_string())])
    }
}

/// A request: put it together, then send it by [`Request::json`], [`Request::json_opt`],
/// [`Request::unit`], [`Request::text`], [`Request::pages`] or [`Request::reply`].
#[must_use = "a request does nothing until it is sent"]
#[derive(Clone)]
pub struct Request<'a> {
    client: &'a Client,
    cx: &'a Cx,
    method: Method,
    template: &'a str,
    args: Vec<(&'a str, String)>,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Body,
    safety: Safety,
    fine: Vec<u16>,
    timeout: Option<Duration>,
    broken: Option<Error>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(client: &'a Client, cx: &'a Cx, method: Method, template: &'a str) -> Self {
        Request {
            client,
            cx,
            safety: Safety::of(&method),
            method,
            template,
            args: Vec::new(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::None,
            fine: Vec::new(),
            timeout: None,
            broken: None,
        }
    }

    /// Fills `{name}` in the route, percent-encoded. An empty value is an error when sent: it would
    /// ask for another route.
    pub fn arg(mut self, name: &'a str, value: impl Display) -> Self {
        self.args.push((name, value.to_string()));
        self
    }

    /// Adds a query parameter. Never put a secret there.
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Sets a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let pair = (
            http::HeaderName::try_from(name),
            http::HeaderValue::try_from(value),
        );
        if let (Ok(name), Ok(value)) = pair {
            self.headers.insert(name, value);
        } else {
            self.broken = Some(Error::new(
                ErrorKind::Unexpected,
                format!("`{name}` cannot be a header"),
            ));
        }
        self
    }

    /// A JSON body.
    pub fn body<T: Serialize + ?Sized>(mut self, body: &T) -> Self {
        match serde_json::to_vec(body) {
            Ok(bytes) => self.raw("application/json", bytes),
            Err(error) => {
                self.broken = Some(
                    Error::new(
                        ErrorKind::Unexpected,
                        "the request cannot be written as JSON",
                    )
                    .cause(error),
                );
                self
            }
        }
    }

    /// A form body.
    pub fn form(mut self, fields: impl IntoIterator<Item = (String, String)>) -> Self {
        self.body = Body::Form(fields.into_iter().collect());
        self
    }

    /// A body of some type.
    pub fn raw(mut self, content_type: &str, bytes: impl Into<Bytes>) -> Self {
        self.body = Body::Bytes {
            content_type: content_type.to_owned(),
            bytes: bytes.into(),
        };
        self
    }

    /// It only reads, whatever its method: it may be repeated, and changes nothing when it fails.
    pub fn reads(mut self) -> Self {
        self.safety = Safety::Reads;
        self
    }

    /// Doing it twice is as doing it once, whatever its method.
    pub fn idempotent(mut self) -> Self {
        self.safety = self.safety.min(Safety::Idempotent);
        self
    }

    /// It must not be sent again unless it surely was not carried out, whatever its method.
    pub fn once(mut self) -> Self {
        self.safety = Safety::Once;
        self
    }

    /// A status that is no error here, such as 404 for a delete.
    pub fn ok_if(mut self, status: u16) -> Self {
        self.fine.push(status);
        self
    }

    /// Time limit of one attempt, where it differs from the client's.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it; a reply that is an error becomes one, except with a status of [`Request::ok_if`].
    ///
    /// # Errors
    /// What the service refuses, and what kept it from answering.
    pub async fn reply(self) -> Result<Reply> {
        let config = &self.client.0.config;
        let operation = format!("{} {}", self.method, self.template);
        let call = self.call(&operation)?;
        let sent = self.client.0.transport.send(self.cx, call).await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(lost) => return Err(failure::of_failure(config, &operation, self.safety, lost)),
        };
        let reply = Reply {
            retry_after: retry_after(&answer, self.cx.clock().now()),
            service: config.service.clone(),
            operation,
            safety: self.safety,
            redactor: config.redactor.clone(),
            answer,
        };
        if self.fine.contains(&reply.status()) {
            return Ok(reply);
        }
        match failure::of_reply(config, &reply) {
            Some(error) => Err(error),
            None => Ok(reply),
        }
    }

    /// Sends it and reads the reply as JSON.
    ///
    /// # Errors
    /// As [`Request::reply`], and when the reply is something else.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T> {
        self.reply().await?.json()
    }

    /// As [`Request::json`]; `None` when there is no such thing (404).
    ///
    /// # Errors
    /// As [`Request::json`].
    pub async fn json_opt<T: DeserializeOwned>(self) -> Result<Option<T>> {
        match self.reply().await {
            Ok(reply) => reply.json().map(Some),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends it and reads the reply as text.
    ///
    /// # Errors
    /// As [`Request::json`].
    pub async fn text(self) -> Result<String> {
        Ok(self.reply().await?.text()?.to_owned())
    }

    /// Sends it; what the reply says does not matter.
    ///
    /// # Errors
    /// As [`Request::reply`].
    pub async fn unit(self) -> Result<()> {
        self.reply().await.map(|_| ())
    }

    /// Sends it again and again, each time for the page that `read` says comes next, and gathers
    /// their items.
    ///
    /// # Errors
    /// As [`Request::reply`]; those of `read`; [`ErrorKind::Misbehaved`] when the pages do not end.
    pub async fn pages<T>(
        self,
        mut read: impl FnMut(&Reply) -> Result<(Vec<T>, Next)>,
    ) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut request = self;
        for _ in 0..MOST_PAGES {
            let reply = request.clone().reply().await?;
            let (page, next) = read(&reply)?;
            items.extend(page);
            let Next::Query(query) = next else {
                return Ok(items);
            };
            let before = request.query.clone();
            for (name, value) in query {
                request.query.retain(|(key, _)| *key != name);
                request.query.push((name, value));
            }
            if request.query == before {
                break;
            }
        }
        Err(Error::new(
            ErrorKind::Misbehaved,
            format!("the pages of {} do not end", request.template),
        ))
    }

    fn call(&self, operation: &str) -> Result<Call> {
        if let Some(error) = &self.broken {
            return Err(error.clone().operation(operation.to_owned()));
        }
        let path = self
            .path()
            .map_err(|error| error.operation(operation.to_owned()))?;
        let mut url = self.client.0.config.base.clone();
        let full = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&full);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(Call {
            method: self.method.clone(),
            route: self.template.into(),
            url,
            headers: self.headers.clone(),
            body: self.body.clone(),
            safety: self.safety,
            timeout: self.timeout.unwrap_or(self.client.0.config.timeout),
            attempt: 1,
            renew: false,
        })
    }

    fn path(&self) -> Result<String> {
        let mut path = String::new();
        let mut rest = self.template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, "the route's `{` is not closed")
            })?;
            let value = self.args.iter().find(|(known, _)| *known == name);
            let value = value.map(|(_, value)| value.as_str()).ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, format!("`{{{name}}}` is not filled"))
            })?;
            // `.` and `..` would be resolved away, an empty segment would be another route.
            if matches!(value, "" | "." | "..") {
                return Err(Error::new(
                    ErrorKind::Invalid,
                    format!("`{value}` cannot be the {name} of a request"),
                ));
            }
            path.push_str(before);
            path.extend(utf8_percent_encode(value, SEGMENT));
            rest = after;
        }
        path.push_str(rest);
        Ok(path)
    }
}
