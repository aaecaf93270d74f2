//! From what came back to the library's error.

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind};

use crate::config::HttpConfig;
use crate::reply::Reply;
use crate::transport::{Failure, FailureKind, Safety};

/// `30 s`, `1.5 s`.
pub(crate) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// The error for a request without an answer.
pub(crate) fn of_failure(
    config: &HttpConfig,
    operation: &str,
    safety: Safety,
    failure: Failure,
) -> Error {
    let service = &config.service;
    let host = config.base.host_str().unwrap_or_default();
    let unsent = failure.is_unsent();
    if let Some(error) = failure.error {
        return error.effect(Effect::None);
    }
    let words = config.redactor.clean(&failure.message);
    let error = match failure.kind {
        FailureKind::Connect => Error::new(
            ErrorKind::Unavailable,
            format!("{service} cannot be reached at {host}: {words}"),
        )
        .hint("check the address in the provider's configuration, the network, and whether the service runs"),
        FailureKind::Tls => Error::new(
            ErrorKind::Unavailable,
            format!("no trusted connection to {host}: {words}"),
        )
        .temporary(false)
        .hint("check the address and the service's certificate"),
        FailureKind::Timeout => Error::new(ErrorKind::Timeout, format!("{service} gave {words}"))
            .hint("the service may be overloaded; a longer `timeout` on the resource gives it more time"),
        FailureKind::Broken => Error::new(
            ErrorKind::Unavailable,
            format!("the connection to {service} broke before the answer was complete: {words}"),
        ),
        FailureKind::Stopped | FailureKind::Credentials => Error::new(ErrorKind::Cancelled, words),
    };
    let error = if unsent || safety == Safety::Reads {
        error.effect(Effect::None)
    } else {
        error.effect(Effect::Unknown)
    };
    let error = error.operation(operation.to_owned());
    match failure.request_id {
        Some(id) => error.context("request id", config.redactor.clean(&id)),
        None => error,
    }
}

/// The error for a reply, when it is one.
pub(crate) fn of_reply(config: &HttpConfig, reply: &Reply) -> Option<Error> {
    let mapped = config.errors.as_ref().and_then(|map| map(reply));
    let is_refusal = reply.status() == 429 || config.refused.contains(&reply.status());
    let error = match mapped {
        Some(error) => error,
        None if reply.status() < 300 => return None,
        None if (300..400).contains(&reply.status()) => redirected(config, reply),
        None if reply.is_html() => reply.web_page(),
        None => by_status(config, reply),
    };
    let error = if reply.safety() == Safety::Reads || is_refusal {
        error.effect(Effect::None)
    } else {
        error
    };
    let error = match reply.retry_after() {
        Some(wait) if is_refusal => error.retry_after(wait),
        _ => error,
    };
    Some(reply.decorate(error))
}

fn redirected(config: &HttpConfig, reply: &Reply) -> Error {
    let to = reply
        .header("location")
        .and_then(|location| config.base.join(location).ok())
        .map(|url| url.origin().ascii_serialization());
    let mut error = Error::new(
        ErrorKind::Unavailable,
        format!(
            "{} sent the request elsewhere ({}), so the address is not that of its API",
            config.service,
            reply.status()
        ),
    )
    .temporary(false)
    .effect(Effect::None)
    .hint("set the provider's address to where the API itself answers");
    if let Some(to) = to {
        error = error.context("redirected to", to);
    }
    error
}

/// What a status means where the provider has no words of its own.
fn by_status(config: &HttpConfig, reply: &Reply) -> Error {
    let service = &config.service;
    let words = reply.words();
    let says = |what: &str| match &words {
        Some(words) => format!("{service} {what}: {words}"),
        None => format!("{service} {what} (HTTP {})", reply.status()),
    };
    match reply.status() {
        401 => Error::new(ErrorKind::Auth, says("does not accept the credentials"))
            .hint("check the token in the provider's configuration"),
        402 => Error::new(ErrorKind::Quota, says("asks for payment")),
        403 => Error::new(ErrorKind::Permission, says("refuses permission"))
            .hint("check what the token is allowed to do"),
        404 | 410 => Error::new(ErrorKind::NotFound, says("has no such thing")),
        405 | 501 => Error::new(ErrorKind::Unsupported, says("cannot do this")),
        409 | 412 => Error::new(ErrorKind::Conflict, says("reports a conflict")),
        429 => Error::new(ErrorKind::RateLimited, says("asks to slow down"))
            .hint("wait, or lower `parallelism`"),
        400..=499 => Error::new(ErrorKind::Invalid, says("refuses the request")),
        _ => Error::new(ErrorKind::Unavailable, says("failed")),
    }
}
