//! Laying one text over another: JSON Merge Patch (RFC 7396) with places kept.

use std::collections::HashMap;
use std::sync::Arc;

use super::node::{Data, Entry, Node};

/// Lays `patch` over `base`: maps are merged deep, `~` deletes, anything else replaces.
pub(super) fn patch(base: Node, patch: Node) -> Node {
    match (base.data, patch.data) {
        (Data::Map(mut entries), Data::Map(changes)) => {
            merge_entries(&mut entries, changes, &mut self::patch);
            Node {
                span: base.span,
                data: Data::Map(entries),
            }
        }
        (_, Data::Map(changes)) => {
            let mut entries = Vec::new();
            merge_entries(&mut entries, changes, &mut self::patch);
            Node {
                span: patch.span,
                data: Data::Map(entries),
            }
        }
        (_, data) => Node {
            span: patch.span,
            data,
        },
    }
}

/// Lays changes over the entries of a map; `both` lays one value over another.
pub(super) fn merge_entries(
    entries: &mut Vec<Entry>,
    changes: Vec<Entry>,
    both: &mut dyn FnMut(Node, Node) -> Node,
) {
    let places: HashMap<Arc<str>, usize> = entries
        .iter()
        .enumerate()
        .map(|(at, entry)| (entry.key.clone(), at))
        .collect();
    let mut deleted = std::collections::HashSet::new();
    for change in changes {
        match places.get(&change.key) {
            Some(at) if change.value.is_null() => {
                deleted.insert(*at);
            }
            Some(at) => {
                let entry = &mut entries[*at];
                let span = entry.value.span;
                let old = std::mem::replace(&mut entry.value, Node::text(span, ""));
                entry.value = both(old, change.value);
            }
            None if change.value.is_null() => {}
            None => {
                let empty = Node::text(change.value.span, "");
                let value = match change.value.data {
                    Data::Map(_) => patch(empty, change.value),
                    _ => change.value,
                };
                entries.push(Entry { value, ..change });
            }
        }
    }
    if !deleted.is_empty() {
        let mut at = 0;
        entries.retain(|_| {
            at += 1;
            !deleted.contains(&(at - 1))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn as_the_rfc_says() {
        let read = |text: &str| parse(text, 0, &mut Vec::new()).unwrap();
        for (base, change, want) in [
            (
                "{a: {b: 1, c: 2}}",
                "{a: {b: ~, d: 3}}",
                "{\"a\": {\"c\": 2, \"d\": 3}}",
            ),
            ("{a: [1, 2]}", "{a: [3]}", "{\"a\": [3]}"),
            ("{a: 1}", "{a: {b: ~, c: 1}}", "{\"a\": {\"c\": 1}}"),
            ("{a: 1}", "{b: ~}", "{\"a\": 1}"),
        ] {
            let got = patch(read(base), read(change)).plain_value();
            assert_eq!(format!("{got:?}"), want);
        }
    }
}
