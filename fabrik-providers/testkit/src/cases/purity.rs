//! P1 to P3: planning changes nothing.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::engine::{PlanOptions, Refresh};
use fabrik_core::expr::{Expr, Reference};
use fabrik_core::plan::Plan;
use fabrik_core::provider::Proposal;
use fabrik_core::stack::Stack;
use fabrik_core::value::{Path, Value};

use super::life::before_and_after;
use super::{Case, Ctx, always, case};
use crate::suite::world::{Stop, Verdict, World, ensure, value_of};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Type "P1" "planning_writes_nothing"
            "plan and refresh send nothing that changes" always, p1),
        case!(Type "P2" "two_plans_are_equal"
            "two plans of the same are equal" always, p2),
        case!(Type "P3" "unknown_inputs_are_harmless"
            "unknown inputs cause no panic and no request" always, p3),
    ]
}

/// Plans of every sort: for what is not there, is there, changes, is to go.
fn plans(world: &World) -> Verdict<Vec<(&'static str, Arc<Stack>, PlanOptions)>> {
    let (before, after) = before_and_after(world);
    let (there, changed) = (world.load(&before)?, world.load(&after)?);
    let none = PlanOptions {
        refresh: Refresh::None,
        ..PlanOptions::default()
    };
    let only = PlanOptions {
        refresh_only: true,
        ..PlanOptions::default()
    };
    let destroy = PlanOptions {
        destroy: true,
        ..PlanOptions::default()
    };
    Ok(vec![
        (
            "a plan without changes",
            there.clone(),
            PlanOptions::default(),
        ),
        ("a plan without reading", there.clone(), none),
        ("a refresh", there.clone(), only),
        ("a plan of an update", changed, PlanOptions::default()),
        ("a plan to destroy", there, destroy),
    ])
}

async fn quietly(
    world: &World,
    what: &str,
    stack: &Arc<Stack>,
    options: &PlanOptions,
) -> Verdict<Plan> {
    let seen = world.proxy.seen();
    let before = world.dump();
    let plan = world.stage.plan_with(stack, options).await?;
    let writes = world.proxy.since(seen).into_iter().filter(|one| one.write);
    let writes: Vec<_> = writes.collect();
    ensure!(writes.is_empty(), "{what} sent {writes:?}");
    ensure!(world.dump() == before, "{what} changed the service");
    Ok(plan)
}

async fn p1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    world.base().await?;
    let stack = world.load(&sample)?;
    quietly(&world, "a plan to create", &stack, &PlanOptions::default()).await?;
    world.stage.succeed(&stack).await?;
    for (what, stack, options) in plans(&world)? {
        quietly(&world, what, &stack, &options).await?;
    }
    Ok(())
}

/// Everything a plan says, in one text; the time it was made does not count.
fn text_of(mut plan: Plan) -> String {
    plan.made = jiff::Timestamp::UNIX_EPOCH;
    format!("{plan:#?}")
}

async fn p2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    world.base().await?;
    let stack = world.load(&sample)?;
    let options = PlanOptions::default();
    let twice = async |what: &str, stack: &Arc<Stack>, options: &PlanOptions| -> Verdict {
        let first = text_of(world.stage.plan_with(stack, options).await?);
        let second = text_of(world.stage.plan_with(stack, options).await?);
        let differ = first.lines().zip(second.lines()).find(|(a, b)| a != b);
        ensure!(
            first == second,
            "{what} differs when it is made again: {differ:?}"
        );
        Ok(())
    };
    twice("a plan to create", &stack, &options).await?;
    world.stage.succeed(&stack).await?;
    for (what, stack, options) in plans(&world)? {
        twice(what, &stack, &options).await?;
    }
    Ok(())
}

fn unknown() -> Verdict<Value> {
    let reference = Reference::output(Address::parse("resources.later")?, Path::parse("id"));
    Ok(Value::from(Expr::from(reference)))
}

async fn p3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.filled(&world.samples().fullest());
    // What the sample refers to is not there, so it is not known either.
    let waits = unknown()?;
    let known = value_of(&sample).rewrite(&mut |node| -> Result<Value, Stop> {
        let refers = node
            .as_str()
            .is_some_and(|text| text.contains("${resources."));
        Ok(if refers { waits.clone() } else { node })
    })?;
    let keys: Vec<String> = sample
        .as_object()
        .map(|map| map.keys().cloned().collect())
        .unwrap_or_default();
    let mut asked: Vec<(String, Value)> = Vec::new();
    let mut all = known.clone();
    for key in &keys {
        let path = Path::key(key.as_str());
        asked.push((format!("`{key}`"), known.with(&path, unknown()?)));
        all = all.with(&path, unknown()?);
    }
    asked.push(("everything".to_owned(), all));
    let instance = world.open().await?;
    let address = Address::parse(crate::suite::world::IT)?;
    for (what, desired) in asked {
        let seen = world.proxy.seen();
        let (instance, cx) = (instance.clone(), world.stage.cx());
        let (address, type_name) = (address.clone(), world.type_name().to_owned());
        let given = desired.clone();
        // A task of its own, so that a panic is seen.
        let planned = tokio::spawn(async move {
            instance.keys(&type_name, &given);
            let proposal = Proposal {
                address: &address,
                type_name: &type_name,
                last_sent: None,
                observed: None,
                desired: &given,
            };
            instance.plan(&cx, proposal).await
        });
        let planned = planned
            .await
            .map_err(|_| Stop::Fail(format!("unknown {what}: the provider panicked")))?;
        let planned = planned
            .map_err(|error| Stop::Fail(format!("unknown {what}: planning failed: {error:?}")))?;
        for key in &keys {
            let was = desired.get(key).is_some_and(Value::has_unknown);
            let is = planned.inputs.get(key).is_some_and(Value::has_unknown);
            ensure!(
                !was || is,
                "unknown {what}: planning made up a value for `{key}`"
            );
        }
        let requests = world.proxy.since(seen);
        let writes = requests.iter().any(|one| one.write);
        ensure!(!writes, "unknown {what}: planning sent {requests:?}");
        if what == "everything" {
            ensure!(
                requests.is_empty(),
                "nothing is known, and planning sent {requests:?}"
            );
        }
        let leaked = requests.iter().find(|one| {
            let text = format!("{}?{}", one.path, one.query);
            text.contains("${") || text.contains("%24%7B") || text.contains("resources.later")
        });
        ensure!(
            leaked.is_none(),
            "unknown {what}: a reference was sent as text: {leaked:?}"
        );
    }
    instance.close().await;
    Ok(())
}
