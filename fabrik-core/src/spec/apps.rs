//! `apps`: from written blocks to expanded parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::each::Which;
use super::node::{Entry, Node};
use super::resources::Pending;
use super::roles::On;
use super::scalars::good_id;
use super::world::{AppName, AppOut, Instances, Own, Place, Where, World};
use crate::address::Address;
use crate::codes;
use crate::diagnostic::Span;
use crate::stack::{CheckDecl, Stack};
use crate::value::{Path, Segment, Value};

/// Keys every app may have, handled here, with what they are.
pub(super) const COMMON: &[(&str, &str)] = &[
    ("kind", "What it is: `service`, `static`, …"),
    (
        "template",
        "The template it was made from; decides the kind.",
    ),
    ("for_each", "One for each item of a list or entry of a map."),
    ("when", "Whether it is there."),
    ("on", "Who plays which role for it, and where."),
    (
        "depends_on",
        "What it comes after, besides what it refers to.",
    ),
    ("protect", "Deleting or replacing any part is refused."),
    (
        "retain",
        "Parts that leave the spec are forgotten, not deleted.",
    ),
    (
        "adopt",
        "Existing objects of the same names are taken over.",
    ),
    (
        "on_drift",
        "What to do when a part was changed: `restore`, `keep` or `stop`.",
    ),
    ("timeout", "Budget of one operation."),
    ("verify", "Checks made after every apply."),
    (
        "notify",
        "Channels of `notify` that are told about this app.",
    ),
    ("description", "What it is for, for people."),
];

/// Keys of apps that are not implemented unless a kind takes them itself.
pub(super) const LATER: &[&str] = &[
    "labels",
    "on_failure",
    "hooks",
    "backup",
    "strategy",
    "stop",
];

/// Kinds that are planned; others are misspelt.
pub(super) const KINDS: &[&str] = &[
    "service",
    "worker",
    "cron",
    "static",
    "database",
    "wordpress",
];

/// An app as written.
pub(super) struct RawApp {
    pub(super) key: Arc<str>,
    pub(super) span: Span,
    pub(super) node: Node,
    verify: Option<Entry>,
    pub(super) notify: Option<Entry>,
    which: Which,
    /// `each` by key, once expanded.
    each: super::each::Each,
}

impl RawApp {
    /// The place of a field of the long form: its own, or that of the shorthand it came from (a key
    /// that the long form, `block`, has not).
    pub(super) fn place_of(&self, path: &Path, key: bool, block: &Value) -> Span {
        let Some(Segment::Key(first)) = path.segments().first() else {
            return self.span;
        };
        if self.node.get(first).is_some() {
            return self.node.locate(path, key);
        }
        let short = self.node.entries().into_iter().flatten().find(|entry| {
            let alike = first.starts_with(&*entry.key) || entry.key.starts_with(&**first);
            alike && block.get(&entry.key).is_none()
        });
        short.map_or(self.span, |entry| entry.value.span)
    }
}

impl World<'_> {
    /// Makes every app known to references.
    pub(super) fn declare_apps(&mut self, entries: Vec<Entry>) -> Vec<RawApp> {
        let mut raws = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.key.starts_with("x-") {
                continue;
            }
            if !good_id(&entry.key, entry.key_span, "an app", &mut self.report) {
                continue;
            }
            let Ok(address) = Address::parse(&format!("apps.{}", entry.key)) else {
                continue;
            };
            let mut node = entry.value;
            let verify = node.take("verify");
            let notify = node.take("notify");
            let name = AppName {
                address,
                state: Instances::Later,
            };
            self.apps.insert(entry.key.clone(), name);
            raws.push(RawApp {
                key: entry.key,
                span: entry.key_span,
                node,
                verify,
                notify,
                which: Which::None,
                each: super::each::Each::new(),
            });
        }
        raws
    }

    /// Evaluates `when` and `for_each` of every app.
    pub(super) fn index_apps(&mut self, raws: &mut [RawApp]) {
        for raw in raws {
            let (which, state) =
                self.which(raw.node.get("when"), raw.node.get("for_each"), &|| None);
            raw.which = which;
            if let Some(known) = self.apps.get_mut(&raw.key) {
                known.state = state;
            }
        }
    }

    /// Expands an app into the stack.
    pub(super) fn expand_app(
        &mut self,
        raw: &mut RawApp,
        defaults: &On,
        stack: &mut Stack,
        pending: &mut Vec<Pending>,
    ) {
        let which = std::mem::replace(&mut raw.which, Which::None);
        let kind = self.kind(raw);
        let Some(base) = self.apps.get(&raw.key).map(|known| known.address.clone()) else {
            return;
        };
        let mut one = |world: &mut Self, address: &Address, each: Option<&(Value, Value)>| {
            let out = kind.as_ref().and_then(|(component, facts)| {
                let place = Place {
                    each,
                    address: Some(address),
                    ..Place::new(Where::Body)
                };
                world.expand_one(raw, component, facts, &place, defaults, stack, pending)
            });
            Arc::new(out.unwrap_or(AppOut {
                failed: true,
                ..AppOut::default()
            }))
        };
        let mut kept = super::each::Each::new();
        let state = match which {
            Which::None => return,
            Which::One => Instances::One(Some(one(self, &base, None))),
            Which::Each(each) => {
                let mut outs = BTreeMap::new();
                let size = super::budget::copies(raw.node.count(), each.len());
                let mut broken = !self.charge(size);
                if broken {
                    let text = "this `for_each` makes more than fits in a stack";
                    self.report.error(codes::EVALUATION, raw.span, text, None);
                }
                for (key, pair) in &each {
                    let Ok(address) = base.with_key(key) else {
                        continue;
                    };
                    // The same mistakes for every key help nobody.
                    let out = if broken {
                        Arc::new(AppOut {
                            failed: true,
                            ..AppOut::default()
                        })
                    } else {
                        one(self, &address, Some(pair))
                    };
                    broken |= out.failed;
                    outs.insert(key.clone(), Some(out));
                }
                kept = each;
                Instances::Many(outs)
            }
        };
        raw.each = kept;
        if let Some(known) = self.apps.get_mut(&raw.key) {
            known.state = state;
        }
    }

    /// Reads the checks of an app, when everything is expanded.
    pub(super) fn read_app_checks(&mut self, raw: &RawApp, stack: &mut Stack) {
        let Some(verify) = &raw.verify else { return };
        let Some(known) = self.apps.get(&raw.key) else {
            return;
        };
        let base = known.address.clone();
        let outs: Vec<(Address, Arc<AppOut>, Option<Arc<str>>)> = match &known.state {
            Instances::One(Some(out)) => vec![(base, out.clone(), None)],
            Instances::Many(all) => all
                .iter()
                .filter_map(|(key, out)| {
                    Some((base.with_key(key).ok()?, out.clone()?, Some(key.clone())))
                })
                .collect(),
            _ => return,
        };
        for (address, out, key) in outs {
            if out.failed {
                continue;
            }
            let errors = self.report.errors();
            let each = key.and_then(|key| raw.each.get(&key));
            let place = Place {
                own: Own::App(&out),
                each,
                address: Some(&address),
                ..Place::new(Where::Verify)
            };
            let url = Some(&out.url).filter(|url| !url.is_null());
            let checks = self.read_checks(&verify.value, address.as_str(), url, &place);
            let concerns: Vec<Address> = out.parts.values().map(|part| part.0.clone()).collect();
            stack
                .checks
                .extend(checks.into_iter().map(|check| CheckDecl {
                    concerns: concerns.clone(),
                    ..check
                }));
            if self.report.errors() > errors {
                break;
            }
        }
    }
}
