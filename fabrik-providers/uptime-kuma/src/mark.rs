//! Marks of operations: how a create whose answer was lost is found again.
//!
//! Monitors and maintenances keep it at the end of their description, as a comment that Markdown
//! hides; notifications keep it in their stored configuration. Names are not unique in Uptime Kuma,
//! so nothing else tells what is ours.

use fabrik_core::provider::OpId;

const START: &str = "<!-- fabrik:";
const END: &str = " -->";

/// The key of the mark in a notification's configuration.
pub(crate) const KEY: &str = "fabrikOperation";

/// A description with a mark.
pub(crate) fn put(description: Option<&str>, op: &str) -> String {
    match description.filter(|text| !text.is_empty()) {
        Some(text) => format!("{text}\n{START}{op}{END}"),
        None => format!("{START}{op}{END}"),
    }
}

/// A description without its mark, and the mark.
pub(crate) fn take(description: Option<&str>) -> (Option<&str>, Option<&str>) {
    let Some(text) = description else {
        return (None, None);
    };
    let Some((before, rest)) = text.rsplit_once(START) else {
        return (Some(text).filter(|text| !text.is_empty()), None);
    };
    match rest.strip_suffix(END) {
        Some(op) if op.len() == 32 && op.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            let before = before.strip_suffix('\n').unwrap_or(before);
            (Some(before).filter(|text| !text.is_empty()), Some(op))
        }
        _ => (Some(text), None),
    }
}

/// Whether a description carries the mark of an operation.
pub(crate) fn is_of(description: Option<&str>, op: OpId) -> bool {
    take(description).1 == Some(op.to_string().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_comes_back_and_leaves_the_text_as_it_was() {
        let op = OpId(7).to_string();
        for text in [
            None,
            Some("watch it"),
            Some("two\nlines"),
            Some("ends\n"),
            Some("<!-- own -->"),
        ] {
            let marked = put(text, &op);
            assert_eq!(take(Some(&marked)), (text, Some(op.as_str())), "{marked}");
            assert!(is_of(Some(&marked), OpId(7)));
            assert!(!is_of(Some(&marked), OpId(8)));
        }
        assert_eq!(
            take(Some("<!-- fabrik:me -->")),
            (Some("<!-- fabrik:me -->"), None)
        );
        assert_eq!(take(Some("")), (None, None));
    }
}
