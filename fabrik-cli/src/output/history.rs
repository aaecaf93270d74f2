//! Runs of the past: as a table, and one in detail.

use fabrik_core::address::Address;
use fabrik_core::provider::Verb;
use fabrik_core::state::{
    CheckResult, Entry, EntryKind, Position, RunKind, RunResult, RunSummary, StepOutcome,
};
use jiff::Timestamp;
use serde::Serialize;

use super::error;
use super::style::{Line, Style, Tone};
use super::table::Table;
use super::text;

/// Runs, newest first as given; times are relative to `now`.
pub fn render(runs: &[RunSummary], now: Timestamp, style: Style) -> String {
    if runs.is_empty() {
        return "no runs yet\n".to_owned();
    }
    let mut table = Table::new([
        "RUN", "REV", "WHEN", "WHO", "CMD", "RESULT", "CHANGES", "TOOK", "NOTE",
    ]);
    for run in runs {
        let (word, tone) = result(run);
        let end = run.end.as_ref().map(|(end, _)| end);
        table.row([
            (Tone::Plain, run.id.to_string()),
            (
                Tone::Plain,
                end.map_or_else(String::new, |end| end.revision.to_string()),
            ),
            (Tone::Plain, text::ago(run.started, now)),
            (Tone::Plain, run.start.who.clone()),
            (Tone::Plain, kind(run.start.kind).to_owned()),
            (tone, word.to_owned()),
            (Tone::Plain, changes(run)),
            (
                Tone::Plain,
                end.map_or_else(String::new, |end| text::millis(end.millis)),
            ),
            (Tone::Dim, note(run)),
        ]);
    }
    table.render(style)
}

/// The command a run came from.
fn kind(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Apply => "apply",
        RunKind::Destroy => "destroy",
        RunKind::Rollback => "rollback",
        RunKind::State => "state",
    }
}

fn result(run: &RunSummary) -> (&'static str, Tone) {
    match run.end.as_ref().map(|(end, _)| end.result) {
        Some(RunResult::Succeeded) => ("ok", Tone::Good),
        Some(RunResult::Failed) => ("failed", Tone::Bad),
        Some(RunResult::CheckFailed) => ("check failed", Tone::Warn),
        Some(RunResult::RolledBack) => ("rolled back", Tone::Warn),
        Some(RunResult::Stuck) => ("stuck", Tone::Bad),
        Some(RunResult::Interrupted) => ("interrupted", Tone::Warn),
        None => ("not ended", Tone::Warn),
    }
}

/// `+1 ~1 -2`.
fn changes(run: &RunSummary) -> String {
    let Some((end, _)) = &run.end else {
        return String::new();
    };
    let parts = [(end.created, '+'), (end.updated, '~'), (end.deleted, '-')];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = parts
        .map(|(number, symbol)| format!("{symbol}{number}"))
        .collect();
    words.join(" ")
}

fn note(run: &RunSummary) -> String {
    let error = run.end.as_ref().and_then(|(end, _)| end.error.as_ref());
    match (&run.start.note, error) {
        (Some(note), _) => note.clone(),
        (None, Some(error)) => error.code.clone().unwrap_or_else(|| error.message.clone()),
        (None, None) => String::new(),
    }
}

/// One step of a run of the past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PastStep {
    /// The resource.
    pub address: Address,
    /// What was done.
    pub verb: Verb,
    /// It undid another step.
    pub undo: bool,
    /// How it ended; `None` when that was never recorded.
    pub outcome: Option<StepOutcome>,
    /// Milliseconds it took.
    pub millis: u64,
}

/// Everything of one run of the past.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunDetail {
    /// The run.
    pub run: RunSummary,
    /// Its steps, in the order they began.
    pub steps: Vec<PastStep>,
    /// What changed in state alone, in words.
    pub state: Vec<(Address, String)>,
    /// Secrets it made.
    pub secrets: Vec<String>,
    /// Its checks.
    pub checks: Vec<CheckResult>,
}

impl RunDetail {
    /// Reads a run's entries.
    pub fn new(run: RunSummary, entries: &[(Position, Entry)]) -> RunDetail {
        let mut detail = RunDetail {
            run,
            steps: Vec::new(),
            state: Vec::new(),
            secrets: Vec::new(),
            checks: Vec::new(),
        };
        let mut begun = std::collections::BTreeMap::new();
        for (_, entry) in entries {
            match &entry.kind {
                EntryKind::Intent(intent) => {
                    // A step that is tried again has one intent more.
                    begun.entry(intent.step).or_insert_with(|| {
                        detail.steps.push(PastStep {
                            address: intent.address.clone(),
                            verb: intent.verb,
                            undo: intent.undoes.is_some(),
                            outcome: None,
                            millis: 0,
                        });
                        (detail.steps.len() - 1, entry.at)
                    });
                }
                EntryKind::Outcome { step, outcome, .. } => {
                    if let Some((index, at)) = begun.get(step) {
                        let took = text::between(*at, entry.at).as_millis();
                        detail.steps[*index].outcome = Some(outcome.clone());
                        detail.steps[*index].millis = u64::try_from(took).unwrap_or(u64::MAX);
                    }
                }
                EntryKind::State { address, what, .. } => {
                    detail.state.push((address.clone(), what.clone()));
                }
                EntryKind::SecretMade(name) => detail.secrets.push(name.to_string()),
                EntryKind::Check(result) => detail.checks.push(result.clone()),
                _ => {}
            }
        }
        detail
    }
}

