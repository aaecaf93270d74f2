//! Taking a stack's lock, and keeping it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{HeldLease, Holder, Lease, LeaseAnswer, Liveness, LockPolicy, SealedStore};
use crate::clock::Clock;
use crate::error::{Error, ErrorKind, Result};

/// Asks for the lock until it is ours or the policy's time is up.
///
/// # Errors
/// [`ErrorKind::Locked`] naming the holder.
pub async fn acquire(
    store: &SealedStore,
    holder: &Holder,
    policy: &LockPolicy,
    clock: &dyn Clock,
    liveness: &dyn Liveness,
    on_wait: &mut (dyn FnMut(&HeldLease) + Send),
) -> Result<Lease> {
    let begun = clock.now();
    let mut moved = (0_u64, 0_u64, begun);
    let mut take_over = None;
    loop {
        let held = match store.lease(holder, clock.now(), take_over.take()).await? {
            LeaseAnswer::Granted(lease) => return Ok(lease),
            LeaseAnswer::Held(held) => held,
        };
        let now = clock.now();
        if (held.token, held.beat) != (moved.0, moved.1) {
            moved = (held.token, held.beat, now);
        }
        let still = Duration::try_from(now.duration_since(moved.2)).unwrap_or_default();
        if liveness.is_alive(&held.holder) == Some(false) || still >= policy.ttl {
            take_over = Some(held.token);
            continue;
        }
        let waited = Duration::try_from(now.duration_since(begun)).unwrap_or_default();
        if waited >= policy.timeout {
            return Err(Error::new(ErrorKind::Locked, "held"));
        }
        on_wait(&held);
        clock.sleep(policy.poll).await;
    }
}

/// Sends heartbeats until dropped.
#[derive(Debug)]
pub struct KeepAlive(JoinHandle<()>);

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Keeps a lease alive.
pub fn keep_alive(
    store: SealedStore,
    lease: Lease,
    policy: &LockPolicy,
    _clock: Arc<dyn Clock>,
) -> KeepAlive {
    let every = policy.ttl / 4;
    KeepAlive(tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            if store
                .heartbeat(&lease)
                .await
                .is_err_and(|error| error.kind() == ErrorKind::LeaseLost)
            {
                return;
            }
        }
    }))
}
