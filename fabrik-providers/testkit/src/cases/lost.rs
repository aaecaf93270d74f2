//! R4, R5, R7, R9, F1 and F2: replies that are lost, and objects that show late.

use std::time::Duration;

use fabrik_core::engine::ApplyOptions;
use fabrik_core::provider::{Located, Lost, OpId, Verb};
use fabrik_core::state::RunResult;

use super::life::differences;
use super::{Case, Ctx, always, case};
use crate::proxy::{Fault, Match};
use crate::suite::world::{IT, Stop, Verdict, World, ensure};
use crate::suite::{Facts, Need};
use crate::target::Wire;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "R4" "create_failed_but_happened"
            "a create that answers 500 and happened makes no second object" always, r4),
        case!(Resource "R5" "create_cut_off"
            "a create whose connection is cut makes no second object" always, r5),
        case!(Resource "R7" "stopped_in_a_create"
            "a run stopped within a create ends at once; the next one finds out and goes on" always, r7),
        case!(Resource "R9" "shown_late"
            "an object that shows late is no failure and makes no second one" r9_need, r9),
        case!(Resource "F1" "a_lost_create_is_found"
            "after a lost reply the object is found and adopted in the same run" located, f1),
        case!(Resource "F2" "what_was_not_made_is_not_found"
            "an operation that made nothing is located as absent" located, f2),
    ]
}

fn located(facts: &Facts<'_>) -> Need {
    let lost = facts.info().map(|info| info.lost).unwrap_or_default();
    match lost {
        Lost::None => Need::skip("the type says that a lost create cannot be found again"),
        Lost::Key | Lost::Mark | Lost::Name => always(facts),
    }
}

fn r9_need(facts: &Facts<'_>) -> Need {
    if facts.wire() == Wire::Http {
        always(facts)
    } else {
        Need::skip("replies of former reads are known for HTTP only")
    }
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
        // What is to land later has landed by then.
        world.clock.advance(Duration::from_secs(10));
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

/// Waits in real time until a write arrived.
pub(super) async fn until_written(world: &World, seen: usize) -> Verdict {
    for _ in 0..2000 {
        if world.proxy.since(seen).iter().any(|one| one.write) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Err(Stop::Fail("no write came within two seconds".to_owned()))
}

async fn r7(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    let stack = world.load(&world.samples().fullest())?;
    let plan = world.stage.plan(&stack).await?;
    let seen = world.proxy.seen();
    world.proxy.on(Match::write(), Fault::LandsAfterDeath);
    let engine = world.stage.engine();
    let run = engine.apply(plan, ApplyOptions::default());
    let stop = run.stopper();
    let following = world.stage.follow(run);
    let stopping = async {
        let written = until_written(&world, seen).await;
        stop.now();
        written
    };
    let ended = tokio::time::timeout(Duration::from_secs(5), async {
        tokio::join!(following, stopping)
    });
    let Ok((report, written)) = ended.await else {
        return Err(Stop::Fail(
            "stopped within a create, the run did not end within 5 s".to_owned(),
        ));
    };
    written?;
    let report = report?;
    ensure!(
        report.end.result != RunResult::Succeeded,
        "stopped within a create, and the run says it succeeded"
    );
    world.proxy.heal();
    world.proxy.quiet().await;
    let run = engine.recover(Some(stack.clone()), true);
    world.stage.follow(run).await?;
    converge(&world, "the run was stopped within a create", before).await
}

async fn r9(ctx: Ctx) -> Verdict {
    // After a create that was answered.
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    let late = Match::read().after_write().times(2);
    world.proxy.on(late, Fault::Stale);
    converge(&world, "reads were stale after the create", before).await?;
    // After one that was not.
    if world.info()?.lost == Lost::None {
        return Ok(());
    }
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    world.proxy.on(Match::write(), Fault::CutAfter);
    let late = Match::read().after_write().times(2);
    world.proxy.on(late, Fault::Stale);
    let what = "the create's reply was lost and reads were stale";
    converge(&world, what, before).await
}

async fn f1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let before = world.count();
    let sample = world.samples().fullest();
    let stack = world.load(&sample)?;
    world.proxy.on(Match::write(), Fault::CutAfter);
    let report = world.stage.apply(&stack).await?;
    ensure!(
        report.end.result == RunResult::Succeeded,
        "the reply to a create was lost, and the run ended with {:?}: {:?}",
        report.end.result,
        report.end.error
    );
    let there = world.count();
    ensure!(
        there == before + 1,
        "the reply to a create was lost, and there are {} objects",
        there - before
    );
    let row = world.stage.row(IT).await?;
    let Some(object) = world.read(&row.object).await? else {
        return Err(Stop::Fail(format!(
            "state has `{}`, which the service does not know",
            row.object.id
        )));
    };
    let wrong = differences(&*world.info()?, &row.object.inputs, &object);
    ensure!(wrong.is_empty(), "the object found: {}", wrong.join("; "));
    Ok(())
}

async fn f2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let made = world.made(&world.samples().fullest()).await?;
    let info = world.info()?;
    if info.lost == Lost::Name {
        // Another name is another object: only one that was deleted is absent for certain.
        let stack = world.load_also()?;
        world.stage.succeed(&stack).await?;
    }
    let instance = world.open().await?;
    let mut operation = world.operation(Verb::Create, 0xF2, Some(&made))?;
    operation.prior = None;
    let cx = world.stage.cx().for_op(OpId(0xF2));
    let mut found = instance.locate(&cx, std::slice::from_ref(&operation)).await;
    instance.close().await;
    match found.pop() {
        Some(Ok(Located::Absent)) => Ok(()),
        // The service is asked again with the same key; nothing need be found.
        Some(Err(_) | Ok(Located::Unsure { .. })) if info.lost == Lost::Key => Ok(()),
        other => Err(Stop::Fail(format!(
            "an operation that made nothing is located as {other:?}"
        ))),
    }
}
