//! A name server on loopback, over UDP: what it knows is what a function says.
//!
//! ```
//! use fabrik_fakes::names::NameServer;
//!
//! let server = NameServer::start(|name| {
//!     (name == "a.test").then(|| vec![("A".to_owned(), "192.0.2.1".to_owned())])
//! });
//! assert!(server.address().ip().is_loopback());
//! ```

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between looks whether it is to end.
const TICK: Duration = Duration::from_millis(20);
/// Codes of the types it speaks, by name.
const TYPES: &[(&str, u16)] = &[("A", 1), ("CNAME", 5), ("TXT", 16), ("AAAA", 28)];

/// A running name server; it stops when dropped.
#[derive(Debug)]
pub struct NameServer {
    address: SocketAddr,
    over: Arc<AtomicBool>,
}

impl NameServer {
    /// Starts a server that asks `lookup` for the records of each name, given in lower case without
    /// a dot at its end: pairs of type (`A`, `AAAA`, `CNAME`, `TXT`) and value; `None` when there is
    /// no such name. Aliases are followed, as resolvers do.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn start(
        lookup: impl Fn(&str) -> Option<Vec<(String, String)>> + Send + 'static,
    ) -> NameServer {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        socket.set_read_timeout(Some(TICK)).expect("a socket");
        let address = socket.local_addr().expect("a bound socket");
        let over = Arc::new(AtomicBool::new(false));
        let ends = over.clone();
        std::thread::Builder::new()
            .name("names".to_owned())
            .spawn(move || {
                let mut buffer = [0; 512];
                while !ends.load(Ordering::Relaxed) {
                    let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
                        continue;
                    };
                    if let Some(reply) = answer(&buffer[..length], &lookup) {
                        // Who asked may be gone.
                        _ = socket.send_to(&reply, peer);
                    }
                }
            })
            .expect("a thread");
        NameServer { address, over }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

type Lookup<'a> = &'a dyn Fn(&str) -> Option<Vec<(String, String)>>;

fn answer(query: &[u8], lookup: Lookup<'_>) -> Option<Vec<u8>> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = query.get(at..at + length)?;
        labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
        at += length;
    }
    let question = query.get(12..at + 4)?;
    let wanted = u16::from_be_bytes([question[question.len() - 4], question[question.len() - 3]]);
    let mut name = labels.join(".");
    let mut records = Vec::new();
    let mut known = false;
    // A chain of aliases that is longer is a loop.
    for _ in 0..8 {
        let Some(found) = lookup(&name) else { break };
        known = true;
        let of = |code: u16| {
            let has = move |kind: &str| {
                TYPES
                    .iter()
                    .any(|(word, own)| *word == kind && *own == code)
            };
            found.iter().filter(move |(kind, _)| has(kind))
        };
        records.extend(
            of(wanted).filter_map(|(_, value)| Some((name.clone(), wanted, data(wanted, value)?))),
        );
        let alias = of(5).next().filter(|_| wanted != 5);
        let Some((_, target)) = alias else { break };
        records.push((name.clone(), 5, data(5, target)?));
        name = target.trim_end_matches('.').to_ascii_lowercase();
    }
    let mut reply = query[..2].to_vec();
    reply.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1]);
    reply.extend(u16::try_from(records.len()).ok()?.to_be_bytes());
    reply.extend([0; 4]);
    reply.extend_from_slice(question);
    for (owner, kind, data) in records {
        reply.extend(wire_name(&owner));
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
        reply.extend(data);
    }
    Some(reply)
}

fn data(code: u16, value: &str) -> Option<Vec<u8>> {
    match (code, value.parse::<IpAddr>()) {
        (1, Ok(IpAddr::V4(ip))) => Some(ip.octets().to_vec()),
        (28, Ok(IpAddr::V6(ip))) => Some(ip.octets().to_vec()),
        (5, _) => Some(wire_name(value)),
        (16, _) => {
            let text = value.trim_matches('"').as_bytes();
            let mut data = vec![u8::try_from(text.len()).ok()?];
            data.extend_from_slice(text);
            Some(data)
        }
        _ => None,
    }
}

fn wire_name(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(u8::try_from(label.len().min(63)).unwrap_or_default());
        out.extend(label.bytes().take(63));
    }
    out.push(0);
    out
}
