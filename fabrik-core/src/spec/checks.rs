//! `verify`: from short and long forms to [`CheckDecl`].
//!
//! `{ http: /up, status: 200, within: 2m }` is short for
//! `{ kind: http, spec: { url: /up, status: 200 }, within: 2m }`.

use std::sync::Arc;

use super::duration;
use super::node::{Data, Entry, Node};
use super::shape::{Schema, check, coerce};
use super::world::{Place, World, is_poison};
use crate::codes;
use crate::expr::Expr;
use crate::stack::CheckDecl;
use crate::value::{Map, Path, Segment, Value};
use crate::verify;

/// Kinds of checks, the field a scalar stands for, and what they are.
pub(super) const KINDS: &[(&str, &str, &str)] = &[
    (
        "http",
        "url",
        "A URL, or a path of the app, that must answer.",
    ),
    (
        "tcp",
        "address",
        "A `host:port` that must take connections.",
    ),
    ("tls", "name", "A host whose certificate must be valid."),
    ("dns", "name", "A name that must resolve."),
    (
        "container",
        "container",
        "A container that must be healthy.",
    ),
];

/// Keys of every check, with what they are.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("name", "Its name, to tell it from others of its kind."),
    ("within", "Keep trying this long."),
    ("interval", "Time between tries."),
    ("stable_for", "It must hold this long."),
];

