//! The cloud: what it has, how it behaves, and what it was asked.

mod fault;
mod job;
mod log;
mod state;

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fabrik_core::clock::{Clock, SystemClock};
use fabrik_core::error::{Error, ErrorKind, Result};
use serde_json::Value as Json;
use tokio::sync::watch;

use crate::protocol::{Answer, Ask, Thing, Write};
use job::Job;
use state::State;

pub use fault::{Does, Fault, Match};
pub use log::LogEntry;
pub(crate) use state::url_of;

/// The account that things belong to unless the configuration names another.
pub const ACCOUNT: &str = "main";

/// What a token needs.
pub const PERMISSIONS: [&str; 2] = ["things:read", "things:write"];

/// How the cloud behaves when nothing goes wrong.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// How long each request takes. A change is made half-way, so that it lands although the
    /// client went away.
    pub latency: Duration,
    /// How long a new thing stays hidden from reads.
    pub shown_after: Duration,
    /// The token that clients must show.
    pub token: Option<String>,
    /// Permissions of [`PERMISSIONS`] that the token lacks. Only said when examined.
    pub lacks: Vec<String>,
}

/// A fake cloud. Clones are handles on the same cloud.
///
/// It assigns ids, allows duplicate names where a type does not forbid them, and finishes requests
/// although their client went away.
#[derive(Clone, Debug)]
pub struct Cloud(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    behaviour: Mutex<Behaviour>,
    clock: Arc<dyn Clock>,
    under_way: watch::Sender<usize>,
    reads: Mutex<u64>,
}

impl Default for Cloud {
    fn default() -> Self {
        Cloud::new()
    }
}

/// Counts a request until it is dropped.
struct Ticket(Cloud);

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.0.under_way.send_modify(|count| *count -= 1);
    }
}

impl Cloud {
    /// An empty cloud that answers at once.
    pub fn new() -> Cloud {
        Cloud::with_clock(Arc::new(SystemClock))
    }

