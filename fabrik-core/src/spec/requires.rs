//! `requires: ">=0.3, <2"`: which versions of Fabrik a spec works with.

use std::cmp::Ordering;

use super::node::Node;
use super::report::Report;
use crate::codes;

/// Checks the running version against the requirement.
pub(super) fn check(node: &Node, version: &str, report: &mut Report) {
    let text = node.as_text().cloned().unwrap_or_default();
    match satisfied(&text, version) {
        Some(true) => {}
        Some(false) => report.error(
            codes::REQUIRES,
            node.span,
            format!("this spec requires Fabrik {text}; this is {version}"),
            Some("update Fabrik, or change `requires`".to_owned()),
        ),
        None => report.error(
            codes::REQUIRES,
            node.span,
            "`requires` is not a version requirement",
            Some("write it like `\">=0.3\"` or `\">=0.3, <2\"`".to_owned()),
        ),
    }
}

fn satisfied(requirement: &str, version: &str) -> Option<bool> {
    let version = parts(version.split(['-', '+']).next()?)?;
    let mut all = true;
    for clause in requirement.split(',') {
        let clause = clause.trim();
        let at = clause.find(|c: char| c.is_ascii_digit())?;
        let wanted = parts(clause[at..].trim())?;
        let order = version.cmp(&wanted);
        all &= match clause[..at].trim() {
            ">=" | "" => order != Ordering::Less,
            ">" => order == Ordering::Greater,
            "<=" => order != Ordering::Greater,
            "<" => order == Ordering::Less,
            "=" => order == Ordering::Equal,
            _ => return None,
        };
    }
    Some(all)
}

fn parts(text: &str) -> Option<[u32; 3]> {
    let mut parts = [0; 3];
    let mut given = text.split('.');
    for part in &mut parts {
        match given.next() {
            Some(digits) => *part = digits.parse().ok()?,
            None => break,
        }
    }
    given.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements() {
        for (requirement, want) in [
            (">=0.3", Some(true)),
            (">= 0.3, <2", Some(true)),
            ("0.3", Some(true)),
            (">0.3.1", Some(false)),
            ("=0.3.1", Some(true)),
            ("<0.3", Some(false)),
            ("~1", None),
            ("", None),
            (">=x", None),
        ] {
            assert_eq!(satisfied(requirement, "0.3.1-dev"), want, "{requirement}");
        }
    }
}
