//! `when` and `for_each`: which objects there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Data, Node};
use super::world::{Instances, Place, Where, World, is_poison};
use crate::codes;
use crate::diagnostic::Span;
use crate::value::Value;

/// The objects of one declaration: `each.key` and `each.value` of every one.
pub(super) type Each = BTreeMap<Arc<str>, (Value, Value)>;

/// Which objects a declaration stands for.
pub(super) enum Which {
    /// None: it could not be found out, or `when` is false.
    None,
    /// One.
    One,
    /// One for each key.
    Each(Each),
}

impl World<'_> {
    /// Evaluates `when` and `for_each`.
    pub(super) fn which<T>(
        &mut self,
        when: Option<&Node>,
        for_each: Option<&Node>,
        make: &dyn Fn() -> T,
    ) -> (Which, Instances<T>) {
        match when.map(|node| self.when(node)) {
            Some(None) => return (Which::None, Instances::Failed),
            Some(Some(false)) => return (Which::None, Instances::Off),
            Some(Some(true)) | None => {}
        }
        let Some(node) = for_each else {
            return (Which::One, Instances::One(make()));
        };
        match self.for_each(node) {
            Some(each) => {
                let known = each.keys().map(|key| (key.clone(), make())).collect();
                (Which::Each(each), Instances::Many(known))
            }
            None => (Which::None, Instances::Failed),
        }
    }

    fn when(&mut self, node: &Node) -> Option<bool> {
        let value = self.lower(node, None, &Place::new(Where::Early));
        match value.reveal() {
            Value::Bool(flag) => Some(*flag),
            _ if is_poison(&value) => None,
            other if other.has_unknown() => {
                self.unknown("when", node.span);
                None
            }
            other => {
                let text = format!("`when` takes `true` or `false`, not {}", other.kind_name());
                let help = match other.as_str() {
                    Some("yes" | "on") => "write `true`",
                    Some("no" | "off") => "write `false`",
                    _ => "write `${vars.x}` or `${vars.x == \"y\"}`",
                };
                self.report
                    .error(codes::WRONG_TYPE, node.span, text, Some(help.to_owned()));
                None
            }
        }
    }

    fn unknown(&mut self, field: &str, span: Span) {
        self.report.error(
            codes::NOT_KNOWN,
            span,
            format!("`{field}` must be known when planning"),
            Some(
                "use variables; what depends on results of an apply belongs into a second stack"
                    .to_owned(),
            ),
        );
    }

    fn for_each(&mut self, node: &Node) -> Option<Each> {
        let value = self.lower(node, None, &Place::new(Where::Early));
        if is_poison(&value) {
            return None;
        }
        if value.has_secret() {
            let text = "`for_each` cannot be a secret: its keys stand in addresses";
            self.report.error(codes::NOT_KNOWN, node.span, text, None);
            return None;
        }
        let mut each = Each::new();
        match &value {
            Value::Map(map) => {
                for (key, item) in map.iter() {
                    let span = match &node.data {
                        Data::Map(_) => node.entry(key).map_or(node.span, |entry| entry.key_span),
                        _ => node.span,
                    };
                    if self.each_key(key, span) {
                        each.insert(key.clone(), (Value::Str(key.clone()), item.clone()));
                    }
                }
            }
            Value::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    let span = node
                        .items()
                        .and_then(|all| all.get(index))
                        .map_or(node.span, |at| at.span);
                    let key: Arc<str> = match item {
                        Value::Str(text) => text.clone(),
                        Value::Num(number) => number.as_str().into(),
                        other if other.has_unknown() => {
                            self.unknown("for_each", span);
                            continue;
                        }
                        other => {
                            let text = format!("`for_each` takes texts, not {}", other.kind_name());
                            let help = "write a map when each has values of its own".to_owned();
                            self.report.error(codes::EACH_KEY, span, text, Some(help));
                            continue;
                        }
                    };
                    if !self.each_key(&key, span) {
                        continue;
                    }
                    let text = Value::Str(key.clone());
                    if each.insert(key.clone(), (text.clone(), text)).is_some() {
                        let text = format!("`for_each` has `{key}` twice");
                        self.report.error(codes::EACH_KEY, span, text, None);
                    }
                }
            }
            other if other.has_unknown() => self.unknown("for_each", node.span),
            other => {
                let text = format!(
                    "`for_each` takes a list or a map, not {}",
                    other.kind_name()
                );
                let help = "write `[a, b]` or `{a: 1, b: 2}`".to_owned();
                self.report
                    .error(codes::WRONG_TYPE, node.span, text, Some(help));
                return None;
            }
        }
        if value.has_unknown() && matches!(value, Value::Expr(_)) {
            return None;
        }
        Some(each)
    }

    fn each_key(&mut self, key: &str, span: Span) -> bool {
        let good = !key.is_empty()
            && key.len() <= 200
            && !key.contains(['"', '\\', ']'])
            && !key.chars().any(char::is_control);
        if !good {
            let text = format!("`{}` cannot be a key in an address", key.escape_debug());
            let help = "a key has no `\"`, `\\`, `]` or line breaks".to_owned();
            self.report.error(codes::EACH_KEY, span, text, Some(help));
        }
        good
    }
}
