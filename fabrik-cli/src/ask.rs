//! Questions to the person at the terminal.

use std::fmt::Write as _;
use std::io::{BufRead, Read as _};

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::plan::Plan;
use fabrik_core::provider::Undo;
use fabrik_core::stack::OnFailure;
use zeroize::Zeroizing;

use crate::fail::Done;
use crate::output::graph::{self, GraphFormat};
use crate::output::plan::{self, PlanStyle};
use crate::output::prompt::{self, Answer};
use crate::output::{Output, text};
use crate::session::Session;
use crate::world::EchoOff;

/// Asks whether to apply a plan; shows more of it when asked to.
pub(crate) fn apply(session: &mut Session, plan: &Plan) -> Done<bool> {
    let question = format!(
        "Apply {} to {}?",
        text::count(plan.changes.len(), "change"),
        plan.stack.display_name()
    );
    let Session { out, world, .. } = session;
    loop {
        let shown = match prompt::confirm(out, &mut *world.stdin, &question)? {
            Answer::Yes => return Ok(true),
            Answer::No => return Ok(false),
            Answer::Details => {
                let style = PlanStyle {
                    full: true,
                    ..PlanStyle::new(out.style())
                };
                plan::render(plan, &style)
            }
            Answer::Graph => graph::render(&plan.stack, Some(plan), GraphFormat::Tree, out.style()),
            Answer::Undo => undo(plan),
        };
        out.message(&shown)?;
    }
}

/// What undoing each change would bring back.
fn undo(plan: &Plan) -> String {
    let mut text = String::from("If the run fails, it is undone so:\n");
    for change in plan.changes.iter().rev() {
        let how = match (change.action.is_state_only(), change.undo) {
            (true, _) => "state only",
            (false, Undo::Full) => "wholly",
            (false, Undo::Partial) => "in part",
            (false, Undo::None) => "not at all: done last, after the checks",
        };
        _ = writeln!(
            text,
            "  {} {}  {how}",
            change.action.symbol(),
            change.address
        );
    }
    text
}

/// Asks to type a name, for what cannot be undone.
pub(crate) fn type_name(session: &mut Session, question: &str, name: &str) -> Done<bool> {
    let Session { out, world, .. } = session;
    let typed = prompt::type_name(out, &mut *world.stdin, question, name)?;
    if !typed {
        out.message("That is not the name: nothing was changed.")?;
    }
    Ok(typed)
}

/// Asks a question; yes when `--yes` was given.
pub(crate) fn yes(session: &mut Session, question: &str) -> Done<bool> {
    if session.settings.yes {
        return Ok(true);
    }
    let Session { out, world, .. } = session;
    Ok(prompt::yes_no(out, &mut *world.stdin, question)?)
}

/// Asks what to do about a failed run. Nobody there: take it back.
pub(crate) fn on_failure(
    out: &mut Output,
    stdin: &mut dyn BufRead,
    can_ask: bool,
    error: &Error,
) -> OnFailure {
    if !can_ask {
        return OnFailure::Rollback;
    }
    // When nothing can be shown or read any more, nobody is there.
    _ = out.error(error);
    let question = "The run failed. Take back what it did, or keep it?";
    match prompt::choose(out, stdin, question, &["rollback", "keep"]) {
        Ok(Some("keep")) => OnFailure::Keep,
        _ => OnFailure::Rollback,
    }
}

/// Reads a secret: typed without echo, or all of standard input without its last line break.
pub(crate) fn secret(session: &mut Session, name: &str) -> Done<Zeroizing<String>> {
    let mut value = Zeroizing::new(String::new());
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "the value could not be read").cause(error)
    };
    if session.can_ask() {
        session.out.raw(&format!("Value of {name} (not shown): "))?;
        let silent = EchoOff::new(session.world.terminal);
        session.world.stdin.read_line(&mut value).map_err(failed)?;
        drop(silent);
        session.out.raw("\n")?;
    } else {
        session
            .world
            .stdin
            .read_to_string(&mut value)
            .map_err(failed)?;
    }
    if value.ends_with('\n') {
        value.pop();
        if value.ends_with('\r') {
            value.pop();
        }
    }
    if value.is_empty() {
        return Err(
            Error::new(ErrorKind::Invalid, format!("no value was given for {name}"))
                .hint(format!(
                    "type it when asked, or pipe it in: `fabrik secrets set {name} < FILE`"
                ))
                .into(),
        );
    }
    Ok(value)
}
