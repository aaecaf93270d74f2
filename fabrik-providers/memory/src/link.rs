//! The way to the cloud: in this process, or over TCP.

use std::net::SocketAddr;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use serde_json::Value as Json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::cloud::{Cloud, Fault, LogEntry};
use crate::protocol::{Answer, Ask, Thing};
use crate::server::MAX_LINE;

/// A cloud served by another process (see [`Cloud::serve`]).
#[derive(Clone, Copy, Debug)]
pub struct RemoteCloud {
    address: SocketAddr,
}

impl RemoteCloud {
    /// The cloud served at an address. Nothing is asked yet.
    pub fn new(address: SocketAddr) -> RemoteCloud {
        RemoteCloud { address }
    }

    /// Every change made so far, in order.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it does not answer; so for all of these.
    pub async fn log(&self) -> Result<Vec<LogEntry>> {
        match self.ask(&Ask::Log {}).await? {
            Answer::Log(log) => Ok(log),
            other => Err(unexpected(other)),
        }
    }

    /// Every thing there is, by id.
    ///
    /// # Errors
    /// As [`RemoteCloud::log`].
    pub async fn things(&self) -> Result<Vec<Thing>> {
        match self.ask(&Ask::Things {}).await? {
            Answer::Things(things) => Ok(things.into_iter().flatten().collect()),
            other => Err(unexpected(other)),
        }
    }

    /// Waits until no request is under way any more.
    ///
    /// # Errors
    /// As [`RemoteCloud::log`].
    pub async fn quiet(&self) -> Result<()> {
        self.ask(&Ask::Quiet {}).await.map(drop)
    }

    /// Makes requests go wrong.
    ///
    /// # Errors
    /// As [`RemoteCloud::log`].
    pub async fn inject(&self, fault: Fault) -> Result<()> {
        self.ask(&Ask::Inject(fault)).await.map(drop)
    }

    /// Makes a thing that nobody's operation made.
    ///
    /// # Errors
    /// As [`RemoteCloud::log`].
    pub async fn plant(&self, kind: &str, inputs: Json) -> Result<Thing> {
        let kind = kind.to_owned();
        let answer = self.ask(&Ask::Plant { kind, inputs }).await?;
        match answer {
            Answer::Things(mut things) => match things.pop().flatten() {
                Some(thing) => Ok(thing),
                None => Err(unexpected(Answer::Things(things))),
            },
            other => Err(unexpected(other)),
        }
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer> {
        let unreachable = |error: std::io::Error| {
            let text = format!("nothing answers at {}: {error}", self.address);
            Error::new(ErrorKind::Unavailable, text).effect(Effect::None)
        };
        let lost = |reason: &dyn std::fmt::Display| {
            let text = format!("the reply was lost: {reason}");
            Error::new(ErrorKind::Unavailable, text).effect(Effect::Unknown)
        };
        let mut line = serde_json::to_vec(ask)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        line.push(b'\n');
        let mut stream = TcpStream::connect(self.address)
            .await
            .map_err(unreachable)?;
        stream.set_nodelay(true).map_err(|error| lost(&error))?;
        stream
            .write_all(&line)
            .await
            .map_err(|error| lost(&error))?;
        let mut reply = Vec::new();
        BufReader::new(stream)
            .take(MAX_LINE)
            .read_until(b'\n', &mut reply)
            .await
            .map_err(|error| lost(&error))?;
        if !reply.ends_with(b"\n") {
            return Err(lost(&"the connection was closed"));
        }
        match serde_json::from_slice(&reply) {
            Ok(Answer::Failed(report)) => Err(Error::from(report.as_ref())),
            Ok(answer) => Ok(answer),
            Err(error) => Err(lost(&error)),
        }
    }
}

/// Either way.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    Here(Cloud),
    There(RemoteCloud),
}

impl Link {
    pub(crate) async fn ask(&self, ask: Ask) -> Result<Answer> {
        let answer = match self {
            Link::Here(cloud) => cloud.ask(ask).await,
            Link::There(cloud) => cloud.ask(&ask).await,
        };
        match answer {
            // What was asked for, to see what an engine does about it.
            Err(error) if error.kind() == ErrorKind::Panicked => {
                std::panic::panic_any("the memory provider was asked to panic")
            }
            answer => answer,
        }
    }
}

/// The error for an answer to another question.
pub(crate) fn unexpected(answer: Answer) -> Error {
    drop(answer);
    Error::new(ErrorKind::Misbehaved, "the cloud answers another question")
}
