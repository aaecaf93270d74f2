//! `apps`: from written blocks to expanded parts.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scalars::good_id;
use super::top::not_yet;
use super::each::Which;
use super::expand::{KindFacts, Stage};
use super::node::{Entry, Node};
use super::options::Written;
use super::resources::Pending;
use super::roles::On;
use super::shape::{check, coerce};
use super::world::{AppName, AppOut, Instances, Own, Place, Where, World};
use crate::address::Address;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::error::Error;
use crate::role::{Component, ComponentOut, Parts};
use crate::stack::{AppInfo, CheckDecl, Origin, Stack};
use crate::value::{Map, Path, Segment, Value};

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
    ("description", "What it is for, for people."),
];

/// Keys of apps that are not implemented unless a kind takes them itself.
pub(super) const LATER: &[&str] = &[
    "labels",
    "notify",
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
    which: Which,
    /// `each` by key, once expanded.
    each: super::each::Each,
}

impl RawApp {
    /// The place of a field of the long form: its own, or that of the shorthand it came from (a key
    /// that the long form, `block`, has not).
    fn place_of(&self, path: &Path, key: bool, block: &Value) -> Span {
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

    /// The component of an app's kind, or of its template's.
    fn kind(&mut self, raw: &RawApp) -> Option<(Arc<dyn Component>, Arc<KindFacts>)> {
        let place = Place::new(Where::Body);
        if raw.node.entries().is_none() {
            let text = format!("an app is a map, not {}", raw.node.kind_name());
            let help = "write `kind` and what it takes".to_owned();
            let span = if raw.node.is_null() {
                raw.span
            } else {
                raw.node.span
            };
            self.error(codes::WRONG_TYPE, span, &place, text, Some(help));
            return None;
        }
        let (kind, span) = match (raw.node.get("kind"), raw.node.get("template")) {
            (Some(node), _) => (node.as_text().cloned().unwrap_or_default(), node.span),
            (None, Some(node)) => {
                let name = node.as_text().cloned().unwrap_or_default();
                match self.request.templates.get(&*name) {
                    Some(kind) => (Arc::from(kind.as_str()), node.span),
                    None => {
                        let known = self.request.templates.keys().map(String::as_str);
                        let help = self.report.suggest(&name, known);
                        let text = format!("there is no template `{name}`");
                        self.error(codes::UNKNOWN_KIND, node.span, &place, text, help);
                        return None;
                    }
                }
            }
            (None, None) => {
                let known: Vec<&str> = self.request.registry.component_kinds().collect();
                let help = format!("add `kind:`; there is {}", super::shape::list_some(&known));
                let text = format!("`kind` is missing in the app `{}`", raw.key);
                self.error(codes::MISSING_FIELD, raw.span, &place, text, Some(help));
                return None;
            }
        };
        match self.request.registry.component(&kind) {
            Some(component) => {
                let facts = self.kind_facts(component);
                Some((component.clone(), facts))
            }
            None if KINDS.contains(&&*kind) => {
                let known: Vec<&str> = self.request.registry.component_kinds().collect();
                let help = format!("there is {}", super::shape::list_some(&known));
                let text = format!("the kind `{kind}` is not implemented yet");
                self.error(codes::NOT_YET, span, &place, text, Some(help));
                None
            }
            None => {
                let registry = self.request.registry;
                let help = self.report.suggest(
                    &kind,
                    registry.component_kinds().chain(KINDS.iter().copied()),
                );
                let text = format!("there is no kind `{kind}`");
                self.error(codes::UNKNOWN_KIND, span, &place, text, help);
                None
            }
        }
    }

    fn kind_facts(&mut self, component: &Arc<dyn Component>) -> Arc<KindFacts> {
        if let Some(facts) = self.kinds.get(component.kind()) {
            return facts.clone();
        }
        let facts = Arc::new(KindFacts::new(&component.schema()));
        self.kinds.insert(component.kind().into(), facts.clone());
        facts
    }

    #[expect(clippy::too_many_arguments, reason = "the pieces of one expansion")]
    fn expand_one(
        &mut self,
        raw: &RawApp,
        component: &Arc<dyn Component>,
        facts: &KindFacts,
        place: &Place<'_>,
        defaults: &On,
        stack: &mut Stack,
        pending: &mut Vec<Pending>,
    ) -> Option<AppOut> {
        let address = place.address?;
        let errors = self.report.errors();
        let mut written = Written::default();
        let mut block = Map::new();
        let mut own: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut on = On::default();
        for entry in raw.node.entries().into_iter().flatten() {
            let key = &*entry.key;
            let takes = facts.schema.declares(0, key, 0);
            if key == "on" {
                on = self.read_on(&entry.value, place);
            } else if takes {
                let value = self.lower_field(entry, &facts.schema, place);
                block.insert(entry.key.clone(), value);
            } else if COMMON.iter().any(|row| row.0 == key) {
                self.option(entry, &mut written, place);
            } else if key.starts_with("x-") {
            } else if self.request.registry.provider(key).is_some() {
                let value = self.own_block(entry, place);
                own.insert(entry.key.clone(), value);
            } else if LATER.contains(&key) {
                not_yet(key, entry.key_span, &mut self.report);
            } else {
                let value = self.lower_field(entry, &facts.schema, place);
                block.insert(entry.key.clone(), value);
            }
        }
        let block = component.normalise(Value::Map(Arc::new(block)));
        let block = coerce(&facts.schema, Some(0), &block);
        for problem in check(&facts.schema, &block) {
            let span = raw.place_of(&problem.path, problem.key, &block);
            let mut problem = problem;
            if problem.code == codes::UNKNOWN_FIELD && problem.path.segments().len() == 1 {
                self.unknown_app_key(&mut problem, facts);
            }
            self.problem(problem, span, place);
        }
        if self.report.errors() > errors {
            return None;
        }
        let options = Arc::new(written.options.clone());
        let origin = Origin {
            span: raw.span,
            fields: Arc::default(),
        };
        let parts = Parts::new(address.clone(), "".into(), options, Some(origin));
        let mut stage = Stage::new(self, facts, on.or(defaults), own, parts);
        let result = component.expand(&block, &mut stage);
        let (parts, choices) = stage.done();
        match result {
            Ok(out) => {
                stack.choices.extend(choices);
                self.place_parts(
                    raw,
                    component.kind(),
                    parts,
                    out,
                    &written,
                    place,
                    stack,
                    pending,
                )
            }
            Err(error) => {
                self.expansion_error(&error, raw, place);
                None
            }
        }
    }

    /// A better suggestion for an unknown key of an app: the common keys are known too.
    fn unknown_app_key(&mut self, problem: &mut super::shape::Problem, facts: &KindFacts) {
        let key = problem.path.to_string();
        let mut known = Vec::new();
        facts.schema.keys(0, 0, &mut known);
        known.extend(facts.shorthands.iter().map(String::as_str));
        known.extend(COMMON.iter().map(|row| row.0));
        problem.help = self.report.suggest(&key, known);
    }

    /// Puts what an expansion made into the stack.
    #[expect(clippy::too_many_arguments, reason = "the pieces of one expansion")]
    fn place_parts(
        &mut self,
        raw: &RawApp,
        kind: &str,
        parts: Parts,
        out: ComponentOut,
        written: &Written,
        place: &Place<'_>,
        stack: &mut Stack,
        pending: &mut Vec<Pending>,
    ) -> Option<AppOut> {
        let address = place.address?;
        let mut known = AppOut {
            outputs: out.outputs,
            url: out.url.clone(),
            ..AppOut::default()
        };
        let prefix = format!("{address}.");
        for instance in parts.instances {
            stack.instances.insert(instance.name.clone(), instance);
        }
        for mut part in parts.resources {
            let name: Arc<str> = part
                .address
                .as_str()
                .strip_prefix(&prefix)
                .unwrap_or_default()
                .into();
            let Some(facts) = self.type_facts(&part.type_name) else {
                let text = format!(
                    "{} is of the type `{}`, which nobody provides",
                    part.address, part.type_name
                );
                self.error(codes::EXPANSION, raw.span, place, text, None);
                continue;
            };
            if part.instance.is_empty() {
                part.instance = facts.provider.clone();
            }
            if known.outputs.contains_key(&name) {
                let text = format!("{} has the name of an output of the app", part.address);
                self.error(codes::EXPANSION, raw.span, place, text, None);
            }
            if facts.sensitive {
                part.inputs = facts.info.fields.mark(&part.inputs);
            }
            known
                .parts
                .insert(name, (part.address.clone(), part.type_name.clone()));
            if written.pending() {
                pending.push((part.address.clone(), written.clone()));
            }
            if let Err(error) = stack.declare(part) {
                self.error(codes::TWICE, raw.span, place, error.message(), None);
            }
        }
        stack.checks.extend(parts.checks);
        stack.moved.extend(parts.moved);
        stack.apps.push(AppInfo {
            address: address.clone(),
            kind: kind.into(),
            version: out.version,
            url: out.url,
            logs: out.logs,
        });
        Some(known)
    }

    fn expansion_error(&mut self, error: &Error, raw: &RawApp, place: &Place<'_>) {
        let code = error.code_text().unwrap_or(codes::EXPANSION);
        let span = error
            .field_path()
            .map_or(raw.span, |path| raw.place_of(path, false, &Value::Null));
        let mut diagnostic = Diagnostic::error(code, error.message()).at(Some(span), "");
        diagnostic.address = place.address.cloned();
        diagnostic.path = error.field_path().cloned();
        diagnostic.causes.extend(error.causes().iter().cloned());
        diagnostic.help.extend(error.hint_text().map(str::to_owned));
        self.report.push(diagnostic);
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
