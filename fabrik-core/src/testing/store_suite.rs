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

mod samples;

use std::fmt::Debug;
use std::sync::Arc;

use tokio::task::JoinSet;

use crate::error::{Error, ErrorKind, Result};
use crate::state::ledger::Ledger;
use crate::state::{Change, Entry, EntryKind, Holder, Lease, LeaseAnswer, Snapshot, StateStore};
use crate::value::Value;

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
        ($($case:ident),* $(,)?) => {
            $( $case(&fresh()?).await.map_err(|error| {
                error.context("case", stringify!($case))
            })?; )*
        };
    }
    cases![
        a_new_place_is_empty,
        one_holder_at_a_time,
        a_lease_taken_over_writes_nothing,
        a_broken_lease_writes_nothing,
        one_of_many_gets_the_lock,
        groups_land_at_the_head_only,
        a_refused_group_leaves_nothing,
        one_of_many_appends_wins,
        a_fresh_handle_sees_what_was_appended,
        an_open_run_is_found,
        declarations_of_past_revisions,
        compacting_keeps_state,
        stacks_do_not_see_each_other,
        odd_names_are_kept_apart,
        many_rows_in_one_group,
        random_groups_equal_the_fold,
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
    Err(broken(format!(
        "{what}: found {found:?}, expected {expected:?}"
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

async fn a_new_place_is_empty(place: &dyn Place) -> Result<()> {
    let store = place.open("shop", "default")?;
    equal(&store.load().await?, &Snapshot::default(), "load")?;
    equal(&store.holder().await?, &None, "holder")?;
    ensure(store.runs(9).await?.is_empty(), "no runs")?;
    ensure(store.entries(1).await?.is_empty(), "no entries")?;
    ensure(
        store.declared_at(0).await?.is_empty(),
        "revision 0 is empty",
    )?;
    refused(
        store.declared_at(1).await,
        ErrorKind::NotFound,
        "revision 1",
    )?;
    equal(
        &store.outputs_of("shop", "default").await?,
        &None,
        "outputs",
    )?;
    refused(store.break_lease(1).await, ErrorKind::Conflict, "break")
}

async fn one_holder_at_a_time(place: &dyn Place) -> Result<()> {
    let (one, two) = (place.open("s", "e")?, place.open("s", "e")?);
    let lease = take(&*one, "one").await?;
    let LeaseAnswer::Held(held) = two.lease(&holder("two"), sample_time(2), None).await? else {
        return Err(broken("the lock was granted twice"));
    };
    equal(&held.holder, &holder("one"), "the holder is shown")?;
    equal(&held.token, &lease.token, "the token is shown")?;
    equal(&held.since, &sample_time(1), "since when is shown")?;
    equal(&two.holder().await?, &Some(held.clone()), "holder()")?;
    one.heartbeat(&lease).await?;
    let later = two
        .holder()
        .await?
        .ok_or_else(|| broken("the lock is gone"))?;
    ensure(later.beat > held.beat, "a heartbeat moves the beat")?;
    one.release(&lease).await?;
    equal(&two.holder().await?, &None, "after release")?;
    let next = take(&*two, "two").await?;
    ensure(next.token > lease.token, "each grant has a greater token")?;
    one.release(&lease).await?;
    ensure(two.holder().await?.is_some(), "an old release is harmless")?;
    two.heartbeat(&next).await
}

async fn a_lease_taken_over_writes_nothing(place: &dyn Place) -> Result<()> {
    let (one, two) = (place.open("s", "e")?, place.open("s", "e")?);
    let old = take(&*one, "one").await?;
    let head = one.append(&old, 0, &sample_group(1, 1, "a")).await?;
    let answer = two
        .lease(&holder("two"), sample_time(2), Some(old.token + 7))
        .await?;
    ensure(
        matches!(answer, LeaseAnswer::Held(_)),
        "take-over of another token",
    )?;
    let LeaseAnswer::Granted(new) = two
        .lease(&holder("two"), sample_time(2), Some(old.token))
        .await?
    else {
        return Err(broken("take-over was refused"));
    };
    ensure(new.token > old.token, "a greater token")?;
    let before = two.load().await?;
    let group = sample_group(2, 2, "b");
    let lost = ErrorKind::LeaseLost;
    refused(one.append(&old, head, &group).await, lost, "append")?;
    refused(one.append(&old, head, &[]).await, lost, "empty append")?;
    refused(
        one.append(&old, head + 9, &group).await,
        lost,
        "append beyond",
    )?;
    refused(one.heartbeat(&old).await, lost, "heartbeat")?;
    refused(one.compact(&old, 0).await, lost, "compact")?;
    one.release(&old).await?;
    unchanged(&*place.open("s", "e")?, &before, "after the refusals").await?;
    two.append(&new, head, &group).await?;
    refused(
        one.append(&old, head, &group).await,
        lost,
        "append after the new holder's",
    )?;
    let answer = one
        .lease(&holder("one"), sample_time(3), Some(old.token))
        .await?;
    ensure(
        matches!(answer, LeaseAnswer::Held(_)),
        "the old token takes nothing over",
    )
}

async fn a_broken_lease_writes_nothing(place: &dyn Place) -> Result<()> {
    let (one, two) = (place.open("s", "e")?, place.open("s", "e")?);
    let old = take(&*one, "one").await?;
    let head = one.append(&old, 0, &sample_group(1, 1, "a")).await?;
    let before = two.load().await?;
    refused(
        two.break_lease(old.token + 1).await,
        ErrorKind::Conflict,
        "another token",
    )?;
    one.heartbeat(&old).await?;
    two.break_lease(old.token).await?;
    equal(&one.holder().await?, &None, "after breaking")?;
    refused(
        two.break_lease(old.token).await,
        ErrorKind::Conflict,
        "breaking again",
    )?;
    let group = sample_group(2, 2, "b");
    refused(
        one.append(&old, head, &group).await,
        ErrorKind::LeaseLost,
        "append",
    )?;
    refused(one.heartbeat(&old).await, ErrorKind::LeaseLost, "heartbeat")?;
    let new = take(&*two, "two").await?;
    ensure(new.token > old.token, "a greater token")?;
    refused(
        one.append(&old, head, &group).await,
        ErrorKind::LeaseLost,
        "append later",
    )?;
    unchanged(&*two, &before, "after the refusals").await?;
    two.append(&new, head, &group).await.map(drop)
}

async fn one_of_many_gets_the_lock(place: &dyn Place) -> Result<()> {
    let mut tries = JoinSet::new();
    for at in 0..8 {
        let store = place.open("s", "e")?;
        tries.spawn(async move {
            store
                .lease(&holder(&format!("h{at}")), sample_time(1), None)
                .await
        });
    }
    let mut granted = 0;
    while let Some(answer) = tries.join_next().await {
        let answer = answer.map_err(|error| broken(error.to_string()))??;
        granted += usize::from(matches!(answer, LeaseAnswer::Granted(_)));
    }
    equal(&granted, &1, "grants")
}

async fn groups_land_at_the_head_only(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let group = sample_group(1, 1, "a");
    let conflict = ErrorKind::Conflict;
    refused(
        store.append(&lease, 1, &group).await,
        conflict,
        "beyond the head",
    )?;
    equal(&store.append(&lease, 0, &group).await?, &2, "the new head")?;
    let before = store.load().await?;
    for at in [0, 1, 3, u64::MAX / 4] {
        refused(
            store.append(&lease, at, &group).await,
            conflict,
            "not at the head",
        )?;
    }
    unchanged(&*store, &before, "after the refusals").await?;
    equal(&store.append(&lease, 2, &[]).await?, &2, "an empty group")?;
    unchanged(&*store, &before, "after an empty group").await?;
    equal(
        &store.append(&lease, 2, &sample_group(2, 2, "b")).await?,
        &4,
        "the next head",
    )
}

async fn a_refused_group_leaves_nothing(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let mut group = sample_group(1, 1, "a");
    let clear = Change::PutSecret("KEY".into(), Value::secret("never stored in clear"));
    group.push(sample_entry(1, EntryKind::Resumed).change(clear));
    ensure(
        store.append(&lease, 0, &group).await.is_err(),
        "a clear secret is refused",
    )?;
    unchanged(
        &*place.open("s", "e")?,
        &Snapshot::default(),
        "after the refusal",
    )
    .await?;
    ensure(store.runs(9).await?.is_empty(), "no run either")?;
    ensure(store.entries(1).await?.is_empty(), "no entry either")?;
    group.pop();
    store.append(&lease, 0, &group).await.map(drop)
}

async fn one_of_many_appends_wins(place: &dyn Place) -> Result<()> {
    let first = place.open("s", "e")?;
    let lease = take(&*first, "me").await?;
    for round in 0..4_u64 {
        let at = first.load().await?.head;
        let mut tries = JoinSet::new();
        for name in ["a", "b", "c"] {
            let (store, lease) = (place.open("s", "e")?, lease.clone());
            let group = sample_group(round + 1, 1, name);
            tries.spawn(async move { (name, store.append(&lease, at, &group).await) });
        }
        let mut won = Vec::new();
        while let Some(done) = tries.join_next().await {
            let (name, result) = done.map_err(|error| broken(error.to_string()))?;
            match result {
                Ok(head) => won.push((name, head)),
                Err(error) => refused::<()>(Err(error), ErrorKind::Conflict, "the losers")?,
            }
        }
        equal(&won.len(), &1, "winners")?;
        let state = place.open("s", "e")?.load().await?;
        equal(&state.head, &won[0].1, "the head")?;
        equal(
            &state.rows[0].address.to_string(),
            &format!("resources.{}", won[0].0),
            "the row",
        )?;
    }
    Ok(())
}

async fn a_fresh_handle_sees_what_was_appended(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let mut expected = Snapshot::default();
    for group in random_groups(7, 12) {
        let head = store.append(&lease, expected.head, &group).await?;
        expected.apply(&group);
        equal(&head, &expected.head, "the head")?;
        unchanged(&*store, &expected, "the same handle").await?;
        unchanged(&*place.open("s", "e")?, &expected, "a fresh handle").await?;
    }
    Ok(())
}

async fn an_open_run_is_found(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let group = sample_group(1, 1, "a");
    store.append(&lease, 0, &group).await?;
    let open = place.open("s", "e")?.load().await?.open_run;
    let open = open.ok_or_else(|| broken("the open run is not found"))?;
    equal(&open.id, &1, "its number")?;
    equal(&open.entries, &group, "its entries")?;
    let runs = store.runs(9).await?;
    ensure(runs.len() == 1 && runs[0].end.is_none(), "it has no end")?;
    let end = sample_entry(1, EntryKind::RunEnded(Box::new(sample_end(0))));
    store.append(&lease, 2, &[end]).await?;
    ensure(
        store.load().await?.open_run.is_none(),
        "an ended run is not open",
    )?;
    let runs = store.runs(9).await?;
    equal(
        &runs[0].end,
        &Some((sample_end(0), sample_time(1))),
        "its end",
    )?;
    equal(&store.entries(1).await?.len(), &3, "its entries stay")
}

async fn declarations_of_past_revisions(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let declare = |revision, name: &str, size: Option<i64>| {
        let declared = size.map(|size| {
            let inputs = Value::map([("size", Value::from(size))]);
            Box::new(crate::stack::Declared::new(
                samples::address(name),
                "m.o",
                inputs,
            ))
        });
        Change::Declared(revision, samples::address(name), declared)
    };
    let revisions = [
        vec![declare(1, "a", Some(1)), declare(1, "b", Some(1))],
        vec![declare(2, "a", Some(2))],
        vec![declare(3, "a", None), declare(3, "c", Some(3))],
        vec![declare(4, "a", Some(4))],
    ];
    let mut head = 0;
    for (at, changes) in (1..).zip(revisions) {
        let mut entry = sample_entry(at, EntryKind::Resumed);
        entry.changes = changes;
        let entry = entry.change(Change::Revision(at, Vec::new()));
        head = store.append(&lease, head, &[entry]).await?;
    }
    for (revision, expected) in [
        (0, "[]"),
        (1, "[a=1, b=1]"),
        (2, "[a=2, b=1]"),
        (3, "[b=1, c=3]"),
        (4, "[a=4, b=1, c=3]"),
    ] {
        let found = place.open("s", "e")?.declared_at(revision).await?;
        let mut lines = Vec::new();
        for (address, declared) in &found {
            equal(address, &declared.address, "the address")?;
            let size = declared
                .inputs
                .get("size")
                .and_then(Value::as_i64)
                .unwrap_or(0);
            lines.push(format!(
                "{}={size}",
                address.as_str().replace("resources.", "")
            ));
        }
        equal(
            &format!("[{}]", lines.join(", ")),
            &expected.to_owned(),
            "declared",
        )?;
    }
    refused(
        store.declared_at(5).await,
        ErrorKind::NotFound,
        "revision 5",
    )
}

async fn compacting_keeps_state(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let mut expected = Ledger::default();
    for group in random_groups(11, 60) {
        store.append(&lease, expected.snapshot.head, &group).await?;
        expected.apply(group);
    }
    for keep in [1000, 3, 1, 0] {
        store.compact(&lease, keep).await?;
        expected.compact(keep);
        for store in [store.clone(), place.open("s", "e")?] {
            same(&*store, &expected).await?;
        }
    }
    for group in random_groups(12, 9) {
        let head = expected.snapshot.head;
        store.append(&lease, head, &group).await?;
        expected.apply(group);
    }
    same(&*place.open("s", "e")?, &expected).await
}

async fn stacks_do_not_see_each_other(place: &dyn Place) -> Result<()> {
    let names = [
        ("shop", "default"),
        ("shop", "production"),
        ("blog", "default"),
    ];
    let mut tokens = Vec::new();
    for (at, (stack, env)) in (1_u64..).zip(names) {
        let store = place.open(stack, env)?;
        let lease = take(&*store, stack).await?;
        let outputs = vec![("url".into(), Value::from(format!("https://{stack}.{env}")))];
        let mut group = sample_group(at, u128::from(at), stack);
        group[1].changes.push(Change::Revision(at, outputs));
        group[1]
            .changes
            .push(Change::PutSecret("K".into(), Value::Sealed([1].into())));
        store.append(&lease, 0, &group).await?;
        tokens.push((store, lease));
    }
    for (at, (stack, env)) in (1_u64..).zip(names) {
        let state = place.open(stack, env)?.load().await?;
        equal(
            &(state.rows.len(), state.revision, state.head),
            &(1, at, 2),
            stack,
        )?;
        equal(&place.open(stack, env)?.runs(9).await?.len(), &1, "runs")?;
        let seen = place
            .open("third", "default")?
            .outputs_of(stack, env)
            .await?;
        let url = seen.and_then(|outputs| outputs.get("url").cloned());
        equal(
            &url,
            &Some(Value::from(format!("https://{stack}.{env}"))),
            "outputs",
        )?;
    }
    equal(
        &tokens[0].0.outputs_of("blog", "production").await?,
        &None,
        "no such stack",
    )?;
    tokens[0].0.release(&tokens[0].1).await?;
    tokens[1].0.heartbeat(&tokens[1].1).await
}

async fn odd_names_are_kept_apart(place: &dyn Place) -> Result<()> {
    let names = ["a/b", "a", "..", "a b", "A", "ä", "%41", "con.", "x'--"];
    for (at, name) in (1_u64..).zip(names) {
        let store = place.open(name, name)?;
        let lease = take(&*store, name).await?;
        store
            .append(&lease, 0, &sample_group(at, u128::from(at), "r"))
            .await?;
    }
    for (at, name) in (1_u64..).zip(names) {
        let state = place.open(name, name)?.load().await?;
        equal(&(state.last_run, state.head), &(at, 2), name)?;
    }
    Ok(())
}

async fn many_rows_in_one_group(place: &dyn Place) -> Result<()> {
    let store = place.open("s", "e")?;
    let lease = take(&*store, "me").await?;
    let group: Vec<Entry> = (0..2_000)
        .map(|at| {
            let row = sample_row(at, &format!("r{}", at * 7919 % 2_000));
            sample_entry(1, EntryKind::Resumed).change(Change::Put(Box::new(row)))
        })
        .collect();
    store.append(&lease, 0, &group).await?;
    let state = place.open("s", "e")?.load().await?;
    equal(&state.rows.len(), &2_000, "rows")?;
    ensure(
        state
            .rows
            .is_sorted_by(|a, b| (&a.address, a.oid) < (&b.address, b.oid)),
        "rows come by address, then id",
    )
}

async fn random_groups_equal_the_fold(place: &dyn Place) -> Result<()> {
    for seed in 0..6 {
        let name = format!("s{seed}");
        let store = place.open(&name, "e")?;
        let lease = take(&*store, "me").await?;
        let (mut expected, mut fold) = (Ledger::default(), Snapshot::default());
        for group in random_groups(seed, 25) {
            store.append(&lease, fold.head, &group).await?;
            fold.apply(&group);
            expected.apply(group);
        }
        unchanged(&*store, &fold, "the fold").await?;
        same(&*place.open(&name, "e")?, &expected).await?;
    }
    Ok(())
}

/// Compares everything a store tells with the reference.
async fn same(store: &dyn StateStore, expected: &Ledger) -> Result<()> {
    let state = store.load().await?;
    equal(&state, &expected.load(), "load")?;
    equal(
        &store.runs(usize::MAX).await?,
        &expected.runs(usize::MAX),
        "runs",
    )?;
    equal(&store.runs(2).await?, &expected.runs(2), "two runs")?;
    for run in 0..=state.last_run + 1 {
        equal(
            &store.entries(run).await?,
            &expected.entries(run),
            "entries",
        )?;
    }
    for revision in 0..=state.revision + 1 {
        let (found, known) = (
            store.declared_at(revision).await,
            expected.declared_at(revision),
        );
        match known {
            Ok(known) => equal(&found?, &known, "declared")?,
            Err(_) => refused(found, ErrorKind::NotFound, "a revision that never was")?,
        }
    }
    Ok(())
}
