//! One connection: a task that owns the websocket, answers pings, and brings acks to those who wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value as Json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_tungstenite::tungstenite::Message;

use crate::address::Address;
use crate::dial::{self, Socket};
use crate::lists::Lists;
use crate::wire::{self, Frame};

/// How long the first frames may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// An open connection. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    commands: mpsc::UnboundedSender<Command>,
    lists: watch::Receiver<Lists>,
}

#[derive(Debug)]
struct Command {
    name: &'static str,
    args: Vec<Json>,
    sent: Arc<AtomicBool>,
    answer: oneshot::Sender<Json>,
}

/// The connection ended before the answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lost {
    /// Whether the event may have reached the server.
    pub(crate) sent: bool,
}

/// An event on its way.
#[derive(Debug)]
pub(crate) struct Waiting {
    sent: Arc<AtomicBool>,
    answer: oneshot::Receiver<Json>,
}

impl Waiting {
    /// Waits for the first part of the answer.
    pub(crate) async fn answer(&mut self) -> std::result::Result<Json, Lost> {
        (&mut self.answer).await.map_err(|_| self.lost())
    }

    /// What is known when nobody waits any longer.
    pub(crate) fn lost(&self) -> Lost {
        Lost {
            sent: self.sent.load(Ordering::SeqCst),
        }
    }
}

impl Connection {
    /// Opens a connection up to socket.io's greeting.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`].
    pub(crate) async fn open(address: &Address) -> Result<Connection> {
        let mut socket = dial::socket(address).await?;
        let greeting = tokio::time::timeout(HANDSHAKE, greet(&mut socket)).await;
        let Ok(Some(silence)) = greeting else {
            return Err(Error::new(
                ErrorKind::Unavailable,
                format!(
                    "{} does not speak as Uptime Kuma does: the address may be wrong",
                    address.base()
                ),
            )
            .hint("write the address at which the browser shows Uptime Kuma"));
        };
        let (commands, received) = mpsc::unbounded_channel();
        let (told, lists) = watch::channel(Lists::default());
        tokio::spawn(run(socket, received, told, silence));
        Ok(Connection { commands, lists })
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.commands.is_closed()
    }

    /// Sends an event.
    pub(crate) fn send(&self, name: &'static str, args: Vec<Json>) -> Waiting {
        let (answer, receiver) = oneshot::channel();
        let sent = Arc::new(AtomicBool::new(false));
        let command = Command {
            name,
            args,
            sent: sent.clone(),
            answer,
        };
        // When the task has ended, the receiver says so: nothing was sent.
        _ = self.commands.send(command);
        Waiting {
            sent,
            answer: receiver,
        }
    }

    /// What the server told so far.
    pub(crate) fn lists(&self) -> watch::Ref<'_, Lists> {
        self.lists.borrow()
    }

    /// Waits until the server has told something; whether it did within the time.
    pub(crate) async fn told(&self, within: Duration, what: impl FnMut(&Lists) -> bool) -> bool {
        let mut lists = self.lists.clone();
        let told = tokio::time::timeout(within, lists.wait_for(what)).await;
        matches!(told, Ok(Ok(_)))
    }
}

/// The first frames; the longest silence that is to be borne.
async fn greet(socket: &mut Socket) -> Option<Duration> {
    let mut silence = None;
    loop {
        let message = socket.next().await?.ok()?;
        let Ok(text) = message.to_text() else {
            continue;
        };
        if text.starts_with('<') {
            return None;
        }
        match wire::parse(text) {
            Frame::Open { silence: millis } => {
                silence = Some(Duration::from_millis(millis));
                socket.send(Message::text(wire::CONNECT)).await.ok()?;
            }
            Frame::Connected => return silence,
            Frame::Ping => socket.send(Message::text(wire::PONG)).await.ok()?,
            Frame::Close | Frame::Disconnected => return None,
            _ => {}
        }
    }
}

async fn run(
    mut socket: Socket,
    mut commands: mpsc::UnboundedReceiver<Command>,
    lists: watch::Sender<Lists>,
    silence: Duration,
) {
    let mut waiting: HashMap<u64, oneshot::Sender<Json>> = HashMap::new();
    let mut next = 0_u64;
    loop {
        tokio::select! {
            command = commands.recv() => {
                let Some(command) = command else {
                    _ = socket.send(Message::text(wire::DISCONNECT)).await;
                    _ = socket.close(None).await;
                    return;
                };
                waiting.retain(|_, answer| !answer.is_closed());
                let frame = wire::event(next, command.name, &command.args);
                waiting.insert(next, command.answer);
                next += 1;
                command.sent.store(true, Ordering::SeqCst);
                if socket.send(Message::text(frame)).await.is_err() {
                    return;
                }
            }
            message = tokio::time::timeout(silence, socket.next()) => {
                let Ok(Some(Ok(message))) = message else { return };
                let text = match &message {
                    Message::Text(text) => text.as_str(),
                    Message::Close(_) => return,
                    _ => continue,
                };
                // A page instead of a frame: something else answers.
                if text.starts_with('<') {
                    return;
                }
                match wire::parse(text) {
                    Frame::Ping => {
                        if socket.send(Message::text(wire::PONG)).await.is_err() {
                            return;
                        }
                    }
                    Frame::Close | Frame::Disconnected => return,
                    Frame::Ack { id, args } => {
                        if let Some(answer) = waiting.remove(&id) {
                            // Nobody waits any longer when this fails.
                            _ = answer.send(args.into_iter().next().unwrap_or(Json::Null));
                        }
                    }
                    Frame::Event { name, args } => {
                        lists.send_if_modified(|lists| lists.take(&name, args));
                    }
                    Frame::Open { .. } | Frame::Connected | Frame::Other => {}
                }
            }
        }
    }
}
