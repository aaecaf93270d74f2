//! R8, R12 and V1: what is refused, by us and by the service.

use fabrik_core::error::{Error, ErrorReport};
use fabrik_core::state::RunResult;

use super::lost::writes_of_a_create;
use super::{Case, Ctx, always, case, unless};
use crate::proxy::{Fault, Match};
use crate::suite::world::{Stop, Verdict, World, ensure, tell, with_field};
use crate::suite::{Definition, Facts, Need};
use crate::target::Wire;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(Resource "R8" "a_create_that_fails_half_way_is_undone"
            "a create whose any request is refused leaves nothing behind" r8_need, r8),
        case!(Resource "R12" "a_refusal_names_the_field"
            "what the service refuses is an error that names the spec's field" r12_need, r12),
        case!(Resource "V1" "bad_values_are_refused_first"
            "bad values are refused before anything is sent, and the error names the field"
            v1_need, v1),
    ]
}

fn r8_need(facts: &Facts<'_>) -> Need {
    if facts.wire() == Wire::Lines && facts.def.refusal.is_none() {
        return Need::Missing("declare .refusal (of the suite) or waive R8".to_owned());
    }
    always(facts)
}

fn r12_need(facts: &Facts<'_>) -> Need {
    unless(
        facts
            .samples
            .is_some_and(|samples| !samples.refused.is_empty()),
        "R12",
        ".refused",
    )
}

fn v1_need(facts: &Facts<'_>) -> Need {
    unless(
        facts
            .samples
            .is_some_and(|samples| !samples.invalid.is_empty()),
        "V1",
        ".invalid",
    )
}

/// How the service refuses a write for good.
pub(super) fn refusal(def: &Definition, wire: Wire) -> Fault {
    match (&def.refusal, wire) {
        (Some(refusal), _) => Fault::status(refusal.status)
            .header("content-type", &refusal.content_type)
            .body(refusal.body.clone()),
        (None, Wire::WebSocket) => Fault::status(400).body(r#"[{"ok":false,"msg":"refused"}]"#),
        (None, _) => Fault::status(400),
    }
}

async fn r8(ctx: Ctx) -> Verdict {
    let writes = writes_of_a_create(&ctx).await?;
    for nth in 1..=writes.min(6) {
        let world = ctx.world()?;
        world.base().await?;
        let (count, before) = (world.count(), world.dump());
        let stack = world.load(&world.samples().fullest())?;
        let fault = refusal(&world.def, world.wire());
        world.proxy.on(Match::write().nth(nth), fault);
        let report = world.stage.apply(&stack).await?;
        ensure!(
            report.end.result != RunResult::Succeeded,
            "write {nth} of {writes} was refused, and the run succeeded"
        );
        let there = world.count();
        ensure!(
            there == count,
            "write {nth} of {writes} was refused; the run ended with {:?} and left {} objects",
            report.end.result,
            there - count
        );
        ensure!(
            world.dump() == before,
            "write {nth} of {writes} was refused; the run ended with {:?} and left something",
            report.end.result
        );
    }
    Ok(())
}

/// What an error says of a field: its path, its message, its diagnostics.
fn names(field: &str, path: Option<String>, text: &str) -> bool {
    let last = field.rsplit('.').next().unwrap_or(field);
    path.is_some_and(|path| {
        path == field
            || path.ends_with(&format!(".{field}"))
            || path.starts_with(&format!("{field}."))
            || path.starts_with(&format!("{field}["))
    }) || text.contains(&format!("`{field}`"))
        || text.contains(&format!("`{last}`"))
}

fn said(error: &Error) -> (Option<String>, String) {
    let path = error.field_path().map(ToString::to_string);
    (path, tell(error))
}

fn reported(error: &ErrorReport) -> (Option<String>, String) {
    let path = error.field.as_ref().map(ToString::to_string);
    let hint = error.hint.clone().unwrap_or_default();
    let causes = error.causes.join(" ");
    (path, format!("{} {hint} {causes}", error.message))
}

async fn r12(ctx: Ctx) -> Verdict {
    for (field, value, text) in ctx.world()?.samples().refused.clone() {
        let world = ctx.world()?;
        world.base().await?;
        let sample = with_field(&world.samples().fullest(), &field, &value);
        let report = world.stage.apply(&world.load(&sample)?).await?;
        let Some(error) = &report.end.error else {
            return Err(Stop::Fail(format!("`{field}` of {value} was not refused")));
        };
        let (path, words) = reported(error);
        let exact = path.as_deref() == Some(field.as_str())
            || path
                .as_ref()
                .is_some_and(|path| path.starts_with(&format!("{field}[")));
        ensure!(
            exact,
            "the service refused `{field}`, and the error points at {path:?}: {words}"
        );
        ensure!(
            words.contains(&text),
            "the service refused `{field}`, and the error does not say `{text}`: {words}"
        );
    }
    Ok(())
}

async fn refused_first(
    world: &World,
    field: &str,
    sample: &serde_json::Value,
) -> Verdict<Option<(Option<String>, String)>> {
    let stack = match world.load(sample) {
        Ok(stack) => stack,
        Err(error) => return Ok(Some(said(&error))),
    };
    let plan = match world.stage.plan(&stack).await {
        Ok(plan) => plan,
        Err(error) => return Ok(Some(said(&error))),
    };
    if let Some(found) = plan.blocking().next() {
        let path = found.finding.field.as_ref().map(ToString::to_string);
        let hint = found.finding.hint.clone().unwrap_or_default();
        return Ok(Some((path, format!("{} {hint}", found.finding.message))));
    }
    let seen = world.proxy.seen();
    let report = world.stage.run(plan).await?;
    let sent: Vec<_> = world
        .proxy
        .since(seen)
        .into_iter()
        .filter(|one| one.write)
        .collect();
    ensure!(sent.is_empty(), "a bad `{field}` was sent: {sent:?}");
    Ok(report.end.error.as_ref().map(reported))
}

async fn v1(ctx: Ctx) -> Verdict {
    for (field, value, text) in ctx.world()?.samples().invalid.clone() {
        let world = ctx.world()?;
        world.base().await?;
        let sample = with_field(&world.samples().fullest(), &field, &value);
        let Some((path, words)) = refused_first(&world, &field, &sample).await? else {
            return Err(Stop::Fail(format!("`{field}` of {value} was not refused")));
        };
        ensure!(
            names(&field, path.clone(), &words),
            "the error for a bad `{field}` does not name it ({path:?}): {words}"
        );
        ensure!(
            words.contains(&text),
            "the error for a bad `{field}` does not say `{text}`: {words}"
        );
    }
    Ok(())
}
