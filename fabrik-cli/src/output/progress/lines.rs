//! The lines that scroll by: the same on a terminal and in a log.

use std::time::Duration;

use fabrik_core::error::ErrorKind;
use fabrik_core::error::ErrorReport;
use fabrik_core::event::{Event, EventBody};
use fabrik_core::provider::Verb;
use fabrik_core::state::{CheckResult, Phase, RunKind, RunStart, StepOutcome};
use jiff::Timestamp;

use super::super::error::{details, labelled, push};
use super::super::style::{Line, Style, Tone};
use super::super::text;
use super::steps::{Before, InFlight, LockWait, Steps};
use fabrik_core::plan::Summary;

/// Where what is said of an address begins.
pub(super) fn column(style: Style) -> usize {
    4 + (style.width * 3 / 8).clamp(14, 40)
}

/// Most characters of an id.
const ID: usize = 24;

/// How lines are to look.
pub(super) struct View<'a> {
    pub(super) style: Style,
    pub(super) live: bool,
    pub(super) verbose: u8,
    pub(super) stack: &'a str,
}

impl View<'_> {
    fn line(&self, line: &Line) -> String {
        line.render(self.style) + "\n"
    }

    fn dim(&self, text: String) -> String {
        self.line(&Line::indent(4).add(Tone::Dim, text))
    }
}

/// The lines of an event, each ended; empty when it has none.
pub(super) fn of(event: &Event, before: &Before, steps: &mut Steps, view: &View<'_>) -> String {
    let mut out = String::new();
    if let Some(waited) = before.waited {
        let line = Line::default().plain(format!("got the lock after {}", text::duration(waited)));
        out.push_str(&view.line(&line));
    }
    match &event.body {
        EventBody::LockWait { held } if !before.lock => {
            let wait = LockWait {
                held: held.clone(),
                since: event.ts,
                last_sign: event.ts,
            };
            out.push_str(&waiting_for_lock(&(wait, Duration::ZERO), view.style));
            let hint = "`fabrik state unlock` releases a lock whose holder is gone";
            out.push_str(&labelled(view.style, Tone::Hint, "help", hint, 2));
        }
        EventBody::Refresh { done, total } if done == total && *total > 0 && !view.live => {
            out.push_str(&view.line(
                &Line::default().add(Tone::Dim, format!("read {}", text::count(*total, "object"))),
            ));
        }
        EventBody::RunStarted { start, summary } => {
            out.push_str(&view.line(&title(event, start, summary, view.stack)));
        }
        EventBody::Resumed { open } => {
            let run = event.run.map(|run| format!(" {run}")).unwrap_or_default();
            let what = match open {
                0 => format!("going on with run{run}"),
                open => format!(
                    "run{run} was interrupted; {} in doubt",
                    text::count(*open, "step")
                ),
            };
            out.push_str(&view.line(&Line::default().plain(what)));
        }
        EventBody::Phase {
            phase: Phase::Verifying,
        } => out.push_str(&check_heading(steps, view)),
        EventBody::Secret { name, origin } if view.verbose > 0 => {
            let (name, origin) = (text::one_line(name), text::one_line(origin));
            out.push_str(&view.dim(format!("secret {name}: {origin}")));
        }
        EventBody::StepStarted {
            address,
            verb,
            undoes,
            ..
        } if !view.live => {
            let doing = doing(*verb, undoes.is_some());
            let line = Line::indent(2)
                .add(Tone::Dim, "· ")
                .plain(address.as_str())
                .pad_to(column(view.style))
                .add(Tone::Dim, doing);
            out.push_str(&view.line(&line));
        }
        EventBody::StepProgress { address, note, .. } if view.verbose > 0 => {
            out.push_str(&view.dim(format!("{address}: {}", text::one_line(note.as_str()))));
        }
        EventBody::LogLine { address, line, .. } if view.verbose > 0 => {
            out.push_str(&view.dim(format!("{address} │ {}", text::one_line(line.as_str()))));
        }
        EventBody::Http { .. } if view.verbose > 0 => {
            out.push_str(&view.dim(text::one_line(&event.message())));
        }
        EventBody::StepRetry {
            address,
            why,
            after_ms,
            attempt,
            ..
        } => {
            let why = text::one_line(why.as_str());
            let after = text::millis(*after_ms);
            out.push_str(&view.dim(format!("{address}: {why}; attempt {attempt} in {after}")));
        }
        EventBody::Waiting { address, why, ms } => {
            let about = address
                .as_ref()
                .map(|it| format!("{it}: "))
                .unwrap_or_default();
            let why = text::one_line(why.as_str());
            let most = text::millis(*ms);
            out.push_str(&view.dim(format!("{about}waiting: {why} (at most {most})")));
        }
        EventBody::StepDone { .. } => out.push_str(&step_done(event, steps, view)),
        EventBody::StateChanged { address, what } => {
            let line = Line::indent(2)
                .add(Tone::Good, "✓ ")
                .plain(address.as_str())
                .pad_to(column(view.style))
                .plain(text::one_line(what.as_str()));
            out.push_str(&view.line(&line));
        }
        EventBody::Check { result } => {
            out.push_str(&check_heading(steps, view));
            out.push_str(&check(result, view.style));
        }
        EventBody::Warning { message, hint } => {
            let message = text::printable(message.as_str());
            out.push_str(&labelled(view.style, Tone::Warn, "warning", &message, 2));
            if let Some(hint) = hint {
                let hint = text::printable(hint.as_str());
                out.push_str(&labelled(view.style, Tone::Hint, "help", &hint, 4));
            }
        }
        EventBody::RollbackStarted { error, .. } => {
            out.push_str(&unseen_error(error, steps, view.style));
            out.push_str(&view.line(&Line::default().add(Tone::Strong, "Undoing this run")));
        }
        _ => {}
    }
    out
}

