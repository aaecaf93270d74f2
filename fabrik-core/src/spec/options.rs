//! How a resource or app is treated: `protect`, `depends_on`, `timeout` and the like.

use std::sync::Arc;

use super::duration;
use super::node::Entry;
use super::scalars::flag;
use super::targets::Named;
use super::world::{Place, World};
use crate::codes;
use crate::stack::{OnDrift, Options};
use crate::value::Path;

/// Keys of a resource that say how it is treated, with what they are.
pub(super) const KEYS: &[(&str, &str)] = &[
    (
        "depends_on",
        "What it comes after, besides what it refers to.",
    ),
    ("protect", "Deleting or replacing it is refused."),
    (
        "retain",
        "When it leaves the spec it is forgotten, not deleted.",
    ),
    (
        "adopt",
        "An existing object of the same name is taken over.",
    ),
    ("import", "The id of an existing object that is taken over."),
    (
        "ignore_changes",
        "Fields whose differences are not acted on.",
    ),
    (
        "on_drift",
        "What to do when the service's object was changed: `restore`, `keep` or `stop`.",
    ),
    ("replace_with", "It is replaced when one of these is."),
    ("create_before_delete", "Order of a replacement."),
    ("timeout", "Budget of one operation."),
    (
        "run_when_changed",
        "For actions: run again when one of these changes.",
    ),
];

/// Options as written, with the addresses still to be found.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) options: Options,
    pub(super) depends_on: Vec<Named>,
    pub(super) replace_with: Vec<Named>,
    pub(super) run_when_changed: Vec<Named>,
    /// Any of them is written.
    pub(super) any: bool,
}

impl World<'_> {
    /// Takes an option; `false` when the key is none.
    pub(super) fn option(
        &mut self,
        entry: &Entry,
        written: &mut Written,
        place: &Place<'_>,
    ) -> bool {
        let node = &entry.value;
        let key = &*entry.key;
        if !KEYS.iter().any(|row| row.0 == key) {
            return false;
        }
        written.any = true;
        if node.is_null() {
            return true;
        }
        let options = &mut written.options;
        match key {
            "depends_on" => written.depends_on = self.names(node, key),
            "replace_with" => written.replace_with = self.names(node, key),
            "run_when_changed" => written.run_when_changed = self.names(node, key),
            "protect" => options.protect = flag(node, key, &mut self.report),
            "retain" => options.retain = flag(node, key, &mut self.report),
            "adopt" => options.adopt = flag(node, key, &mut self.report),
            "create_before_delete" => {
                options.create_before_delete = Some(flag(node, key, &mut self.report));
            }
            "import" => {
                let value = self.lower(node, None, place);
                match value
                    .as_str()
                    .map(str::to_owned)
                    .or_else(|| node.as_text().map(ToString::to_string))
                {
                    Some(id) if !value.has_unknown() => options.import = Some(id),
                    _ if super::world::is_poison(&value) => {}
                    _ => {
                        let text = "`import` is the id of an existing object, known when planning";
                        self.error(codes::WRONG_TYPE, node.span, place, text, None);
                    }
                }
            }
            "ignore_changes" => {
                let items = node
                    .items()
                    .map_or_else(|| vec![node], |items| items.iter().collect());
                for item in items {
                    match item.as_text() {
                        Some(text) => options.ignore_changes.push(Path::parse(text)),
                        None => {
                            let text =
                                format!("`{key}` takes names of fields, not {}", item.kind_name());
                            self.error(codes::WRONG_TYPE, item.span, place, text, None);
                        }
                    }
                }
            }
            "on_drift" => match node.as_text().map(AsRef::as_ref) {
                Some("restore") => options.on_drift = Some(OnDrift::Restore),
                Some("keep") => options.on_drift = Some(OnDrift::Keep),
                Some("stop") => options.on_drift = Some(OnDrift::Stop),
                other => {
                    let found = other.unwrap_or_else(|| node.kind_name());
                    let help = self.report.suggest(found, ["restore", "keep", "stop"]);
                    let text = format!("`on_drift` cannot be `{found}`");
                    self.error(codes::NOT_ALLOWED, node.span, place, text, help);
                }
            },
            _ => options.timeout = duration::read(node, key, &mut self.report),
        }
        true
    }
}

impl Written {
    /// The options, shared when there are none.
    pub(super) fn shared(&self, none: &Arc<Options>) -> Arc<Options> {
        if self.any {
            Arc::new(self.options.clone())
        } else {
            none.clone()
        }
    }

    /// Whether addresses are still to be found.
    pub(super) fn pending(&self) -> bool {
        !(self.depends_on.is_empty()
            && self.replace_with.is_empty()
            && self.run_when_changed.is_empty())
    }
}
