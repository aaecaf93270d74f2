//! What every wire shares: the log, the rules, and what a fault means.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fabrik_core::clock::{BoxFuture, Clock};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::rules::{Active, Chance, Exchange, Fault, PAGE};
use crate::target::Wire;

/// An answer of the service, or instead of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// An exchange with its answer, for cassettes.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) answer: Answer,
}

/// What the client gets.
#[derive(Debug)]
pub(super) enum Met<A> {
    /// The service's answer.
    Answer(A),
    /// Another one.
    Instead(Answer),
    /// The beginning of the service's answer, then a cut.
    Part(A, usize),
    /// What was answered before.
    Stale,
    /// Nothing: the connection is cut.
    Cut,
}

struct Late {
    due: Timestamp,
    land: BoxFuture<'static, ()>,
}

type Reads = Arc<dyn Fn(&Exchange) -> bool + Send + Sync>;

#[derive(Default)]
pub(super) struct State {
    pub(super) rules: Vec<Active>,
    pub(super) chance: Option<Chance>,
    pub(super) log: Vec<Exchange>,
    pub(super) reads: Option<Reads>,
    pub(super) connections: u64,
    pub(super) most: usize,
    pub(super) stamp: Option<(String, String)>,
    pub(super) recording: Option<Vec<Recorded>>,
    pub(super) replay: Option<Vec<Recorded>>,
    under_way: usize,
    landing: usize,
    late: Vec<Late>,
    answered: HashMap<String, Answer>,
}

pub(super) struct Hub {
    pub(super) upstream: SocketAddr,
    pub(super) wire: Wire,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("upstream", &self.upstream)
            .field("wire", &self.wire)
            .finish_non_exhaustive()
    }
}

/// An exchange under way; ends when dropped.
pub(super) struct Ticket {
    hub: Arc<Hub>,
    number: u64,
    status: Option<u16>,
}

impl Ticket {
    pub(super) fn answered(mut self, status: u16) {
        self.status = Some(status);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let status = self.status;
        let at = usize::try_from(self.number - 1).unwrap_or(usize::MAX);
        self.hub.with(|state| {
            state.under_way -= 1;
            if let Some(exchange) = state.log.get_mut(at) {
                exchange.status = status;
            }
        });
    }
}

/// Counts what is on its way to landing.
struct Landing(Arc<Hub>);

impl Landing {
    fn new(hub: &Arc<Hub>) -> Landing {
        hub.with(|state| state.landing += 1);
        Landing(hub.clone())
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.0.with(|state| state.landing -= 1);
    }
}

