//! Scalars that mean one thing wherever they stand: ids, flags, policies.

use std::sync::Arc;

use super::node::{Node, ScalarKind};
use super::report::Report;
use crate::address::is_id;
use crate::codes;
use crate::diagnostic::Span;
use crate::stack::OnFailure;

/// Reads a scalar as an id.
pub(super) fn id(node: &Node, of: &str, report: &mut Report) -> Option<Arc<str>> {
    let text = node.as_text().cloned().unwrap_or_default();
    good_id(&text, node.span, of, report).then_some(text)
}

/// Whether a text is an id; says so when not.
pub(super) fn good_id(text: &str, span: Span, of: &str, report: &mut Report) -> bool {
    let good = is_id(text);
    if !good {
        let shown = if text.chars().count() > 40 {
            "…"
        } else {
            text
        };
        report.error(
            codes::BAD_ID,
            span,
            format!("`{shown}` cannot be the id of {of}"),
            Some("an id is letters, digits, `_` and `-`, at most 100 of them".to_owned()),
        );
    }
    good
}

/// Reads `on_failure`.
pub(super) fn policy(node: &Node, report: &mut Report) -> OnFailure {
    match node.as_text().map(AsRef::as_ref) {
        Some("rollback") => OnFailure::Rollback,
        Some("keep") => OnFailure::Keep,
        Some("ask") => OnFailure::Ask,
        other => {
            let help = report.suggest(other.unwrap_or_default(), ["rollback", "keep", "ask"]);
            let found = other.unwrap_or_else(|| node.kind_name());
            let text = format!("`on_failure` cannot be `{found}`");
            report.error(codes::NOT_ALLOWED, node.span, text, help);
            OnFailure::default()
        }
    }
}

/// Reads `true` or `false`.
pub(super) fn flag(node: &Node, name: &str, report: &mut Report) -> bool {
    if let Some(scalar) = node.scalar()
        && scalar.kind == ScalarKind::Bool
    {
        return scalar.text.starts_with(['t', 'T']);
    }
    let found = node
        .as_text()
        .map_or_else(|| node.kind_name().to_owned(), |text| format!("`{text}`"));
    let help = match node.as_text().map(AsRef::as_ref) {
        Some("yes" | "on" | "y") => "write `true`",
        Some("no" | "off" | "n") => "write `false`",
        _ => "write `true` or `false`",
    };
    let text = format!("`{name}` takes `true` or `false`, not {found}");
    report.error(codes::WRONG_TYPE, node.span, text, Some(help.to_owned()));
    false
}