/// One run in detail.
pub fn render_run(detail: &RunDetail, now: Timestamp, style: Style) -> String {
    let run = &detail.run;
    let mut out = String::new();
    let (word, tone) = result(run);
    let head = Line::default()
        .add(Tone::Strong, format!("Run {}", run.id))
        .plain(format!(" · {} · ", kind(run.start.kind)))
        .add(tone, word);
    line(&mut out, &head, style);
    let mut fact = |name: &str, value: String| {
        let shown = text::shorten(&text::one_line(&value), style.width.max(40) - 12);
        let row = Line::indent(2)
            .add(Tone::Dim, text::pad(name, 10))
            .plain(shown);
        line(&mut out, &row, style);
    };
    fact(
        "began",
        format!(
            "{} ({})",
            run.started.strftime("%Y-%m-%d %H:%M:%S UTC"),
            text::ago(run.started, now)
        ),
    );
    fact("by", format!("{} on {}", run.start.who, run.start.host));
    fact("command", run.start.command.clone());
    if let Some(note) = &run.start.note {
        fact("note", note.clone());
    }
    fact("fabrik", run.start.fabrik.clone());
    if let Some((end, _)) = &run.end {
        fact("took", text::millis(end.millis));
        fact(
            "revision",
            format!("{} -> {}", run.start.base, end.revision),
        );
    } else {
        fact("from", format!("revision {}", run.start.base));
    }
    let (undone, done): (Vec<_>, Vec<_>) = detail.steps.iter().partition(|step| step.undo);
    steps(&mut out, "Steps", &done, style);
    steps(&mut out, "Undone", &undone, style);
    lines(
        &mut out,
        "In state only",
        detail
            .state
            .iter()
            .map(|(address, what)| format!("{address}: {}", text::one_line(what))),
        style,
    );
    lines(
        &mut out,
        "Secrets made",
        detail.secrets.iter().map(|name| text::one_line(name)),
        style,
    );
    if !detail.checks.is_empty() {
        line(&mut out, &Line::default().add(Tone::Strong, "Check"), style);
        for check in &detail.checks {
            out.push_str(&super::progress::check_line(check, style));
        }
    }
    if let Some((end, _)) = &run.end {
        lines(
            &mut out,
            "Left to do by hand",
            end.left.iter().map(|left| text::one_line(left)),
            style,
        );
        if let Some(error) = &end.error {
            out.push_str(&error::render_report(error, style));
        }
    }
    out
}

fn steps(out: &mut String, heading: &str, steps: &[&PastStep], style: Style) {
    if steps.is_empty() {
        return;
    }
    line(out, &Line::default().add(Tone::Strong, heading), style);
    for step in steps {
        let (mark, tone, word) = match &step.outcome {
            Some(StepOutcome::Done) => ("✓ ", Tone::Good, "done".to_owned()),
            Some(StepOutcome::Unchanged) => ("✓ ", Tone::Good, "as it was".to_owned()),
            Some(StepOutcome::NotDone) => ("· ", Tone::Dim, "not done".to_owned()),
            Some(StepOutcome::Failed(error)) => {
                ("✗ ", Tone::Bad, format!("failed: {}", error.message))
            }
            Some(StepOutcome::InDoubt(why)) => ("? ", Tone::Warn, format!("in doubt: {why}")),
            Some(StepOutcome::Left(why)) => ("· ", Tone::Warn, format!("left alone: {why}")),
            None => ("? ", Tone::Warn, "not known".to_owned()),
        };
        let row = Line::indent(2)
            .add(tone, mark)
            .add(Tone::Plain, text::pad(step.verb.word(), 8))
            .plain(step.address.as_str())
            .pad_to(42)
            .add(Tone::Dim, format!("{:>7}  ", text::millis(step.millis)))
            .plain(text::one_line(&word))
            .cut(style.width.max(60));
        line(out, &row, style);
    }
}

fn lines(out: &mut String, heading: &str, items: impl Iterator<Item = String>, style: Style) {
    for (index, item) in items.enumerate() {
        if index == 0 {
            line(out, &Line::default().add(Tone::Strong, heading), style);
        }
        line(out, &Line::indent(2).plain(item), style);
    }
}

fn line(out: &mut String, line: &Line, style: Style) {
    out.push_str(&line.render(style));
    out.push('\n');
}