impl Hub {
    pub(super) fn new(upstream: SocketAddr, wire: Wire, clock: Arc<dyn Clock>) -> Hub {
        Hub {
            upstream,
            wire,
            clock,
            state: Mutex::default(),
        }
    }

    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        work(&mut self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an exchange (its `write` is what the wire thinks) and finds the fault it meets.
    pub(super) fn begin(self: &Arc<Hub>, mut exchange: Exchange) -> (Ticket, Option<Fault>) {
        self.with(|state| {
            exchange.number = u64::try_from(state.log.len()).unwrap_or_default() + 1;
            // Opening a socket changes nothing, whatever its messages do.
            let opens = exchange.kind == super::socket::UPGRADE;
            if let Some(reads) = state.reads.as_ref().filter(|_| !opens) {
                exchange.write = !reads(&exchange);
            }
            let mut met = None;
            for rule in &mut state.rules {
                let fault = rule.meet(&exchange);
                met = met.or(fault);
            }
            if met.is_none()
                && let Some(chance) = &mut state.chance
            {
                met = chance.draw();
            }
            exchange.fault = met.as_ref().map(Fault::word);
            state.under_way += 1;
            state.most = state.most.max(state.under_way);
            let ticket = Ticket {
                hub: self.clone(),
                number: exchange.number,
                status: None,
            };
            state.log.push(exchange);
            (ticket, met)
        })
    }

    /// Carries an exchange out, with its fault. What is forwarded has a task of its own, so it
    /// lands although this future is dropped.
    pub(super) async fn carry<A: Send + 'static>(
        self: &Arc<Hub>,
        fault: Option<Fault>,
        forward: BoxFuture<'static, A>,
    ) -> Met<A> {
        let answer = match fault {
            None => return self.land(forward).await.map_or(Met::Cut, Met::Answer),
            Some(Fault::CutBefore) => return Met::Cut,
            Some(Fault::CutAfter) => {
                self.land(forward).await;
                return Met::Cut;
            }
            Some(Fault::LandsLater(delay)) => {
                self.later(delay, forward);
                return Met::Cut;
            }
            Some(Fault::LandsAfterDeath) => {
                self.after_death(forward).await;
                return Met::Cut;
            }
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                return self.land(forward).await.map_or(Met::Cut, Met::Answer);
            }
            Some(Fault::Truncate(bytes)) => {
                let answer = self.land(forward).await;
                return answer.map_or(Met::Cut, |answer| Met::Part(answer, bytes));
            }
            Some(Fault::Stale) => return Met::Stale,
            Some(Fault::Html) => Answer {
                status: 200,
                headers: vec![(
                    "content-type".to_owned(),
                    "text/html; charset=utf-8".to_owned(),
                )],
                body: Bytes::from_static(PAGE.as_bytes()),
            },
            Some(Fault::Status {
                status,
                headers,
                body,
                forward: lands,
            }) => {
                if lands {
                    self.land(forward).await;
                }
                Answer {
                    status,
                    headers,
                    body: Bytes::from(body),
                }
            }
        };
        Met::Instead(answer)
    }

    /// Forwards in a task of its own, after whatever was to land before now.
    async fn land<A: Send + 'static>(self: &Arc<Hub>, forward: BoxFuture<'static, A>) -> Option<A> {
        let landing = Landing::new(self);
        let hub = self.clone();
        let task = tokio::spawn(async move {
            hub.deliver_due().await;
            let answer = forward.await;
            drop(landing);
            answer
        });
        task.await.ok()
    }

    fn later<A: Send + 'static>(self: &Arc<Hub>, delay: Duration, forward: BoxFuture<'static, A>) {
        let now = self.clock.now();
        let landing = Landing::new(self);
        let late = Late {
            due: now.checked_add(delay).unwrap_or(now),
            land: Box::pin(async move {
                forward.await;
                drop(landing);
            }),
        };
        self.with(|state| state.late.push(late));
        let hub = self.clone();
        tokio::spawn(async move {
            hub.clock.idle(delay).await;
            hub.deliver_due().await;
        });
    }

    /// Whoever asks something later finds what was due before done: a virtual clock may run far
    /// ahead of the background task.
    pub(super) async fn deliver_due(&self) {
        let now = self.clock.now();
        let due: Vec<Late> = self.with(|state| {
            let late = std::mem::take(&mut state.late);
            let (due, rest) = late.into_iter().partition(|late| late.due <= now);
            state.late = rest;
            due
        });
        for late in due {
            late.land.await;
        }
    }

    /// Waits until the client is gone, which drops this future; then it lands.
    async fn after_death<A: Send + 'static>(self: &Arc<Hub>, forward: BoxFuture<'static, A>) {
        let (alive, dead) = oneshot::channel::<()>();
        let landing = Landing::new(self);
        tokio::spawn(async move {
            // Nobody sends: it ends when the other half is dropped.
            let _ = dead.await;
            forward.await;
            drop(landing);
        });
        std::future::pending::<()>().await;
        drop(alive);
    }

    pub(super) async fn quiet(&self) {
        let begun = Instant::now();
        while self.with(|state| state.under_way > 0 || state.landing > 0)
            && begun.elapsed() < Duration::from_secs(2)
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Keeps what the service answered, for [`Fault::Stale`].
    pub(super) fn remember(&self, key: &str, answer: &Answer) {
        self.with(|state| state.answered.insert(key.to_owned(), answer.clone()));
    }

    /// Keeps what the service answered, for cassettes; whether or not the client learns of it.
    pub(super) fn keep(&self, exchange: &Exchange, answer: &Answer) {
        self.with(|state| {
            if let Some(recording) = &mut state.recording {
                recording.push(Recorded {
                    kind: exchange.kind.clone(),
                    path: exchange.path.clone(),
                    query: exchange.query.clone(),
                    body: exchange.body.clone(),
                    answer: answer.clone(),
                });
            }
        });
    }

    /// What was answered before, or that there is nothing.
    pub(super) fn stale(&self, key: &str) -> Answer {
        let kept = self.with(|state| state.answered.get(key).cloned());
        kept.unwrap_or_else(|| Answer {
            status: 404,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from_static(br#"{"message":"Not found."}"#),
        })
    }

    /// From a recording: the first that fits and was not used yet, by body where bodies differ.
    pub(super) fn replayed(&self, exchange: &Exchange) -> Option<Answer> {
        self.with(|state| {
            let tape = state.replay.as_mut()?;
            let same = |one: &Recorded| {
                one.kind == exchange.kind
                    && one.path == exchange.path
                    && one.query == exchange.query
            };
            let exact = |one: &Recorded| same(one) && one.body == exchange.body;
            let at = tape
                .iter()
                .position(exact)
                .or_else(|| tape.iter().position(same));
            Some(match at {
                Some(at) => tape.remove(at).answer,
                None => Answer {
                    status: 599,
                    headers: Vec::new(),
                    body: Bytes::from_static(b"not in the cassette"),
                },
            })
        })
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.with(|state| state.replay.is_some())
    }

    pub(super) fn stamped(&self) -> Option<(String, String)> {
        self.with(|state| state.stamp.clone())
    }
}