impl World<'_> {
    /// Reads a check or a list of checks. `url` is what paths are below.
    pub(super) fn read_checks(
        &mut self,
        node: &Node,
        prefix: &str,
        url: Option<&Value>,
        place: &Place<'_>,
    ) -> Vec<CheckDecl> {
        match &node.data {
            Data::List(items) => items
                .iter()
                .filter_map(|item| self.read_check(item, prefix, url, place))
                .collect(),
            _ if node.is_null() => Vec::new(),
            _ => self
                .read_check(node, prefix, url, place)
                .into_iter()
                .collect(),
        }
    }

    fn read_check(
        &mut self,
        node: &Node,
        prefix: &str,
        url: Option<&Value>,
        place: &Place<'_>,
    ) -> Option<CheckDecl> {
        let Some(entries) = node.entries() else {
            let text = format!("a check is a map, not {}", node.kind_name());
            let help = "write it like `{ http: /up, status: 200 }`".to_owned();
            self.error(codes::CHECK, node.span, place, text, Some(help));
            return None;
        };
        let (kind, subject) = self.check_kind(node, entries, place)?;
        let (kind, subject) = (kind, subject.as_deref());
        let mut decl = verify::declare("", kind.clone(), Value::Null);
        decl.span = Some(node.head());
        let mut spec = Map::new();
        let mut label: Option<Arc<str>> = None;
        let long = node.get("kind").is_some();
        for entry in entries {
            let value = &entry.value;
            match &*entry.key {
                "within" => decl.within = duration::read(value, "within", &mut self.report)?,
                "interval" => decl.interval = duration::read(value, "interval", &mut self.report)?,
                "stable_for" => {
                    decl.stable_for = duration::read(value, "stable_for", &mut self.report)?;
                }
                "name" => {
                    let name = super::scalars::id(value, "a check", &mut self.report)?;
                    label = Some(name);
                }
                "kind" => {}
                key if key.starts_with("x-") => {}
                "spec" if long => match self.lower(value, None, place) {
                    Value::Map(map) => spec.extend(map.iter().map(|(k, v)| (k.clone(), v.clone()))),
                    other if is_poison(&other) => {}
                    other => {
                        let text = format!("`spec` of a check is a map, not {}", other.kind_name());
                        self.error(codes::CHECK, value.span, place, text, None);
                    }
                },
                key if key == &*kind => match (self.lower(value, None, place), subject) {
                    (Value::Map(map), _) => {
                        spec.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
                    }
                    (other, Some(subject)) => drop(spec.insert(subject.into(), other)),
                    (_, None) => {
                        let text = format!("a check of the kind `{kind}` has no short form");
                        let help = format!("write `{{ kind: {kind}, spec: {{ … }} }}`");
                        self.error(codes::CHECK, value.span, place, text, Some(help));
                    }
                },
                _ => {
                    let value = self.lower(value, None, place);
                    spec.insert(entry.key.clone(), value);
                }
            }
        }
        if let Some(subject) = subject {
            self.subject(&mut spec, &kind, subject, url, node, place)?;
        }
        decl.spec = Value::Map(Arc::new(spec));
        self.check_spec(&decl, subject, node, place);
        decl.name = self.check_name(prefix, label.as_deref().unwrap_or(&kind));
        Some(decl)
    }

    /// Kinds of checks with the field a scalar stands for: those the program has, else the usual.
    fn check_kinds(&self) -> Vec<(Arc<str>, Option<Arc<str>>)> {
        let mut kinds: Vec<(Arc<str>, Option<Arc<str>>)> = KINDS
            .iter()
            .map(|row| (row.0.into(), Some(row.1.into())))
            .collect();
        if let Some(checkers) = self.request.checkers {
            for kind in checkers.kinds() {
                let subject = checkers.get(kind).and_then(|checker| checker.subject());
                kinds.retain(|known| &*known.0 != kind);
                kinds.push((kind.into(), subject.map(Arc::from)));
            }
        }
        kinds
    }

    /// The kind of a check and the field a scalar stands for.
    fn check_kind(
        &mut self,
        node: &Node,
        entries: &[Entry],
        place: &Place<'_>,
    ) -> Option<(Arc<str>, Option<Arc<str>>)> {
        let kinds = self.check_kinds();
        let names = || kinds.iter().map(|row| &*row.0);
        if let Some(kind) = node.get("kind") {
            let text = kind.as_text().cloned().unwrap_or_default();
            let found = kinds.iter().find(|row| row.0 == text);
            if found.is_none() {
                let help = self.report.suggest(&text, names());
                let text = format!("there is no kind of check `{text}`");
                self.error(codes::CHECK, kind.span, place, text, help);
            }
            return found.cloned();
        }
        let mut said = kinds
            .iter()
            .filter(|row| entries.iter().any(|entry| entry.key == row.0));
        match (said.next(), said.next()) {
            (Some(row), None) => Some(row.clone()),
            (Some(first), Some(second)) => {
                let text = format!(
                    "this check is of two kinds, `{}` and `{}`",
                    first.0, second.0
                );
                let help = "write two checks".to_owned();
                self.error(codes::CHECK, node.head(), place, text, Some(help));
                None
            }
            _ => {
                let near = entries.iter().find_map(|entry| {
                    let near = crate::diagnostic::did_you_mean(&entry.key, names())?;
                    Some(format!("did you mean `{near}`?"))
                });
                let help =
                    near.unwrap_or_else(|| "write it like `{ http: /up, status: 200 }`".to_owned());
                let text = "this check does not say what it checks";
                self.error(codes::CHECK, node.head(), place, text, Some(help));
                None
            }
        }
    }

    /// Checks what is given against the checker's schema, where the program gave one.
    fn check_spec(
        &mut self,
        decl: &CheckDecl,
        subject: Option<&str>,
        node: &Node,
        place: &Place<'_>,
    ) {
        let checker = self
            .request
            .checkers
            .and_then(|checkers| checkers.get(&decl.kind));
        let Some(checker) = checker else { return };
        let schema = Schema::read(&checker.schema());
        for problem in check(&schema, &coerce(&schema, Some(0), &decl.spec)) {
            let first = match problem.path.segments().first() {
                Some(Segment::Key(key)) => Some(key.clone()),
                _ => None,
            };
            let block = [node.get("spec"), node.get(&decl.kind)]
                .into_iter()
                .flatten()
                .find(|block| first.as_ref().is_some_and(|key| block.get(key).is_some()));
            let span = match block {
                Some(block) => block.locate(&problem.path, problem.key),
                None if first.as_deref() == subject => {
                    node.locate(&Path::key(decl.kind.clone()), false)
                }
                None => node.locate(&problem.path, problem.key),
            };
            self.problem(problem, span, place);
        }
    }

    /// Completes what is checked: a path gets the app's URL before it.
    fn subject(
        &mut self,
        spec: &mut Map,
        kind: &str,
        subject: &str,
        url: Option<&Value>,
        node: &Node,
        place: &Place<'_>,
    ) -> Option<()> {
        let path = match spec.get(subject) {
            Some(Value::Str(text)) => Some(text.clone()),
            Some(Value::Null) | None => None,
            Some(_) => return Some(()),
        };
        let span = node
            .get(kind)
            .or_else(|| node.get("spec"))
            .map_or(node.head(), |at| at.span);
        match (kind, path) {
            ("http", Some(text)) if text.starts_with('/') => match url {
                Some(url) => {
                    let joined = Expr::Concat(vec![
                        crate::expr::as_expr(url.clone()),
                        Expr::Literal(Value::Str(text)),
                    ]);
                    let value =
                        crate::expr::evaluate(&joined, &|_: &crate::expr::Reference| Ok(None));
                    spec.insert(subject.into(), value.unwrap_or(Value::Null));
                }
                None => {
                    let text =
                        format!("`{text}` is a path, and there is no app here it belongs to");
                    let help = "write a whole URL, such as `${apps.api.url}/up`".to_owned();
                    self.error(codes::CHECK, span, place, text, Some(help));
                    return None;
                }
            },
            ("http", Some(text))
                if !text.starts_with("http://") && !text.starts_with("https://") =>
            {
                let text = format!("`{text}` is neither a URL nor a path");
                let help = "write `/path` or `https://host/path`".to_owned();
                self.error(codes::CHECK, span, place, text, Some(help));
                return None;
            }
            ("http", None) if url.is_some() => {
                spec.insert(subject.into(), url.cloned().unwrap_or_default());
            }
            ("container", None) => {
                spec.remove(subject);
            }
            (_, None) => {
                let text = format!("this check does not say which `{subject}`");
                let help = format!("write `{{ {kind}: … }}`");
                self.error(codes::CHECK, node.head(), place, text, Some(help));
                return None;
            }
            _ => {}
        }
        Some(())
    }

    fn check_name(&mut self, prefix: &str, label: &str) -> Arc<str> {
        self.only_check(&format!("{prefix}.{label}"))
    }

    /// A name that no other check of the stack has: this one, or with a number.
    pub(super) fn only_check(&mut self, base: &str) -> Arc<str> {
        let mut name = base.to_owned();
        let mut count = 1;
        while !self.check_names.insert(name.clone()) {
            count += 1;
            name = format!("{base}-{count}");
        }
        name.into()
    }
}
