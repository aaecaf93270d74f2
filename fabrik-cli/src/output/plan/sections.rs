//! Everything of a plan besides its changes.

use std::collections::BTreeSet;

use fabrik_core::plan::{Action, AttributeDiff, DiffKind, OutputChange, Plan, PlannedFinding};
use fabrik_core::stack::CheckDecl;
use fabrik_core::state::RunKind;
use fabrik_core::value::{Path, Value};

use super::super::style::{Line, Tone};
use super::super::text;
use super::{Page, attribute, change, value};

/// What changed outside, and how to keep it.
pub(super) fn drift(plan: &Plan, page: &mut Page) {
    if plan.drift.is_empty() {
        return;
    }
    page.heading(&match plan.revision {
        0 => "Changed outside Fabrik".to_owned(),
        revision => format!("Changed outside Fabrik since rev {revision}"),
    });
    for drift in &plan.drift {
        let (symbol, tone, word) = match (drift.missing, drift.restored) {
            (true, true) => ("  - ", Tone::Bad, "is gone; this plan makes it again"),
            (true, false) => ("  - ", Tone::Bad, "is gone"),
            (false, true) => ("  ~ ", Tone::Warn, "this plan puts it back"),
            (false, false) => ("  ~ ", Tone::Warn, "left as it is"),
        };
        let line = Line::default()
            .add(tone, symbol)
            .plain(drift.address.as_str())
            .spaces(2)
            .add(Tone::Dim, text::one_line(&drift.type_name))
            .spaces(2)
            .add(Tone::Dim, word);
        page.line(&line);
        let names = attribute::name_column(&drift.diff);
        for diff in &drift.diff {
            attribute::show(diff, 6, names, page);
        }
    }
    let line = Line::indent(2)
        .plain("keep what is there: ")
        .add(Tone::Hint, "fabrik plan --refresh-only");
    page.line(&line);
}

/// Calls that carry several changes.
pub(super) fn groups(plan: &Plan, page: &mut Page) {
    let mut first = true;
    for group in plan.groups.iter().filter(|group| group.changes > 1) {
        if first {
            page.gap();
            first = false;
        }
        let writes = if group.calls <= 1 {
            "one write".to_owned()
        } else {
            text::count(group.calls, "write")
        };
        let line = Line::default()
            .plain(format!("{writes} to {}", text::one_line(&group.key)))
            .add(Tone::Dim, format!(" ({})", text::one_line(&group.instance)))
            .plain(format!(": {}", text::count(group.changes, "change")));
        page.line(&line);
    }
}

/// Outputs that change.
pub(super) fn outputs(plan: &Plan, page: &mut Page) {
    if plan.outputs.is_empty() {
        return;
    }
    page.heading("Outputs");
    let diffs: Vec<AttributeDiff> = plan.outputs.iter().map(as_attribute).collect();
    let names = attribute::name_column(&diffs);
    for diff in &diffs {
        attribute::show(diff, 2, names, page);
    }
}

/// An output as an attribute of the stack.
pub(super) fn as_attribute(output: &OutputChange) -> AttributeDiff {
    AttributeDiff {
        path: Path::key(output.name.clone()),
        kind: match (&output.before, &output.after) {
            (None, _) => DiffKind::Add,
            (_, None) => DiffKind::Remove,
            _ => DiffKind::Change,
        },
        before: output.before.clone().unwrap_or_default(),
        after: output.after.clone().unwrap_or_default(),
        last_sent: None,
        forces_replacement: false,
        place: None,
    }
}

/// Where secrets come from.
pub(super) fn secrets(plan: &Plan, page: &mut Page) {
    if plan.secrets.is_empty() {
        return;
    }
    page.heading("Secrets");
    let widest = |most: usize| {
        let widths = plan.secrets.iter().map(|secret| text::width(&secret.name));
        widths.filter(|wide| *wide <= most).max().unwrap_or(0)
    };
    let column = 2 + widest(32) + 2;
    for secret in &plan.secrets {
        let line = Line::indent(2)
            .plain(text::one_line(&secret.name))
            .spaces(1)
            .pad_to(column)
            .add(Tone::Dim, text::one_line(&secret.origin));
        page.line(&line);
    }
}

/// What providers found, what blocks first.
pub(super) fn findings(plan: &Plan, page: &mut Page) {
    if plan.findings.is_empty() {
        return;
    }
    page.heading("Found while planning");
    let (blocking, rest): (Vec<_>, Vec<_>) = plan
        .findings
        .iter()
        .partition(|found| found.finding.blocking);
    for found in blocking.into_iter().chain(rest) {
        finding(found, page);
    }
}

