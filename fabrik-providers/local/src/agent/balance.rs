//! Which process answers a request.
//!
//! Choosing a process and counting the request are one step under the lock that a switch takes
//! too. So once a switch is done, the count of the older generation only falls, and a count of
//! zero means that nothing is on its way to it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

/// A process that answers requests.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) port: u16,
    healthy: AtomicBool,
    in_flight: AtomicUsize,
}

impl Backend {
    pub(crate) fn new(port: u16) -> Arc<Self> {
        Arc::new(Self {
            port,
            healthy: AtomicBool::new(true),
            in_flight: AtomicUsize::new(0),
        })
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }
}

/// The place of one instance in its generation.
#[derive(Clone, Debug)]
pub(crate) enum Slot {
    /// Comes up, for the first time or again.
    Coming,
    /// Answers.
    Up(Arc<Backend>),
    /// Stays down.
    Down,
}

/// The processes of one generation.
#[derive(Debug)]
pub(crate) struct Pool {
    slots: Mutex<Vec<Slot>>,
    turn: AtomicUsize,
    in_flight: AtomicUsize,
    idle: Notify,
    changed: Arc<watch::Sender<()>>,
}

impl Pool {
    /// Sets the place of one instance.
    pub(crate) fn set(&self, index: u32, slot: Slot) {
        if let Some(place) = lock(&self.slots).get_mut(index as usize) {
            *place = slot;
        }
        self.changed.send_replace(());
    }

    pub(crate) fn in_flight_of(&self, index: u32) -> usize {
        match lock(&self.slots).get(index as usize) {
            Some(Slot::Up(backend)) => backend.in_flight(),
            _ => 0,
        }
    }

    /// Waits until no request is being answered.
    pub(crate) async fn drained(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.in_flight.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// The next process in turn, not one of the ports that were tried; one that failed its last
    /// probes only if there is no other.
    fn pick(&self, tried: &[u16]) -> Choice {
        let slots = lock(&self.slots);
        let up: Vec<&Arc<Backend>> = slots
            .iter()
            .filter_map(|slot| match slot {
                Slot::Up(backend) => Some(backend),
                Slot::Coming | Slot::Down => None,
            })
            .collect();
        let open: Vec<_> = up
            .iter()
            .filter(|backend| !tried.contains(&backend.port))
            .collect();
        let good: Vec<_> = open
            .iter()
            .filter(|backend| backend.healthy.load(Ordering::Relaxed))
            .collect();
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let chosen = match (good.len(), open.len()) {
            (0, 0) => None,
            (0, count) => open.get(turn % count).copied(),
            (count, _) => good.get(turn % count).map(|backend| **backend),
        };
        match chosen {
            Some(backend) => Choice::Use(Arc::clone(backend)),
            None if !up.is_empty() => Choice::AllTried,
            None if slots.iter().any(|slot| matches!(slot, Slot::Coming)) => Choice::Wait,
            None => Choice::Nothing,
        }
    }
}

enum Choice {
    Use(Arc<Backend>),
    AllTried,
    Wait,
    Nothing,
}

/// The generation of a service that gets the requests.
#[derive(Debug)]
pub(crate) struct Upstream {
    live: Mutex<Live>,
    changed: Arc<watch::Sender<()>>,
}

#[derive(Debug)]
enum Live {
    Nothing,
    /// The old generation had to go before the new one could come.
    Switching,
    Pool(Arc<Pool>),
}

impl Upstream {
    pub(crate) fn new() -> Arc<Self> {
        let changed = Arc::new(watch::Sender::new(()));
        Arc::new(Self {
            live: Mutex::new(Live::Nothing),
            changed,
        })
    }

    /// A pool for a generation, not used yet.
    pub(crate) fn pool(&self, instances: u32) -> Arc<Pool> {
        Arc::new(Pool {
            slots: Mutex::new(vec![Slot::Coming; instances as usize]),
            turn: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            idle: Notify::new(),
            changed: Arc::clone(&self.changed),
        })
    }

    /// Sends the requests to this pool from now on.
    pub(crate) fn switch(&self, pool: Arc<Pool>) {
        self.set(Live::Pool(pool));
    }

    /// Lets requests wait for the next switch.
    pub(crate) fn hold(&self) {
        self.set(Live::Switching);
    }

    /// Answers no more requests.
    pub(crate) fn clear(&self) {
        self.set(Live::Nothing);
    }

