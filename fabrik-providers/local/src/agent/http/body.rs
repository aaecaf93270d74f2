//! The bodies of answers.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};

use tokio::sync::mpsc;

use crate::agent::balance::Lease;

/// Any error while a body is sent.
pub(super) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of an answer.
pub(super) type AnyBody = UnsyncBoxBody<Bytes, BoxError>;

pub(super) fn empty() -> AnyBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(super) fn full(bytes: impl Into<Bytes>) -> AnyBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The body of a request on its way to a process.
pub(super) fn passed(body: Incoming) -> AnyBody {
    body.map_err(Into::into).boxed_unsync()
}

/// A body whose parts come through a queue.
///
/// Not the channel body of `http-body-util`: that one may lose its last part when the sender goes
/// right after sending it.
pub(super) fn queued(parts: mpsc::Receiver<io::Result<Bytes>>) -> AnyBody {
    Queued { parts }.boxed_unsync()
}

struct Queued {
    parts: mpsc::Receiver<io::Result<Bytes>>,
}

impl Body for Queued {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.parts
            .poll_recv(context)
            .map(|part| part.map(|part| part.map(Frame::data).map_err(Into::into)))
    }
}

/// The body of a process's answer. The request counts as being answered until it is through.
pub(super) fn leased(body: Incoming, lease: Lease) -> AnyBody {
    Leased {
        body,
        _lease: lease,
    }
    .boxed_unsync()
}

struct Leased {
    body: Incoming,
    _lease: Lease,
}

impl Body for Leased {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body)
            .poll_frame(context)
            .map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
