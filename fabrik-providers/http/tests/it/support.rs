//! What the tests share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fabrik_core::clock::{BoxFuture, Clock, VirtualClock};
use fabrik_core::error::Result;
use fabrik_core::provider::{Checkpoints, Cx, Object, OpId, Progress, StopHandle, StopSignal};
use fabrik_core::secrets::Secret;
use fabrik_http::{Auth, HttpConfig};
use fabrik_testkit::serve::{Reply, Request, Server};
use jiff::Timestamp;

pub(crate) const TOKEN: &str = "tok-canary-0123456789";

/// When virtual time begins.
pub(crate) fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A context in virtual time, and what was said in it.
pub(crate) struct Stage {
    pub(crate) clock: VirtualClock,
    pub(crate) stop: StopHandle,
    signal: StopSignal,
    pub(crate) said: Arc<Said>,
}

#[derive(Default)]
pub(crate) struct Said(pub(crate) Mutex<Vec<Progress>>);

impl Checkpoints for Said {
    fn save(&self, _: OpId, _: Object) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
    fn progress(&self, _: Option<OpId>, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let (stop, signal) = StopHandle::new();
        Stage {
            clock: VirtualClock::at(start()),
            stop,
            signal,
            said: Arc::default(),
        }
    }

    pub(crate) fn cx(&self) -> Cx {
        Cx::new(Arc::new(self.clock.clone()), self.signal.clone()).with_sink(self.said.clone())
    }

    /// A context whose operation has so long.
    pub(crate) fn within(&self, budget: Duration) -> Cx {
        self.cx()
            .with_deadline(self.clock.now().checked_add(budget).unwrap())
    }

    /// Virtual seconds that have gone by.
    pub(crate) fn seconds(&self) -> f64 {
        self.clock.now().duration_since(start()).as_secs_f64()
    }

    /// Statuses and attempts of the requests reported.
    pub(crate) fn http(&self) -> Vec<(String, Option<u16>, u32)> {
        let said = self.said.0.lock().unwrap();
        said.iter()
            .filter_map(|progress| match progress {
                Progress::Http {
                    route,
                    status,
                    attempt,
                    ..
                } => Some((route.clone(), *status, *attempt)),
                _ => None,
            })
            .collect()
    }
}

/// A configuration for a server, with a token.
pub(crate) fn config(url: &str) -> HttpConfig {
    HttpConfig::new("acme", "1.2.3", url)
        .unwrap()
        .auth(Auth::bearer(&Secret::from(TOKEN)))
}

/// A server that gives these replies one after another, then the last for ever.
pub(crate) fn script(replies: Vec<Reply>) -> Server {
    let replies = Mutex::new(replies);
    Server::start(move |_: &Request| {
        let mut replies = replies.lock().unwrap();
        if replies.len() > 1 {
            replies.remove(0)
        } else {
            replies[0].clone()
        }
    })
}
