//! Verification: checks of the running result, made after apply.
//!
//! A stack holds [`CheckDecl`]s; a [`Checker`] knows how to make one kind of check once;
//! [`run_checks`] makes them all, again and again, until they hold or their time is up. The core
//! has no checkers of its own: programs give a [`Checkers`] registry (see the crate
//! `fabrik-checks`).

mod checker;
mod duration;
mod run;

pub use checker::{CheckFailure, Checker, Checkers};
pub use duration::{duration_text, parse_duration};
pub use run::run_checks;

use std::sync::Arc;
use std::time::Duration;

use crate::stack::CheckDecl;
use crate::value::Value;

/// How long a check is tried unless it says otherwise.
pub const WITHIN: Duration = Duration::from_secs(60);
/// Time between the first tries of a check unless it says otherwise.
pub const INTERVAL: Duration = Duration::from_secs(1);
/// How long a check must hold unless it says otherwise: once is enough.
pub const STABLE_FOR: Duration = Duration::ZERO;

/// A check with the usual times.
pub fn declare(name: impl Into<Arc<str>>, kind: impl Into<Arc<str>>, spec: Value) -> CheckDecl {
    CheckDecl {
        name: name.into(),
        kind: kind.into(),
        spec,
        within: WITHIN,
        interval: INTERVAL,
        stable_for: STABLE_FOR,
        concerns: Vec::new(),
        span: None,
    }
}
