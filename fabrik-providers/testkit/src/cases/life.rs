//! L1 to L12: the life cycle of one object.

use fabrik_core::engine::{PlanOptions, Refresh};
use fabrik_core::plan::{Action, Reason, Treat, compare};
use fabrik_core::provider::{Object, Outcome, TypeInfo, Verb};
use fabrik_core::stack::OnDrift;
use fabrik_core::value::Value;
use serde_json::Value as Json;

use super::{Case, Ctx, always, case, unless, updatable};
use crate::stack::said;
use crate::suite::world::{IT, Stop, Verdict, World, ensure, merged, plain, with_field};
use crate::suite::{Facts, Need};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "L1" "create_gives_id_and_outputs"
            "a create gives an id, and outputs that fit their schema" always, l1),
        case!(Resource "L2" "read_shows_what_was_set"
            "a read right after a create shows what was set" always, l2),
        case!(Resource "L3" "plan_after_apply_is_empty"
            "a plan after apply is empty, without reading" always, l3),
        case!(Resource "L4" "plan_after_apply_and_refresh_is_empty"
            "a plan after apply is empty, after reading" always, l4),
        case!(Resource "L5" "update_keeps_the_id"
            "an update in place keeps the id" can_update, l5),
        case!(Resource "L6" "update_leaves_the_unmanaged_alone"
            "an update leaves alone what Fabrik does not manage" l6_need, l6),
        case!(Resource "L7" "replace_fields_plan_a_replacement"
            "a field that cannot change in place plans a replacement that names it" l7_need, l7),
        case!(Resource "L8" "no_change_writes_nothing"
            "applying without changes sends nothing that changes" always, l8),
        case!(Resource "L9" "deleted_is_gone"
            "after a delete a read finds nothing, and nothing is left" always, l9),
        case!(Resource "L10" "delete_twice"
            "deleting what is deleted succeeds" always, l10),
        case!(Resource "L11" "delete_after_gone_by_hand"
            "deleting what a human removed succeeds" l11_need, l11),
        case!(Resource "L12" "unknown_id_reads_as_none"
            "reading an unknown id gives nothing, and no error" always, l12),
    ]
}

pub(super) fn can_update(facts: &Facts<'_>) -> Need {
    let declared = facts
        .samples
        .is_some_and(|samples| samples.update.is_some());
    if !updatable(facts) {
        return if declared {
            Need::Missing(".update is declared, but the type says it cannot be updated".to_owned())
        } else {
            Need::skip("cannot be updated in place")
        };
    }
    unless(declared, "L5", ".update")
}

fn l6_need(facts: &Facts<'_>) -> Need {
    match can_update(facts) {
        Need::Run => unless(
            facts
                .samples
                .is_some_and(|samples| samples.unmanaged.is_some()),
            "L6",
            ".unmanaged",
        ),
        other => other,
    }
}

fn replace_fields(info: &TypeInfo) -> Vec<String> {
    let fields = info.fields.properties.iter();
    let marked = fields.filter(|(_, field)| field.replace);
    marked.map(|(name, _)| name.to_string()).collect()
}

fn l7_need(facts: &Facts<'_>) -> Need {
    let (Some(info), Some(samples)) = (facts.info(), facts.samples) else {
        return Need::skip("no type");
    };
    let fields = replace_fields(info);
    let declared = |field: &String| {
        let below = format!("{field}.");
        let mut names = samples.replace.iter();
        names.any(|(name, _)| name == field || name.starts_with(&below))
    };
    match fields.iter().find(|field| !declared(field)) {
        Some(field) => Need::Missing(format!(
            "declare .replace(\"{field}\", another value) or waive L7"
        )),
        None if samples.replace.is_empty() => Need::skip("no field needs a new object"),
        None => Need::Run,
    }
}

fn l11_need(facts: &Facts<'_>) -> Need {
    unless(
        facts.samples.is_some_and(|samples| samples.gone.is_some()),
        "L11",
        ".gone",
    )
}

