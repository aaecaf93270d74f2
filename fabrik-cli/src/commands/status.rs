//! `fabrik status`.

use fabrik_core::engine::{Engine, PlanOptions};
use fabrik_core::plan::Plan;
use fabrik_core::provider::Mode;
use fabrik_core::stack::{Declared, Stack};
use fabrik_core::state::{CheckResult, EntryKind, RowStatus, RunSummary, Snapshot};
use fabrik_core::value::Value;

use crate::apps::{self, Current};
use crate::args::StatusArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::status::{
    AppStatus, DriftStatus, Health, LastRun, ResourceStatus, StackStatus, StatusStyle, render,
};
use crate::place::Access;
use crate::session::Session;

/// How far back a run with checks is looked for.
const LOOK_BACK: usize = 20;

/// Shows what runs, its checks, drift and the lock.
pub(super) async fn status(session: &mut Session, args: &StatusArgs) -> Done {
    let project = session.load(args.target.spec.as_deref()).await?;
    let stack = &project.stack;
    let engine = session.engine(&project.place, Access::Look).await?;
    let snapshot = engine.store().load().await?;
    let runs = engine.store().runs(LOOK_BACK).await?;
    let checks = last_checks(&engine, &runs).await?;
    let plan = if args.refresh || args.check {
        Some(engine.plan(stack.clone(), &PlanOptions::default()).await?)
    } else {
        None
    };
    let registry = session.registry_at(&project.place.dir);
    // What is only looked up leaves no object behind.
    let managed = |declared: &Declared| {
        let info = registry.type_info(&declared.type_name);
        info.is_ok_and(|info| info.mode != Mode::Lookup)
    };
    // A lock whose holder died is as good as free: the next run takes it over.
    let held = crate::runs::holds_lock(session, &engine).await?;
    let status = StackStatus {
        name: stack.display_name(),
        revision: snapshot.revision,
        last: runs.first().map(|run| LastRun {
            at: run.end.as_ref().map_or(run.started, |(_, at)| *at),
            who: run.start.who.clone(),
            result: run.end.as_ref().map(|(end, _)| end.result),
        }),
        apps: apps_of(stack, &managed, &snapshot, &checks),
        resources: resources_of(stack, &managed, &snapshot, plan.as_ref()),
        drift: drift_of(plan.as_ref()),
        lock: if held {
            engine.store().holder().await?
        } else {
            None
        },
        attention: attention(&snapshot, &runs, plan.as_ref(), held),
    };
    if session.is_machine() {
        session.out.structured(&status)?;
    } else {
        let style = StatusStyle {
            style: session.out.data_style(),
            now: session.world.clock.now(),
            resources: session.settings.verbose > 0,
        };
        session.out.data(&render(&status, &style))?;
    }
    let changed = plan.is_some_and(|plan| !plan.is_empty() || !plan.drift.is_empty());
    Ok(if args.check && changed {
        Exit::CHANGES
    } else {
        Exit::DONE
    })
}

/// What the checks of the last run that made any said.
async fn last_checks(engine: &Engine, runs: &[RunSummary]) -> Done<Vec<CheckResult>> {
    for run in runs {
        let entries = engine.store().entries(run.id).await?;
        let checks: Vec<CheckResult> = entries
            .into_iter()
            .filter_map(|(_, entry)| match entry.kind {
                EntryKind::Check(result) => Some(result),
                _ => None,
            })
            .collect();
        if !checks.is_empty() {
            return Ok(checks);
        }
    }
    Ok(Vec::new())
}

fn apps_of(
    stack: &Stack,
    managed: &dyn Fn(&Declared) -> bool,
    snapshot: &Snapshot,
    checks: &[CheckResult],
) -> Vec<AppStatus> {
    let current = Current::of(snapshot);
    stack
        .apps
        .iter()
        .map(|app| {
            let name = app.address.as_str().trim_start_matches("apps.");
            let prefix = format!("{}.", app.address);
            let own: Vec<&CheckResult> = checks
                .iter()
                .filter(|check| check.name.starts_with(&prefix))
                .collect();
            let failed = own.iter().find(|check| !check.passed);
            let declared = stack
                .resources
                .values()
                .filter(|declared| declared.address.matches(app.address.as_str()))
                .filter(|declared| managed(declared));
            let (there, wanted) = declared.fold((0, 0), |(there, wanted), declared| {
                (
                    there + usize::from(current.get(&declared.address).is_some()),
                    wanted + 1,
                )
            });
            let (health, state) = match (there, failed) {
                (0, _) => (Health::Unknown, "not applied"),
                (there, _) if there < wanted => (Health::Warn, "incomplete"),
                (_, Some(_)) => (Health::Bad, "failing"),
                (_, None) => (Health::Good, "running"),
            };
            let text = |value: &Value| apps::plain(&current.resolve(value)).unwrap_or_default();
            AppStatus {
                name: name.to_owned(),
                kind: app.kind.to_string(),
                health,
                state: state.to_owned(),
                version: text(&app.version),
                url: if there == 0 {
                    String::new()
                } else {
                    text(&app.url)
                },
                checks: (there > 0 && !own.is_empty()).then(|| {
                    let passed = own.iter().filter(|check| check.passed).count();
                    (passed, own.len())
                }),
                note: failed
                    .filter(|_| there > 0)
                    .map(|check| check.evidence.clone())
                    .unwrap_or_default(),
            }
        })
        .collect()
}

