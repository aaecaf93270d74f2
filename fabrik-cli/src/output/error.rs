//! Errors in words.

use fabrik_core::error::{Error, ErrorReport};

use super::style::{Line, Style, Tone};
use super::{diagnostic, text};

/// An error as a person reads it: what failed, why, what the log said, what to do.
///
/// Mistakes of a spec are shown at their places instead. Every text is made printable.
pub fn render(error: &Error, style: Style) -> String {
    if let Some(diagnostics) = error.diagnostics().filter(|found| !found.items.is_empty()) {
        let mut out = diagnostic::render(diagnostics, style);
        // What to do stands below each mistake already.
        let helped = |found: &fabrik_core::diagnostic::Diagnostic| !found.help.is_empty();
        let said = diagnostics.items.iter().any(helped);
        if let Some(hint) = error.hint_text().filter(|_| !said) {
            push(
                &mut out,
                &labelled(style, Tone::Hint, "help", &text::printable(hint), 0),
            );
        }
        return out;
    }
    render_report(&error.report(), style)
}

/// As [`render`], for an error as it was recorded.
pub fn render_report(report: &ErrorReport, style: Style) -> String {
    let message = match &report.operation {
        Some(operation) => format!("{operation}: {}", report.message),
        None => report.message.clone(),
    };
    let mut out = String::new();
    let message = text::printable(&message);
    push(&mut out, &labelled(style, Tone::Bad, "error", &message, 0));
    push(&mut out, &details(report, style, 2));
    out
}

/// Everything of an error but its message, indented.
pub(crate) fn details(report: &ErrorReport, style: Style, indent: usize) -> String {
    let mut out = String::new();
    for cause in &report.causes {
        let cause = text::printable(cause);
        push(
            &mut out,
            &labelled(style, Tone::Plain, "Caused by", &cause, indent),
        );
    }
    if let Some(field) = &report.field {
        let field = text::one_line(&field.to_string());
        push(
            &mut out,
            &labelled(style, Tone::Dim, "field", &format!("`{field}`"), indent),
        );
    }
    for (key, value) in &report.context {
        let value = text::printable(value);
        push(
            &mut out,
            &labelled(style, Tone::Dim, &text::one_line(key), &value, indent),
        );
    }
    if !report.log_tail.is_empty() {
        let title = Line::indent(indent).add(Tone::Dim, "last log lines:");
        push(&mut out, &title.render(style));
        for line in &report.log_tail {
            let line = text::printable(line).replace('\t', "    ");
            for line in line.lines() {
                let line = Line::indent(indent).add(Tone::Dim, "  │ ").plain(line);
                push(&mut out, &line.render(style));
            }
        }
    }
    if let Some(hint) = &report.hint {
        let hint = text::printable(hint);
        push(
            &mut out,
            &labelled(style, Tone::Hint, "help", &hint, indent),
        );
    }
    if let Some(code) = &report.code {
        let more = format!("fabrik explain {}", text::one_line(code));
        push(
            &mut out,
            &labelled(style, Tone::Hint, "more", &more, indent),
        );
    }
    out
}

/// `label: text`, wrapped and hanging below itself.
pub(crate) fn labelled(style: Style, tone: Tone, label: &str, body: &str, indent: usize) -> String {
    let hang = indent + text::width(label) + 2;
    let room = style.width.max(40).saturating_sub(hang).max(20);
    let mut out = String::new();
    for (index, part) in text::wrap(body, room).into_iter().enumerate() {
        let line = if index == 0 {
            let strong = if tone == Tone::Plain {
                Tone::Strong
            } else {
                tone
            };
            Line::indent(indent)
                .add(strong, label)
                .plain(": ")
                .plain(part)
        } else {
            Line::indent(hang).plain(part)
        };
        push(&mut out, &line.render(style));
    }
    out
}

/// Adds lines, each ended.
pub(crate) fn push(out: &mut String, lines: &str) {
    if !lines.is_empty() {
        out.push_str(lines);
        if !lines.ends_with('\n') {
            out.push('\n');
        }
    }
}