/// What even a quiet run shows as it happens: errors.
pub(super) fn quiet(event: &Event, steps: &mut Steps, style: Style) -> String {
    match &event.body {
        EventBody::StepDone {
            outcome: StepOutcome::Failed(_),
            ..
        } => {
            let view = View {
                style,
                live: false,
                verbose: 0,
                stack: "",
            };
            step_done(event, steps, &view)
        }
        EventBody::RollbackStarted { error, .. } => unseen_error(error, steps, style),
        _ => String::new(),
    }
}

/// The error that made a run fail, unless a failed step showed it already.
pub(super) fn unseen_error(error: &ErrorReport, steps: &mut Steps, style: Style) -> String {
    if steps.shown.contains(&error.message) {
        return String::new();
    }
    steps.shown.push(error.message.clone());
    super::super::error::render_report(error, style)
}

fn title(event: &Event, start: &RunStart, summary: &Summary, stack: &str) -> Line {
    let doing = match start.kind {
        RunKind::Apply => "Applying",
        RunKind::Destroy => "Destroying",
        RunKind::Rollback => "Rolling back",
        RunKind::State => "Changing the state of",
    };
    let mut line = Line::default().add(Tone::Strong, doing);
    if !stack.is_empty() {
        line.push(Tone::Plain, format!(" {}", text::one_line(stack)));
    }
    let mut facts: Vec<String> = Vec::new();
    facts.extend(event.run.map(|run| format!("run {run}")));
    facts.extend(start.note.as_deref().map(text::one_line));
    let parts = [
        (summary.create, "create"),
        (summary.update, "update"),
        (summary.replace, "replace"),
        (summary.delete, "delete"),
        (summary.adopt, "take over"),
        (summary.run, "run"),
        (summary.state, "in state only"),
    ];
    let parts = parts.into_iter().filter(|(number, _)| *number > 0);
    let words: Vec<String> = parts
        .map(|(number, word)| format!("{} {word}", text::thousands(number)))
        .collect();
    if !words.is_empty() {
        facts.push(words.join(", "));
    }
    if !facts.is_empty() {
        line.push(Tone::Dim, format!(" ({})", facts.join("; ")));
    }
    line
}

fn check_heading(steps: &mut Steps, view: &View<'_>) -> String {
    if steps.check_heading {
        return String::new();
    }
    steps.check_heading = true;
    view.line(&Line::default().add(Tone::Strong, "Check"))
}

