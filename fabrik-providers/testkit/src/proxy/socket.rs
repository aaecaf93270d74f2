//! WebSockets: each message of the client is an exchange.
//!
//! Events of socket.io (`42["name",…]`, with an acknowledgement `42N[…]` and `43N[…]`) are known by
//! their name, and their acknowledgement is their answer. Other texts are exchanges without an
//! answer; packets that keep the connection (`2`, `3`, `40`, …) are passed on and not counted.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::CONNECTION;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::hub::{Answer, Hub, Met, Ticket};
use super::rules::{Exchange, Fault};
use super::web::{Cut, Reply, listed, response, switching};

/// The kind of the exchange that opens a WebSocket.
pub(super) const UPGRADE: &str = "UPGRADE";

type Socket = WebSocketStream<TcpStream>;

/// Opens the socket on both sides; what comes on it is [`bridge`]d.
pub(super) async fn upgrade(
    hub: Arc<Hub>,
    mut request: Request<Incoming>,
    connection: u64,
) -> Result<Response<Reply>, Cut> {
    let key = request.headers().get("sec-websocket-key").cloned();
    let exchange = Exchange {
        number: 0,
        connection,
        kind: UPGRADE.to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: listed(request.headers()),
        body: Bytes::new(),
        write: false,
        status: None,
        fault: None,
    };
    let (ticket, fault) = hub.begin(exchange);
    let mut passed = Request::new(());
    *passed.uri_mut() = format!("ws://{}{}", hub.upstream, request.uri())
        .parse()
        .map_err(|_| Cut)?;
    *passed.headers_mut() = request.headers().clone();
    // Neither side of the proxy speaks extensions.
    passed.headers_mut().remove("sec-websocket-extensions");
    passed
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    let upstream = hub.upstream;
    let connect = Box::pin(async move {
        let stream = TcpStream::connect(upstream).await.ok()?;
        let _ = stream.set_nodelay(true);
        let (socket, _) = tokio_tungstenite::client_async(passed, stream).await.ok()?;
        Some(socket)
    });
    let socket = match hub.carry(fault, connect).await {
        Met::Answer(Some(socket)) => socket,
        Met::Instead(answer) => {
            ticket.answered(answer.status);
            return Ok(response(&hub, answer, None));
        }
        Met::Answer(None) | Met::Part(..) | Met::Stale | Met::Cut => return Err(Cut),
    };
    let accept = derive_accept_key(key.as_ref().map_or(b"", HeaderValue::as_bytes));
    let upgrading = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrading.await {
            bridge(hub, upgraded, socket, connection).await;
        }
    });
    ticket.answered(101);
    Ok(switching(&accept))
}

/// What is on its way to the client.
enum Down {
    Message(Message),
    Cut,
}

/// The service's side. It lives as long as somebody waits for it, although the client is gone.
struct Upstream {
    up: mpsc::UnboundedSender<Message>,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting(Mutex<HashMap<u64, oneshot::Sender<String>>>);

impl Waiting {
    fn with<R>(&self, work: impl FnOnce(&mut HashMap<u64, oneshot::Sender<String>>) -> R) -> R {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Upstream {
    fn start(socket: Socket, down: mpsc::UnboundedSender<Down>) -> Arc<Upstream> {
        let (mut sink, mut stream) = socket.split();
        let (up, mut outgoing) = mpsc::unbounded_channel::<Message>();
        let waiting = Arc::new(Waiting::default());
        let kept = waiting.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    message = outgoing.recv() => {
                        let Some(message) = message else { break };
                        if sink.send(message).await.is_err() {
                            break;
                        }
                    }
                    message = stream.next() => {
                        let Some(Ok(message)) = message else { break };
                        let Some(message) = take(&kept, message) else { continue };
                        // The client may be gone; what it asked for goes on.
                        let _ = down.send(Down::Message(message));
                    }
                }
            }
            let _ = sink.close().await;
            let _ = down.send(Down::Cut);
        });
        Arc::new(Upstream { up, waiting })
    }

    /// Sends; what comes back, when an acknowledgement is asked for.
    fn ask(&self, text: &str, id: Option<u64>) -> Option<oneshot::Receiver<String>> {
        let waiter = id.map(|id| {
            let (tell, told) = oneshot::channel();
            self.waiting.with(|waiting| waiting.insert(id, tell));
            told
        });
        // A service that is gone shows by the cut that follows.
        let _ = self.up.send(Message::text(text));
        waiter
    }
}

