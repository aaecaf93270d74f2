//! Getting a stack's lock, and keeping it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{HeldLease, Holder, Lease, LeaseAnswer, Liveness, LockPolicy, StateStore, refuse};
use crate::clock::Clock;
use crate::error::{Effect, Error, ErrorKind, Result};

/// Gets the lock of a stack.
///
/// *Behaviour*
/// - a free lock is granted at once.
/// - a holder known to be dead is replaced at once, also with a timeout of zero.
/// - a holder known to live is waited for, however long its heartbeat rests: it may only be slow.
/// - of any other holder the heartbeat is watched by this process' own clock; one that has not
///   moved for [`LockPolicy::ttl`] is replaced. Time in which this process itself did not run (a
///   suspended laptop) does not count.
/// - `on_wait` is called once for each holder waited for.
///
/// # Errors
/// [`ErrorKind::Locked`] after [`LockPolicy::timeout`], naming the holder; those of the store.
pub async fn acquire(
    store: &dyn StateStore,
    holder: &Holder,
    policy: &LockPolicy,
    clock: &dyn Clock,
    liveness: &dyn Liveness,
    on_wait: &mut (dyn FnMut(&HeldLease) + Send),
) -> Result<Lease> {
    let poll = policy.poll.max(Duration::from_millis(1));
    let mut take_over = None;
    let mut watch: Option<Watch> = None;
    let (began, mut last) = (clock.now(), clock.now());
    loop {
        let held = match store.lease(holder, clock.now(), take_over).await? {
            LeaseAnswer::Granted(lease) => return Ok(lease),
            LeaseAnswer::Held(held) => held,
        };
        let now = clock.now();
        let passed = between(last, now).min(poll * 3);
        last = now;
        let alive = liveness.is_alive(&held.holder);
        let rested = match &mut watch {
            Some(watch) if watch.token == held.token => watch.rested(held.beat, passed),
            _ => {
                watch = Some(Watch::new(&held));
                if alive != Some(false) && !policy.timeout.is_zero() {
                    on_wait(&held);
                }
                Duration::ZERO
            }
        };
        let gone = alive == Some(false) || (alive.is_none() && rested >= policy.ttl);
        if gone && take_over != Some(held.token) {
            take_over = Some(held.token);
            continue;
        }
        let waited = between(began, now);
        if waited >= policy.timeout {
            return Err(locked(&held, now, waited, policy));
        }
        clock
            .sleep(poll.min(policy.timeout.saturating_sub(waited)))
            .await;
    }
}

/// How long a heartbeat has rested.
struct Watch {
    token: u64,
    beat: u64,
    rested: Duration,
}

impl Watch {
    fn new(held: &HeldLease) -> Watch {
        Watch {
            token: held.token,
            beat: held.beat,
            rested: Duration::ZERO,
        }
    }

    fn rested(&mut self, beat: u64, passed: Duration) -> Duration {
        if beat == self.beat {
            self.rested += passed;
        } else {
            (self.beat, self.rested) = (beat, Duration::ZERO);
        }
        self.rested
    }
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

fn locked(held: &HeldLease, now: Timestamp, waited: Duration, policy: &LockPolicy) -> Error {
    let Holder {
        who,
        host,
        pid,
        command,
        ..
    } = &held.holder;
    let age = between(held.since, now).as_secs();
    let mut message = format!(
        "the stack is locked by {who} on {host} (pid {pid}), for {}",
        time(age)
    );
    if !policy.timeout.is_zero() {
        message += "; gave up after ";
        message += &time(waited.as_secs());
    }
    let wait = if policy.timeout.is_zero() {
        "wait for it with `--lock-timeout 10m`"
    } else {
        "wait longer with `--lock-timeout`"
    };
    Error::new(ErrorKind::Locked, message)
        .effect(Effect::None)
        .code(crate::codes::LOCKED)
        .context("command", command)
        .context("lock", held.token)
        .hint(format!(
            "{wait}; if that run is gone for certain, `fabrik state unlock {}`",
            held.token
        ))
}

fn time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds}s"),
        (hours, minutes, _) => format!("{hours}h {minutes}m"),
    }
}

/// Shows the heartbeat of a lease until it is dropped. See [`keep_alive`].
#[derive(Debug)]
pub struct KeepAlive {
    task: JoinHandle<()>,
    lost: watch::Receiver<Option<Error>>,
}

/// Starts showing that the holder of a lease lives: four times per [`LockPolicy::ttl`], in a task
/// of the current tokio runtime.
///
/// A heartbeat that fails for another reason than a lost lease is tried again; when none has
/// worked for `ttl`, the lease counts as lost, because others may take it over from now on. (The
/// store refuses what a lost lease writes in any case.)
pub fn keep_alive(
    store: Arc<dyn StateStore>,
    lease: Lease,
    policy: &LockPolicy,
    clock: Arc<dyn Clock>,
) -> KeepAlive {
    let ttl = policy.ttl;
    let (report, lost) = watch::channel(None);
    let task = tokio::spawn(async move {
        let mut worked = clock.now();
        loop {
            clock.idle(ttl / 4).await;
            let error = match store.heartbeat(&lease).await {
                Ok(()) => {
                    worked = clock.now();
                    continue;
                }
                Err(error) => error,
            };
            if error.kind() == ErrorKind::LeaseLost {
                report.send_replace(Some(error));
                return;
            }
            tracing::warn!(%error, "the heartbeat of the lock failed");
            if between(worked, clock.now()) >= ttl {
                let lost = refuse::lease_lost(None).cause(error);
                report.send_replace(Some(lost));
                return;
            }
        }
    });
    KeepAlive { task, lost }
}

impl KeepAlive {
    /// Why the lease is lost, when it is.
    pub fn lost(&self) -> Option<Error> {
        self.lost.borrow().clone()
    }

    /// Waits until the lease is lost; for ever when it never is.
    pub async fn wait_lost(&self) -> Error {
        let mut lost = self.lost.clone();
        match lost
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|error| error.clone())
        {
            Some(error) => error,
            None => std::future::pending().await,
        }
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests;
