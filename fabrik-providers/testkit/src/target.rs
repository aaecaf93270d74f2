//! What a suite runs against: a service that is already running.

use std::net::SocketAddr;

use serde_json::Value as Json;

/// A running service, and how a provider is pointed at it. It ends when it is dropped.
///
/// Usually a stateful fake ([`crate::serve`]) with methods of its own for what a human does in the
/// service by hand (edit, remove, add); the closures of the suite's samples get it as it is.
pub trait Target: Send + Sync + 'static {
    /// Where the service listens; the suite puts its proxy before it. Not used for
    /// [`Wire::Direct`].
    fn address(&self) -> SocketAddr;

    /// The provider's configuration, with its endpoint at this address and good credentials.
    /// Credentials should be texts of at least eight characters that occur nowhere else: the suite
    /// looks for them in logs and messages.
    fn config(&self, at: SocketAddr) -> Json;

    /// Everything the service has, in a stable order, without what changes by itself: to see that
    /// nothing is left and that the world is as before.
    fn dump(&self) -> Json;

    /// How many objects of a type the service has: to see duplicates.
    fn count(&self, type_name: &str) -> usize;

    /// How the provider talks to it.
    fn wire(&self) -> Wire {
        Wire::Http
    }
}

/// How a provider talks to its service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.1; each request is an exchange.
    #[default]
    Http,
    /// A WebSocket, possibly speaking socket.io (events and acknowledgements); each message of the
    /// client is an exchange.
    WebSocket,
    /// Lines of text, a request and a reply in turn.
    Lines,
    /// Not TCP (a process, a file): faults are injected between engine and provider, and each call
    /// to the provider is an exchange.
    Direct,
}

impl Wire {
    /// Its name in messages.
    pub fn word(self) -> &'static str {
        match self {
            Wire::Http => "HTTP",
            Wire::WebSocket => "a WebSocket",
            Wire::Lines => "lines over TCP",
            Wire::Direct => "no network",
        }
    }
}
