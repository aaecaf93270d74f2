//! One attribute that changes.

use fabrik_core::plan::{AttributeDiff, DiffKind};
use fabrik_core::value::Value;
use similar::ChangeTag;

use super::super::style::{Line, Tone};
use super::super::text;
use super::{Page, block, value};

/// Widest column of attribute names.
const NAMES: usize = 28;

/// The name of an attribute.
pub(super) fn name(diff: &AttributeDiff) -> String {
    if diff.path.is_root() {
        "(all)".to_owned()
    } else {
        text::one_line(&diff.path.to_string())
    }
}

/// The column values start in, behind the names of a list of attributes.
pub(super) fn name_column(diffs: &[AttributeDiff]) -> usize {
    let widest = |diff: &AttributeDiff| text::width(&name(diff));
    diffs
        .iter()
        .map(widest)
        .filter(|wide| *wide <= NAMES)
        .max()
        .unwrap_or(0)
}

/// Shows one attribute.
pub(super) fn show(diff: &AttributeDiff, indent: usize, names: usize, page: &mut Page) {
    let (mark, tone) = match diff.kind {
        DiffKind::Add => ("+ ", Tone::Good),
        DiffKind::Change => ("~ ", Tone::Warn),
        DiffKind::Remove => ("- ", Tone::Bad),
    };
    let line = Line::indent(indent)
        .add(tone, mark)
        .plain(name(diff))
        .pad_to(indent + 2 + names + 2);
    let after = indent + 4;
    let marked = value::guarded(diff);
    let shown = marked.as_ref();
    match diff.kind {
        DiffKind::Add => single(line, shown, &shown.after, ChangeTag::Insert, after, page),
        DiffKind::Remove => single(line, shown, &shown.before, ChangeTag::Delete, after, page),
        DiffKind::Change => changed(line, shown, after, page),
    }
    remarks(diff, after, page);
}

/// What stands behind the values.
fn trail(diff: &AttributeDiff, full: bool) -> Line {
    let mut line = Line::default();
    if diff.forces_replacement {
        line = line.spaces(3).add(Tone::Bad, "forces replacement");
    }
    if let Some(place) = diff
        .place
        .as_ref()
        .filter(|_| diff.forces_replacement || full)
    {
        line = line.spaces(3).add(Tone::Hint, text::one_line(place));
    }
    line
}

/// Remarks below the values.
fn remarks(diff: &AttributeDiff, indent: usize, page: &mut Page) {
    if let Some(sent) = &diff.last_sent {
        let secret = sent.has_secret() || diff.before.has_secret() || diff.after.has_secret();
        let sent = if secret {
            "a secret".to_owned()
        } else {
            value::shortened(&value::inline(sent), page.columns() / 2)
        };
        let note = format!("changed outside Fabrik; last applied: {sent}");
        page.wrapped(indent, Tone::Warn, &note);
    }
    if diff.kind == DiffKind::Change && !diff.before.is_null() && !diff.after.is_null() {
        match (diff.before.is_secret(), diff.after.is_secret()) {
            (true, false) if !diff.after.has_unknown() => {
                page.wrapped(indent, Tone::Warn, "it is no longer marked as secret");
            }
            (false, true) => page.wrapped(indent, Tone::Dim, "it is a secret from now on"),
            _ => {}
        }
    }
}

/// A value that comes or goes.
fn single(
    line: Line,
    diff: &AttributeDiff,
    shown: &Value,
    tag: ChangeTag,
    indent: usize,
    page: &mut Page,
) {
    let trail = trail(diff, page.style.full);
    let room = page.columns().saturating_sub(line.width() + trail.width());
    let lines = match shown {
        Value::Str(text) if text.trim_end().contains('\n') => Some((text.to_string(), "text")),
        Value::List(_) | Value::Map(_) if text::width(&value::inline(shown)) > room => {
            Some((block::pretty(shown), "data"))
        }
        _ => None,
    };
    match lines {
        Some((body, what)) if tag == ChangeTag::Delete && !page.style.full => {
            let note = format!("({what} of {})", text::count(body.lines().count(), "line"));
            page.line(&line.add(Tone::Dim, note).join(trail));
        }
        Some((body, _)) => {
            let note = format!("({})", text::count(body.lines().count(), "line"));
            page.line(&line.add(Tone::Dim, note).join(trail));
            block::whole(tag, &body, indent, page);
        }
        None => {
            let body = value::inline(shown);
            let body = if page.style.full {
                body
            } else {
                value::shortened(&body, room.max(24))
            };
            page.line(&line.add(value::tone(shown), body).join(trail));
        }
    }
}

