//! Groups of entries: where they land, and that they land whole or not at all.

use tokio::task::JoinSet;

use super::history::same;
use super::{
    Place, broken, ensure, equal, random_groups, refused, sample_entry, sample_group, sample_row,
    take, unchanged,
};
use crate::error::{ErrorKind, Result};
use crate::state::ledger::Ledger;
use crate::state::{Change, Entry, EntryKind, Snapshot};
use crate::value::Value;

pub(super) async fn groups_land_at_the_head_only(place: &dyn Place) -> Result<()> {
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

pub(super) async fn a_refused_group_leaves_nothing(place: &dyn Place) -> Result<()> {
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

pub(super) async fn one_of_many_appends_wins(place: &dyn Place) -> Result<()> {
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

pub(super) async fn a_fresh_handle_sees_what_was_appended(place: &dyn Place) -> Result<()> {
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

pub(super) async fn many_rows_in_one_group(place: &dyn Place) -> Result<()> {
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

pub(super) async fn random_groups_equal_the_fold(place: &dyn Place) -> Result<()> {
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
