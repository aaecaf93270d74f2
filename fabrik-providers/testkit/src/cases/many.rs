//! R10, R11 and G1: many objects.

use std::time::Duration;

use fabrik_core::provider::Lost;
use fabrik_core::state::{Row, RowStatus};

use super::{Case, Ctx, always, case};
use crate::proxy::{Fault, Match};
use crate::stack::said;
use crate::suite::samples::Samples;
use crate::suite::world::{Part, Verdict, World, ensure};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "R10" "more_than_one_page"
            "more objects than a page holds are all read" r10_need, r10),
        case!(Resource "R11" "parallel_creates"
            "ten creates at once do not mix, and stay under the provider's limit" r11_need, r11),
        case!(Resource "G1" "a_group_is_read_in_few_requests"
            "objects of one read group are read in a bounded number of requests" g1_need, g1),
    ]
}

/// How many objects the author wants to see.
pub(super) fn declared(samples: &Samples) -> Option<usize> {
    samples.many.as_ref().map(|(count, _)| *count)
}

/// Parts for so many objects; the fullest sample, again and again, where no others are declared.
pub(super) fn parts(world: &World, count: usize) -> Vec<Part> {
    let samples = world.samples();
    let one = |number: usize| {
        let inputs = match &samples.many {
            Some((_, inputs)) => inputs(number),
            None => samples.fullest(),
        };
        Part {
            id: format!("many-{number}"),
            ..world.part(&inputs)
        }
    };
    (0..count).map(one).collect()
}

/// Makes so many objects.
pub(super) async fn grow(world: &World, count: usize) -> Verdict<Vec<Row>> {
    world.base().await?;
    let mut all = world.also();
    all.extend(parts(world, count));
    let stack = world.load_parts(&all)?;
    world.stage.succeed(&stack).await?;
    made(world).await
}

async fn made(world: &World) -> Verdict<Vec<Row>> {
    let rows = world.stage.rows().await?.into_iter().filter(|row| {
        row.status == RowStatus::Current && row.address.as_str().starts_with("resources.many-")
    });
    Ok(rows.collect())
}

fn named(facts: &Facts<'_>) -> bool {
    facts
        .info()
        .is_some_and(|info| info.lost == Lost::Name || info.exclusive)
}

fn has_many(facts: &Facts<'_>) -> bool {
    facts.samples.is_some_and(|samples| samples.many.is_some())
}

fn r10_need(facts: &Facts<'_>) -> Need {
    if !facts.lists() && !facts.grouped() {
        return Need::skip("nothing is read in pages: it is not listed, and not read in groups");
    }
    super::unless(has_many(facts), "R10", ".many, more than a page")
}

fn r11_need(facts: &Facts<'_>) -> Need {
    if named(facts) {
        return super::unless(has_many(facts), "R11", ".many (names are unique)");
    }
    always(facts)
}

fn g1_need(facts: &Facts<'_>) -> Need {
    if !facts.grouped() {
        return Need::skip("each object is read by itself: there is no read group");
    }
    super::unless(has_many(facts), "G1", ".many")
}

async fn r10(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let count = declared(world.samples()).unwrap_or(10);
    grow(&world, count).await?;
    let mut all = world.also();
    all.extend(parts(&world, count));
    let plan = world.stage.plan(&world.load_parts(&all)?).await?;
    ensure!(
        plan.is_empty() && plan.drift.is_empty(),
        "{count} objects were created, and the plan would {}",
        said(&plan)
    );
    let instance = world.open().await?;
    if let Ok(listed) = instance.list(&world.stage.cx(), world.type_name()).await {
        ensure!(
            listed.len() >= count,
            "{count} objects were created, and {} are listed",
            listed.len()
        );
    }
    instance.close().await;
    Ok(())
}

async fn r11(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    // Every exchange takes a while, so that they meet.
    let slow = Fault::Delay(Duration::from_millis(5));
    world.proxy.on(Match::any().always(), slow);
    let rows = grow(&world, 10).await?;
    let there = world.count();
    ensure!(
        there == before + 10,
        "ten objects were created at once, and there are {} more",
        there - before
    );
    let mut ids: Vec<&str> = rows.iter().map(|row| row.object.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ensure!(
        ids.len() == 10,
        "ten objects were created at once, with {} different ids",
        ids.len()
    );
    let limit = world
        .stage
        .registry()
        .providers()
        .map(|provider| provider.info().max_in_flight)
        .sum::<usize>();
    let most = world.proxy.most_at_once();
    ensure!(
        most <= limit,
        "{most} requests were under way at once; the provider's limit is {limit}"
    );
    let mut all = world.also();
    all.extend(parts(&world, 10));
    let plan = world.stage.plan(&world.load_parts(&all)?).await?;
    ensure!(
        plan.is_empty() && plan.drift.is_empty(),
        "ten objects were created at once, and the plan would {}",
        said(&plan)
    );
    Ok(())
}

async fn g1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let count = declared(world.samples()).unwrap_or(10);
    grow(&world, count).await?;
    let seen = world.proxy.seen();
    world.open().await?.close().await;
    let connecting = world.proxy.seen() - seen;
    let also = world.samples().also.len();
    let bound = world
        .samples()
        .reads_at_most
        .unwrap_or_else(|| 2 + also + count.div_ceil(10));
    let mut all = world.also();
    all.extend(parts(&world, count));
    let stack = world.load_parts(&all)?;
    let seen = world.proxy.seen();
    let plan = world.stage.plan(&stack).await?;
    ensure!(
        plan.is_empty(),
        "{count} objects were read, and the plan would {}",
        said(&plan)
    );
    let sent = (world.proxy.seen() - seen).saturating_sub(connecting);
    ensure!(
        sent <= bound,
        "{count} objects of one read group took {sent} requests; {bound} are enough (say \
         otherwise with .reads_at_most)"
    );
    Ok(())
}
