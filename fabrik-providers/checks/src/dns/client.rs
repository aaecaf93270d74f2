//! Asking one name server, over UDP and, where the answer does not fit, TCP.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::wire::{self, Name, Reply};

/// An unanswered question is sent again after this time.
const RESEND: Duration = Duration::from_millis(1_500);

/// What one server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// These values; none when the name has no such record.
    Values(BTreeSet<String>),
    /// There is no such name.
    NoName,
    /// It answered, but not the question.
    Refused(&'static str),
    /// It did not answer in time.
    Silent,
    /// It cannot be reached.
    Unreachable(String),
}

impl Found {
    pub(crate) fn text(&self) -> Cow<'static, str> {
        match self {
            Found::Values(values) if values.is_empty() => "no such record".into(),
            Found::Values(values) => list(values).into(),
            Found::NoName => "no such name".into(),
            Found::Refused(why) => (*why).into(),
            Found::Silent => "no answer".into(),
            Found::Unreachable(why) => why.clone().into(),
        }
    }
}

/// The values in one line.
pub(super) fn list(values: &BTreeSet<String>) -> String {
    if values.is_empty() {
        return "absent".to_owned();
    }
    values
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Asks a server for all records of the given types.
pub(super) async fn ask(
    server: SocketAddr,
    name: &Name,
    codes: &[u16],
    timeout: Duration,
) -> Found {
    let all = async {
        let mut values = BTreeSet::new();
        let mut missing = true;
        for code in codes {
            match one(server, name, *code).await? {
                Reply::Values(found) => {
                    missing = false;
                    values.extend(found);
                }
                Reply::NoName => {}
                Reply::Refused(why) => return Ok(Found::Refused(why)),
                Reply::Truncated => return Ok(Found::Refused("its answer is cut short")),
            }
        }
        Ok(if missing {
            Found::NoName
        } else {
            Found::Values(values)
        })
    };
    match tokio::time::timeout(timeout, all).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => Found::Unreachable(words(&error)),
        Err(_) => Found::Silent,
    }
}

async fn one(server: SocketAddr, name: &Name, code: u16) -> io::Result<Reply> {
    let mut id = [0_u8; 2];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    let id = u16::from_be_bytes(id);
    let question = wire::question(id, name, code);
    match udp(server, &question, |bytes| {
        wire::reply(bytes, id, name, code)
    })
    .await?
    {
        Reply::Truncated => {
            let message = tcp(server, &question).await?;
            wire::reply(&message, id, name, code)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a damaged answer"))
        }
        reply => Ok(reply),
    }
}

async fn udp(
    server: SocketAddr,
    question: &[u8],
    read: impl Fn(&[u8]) -> Option<Reply>,
) -> io::Result<Reply> {
    let any: SocketAddr = if server.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0_u16; 8], 0).into()
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(server).await?;
    let mut buffer = vec![0_u8; 4096];
    loop {
        socket.send(question).await?;
        // What is no answer to this question is not ours: wait on.
        let answered = tokio::time::timeout(RESEND, async {
            loop {
                let length = socket.recv(&mut buffer).await?;
                if let Some(reply) = read(&buffer[..length]) {
                    return Ok::<_, io::Error>(reply);
                }
            }
        });
        if let Ok(reply) = answered.await {
            return reply;
        }
    }
}

async fn tcp(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    let mut message = length.to_be_bytes().to_vec();
    message.extend_from_slice(question);
    stream.write_all(&message).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        _ => error.to_string(),
    }
}
