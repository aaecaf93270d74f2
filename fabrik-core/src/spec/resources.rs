//! `resources`: from written blocks to [`Declared`].

use std::sync::Arc;

use super::each::Which;
use super::lower::Places;
use super::node::{Data, Entry, Node};
use super::options::{KEYS as OPTIONS, Written};
use super::scalars::good_id;
use super::shape::{Problem, check};
use super::world::{Instances, Own, Place, ResourceName, TypeFacts, Where, World};
use crate::address::Address;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};
use crate::stack::{CheckDecl, Declared, Options, Origin, Stack};
use crate::value::{Path, Segment, Value};

/// Keys of a resource besides [`OPTIONS`], with what they are.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("id", "Its name in the stack."),
    ("type", "Its type: `PROVIDER.TYPE`."),
    ("spec", "Its inputs, as its type takes them."),
    ("provider", "Which configuration of its provider it uses."),
    ("for_each", "One for each item of a list or entry of a map."),
    ("when", "Whether it is there."),
    ("verify", "Checks made after every apply."),
    ("description", "What it is for, for people."),
];

/// A resource as written, with its id and type known.
pub(super) struct Raw {
    id: Arc<str>,
    id_span: Span,
    facts: Option<Arc<TypeFacts>>,
    node: Node,
    which: Which,
}

/// Options with addresses that are found when everything is expanded.
pub(super) type Pending = (Address, Written);