/// Gives an acknowledgement to who waits for it; everything else is the client's.
fn take(waiting: &Waiting, message: Message) -> Option<Message> {
    let Message::Text(text) = &message else {
        return (!matches!(message, Message::Ping(_) | Message::Pong(_))).then_some(message);
    };
    let waiter = acknowledged(text).and_then(|id| waiting.with(|waiting| waiting.remove(&id)));
    match waiter {
        Some(waiter) => {
            // Whoever asked may be gone.
            let _ = waiter.send(text.to_string());
            None
        }
        None => Some(message),
    }
}

/// The number of an acknowledgement: `43N[…]`.
fn acknowledged(text: &str) -> Option<u64> {
    let rest = namespaced(text.strip_prefix("43")?);
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    rest[..digits].parse().ok()
}

/// What follows a namespace, `/name,…`.
fn namespaced(rest: &str) -> &str {
    if rest.starts_with('/') {
        rest.split_once(',').map_or(rest, |(_, rest)| rest)
    } else {
        rest
    }
}

/// A message of the client.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// Keeps the connection.
    Upkeep,
    /// Asks for something: its name, the number of its acknowledgement, its arguments.
    Event(String, Option<u64>, String),
}

fn said(text: &str) -> Said {
    let Some(rest) = text.strip_prefix("42") else {
        let upkeep = text.len() <= 2 || text.starts_with('4') || text.starts_with("2probe");
        if upkeep && text.starts_with(|c: char| c.is_ascii_digit()) {
            return Said::Upkeep;
        }
        return Said::Event("message".to_owned(), None, text.to_owned());
    };
    let rest = namespaced(rest);
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (id, arguments) = rest.split_at(digits);
    let json: Option<serde_json::Value> = serde_json::from_str(arguments).ok();
    let name = json.as_ref().and_then(|json| json.get(0)?.as_str());
    Said::Event(
        name.unwrap_or("event").to_owned(),
        id.parse().ok(),
        arguments.to_owned(),
    )
}

/// Carries messages both ways until one side is gone, or the connection is cut.
async fn bridge(hub: Arc<Hub>, upgraded: Upgraded, socket: Socket, connection: u64) {
    let client = WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, None).await;
    let (mut sink, mut stream) = client.split();
    let (down, mut coming) = mpsc::unbounded_channel();
    let upstream = Upstream::start(socket, down.clone());
    // Dropped with this future: who hangs or waits for the client's death learns of it.
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    let text = text.to_string();
                    let Said::Event(kind, id, arguments) = said(&text) else {
                        let _ = upstream.up.send(Message::text(text));
                        continue;
                    };
                    let exchange = Exchange {
                        number: 0,
                        connection,
                        path: kind.clone(),
                        kind,
                        query: String::new(),
                        headers: Vec::new(),
                        body: Bytes::from(arguments),
                        write: true,
                        status: None,
                        fault: None,
                    };
                    let (ticket, fault) = hub.begin(exchange.clone());
                    let one = One {
                        hub: hub.clone(),
                        upstream: upstream.clone(),
                        down: down.clone(),
                        exchange,
                        text,
                        id,
                    };
                    match fault {
                        // In the order they came.
                        None => {
                            hub.deliver_due().await;
                            let told = one.upstream.ask(&one.text, id);
                            tasks.spawn(one.answered(ticket, told));
                        }
                        Some(fault) => {
                            tasks.spawn(one.faulted(ticket, fault));
                        }
                    }
                }
                Some(Ok(message @ Message::Binary(_))) => {
                    let _ = upstream.up.send(message);
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
            },
            message = coming.recv() => match message {
                Some(Down::Message(message)) => {
                    if sink.send(message).await.is_err() {
                        return;
                    }
                }
                Some(Down::Cut) | None => return,
            },
            Some(_) = tasks.join_next(), if !tasks.is_empty() => {}
        }
    }
}

