//! The lock: one holder, take-over, breaking.

use tokio::task::JoinSet;

use super::{
    Place, broken, ensure, equal, holder, refused, sample_group, sample_time, take, unchanged,
};
use crate::error::{ErrorKind, Result};
use crate::state::{LeaseAnswer, Snapshot};

pub(super) async fn a_new_place_is_empty(place: &dyn Place) -> Result<()> {
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

pub(super) async fn one_holder_at_a_time(place: &dyn Place) -> Result<()> {
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

pub(super) async fn a_lease_taken_over_writes_nothing(place: &dyn Place) -> Result<()> {
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

pub(super) async fn a_broken_lease_writes_nothing(place: &dyn Place) -> Result<()> {
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

pub(super) async fn one_of_many_gets_the_lock(place: &dyn Place) -> Result<()> {
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
