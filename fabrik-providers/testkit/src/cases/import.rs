//! I1 to I4: objects that are there already.

use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::stack::Stack;

use super::life::{differences, other_id};
use super::many::{declared, grow};
use super::{Case, Ctx, always, case};
use crate::stack::said;
use crate::suite::world::{IT, Stop, Verdict, World, ensure};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "I1" "import_then_plan_is_empty"
            "after importing by id the plan is empty" always, i1),
        case!(Resource "I2" "a_bad_id_shows_the_shape"
            "the error for an id of the wrong shape shows the right one" i2_need, i2),
        case!(Resource "I3" "an_unknown_id_is_not_found"
            "importing an unknown id is `NotFound`" always, i3),
        case!(Resource "I4" "list_has_what_was_created"
            "a list contains what was created, across pages" i4_need, i4),
    ]
}

fn i2_need(facts: &Facts<'_>) -> Need {
    match facts.samples {
        Some(samples) if samples.opaque_ids => Need::skip("ids have no shape that could be wrong"),
        Some(samples) if samples.bad_id.is_none() => {
            Need::Missing("declare .bad_id, or .opaque_ids, or waive I2".to_owned())
        }
        _ => Need::Run,
    }
}

fn i4_need(facts: &Facts<'_>) -> Need {
    if facts.lists() {
        always(facts)
    } else {
        Need::skip("cannot be listed")
    }
}

async fn import(world: &World, stack: &Arc<Stack>, id: &str) -> Result<(), Error> {
    let engine = world.stage.engine();
    if world.stage.row(IT).await.is_ok() {
        engine.remove_state(&[IT.to_owned()]).await?;
    }
    let address = Address::parse(IT)?;
    engine.import(stack.clone(), &address, id).await.map(drop)
}

async fn i1(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let stack = world.load(&sample)?;
    import(&world, &stack, &made.object.id).await?;
    let row = world.stage.row(IT).await?;
    let info = world.info()?;
    let mut plan = world.stage.plan(&stack).await?;
    // What the service never shows cannot be known of an imported object.
    let unseen = |path: &fabrik_core::value::Path| {
        let facts = info.fields.at(path);
        facts.sensitive
            || facts.write_only
            || row
                .object
                .hidden
                .iter()
                .any(|hidden| path.starts_with(hidden))
    };
    for change in &mut plan.changes {
        change.diff.retain(|diff| !unseen(&diff.path));
    }
    plan.changes.retain(|change| {
        !(change.action.is_state_only()
            || (change.action == fabrik_core::plan::Action::Update && change.diff.is_empty()))
    });
    ensure!(
        plan.changes.is_empty(),
        "after importing `{}` the plan would {}",
        made.object.id,
        said(&plan)
    );
    Ok(())
}

async fn i2(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let Some((id, shape)) = world.samples().bad_id.clone() else {
        return Err(Stop::Skip("no .bad_id".to_owned()));
    };
    let sample = world.samples().fullest();
    world.base().await?;
    let stack = world.load(&sample)?;
    let Err(error) = import(&world, &stack, &id).await else {
        return Err(Stop::Fail(format!("importing `{id}` succeeded")));
    };
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound];
    ensure!(
        kinds.contains(&error.kind()),
        "importing `{id}` is {:?}, not Invalid: {error}",
        error.kind()
    );
    let text = format!("{error} {}", error.hint_text().unwrap_or_default());
    ensure!(
        text.contains(&shape),
        "importing `{id}` does not show the shape `{shape}`: {text}"
    );
    Ok(())
}

async fn i3(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let stack = world.load(&sample)?;
    let unknown = other_id(&made.object.id);
    let imported = import(&world, &stack, &unknown).await;
    if imported.is_err() {
        // Known again, so that it can be tidied up.
        import(&world, &stack, &made.object.id).await?;
    }
    match imported {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Stop::Fail(format!(
            "importing the unknown id `{unknown}` is {:?}, not NotFound: {error}",
            error.kind()
        ))),
        Ok(()) => Err(Stop::Fail(format!(
            "importing the unknown id `{unknown}` succeeded"
        ))),
    }
}

async fn i4(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let count = declared(world.samples());
    let rows = grow(&world, count.unwrap_or(1)).await?;
    let instance = world.open().await?;
    let listed = instance.list(&world.stage.cx(), world.type_name()).await?;
    instance.close().await;
    let info = world.info()?;
    for row in rows {
        let found: Vec<_> = listed
            .iter()
            .filter(|object| object.id == row.object.id)
            .collect();
        ensure!(
            found.len() == 1,
            "`{}` was created, and the list of {} has it {} times",
            row.object.id,
            listed.len(),
            found.len()
        );
        let wrong = differences(&info, &row.object.inputs, found[0]);
        ensure!(
            wrong.is_empty(),
            "`{}` is listed otherwise than it was set: {}",
            row.object.id,
            wrong.join("; ")
        );
    }
    Ok(())
}