/// The differences between what was set and what is there.
pub(super) fn differences(info: &TypeInfo, set: &Value, there: &Object) -> Vec<String> {
    let treat = Treat {
        ignore: &[],
        on_drift: OnDrift::Restore,
        hidden: &there.hidden,
    };
    // As last sent too, so that what the service does not show counts as it was sent.
    let compared = compare(&info.fields, set, Some(set), Some(&there.inputs), treat);
    let text = compared.diff.iter().map(|diff| {
        format!(
            "`{}` was set to {} and reads as {}",
            diff.path,
            fabrik_core::value::to_wire_masked(&diff.after),
            fabrik_core::value::to_wire_masked(&diff.before)
        )
    });
    text.collect()
}

async fn l1(ctx: Ctx) -> Verdict {
    for (name, sample) in every(&ctx) {
        let world = ctx.world()?;
        let before = world.count();
        let row = world.made(&sample).await?;
        ensure!(!row.object.id.is_empty(), "{name}: the id is empty");
        let there = world.count();
        ensure!(
            there == before + 1,
            "{name}: the service had {before} objects and has {there} after one create"
        );
        let info = world.info()?;
        let outputs = plain(&row.object.outputs);
        let schema = jsonschema::validator_for(&info.outputs)
            .map_err(|error| Stop::Fail(format!("the schema of the outputs: {error}")))?;
        if let Err(error) = schema.validate(&outputs) {
            return Err(Stop::Fail(format!(
                "{name}: outputs do not fit their schema at `{}`: {error}",
                error.instance_path()
            )));
        }
    }
    Ok(())
}

fn every(ctx: &Ctx) -> Vec<(String, Json)> {
    let samples = ctx.samples.as_deref();
    let every = samples.map(|samples| samples.every()).unwrap_or_default();
    every
        .into_iter()
        .map(|(name, sample)| (name.to_owned(), sample.clone()))
        .collect()
}

async fn l2(ctx: Ctx) -> Verdict {
    for (name, sample) in every(&ctx) {
        let world = ctx.world()?;
        let row = world.made(&sample).await?;
        let there = world.read(&row.object).await?;
        let Some(there) = there else {
            return Err(Stop::Fail(format!(
                "{name}: a read right after the create finds nothing"
            )));
        };
        ensure!(
            there.id == row.object.id,
            "{name}: created as `{}`, read as `{}`",
            row.object.id,
            there.id
        );
        let wrong = differences(&*world.info()?, &row.object.inputs, &there);
        ensure!(wrong.is_empty(), "{name}: {}", wrong.join("; "));
    }
    Ok(())
}

async fn l3(ctx: Ctx) -> Verdict {
    empty_after(ctx, Refresh::None).await
}

async fn l4(ctx: Ctx) -> Verdict {
    empty_after(ctx, Refresh::All).await
}

async fn empty_after(ctx: Ctx, refresh: Refresh) -> Verdict {
    let options = PlanOptions {
        refresh,
        ..PlanOptions::default()
    };
    for (name, sample) in every(&ctx) {
        let world = ctx.world()?;
        world.made(&sample).await?;
        let stack = world.load(&sample)?;
        let plan = world.stage.plan_with(&stack, &options).await?;
        ensure!(plan.is_empty(), "{name}: the plan would {}", said(&plan));
        ensure!(
            plan.drift.is_empty(),
            "{name}: drift is reported that nobody made: {:?}",
            plan.drift
        );
    }
    Ok(())
}

/// The sample before and after its update.
pub(super) fn before_and_after(world: &World) -> (Json, Json) {
    let before = world.samples().fullest();
    let update = world.samples().update.as_ref();
    let after = update.map_or_else(|| before.clone(), |change| merged(&before, change));
    (before, after)
}