impl World<'_> {
    /// Makes every resource known to references.
    pub(super) fn declare_resources(&mut self, items: Vec<super::document::Written>) -> Vec<Raw> {
        let mut raws = Vec::with_capacity(items.len());
        let mut spans: std::collections::HashMap<Arc<str>, Span> = std::collections::HashMap::new();
        for (key, node) in items {
            let Some(raw) = self.head(key, node) else {
                continue;
            };
            if let Some(before) = spans.insert(raw.id.clone(), raw.id_span) {
                self.report.push(
                    Diagnostic::error(
                        codes::TWICE,
                        format!("the resource `{}` is declared twice", raw.id),
                    )
                    .at(Some(raw.id_span), "again here")
                    .at(Some(before), "first here"),
                );
                continue;
            }
            let Ok(address) = Address::resource(&raw.id) else {
                continue;
            };
            let name = ResourceName {
                address,
                facts: raw.facts.clone(),
                state: Instances::Later,
            };
            self.resources.insert(raw.id.clone(), name);
            raws.push(raw);
        }
        raws
    }

    fn head(&mut self, key: Option<(Arc<str>, Span)>, mut node: Node) -> Option<Raw> {
        if node.entries().is_none() {
            let text = format!("a resource is a map, not {}", node.kind_name());
            let help = "write `id`, `type` and `spec`".to_owned();
            self.report
                .error(codes::WRONG_TYPE, node.span, text, Some(help));
            return None;
        }
        let start = node.head();
        let own_id = node.take("id");
        let (id, id_span) = match (own_id, key) {
            (Some(entry), key) => {
                let id = super::scalars::id(&entry.value, "a resource", &mut self.report)?;
                if key.is_some_and(|(key, _)| key != id) {
                    let text = "the id differs from the key it stands under";
                    self.report
                        .error(codes::BAD_ID, entry.value.span, text, None);
                }
                (id, entry.value.span)
            }
            (None, Some((key, span))) => {
                good_id(&key, span, "a resource", &mut self.report).then_some(())?;
                (key, span)
            }
            (None, None) => {
                let help = "add `id: NAME`".to_owned();
                self.report.error(
                    codes::MISSING_FIELD,
                    start,
                    "`id` is missing in a resource",
                    Some(help),
                );
                return None;
            }
        };
        let facts = match node.take("type") {
            Some(entry) => self.type_of(&entry),
            None => {
                let help = "add `type: PROVIDER.TYPE`".to_owned();
                let text = format!("`type` is missing in the resource `{id}`");
                self.report
                    .error(codes::MISSING_FIELD, id_span, text, Some(help));
                None
            }
        };
        Some(Raw {
            id,
            id_span,
            facts,
            node,
            which: Which::None,
        })
    }

    fn type_of(&mut self, entry: &Entry) -> Option<Arc<TypeFacts>> {
        let name = entry.value.as_text().cloned().unwrap_or_default();
        let facts = self.type_facts(&name);
        if facts.is_none() {
            let registry = self.request.registry;
            let provider = name.split('.').next().unwrap_or_default();
            let (text, help) = if registry.provider(provider).is_some() || !name.contains('.') {
                let help = self
                    .report
                    .suggest(&name, registry.types().map(|info| &*info.name));
                (format!("there is no type `{name}`"), help)
            } else {
                let known = registry.providers().map(|provider| &*provider.info().name);
                let help = self.report.suggest(provider, known);
                (
                    format!("there is no provider `{provider}`, so no type `{name}`"),
                    help,
                )
            };
            self.report
                .error(codes::UNKNOWN_TYPE, entry.value.span, text, help);
        }
        facts
    }

    /// Evaluates `when` and `for_each` of every resource.
    pub(super) fn index_resources(&mut self, raws: &mut [Raw]) {
        for raw in raws {
            let when = raw.node.take("when");
            let for_each = raw.node.take("for_each");
            let (which, state) = self.which(
                when.as_ref().map(|entry| &entry.value),
                for_each.as_ref().map(|entry| &entry.value),
                &|| (),
            );
            raw.which = which;
            if let Some(known) = self.resources.get_mut(&raw.id) {
                known.state = state;
            }
        }
    }

    /// Reads one resource into the stack.
    pub(super) fn read_resource(
        &mut self,
        mut raw: Raw,
        none: &Arc<Options>,
        stack: &mut Stack,
        pending: &mut Vec<Pending>,
    ) {
        let Ok(address) = Address::resource(&raw.id) else {
            return;
        };
        match std::mem::replace(&mut raw.which, Which::None) {
            // Still read, so that mistakes in it are found.
            Which::None => {
                let place = Place {
                    address: Some(&address),
                    ..Place::new(Where::Body)
                };
                self.check_keys(&raw.node, &place);
            }
            Which::One => {
                let place = Place {
                    address: Some(&address),
                    ..Place::new(Where::Body)
                };
                self.declare(&raw, &address, &place, none, stack, pending);
            }
            Which::Each(each) => {
                if !self.charge(super::budget::copies(raw.node.count(), each.len())) {
                    let text = "this `for_each` makes more than fits in a stack";
                    self.report
                        .error(codes::EVALUATION, raw.id_span, text, None);
                    return;
                }
                for (key, pair) in &each {
                    let before = self.report.errors();
                    let Ok(address) = address.with_key(key) else {
                        continue;
                    };
                    let place = Place {
                        each: Some(pair),
                        address: Some(&address),
                        ..Place::new(Where::Body)
                    };
                    self.declare(&raw, &address, &place, none, stack, pending);
                    // The same mistakes for every key help nobody.
                    if self.report.errors() > before {
                        break;
                    }
                }
            }
        }
    }

    fn check_keys(&mut self, node: &Node, place: &Place<'_>) {
        for entry in node.entries().into_iter().flatten() {
            if !KEYS.iter().chain(OPTIONS).any(|row| row.0 == &*entry.key) {
                self.unknown_key(entry, place);
            }
        }
    }

    /// Refuses a key of a resource, unless it is the user's own.
    fn unknown_key(&mut self, entry: &Entry, place: &Place<'_>) {
        if entry.key.starts_with("x-") {
            return;
        }
        let names = KEYS.iter().chain(OPTIONS).map(|row| row.0);
        let help = self
            .report
            .suggest(&entry.key, names)
            .filter(|help| help.starts_with("did you mean"))
            .unwrap_or_else(|| "what the type takes stands below `spec:`".to_owned());
        let text = format!("unknown field `{}`", entry.key);
        self.error(
            codes::UNKNOWN_FIELD,
            entry.key_span,
            place,
            text,
            Some(help),
        );
    }

    fn declare(
        &mut self,
        raw: &Raw,
        address: &Address,
        place: &Place<'_>,
        none: &Arc<Options>,
        stack: &mut Stack,
        pending: &mut Vec<Pending>,
    ) {
        let mut written = Written::default();
        let mut inputs = Value::map::<&str>([]);
        let mut places = Places::default();
        let mut instance = raw.facts.as_ref().map(|facts| facts.provider.clone());
        let mut checks = Vec::new();
        let mut has_spec = false;
        for entry in raw.node.entries().into_iter().flatten() {
            if self.option(entry, &mut written, place) {
                continue;
            }
            match &*entry.key {
                "spec" => {
                    has_spec = true;
                    if let Some(facts) = &raw.facts {
                        inputs =
                            self.inputs(&entry.value, entry.key_span, facts, place, &mut places);
                    }
                }
                "provider" => {
                    instance = self
                        .instance_of(&entry.value, raw.facts.as_deref(), place)
                        .or(instance);
                }
                "verify" => {
                    let place = Place {
                        at: Where::Verify,
                        own: Own::Resource(address, raw.facts.as_deref()),
                        ..place.clone()
                    };
                    checks = self.read_checks(&entry.value, address.as_str(), None, &place);
                }
                "description" => {}
                _ => self.unknown_key(entry, place),
            }
        }
        let Some(facts) = &raw.facts else { return };
        if !has_spec {
            let missing = check(&facts.schema, &inputs);
            if !missing.is_empty() {
                let names: Vec<String> =
                    missing.into_iter().map(|problem| problem.summary).collect();
                let text = format!("`spec` is missing in the resource `{}`", raw.id);
                let help = format!("`{}` takes one: {}", facts.info.name, names.join(", "));
                self.error(codes::MISSING_FIELD, raw.id_span, place, text, Some(help));
            }
        }
        let declared = Declared {
            address: address.clone(),
            type_name: facts.info.name.clone(),
            instance: instance.unwrap_or_default(),
            inputs,
            depends_on: Vec::new(),
            options: written.shared(none),
            origin: Some(Origin {
                span: raw.id_span,
                fields: Arc::new(places.fields),
            }),
        };
        if written.pending() {
            pending.push((address.clone(), written));
        }
        let concerns = |check: CheckDecl| CheckDecl {
            concerns: vec![address.clone()],
            ..check
        };
        stack.checks.extend(checks.into_iter().map(concerns));
        if stack.declare(declared).is_err() {
            let text = format!("{address} is declared twice");
            self.error(codes::TWICE, raw.id_span, place, text, None);
        }
    }

    /// Reads and checks the inputs of a resource.
    fn inputs(
        &mut self,
        node: &Node,
        key_span: Span,
        facts: &Arc<TypeFacts>,
        place: &Place<'_>,
        places: &mut Places,
    ) -> Value {
        let mut value = self.lower_with_places(node, &facts.schema, place, places);
        if value.is_null() {
            value = Value::map::<&str>([]);
        }
        for problem in check(&facts.schema, &value) {
            let whole = problem.path.is_root() && !matches!(node.data, Data::Map(_));
            let span = if whole || (problem.path.is_root() && problem.code == codes::MISSING_FIELD)
            {
                key_span
            } else {
                node.locate(&problem.path, problem.key)
            };
            self.problem(problem, span, place);
        }
        if facts.sensitive {
            self.literal_secrets(node, &value, &facts.info.fields, place);
            value = facts.info.fields.mark(&value);
        }
        value
    }

    /// Reports a problem of a schema check.
    pub(super) fn problem(&mut self, problem: Problem, span: Span, place: &Place<'_>) {
        let mut diagnostic = Diagnostic::error(problem.code, problem.summary)
            .at(Some(span), "")
            .path(problem.path);
        diagnostic.address = place.address.cloned();
        diagnostic.help.extend(problem.help);
        self.report.push(diagnostic);
    }

    /// Warns of sensitive fields with a value written into the file.
    pub(super) fn literal_secrets(
        &mut self,
        node: &Node,
        value: &Value,
        fields: &crate::provider::Fields,
        place: &Place<'_>,
    ) {
        let mut found: Vec<Path> = Vec::new();
        value.walk(&mut |path, value| {
            if let Value::Str(_) | Value::Num(_) = value {
                let sensitive = (0..=path.segments().len()).any(|len| {
                    fields
                        .at(&Path::from(path.segments()[..len].to_vec()))
                        .sensitive
                });
                if sensitive {
                    found.push(path.clone());
                }
            }
        });
        for path in found {
            let written = written_at(node, &path);
            if written.is_none_or(|node| {
                node.scalar()
                    .is_none_or(super::node::Scalar::has_expression)
            }) {
                continue;
            }
            let name = path.to_string();
            let mut diagnostic = Diagnostic::warning(
                codes::LITERAL_SECRET,
                format!("`{name}` is secret, and its value stands in the file"),
            )
            .at(Some(node.locate(&path, true)), "")
            .path(path)
            .help("declare a secret and write `${secrets.NAME}`");
            diagnostic.address = place.address.cloned();
            self.report.push(diagnostic);
        }
    }

    /// The provider configuration a resource names.
    fn instance_of(
        &mut self,
        node: &Node,
        facts: Option<&TypeFacts>,
        place: &Place<'_>,
    ) -> Option<Arc<str>> {
        let name = node.as_text().cloned().unwrap_or_default();
        let Some((instance, provider)) = self.find_instance(&name) else {
            let known: Vec<Arc<str>> = self.instance_names();
            let help = self.report.suggest(&name, known.iter().map(AsRef::as_ref));
            let text = format!("no provider is configured as `{name}`");
            self.error(codes::PROVIDER, node.span, place, text, help);
            return None;
        };
        if let Some(facts) = facts
            && facts.provider != provider
        {
            let text = format!(
                "`{}` is a type of `{}`, and `{name}` configures `{provider}`",
                facts.info.name, facts.provider
            );
            self.error(codes::PROVIDER, node.span, place, text, None);
            return None;
        }
        Some(instance)
    }
}

/// The node a path leads to, when it was written.
pub(super) fn written_at<'n>(node: &'n Node, path: &Path) -> Option<&'n Node> {
    path.segments()
        .iter()
        .try_fold(node, |here, segment| match segment {
            Segment::Key(key) => here.get(key),
            Segment::Index(index) => here.items()?.get(*index),
        })
}
