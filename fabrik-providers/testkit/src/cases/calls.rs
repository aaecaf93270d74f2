//! Q1, Q2 and A1: lookups and actions.

use fabrik_core::error::ErrorKind;
use fabrik_core::plan::Action;

use super::{Case, Ctx, always, case, unless};
use crate::stack::said;
use crate::suite::world::{IT, Stop, Verdict, ensure, plain};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Lookup "Q1" "a_lookup_finds"
            "a lookup finds what is there, and outputs fit their schema" always, q1),
        case!(Lookup "Q2" "a_lookup_finds_nothing"
            "a lookup of what is not there is `NotFound`" q2_need, q2),
        case!(Action "A1" "an_action_runs_once"
            "an action runs once, and not again while nothing changes" always, a1),
    ]
}

fn q2_need(facts: &Facts<'_>) -> Need {
    let declared = facts
        .samples
        .is_some_and(|samples| samples.not_found.is_some());
    unless(declared, "Q2", ".not_found")
}

async fn q1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let stack = world.load(&world.samples().fullest())?;
    world.stage.settle(&stack).await?;
    let sample = world.filled(&world.samples().fullest());
    if sample.to_string().contains("${") {
        return Ok(());
    }
    let seen = world.proxy.seen();
    let instance = world.open().await?;
    let inputs = crate::suite::world::value_of(&sample);
    let found = instance
        .lookup(&world.stage.cx(), world.type_name(), &inputs)
        .await?;
    instance.close().await;
    ensure!(!found.id.is_empty(), "what was found has no id");
    let schema = jsonschema::validator_for(&world.info()?.outputs)
        .map_err(|error| Stop::Fail(format!("the schema of the outputs: {error}")))?;
    let outputs = plain(&found.outputs);
    if let Err(error) = schema.validate(&outputs) {
        return Err(Stop::Fail(format!(
            "outputs do not fit their schema at `{}`: {error}",
            error.instance_path()
        )));
    }
    let writes: Vec<_> = world.proxy.since(seen);
    let writes: Vec<_> = writes.into_iter().filter(|one| one.write).collect();
    ensure!(writes.is_empty(), "a lookup sent {writes:?}");
    Ok(())
}

async fn q2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let Some(inputs) = world.samples().not_found.clone() else {
        return Err(Stop::Skip("no .not_found".to_owned()));
    };
    let stack = world.load(&inputs)?;
    let error = match world.stage.apply(&stack).await {
        Err(error) => error.kind(),
        Ok(report) => match report.end.error {
            Some(error) => error.kind,
            None => return Err(Stop::Fail("something was found".to_owned())),
        },
    };
    ensure!(
        error == ErrorKind::NotFound,
        "there is nothing, and the error is {error:?}, not NotFound"
    );
    Ok(())
}

async fn a1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    world.base().await?;
    let stack = world.load(&world.samples().fullest())?;
    let plan = world.stage.plan(&stack).await?;
    let runs = plan
        .changes
        .iter()
        .any(|change| change.address.as_str() == IT && change.action == Action::Run);
    ensure!(runs, "the plan would {}, not run the action", said(&plan));
    let before = world.proxy.writes();
    world.stage.run(plan).await?;
    ensure!(
        world.proxy.writes() > before,
        "the action ran, and nothing was sent that changes"
    );
    let row = world.stage.row(IT).await?;
    let schema = jsonschema::validator_for(&world.info()?.outputs)
        .map_err(|error| Stop::Fail(format!("the schema of the outputs: {error}")))?;
    if let Err(error) = schema.validate(&plain(&row.object.outputs)) {
        return Err(Stop::Fail(format!(
            "outputs do not fit their schema: {error}"
        )));
    }
    let before = world.proxy.writes();
    world.stage.settle(&stack).await?;
    ensure!(
        world.proxy.writes() == before,
        "nothing changed, and the action ran again"
    );
    Ok(())
}