async fn l5(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let (before, after) = before_and_after(&world);
    let made = world.made(&before).await?;
    let count = world.count();
    let stack = world.load(&after)?;
    let plan = world.stage.plan(&stack).await?;
    let change = plan
        .changes
        .iter()
        .find(|change| change.address.as_str() == IT);
    ensure!(
        change.is_some_and(|change| change.action == Action::Update),
        "an update was expected, and the plan would {}",
        said(&plan)
    );
    let changed = world.changed(&after).await?;
    ensure!(
        changed.object.id == made.object.id,
        "the id was `{}` and is `{}` after an update",
        made.object.id,
        changed.object.id
    );
    ensure!(
        world.count() == count,
        "the service had {count} objects and has {} after an update",
        world.count()
    );
    let Some(there) = world.read(&changed.object).await? else {
        return Err(Stop::Fail("after an update it reads as gone".to_owned()));
    };
    let wrong = differences(&*world.info()?, &changed.object.inputs, &there);
    ensure!(wrong.is_empty(), "after the update: {}", wrong.join("; "));
    Ok(())
}

/// Leaves that differ, as JSON pointers with the second value.
fn leaves(before: &Json, after: &Json, at: &str, out: &mut Vec<(String, Json)>) {
    match (before, after) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                let below = format!("{at}/{escaped}");
                let null = Json::Null;
                leaves(
                    a.get(key).unwrap_or(&null),
                    b.get(key).unwrap_or(&null),
                    &below,
                    out,
                );
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                leaves(a, b, &format!("{at}/{index}"), out);
            }
        }
        (a, b) if a != b => out.push((at.to_owned(), b.clone())),
        _ => {}
    }
}

async fn l6(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let (before, after) = before_and_after(&world);
    let made = world.made(&before).await?;
    let untouched = world.dump();
    let Some(hand) = world.samples().unmanaged.clone() else {
        return Err(Stop::Skip("no .unmanaged".to_owned()));
    };
    world.by_hand(&hand, &made.object.id);
    let by_hand = world.dump();
    let mut edited = Vec::new();
    leaves(&untouched, &by_hand, "", &mut edited);
    ensure!(
        !edited.is_empty(),
        ".unmanaged changes nothing that the target's dump shows"
    );
    world.changed(&after).await?;
    let updated = world.dump();
    for (at, value) in edited {
        let now = updated.pointer(&at).cloned().unwrap_or_default();
        ensure!(
            now == value,
            "`{at}` was set to {value} by hand, and the update made it {now}"
        );
    }
    Ok(())
}

async fn l7(ctx: Ctx) -> Verdict {
    let fields = ctx.world()?.samples().replace.clone();
    for (field, value) in fields {
        let world = ctx.world()?;
        // Fields that exclude each other are in different samples.
        let root = field.split('.').next().unwrap_or(&field);
        let samples = world.samples();
        let every = samples.every().into_iter().map(|(_, sample)| sample);
        let mut having: Vec<_> = every.filter(|sample| sample.get(root).is_some()).collect();
        having.sort_by_key(|sample| {
            let is = |one: &Option<Json>| one.as_ref() == Some(*sample);
            (!is(&samples.maximal), is(&samples.minimal))
        });
        let before = having
            .first()
            .map_or_else(|| samples.fullest(), |sample| (*sample).clone());
        let made = world.made(&before).await?;
        let count = world.count();
        let after = with_field(&before, &field, &value);
        let stack = world.load(&after)?;
        let plan = world.stage.plan(&stack).await?;
        let change = plan
            .changes
            .iter()
            .find(|change| change.address.as_str() == IT);
        let Some(change) = change else {
            return Err(Stop::Fail(format!(
                "another `{field}` should make a new object, and the plan would do {}",
                said(&plan)
            )));
        };
        ensure!(
            matches!(change.action, Action::Replace { .. }),
            "another `{field}` should make a new object, and the plan would {}",
            said(&plan)
        );
        let names = |reason: &Reason| match reason {
            Reason::FieldForcesReplacement(path) => {
                let path = path.to_string();
                path == field || path.starts_with(&format!("{field}.")) || field.starts_with(&path)
            }
            _ => false,
        };
        ensure!(
            change.reasons.iter().any(names),
            "the replacement does not say that `{field}` is why: {:?}",
            change.reasons
        );
        world.stage.run(plan).await?;
        let there = world.count();
        ensure!(
            there == count,
            "replacing for `{field}` left {there} objects where {count} were"
        );
        let row = world.stage.row(IT).await?;
        let Some(object) = world.read(&row.object).await? else {
            return Err(Stop::Fail(format!(
                "after replacing `{}` for `{field}` the new object is not there",
                made.object.id
            )));
        };
        let wrong = differences(&*world.info()?, &row.object.inputs, &object);
        ensure!(wrong.is_empty(), "after replacing: {}", wrong.join("; "));
    }
    Ok(())
}