fn finding(found: &PlannedFinding, page: &mut Page) {
    let (mark, tone) = if found.finding.blocking {
        ("  ✗ ", Tone::Bad)
    } else {
        ("  ! ", Tone::Warn)
    };
    let mut subject = found.address.to_string();
    if let Some(field) = &found.finding.field {
        subject = format!("{subject} `{}`", text::one_line(&field.to_string()));
    }
    let body = format!("{subject}: {}", text::one_line(&found.finding.message));
    let room = page.columns().saturating_sub(4);
    let lines = text::wrap(&body, room);
    let last = lines.len().saturating_sub(1);
    for (index, part) in lines.into_iter().enumerate() {
        let mut line = match index {
            0 => Line::default().add(tone, mark).plain(part),
            _ => Line::indent(4).plain(part),
        };
        if let Some(place) = found.place.as_ref().filter(|_| index == last) {
            line = line.spaces(3).add(Tone::Hint, text::one_line(place));
        }
        page.line(&line);
    }
    let style = page.style.style;
    let mut help = |body: &str| {
        let text = super::super::error::labelled(style, Tone::Hint, "help", body, 6);
        page.out.push_str(&text);
    };
    if let Some(hint) = &found.finding.hint {
        help(&text::one_line(hint));
    }
    let said = found.finding.hint.as_deref().unwrap_or_default();
    let adopt = found.finding.adopt.as_ref();
    if let Some(id) = adopt.filter(|_| !said.contains("`fabrik import ")) {
        let id = text::shell_word(&text::one_line(id));
        let address = text::shell_word(found.address.as_str());
        help(&format!("take it over: `fabrik import {address} {id}`"));
    }
}

/// Resources that stay as they are.
pub(super) fn unchanged(plan: &Plan, page: &mut Page) {
    let changed: BTreeSet<&str> = plan
        .changes
        .iter()
        .map(|change| change.address.as_str())
        .collect();
    let mut first = true;
    for (address, declared) in &plan.stack.resources {
        if changed.contains(address.as_str()) {
            continue;
        }
        if first {
            page.gap();
            first = false;
        }
        let line = Line::indent(4)
            .add(Tone::Dim, address.as_str())
            .spaces(2)
            .add(Tone::Dim, text::one_line(&declared.type_name));
        page.line(&line);
    }
}

/// What follows, what the symbols mean, and the sum.
pub(super) fn closing(plan: &Plan, page: &mut Page) {
    page.gap();
    legend(plan, page);
    checks(plan, page);
    summary(plan, page);
}

fn legend(plan: &Plan, page: &mut Page) {
    let mut seen: Vec<&Action> = Vec::new();
    for change in &plan.changes {
        let known = |action: &&Action| action.symbol() == change.action.symbol();
        if !seen.iter().any(known) {
            seen.push(&change.action);
        }
    }
    seen.sort();
    if seen.is_empty() {
        return;
    }
    let words = seen.into_iter().map(|action| {
        Line::default()
            .add(change::tone(action), action.symbol())
            .add(Tone::Dim, format!(" {}", meaning(action)))
    });
    flow(Line::default(), words, page);
}

/// Words with dots between, on as many lines as they need.
fn flow(lead: Line, words: impl Iterator<Item = Line>, page: &mut Page) {
    let columns = page.columns();
    let hang = lead.width();
    let mut line = lead;
    let mut begun = false;
    for word in words {
        if begun && line.width() + 5 + word.width() > columns {
            page.line(&line.add(Tone::Dim, " ·"));
            line = Line::indent(hang);
        } else if begun {
            line.push(Tone::Dim, " · ");
        }
        line = line.join(word.cut(columns.saturating_sub(hang)));
        begun = true;
    }
    page.line(&line);
}

fn meaning(action: &Action) -> &'static str {
    match action {
        Action::Replace { create_first: true } => "replace (create first)",
        Action::Replace {
            create_first: false,
        } => "replace (delete first)",
        Action::Adopt | Action::Import => "take over",
        Action::Move { .. } => "move in state",
        Action::Forget => "forget, not deleted",
        Action::Accept => "accept into state",
        Action::Read => "read during apply",
        other => other.word(),
    }
}

/// Most checks named one by one.
const CHECKS: usize = 12;

