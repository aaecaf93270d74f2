//! The refusals every store shares, so that they read alike wherever state is kept.

use std::fmt::Display;

use super::{FORMAT, HeldLease, Position, Revision};
use crate::error::{Effect, Error, ErrorKind};

/// The lease is not current; `now` is who holds the lock instead.
pub(super) fn lease_lost(now: Option<&HeldLease>) -> Error {
    let message = match now {
        Some(held) => format!(
            "this run lost its lock: {} on {} (pid {}) has it now",
            held.holder.who, held.holder.host, held.holder.pid
        ),
        None => "this run lost its lock: it was released by hand".to_owned(),
    };
    Error::new(ErrorKind::LeaseLost, message)
        .effect(Effect::None)
        .code(crate::codes::LEASE_LOST)
        .hint("nothing more was written; `fabrik status` shows where the stack is")
}

/// The group was meant for another position.
pub(super) fn conflict(at: Position, head: Position) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("the state moved on: expected {at} journal entries, found {head}"),
    )
    .hint("load the state again")
}

/// The lock to break is not this one.
pub(super) fn other_lock(token: u64, held: Option<&HeldLease>) -> Error {
    match held {
        Some(held) => Error::new(
            ErrorKind::Conflict,
            format!("the lock is {}, not {token}", held.token),
        ),
        None => Error::new(
            ErrorKind::Conflict,
            format!("there is no lock {token}: the stack is not locked"),
        ),
    }
}

/// There never was such a revision.
pub(super) fn no_revision(revision: Revision) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("there is no revision {revision}"),
    )
    .hint("`fabrik history` lists the revisions")
}

/// The state at `place` has a newer form.
pub(super) fn newer(place: &dyn Display, found: impl Display) -> Error {
    Error::new(
        ErrorKind::Newer,
        format!(
            "the state at {place} was written by a newer Fabrik (format {found}, this one knows {FORMAT})"
        ),
    )
    .effect(Effect::None)
    .code(crate::codes::STATE_NEWER)
    .hint("install that newer version; this one leaves the state as it is")
}

/// The state at `place` is damaged.
pub(super) fn corrupt(place: &dyn Display, why: impl Display) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the state at {place} is damaged: {why}"),
    )
    .effect(Effect::None)
    .code(crate::codes::STATE_DAMAGED)
    .hint(
        "nothing was changed: put a backup of it back; without one, move it away, \
         keep it, and take the objects over again with `fabrik import`",
    )
}
