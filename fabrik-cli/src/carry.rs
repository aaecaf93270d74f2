//! From a plan to what the run came to: show, stop, ask, apply, close.

use std::collections::BTreeSet;
use std::sync::Arc;

use fabrik_core::address::Address;
use fabrik_core::codes;
use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::engine::{ApplyOptions, Engine, PlanOptions, Refresh, RunReport};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::plan::Plan;
use fabrik_core::stack::{OnFailure, Stack};
use serde_json::json;

use crate::apps;
use crate::args::{OnFailureArg, RefreshArg, SelectArgs};
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::notify;
use crate::output::plan::{self, PlanStyle};
use crate::output::text;
use crate::runs;
use crate::session::Session;

/// What has to be answered before a plan is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// Nothing: it was given when the plan was saved, or only state changes.
    Given,
    /// Yes.
    Yes,
    /// The stack's name, typed.
    Name,
}

/// How a plan is carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Carry {
    /// What has to be answered.
    pub(crate) consent: Consent,
    /// Policy for failures.
    pub(crate) on_failure: Option<OnFailureArg>,
    /// Skip verification.
    pub(crate) no_verify: bool,
    /// The plan continues an interrupted run: it is carried out even when it is empty.
    pub(crate) continues: bool,
}

/// The options of a plan from arguments.
pub(crate) fn plan_options(select: &SelectArgs) -> PlanOptions {
    PlanOptions {
        refresh: match select.refresh {
            RefreshArg::All => Refresh::All,
            RefreshArg::Changed => Refresh::Changed,
            RefreshArg::None => Refresh::None,
        },
        target: select.target.clone(),
        exclude: select.exclude.clone(),
        replace: select.replace.clone(),
        allow_data_loss: select.allow_data_loss.clone(),
        note: select.note.clone(),
        ..PlanOptions::default()
    }
}

/// Refuses addresses on the command line that mean nothing: a slip of the pen must not pass for
/// "nothing to do".
pub(crate) async fn check_selection(
    engine: &Engine,
    stack: &Stack,
    select: &SelectArgs,
) -> Done<()> {
    let named = [
        ("--target", &select.target),
        ("--exclude", &select.exclude),
        ("--replace", &select.replace),
    ];
    if named.iter().all(|(_, globs)| globs.is_empty()) {
        return Ok(());
    }
    let snapshot = engine.store().load().await?;
    let mut known: BTreeSet<&Address> = stack.resources.keys().collect();
    known.extend(snapshot.rows.iter().map(|row| &row.address));
    let matches = |glob: &str| known.iter().any(|address| address.matches(glob));
    for (flag, glob) in named
        .iter()
        .flat_map(|(flag, globs)| globs.iter().map(move |glob| (flag, glob)))
    {
        if matches(glob) {
            continue;
        }
        let message = format!("nothing matches `{flag} {glob}`");
        let deeper = glob.replace('*', "**");
        if !glob.contains("**") && deeper != *glob && matches(&deeper) {
            let hint = format!("`*` stops at a dot; did you mean `{deeper}`?");
            return Err(Fail::usage_hint(message, hint));
        }
        let near = did_you_mean(glob, known.iter().map(|address| address.as_str()));
        return Err(Fail::usage_hint(
            message,
            match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`fabrik graph` shows the addresses there are".to_owned(),
            },
        ));
    }
    Ok(())
}

/// Shows a plan among the messages.
pub(crate) fn show(session: &mut Session, plan: &Plan) -> Done<()> {
    if session.settings.is_json() {
        let line = json!({
            "v": 1,
            "type": "plan",
            "message": plan::in_words(plan),
            "plan": plan::plan_json(plan),
        });
        session.out.data(&line.to_string())?;
        return Ok(());
    }
    let page = plan::render(plan, &PlanStyle::new(session.out.style()));
    session.out.message(&page)?;
    Ok(())
}

/// Stops a plan that cannot or must not be carried out. Data loss may be allowed by typing the
/// stack's name.
fn check(session: &mut Session, plan: &mut Plan) -> Done<()> {
    let blocking = plan.blocking().count();
    if blocking > 0 {
        let message = match blocking {
            1 => "what was found keeps this plan from being applied".to_owned(),
            many => format!("{many} findings keep this plan from being applied"),
        };
        return Err(Fail::from(
            Error::new(ErrorKind::Refused, message).code(codes::BLOCKED),
        ));
    }
    let losing: Vec<String> = plan
        .data_loss()
        .map(|change| change.address.to_string())
        .collect();
    if losing.is_empty() {
        return Ok(());
    }
    let what = match losing.as_slice() {
        [one] => format!("{one} loses data"),
        many => format!("{} changes lose data", many.len()),
    };
    if session.can_ask() && !session.settings.yes {
        let name = plan.stack.display_name();
        let question = format!("{what} that Fabrik cannot bring back.");
        if ask::type_name(session, &question, &name)? {
            plan.allow_data_loss.extend(losing);
            return Ok(());
        }
        return Err(Fail::Said(Exit::FAILED));
    }
    let hint = format!(
        "set `protect: true` to keep it, or allow it with `--allow-data-loss={}`",
        losing.join(" --allow-data-loss=")
    );
    let error = Error::new(ErrorKind::Refused, format!("stopped: {what}"));
    Err(Fail::from(error.code(codes::DATA_LOSS).hint(hint)))
}