fn checks(plan: &Plan, page: &mut Page) {
    // What is deleted is not checked, and a plan for state changes nothing that could be.
    let runs = matches!(plan.kind, RunKind::Apply | RunKind::Rollback);
    if plan.stack.checks.is_empty() || plan.is_empty() || !runs {
        return;
    }
    let mut words: Vec<String> = plan
        .stack
        .checks
        .iter()
        .take(CHECKS)
        .map(|check| check_words(plan, check))
        .collect();
    if let Some(more) = plan
        .stack
        .checks
        .len()
        .checked_sub(CHECKS)
        .filter(|more| *more > 0)
    {
        words.push(format!("{} more", text::thousands(more)));
    }
    let words = words.into_iter().map(|word| Line::default().plain(word));
    flow(Line::default().plain("After apply: "), words, page);
}

/// A check in a few words: its kind and what it looks at.
fn check_words(plan: &Plan, check: &CheckDecl) -> String {
    let looks_at = plan.checks.get(&check.name).unwrap_or(&check.spec);
    let known = ["url", "host", "name", "address", "container", "resource"];
    let about = known
        .into_iter()
        .find_map(|key| looks_at.get(key).filter(|value| !value.is_null()));
    let kind = text::one_line(&check.kind);
    match about {
        Some(value @ Value::Str(_)) => format!("{kind} {}", value::bare(value)),
        Some(value @ Value::Expr(expr)) if !value.has_secret() => {
            format!("{kind} {}", value::template(expr))
        }
        _ => format!("{kind} {}", text::one_line(&check.name)),
    }
}

/// How many of what: `1 update, 2 unchanged`.
pub(super) fn sum(plan: &Plan) -> String {
    let sum = plan.summary();
    let reads = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Read);
    let mut parts: Vec<String> = [
        (sum.create, "create"),
        (sum.update, "update"),
        (sum.replace, "replace"),
        (sum.delete, "delete"),
        (sum.adopt, "take over"),
        (sum.run, "run"),
        (reads.count(), "read"),
        (sum.state, "in state only"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{} {word}", text::thousands(number)))
    .collect();
    if plan.changes.is_empty() {
        parts.push(text::count(plan.outputs.len(), "output"));
    }
    if sum.unchanged > 0 {
        parts.push(format!("{} unchanged", text::thousands(sum.unchanged)));
    }
    parts.join(", ")
}

/// The sum, and what stops the plan.
pub(super) fn summary(plan: &Plan, page: &mut Page) {
    if plan.is_empty() && plan.kind == RunKind::Destroy {
        let name = text::one_line(&plan.stack.display_name());
        let line = Line::default()
            .add(Tone::Good, "Nothing to delete.")
            .plain(format!(" {name} has nothing in state"));
        page.line(&line);
    } else if plan.is_empty() {
        let checked = match plan.summary().unchanged {
            0 => String::new(),
            number => format!(" ({})", text::count(number, "resource")),
        };
        let line = Line::default()
            .add(Tone::Good, "No changes.")
            .plain(format!(
                " {} is as declared{checked}",
                text::one_line(&plan.stack.display_name())
            ));
        page.line(&line);
    } else {
        let line = Line::default()
            .add(Tone::Strong, "Plan:")
            .plain(format!(" {}", sum(plan)));
        page.line(&line);
    }
    stopped(plan, page);
}

/// Most data-losing addresses named one by one.
const FLAGS: usize = 3;

fn stopped(plan: &Plan, page: &mut Page) {
    let blocking = plan.blocking().count();
    if blocking > 0 {
        let word = if blocking == 1 { "keeps" } else { "keep" };
        let note = format!(
            "{} {word} this plan from being applied",
            text::count(blocking, "finding")
        );
        stop_line(&note, page);
    }
    let losing: Vec<_> = plan.data_loss().collect();
    if losing.is_empty() {
        return;
    }
    let flags: Vec<String> = if losing.len() > FLAGS {
        vec!["--allow-data-loss".to_owned()]
    } else {
        let flag = |address: &str| format!("--allow-data-loss={}", text::shell_word(address));
        losing.iter().map(|it| flag(it.address.as_str())).collect()
    };
    let word = if losing.len() == 1 { "loses" } else { "lose" };
    let note = format!(
        "{} {word} data. To go on all the same, pass:",
        text::count(losing.len(), "change")
    );
    stop_line(&note, page);
    for flag in flags {
        page.line(&Line::indent(2).add(Tone::Hint, flag));
    }
}

fn stop_line(note: &str, page: &mut Page) {
    let mut first = true;
    for part in text::wrap(note, page.columns().saturating_sub(9)) {
        let line = if first {
            Line::default().add(Tone::Bad, "Stopped: ").plain(part)
        } else {
            Line::indent(9).plain(part)
        };
        first = false;
        page.line(&line);
    }
}