async fn l8(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    world.made(&sample).await?;
    let seen = world.proxy.seen();
    world.changed(&sample).await?;
    let writes: Vec<_> = world.proxy.since(seen);
    let writes: Vec<_> = writes.into_iter().filter(|one| one.write).collect();
    ensure!(writes.is_empty(), "applying the same again sent {writes:?}");
    Ok(())
}

async fn l9(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let empty = world.dump();
    let made = world.made(&sample).await?;
    let stack = world.load(&sample)?;
    world.stage.destroy(&stack).await?;
    let there = world.read(&made.object).await?;
    ensure!(
        there.is_none(),
        "`{}` was deleted and still reads",
        made.object.id
    );
    let left = world.dump();
    let mut rest = Vec::new();
    leaves(&empty, &left, "", &mut rest);
    ensure!(
        rest.is_empty(),
        "after deleting everything something is left: {rest:?}"
    );
    Ok(())
}

async fn l10(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let operation = world.operation(Verb::Delete, 10, Some(&made))?;
    let instance = world.open().await?;
    let cx = world.stage.cx();
    for time in ["first", "second"] {
        let mut outcomes = instance.apply(&cx, std::slice::from_ref(&operation)).await;
        match outcomes.pop() {
            Some(Outcome::Gone | Outcome::Done(_)) => {}
            Some(Outcome::Failed(error)) => {
                return Err(Stop::Fail(format!("the {time} delete failed: {error:?}")));
            }
            other => return Err(Stop::Fail(format!("the {time} delete gave {other:?}"))),
        }
    }
    instance.close().await;
    Ok(())
}

async fn l11(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let sample = world.samples().fullest();
    let made = world.made(&sample).await?;
    let Some(gone) = world.samples().gone.clone() else {
        return Err(Stop::Skip("no .gone".to_owned()));
    };
    let stack = world.load(&sample)?;
    // Without a refresh, so that the provider is asked to delete it.
    let options = PlanOptions {
        destroy: true,
        refresh: Refresh::None,
        ..PlanOptions::default()
    };
    let plan = world.stage.plan_with(&stack, &options).await?;
    world.by_hand(&gone, &made.object.id);
    let report = world.stage.run(plan).await?;
    ensure!(
        report.end.result == fabrik_core::state::RunResult::Succeeded,
        "it was removed by hand, and deleting ended with {:?}: {:?}",
        report.end.result,
        report.end.error
    );
    Ok(())
}

/// Another id of the same shape: its last letter or digit is another one.
pub(super) fn other_id(id: &str) -> String {
    let mut chars: Vec<char> = id.chars().collect();
    let last = chars.iter().rposition(char::is_ascii_alphanumeric);
    if let Some(at) = last {
        chars[at] = match chars[at] {
            '9' => '8',
            '0'..='8' => '9',
            'f' => 'e',
            'F' => 'E',
            'a'..='e' => 'f',
            'A'..='E' => 'F',
            'z' => 'y',
            'Z' => 'Y',
            other if other.is_ascii_uppercase() => 'Z',
            _ => 'z',
        };
    }
    chars.into_iter().collect()
}

async fn l12(ctx: Ctx) -> Verdict {
    let world = ctx.world()?;
    let made = world.made(&world.samples().fullest()).await?;
    let unknown = Object {
        id: other_id(&made.object.id),
        ..Object::default()
    };
    match world.read(&unknown).await {
        Ok(None) => Ok(()),
        Ok(Some(found)) => Err(Stop::Fail(format!(
            "reading the unknown id `{}` found `{}`",
            unknown.id, found.id
        ))),
        Err(error) => Err(Stop::Fail(format!(
            "reading the unknown id `{}` failed: {error:?}",
            unknown.id
        ))),
    }
}