    /// An empty cloud whose delays go by this clock: that of the engine, in tests with a virtual
    /// one.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Cloud {
        Cloud(Arc::new(Inner {
            state: Mutex::default(),
            faults: Mutex::default(),
            behaviour: Mutex::default(),
            clock,
            under_way: watch::Sender::new(0),
            reads: Mutex::default(),
        }))
    }

    /// Sets how it behaves.
    pub fn behave(&self, behaviour: Behaviour) {
        *lock(&self.0.behaviour) = behaviour;
    }

    /// Makes requests go wrong. Of several faults that fit a request, the first is used.
    pub fn inject(&self, fault: Fault) {
        lock(&self.0.faults).push(fault);
    }

    /// Lets everything go well again.
    pub fn heal(&self) {
        lock(&self.0.faults).clear();
    }

    /// Also writes the log to a file, one JSON document on each line.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be opened.
    pub fn log_to(&self, path: &Path) -> Result<()> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("cannot open {}: {error}", path.display()),
            )
        })?;
        self.state().log.write_to(file);
        Ok(())
    }

    /// Every change made so far, in order.
    pub fn log(&self) -> Vec<LogEntry> {
        self.state().log.entries().to_vec()
    }

    /// How many requests changed something.
    pub fn writes(&self) -> usize {
        let mut requests: Vec<u64> = self.log().iter().map(|entry| entry.request).collect();
        requests.dedup();
        requests.len()
    }

    /// How many requests changed something of a group, such as a zone or a site.
    pub fn writes_of(&self, group: &str) -> usize {
        let log = self.log();
        let of = log
            .iter()
            .filter(|entry| entry.group.as_deref() == Some(group));
        let mut requests: Vec<u64> = of.map(|entry| entry.request).collect();
        requests.dedup();
        requests.len()
    }

    /// How many requests read something.
    pub fn reads(&self) -> u64 {
        *lock(&self.0.reads)
    }

    /// Every thing there is, by id, shown to clients or not.
    pub fn things(&self) -> Vec<Thing> {
        self.state().all()
    }

    /// Every thing of a type.
    pub fn of(&self, kind: &str) -> Vec<Thing> {
        let mut things = self.things();
        things.retain(|thing| thing.kind == kind);
        things
    }

    /// One thing.
    pub fn thing(&self, id: &str) -> Option<Thing> {
        self.state().get(id).cloned()
    }

    /// Makes a thing that nobody's operation made: a foreign one.
    pub fn plant(&self, kind: &str, inputs: Json) -> Thing {
        let by_name = crate::types::is_named(kind);
        self.state().plant(ACCOUNT, kind, inputs, by_name)
    }

    /// Changes an input by hand; gives whether there was such a thing.
    pub fn tamper(&self, id: &str, field: &str, value: Json) -> bool {
        self.state().tamper(id, field, value)
    }

    /// Removes a thing by hand.
    pub fn remove(&self, id: &str) -> Option<Thing> {
        self.state().remove(id)
    }

    /// Waits until no request is under way any more, landed late or not.
    pub async fn quiet(&self) {
        let mut under_way = self.0.under_way.subscribe();
        // The sender lives as long as this handle.
        let _ = under_way.wait_for(|count| *count == 0).await;
    }

    /// Answers a request. Dropping the future does not undo what was begun.
    ///
    /// # Errors
    /// Those of the request; [`ErrorKind::Timeout`] for a lost reply.
    pub async fn ask(&self, ask: Ask) -> Result<Answer> {
        Ok(match ask {
            Ask::Hello { token } => {
                self.check(token.as_deref())?;
                Answer::Ok {}
            }
            Ask::Examine {} => Answer::Lacks(self.behaviour().lacks),
            Ask::Read { account, query } => {
                *lock(&self.0.reads) += 1;
                self.pause(self.behaviour().latency).await;
                let now = self.now();
                Answer::Things(self.state().read(&account, &query, now))
            }
            Ask::Write {
                account,
                call,
                atomic,
                group,
            } => {
                let fault = self.take_fault(&call);
                let job = Job {
                    account,
                    call,
                    atomic,
                    group,
                    fault,
                };
                Answer::Written(job.run(self).await?)
            }
            Ask::Log {} => Answer::Log(self.log()),
            Ask::Things {} => Answer::Things(self.things().into_iter().map(Some).collect()),
            Ask::Quiet {} => {
                self.quiet().await;
                Answer::Ok {}
            }
            Ask::Inject(fault) => {
                self.inject(fault);
                Answer::Ok {}
            }
            Ask::Plant { kind, inputs } => Answer::Things(vec![Some(self.plant(&kind, inputs))]),
        })
    }

    fn check(&self, token: Option<&str>) -> Result<()> {
        let behaviour = self.behaviour();
        match (behaviour.token.as_deref(), token) {
            (None, _) => Ok(()),
            (Some(wanted), Some(given)) if wanted == given => Ok(()),
            (Some(_), None) => Err(Error::new(ErrorKind::Auth, "a token is needed")
                .hint("set `token`, or the variable MEMORY_TOKEN")),
            (Some(_), Some(_)) => Err(Error::new(ErrorKind::Auth, "the token is not accepted")
                .hint("look at the variable MEMORY_TOKEN")),
        }
    }

    /// The first fault that fits a call; one that is used up goes.
    fn take_fault(&self, call: &[Write]) -> Option<Fault> {
        let mut faults = lock(&self.0.faults);
        let at = faults
            .iter()
            .position(|fault| call.iter().any(|write| fault.on.fits(write)))?;
        let fault = faults[at].clone();
        faults[at].times -= 1;
        if faults[at].times == 0 {
            faults.remove(at);
        }
        Some(fault)
    }

    fn ticket(&self) -> Ticket {
        self.0.under_way.send_modify(|count| *count += 1);
        Ticket(self.clone())
    }

    fn behaviour(&self) -> Behaviour {
        lock(&self.0.behaviour).clone()
    }

    fn now(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    /// Takes its time: somebody waits for this, so that a virtual clock moves on.
    async fn pause(&self, duration: Duration) {
        if !duration.is_zero() {
            self.0.clock.sleep(duration).await;
        }
    }

    /// Waits in the background, until others have let that much time pass.
    async fn idle(&self, duration: Duration) {
        self.0.clock.idle(duration).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
