//! Differences of texts of many lines, and of data as JSON.

use fabrik_core::value::{Value, to_wire_masked};
use similar::{ChangeTag, TextDiff};

use super::super::style::{Line, Tone};
use super::super::text;
use super::Page;

/// Most lines of one block, unless everything is asked for.
const MOST: usize = 40;
/// Texts of more lines are not compared.
const TOO_MANY: usize = 4000;

/// The text form of data: JSON on several lines.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&to_wire_masked(value)).unwrap_or_default()
}

/// A text as pretty JSON, when it holds a JSON object or list.
pub(super) fn json_text(raw: &str) -> Option<String> {
    if !raw.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(raw).ok()?;
    serde_json::to_string_pretty(&json).ok()
}

/// Shows every line of a text as added or removed.
pub(super) fn whole(tag: ChangeTag, body: &str, indent: usize, page: &mut Page) {
    let total = body.lines().count();
    let most = if page.style.full {
        usize::MAX
    } else {
        MOST / 2
    };
    for line in body.lines().take(most) {
        one(tag, line, indent, page);
    }
    more(total.saturating_sub(most), indent, page);
}

/// Shows what differs between two texts, with some lines around.
pub(super) fn difference(before: &str, after: &str, indent: usize, page: &mut Page) {
    let (old, new) = (before.lines().count(), after.lines().count());
    if old + new > TOO_MANY && !page.style.full {
        let note = format!(
            "{} -> {}",
            text::count(old, "line"),
            text::count(new, "line")
        );
        page.line(&Line::indent(indent).plain(note));
        return;
    }
    let diff = TextDiff::from_lines(before, after);
    let most = if page.style.full { usize::MAX } else { MOST };
    let mut shown = 0;
    let mut hidden = 0;
    for (index, hunk) in diff.grouped_ops(2).iter().enumerate() {
        if index > 0 && shown < most {
            page.line(&Line::indent(indent).add(Tone::Dim, "  …"));
        }
        for op in hunk {
            for change in diff.iter_changes(op) {
                if shown < most {
                    one(change.tag(), change.value(), indent, page);
                    shown += 1;
                } else {
                    hidden += 1;
                }
            }
        }
    }
    more(hidden, indent, page);
}

fn one(tag: ChangeTag, line: &str, indent: usize, page: &mut Page) {
    let (mark, tone) = match tag {
        ChangeTag::Delete => ("- ", Tone::Bad),
        ChangeTag::Insert => ("+ ", Tone::Good),
        ChangeTag::Equal => ("  ", Tone::Dim),
    };
    let line = text::printable(line.trim_end_matches(['\n', '\r'])).replace('\t', "    ");
    let shown = if page.style.full {
        line
    } else {
        text::shorten(&line, page.columns().saturating_sub(indent + 2).max(20))
    };
    page.line(&Line::indent(indent).add(tone, mark).add(tone, shown));
}

fn more(lines: usize, indent: usize, page: &mut Page) {
    if lines > 0 {
        let note = format!("  … {} more", text::count(lines, "line"));
        page.line(&Line::indent(indent).add(Tone::Dim, note));
    }
}
