//! The main function: texts in, stack or mistakes out.

use std::collections::HashMap;
use std::sync::Arc;

use super::apps::RawApp;
use super::budget;
use super::document::{Document, assemble};
use super::node::{Entry, Node};
use super::options::Written;
use super::order::{self, Item};
use super::parse::parse;
use super::resources::Pending;
use super::roles::On;
use super::secrets;
use super::text;
use super::vars::Var;
use super::world::{Instances, Known, Place, Where, World};
use super::{LoadRequest, Loaded};
use crate::address::Address;
use crate::codes;
use crate::diagnostic::{Diagnostics, Span};
use crate::stack::{Options, Stack};
use crate::value::Value;

/// Reads a spec, checks it, and expands it.
///
/// ```
/// # use fabrik_core::{provider::Registry, spec::{LoadRequest, load}};
/// let registry = Registry::new();
/// let loaded = load(&LoadRequest::new(&registry, "fabrik.yaml", b"fabrik: 1\nid: a b\nprot: 1\n"));
/// assert!(loaded.stack.is_none());
/// assert_eq!(loaded.diagnostics.items.len(), 2, "every mistake at once");
/// ```
pub fn load(request: &LoadRequest<'_>) -> Loaded {
    let mut world = World::new(request);
    let mut id = None;
    let mut environments = Vec::new();
    let stack = world.read_document().map(|document| {
        id = Some(document.id.clone());
        environments.clone_from(&document.environments);
        world.read(document)
    });
    let World {
        report, sources, ..
    } = world;
    let failed = report.errors() > 0;
    let diagnostics = Diagnostics {
        items: report.finish(),
        sources,
    };
    let stack = stack.filter(|_| !failed).map(|mut stack| {
        stack.sources = Arc::new(diagnostics.sources.clone());
        stack
    });
    Loaded {
        stack,
        diagnostics,
        id,
        environments,
    }
}