fn resources_of(
    stack: &Stack,
    managed: &dyn Fn(&Declared) -> bool,
    snapshot: &Snapshot,
    plan: Option<&Plan>,
) -> Vec<ResourceStatus> {
    let mut rows: Vec<ResourceStatus> = snapshot
        .rows
        .iter()
        .map(|row| {
            let drift =
                plan.and_then(|plan| plan.drift.iter().find(|drift| drift.address == row.address));
            let (health, state) = match (row.status, drift) {
                (RowStatus::Current, Some(drift)) if drift.missing => (Health::Bad, "gone"),
                (RowStatus::Current, Some(_)) => (Health::Warn, "changed outside"),
                (RowStatus::Current, None) if !stack.resources.contains_key(&row.address) => {
                    (Health::Warn, "not in the spec")
                }
                (RowStatus::Current, None) => (Health::Good, "ok"),
                (RowStatus::Retired, _) => (Health::Warn, "to be deleted"),
                (RowStatus::Incomplete, _) => (Health::Bad, "half made"),
                (RowStatus::Unsure, _) => (Health::Bad, "unsure"),
            };
            ResourceStatus {
                address: row.address.to_string(),
                type_name: row.type_name.to_string(),
                id: row.object.id.clone(),
                health,
                state: state.to_owned(),
            }
        })
        .collect();
    let wanted = stack
        .resources
        .values()
        .filter(|declared| managed(declared));
    let missing = wanted.filter(|declared| {
        !snapshot
            .rows
            .iter()
            .any(|row| row.address == declared.address)
    });
    rows.extend(missing.map(|declared| ResourceStatus {
        address: declared.address.to_string(),
        type_name: declared.type_name.to_string(),
        state: "not applied".to_owned(),
        ..ResourceStatus::default()
    }));
    rows.sort_by(|left, right| left.address.cmp(&right.address));
    rows
}

fn drift_of(plan: Option<&Plan>) -> DriftStatus {
    match plan {
        None => DriftStatus::Unknown,
        Some(plan) if plan.drift.is_empty() => DriftStatus::None,
        Some(plan) => DriftStatus::Some(
            plan.drift
                .iter()
                .map(|drift| drift.address.to_string())
                .collect(),
        ),
    }
}

/// What waits for somebody.
fn attention(
    snapshot: &Snapshot,
    runs: &[RunSummary],
    plan: Option<&Plan>,
    held: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(run) = runs.first().filter(|run| run.end.is_none()) {
        lines.push(if held {
            format!("run {} is under way", run.id)
        } else {
            format!(
                "run {} was interrupted; `fabrik apply` goes on from there",
                run.id
            )
        });
    }
    if let Some((end, _)) = runs.first().and_then(|run| run.end.as_ref()) {
        lines.extend(
            end.left
                .iter()
                .map(|left| format!("left to do by hand: {left}")),
        );
    }
    for row in &snapshot.rows {
        match row.status {
            RowStatus::Current => {}
            RowStatus::Retired => lines.push(format!(
                "{} has an old object that waits to be deleted: `fabrik apply`",
                row.address
            )),
            RowStatus::Incomplete => lines.push(format!(
                "{} was half made: `fabrik apply` finishes it",
                row.address
            )),
            RowStatus::Unsure => lines.push(format!(
                "{} may or may not exist: look at the service, then `fabrik import {0} ID` or `fabrik state rm {0}`",
                row.address
            )),
        }
    }
    if let Some(plan) = plan.filter(|plan| !plan.changes.is_empty()) {
        lines.push(format!(
            "apply would make {}: `fabrik plan`",
            crate::output::text::count(plan.changes.len(), "change")
        ));
    }
    lines
}