/// One check and what was seen.
pub(crate) fn check(result: &CheckResult, style: Style) -> String {
    let (mark, tone) = if result.passed {
        ("✓ ", Tone::Good)
    } else {
        ("✗ ", Tone::Bad)
    };
    let start = Line::indent(2)
        .add(tone, mark)
        .plain(text::one_line(&result.name))
        .pad_to(column(style));
    // How long it took is worth a word only where it had to be waited for.
    let took = if result.millis < 1000 {
        String::new()
    } else {
        text::millis(result.millis)
    };
    let evidence = text::one_line(&result.evidence);
    let room = style.width.max(40).saturating_sub(start.width());
    let mut out = String::new();
    if text::width(&evidence) + text::width(&took) + 2 * usize::from(!took.is_empty()) <= room {
        let mut line = start.plain(evidence);
        if !took.is_empty() {
            line.push(Tone::Dim, format!("  {took}"));
        }
        push(&mut out, &line.render(style));
    } else {
        push(&mut out, &start.add(Tone::Dim, took).render(style));
        let room = style.width.max(40).saturating_sub(6);
        for part in text::wrap(&text::one_line(&result.evidence), room) {
            push(&mut out, &Line::indent(6).plain(part).render(style));
        }
    }
    if let Some(hint) = result.hint.as_ref().filter(|_| !result.passed) {
        out.push_str(&labelled(
            style,
            Tone::Hint,
            "help",
            &text::printable(hint),
            6,
        ));
    }
    out
}

/// Pages of platforms, by address. Long ones are not cut: they are to be opened.
pub(super) fn pages(pages: &[(String, String)], style: Style) -> String {
    let mut out = String::new();
    for (address, page) in pages {
        let line = Line::indent(2)
            .add(Tone::Dim, format!("{}: ", text::one_line(address)))
            .plain(text::one_line(page));
        push(&mut out, &line.render(style));
    }
    out
}

/// What to do about a failed step whose error does not say it.
fn usual_help(kind: ErrorKind) -> Option<&'static str> {
    Some(match kind {
        ErrorKind::Invalid => {
            "the service does not take what was asked for; change it in the spec (`fabrik plan --expand` shows every field), then apply again"
        }
        ErrorKind::Auth | ErrorKind::Permission => {
            "`fabrik doctor` says which credentials are used and what they lack"
        }
        ErrorKind::Conflict => {
            "give it another name, or take over what is there with `fabrik import`"
        }
        ErrorKind::NotFound => {
            "`fabrik status --refresh` says what is gone; apply again to make it anew"
        }
        ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::RateLimited => {
            "apply again when the service answers; `fabrik doctor` tries it"
        }
        ErrorKind::Quota => "free some room or raise the limit, then apply again",
        ErrorKind::Misbehaved | ErrorKind::Panicked | ErrorKind::Unexpected => {
            "this is a bug of the provider or of Fabrik; `fabrik history show` has what to report"
        }
        ErrorKind::CheckFailed | ErrorKind::Unsupported | ErrorKind::Io => {
            "set right what it names, then apply again"
        }
        _ => return None,
    })
}

