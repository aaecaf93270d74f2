//! What every [`StateStore`] must do, as a suite that an embedder's own store can run.
//!
//! ```
//! use std::sync::Arc;
//! use fabrik_core::error::Result;
//! use fabrik_core::state::{MemoryStore, StateStore};
//! use fabrik_core::testing::store_suite::{self, Place};
//!
//! struct Mine(MemoryStore);
//!
//! impl Place for Mine {
//!     fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>> {
//!         Ok(Arc::new(self.0.open(stack, env)))
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! store_suite::run(|| Ok(Mine(MemoryStore::new("", "")))).await
//! # }).unwrap();
//! ```

mod groups;
mod history;
mod locks;
mod samples;

use std::fmt::Debug;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::state::{Holder, Lease, LeaseAnswer, Snapshot, StateStore};

pub use samples::{
    random_groups, sample_end, sample_entry, sample_group, sample_row, sample_start, sample_time,
};

/// Somewhere stores of several stacks live.
pub trait Place: Send + Sync {
    /// A new handle of a stack in an environment: it shares nothing in memory with handles opened
    /// before, except what every process at this place would.
    ///
    /// # Errors
    /// Of the store.
    fn open(&self, stack: &str, env: &str) -> Result<Arc<dyn StateStore>>;
}

/// Runs every case, each in a fresh, empty place. Needs a tokio runtime.
///
/// # Errors
/// The first broken promise, named with its case.
pub async fn run<P: Place>(fresh: impl Fn() -> Result<P>) -> Result<()> {
    macro_rules! cases {
        ($($case:path),* $(,)?) => {
            $( $case(&fresh()?).await.map_err(|error| {
                error.context("case", stringify!($case))
            })?; )*
        };
    }
    cases![
        locks::a_new_place_is_empty,
        locks::one_holder_at_a_time,
        locks::a_lease_taken_over_writes_nothing,
        locks::a_broken_lease_writes_nothing,
        locks::one_of_many_gets_the_lock,
        groups::groups_land_at_the_head_only,
        groups::a_refused_group_leaves_nothing,
        groups::one_of_many_appends_wins,
        groups::a_fresh_handle_sees_what_was_appended,
        history::an_open_run_is_found,
        history::declarations_of_past_revisions,
        history::compacting_keeps_state,
        history::stacks_do_not_see_each_other,
        history::odd_names_are_kept_apart,
        groups::many_rows_in_one_group,
        groups::random_groups_equal_the_fold,
    ];
    Ok(())
}

/// Takes the lock as `who`.
///
/// # Errors
/// Of the store, and [`ErrorKind::Locked`] when somebody has it.
pub async fn take(store: &dyn StateStore, who: &str) -> Result<Lease> {
    match store.lease(&holder(who), sample_time(1), None).await? {
        LeaseAnswer::Granted(lease) => Ok(lease),
        LeaseAnswer::Held(held) => Err(Error::new(
            ErrorKind::Locked,
            format!("{} has the lock", held.holder.who),
        )),
    }
}

/// A holder of that name.
pub fn holder(who: &str) -> Holder {
    Holder {
        who: who.to_owned(),
        host: "here".to_owned(),
        pid: 42,
        process: "boot:1".to_owned(),
        command: "fabrik apply".to_owned(),
    }
}

fn broken(what: impl Into<String>) -> Error {
    Error::new(ErrorKind::Misbehaved, what)
}

fn ensure(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(broken(what)) }
}

fn equal<T: PartialEq + Debug>(found: &T, expected: &T, what: &str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
    let same = found
        .chars()
        .zip(expected.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let near = |text: &str| {
        text.chars()
            .skip(same.saturating_sub(40))
            .take(160)
            .collect::<String>()
    };
    Err(broken(format!(
        "{what}: found …{}, expected …{}",
        near(&found),
        near(&expected)
    )))
}

fn refused<T>(result: Result<T>, kind: ErrorKind, what: &str) -> Result<()> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(broken(format!(
            "{what}: expected {kind:?}, got {:?}: {error}",
            error.kind()
        ))),
        Ok(_) => Err(broken(format!(
            "{what}: expected {kind:?}, but it succeeded"
        ))),
    }
}

async fn unchanged(store: &dyn StateStore, before: &Snapshot, what: &str) -> Result<()> {
    equal(&store.load().await?, before, what)
}
