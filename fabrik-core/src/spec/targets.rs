//! Addresses a spec names: in `depends_on`, `replace_with`, `run_when_changed`, `moved`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::Node;
use super::world::World;
use crate::address::Address;
use crate::codes;
use crate::diagnostic::Span;
use crate::stack::{Declared, Moved};

/// An address a spec names, to be found when everything is expanded.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// As written.
    pub(super) text: Arc<str>,
    /// Where.
    pub(super) span: Span,
}

impl World<'_> {
    /// Reads one name or a list of names.
    pub(super) fn names(&mut self, node: &Node, field: &str) -> Vec<Named> {
        let items = match node.items() {
            Some(items) => items.iter().collect(),
            None => vec![node],
        };
        let mut names = Vec::with_capacity(items.len());
        for item in items {
            match item.as_text() {
                Some(text) => names.push(Named {
                    text: unwrapped(text),
                    span: item.span,
                }),
                None => self.report.error(
                    codes::ADDRESS,
                    item.span,
                    format!(
                        "`{field}` names resources and apps, not {}",
                        item.kind_name()
                    ),
                    Some("write `[resources.ID, apps.KEY]`".to_owned()),
                ),
            }
        }
        names
    }

    /// Every resource a name stands for: a resource, all of a `for_each`, all parts of an app, one
    /// part.
    pub(super) fn find(
        &mut self,
        named: &Named,
        resources: &BTreeMap<Address, Declared>,
    ) -> Vec<Address> {
        let full: Arc<str> =
            if named.text.starts_with("resources.") || named.text.starts_with("apps.") {
                named.text.clone()
            } else {
                format!("resources.{}", named.text).into()
            };
        if let Ok(address) = Address::parse(&full) {
            if resources.contains_key(&address) {
                return vec![address];
            }
            let found: Vec<Address> = below(&address, resources).cloned().collect();
            if !found.is_empty() || self.is_off(&full) {
                return found;
            }
        }
        let wanted = named.text.strip_prefix("resources.").unwrap_or(&named.text);
        let text = format!("there is no resource or app `{}`", named.text);
        if self.report.errors() > 1_000 {
            self.report.error(codes::ADDRESS, named.span, text, None);
            return Vec::new();
        }
        let apps: Vec<String> = self.apps.keys().map(|key| format!("apps.{key}")).collect();
        let known = self
            .resources
            .keys()
            .map(AsRef::as_ref)
            .chain(apps.iter().map(String::as_str));
        let help = self.report.suggest(wanted, known);
        self.report.error(codes::ADDRESS, named.span, text, help);
        Vec::new()
    }

    /// Whether the name is of something that has no resources now: switched off, an empty
    /// `for_each`, or failed before.
    fn is_off(&self, full: &str) -> bool {
        use super::world::Instances;
        let mut parts = full.splitn(2, '.');
        let (root, rest) = (parts.next(), parts.next().unwrap_or_default());
        let id = rest.split(['.', '[']).next().unwrap_or_default();
        let alone = id.len() == rest.len();
        match root {
            Some("apps") => self.apps.get(id).is_some_and(|app| match &app.state {
                Instances::Off | Instances::Failed | Instances::Later => true,
                Instances::One(out) => out.as_ref().is_none_or(|out| out.failed || alone),
                Instances::Many(outs) => {
                    alone
                        || outs
                            .values()
                            .any(|out| out.as_ref().is_none_or(|out| out.failed))
                }
            }),
            _ => self
                .resources
                .get(id)
                .is_some_and(|known| match &known.state {
                    Instances::Off | Instances::Failed | Instances::Later => true,
                    Instances::One(()) => false,
                    Instances::Many(_) => alone,
                }),
        }
    }

    /// Reads `moved`.
    pub(super) fn read_moved(
        &mut self,
        node: &Node,
        resources: &BTreeMap<Address, Declared>,
    ) -> Vec<Moved> {
        let Some(items) = node.items() else {
            let text = format!("`moved` takes a list, not {}", node.kind_name());
            let help = "write `- { from: apps.OLD, to: apps.NEW }`".to_owned();
            self.report
                .error(codes::WRONG_TYPE, node.span, text, Some(help));
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| self.one_moved(item, resources))
            .collect()
    }

    fn one_moved(&mut self, item: &Node, resources: &BTreeMap<Address, Declared>) -> Option<Moved> {
        for entry in item.entries().into_iter().flatten() {
            if !["from", "to"].contains(&&*entry.key) && !entry.key.starts_with("x-") {
                let help = self.report.suggest(&entry.key, ["from", "to"]);
                let text = format!("unknown field `{}`", entry.key);
                self.report
                    .error(codes::UNKNOWN_FIELD, entry.key_span, text, help);
            }
        }
        let (Some(from), Some(to)) = (item.get("from"), item.get("to")) else {
            let text = "a move has `from` and `to`";
            let help = "write `{ from: apps.OLD, to: apps.NEW }`".to_owned();
            self.report
                .error(codes::MISSING_FIELD, item.head(), text, Some(help));
            return None;
        };
        let from_address = self.address(from)?;
        let to_address = self.address(to)?;
        if below(&from_address, resources).next().is_some() {
            self.report.error(
                codes::MOVED,
                from.span,
                format!("{from_address} is still declared, so nothing can have moved away from it"),
                Some("remove one of the two".to_owned()),
            );
        } else if below(&to_address, resources).next().is_none()
            && !self.is_off(to_address.as_str())
        {
            self.report.error(
                codes::MOVED,
                to.span,
                format!("{to_address} is not declared, so nothing can have moved to it"),
                None,
            );
        }
        Some(Moved {
            from: from_address.to_string(),
            to: to_address.to_string(),
        })
    }

    /// Reads an address in full.
    pub(super) fn address(&mut self, node: &Node) -> Option<Address> {
        let text = node.as_text().map(unwrapped).unwrap_or_default();
        let good = Address::parse(&text)
            .ok()
            .filter(|_| text.starts_with("apps.") || text.starts_with("resources."));
        if good.is_none() {
            self.report.error(
                codes::ADDRESS,
                node.span,
                format!("`{text}` is not an address"),
                Some(
                    "an address looks like `resources.ID`, `resources.ID[\"key\"]`, `apps.KEY` or \
                     `apps.KEY.PART`"
                        .to_owned(),
                ),
            );
        }
        good
    }
}

/// `${x}` means `x` here.
fn unwrapped(text: &Arc<str>) -> Arc<str> {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .map_or_else(|| text.clone(), |inner| inner.trim().into())
}

/// The resources at or below an address.
pub(super) fn below<'r>(
    address: &Address,
    resources: &'r BTreeMap<Address, Declared>,
) -> impl Iterator<Item = &'r Address> {
    let prefix = address.clone();
    let last = prefix.clone();
    resources
        .range(address.clone()..)
        .map(|(found, _)| found)
        .take_while(move |found| found.as_str().starts_with(prefix.as_str()))
        .filter(move |found| found.matches(last.as_str()))
}