impl World<'_> {
    /// Reads one text into nodes.
    pub(super) fn read_text(&mut self, name: &str, bytes: &[u8]) -> Option<Node> {
        let mut found = Vec::new();
        let node = text::read(&mut self.sources, name, bytes, &mut found)
            .and_then(|(text, base)| parse(&text, base, &mut found));
        for diagnostic in found {
            self.report.push(diagnostic);
        }
        node
    }

    fn read_document(&mut self) -> Option<Document> {
        let request = self.request;
        let base = self.read_text(request.file.name, request.file.bytes);
        let overlays: Vec<Option<Node>> = request
            .overlays
            .iter()
            .map(|overlay| self.read_text(overlay.name, overlay.bytes))
            .collect();
        let overlays = overlays.into_iter().flatten().collect();
        assemble(base?, overlays, request, &mut self.report)
    }

    /// Reads everything a document says.
    fn read(&mut self, document: Document) -> Stack {
        let mut stack = Stack::new(document.id.clone());
        if let Some(env) = self.request.env {
            stack.env = env.into();
        }
        stack.on_failure = document.on_failure;

        // Every name first, so that references can be checked wherever they stand.
        let app_secrets = secrets::blocks(&document.apps);
        self.declare_secrets(document.secrets.as_ref(), &app_secrets);
        self.declare_providers(&document.providers);
        let vars = self.declare_vars(document.vars);
        let outputs = self.declare_outputs(document.outputs);
        for var in &vars {
            self.vars.insert(var.name.clone(), Known::Later);
        }
        let mut apps = self.declare_apps(document.apps);
        let mut resources = self.declare_resources(document.resources);

        // Values in the order they need each other; what is needed for `when` and `for_each` first.
        let (sorted, late) = self.evaluation_order(&vars, &apps, &outputs);
        let var_count = vars.len();
        for at in sorted.iter().filter(|at| **at < var_count && !late[**at]) {
            self.evaluate_var(&vars[*at]);
        }
        self.index_resources(&mut resources);
        self.index_apps(&mut apps);
        let mut defaults = On::default();
        for node in &document.on {
            let on = self.read_on(node, &Place::new(Where::Body));
            defaults = defaults.or(&on);
        }
        let mut pending = Vec::new();
        for at in sorted {
            if at < var_count {
                if late[at] {
                    self.evaluate_var(&vars[at]);
                }
            } else if let Some(app) = apps.get_mut(at - var_count) {
                self.expand_app(app, &defaults, &mut stack, &mut pending);
            } else if let Some(entry) = outputs.get(at - var_count - apps.len()) {
                let value = self.lower(&entry.value, None, &Place::new(Where::Outputs));
                let known = self.known(value.clone(), entry.value.span);
                self.outputs.insert(entry.key.clone(), known);
                stack.outputs.insert(entry.key.clone(), value);
            }
        }

        let none: Arc<Options> = Arc::default();
        for raw in resources {
            self.read_resource(raw, &none, &mut stack, &mut pending);
        }
        self.read_secrets(document.secrets.as_ref(), &app_secrets);
        self.read_providers(&document.providers, &mut stack);
        self.read_notify(document.notify.as_ref(), &apps, &mut stack);
        self.fill_implicit(&mut stack);
        for app in &apps {
            self.read_app_checks(app, &mut stack);
        }
        if let Some(node) = &document.verify {
            let checks = self.read_checks(node, "verify", None, &Place::new(Where::Verify));
            stack.checks.extend(checks);
        }
        self.settle(pending, &mut stack);
        if let Some(node) = &document.moved {
            let moved = self.read_moved(node, &stack.resources);
            stack.moved.extend(moved);
        }
        if self.report.errors() == 0 {
            self.check_graph(&stack);
        }
        stack.secrets = std::mem::take(&mut self.secrets);
        stack.reads_stacks = std::mem::take(&mut self.stacks).into_iter().collect();
        stack
    }

    /// A named value, when it is of a sensible size.
    pub(super) fn known(&mut self, value: Value, span: Span) -> Known {
        if let Some(size) = budget::size(&value) {
            return Known::Value(value, size);
        }
        let help = "values that hold values multiply: write it another way".to_owned();
        let text = "this value is larger than 16 MiB";
        self.report.error(codes::EVALUATION, span, text, Some(help));
        Known::failed()
    }

    fn declare_outputs(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        let mut outputs = entries;
        outputs.retain(|entry| {
            !entry.key.starts_with("x-")
                && super::scalars::good_id(
                    &entry.key,
                    entry.key_span,
                    "an output",
                    &mut self.report,
                )
        });
        for entry in &outputs {
            self.outputs.insert(entry.key.clone(), Known::Later);
        }
        outputs
    }

    /// The order of variables, apps and outputs (positions in that sequence), without those in
    /// cycles, and which variables wait for more than variables.
    fn evaluation_order(
        &mut self,
        vars: &[Var],
        apps: &[RawApp],
        outputs: &[Entry],
    ) -> (Vec<usize>, Vec<bool>) {
        let mut items: Vec<Item<'_>> = Vec::new();
        let mut spans: Vec<Span> = Vec::new();
        for var in vars {
            let value = var.value.as_ref().filter(|_| !var.literal);
            items.push(Item {
                name: format!("vars.{}", var.name).into(),
                nodes: value.into_iter().collect(),
            });
            spans.push(var.value.as_ref().map_or(var.span, |value| value.span));
        }
        for app in apps {
            items.push(Item {
                name: format!("apps.{}", app.key).into(),
                nodes: vec![&app.node],
            });
            spans.push(app.span);
        }
        for output in outputs {
            items.push(Item {
                name: format!("outputs.{}", output.key).into(),
                nodes: vec![&output.value],
            });
            spans.push(output.key_span);
        }
        let order = order::sort(&items);
        let mut broken = vec![false; items.len()];
        for cycle in &order.cycles {
            let names: Vec<&str> = cycle.iter().map(|at| &*items[*at].name).collect();
            let text = format!("these refer to each other: {}", order::path_text(&names));
            let first = cycle.first().copied().unwrap_or_default();
            let help = "break the circle: one of them must do without the other".to_owned();
            self.report
                .error(codes::CYCLE, spans[first], text, Some(help));
            for at in cycle {
                broken[*at] = true;
            }
        }
        let names: Vec<Arc<str>> = items.iter().map(|item| item.name.clone()).collect();
        for (_, name) in names.iter().enumerate().filter(|(at, _)| broken[*at]) {
            let (root, name) = name.split_once('.').unwrap_or_default();
            match root {
                "vars" => drop(self.vars.insert(name.into(), Known::failed())),
                "outputs" => drop(self.outputs.insert(name.into(), Known::failed())),
                _ => {
                    if let Some(known) = self.apps.get_mut(name) {
                        known.state = Instances::Failed;
                    }
                }
            }
        }
        let sorted = order.sorted.into_iter().filter(|at| !broken[*at]).collect();
        (sorted, order.late)
    }

    /// Finds the addresses that options name.
    fn settle(&mut self, pending: Vec<Pending>, stack: &mut Stack) {
        let mut cache: HashMap<Arc<str>, Vec<Address>> = HashMap::new();
        for (address, written) in pending {
            let mut find = |names: &[super::targets::Named], world: &mut Self| {
                let mut found = Vec::new();
                for named in names {
                    let addresses = match cache.get(&named.text) {
                        Some(known) => known,
                        None => {
                            let known = world.find(named, &stack.resources);
                            cache.entry(named.text.clone()).or_insert(known)
                        }
                    };
                    found.extend(addresses.iter().filter(|found| **found != address).cloned());
                }
                found
            };
            let Written {
                depends_on,
                replace_with,
                run_when_changed,
                ..
            } = &written;
            let depends_on = find(depends_on, self);
            let replace_with = find(replace_with, self);
            let run_when_changed = find(run_when_changed, self);
            if let Some(declared) = stack.resources.get_mut(&address) {
                declared.depends_on.extend(depends_on);
                if !(replace_with.is_empty() && run_when_changed.is_empty()) {
                    let options = Arc::make_mut(&mut declared.options);
                    options.replace_with.extend(replace_with);
                    options.run_when_changed.extend(run_when_changed);
                }
            }
        }
    }

    /// Refuses references to what is not declared (a component's mistake) and cycles.
    fn check_graph(&mut self, stack: &Stack) {
        let places: HashMap<&Address, usize> = stack
            .resources
            .keys()
            .enumerate()
            .map(|(at, address)| (address, at))
            .collect();
        let all: Vec<_> = stack.resources.values().collect();
        let mut edges = Vec::with_capacity(all.len());
        for declared in &all {
            let span = declared
                .origin
                .as_ref()
                .map_or(Span { start: 0, end: 0 }, |origin| origin.span);
            let mut to = Vec::new();
            for address in declared.dependencies() {
                match places.get(&address) {
                    Some(at) => to.push(*at),
                    None => {
                        let text = format!(
                            "{} refers to {address}, which is not declared",
                            declared.address
                        );
                        self.report.error(codes::EXPANSION, span, text, None);
                    }
                }
            }
            edges.push(to);
        }
        let (_, cycles) = order::depth_first(&edges);
        for cycle in cycles {
            let names: Vec<&str> = cycle.iter().map(|at| all[*at].address.as_str()).collect();
            let text = format!("these wait for each other: {}", order::path_text(&names));
            let help = "break the circle: one of them must do without the other".to_owned();
            let first = cycle.first().and_then(|at| all.get(*at));
            let span = first
                .and_then(|declared| declared.origin.as_ref())
                .map_or(Span { start: 0, end: 0 }, |origin| origin.span);
            self.report.error(codes::CYCLE, span, text, Some(help));
        }
    }
}
