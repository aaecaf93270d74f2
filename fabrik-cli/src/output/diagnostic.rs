//! Mistakes of a user, each shown at its place.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use fabrik_core::diagnostic::{Diagnostic, Diagnostics, Label, Severity, SourceFile};

use super::style::{Line, Style, Tone};
use super::text;

/// Lines further apart than this are shown as two excerpts.
const NEAR: usize = 100;
/// Longer lines are cut around what is pointed at.
const LONG: usize = 400;
/// Most diagnostics shown one by one.
const MOST: usize = 100;

/// Everything found, sorted by place, and how much it was.
pub fn render(diagnostics: &Diagnostics, style: Style) -> String {
    let mut items: Vec<&Diagnostic> = diagnostics.items.iter().collect();
    items.sort_by_key(|item| {
        let place = item.labels.first().map(|label| label.span);
        (place.is_none(), place, item.severity)
    });
    let mut out = String::new();
    for item in items.iter().take(MOST) {
        out.push_str(&one(item, diagnostics, style));
        out.push('\n');
    }
    if let Some(more) = items.len().checked_sub(MOST).filter(|more| *more > 0) {
        _ = writeln!(
            out,
            "… and {} more
",
            text::thousands(more)
        );
    }
    out.push_str(&summary(diagnostics, style));
    out
}

fn summary(diagnostics: &Diagnostics, style: Style) -> String {
    let errors = count(diagnostics, Severity::Error);
    let warnings = count(diagnostics, Severity::Warning);
    let mut line = Line::default();
    if errors > 0 {
        line.push(Tone::Bad, text::count(errors, "error"));
    }
    if warnings > 0 {
        if errors > 0 {
            line.push(Tone::Plain, ", ");
        }
        line.push(Tone::Warn, text::count(warnings, "warning"));
    }
    if line.is_empty() {
        return String::new();
    }
    line.render(style) + "\n"
}

fn count(diagnostics: &Diagnostics, severity: Severity) -> usize {
    let of = |item: &&Diagnostic| item.severity == severity;
    diagnostics.items.iter().filter(of).count()
}

fn one(item: &Diagnostic, all: &Diagnostics, style: Style) -> String {
    let level = match item.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level
        .primary_title(text::printable(&item.summary))
        .id(item.code)
        .elements(snippets(item, all));
    if item.labels.is_empty() {
        group = named(group, item);
    }
    for cause in &item.causes {
        group = group.element(Level::NOTE.message(text::printable(cause)));
    }
    for help in &item.help {
        group = group.element(Level::HELP.message(text::printable(help)));
    }
    let renderer = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let report = renderer
        .decor_style(DecorStyle::Unicode)
        .term_width(style.width.max(40))
        .render(&[group]);
    report.trim_end().to_owned() + "\n"
}

/// Says what a diagnostic without a place is about.
fn named<'a>(group: Group<'a>, item: &Diagnostic) -> Group<'a> {
    let mut about: Vec<String> = Vec::new();
    about.extend(item.address.iter().map(ToString::to_string));
    about.extend(item.path.iter().map(|path| format!("field `{path}`")));
    if about.is_empty() {
        group
    } else {
        group.element(Level::NOTE.message(text::one_line(&format!("in {}", about.join(", ")))))
    }
}

/// A label within its file.
struct Placed<'a> {
    file: &'a SourceFile,
    range: Range<usize>,
    lines: Range<usize>,
    label: &'a Label,
    primary: bool,
}

fn snippets<'a>(item: &'a Diagnostic, all: &'a Diagnostics) -> Vec<Snippet<'a, Annotation<'a>>> {
    let mut out = Vec::new();
    let mut waiting: Vec<Placed<'_>> = Vec::new();
    for (index, label) in item.labels.iter().enumerate() {
        let Some((file, range)) = all.sources.file_of(label.span) else {
            continue;
        };
        let placed = Placed {
            lines: line_range(&file.text, &range),
            range: file.text.floor_char_boundary(range.start)
                ..file.text.ceil_char_boundary(range.end),
            file,
            label,
            primary: index == 0,
        };
        let together = waiting.first().is_none_or(|first| {
            first.file.base == file.base && first.lines.start.abs_diff(placed.lines.start) < NEAR
        });
        if !together {
            out.extend(snippet(&waiting));
            waiting.clear();
        }
        waiting.push(placed);
    }
    out.extend(snippet(&waiting));
    out
}