/// Asks for consent.
fn consent(session: &mut Session, plan: &Plan, carry: Carry) -> Done<bool> {
    if carry.consent == Consent::Given || session.settings.yes {
        return Ok(true);
    }
    if !session.can_ask() {
        return Err(Fail::refused(
            "nothing was changed: nobody can be asked here",
            "pass `--yes` to go on without being asked, or save the plan with `fabrik plan -o FILE` and apply that",
        ));
    }
    let name = plan.stack.display_name();
    match carry.consent {
        Consent::Name => {
            let deletes = plan.summary().delete;
            let held = plan
                .changes
                .iter()
                .filter(|change| change.data_loss)
                .count();
            let data = match held {
                0 => String::new(),
                held => format!(", of which {held} hold data"),
            };
            let objects = text::count(deletes, "object");
            let question = format!("This deletes {objects} of {name}{data}.");
            ask::type_name(session, &question, &name)
        }
        _ => ask::apply(session, plan),
    }
}

/// How often a plan that nobody looked at is made anew when others are faster.
const TRIES: usize = 100;

/// Plans, shows the plan, and carries it out. When another run was faster and nobody has looked at
/// the plan, it is made anew; a plan that a person agreed to is not changed behind their back.
pub(crate) async fn settle(
    session: &mut Session,
    engine: &Engine,
    how: Carry,
    plan: impl AsyncFn() -> Result<Plan>,
) -> Done {
    let unattended = session.settings.yes || how.consent == Consent::Given;
    let mut tries = if unattended { TRIES } else { 0 };
    loop {
        let plan = plan().await?;
        show(session, &plan)?;
        match carry(session, engine, plan, how).await {
            Err(Fail::Error(error)) if error.kind() == ErrorKind::Stale && tries > 0 => {
                tries -= 1;
                session
                    .out
                    .message("another run changed state meanwhile; planning again")?;
            }
            other => return other,
        }
    }
}

/// Carries out a plan, and says what came of it.
pub(crate) async fn carry(
    session: &mut Session,
    engine: &Engine,
    mut plan: Plan,
    carry: Carry,
) -> Done {
    let stack = plan.stack.clone();
    let name = stack.display_name();
    if plan.is_empty() && plan.blocking().count() == 0 && !carry.continues {
        return nothing(session, engine, &stack).await;
    }
    check(session, &mut plan)?;
    if !consent(session, &plan, carry)? {
        session.out.message("Nothing was changed.")?;
        return Ok(Exit::FAILED);
    }
    let (decide, questions) = runs::questions();
    let options = ApplyOptions {
        on_failure: carry.on_failure.map(|policy| match policy {
            OnFailureArg::Rollback => OnFailure::Rollback,
            OnFailureArg::Keep => OnFailure::Keep,
            OnFailureArg::Ask => OnFailure::Ask,
        }),
        decide: Some(decide),
        no_verify: carry.no_verify,
        ..ApplyOptions::default()
    };
    let changed: BTreeSet<Address> = plan
        .changes
        .iter()
        .map(|change| change.address.clone())
        .collect();
    let run = engine.apply(plan, options);
    let end = async |report: &RunReport| runs::Ending {
        url: apps::url(engine, &stack, &report.outputs).await,
        pages: apps::pages(engine, &|address| changed.contains(address)).await,
    };
    let report = runs::watch(session, run, &name, Some(questions), end).await?;
    let url = apps::url(engine, &stack, &report.outputs).await;
    notify::tell(session, engine, &stack, &changed, &report, url.as_deref()).await?;
    Ok(Exit::of_result(
        report.end.result,
        report.end.error.as_ref().map(|error| error.kind),
    ))
}

/// Nothing to do: that too ends with the URL.
async fn nothing(session: &mut Session, engine: &Engine, stack: &Arc<Stack>) -> Done {
    let snapshot = engine.store().load().await?;
    let url = apps::url(engine, stack, &snapshot.outputs).await;
    if session.settings.is_json() {
        let line = json!({
            "v": 1,
            "type": "nothing_to_do",
            "message": "nothing to do",
            "revision": snapshot.revision,
            "url": url,
        });
        session.out.data(&line.to_string())?;
        return Ok(Exit::DONE);
    }
    // The plan that was shown said so.
    if let Some(url) = url {
        session.out.data(&url)?;
    }
    Ok(Exit::DONE)
}
