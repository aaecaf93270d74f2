//! What a provider gets with each call.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Object, OpId};
use crate::clock::{BoxFuture, Clock, SystemClock};
use crate::error::{Error, ErrorKind, Result};

/// How a run is asked to stop; each is stronger than the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stop {
    /// Not at all.
    #[default]
    No,
    /// Start nothing new, finish what is in flight.
    Graceful,
    /// Drop what is in flight; it is recorded as in doubt.
    Now,
}

/// The receiving end of a stop request.
#[derive(Clone, Debug)]
pub struct StopSignal(watch::Receiver<Stop>);

/// The sending end of a stop request.
#[derive(Clone, Debug)]
pub struct StopHandle(Arc<watch::Sender<Stop>>);

impl StopHandle {
    /// A handle and its signal.
    pub fn new() -> (StopHandle, StopSignal) {
        let (sender, receiver) = watch::channel(Stop::No);
        (StopHandle(Arc::new(sender)), StopSignal(receiver))
    }

    /// Start nothing new, finish what is in flight, save, end.
    pub fn graceful(&self) {
        self.raise(Stop::Graceful);
    }

    /// Drop what is in flight and end; what was dropped is recorded as in doubt.
    pub fn now(&self) {
        self.raise(Stop::Now);
    }

    /// One step stronger than before: graceful first, then now.
    pub fn escalate(&self) -> Stop {
        let next = if *self.0.borrow() == Stop::No {
            Stop::Graceful
        } else {
            Stop::Now
        };
        self.raise(next);
        next
    }

    fn raise(&self, stop: Stop) {
        self.0.send_if_modified(|current| {
            let stronger = stop > *current;
            if stronger {
                *current = stop;
            }
            stronger
        });
    }
}

impl StopSignal {
    /// A signal that never comes.
    pub fn never() -> StopSignal {
        StopHandle::new().1
    }

    /// What was asked for so far.
    pub fn state(&self) -> Stop {
        *self.0.borrow()
    }

    /// Waits until at least this was asked for; for ever when the handle is gone.
    pub async fn reached(&mut self, stop: Stop) {
        if self.0.wait_for(|state| *state >= stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// What a provider says while it works. Shown to the user after secrets are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A phase has begun or goes on: "building image, step 4/9".
    Note(String),
    /// How far along, 0 to 100.
    Percent(u8),
    /// A line of a build or service log.
    Log(String),
    /// A request to the service, for `-v` and metrics: method, route template, status, duration.
    Http {
        /// Method.
        method: String,
        /// Route template without ids.
        route: String,
        /// Status, when there was an answer.
        status: Option<u16>,
        /// Milliseconds it took.
        millis: u64,
        /// Attempt, from 1.
        attempt: u32,
    },
}

/// Makes a checkpoint durable.
pub trait Checkpoints: Send + Sync {
    /// Records what exists now; returns once it is durable.
    fn save(&self, op: OpId, object: Object) -> BoxFuture<'_, Result<()>>;
    /// Passes progress on.
    fn progress(&self, op: Option<OpId>, progress: Progress);
}

/// The context of one call: time, cancellation, progress, checkpoints.
#[derive(Clone)]
pub struct Cx {
    clock: Arc<dyn Clock>,
    stop: StopSignal,
    deadline: Option<Timestamp>,
    sink: Option<Arc<dyn Checkpoints>>,
    op: Option<OpId>,
}

impl std::fmt::Debug for Cx {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cx")
            .field("op", &self.op)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl Cx {
    /// A context with nothing behind it but a clock: for tests and tools.
    pub fn detached() -> Cx {
        Cx::new(Arc::new(SystemClock), StopSignal::never())
    }

    /// A context with a clock and a stop signal.
    pub fn new(clock: Arc<dyn Clock>, stop: StopSignal) -> Cx {
        Cx {
            clock,
            stop,
            deadline: None,
            sink: None,
            op: None,
        }
    }

    /// Sets where checkpoints and progress go.
    #[must_use]
    pub fn with_sink(mut self, sink: Arc<dyn Checkpoints>) -> Cx {
        self.sink = Some(sink);
        self
    }

    /// Sets the time by which the call must end.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Timestamp) -> Cx {
        self.deadline = Some(deadline);
        self
    }

    /// The same context for one operation of a call.
    #[must_use]
    pub fn for_op(&self, op: OpId) -> Cx {
        Cx {
            op: Some(op),
            ..self.clone()
        }
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Waits by the clock; ends early, with an error, when the run is stopped hard.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`].
    pub async fn sleep(&self, duration: Duration) -> Result<()> {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = self.clock.sleep(duration) => Ok(()),
            () = stop.reached(Stop::Now) => Err(Error::new(ErrorKind::Cancelled, "stopped on request")),
        }
    }

    /// Whether and how the run is asked to stop.
    pub fn stop(&self) -> &StopSignal {
        &self.stop
    }

    /// Time left until the deadline; `None` when there is none.
    pub fn time_left(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(
            Duration::try_from(deadline.duration_since(self.clock.now())).unwrap_or(Duration::ZERO),
        )
    }

    /// The operation this context belongs to; the idempotency key for services that take one.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] outside an operation.
    pub fn op(&self) -> Result<OpId> {
        self.op
            .ok_or_else(|| Error::new(ErrorKind::Unexpected, "no operation in this context"))
    }

    /// Checkpoint: records that the object exists now in this form, durable when this returns. After
    /// a crash the operation is entered again with it. Call it after each remote call that made or
    /// changed something, when more calls follow.
    ///
    /// # Errors
    /// When it could not be recorded: stop, and return the error.
    pub async fn made(&self, object: Object) -> Result<()> {
        match &self.sink {
            Some(sink) => sink.save(self.op()?, object).await,
            None => Ok(()),
        }
    }

    /// Tells the user what is going on.
    pub fn progress(&self, progress: Progress) {
        if let Some(sink) = &self.sink {
            sink.progress(self.op, progress);
        }
    }

    /// Tells the user what is going on, in words.
    pub fn note(&self, text: impl Into<String>) {
        self.progress(Progress::Note(text.into()));
    }
}
