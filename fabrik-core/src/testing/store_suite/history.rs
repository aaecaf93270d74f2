//! Runs, revisions, compacting, and keeping stacks apart.

use super::{
    Place, broken, ensure, equal, random_groups, refused, sample_end, sample_entry, sample_group,
    sample_time, samples, take,
};
use crate::error::{ErrorKind, Result};
use crate::state::ledger::Ledger;
use crate::state::{Change, EntryKind, StateStore};
use crate::value::Value;

pub(super) async fn an_open_run_is_found(place: &dyn Place) -> Result<()> {
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

pub(super) async fn declarations_of_past_revisions(place: &dyn Place) -> Result<()> {
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

pub(super) async fn compacting_keeps_state(place: &dyn Place) -> Result<()> {
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

pub(super) async fn stacks_do_not_see_each_other(place: &dyn Place) -> Result<()> {
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

pub(super) async fn odd_names_are_kept_apart(place: &dyn Place) -> Result<()> {
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

/// Compares everything a store tells with the reference.
pub(super) async fn same(store: &dyn StateStore, expected: &Ledger) -> Result<()> {
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
