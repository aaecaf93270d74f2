//! D1 to D4: what changed outside Fabrik.

use fabrik_core::plan::{Action, Reason};

use super::life::differences;
use super::{Case, Ctx, case, unless};
use crate::stack::said;
use crate::suite::samples::Hand;
use crate::suite::world::{IT, Stop, Verdict, World, ensure};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "D1" "a_change_by_hand_is_reported"
            "a field changed by hand is reported, and no other" drift_need, d1),
        case!(Resource "D2" "a_change_by_hand_is_restored"
            "applying puts back what was changed by hand" drift_need, d2),
        case!(Resource "D3" "gone_by_hand_is_created"
            "what was deleted by hand is planned to be created" gone_need, d3),
        case!(Resource "D4" "unmanaged_is_no_drift"
            "a change of what Fabrik does not manage is no drift" unmanaged_need, d4),
    ]
}

fn drift_need(facts: &Facts<'_>) -> Need {
    let declared = facts
        .samples
        .is_some_and(|samples| !samples.drift.is_empty());
    unless(declared, "D1 and D2", ".drift")
}

fn gone_need(facts: &Facts<'_>) -> Need {
    let declared = facts.samples.is_some_and(|samples| samples.gone.is_some());
    unless(declared, "D3", ".gone")
}

fn unmanaged_need(facts: &Facts<'_>) -> Need {
    let declared = facts
        .samples
        .is_some_and(|samples| samples.unmanaged.is_some());
    unless(declared, "D4", ".unmanaged")
}

fn hands(world: &World) -> Vec<(String, Hand)> {
    world.samples().drift.clone()
}

async fn d1(ctx: Ctx) -> Verdict {
    for (field, hand) in hands(&ctx.world()?) {
        let world = ctx.world()?;
        let sample = world.samples().fullest();
        let made = world.made(&sample).await?;
        world.by_hand(&hand, &made.object.id);
        let plan = world.stage.plan(&world.load(&sample)?).await?;
        let drift = plan.drift.iter().find(|drift| drift.address.as_str() == IT);
        let Some(drift) = drift else {
            return Err(Stop::Fail(format!(
                "`{field}` was changed by hand, and no drift is reported"
            )));
        };
        ensure!(
            !drift.missing,
            "`{field}` was changed by hand, and the object is reported as gone"
        );
        let paths: Vec<String> = drift
            .diff
            .iter()
            .map(|diff| diff.path.to_string())
            .collect();
        let within = |path: &String| {
            *path == field
                || path.starts_with(&format!("{field}."))
                || path.starts_with(&format!("{field}["))
        };
        ensure!(
            !paths.is_empty() && paths.iter().all(within),
            "`{field}` was changed by hand, and drift of {paths:?} is reported"
        );
        let others = plan
            .drift
            .iter()
            .filter(|drift| drift.address.as_str() != IT);
        let others: Vec<_> = others.map(|drift| drift.address.to_string()).collect();
        ensure!(
            others.is_empty(),
            "drift of {others:?} is reported, which nobody changed"
        );
    }
    Ok(())
}

async fn d2(ctx: Ctx) -> Verdict {
    for (field, hand) in hands(&ctx.world()?) {
        let world = ctx.world()?;
        let sample = world.samples().fullest();
        let made = world.made(&sample).await?;
        world.by_hand(&hand, &made.object.id);
        // What a type leaves as people made it is put back where that is asked for.
        world.stage.succeed(&world.load_restoring(&sample)?).await?;
        let restored = world.stage.row(IT).await?;
        let Some(there) = world.read(&restored.object).await? else {
            return Err(Stop::Fail(format!("after restoring `{field}` it is gone")));
        };
        let wrong = differences(&*world.info()?, &restored.object.inputs, &there);
        ensure!(
            wrong.is_empty(),
            "after restoring `{field}`: {}",
            wrong.join("; ")
        );
        let plan = world.stage.plan(&world.load(&sample)?).await?;
        ensure!(
            plan.is_empty(),
            "after restoring `{field}` the plan would {}",
            said(&plan)
        );
    }
    Ok(())
}

async fn d3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let count = world.count();
    let Some(gone) = world.samples().gone.clone() else {
        return Err(Stop::Skip("no .gone".to_owned()));
    };
    world.by_hand(&gone, &made.object.id);
    ensure!(
        world.count() + 1 == count,
        ".gone removes nothing that the target counts"
    );
    let stack = world.load(&sample)?;
    let plan = world.stage.plan(&stack).await?;
    let change = plan
        .changes
        .iter()
        .find(|change| change.address.as_str() == IT);
    ensure!(
        change
            .is_some_and(|change| change.action == Action::Create
                && change.reasons.contains(&Reason::Missing)),
        "it was deleted by hand, and the plan would {}",
        said(&plan)
    );
    world.stage.settle(&stack).await?;
    ensure!(
        world.count() == count,
        "after creating it again there are {} objects, not {count}",
        world.count()
    );
    Ok(())
}

async fn d4(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let Some(hand) = world.samples().unmanaged.clone() else {
        return Err(Stop::Skip("no .unmanaged".to_owned()));
    };
    world.by_hand(&hand, &made.object.id);
    let plan = world.stage.plan(&world.load(&sample)?).await?;
    ensure!(
        plan.is_empty() && plan.drift.is_empty(),
        "something unmanaged was changed by hand, and the plan would {} (drift: {:?})",
        said(&plan),
        plan.drift
    );
    Ok(())
}
