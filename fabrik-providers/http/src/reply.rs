//! A reply, and what is in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::secrets::{Redactor, printable};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::transport::{Answer, Safety};

/// Longest excerpt of a body in an error.
const EXCERPT: usize = 300;

/// Headers that services name their requests in.
const REQUEST_IDS: [&str; 5] = [
    "x-request-id",
    "request-id",
    "cf-ray",
    "x-amz-request-id",
    "x-correlation-id",
];

/// The service's own name for a request, from the headers of its answer.
pub(crate) fn request_id(headers: &http::HeaderMap) -> Option<&str> {
    let found = REQUEST_IDS.iter().find_map(|name| headers.get(*name))?;
    found.to_str().ok()
}

/// A reply of the service.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) answer: Answer,
    pub(crate) service: Arc<str>,
    pub(crate) operation: String,
    pub(crate) safety: Safety,
    pub(crate) redactor: Redactor,
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    /// Status.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.answer.body
    }

    /// Method and route template: `GET /zones/{zone}`.
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Whether the request that this answers may be repeated.
    pub fn safety(&self) -> Safety {
        self.safety
    }

    /// How long the service asks to wait, where it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The service's own name for the request, for its support.
    pub fn request_id(&self) -> Option<&str> {
        request_id(&self.answer.headers)
    }

    /// Whether the body is a web page.
    pub fn is_html(&self) -> bool {
        if let Some(kind) = self.header("content-type")
            && kind.trim().to_ascii_lowercase().starts_with("text/html")
        {
            return true;
        }
        let body = self.answer.body.trim_ascii_start();
        let start = body.get(..15).unwrap_or(body).to_ascii_lowercase();
        start.starts_with(b"<!doctype html") || start.starts_with(b"<html")
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`ErrorKind::Misbehaved`] when it is not UTF-8, [`ErrorKind::Unavailable`] for a web page.
    pub fn text(&self) -> Result<&str> {
        if self.is_html() {
            return Err(self.decorate(self.web_page()));
        }
        std::str::from_utf8(&self.answer.body)
            .map_err(|_| self.decorate(self.unreadable("is not text", "it is not UTF-8")))
    }

    /// The body from JSON.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] for a web page (the address may be wrong),
    /// [`ErrorKind::Misbehaved`] for anything else that is not what is expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if self.is_html() {
            return Err(self.decorate(self.web_page()));
        }
        serde_json::from_slice(&self.answer.body).map_err(|error| {
            let what = if error.is_data() {
                "has not the expected form"
            } else if error.is_eof() {
                "is cut off"
            } else {
                "is not JSON"
            };
            self.decorate(self.unreadable(what, &error.to_string()))
        })
    }

    /// The body from XML.
    ///
    /// # Errors
    /// As [`Reply::json`].
    pub fn xml<T: DeserializeOwned>(&self) -> Result<T> {
        if self.is_html() {
            return Err(self.decorate(self.web_page()));
        }
        quick_xml::de::from_str(self.text()?).map_err(|error| {
            self.decorate(self.unreadable("is not the expected XML", &error.to_string()))
        })
    }

    /// The service's own words in an error body, where they are in a usual place (`message`,
    /// `error`, `errors`, `detail`, `title`), or a short text body; cleaned.
    pub fn words(&self) -> Option<String> {
        let text = match serde_json::from_slice::<Json>(&self.answer.body) {
            Ok(json) => {
                let mut found = Vec::new();
                gather(&json, &mut found);
                found.dedup();
                found.join("; ")
            }
            Err(_) if self.is_html() => return None,
            Err(_) => String::from_utf8_lossy(&self.answer.body).trim().to_owned(),
        };
        (!text.is_empty()).then(|| self.clean(&text))
    }

    /// Text of the service made fit for messages: without secrets and control characters, and not
    /// too long.
    pub fn clean(&self, text: &str) -> String {
        let mut text = printable(&self.redactor.clean(text));
        if text.chars().count() > EXCERPT {
            text = text.chars().take(EXCERPT).collect();
            text.push('…');
        }
        text
    }

    /// An error about this reply, in the caller's words; operation and request id are added.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.decorate(Error::new(kind, message))
    }

    pub(crate) fn decorate(&self, error: Error) -> Error {
        let error = error.map_text(&|text| self.redactor.clean(text));
        let error = if error.operation_name().is_some() {
            return error;
        } else {
            error.operation(self.operation.clone())
        };
        match self.request_id() {
            Some(id) => error.context("request id", self.clean(id)),
            None => error,
        }
    }

    pub(crate) fn web_page(&self) -> Error {
        let effect = if self.safety == Safety::Reads {
            Effect::None
        } else {
            Effect::Unknown
        };
        Error::new(
            ErrorKind::Unavailable,
            format!(
                "{} answered with a web page, not with its API: the address may be wrong",
                self.service
            ),
        )
        .temporary(false)
        .effect(effect)
        .hint("check the address in the provider's configuration; a login page or proxy may stand before it")
    }

    fn unreadable(&self, what: &str, why: &str) -> Error {
        let effect = if self.safety == Safety::Reads {
            Effect::None
        } else {
            Effect::Unknown
        };
        Error::new(
            ErrorKind::Misbehaved,
            format!("the answer of {} {what}", self.service),
        )
        .effect(effect)
        .cause(self.clean(why))
        .context("status", self.status())
    }
}

fn gather(json: &Json, found: &mut Vec<String>) {
    match json {
        Json::String(text) => found.push(text.clone()),
        Json::Array(items) => items.iter().for_each(|item| gather(item, found)),
        Json::Object(map) => {
            for key in ["message", "error", "errors", "detail", "title"] {
                match map.get(key) {
                    // A map of fields to complaints.
                    Some(Json::Object(fields)) => {
                        for (field, complaint) in fields {
                            let mut below = Vec::new();
                            gather(complaint, &mut below);
                            found.extend(below.into_iter().map(|text| format!("{field}: {text}")));
                        }
                    }
                    Some(below) => gather(below, found),
                    None => {}
                }
            }
        }
        _ => {}
    }
}
