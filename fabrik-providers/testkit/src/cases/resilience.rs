//! R4 and R5: replies that are lost.

use std::time::Duration;

use fabrik_core::provider::Lost;
use fabrik_core::state::RunResult;

use super::{Case, Ctx, always, case};
use crate::proxy::{Fault, Match};
use crate::suite::world::{Verdict, World, ensure};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "R4" "create_failed_but_happened"
            "a create that answers 500 and happened makes no second object" always, r4),
        case!(Resource "R5" "create_cut_off"
            "a create whose connection is cut makes no second object" always, r5),
    ]
}

async fn r4(ctx: Ctx) -> Verdict {
    no_second(
        &ctx,
        "answered 500 and landed",
        &Fault::status(500).forwarded(),
    )
    .await
}

async fn r5(ctx: Ctx) -> Verdict {
    no_second(&ctx, "cut before it landed", &Fault::CutBefore).await?;
    no_second(&ctx, "cut after it landed", &Fault::CutAfter).await?;
    let later = Fault::LandsLater(Duration::from_secs(3));
    no_second(&ctx, "cut, and landed later", &later).await
}

/// How many writes a create of the fullest sample takes.
pub(super) async fn writes_of_a_create(ctx: &Ctx) -> Verdict<usize> {
    let world = ctx.world()?;
    world.base().await?;
    let before = world.proxy.writes();
    world.changed(&world.samples().fullest()).await?;
    Ok(world.proxy.writes() - before)
}

/// Each write of a create meets the fault once; there is one object in the end.
async fn no_second(ctx: &Ctx, what: &str, fault: &Fault) -> Verdict {
    let writes = writes_of_a_create(ctx).await?;
    ensure!(writes > 0, "a create sends nothing that changes");
    for nth in 1..=writes.min(6) {
        let world = ctx.world()?;
        world.base().await?;
        let before = world.count();
        world.proxy.on(Match::write().nth(nth), fault.clone());
        let what = format!("write {nth} of {writes} was {what}");
        converge(&world, &what, before).await?;
    }
    Ok(())
}

/// Applies until nothing is left to do; there is one more object then, and at no time two.
pub(super) async fn converge(world: &World, what: &str, before: usize) -> Verdict {
    let sample = world.samples().fullest();
    let lost = world.info()?.lost;
    let stack = world.load(&sample)?;
    for round in 1..=3 {
        let report = world.stage.apply(&stack).await?;
        world.proxy.heal();
        world.proxy.quiet().await;
        let there = world.count();
        ensure!(
            there <= before + 1,
            "{what}: the service has {} objects instead of one",
            there - before
        );
        if report.end.result == RunResult::Succeeded {
            break;
        }
        let unsure = report.end.error.as_ref().map(|error| error.message.clone());
        if lost == Lost::None {
            // What cannot be found again is shown to the user, who has to say.
            return Ok(());
        }
        ensure!(
            round < 3,
            "{what}: the third apply still ends with {:?}: {unsure:?}",
            report.end.result
        );
    }
    let there = world.count();
    ensure!(
        there == before + 1,
        "{what}: the service has {} objects instead of one",
        there - before
    );
    world.stage.settle(&stack).await?;
    let there = world.count();
    ensure!(
        there == before + 1,
        "{what}: after applying again the service has {} objects instead of one",
        there - before
    );
    Ok(())
}
