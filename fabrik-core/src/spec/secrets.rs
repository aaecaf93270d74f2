//! `secrets`: where values come from, never the values.

use std::collections::HashSet;
use std::sync::Arc;

use super::node::{Data, Entry, Node, ScalarKind};
use super::world::{Place, Where, World};
use crate::codes;
use crate::diagnostic::Span;
use crate::stack::{SecretDecl, SecretSource};

/// Characters generated unless the spec says otherwise.
pub(super) const LENGTH: usize = 32;

/// The keys of a secret in long form, with what they are.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("name", "Its name, in a list of secrets."),
    (
        "from",
        "Its source: `env://NAME`, `file://PATH`, or another `SCHEME://…`.",
    ),
    (
        "cmd",
        "A program and its arguments, as a list; its output is the value.",
    ),
    (
        "generate",
        "How many characters are generated when it is found nowhere.",
    ),
    ("required", "It must be found; it is never generated."),
    ("description", "What it is for, for people."),
];

/// Keys that say where a secret comes from.
pub(super) const SOURCES: &[&str] = &["from", "cmd", "generate", "required", "description"];

impl World<'_> {
    /// Declares every name, so that references can be checked; sources are read later, when
    /// variables are known.
    pub(super) fn declare_secrets(&mut self, section: Option<&Node>, apps: &[Node]) {
        for (name, span, _) in section.map(named).unwrap_or_default() {
            if super::scalars::good_id(&name, span, "a secret", &mut self.report) {
                self.secrets.insert(name.clone(), plain(name, span));
            }
        }
        for block in apps {
            for (name, span, _) in named(block) {
                if super::scalars::good_id(&name, span, "a secret", &mut self.report) {
                    self.secrets
                        .entry(name.clone())
                        .or_insert_with(|| plain(name, span));
                }
            }
        }
    }

    /// Reads the sources.
    pub(super) fn read_secrets(&mut self, section: Option<&Node>, apps: &[Node]) {
        if let Some(section) = section {
            if section.entries().is_none() && section.items().is_none() {
                let text = format!("`secrets` takes a map, not {}", section.kind_name());
                let help = "write `NAME: env://VARIABLE`, or `NAME: ~`".to_owned();
                self.report
                    .error(codes::WRONG_TYPE, section.span, text, Some(help));
            }
            for item in section.items().into_iter().flatten() {
                if item.as_text().is_none() && item.get("name").is_none() {
                    let help = "write `- NAME`, or `- { name: NAME, … }`".to_owned();
                    let text = "`name` is missing in a secret";
                    self.report
                        .error(codes::MISSING_FIELD, item.head(), text, Some(help));
                }
            }
            for (name, span, node) in named(section) {
                self.read_secret(&name, span, node, true);
            }
        }
        let mut said: HashSet<Arc<str>> = section
            .map(named)
            .unwrap_or_default()
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        for block in apps {
            for (name, span, node) in named(block) {
                let says = node.is_some_and(|node| {
                    node.entries().map_or(!node.is_null(), |entries| {
                        entries.iter().any(|entry| {
                            KEYS[1..5].iter().any(|row| row.0 == &*entry.key)
                                || entry.key.contains("value")
                        })
                    })
                });
                if says && !said.insert(name.clone()) {
                    self.report.error(
                        codes::TWICE,
                        span,
                        format!("the secret `{name}` is declared elsewhere and here"),
                        Some(format!("here only its name: `secrets: [{name}]`")),
                    );
                } else if says {
                    self.read_secret(&name, span, node, false);
                }
            }
        }
    }

    fn read_secret(&mut self, name: &Arc<str>, span: Span, node: Option<&Node>, outer: bool) {
        let mut decl = plain(name.clone(), span);
        match node.map(|node| (node, &node.data)) {
            None => {}
            Some((node, _)) if node.is_null() => {}
            Some((node, Data::Scalar(_))) => decl.from = self.secret_source(node),
            Some((node, Data::Map(entries))) => self.long_secret(&mut decl, node, entries, outer),
            Some((node, Data::List(_))) => {
                let help =
                    "write `env://VARIABLE`, or a map with `from`, `cmd`, `generate` or `required`";
                self.report.error(
                    codes::SECRET_FORM,
                    node.span,
                    format!("the secret `{name}` cannot be a list"),
                    Some(help.to_owned()),
                );
            }
        }
        self.secrets.insert(name.clone(), decl);
    }

    fn long_secret(&mut self, decl: &mut SecretDecl, node: &Node, entries: &[Entry], outer: bool) {
        let mut generates = false;
        for entry in entries {
            match &*entry.key {
                "name" | "description" => {}
                "from" => decl.from = self.secret_source(&entry.value),
                "cmd" => decl.from = self.command(&entry.value),
                "generate" => {
                    generates = true;
                    self.generate(decl, &entry.value);
                }
                "required" => {
                    decl.required =
                        super::scalars::flag(&entry.value, "required", &mut self.report);
                }
                key if key.starts_with("x-") => {}
                "value" | "values" | "default" => self.literal(entry.value.span),
                // What else an app says of a secret is its kind's to check.
                _ if !outer => {}
                key => {
                    let help = self.report.suggest(key, KEYS.iter().map(|row| row.0));
                    let text = format!("unknown field `{key}`");
                    self.report
                        .error(codes::UNKNOWN_FIELD, entry.key_span, text, help);
                }
            }
        }
        if generates && decl.required {
            self.report.error(
                codes::SECRET_FORM,
                node.head(),
                "a secret that is `required` is never generated",
                Some("leave out `generate` or `required`".to_owned()),
            );
        }
    }

    fn generate(&mut self, decl: &mut SecretDecl, node: &Node) {
        let number = node.as_text().and_then(|text| text.parse::<usize>().ok());
        match number {
            Some(length) if (8..=1024).contains(&length) => decl.length = length,
            _ if node.scalar().is_some_and(|scalar| {
                scalar.kind == ScalarKind::Bool && scalar.text.starts_with(['t', 'T'])
            }) => {}
            _ => self.report.error(
                codes::SECRET_FORM,
                node.span,
                "`generate` is the number of characters, from 8 to 1024",
                None,
            ),
        }
    }

    /// Reads `scheme://rest`. What is no URI is taken for the secret itself, and never repeated.
    fn secret_source(&mut self, node: &Node) -> Option<SecretSource> {
        if let Some(cmd) = node.get("cmd") {
            return self.command(cmd);
        }
        let value = self.lower(node, None, &Place::new(Where::Secrets));
        if super::world::is_poison(&value) {
            return None;
        }
        let Some(text) = value.as_str() else {
            self.report.error(
                codes::SECRET_FORM,
                node.span,
                format!("a secret's source is text, not {}", value.kind_name()),
                Some("write it like `env://VARIABLE` or `file://path`".to_owned()),
            );
            return None;
        };
        let scheme_end = text.find("://");
        let scheme = scheme_end.map(|at| &text[..at]);
        match scheme {
            Some("env") => Some(SecretSource::Env(text[6..].to_owned())),
            Some("file") => Some(SecretSource::File(text[7..].to_owned())),
            Some("cmd") => {
                self.command_as_text(node.span);
                None
            }
            Some(scheme)
                if !scheme.is_empty()
                    && scheme
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
            {
                Some(SecretSource::Other(text.to_owned()))
            }
            _ if text.starts_with("cmd:") => {
                self.command_as_text(node.span);
                None
            }
            _ => {
                self.literal(node.span);
                None
            }
        }
    }

    fn command_as_text(&mut self, span: Span) {
        self.report.error(
            codes::SECRET_FORM,
            span,
            "a command is a list: the program and its arguments",
            Some("write `{ cmd: [op, read, \"op://vault/item/field\"] }`".to_owned()),
        );
    }

    fn command(&mut self, node: &Node) -> Option<SecretSource> {
        let words: Option<Vec<String>> =
            node.items()
                .filter(|items| !items.is_empty())
                .and_then(|items| {
                    items
                        .iter()
                        .map(|item| item.as_text().map(ToString::to_string))
                        .collect()
                });
        if words.is_none() {
            self.command_as_text(node.span);
        }
        words.map(SecretSource::Command)
    }

    fn literal(&mut self, span: Span) {
        self.report.error(
            codes::SECRET_IN_FILE,
            span,
            "the value of a secret does not belong into a spec",
            Some(
                "say where it comes from: `env://VARIABLE`, `file://PATH`, `{ cmd: […] }`, or `~` \
                 to find or generate it"
                    .to_owned(),
            ),
        );
    }
}

