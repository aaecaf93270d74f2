//! Durations as written in a spec.

use std::time::Duration;

use super::node::Node;
use super::report::Report;
use crate::codes;

/// Reads `30s`, `5m`, `1h30m`, `500ms`, or seconds as a bare number.
pub(super) fn read(node: &Node, name: &str, report: &mut Report) -> Option<Duration> {
    let text = node.as_text().cloned().unwrap_or_default();
    let duration = crate::verify::parse_duration(&text).filter(|_| !text.is_empty());
    if duration.is_none() {
        let found = if text.is_empty() {
            node.kind_name()
        } else {
            &text
        };
        report.error(
            codes::DURATION,
            node.span,
            format!("`{name}` is a duration, not `{found}`"),
            Some("write it like `30s`, `5m` or `1h30m`".to_owned()),
        );
    }
    duration
}
