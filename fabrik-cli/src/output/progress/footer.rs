//! What stays pinned below the lines on a terminal.

use std::fmt::Write as _;

use fabrik_core::event::phase_text;
use jiff::Timestamp;

use super::super::style::{Line, Style, Tone};
use super::super::text;
use super::Stopping;
use super::steps::{InFlight, Steps};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Draws and takes away the footer: only moves up, clears down and writes whole lines.
#[derive(Clone, Debug)]
pub(super) struct Footer {
    most: usize,
    drawn: Vec<String>,
}

impl Footer {
    pub(super) fn new(most: usize) -> Footer {
        Footer {
            most,
            drawn: Vec::new(),
        }
    }

    /// Most rows.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// What takes the footer away.
    pub(super) fn erase(&mut self) -> String {
        let rows = std::mem::take(&mut self.drawn).len();
        if rows == 0 {
            String::new()
        } else {
            format!("\r\u{1b}[{rows}A\u{1b}[J")
        }
    }

    /// What puts lines above and the footer below; empty when nothing is new.
    pub(super) fn frame(&mut self, lines: &str, rows: &[String]) -> String {
        if lines.is_empty() && rows == self.drawn {
            return String::new();
        }
        let mut out = self.erase();
        out.push_str(lines);
        for row in rows {
            _ = writeln!(out, "{row}");
        }
        self.drawn = rows.to_vec();
        out
    }
}

/// The rows of the footer as things stand.
pub(super) fn rows(
    steps: &Steps,
    now: Option<Timestamp>,
    stopping: Stopping,
    most: usize,
    style: Style,
) -> Vec<String> {
    let Some(now) = now else { return Vec::new() };
    let columns = style.width.max(20) - 1;
    let mut rows = Vec::new();
    let mut row = |line: Line| rows.push(line.cut(columns).render(style));
    let in_flight = steps.in_flight();
    let room = most.max(2) - 1;
    let shown = if in_flight.len() > room {
        room - 1
    } else {
        room
    };
    for step in in_flight.iter().take(shown) {
        row(step_row(step, now, style));
    }
    if let Some(more) = in_flight.len().checked_sub(shown).filter(|more| *more > 0) {
        row(Line::indent(4).add(Tone::Dim, format!("and {more} more in flight")));
    }
    if let Some(lock) = &steps.lock {
        let waited = text::duration(text::between(lock.since, now));
        let line = Line::indent(2)
            .add(Tone::Hint, spinner(lock.since, now))
            .plain(format!(
                " waiting for the lock of {}",
                holder(&lock.held.holder)
            ))
            .add(Tone::Dim, format!("  {waited}"));
        row(line);
    }
    if let Some((done, total)) = steps.refresh {
        row(Line::indent(2).plain(format!(
            "reading {done} of {}",
            text::count(total, "object")
        )));
    }
    if let Some(line) = sum(steps, now, stopping) {
        row(line);
    }
    rows
}

fn holder(holder: &fabrik_core::state::Holder) -> String {
    format!(
        "{} on {}",
        text::one_line(&holder.who),
        text::one_line(&holder.host)
    )
}

fn step_row(step: &InFlight, now: Timestamp, style: Style) -> Line {
    let elapsed = text::duration(text::between(step.started, now));
    let mut line = Line::indent(2)
        .add(Tone::Hint, spinner(step.started, now))
        .plain(format!(" {}", step.address))
        .pad_to(super::lines::column(style))
        .add(
            Tone::Plain,
            text::pad(super::lines::doing(step.verb, step.undoing), 12),
        )
        .add(Tone::Dim, format!("{elapsed:>6}"));
    if let Some(percent) = step.percent {
        line.push(Tone::Plain, format!("  {percent:>3}%"));
    }
    if !step.note.is_empty() {
        line.push(Tone::Dim, format!("  {}", step.note));
    }
    line
}

fn spinner(since: Timestamp, now: Timestamp) -> &'static str {
    let ticks = text::between(since, now).as_millis() / 100;
    let index = usize::try_from(ticks % 10).unwrap_or(0);
    SPINNER[index]
}

/// `[1/2] 42s · provisioning   Ctrl-C stops after this step`.
fn sum(steps: &Steps, now: Timestamp, stopping: Stopping) -> Option<Line> {
    let started = steps.started?;
    let elapsed = text::duration(text::between(started, now));
    let total = steps.total.max(steps.done);
    let mut line = Line::indent(2)
        .add(Tone::Strong, format!("[{}/{total}]", steps.done))
        .plain(format!(" {elapsed}"));
    if let Some(why) = &steps.waiting {
        line.push(Tone::Plain, format!(" · waiting: {why}"));
    } else if let Some(phase) = steps.phase {
        line.push(Tone::Plain, format!(" · {}", phase_text(phase)));
    }
    let hint = match stopping {
        Stopping::No => "Ctrl-C stops after this step",
        Stopping::Graceful => "stopping; Ctrl-C again drops what is in flight",
        Stopping::Now => "stopping now",
    };
    line.push(Tone::Dim, format!("   {hint}"));
    Some(line)
}
