//! Connections: websockets with engine.io and socket.io on them, and public pages over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

use super::state::{Out, Socket, State};
use super::{Fault, Release, lock};

type Shared = Arc<Mutex<State>>;

/// Serves until it is told to stop.
pub(super) fn run(listener: std::net::TcpListener, state: Shared, stopped: oneshot::Receiver<()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async move {
            let listener = TcpListener::from_std(listener).expect("a socket");
            tokio::select! {
                () = accept(&listener, &state) => {}
                _ = stopped => {}
            }
        });
}

async fn accept(listener: &TcpListener, state: &Shared) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream, state.clone()));
        }
    }
}

/// Looks at the request's head without taking it off the stream.
async fn connection(stream: TcpStream, state: Shared) {
    let mut buffer = vec![0_u8; 16 << 10];
    let head = loop {
        let Ok(read) = stream.peek(&mut buffer).await else {
            return;
        };
        if read == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        if text.contains("\r\n\r\n") || read == buffer.len() {
            break text;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    if head.to_ascii_lowercase().contains("upgrade: websocket") {
        websocket(stream, state).await;
    } else {
        http(stream, &head, &state).await;
    }
}

async fn http(mut stream: TcpStream, head: &str, state: &Shared) {
    let mut taken = vec![0_u8; head.len()];
    if stream.read_exact(&mut taken).await.is_err() {
        return;
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let (status, kind, body) = lock(state).http(&path);
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    // A client that goes away is no mistake.
    _ = stream.write_all(reply.as_bytes()).await;
    _ = stream.shutdown().await;
}

#[expect(clippy::result_large_err, reason = "the library's own signature")]
fn check(
    request: &Request,
    response: Response,
    release: Release,
) -> Result<Response, ErrorResponse> {
    let query = request.uri().query().unwrap_or_default();
    let refuse = |status: u16| {
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        Err(refusal)
    };
    if request.uri().path() != "/socket.io/" {
        return refuse(404);
    }
    if !query.contains("EIO=4") || !query.contains("transport=websocket") {
        return refuse(400);
    }
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    if let (Release::V2, Some(origin)) = (release, header("origin"))
        && !origin.ends_with(header("host").unwrap_or_default())
    {
        return refuse(403);
    }
    Ok(response)
}

#[expect(clippy::result_large_err, reason = "the library's own signature")]
async fn websocket(stream: TcpStream, state: Shared) {
    let release = lock(&state).release;
    let accepted =
        tokio_tungstenite::accept_hdr_async(stream, |request: &Request, response: Response| {
            check(request, response, release)
        })
        .await;
    let Ok(mut socket) = accepted else { return };
    let (out, mut outgoing) = mpsc::unbounded_channel();
    let (id, ping) = {
        let mut state = lock(&state);
        state.connections += 1;
        (
            u64::try_from(state.connections).unwrap_or_default(),
            state.ping,
        )
    };
    let open = json!({
        "sid": format!("engine-{id}"), "upgrades": [], "pingInterval": u64::try_from(ping.as_millis()).unwrap_or(u64::MAX),
        "pingTimeout": 20_000, "maxPayload": 1_000_000,
    });
    if socket
        .send(Message::text(format!("0{open}")))
        .await
        .is_err()
    {
        return;
    }
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + ping, ping);
    let mut unanswered = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                unanswered += 1;
                if unanswered > 2 || socket.send(Message::text("2")).await.is_err() {
                    break;
                }
            }
            message = outgoing.recv() => match message {
                Some(Out::Frame(frame)) => {
                    if socket.send(Message::text(frame)).await.is_err() {
                        break;
                    }
                }
                Some(Out::After(wait, frame)) => {
                    let (out, wait) = (lock(&state).sockets.get(&id).map(|socket| socket.out.clone()), wait);
                    tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        if let Some(out) = out {
                            _ = out.send(Out::Frame(frame));
                        }
                    });
                }
                // Cut, without a word.
                Some(Out::Close) | None => break,
            },
            message = socket.next() => {
                let Some(Ok(message)) = message else { break };
                let Ok(text) = message.to_text() else { continue };
                if text == "3" {
                    unanswered = 0;
                    lock(&state).pongs += 1;
                } else if text == "40" {
                    let mut state = lock(&state);
                    let hello = format!("40{}", json!({"sid": format!("socket-{id}")}));
                    _ = out.send(Out::Frame(hello));
                    state.sockets.insert(id, Socket { out: out.clone(), logged_in: false });
                    state.greet(id);
                } else if text == "41" || message.is_close() {
                    break;
                } else if let Some(body) = text.strip_prefix("42") {
                    event(&state, id, body);
                }
            }
        }
    }
    lock(&state).sockets.remove(&id);
}

/// One event of a client: the id of its ack, then name and arguments.
fn event(shared: &Shared, id: u64, body: &str) {
    let Some(start) = body.find('[') else { return };
    let (number, data) = body.split_at(start);
    let Ok(Json::Array(items)) = serde_json::from_str::<Json>(data) else {
        return;
    };
    let Some(name) = items.first().and_then(Json::as_str).map(str::to_owned) else {
        return;
    };
    let args = &items[1..];
    let mut state = lock(shared);
    state.log.push(name.clone());
    let fault = state.fault_of(&name);
    let out = state.sockets.get(&id).map(|socket| socket.out.clone());
    let close = |state: &mut State| {
        if let Some(socket) = state.sockets.remove(&id) {
            _ = socket.out.send(Out::Close);
        }
    };
    match &fault {
        Some(Fault::CutBefore) => return close(&mut state),
        Some(Fault::LandsLater(wait)) => {
            close(&mut state);
            let (wait, shared, args) = (*wait, shared.clone(), args.to_vec());
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                let mut state = lock(&shared);
                let (_, after) = state.handle(None, &name, &args);
                for (name, data) in after {
                    state.push(&name, &data);
                }
            });
            return;
        }
        Some(Fault::Refuse(text)) => {
            let refusal = json!([{"ok": false, "msg": text}]);
            if let Some(out) = out {
                _ = out.send(Out::Frame(format!("43{number}{refusal}")));
            }
            return;
        }
        _ => {}
    }
    let (mut answer, after) = state.handle(Some(id), &name, args);
    match &fault {
        Some(Fault::CutAfter) => {
            close(&mut state);
        }
        Some(Fault::RefuseAfter(text)) => answer = json!({"ok": false, "msg": text}),
        _ => {}
    }
    if let (false, Some(out)) = (number.is_empty(), out) {
        let frame = format!("43{number}{}", Json::Array(vec![answer]));
        _ = out.send(match fault {
            Some(Fault::Delay(wait)) => Out::After(wait, frame),
            _ => Out::Frame(frame),
        });
    }
    for (name, data) in after {
        state.push(&name, &data);
    }
    state.tell_rest();
}
