//! Durations as written in a spec.

use std::time::Duration;

use super::node::Node;
use super::report::Report;
use crate::codes;

/// Reads `30s`, `5m`, `1h30m`, `500ms`, or seconds as a bare number.
pub(super) fn read(node: &Node, name: &str, report: &mut Report) -> Option<Duration> {
    let text = node.as_text().cloned().unwrap_or_default();
    let duration = parse(&text);
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

fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return rest
            .parse()
            .ok()
            .filter(|n| *n < 1_000_000_000_000)
            .map(Duration::from_secs);
    }
    let mut millis: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let factor = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        millis = millis.checked_add(number.checked_mul(factor)?)?;
        rest = &rest[end..];
    }
    Some(Duration::from_millis(millis))
}