/// Line numbers from 0 a range lies on.
fn line_range(text: &str, range: &Range<usize>) -> Range<usize> {
    let line = |at: usize| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        before.split(|byte| *byte == b'\n').count() - 1
    };
    let first = line(range.start);
    first..first + line(range.end).saturating_sub(first).min(NEAR)
}

/// An excerpt with its labels: some lines around, long lines cut.
fn snippet<'a>(labels: &[Placed<'a>]) -> Option<Snippet<'a, Annotation<'a>>> {
    let file = labels.first()?.file;
    let first = labels
        .iter()
        .map(|at| at.lines.start)
        .min()?
        .saturating_sub(2);
    let last = labels.iter().map(|at| at.lines.end).max()? + 2;
    let mut excerpt = String::new();
    let mut spans: Vec<Option<Range<usize>>> = vec![None; labels.len()];
    let mut offset = 0;
    for (number, line) in file.text.split_inclusive('\n').enumerate() {
        let end = offset + line.len();
        if (first..=last).contains(&number) {
            let cut = cut_line(line, labels, offset);
            for (label, span) in labels.iter().zip(&mut spans) {
                let start = label.range.start.clamp(offset, end);
                let stop = label.range.end.clamp(offset, end);
                let touches = label.range.start < end && label.range.end > offset;
                let at_start = label.range.start == offset && label.range.is_empty();
                if touches || at_start {
                    let base = excerpt.len();
                    let here = base + cut.place(start - offset)..base + cut.place(stop - offset);
                    *span = Some(span.take().map_or(here.clone(), |old| old.start..here.end));
                }
            }
            excerpt.push_str(&cut.text);
        }
        offset = end;
        if number >= last {
            break;
        }
    }
    let end = excerpt.trim_end_matches('\n').len();
    let mut snippet = Snippet::source(excerpt)
        .path(text::one_line(&file.name))
        .line_start(first + 1);
    for (label, span) in labels.iter().zip(spans) {
        let span = span.unwrap_or(end..end);
        let kind = if label.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let annotation = kind.span(span);
        snippet = snippet.annotation(if label.label.text.is_empty() {
            annotation
        } else {
            annotation.label(text::one_line(&label.label.text))
        });
    }
    Some(snippet)
}

/// A line, perhaps cut, and how places in it moved.
struct Cut {
    text: String,
    from: usize,
    lead: usize,
}

impl Cut {
    fn place(&self, at: usize) -> usize {
        let kept = self.text.trim_end_matches('\n').len();
        (at.saturating_sub(self.from) + self.lead).min(kept.max(self.lead))
    }
}

fn cut_line(line: &str, labels: &[Placed<'_>], offset: usize) -> Cut {
    if line.len() <= LONG {
        return Cut {
            text: line.to_owned(),
            from: 0,
            lead: 0,
        };
    }
    let end = offset + line.len();
    let focus = labels
        .iter()
        .map(|label| label.range.start)
        .find(|start| (offset..end).contains(start))
        .map_or(0, |start| start - offset);
    let from = line.floor_char_boundary(focus.saturating_sub(LONG / 4));
    let to = line.floor_char_boundary((from + LONG / 2).min(line.len()));
    let (lead, mark) = if from > 0 {
        ("…".len(), "…")
    } else {
        (0, "")
    };
    let mut text = format!("{mark}{}", line[from..to].trim_end_matches('\n'));
    if to < line.len() {
        text.push('…');
    }
    text.push('\n');
    Cut { text, from, lead }
}