fn step_done(event: &Event, steps: &mut Steps, view: &View<'_>) -> String {
    let EventBody::StepDone {
        address,
        verb,
        outcome,
        id,
        ms,
        undoes,
        ..
    } = &event.body
    else {
        return String::new();
    };
    let (mark, tone, word) = match outcome {
        StepOutcome::Done => ("✓ ", Tone::Good, done(*verb, undoes.is_some()).to_owned()),
        StepOutcome::Unchanged => ("✓ ", Tone::Good, "as it was".to_owned()),
        StepOutcome::NotDone => ("· ", Tone::Dim, "not done".to_owned()),
        StepOutcome::Failed(_) => ("✗ ", Tone::Bad, "failed".to_owned()),
        StepOutcome::InDoubt(_) => ("? ", Tone::Warn, "in doubt".to_owned()),
        StepOutcome::Left(_) => ("· ", Tone::Warn, "left alone".to_owned()),
    };
    let mut line = Line::indent(2)
        .add(tone, mark)
        .plain(address.as_str())
        .pad_to(column(view.style))
        .add(tone, text::pad(&word, 10))
        .add(Tone::Dim, format!("{:>7}", text::millis(*ms)));
    match outcome {
        StepOutcome::Failed(error) => {
            if let Some(code) = &error.code {
                line.push(Tone::Bad, format!("  {}", text::one_line(code)));
            }
        }
        StepOutcome::Done => {
            // What is done and leaves nothing goes by its address.
            let told = id.as_ref().filter(|id| id.as_str() != address.as_str());
            if let Some(id) = told.filter(|_| *verb != Verb::Delete) {
                let id = text::shorten(&text::one_line(id.as_str()), ID);
                line.push(Tone::Dim, format!("  {id}"));
            }
        }
        _ => {}
    }
    let mut out = view.line(&line);
    match outcome {
        StepOutcome::Failed(error) => {
            steps.shown.push(error.message.clone());
            let body = match &error.operation {
                Some(operation) => format!("{operation}: {}", error.message),
                None => error.message.clone(),
            };
            let body = text::printable(&body);
            let room = view.style.width.max(40).saturating_sub(6);
            for part in text::wrap(&body, room) {
                push(&mut out, &Line::indent(6).plain(part).render(view.style));
            }
            let mut error = error.clone();
            if error.hint.is_none() {
                error.hint = usual_help(error.kind).map(str::to_owned);
            }
            push(&mut out, &details(&error, view.style, 6));
        }
        StepOutcome::InDoubt(why) | StepOutcome::Left(why) => {
            let room = view.style.width.max(40).saturating_sub(6);
            for part in text::wrap(&text::printable(why), room) {
                push(
                    &mut out,
                    &Line::indent(6).add(Tone::Dim, part).render(view.style),
                );
            }
        }
        _ => {}
    }
    out
}

/// The sign of life of a step.
pub(super) fn still(step: &InFlight, now: Timestamp, style: Style) -> String {
    let elapsed = text::duration(text::between(step.started, now));
    let mut line = Line::indent(2)
        .add(Tone::Dim, "· ")
        .plain(step.address.as_str())
        .pad_to(column(style))
        .add(
            Tone::Dim,
            format!("still {}, {elapsed}", doing(step.verb, step.undoing)),
        );
    if let Some(percent) = step.percent {
        line.push(Tone::Dim, format!(", {percent}%"));
    }
    if !step.note.is_empty() {
        line.push(Tone::Dim, format!(": {}", step.note));
    }
    line.cut(style.width.max(60)).render(style) + "\n"
}

/// What a step is doing, for somebody who asks.
pub(super) fn in_flight(step: &InFlight, now: Option<Timestamp>, style: Style) -> String {
    still(step, now.unwrap_or(step.started), style)
}

/// Who has the lock.
pub(super) fn waiting_for_lock(wait: &(LockWait, Duration), style: Style) -> String {
    let (lock, waited) = wait;
    let holder = &lock.held.holder;
    let mut body = format!(
        "waiting for the lock: {} on {} (pid {}) runs `{}`",
        text::one_line(&holder.who),
        text::one_line(&holder.host),
        holder.pid,
        text::one_line(&holder.command)
    );
    if waited.is_zero() {
        let since = text::ago(lock.held.since, lock.since);
        body = format!("{body}, taken {since}");
    } else {
        body = format!("still {body}, {}", text::duration(*waited));
    }
    let mut out = String::new();
    for part in text::wrap(&body, style.width.max(40)) {
        push(&mut out, &Line::default().plain(part).render(style));
    }
    out
}

/// The word for what is going on.
pub(super) fn doing(verb: Verb, undoing: bool) -> &'static str {
    match (verb, undoing) {
        (Verb::Create, false) => "creating",
        (Verb::Create, true) => "recreating",
        (Verb::Update, false) => "updating",
        (Verb::Update, true) => "restoring",
        (Verb::Delete, _) => "deleting",
        (Verb::Run, _) => "running",
    }
}

/// The word for what was done.
fn done(verb: Verb, undoing: bool) -> &'static str {
    match (verb, undoing) {
        (Verb::Create, false) => "created",
        (Verb::Create, true) => "recreated",
        (Verb::Update, false) => "updated",
        (Verb::Update, true) => "restored",
        (Verb::Delete, _) => "deleted",
        (Verb::Run, _) => "ran",
    }
}
