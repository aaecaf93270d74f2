//! Whether anyone talks to the agent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Counts clients and knows when the last one left.
#[derive(Clone, Debug)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    clients: usize,
    since: Instant,
}

/// A client that is being answered, until this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket(Activity);

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            clients: 0,
            since: Instant::now(),
        })))
    }

    pub(crate) fn begin(&self) -> Ticket {
        self.change(|state| state.clients += 1);
        Ticket(self.clone())
    }

    /// Starts the time of rest anew.
    pub(crate) fn touch(&self) {
        self.change(|_| {});
    }

    /// How long nobody has talked to the agent.
    pub(crate) fn resting(&self) -> Duration {
        self.change_silently(|state| match state.clients {
            0 => state.since.elapsed(),
            _ => Duration::ZERO,
        })
    }

    /// Waits until nobody is being answered.
    pub(crate) async fn silent(&self) {
        while self.change_silently(|state| state.clients > 0) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.change_silently(|state| {
            change(state);
            state.since = Instant::now();
        });
    }

    fn change_silently<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.change(|state| state.clients -= 1);
    }
}
