//! Mistakes of a user, each with its place; data only, rendering is the program's.

use std::sync::Arc;

use crate::address::Address;
use crate::value::Path;

/// A range of bytes in the [`SourceMap`]: two 32-bit numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte, counted over all files of the map.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span from the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start,
            end: other.end.max(self.start),
        }
    }
}

/// One text a user wrote.
#[derive(Clone)]
pub struct SourceFile {
    /// How to name it to the user (the path as given).
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    /// Where its bytes start in the map.
    pub base: u32,
    /// Where its lines start, counted once when first asked for.
    lines: std::sync::OnceLock<Vec<usize>>,
}

/// Without the text, which may hold secrets.
impl std::fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SourceFile")
            .field("name", &self.name)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

impl SourceFile {
    /// Number of the line (from 0) that holds a byte, and where that line starts.
    fn line_of(&self, at: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let breaks = self
                .text
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n');
            std::iter::once(0)
                .chain(breaks.map(|(at, _)| at + 1))
                .collect()
        });
        let line = lines
            .partition_point(|start| *start <= at)
            .saturating_sub(1);
        (line, lines.get(line).copied().unwrap_or(0))
    }
}

/// Every text spans point into.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// A place in a file, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The file's name.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl SourceMap {
    /// Adds a text and returns the offset its spans start at.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> u32 {
        let base = self.files.last().map_or(0, |file| {
            file.base + u32::try_from(file.text.len()).unwrap_or(u32::MAX / 2) + 1
        });
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
            base,
            lines: std::sync::OnceLock::new(),
        });
        base
    }

    /// All files in the order added.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file a span lies in, with the span made relative to it.
    pub fn file_of(&self, span: Span) -> Option<(&SourceFile, std::ops::Range<usize>)> {
        let file = self
            .files
            .iter()
            .rev()
            .find(|file| file.base <= span.start)?;
        let len = file.text.len();
        let start = ((span.start - file.base) as usize).min(len);
        let end = ((span.end.saturating_sub(file.base)) as usize).clamp(start, len);
        Some((file, start..end))
    }

    /// Line and column of a span's start.
    pub fn position(&self, span: Span) -> Option<Position> {
        let (file, range) = self.file_of(span)?;
        let (line, start) = file.line_of(range.start);
        Some(Position {
            file: file.name.clone(),
            line: line + 1,
            column: file.text.get(start..range.start)?.chars().count() + 1,
        })
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can go on.
    Error,
    /// Worth knowing.
    Warning,
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

/// One mistake or remark, with everything needed to act on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Code of the page that explains it, such as `FAB1003`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// One lower-case line.
    pub summary: String,
    /// The places: the first is where it is, further ones give context.
    pub labels: Vec<Label>,
    /// The resource it concerns.
    pub address: Option<Address>,
    /// The field it concerns.
    pub path: Option<Path>,
    /// Deeper causes.
    pub causes: Vec<String>,
    /// What to do: "did you mean …", "expected …".
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, summary: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            summary: summary.into(),
            labels: Vec::new(),
            address: None,
            path: None,
            causes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, summary: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, summary)
        }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, span: Option<Span>, text: impl Into<String>) -> Diagnostic {
        if let Some(span) = span {
            self.labels.push(Label {
                span,
                text: text.into(),
            });
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Names the resource.
    #[must_use]
    pub fn address(mut self, address: Address) -> Diagnostic {
        self.address = Some(address);
        self
    }

    /// Names the field.
    #[must_use]
    pub fn path(mut self, path: Path) -> Diagnostic {
        self.path = Some(path);
        self
    }

    /// Adds a deeper cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Diagnostic {
        self.causes.push(cause.into());
        self
    }
}

/// Everything found, with the texts the places point into.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    /// In the order found.
    pub items: Vec<Diagnostic>,
    /// The texts.
    pub sources: SourceMap,
}

impl Diagnostics {
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.items.push(diagnostic);
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.items
            .iter()
            .any(|item| item.severity == Severity::Error)
    }

    /// Summary of the first error.
    pub fn first_error(&self) -> Option<&str> {
        self.items
            .iter()
            .find(|item| item.severity == Severity::Error)
            .map(|item| item.summary.as_str())
    }
}

/// The candidate nearest to `name` by edit distance, when near enough to be a likely slip.
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = name.chars().count().div_ceil(3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = edit_distance(name, candidate);
            (distance <= limit && distance < candidate.chars().count())
                .then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance with transposition of neighbours counted as one.
fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    if left.len() > 64 || right.len() > 64 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let swap = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j] + 1)
                .min(rows[i][j - 1] + 1)
                .min(rows[i - 1][j - 1] + swap);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_text() {
        let mut found = Diagnostics::default();
        found.sources.add("a.yaml", "token: canary-of-debug\n");
        let error = crate::error::Error::from_diagnostics(found.clone());
        for shown in [
            format!("{error:?}"),
            format!("{error:#?}"),
            format!("{found:?}"),
        ] {
            assert!(!shown.contains("canary-of-debug"), "{shown}");
        }
    }

    #[test]
    fn positions_over_several_files() {
        let mut map = SourceMap::default();
        let first = map.add("a.yaml", "x: 1\nyé: 2\n");
        let second = map.add("b.yaml", "z: 3\n");
        let at = |offset| {
            map.position(Span {
                start: offset,
                end: offset + 1,
            })
            .unwrap()
        };
        assert_eq!((at(first + 9).line, at(first + 9).column), (2, 4));
        assert_eq!((&*at(second).file, at(second).line), ("b.yaml", 1));
    }

    #[test]
    fn suggestions() {
        let known = ["port", "domain", "replicas"];
        assert_eq!(did_you_mean("prot", known), Some("port"));
        assert_eq!(did_you_mean("replica", known), Some("replicas"));
        assert_eq!(did_you_mean("xyz", known), None);
    }
}
