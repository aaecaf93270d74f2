//! The top level: its keys, and what stands at its head.

use std::sync::Arc;

use super::LoadRequest;
use super::node::Node;
use super::report::Report;
use super::scalars::id;
use crate::codes;
use crate::diagnostic::{Diagnostic, Span};

/// A key of the top level.
pub(super) struct TopKey {
    /// The key.
    pub(super) name: &'static str,
    /// In the flat form, it still belongs to the document and not to the app.
    pub(super) outer: bool,
    /// May stand in an environment or overlay.
    pub(super) per_env: bool,
    /// Implemented.
    pub(super) ready: bool,
    /// What it is, for docs and schema.
    pub(super) about: &'static str,
}

const fn key(
    name: &'static str,
    outer: bool,
    per_env: bool,
    ready: bool,
    about: &'static str,
) -> TopKey {
    TopKey {
        name,
        outer,
        per_env,
        ready,
        about,
    }
}

/// Every key of the top level.
pub(super) const TOP: &[TopKey] = &[
    key(
        "fabrik",
        true,
        false,
        true,
        "Version of the spec language: 1.",
    ),
    key(
        "id",
        true,
        false,
        true,
        "Name of the stack; its state and addresses hang on it.",
    ),
    key("name", true, true, true, "Name for people."),
    key("description", true, true, true, "What it is, for people."),
    key(
        "requires",
        true,
        false,
        true,
        "Versions of Fabrik it works with, such as `>=0.1`.",
    ),
    key(
        "requires_env",
        true,
        false,
        true,
        "Whether an environment must be chosen with `-e`.",
    ),
    key(
        "providers",
        true,
        true,
        true,
        "Configuration of providers, by name.",
    ),
    key(
        "defaults",
        true,
        true,
        true,
        "What apps fall back to: `on`.",
    ),
    key(
        "vars",
        true,
        true,
        true,
        "Variables, used as `${vars.NAME}`.",
    ),
    key(
        "secrets",
        true,
        true,
        true,
        "Where secrets come from, never their values.",
    ),
    key("apps", true, true, true, "Apps, by key."),
    key("resources", true, true, true, "Resources of providers."),
    key(
        "modules",
        true,
        true,
        false,
        "Specs used as parts of this one.",
    ),
    key(
        "include",
        true,
        false,
        false,
        "Further files merged into this one.",
    ),
    key(
        "environments",
        true,
        false,
        true,
        "What differs per environment.",
    ),
    key(
        "outputs",
        true,
        true,
        true,
        "Values to show and to give to other stacks.",
    ),
    key(
        "moved",
        true,
        false,
        true,
        "Renamed addresses, so that state moves along.",
    ),
    key(
        "on_failure",
        true,
        true,
        true,
        "What to do when a run fails: `rollback`, `keep` or `ask`.",
    ),
    key(
        "on",
        false,
        true,
        true,
        "Who plays which role, for every app.",
    ),
    key(
        "verify",
        false,
        true,
        true,
        "Checks made after every apply.",
    ),
    key(
        "hooks",
        false,
        true,
        false,
        "Commands run round a deployment.",
    ),
    key(
        "notify",
        true,
        true,
        true,
        "Who is told about runs: channels by name.",
    ),
];

/// Reads `fabrik`, `id` and `requires`.
pub(super) fn header(
    base: &Node,
    request: &LoadRequest<'_>,
    report: &mut Report,
) -> Option<Arc<str>> {
    match base.get("fabrik") {
        None => report.push(
            Diagnostic::warning(codes::VERSION_MISSING, "the spec does not say its version")
                .at(Some(base.head()), "")
                .help("begin the file with `fabrik: 1`"),
        ),
        Some(node) => match node.as_text().map(AsRef::as_ref) {
            Some("1") => {}
            Some(text) if text.parse::<u32>().is_ok_and(|version| version > 1) => report.error(
                codes::VERSION,
                node.span,
                format!("this spec is of version {text}; this Fabrik reads version 1"),
                Some("update Fabrik".to_owned()),
            ),
            _ => report.error(
                codes::VERSION,
                node.span,
                "the version of the spec language is 1",
                Some("write `fabrik: 1`".to_owned()),
            ),
        },
    }
    if let Some(node) = base.get("requires") {
        super::requires::check(node, request.version, report);
    }
    for name in ["name", "description"] {
        if let Some(node) = base.get(name)
            && node.scalar().is_none()
        {
            let text = format!("`{name}` takes text, not {}", node.kind_name());
            report.error(codes::WRONG_TYPE, node.span, text, None);
        }
    }
    let Some(node) = base.get("id") else {
        report.error(
            codes::MISSING_FIELD,
            base.head(),
            "`id` is missing",
            Some("add `id: NAME`; state is kept under it".to_owned()),
        );
        return None;
    };
    id(node, "the stack", report)
}

/// Refuses unknown and not yet implemented keys.
pub(super) fn top_keys(node: &Node, layer: bool, report: &mut Report) {
    for entry in node.entries().into_iter().flatten() {
        let found = TOP.iter().find(|top| top.name == &*entry.key);
        match found {
            _ if entry.key.starts_with("x-") => {}
            Some(top) if !top.ready => not_yet(&entry.key, entry.key_span, report),
            Some(top) if layer && !top.per_env => report.error(
                codes::UNKNOWN_FIELD,
                entry.key_span,
                format!("`{}` cannot differ between environments", entry.key),
                Some("write it at the top level of the spec".to_owned()),
            ),
            Some(_) => {}
            None => {
                let help = report.suggest(
                    &entry.key,
                    TOP.iter()
                        .filter(|top| !layer || top.per_env)
                        .map(|top| top.name),
                );
                let help = help
                    .filter(|help| help.starts_with("did you mean"))
                    .or_else(|| {
                        Some("what an app takes stands below `apps: { KEY: … }`".to_owned())
                    });
                let text = format!("unknown field `{}`", entry.key);
                report.error(codes::UNKNOWN_FIELD, entry.key_span, text, help);
            }
        }
    }
}

/// Says that a field is not implemented.
pub(super) fn not_yet(name: &str, span: Span, report: &mut Report) {
    report.error(
        codes::NOT_YET,
        span,
        format!("`{name}` is not implemented yet"),
        Some("leave it out; a later version of Fabrik will read it".to_owned()),
    );
}