/// What apps say of secrets, kept because their blocks are taken apart.
pub(super) fn blocks(apps: &[Entry]) -> Vec<Node> {
    apps.iter()
        .flat_map(|app| {
            let build = app
                .value
                .get("build")
                .and_then(|build| build.get("secrets"));
            [app.value.get("secrets"), build]
        })
        .flatten()
        .cloned()
        .collect()
}

/// A secret that is found or generated.
pub(super) fn plain(name: Arc<str>, span: Span) -> SecretDecl {
    SecretDecl {
        name,
        from: None,
        length: LENGTH,
        required: false,
        span: Some(span),
    }
}

/// The secrets of a section: names with what is said of them. A list has names and maps with
/// `name`; a map has them by name.
fn named(section: &Node) -> Vec<(Arc<str>, Span, Option<&Node>)> {
    match &section.data {
        Data::Map(entries) => entries
            .iter()
            .filter(|entry| !entry.key.starts_with("x-"))
            .map(|entry| (entry.key.clone(), entry.key_span, Some(&entry.value)))
            .collect(),
        Data::List(items) => items
            .iter()
            .filter_map(|item| match &item.data {
                Data::Map(_) => {
                    let name = item.get("name")?;
                    Some((name.as_text()?.clone(), name.span, Some(item)))
                }
                _ => Some((item.as_text()?.clone(), item.span, None)),
            })
            .collect(),
        Data::Scalar(_) => Vec::new(),
    }
}
