//! Lines of text, a request and a reply in turn.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;

use super::hub::{Answer, Hub, Met};
use super::rules::Exchange;

/// The connection to the service, made when it is first needed.
type Upstream = Arc<Mutex<Option<(BufReader<OwnedReadHalf>, OwnedWriteHalf)>>>;

pub(super) async fn serve(hub: Arc<Hub>, stream: TcpStream, connection: u64) {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let upstream = Upstream::default();
    loop {
        let mut line = Vec::new();
        match reader.read_until(b'\n', &mut line).await {
            Ok(count) if count > 0 && line.ends_with(b"\n") => {}
            _ => return,
        }
        // Who goes away is noticed while an answer is awaited: that is what "after death" means.
        let answered = {
            let one = one(&hub, Bytes::from(line), connection, &upstream);
            let gone = reader.fill_buf();
            tokio::select! {
                biased;
                answer = one => answer,
                _ = gone => None,
            }
        };
        let Some((bytes, goes_on)) = answered else {
            return;
        };
        if writer.write_all(&bytes).await.is_err() || !goes_on {
            return;
        }
    }
}

/// The bytes to send and whether the connection lives on; `None` cuts it.
async fn one(
    hub: &Arc<Hub>,
    line: Bytes,
    connection: u64,
    upstream: &Upstream,
) -> Option<(Bytes, bool)> {
    let (kind, path) = name_of(&line);
    let exchange = Exchange {
        number: 0,
        connection,
        kind,
        path,
        query: String::new(),
        headers: Vec::new(),
        body: line.clone(),
        write: true,
        status: None,
        fault: None,
    };
    let (ticket, fault) = hub.begin(exchange.clone());
    let key = String::from_utf8_lossy(&line).into_owned();
    let forward = {
        let (hub, exchange, upstream) = (hub.clone(), exchange.clone(), upstream.clone());
        Box::pin(async move {
            if hub.is_replaying() {
                return hub.replayed(&exchange);
            }
            let answer = Answer {
                status: 200,
                headers: Vec::new(),
                body: ask(&hub, &line, &upstream).await?,
            };
            hub.keep(&exchange, &answer);
            Some(answer)
        })
    };
    let ended = |mut bytes: Vec<u8>| {
        if !bytes.ends_with(b"\n") {
            bytes.push(b'\n');
        }
        Bytes::from(bytes)
    };
    match hub.carry(fault, forward).await {
        Met::Answer(answer) => {
            let answer = answer?;
            hub.remember(&key, &answer);
            ticket.answered(answer.status);
            Some((answer.body, true))
        }
        Met::Instead(answer) => {
            ticket.answered(answer.status);
            Some((ended(answer.body.to_vec()), true))
        }
        Met::Stale => {
            let answer = hub.stale(&key);
            ticket.answered(answer.status);
            Some((ended(answer.body.to_vec()), true))
        }
        Met::Part(answer, bytes) => {
            let body = answer?.body;
            Some((body.slice(..bytes.min(body.len().saturating_sub(1))), false))
        }
        Met::Cut => None,
    }
}

async fn ask(hub: &Hub, line: &[u8], upstream: &Upstream) -> Option<Bytes> {
    let mut upstream = upstream.lock().await;
    if upstream.is_none() {
        let stream = TcpStream::connect(hub.upstream).await.ok()?;
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        *upstream = Some((BufReader::new(reader), writer));
    }
    let (reader, writer) = upstream.as_mut()?;
    writer.write_all(line).await.ok()?;
    let mut reply = Vec::new();
    reader.read_until(b'\n', &mut reply).await.ok()?;
    reply.ends_with(b"\n").then(|| Bytes::from(reply))
}

/// What a message is, where it is JSON: `{"method": "x"}`, `{"type": "x"}` or `{"x": …}`.
fn name_of(line: &[u8]) -> (String, String) {
    let json: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    let name = json.as_ref().and_then(|json| {
        let map = json.as_object()?;
        ["method", "type", "event", "op"]
            .iter()
            .find_map(|key| map.get(*key)?.as_str())
            .or_else(|| map.keys().next().map(String::as_str))
    });
    let name = name.unwrap_or("message").to_owned();
    (name.clone(), name)
}
