//! One app's block: read, checked, expanded, and its parts put into the stack.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::apps::{COMMON, LATER, RawApp};
use super::expand::{KindFacts, Made, Stage};
use super::node::{Data, Entry, Node};
use super::options::Written;
use super::resources::Pending;
use super::roles::On;
use super::secrets::{SOURCES, plain};
use super::shape::{Schema, check, coerce};
use super::top::not_yet;
use super::world::{AppOut, Place, World};
use crate::codes;
use crate::diagnostic::{Diagnostic, Severity};
use crate::error::Error;
use crate::expr::Target;
use crate::role::{Component, ComponentOut, Parts};
use crate::stack::{AppInfo, Origin, Stack};
use crate::value::{Map, Value};

impl World<'_> {
    #[expect(clippy::too_many_arguments, reason = "the pieces of one expansion")]
    pub(super) fn expand_one(
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
                let value = self.lower_field(&without_sources(entry, facts), &facts.schema, place);
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
        let Made {
            parts,
            choices,
            notes,
        } = stage.done();
        for note in &notes {
            self.note(&note.error, note.severity, raw, place);
        }
        if result.is_ok() && self.report.errors() > errors {
            return None;
        }
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
                self.note(&error, Severity::Error, raw, place);
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
            self.declare_implied(&instance.config, raw);
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
            self.declare_implied(&part.inputs, raw);
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
        for mut check in parts.checks {
            check.name = self.only_check(&check.name);
            stack.checks.push(check);
        }
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

    /// Declares the secrets a kind or player refers to by itself.
    fn declare_implied(&mut self, inputs: &Value, raw: &RawApp) {
        for reference in crate::expr::references(inputs) {
            if let Target::Secret(name) = reference.target
                && !self.secrets.contains_key(&name)
            {
                self.secrets.insert(name.clone(), plain(name, raw.span));
            }
        }
    }

    fn note(&mut self, error: &Error, severity: Severity, raw: &RawApp, place: &Place<'_>) {
        let code = error.code_text().unwrap_or(codes::EXPANSION);
        let span = error
            .field_path()
            .map_or(raw.span, |path| raw.place_of(path, false, &Value::Null));
        let mut diagnostic = Diagnostic::error(code, error.message()).at(Some(span), "");
        diagnostic.severity = severity;
        diagnostic.address = place.address.cloned();
        diagnostic.path = error.field_path().cloned();
        diagnostic.causes.extend(error.causes().iter().cloned());
        diagnostic.help.extend(error.hint_text().map(str::to_owned));
        self.report.push(diagnostic);
    }
}

/// A field without what its secrets say of their sources: that is declared for the stack, and most
/// kinds ask only for names.
fn without_sources<'e>(entry: &'e Entry, facts: &KindFacts) -> Cow<'e, Entry> {
    let schema = &facts.schema;
    let Some(id) = schema.child(0, &entry.key, 0) else {
        return Cow::Borrowed(entry);
    };
    match &*entry.key {
        "secrets" => match stripped(&entry.value, schema, id) {
            Some(value) => Cow::Owned(Entry {
                value,
                ..entry.clone()
            }),
            None => Cow::Borrowed(entry),
        },
        "build" => {
            let found = entry
                .value
                .get("secrets")
                .and_then(|node| stripped(node, schema, schema.child(id, "secrets", 0)?));
            let Some(value) = found else {
                return Cow::Borrowed(entry);
            };
            let mut entry = entry.clone();
            if let Data::Map(fields) = &mut entry.value.data
                && let Some(field) = fields.iter_mut().find(|field| &*field.key == "secrets")
            {
                field.value = value;
            }
            Cow::Owned(entry)
        }
        _ => Cow::Borrowed(entry),
    }
}

/// A list of secrets without the keys that only a declaration has; `None` when there are none.
fn stripped(node: &Node, schema: &Schema, list: usize) -> Option<Node> {
    let item = schema.item(list, 0, 0)?;
    let drops =
        |entry: &Entry| SOURCES.contains(&&*entry.key) && !schema.declares(item, &entry.key, 0);
    let items = node.items()?;
    let any = items
        .iter()
        .any(|item| item.entries().into_iter().flatten().any(drops));
    any.then(|| {
        let items = items.iter().map(|item| match &item.data {
            Data::Map(entries) => {
                let kept = entries
                    .iter()
                    .filter(|entry| !drops(entry))
                    .cloned()
                    .collect();
                Node::map(item.span, kept)
            }
            _ => item.clone(),
        });
        Node {
            span: node.span,
            data: Data::List(items.collect()),
        }
    })
}
