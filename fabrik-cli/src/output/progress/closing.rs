//! The closing lines of a run.

use fabrik_core::state::{RunEnd, RunId, RunKind, RunResult};

use super::super::error::labelled;
use super::super::plan::value_text;
use super::super::style::{Line, Style, Tone};
use super::super::text;
use super::lines::unseen_error;
use super::steps::Steps;

/// How it ended, what was done, what is left, what comes next.
pub(super) fn render(
    end: &RunEnd,
    run: Option<RunId>,
    stack: &str,
    steps: &mut Steps,
    quiet: bool,
    style: Style,
) -> String {
    if quiet && end.result == RunResult::Succeeded {
        return String::new();
    }
    let mut out = String::new();
    if let Some(error) = &end.error {
        out.push_str(&unseen_error(error, steps, style));
    }
    if !quiet {
        out.push_str(&named("Outputs", &outputs(steps), style));
        out.push_str(&named("Secrets", &secrets(steps), style));
    }
    let (tone, head, rest) = result(end, run, stack, steps);
    for (index, part) in text::wrap(&format!("{head}{rest}"), style.width.max(40))
        .into_iter()
        .enumerate()
    {
        let line = match part.strip_prefix(head.as_str()) {
            Some(rest) if index == 0 => Line::default().add(tone, head.as_str()).plain(rest),
            _ => Line::default().plain(part),
        };
        out.push_str(&(line.render(style) + "\n"));
    }
    for line in &end.left {
        let line = Line::indent(2)
            .add(Tone::Warn, "- ")
            .plain(text::one_line(line));
        out.push_str(&(line.render(style) + "\n"));
    }
    if let Some(next) = next(end, run, steps.undoing) {
        out.push_str(&labelled(style, Tone::Hint, "help", &next, 0));
    }
    out
}

fn outputs(steps: &Steps) -> Vec<(String, String)> {
    let pairs = steps.outputs.iter();
    pairs
        .map(|(name, value)| (text::one_line(name), value_text(value)))
        .collect()
}

fn secrets(steps: &Steps) -> Vec<(String, String)> {
    let pairs = steps.secrets.iter();
    pairs
        .map(|(name, origin)| (text::one_line(name), text::one_line(origin)))
        .collect()
}

/// Names and what stands behind them, below a heading.
fn named(heading: &str, pairs: &[(String, String)], style: Style) -> String {
    if pairs.is_empty() {
        return String::new();
    }
    let mut out = Line::default().add(Tone::Strong, heading).render(style) + "\n";
    let widths = pairs.iter().map(|(name, _)| text::width(name));
    let column = 2 + widths.filter(|wide| *wide <= 32).max().unwrap_or(0) + 2;
    for (name, shown) in pairs {
        let line = Line::indent(2)
            .plain(name.as_str())
            .spaces(1)
            .pad_to(column);
        let room = style.columns().saturating_sub(line.width()).max(20);
        let line = line.add(Tone::Dim, text::shorten(shown, room));
        out.push_str(&(line.render(style) + "\n"));
    }
    out
}

/// How the run ended: the words that tell it at once, and the rest.
fn result(end: &RunEnd, run: Option<RunId>, stack: &str, steps: &Steps) -> (Tone, String, String) {
    let took = text::millis(end.millis);
    let why = match (&steps.failed, &end.error) {
        (Some(address), _) => format!(": {address} failed"),
        (None, Some(error)) => format!(": {}", text::one_line(&error.message)),
        (None, None) => String::new(),
    };
    let done = counts(end, steps);
    match end.result {
        RunResult::Succeeded => {
            let head = succeeded(steps.kind, end.revision);
            (Tone::Good, head, format!(" in {took}: {done}"))
        }
        RunResult::CheckFailed => {
            let failed = steps.checks.iter().filter(|check| !check.passed).count();
            let failed = text::count(failed, "check");
            let head = format!(
                "{}, but {failed} failed",
                succeeded(steps.kind, end.revision)
            );
            (Tone::Warn, head, format!(" in {took}: {done}"))
        }
        RunResult::RolledBack => {
            let back = revision(end.revision);
            let rest = format!(" in {took}{why}. State is {back} again");
            (Tone::Bad, "Failed and rolled back".to_owned(), rest)
        }
        RunResult::Failed => {
            let rest = format!(" after {took}{why}. What was done stays: {done}");
            (Tone::Bad, "Failed".to_owned(), rest)
        }
        RunResult::Stuck => {
            let head = "Failed, and not everything could be taken back".to_owned();
            (Tone::Bad, head, format!(" after {took}{why}"))
        }
        RunResult::Interrupted => {
            let run = run.map(|run| format!(" run {run}")).unwrap_or_default();
            let on = match stack {
                "" => String::new(),
                stack => format!(" on {}", text::one_line(stack)),
            };
            let head = format!("Stopped{run}{on}");
            let rest = if steps.undoing {
                format!(" after {took}, while it was being taken back")
            } else {
                format!(" after {took}. What was done stays: {done}")
            };
            (Tone::Warn, head, rest)
        }
    }
}

fn succeeded(kind: Option<RunKind>, revision: u64) -> String {
    match kind {
        Some(RunKind::Destroy) => "Destroyed".to_owned(),
        Some(RunKind::Rollback) => format!("Rolled back, now rev {revision}"),
        Some(RunKind::State) => format!("State is rev {revision}"),
        Some(RunKind::Apply) | None => format!("Applied rev {revision}"),
    }
}

fn revision(revision: u64) -> String {
    match revision {
        0 => "empty".to_owned(),
        revision => format!("rev {revision}"),
    }
}

fn counts(end: &RunEnd, steps: &Steps) -> String {
    let number = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let mut parts: Vec<String> = [
        (number(end.created), "created"),
        (number(end.updated), "updated"),
        (number(end.deleted), "deleted"),
        (steps.counts.ran, "ran"),
        (steps.counts.state, "in state only"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{} {word}", text::thousands(number)))
    .collect();
    let passed = steps.checks.iter().filter(|check| check.passed).count();
    if passed > 0 {
        parts.push(format!("{} passed", text::count(passed, "check")));
    }
    if parts.is_empty() {
        "nothing".to_owned()
    } else {
        parts.join(", ")
    }
}

/// What to do next.
fn next(end: &RunEnd, run: Option<RunId>, undoing: bool) -> Option<String> {
    let show = run.map_or_else(
        || "`fabrik history`".to_owned(),
        |run| format!("`fabrik history show {run}`"),
    );
    match end.result {
        RunResult::Succeeded | RunResult::RolledBack => None,
        RunResult::CheckFailed => Some(format!("{show} tells what was seen")),
        RunResult::Failed => {
            Some("`fabrik apply` goes on from here once the cause is gone".to_owned())
        }
        RunResult::Stuck => Some(format!(
            "set right what is listed, then `fabrik apply --resume` takes back the rest, or `fabrik apply` goes on from here; {show} tells everything"
        )),
        RunResult::Interrupted if undoing => Some(
            "`fabrik rollback --resume` takes back the rest; so does the next `fabrik apply` first"
                .to_owned(),
        ),
        RunResult::Interrupted => Some("`fabrik apply` goes on from here".to_owned()),
    }
}
