//! Where mistakes are collected.

use crate::diagnostic::{Diagnostic, Span, did_you_mean};

/// How many names may be compared for suggestions in one load, so that a file full of mistakes
/// stays linear.
const SUGGESTIONS: usize = 4_000_000;
/// How many mistakes are kept.
const MOST: usize = 1_000;

/// The mistakes of a load.
#[derive(Debug)]
pub(super) struct Report {
    /// In the order found.
    pub(super) items: Vec<Diagnostic>,
    compared: usize,
    left_out: usize,
    errors: usize,
}

impl Report {
    pub(super) fn new() -> Report {
        Report {
            items: Vec::new(),
            compared: 0,
            left_out: 0,
            errors: 0,
        }
    }

    /// Adds one.
    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        if diagnostic.severity == crate::diagnostic::Severity::Error {
            self.errors += 1;
        }
        if self.items.len() < MOST {
            self.items.push(diagnostic);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds an error with a place and, when there is one, advice.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        span: Span,
        text: impl Into<String>,
        help: Option<String>,
    ) {
        let mut diagnostic = Diagnostic::error(code, text).at(Some(span), "");
        diagnostic.help.extend(help);
        self.push(diagnostic);
    }

    /// How many errors there are so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// "did you mean" for a name, or the names there are.
    pub(super) fn suggest<'a>(
        &mut self,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Option<String> {
        if self.items.len() >= MOST {
            return None;
        }
        let room = SUGGESTIONS.saturating_sub(self.compared);
        let known: Vec<&str> = known.into_iter().take(room).collect();
        self.compared += known.len();
        if let Some(near) = did_you_mean(name, known.iter().copied()) {
            return Some(format!("did you mean `{near}`?"));
        }
        let mut known = known;
        if known.is_empty() || known.len() > 24 {
            return None;
        }
        known.sort_unstable();
        known.dedup();
        Some(format!("there is {}", super::shape::list_some(&known)))
    }

    /// Everything found, in the order of the places; how many were left out is said last.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.items.sort_by_key(|item| {
            item.labels
                .first()
                .map_or(u32::MAX, |label| label.span.start)
        });
        self.items.dedup();
        if self.left_out > 0 {
            self.items.push(Diagnostic::error(
                crate::codes::SYNTAX,
                format!("{} more mistakes are not shown", self.left_out),
            ));
        }
        self.items
    }
}
