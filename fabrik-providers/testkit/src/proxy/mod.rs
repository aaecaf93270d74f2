//! A proxy between a provider and its service that counts every request and can fault it.
//!
//! It works on TCP, so it serves every transport. What it has forwarded lands although the client
//! is gone.
//!
//! ```
//! use fabrik_testkit::Wire;
//! use fabrik_testkit::proxy::{Fault, Match, Proxy};
//! use fabrik_testkit::serve::{Reply, Server};
//!
//! let service = Server::start(|_| Reply::empty(204));
//! let proxy = Proxy::start(service.address(), Wire::Http);
//! // The second write lands, but its answer is lost.
//! proxy.on(Match::write().nth(2), Fault::CutAfter);
//! assert!(proxy.log().is_empty());
//! ```

mod direct;
mod hub;
mod lines;
mod rules;
mod socket;
mod web;

use std::net::SocketAddr;
use std::sync::Arc;

use fabrik_core::clock::{Clock, SystemClock};
use fabrik_core::provider::Provider;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use hub::Hub;
pub(crate) use hub::{Answer, Recorded};
use rules::{Active, Chance};
pub use rules::{Exchange, Fault, Match};

use crate::target::Wire;

/// A running proxy; it stops when dropped. It has a thread of its own.
#[derive(Debug)]
pub struct Proxy {
    hub: Arc<Hub>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl Proxy {
    /// Starts a proxy before a service.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn start(upstream: SocketAddr, wire: Wire) -> Proxy {
        Proxy::with_clock(upstream, wire, Arc::new(SystemClock))
    }

    /// As [`Proxy::start`]; [`Fault::LandsLater`] goes by this clock.
    ///
    /// # Panics
    /// When no loopback port or thread can be had.
    pub fn with_clock(upstream: SocketAddr, wire: Wire, clock: Arc<dyn Clock>) -> Proxy {
        let hub = Arc::new(Hub::new(upstream, wire, clock));
        if wire == Wire::Direct {
            return Proxy {
                hub,
                address: upstream,
                stop: None,
            };
        }
        let listener =
            std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let (stop, stopped) = oneshot::channel();
        let kept = hub.clone();
        std::thread::Builder::new()
            .name("proxy".to_owned())
            .spawn(move || {
                tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime")
                    .block_on(async move {
                        let listener = TcpListener::from_std(listener).expect("a socket");
                        tokio::select! {
                            () = accept(&listener, kept) => {}
                            _ = stopped => {}
                        }
                    });
            })
            .expect("a thread");
        Proxy {
            hub,
            address,
            stop: Some(stop),
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// For [`Wire::Direct`]: the provider with this proxy between it and the engine.
    pub fn wrap(&self, provider: Arc<dyn Provider>) -> Arc<dyn Provider> {
        direct::wrap(self.hub.clone(), provider)
    }

    /// Says which exchanges change nothing, where the wire does not tell (a POST that reads, a
    /// socket message). Without it: safe HTTP methods, calls that are not `apply`, and no message.
    pub fn reads(&self, reads: impl Fn(&Exchange) -> bool + Send + Sync + 'static) {
        self.hub.with(|state| state.reads = Some(Arc::new(reads)));
    }

    /// Makes exchanges go wrong. Of several rules that fit, the one set first is used.
    pub fn on(&self, on: Match, fault: Fault) {
        self.hub
            .with(|state| state.rules.push(Active::new(on, fault)));
    }

    /// Makes a share (0 to 1) of all exchanges go wrong, drawn from these faults. The same seed
    /// draws the same sequence.
    pub fn random(&self, seed: u64, share: f64, faults: &[Fault]) {
        self.hub.with(|state| {
            state.chance = Some(Chance {
                state: seed,
                share,
                faults: faults.to_vec(),
            });
        });
    }

    /// Lets everything go well again. What is to land later still lands.
    pub fn heal(&self) {
        self.hub.with(|state| {
            state.rules.clear();
            state.chance = None;
        });
    }

    /// Every exchange so far, in the order of arrival.
    pub fn log(&self) -> Vec<Exchange> {
        self.hub.with(|state| state.log.clone())
    }

    /// Exchanges after a number of them (see [`Proxy::seen`]).
    pub fn since(&self, seen: usize) -> Vec<Exchange> {
        self.hub
            .with(|state| state.log.get(seen..).unwrap_or_default().to_vec())
    }

    /// How many exchanges there were.
    pub fn seen(&self) -> usize {
        self.hub.with(|state| state.log.len())
    }

    /// How many exchanges may have changed something.
    pub fn writes(&self) -> usize {
        self.hub
            .with(|state| state.log.iter().filter(|one| one.write).count())
    }

    /// How many connections clients made.
    pub fn connections(&self) -> u64 {
        self.hub.with(|state| state.connections)
    }

    /// The most exchanges that were under way at once.
    pub fn most_at_once(&self) -> usize {
        self.hub.with(|state| state.most)
    }

    /// Waits until nothing is under way and nothing is to land any more; at most two seconds.
    pub async fn quiet(&self) {
        self.hub.quiet().await;
    }

    /// Adds a header to every answer of the service.
    pub(crate) fn stamp(&self, name: &str, value: &str) {
        self.hub
            .with(|state| state.stamp = Some((name.to_owned(), value.to_owned())));
    }

    /// Keeps what is asked and answered, for cassettes.
    pub(crate) fn record(&self) {
        self.hub.with(|state| state.recording = Some(Vec::new()));
    }

    /// What was kept.
    pub(crate) fn recorded(&self) -> Vec<Recorded> {
        self.hub
            .with(|state| state.recording.clone().unwrap_or_default())
    }

    /// Answers from what was kept, without a service.
    pub(crate) fn replay(&self, recorded: Vec<Recorded>) {
        self.hub.with(|state| state.replay = Some(recorded));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            let _ = stop.send(());
        }
    }
}

async fn accept(listener: &TcpListener, hub: Arc<Hub>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            continue;
        };
        // Small messages, and many of them.
        let _ = stream.set_nodelay(true);
        let connection = hub.with(|state| {
            state.connections += 1;
            state.connections
        });
        let hub = hub.clone();
        tokio::spawn(async move {
            match hub.wire {
                Wire::Lines => lines::serve(hub, stream, connection).await,
                _ => web::serve(hub, stream, connection).await,
            }
        });
    }
}
