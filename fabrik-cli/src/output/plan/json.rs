//! A plan for programs.

use fabrik_core::expr;
use fabrik_core::plan::{Action, AttributeDiff, OutputChange, Plan, PlannedChange, Reason};
use fabrik_core::value::{Value, to_wire_masked};
use serde_json::{Value as Json, json};

/// Version of the form. Fields may be added within a version, never changed or taken away.
const VERSION: u32 = 1;

/// The plan in its machine form: secrets masked, expressions as their `${…}` text.
pub fn plan_json(plan: &Plan) -> Json {
    let instances: serde_json::Map<String, Json> = plan
        .instances
        .iter()
        .map(|(name, found)| {
            let facts = json!({"version": found.version, "facts": to_wire_masked(&found.facts)});
            (name.to_string(), facts)
        })
        .collect();
    json!({
        "version": VERSION,
        "fabrik": plan.fabrik,
        "kind": plan.kind,
        "stack": plan.stack.name,
        "env": plan.stack.env,
        "revision": plan.revision,
        "head": plan.head,
        "spec": plan.spec,
        "empty": plan.is_empty(),
        "applicable": plan.blocking().next().is_none() && plan.data_loss().next().is_none(),
        "summary": plan.summary(),
        "read": plan.read,
        "skipped": plan.skipped,
        "note": plan.note,
        "changes": plan.changes.iter().map(|it| change(plan, it)).collect::<Vec<_>>(),
        "drift": plan.drift.iter().map(|drift| json!({
            "address": drift.address,
            "type": drift.type_name,
            "missing": drift.missing,
            "restored": drift.restored,
            "diff": drift.diff.iter().map(attribute).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "groups": plan.groups,
        "findings": plan.findings,
        "outputs": plan.outputs.iter().map(output).collect::<Vec<_>>(),
        "secrets": plan.secrets,
        "checks": plan.stack.checks.iter().map(|check| json!({
            "name": check.name,
            "kind": check.kind,
        })).collect::<Vec<_>>(),
        "instances": instances,
    })
}

fn change(plan: &Plan, change: &PlannedChange) -> Json {
    let mut out = json!({
        "address": change.address,
        "type": change.type_name,
        "instance": change.instance,
        "action": change.action.word(),
        "symbol": change.action.symbol(),
        "state_only": change.action.is_state_only(),
        "reasons": change.reasons.iter().map(reason).collect::<Vec<_>>(),
        "diff": change.diff.iter().map(attribute).collect::<Vec<_>>(),
        "unchanged": change.unchanged,
        "undo": change.undo,
        "data_loss": change.data_loss,
        "pulled_forward": change.pulled_forward,
        "may_become": change.may_become.iter().map(Action::word).collect::<Vec<_>>(),
        "group": change.group,
        "id": change.id,
        "after": change.after.iter()
            .filter_map(|index| plan.changes.get(*index as usize))
            .map(|other| other.address.as_str())
            .collect::<Vec<_>>(),
    });
    match &change.action {
        Action::Replace { create_first } => out["create_first"] = json!(create_first),
        Action::Move { from } => out["from"] = json!(from),
        _ => {}
    }
    out
}

/// A reason: its kind, what it is about, and the words.
fn reason(reason: &Reason) -> Json {
    let (kind, about) = match serde_json::to_value(reason).unwrap_or_default() {
        Json::Object(map) => match map.into_iter().next() {
            Some((kind, about)) => (Json::String(kind), about),
            None => (Json::Null, Json::Null),
        },
        kind => (kind, Json::Null),
    };
    json!({"kind": kind, "about": about, "text": reason.text()})
}

fn attribute(diff: &AttributeDiff) -> Json {
    let guarded = super::value::guarded(diff);
    json!({
        "path": diff.path,
        "kind": diff.kind,
        "before": to_wire_masked(&guarded.before),
        "after": to_wire_masked(&guarded.after),
        "last_sent": guarded.last_sent.as_ref().map(to_wire_masked),
        "secret": diff.before.has_secret() || diff.after.has_secret(),
        "unknown": unknown(&diff.after),
        "forces_replacement": diff.forces_replacement,
        "place": diff.place,
    })
}

fn output(output: &OutputChange) -> Json {
    let diff = super::sections::as_attribute(output);
    let guarded = super::value::guarded(&diff);
    json!({
        "name": output.name,
        "before": output.before.as_ref().map(|_| to_wire_masked(&guarded.before)),
        "after": output.after.as_ref().map(|_| to_wire_masked(&guarded.after)),
        "secret": diff.before.has_secret() || diff.after.has_secret(),
        "unknown": unknown(&diff.after),
    })
}

/// What an unknown value waits for.
fn unknown(value: &Value) -> Vec<String> {
    let references = expr::references(value);
    references.iter().map(ToString::to_string).collect()
}