/// A value that becomes another.
fn changed(line: Line, diff: &AttributeDiff, indent: usize, page: &mut Page) {
    let (before, after) = (&diff.before, &diff.after);
    let trail = trail(diff, page.style.full);
    let said = |line: Line, note: &str| line.add(Tone::Dim, note).join(trail.clone());
    match (before, after) {
        _ if before.is_secret() || after.is_secret() => {
            let line = match after {
                Value::Expr(_) => line
                    .add(Tone::Dim, "(secret) -> ")
                    .add(Tone::Hint, value::inline(after))
                    .join(trail.clone()),
                _ => said(line, "(secret changed)"),
            };
            page.line(&line);
        }
        (Value::Str(old), Value::Str(new)) if only_space(old, new) => {
            let note = format!(
                "only blanks and line breaks change ({} -> {})",
                text::thousands(old.chars().count()),
                text::count(new.chars().count(), "character")
            );
            page.line(&said(line, &note));
        }
        (Value::Str(old), Value::Str(new)) => {
            match (block::json_text(old), block::json_text(new)) {
                (Some(old), Some(new)) if old == new => {
                    page.line(&said(line, "the same JSON in another form"));
                }
                (Some(old), Some(new)) => {
                    page.line(&said(line, "(JSON)"));
                    block::difference(&old, &new, indent, page);
                }
                _ if old.trim_end().contains('\n') || new.trim_end().contains('\n') => {
                    page.line(&said(line, "(text)"));
                    block::difference(old, new, indent, page);
                }
                _ => one_line(line, before, after, trail, page),
            }
        }
        (Value::List(_) | Value::Map(_), Value::List(_) | Value::Map(_)) => {
            let (old, new) = (block::pretty(before), block::pretty(after));
            let wide = text::width(&value::inline(before)) + text::width(&value::inline(after));
            if old == new {
                page.line(&said(line, "(secret changed)"));
            } else if line.width() + wide + 4 + trail.width() <= page.columns() {
                one_line(line, before, after, trail, page);
            } else {
                page.line(&said(line, "(data)"));
                block::difference(&old, &new, indent, page);
            }
        }
        _ => one_line(line, before, after, trail, page),
    }
}

fn only_space(old: &str, new: &str) -> bool {
    let solid = |text: &str| -> Vec<char> { text.chars().filter(|c| !c.is_whitespace()).collect() };
    old != new && old.len().abs_diff(new.len()) < 4096 && solid(old) == solid(new)
}

/// `old -> new`, on two lines when one is too short.
fn one_line(line: Line, before: &Value, after: &Value, trail: Line, page: &mut Page) {
    let (old, new) = (value::inline(before), value::inline(after));
    let color = page.style.style.color;
    let parts = |old: &str, new: &str| match (before, after) {
        (Value::Str(_), Value::Str(_)) => value::marked(old, new, color),
        _ => (
            Line::default().add(changed_tone(before, Tone::Bad), old),
            Line::default().add(changed_tone(after, Tone::Good), new),
        ),
    };
    let start = line.width();
    let columns = page.columns();
    let wide = text::width(&old) + 4 + text::width(&new);
    if start + wide + trail.width() <= columns {
        let (old, new) = parts(&old, &new);
        page.line(&line.join(old).add(Tone::Dim, " -> ").join(new).join(trail));
        return;
    }
    let room = columns.saturating_sub(start).max(24);
    let (old, new) = if page.style.full {
        (old, new)
    } else {
        value::shortened_pair(&old, &new, room)
    };
    let (old, new) = parts(&old, &new);
    page.line(&line.join(old));
    let below = Line::indent(start.saturating_sub(3))
        .add(Tone::Dim, "-> ")
        .join(new);
    if below.width() + trail.width() <= columns || trail.is_empty() {
        page.line(&below.join(trail));
    } else {
        page.line(&below);
        page.line(&Line::indent(start.saturating_sub(3)).join(trail));
    }
}

fn changed_tone(value: &Value, otherwise: Tone) -> Tone {
    match value::tone(value) {
        Tone::Plain => otherwise,
        other => other,
    }
}