    fn set(&self, live: Live) {
        *lock(&self.live) = live;
        self.changed.send_replace(());
    }

    fn choose(&self, tried: &[u16]) -> Result<Lease, Choice> {
        let live = lock(&self.live);
        match &*live {
            Live::Nothing => Err(Choice::Nothing),
            Live::Switching => Err(Choice::Wait),
            Live::Pool(pool) => match pool.pick(tried) {
                Choice::Use(backend) => {
                    pool.in_flight.fetch_add(1, Ordering::AcqRel);
                    backend.in_flight.fetch_add(1, Ordering::Relaxed);
                    Ok(Lease {
                        pool: Arc::clone(pool),
                        backend,
                    })
                }
                other => Err(other),
            },
        }
    }

    /// Chooses a process for a request, waiting until `deadline` for one that is coming. `None`
    /// if there is none and none is coming.
    pub(crate) async fn lease(&self, tried: &mut Vec<u16>, deadline: Instant) -> Option<Lease> {
        /// A process that refuses connections is about to be noticed as ended.
        const RETRY: Duration = Duration::from_millis(50);
        let mut changes = self.changed.subscribe();
        loop {
            changes.mark_unchanged();
            let until = match self.choose(tried) {
                Ok(lease) => return Some(lease),
                Err(Choice::Nothing) => return None,
                Err(Choice::AllTried) => {
                    tried.clear();
                    deadline.min(Instant::now() + RETRY)
                }
                Err(Choice::Wait | Choice::Use(_)) => deadline,
            };
            if Instant::now() >= deadline {
                return None;
            }
            let _ = timeout_at(until, changes.changed()).await;
        }
    }
}

/// The right to send one request to a process; the request counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<Pool>,
    backend: Arc<Backend>,
}

impl Lease {
    pub(crate) fn port(&self) -> u16 {
        self.backend.port
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.backend.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.pool.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.pool.idle.notify_waiters();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Backend, Slot, Upstream};

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn takes_turns_and_prefers_the_healthy() {
        let upstream = Upstream::new();
        let pool = upstream.pool(2);
        let (a, b) = (Backend::new(1), Backend::new(2));
        pool.set(0, Slot::Up(a.clone()));
        pool.set(1, Slot::Up(b));
        upstream.switch(pool);
        let mut ports = Vec::new();
        for _ in 0..4 {
            ports.push(
                upstream
                    .lease(&mut Vec::new(), soon())
                    .await
                    .unwrap()
                    .port(),
            );
        }
        ports.sort_unstable();
        assert_eq!(ports, [1, 1, 2, 2]);
        a.set_healthy(false);
        for _ in 0..3 {
            assert_eq!(
                upstream
                    .lease(&mut Vec::new(), soon())
                    .await
                    .unwrap()
                    .port(),
                2
            );
        }
        assert_eq!(
            upstream.lease(&mut vec![2], soon()).await.unwrap().port(),
            1
        );
    }

    #[tokio::test]
    async fn drains_when_the_last_request_ends() {
        let upstream = Upstream::new();
        let pool = upstream.pool(1);
        pool.set(0, Slot::Up(Backend::new(1)));
        upstream.switch(pool.clone());
        let lease = upstream.lease(&mut Vec::new(), soon()).await.unwrap();
        let drained = tokio::spawn(async move { pool.drained().await });
        tokio::task::yield_now().await;
        assert!(!drained.is_finished());
        drop(lease);
        drained.await.unwrap();
    }

    #[tokio::test]
    async fn waits_for_what_comes_and_not_for_what_stays_down() {
        let upstream = Upstream::new();
        assert!(upstream.lease(&mut Vec::new(), soon()).await.is_none());
        let pool = upstream.pool(1);
        upstream.switch(pool.clone());
        let waiting = {
            let upstream = upstream.clone();
            let deadline = Instant::now() + Duration::from_mins(1);
            tokio::spawn(async move { upstream.lease(&mut Vec::new(), deadline).await })
        };
        tokio::task::yield_now().await;
        pool.set(0, Slot::Up(Backend::new(7)));
        assert_eq!(waiting.await.unwrap().unwrap().port(), 7);
        pool.set(0, Slot::Down);
        assert!(upstream.lease(&mut Vec::new(), soon()).await.is_none());
    }
}
