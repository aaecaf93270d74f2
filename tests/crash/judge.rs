//! The judge: compares what the cloud has and did with what state says and the stack wants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fabrik_core::engine::{Engine, PlanOptions};
use fabrik_core::stack::Stack;
use fabrik_core::state::RowStatus;
use fabrik_provider_memory::{Cloud, Thing, What};

/// What is wrong, a line each; nothing when all is well.
pub(crate) async fn faults(
    engine: &Engine,
    cloud: &Cloud,
    foreign: &[Thing],
    stack: &Arc<Stack>,
) -> Vec<String> {
    cloud.quiet().await;
    let mut wrong = Vec::new();
    let snapshot = match engine.store().load().await {
        Ok(snapshot) => snapshot,
        Err(error) => return vec![format!("state is not readable: {error}")],
    };
    if snapshot.open_run.is_some() {
        wrong.push("a run is still open".to_owned());
    }
    let things: BTreeMap<String, Thing> = cloud
        .things()
        .into_iter()
        .map(|thing| (thing.id.clone(), thing))
        .collect();
    // What is others' is as it was.
    for theirs in foreign {
        match things.get(&theirs.id) {
            Some(now) if now == theirs => {}
            Some(now) => wrong.push(format!("foreign {} was changed: {now:?}", theirs.id)),
            None => wrong.push(format!("foreign {} was removed", theirs.id)),
        }
    }
    let theirs: BTreeSet<&str> = foreign.iter().map(|thing| thing.id.as_str()).collect();
    // What is ours is in state, once.
    let mut known = BTreeMap::new();
    let mut addresses = BTreeSet::new();
    for row in &snapshot.rows {
        if row.status != RowStatus::Current {
            wrong.push(format!("{} is {:?} in state", row.address, row.status));
        }
        if !addresses.insert(row.address.clone()) {
            wrong.push(format!("{} is in state twice", row.address));
        }
        if &*row.type_name == "memory.flush" {
            continue;
        }
        if let Some(other) = known.insert(row.object.id.as_str(), &row.address) {
            wrong.push(format!("{other} and {} are one object", row.address));
        }
        match things.get(&row.object.id) {
            None => wrong.push(format!(
                "{} ({}) does not exist",
                row.address, row.object.id
            )),
            Some(thing) if thing.kind == "memory.blob" && (!thing.sealed || thing.parts < 3) => {
                wrong.push(format!("{} is half a blob", row.address));
            }
            Some(_) => {}
        }
        if theirs.contains(row.object.id.as_str()) {
            wrong.push(format!(
                "{} stands for somebody else's {}",
                row.address, row.object.id
            ));
        }
    }
    for thing in things.values() {
        if !theirs.contains(thing.id.as_str()) && !known.contains_key(thing.id.as_str()) {
            wrong.push(format!("orphan: {thing:?}"));
        }
    }
    let wanted: BTreeSet<_> = stack.resources.keys().cloned().collect();
    for address in wanted.symmetric_difference(&addresses) {
        wrong.push(format!("{address} is only in one of stack and state"));
    }
    // No operation made two things, not even for a while.
    let mut made = BTreeMap::new();
    for entry in cloud.log() {
        if entry.what == What::Create
            && !entry.again
            && let Some(other) = made.insert(entry.op.clone(), entry.id.clone())
        {
            wrong.push(format!(
                "operation {} made {other} and {}",
                entry.op, entry.id
            ));
        }
        if entry.what == What::Delete && theirs.contains(entry.id.as_str()) {
            wrong.push(format!("foreign {} was deleted", entry.id));
        }
    }
    let options = PlanOptions {
        destroy: stack.resources.is_empty(),
        ..PlanOptions::default()
    };
    match engine.plan(stack.clone(), &options).await {
        Ok(plan) if plan.is_empty() => {}
        Ok(plan) => wrong.push(format!("the plan is not empty: {:#?}", plan.changes)),
        Err(error) => wrong.push(format!("planning: {error}")),
    }
    wrong
}