/// One exchange under way.
struct One {
    hub: Arc<Hub>,
    upstream: Arc<Upstream>,
    down: mpsc::UnboundedSender<Down>,
    exchange: Exchange,
    text: String,
    id: Option<u64>,
}

impl One {
    fn key(&self) -> String {
        String::from_utf8_lossy(&self.exchange.body).into_owned()
    }

    fn tell(&self, text: String) {
        // The client may be gone.
        let _ = self.down.send(Down::Message(Message::text(text)));
    }

    fn remember(&self, acknowledgement: &str) {
        let rest = acknowledgement.find(['[', '{']).unwrap_or_default();
        let answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: Bytes::from(acknowledgement[rest..].to_owned()),
        };
        self.hub.remember(&self.key(), &answer);
        self.hub.keep(&self.exchange, &answer);
    }

    async fn answered(self, ticket: Ticket, told: Option<oneshot::Receiver<String>>) {
        let Some(told) = told else {
            ticket.answered(200);
            return;
        };
        if let Ok(text) = told.await {
            self.remember(&text);
            ticket.answered(200);
            self.tell(text);
        }
    }

    async fn faulted(self, ticket: Ticket, fault: Fault) {
        let (upstream, text, id) = (self.upstream.clone(), self.text.clone(), self.id);
        let forward = Box::pin(async move {
            match upstream.ask(&text, id) {
                Some(told) => told.await.ok(),
                None => None,
            }
        });
        match self.hub.carry(Some(fault), forward).await {
            Met::Answer(text) => {
                ticket.answered(200);
                if let Some(text) = text {
                    self.remember(&text);
                    self.tell(text);
                }
            }
            Met::Instead(answer) => {
                ticket.answered(answer.status);
                self.instead(&answer);
            }
            Met::Stale => {
                let answer = self.hub.stale(&self.key());
                ticket.answered(answer.status);
                self.instead(&answer);
            }
            Met::Part(text, bytes) => {
                let text = text.unwrap_or_default();
                let end = (0..=bytes.min(text.len().saturating_sub(1)))
                    .rev()
                    .find(|at| text.is_char_boundary(*at))
                    .unwrap_or_default();
                self.tell(text[..end].to_owned());
                let _ = self.down.send(Down::Cut);
            }
            Met::Cut => {
                let _ = self.down.send(Down::Cut);
            }
        }
    }

    /// Another answer than the service's: a list is the acknowledgement as it is, a page is sent
    /// as text, everything else becomes a failure as such services tell it.
    fn instead(&self, answer: &Answer) {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        if body.starts_with('<') {
            self.tell(body);
            return;
        }
        let Some(id) = self.id else { return };
        if body.starts_with('[') {
            self.tell(format!("43{id}{body}"));
            return;
        }
        let json: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let message = json.get("message").and_then(serde_json::Value::as_str);
        let failed = serde_json::json!([{"ok": false, "msg": message.unwrap_or(&body)}]);
        self.tell(format!("43{id}{failed}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_told_apart() {
        let event = |name: &str, id, arguments: &str| {
            Said::Event(name.to_owned(), id, arguments.to_owned())
        };
        assert_eq!(said("2"), Said::Upkeep);
        assert_eq!(said("40{\"token\":1}"), Said::Upkeep);
        assert_eq!(said("42[\"add\",1]"), event("add", None, "[\"add\",1]"));
        assert_eq!(said("4217[\"add\"]"), event("add", Some(17), "[\"add\"]"));
        assert_eq!(said("42/ns,3[\"x\"]"), event("x", Some(3), "[\"x\"]"));
        assert_eq!(said("{\"a\":1}"), event("message", None, "{\"a\":1}"));
        assert_eq!(acknowledged("4317[{}]"), Some(17));
        assert_eq!(acknowledged("42[\"x\"]"), None);
    }
}
