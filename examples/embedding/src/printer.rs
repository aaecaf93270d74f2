//! Showing plans and events in a few words.

use std::io::Write;

use fabrik_core::engine::{Run, RunReport};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::event::{Event, EventBody};
use fabrik_core::plan::Plan;

/// One line for each change of a plan.
///
/// # Errors
/// When nothing can be written.
pub fn plan(out: &mut dyn Write, plan: &Plan) -> Result<()> {
    if plan.is_empty() {
        return line(out, "plan: nothing to do");
    }
    for change in &plan.changes {
        let action = &change.action;
        line(
            out,
            &format!(
                "plan: {} {} ({})",
                action.symbol(),
                change.address,
                action.word()
            ),
        )?;
    }
    Ok(())
}

/// Follows a run to its end, calling `seen` for each event before it is shown.
///
/// # Errors
/// As [`Run::finish`], and when nothing can be written.
pub async fn follow(
    out: &mut dyn Write,
    mut run: Run,
    mut seen: impl FnMut(&Event),
) -> Result<RunReport> {
    while let Some(event) = run.next().await {
        seen(&event);
        // How long a step took differs from run to run.
        match &event.body {
            EventBody::StepDone { address, verb, .. } => {
                line(out, &format!("event: {} {address}", verb.word()))?;
            }
            EventBody::StepStarted { .. } => {}
            _ => line(out, &format!("event: {}", event.message()))?,
        }
    }
    run.finish().await
}

/// Writes a line.
///
/// # Errors
/// When it cannot be written.
pub fn line(out: &mut dyn Write, text: &str) -> Result<()> {
    writeln!(out, "{text}")
        .map_err(|error| Error::new(ErrorKind::Io, "nothing can be printed").cause(error))
}
