//! A Compose file with the places of what stands in it.

use std::collections::BTreeMap;

use fabrik_core::codes;
use fabrik_core::diagnostic::{Diagnostic, Severity, Span};
use fabrik_core::spec::node::Node;
use fabrik_core::spec::parse;
use fabrik_core::value::Path;

use crate::interpolate::{self, Wanted};
use crate::model::File;
use crate::pages;
use crate::read::Reader;
use crate::shape::FILE;

/// A Compose file that was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub file: File,
    /// Where it says it.
    root: Node,
}

impl Document {
    /// Where a path such as `services.web.image` stands: the value, or with `key` the key.
    pub fn span(&self, path: &Path, key: bool) -> Span {
        self.root.locate(path, key)
    }

    /// The variables that its texts use, by name.
    pub fn variables(&self) -> BTreeMap<String, Wanted> {
        let mut found = BTreeMap::new();
        interpolate::wanted(&self.root, &mut found);
        found
    }
}

/// Reads a Compose file. Variables stay as they stand. `base` is the offset of the text in a
/// [`SourceMap`](fabrik_core::diagnostic::SourceMap); mistakes are added to `found`, and with an
/// error among them there is no document.
pub fn parse(text: &str, base: u32, found: &mut Vec<Diagnostic>) -> Option<Document> {
    let root = tree(text, base, found)?;
    let mut problems = Vec::new();
    unreadable(&root, &mut problems);
    tell(problems, found);
    document(root, found)
}

/// Reads a Compose file and fills its variables in.
pub fn parse_with(
    text: &str,
    base: u32,
    variables: &dyn Fn(&str) -> Option<String>,
    found: &mut Vec<Diagnostic>,
) -> Option<Document> {
    let mut root = tree(text, base, found)?;
    let mut problems = Vec::new();
    interpolate::fill_tree(&mut root, variables, &mut problems);
    tell(problems, found);
    document(root, found)
}

fn tree(text: &str, base: u32, found: &mut Vec<Diagnostic>) -> Option<Node> {
    let before = found.len();
    let node = parse::parse(text, base, found);
    for diagnostic in &mut found[before..] {
        if diagnostic.code == codes::EMPTY {
            diagnostic.help = vec!["a Compose file has a map `services`".to_owned()];
        } else if diagnostic.code == codes::DOCUMENTS {
            diagnostic.help = vec!["a Compose file is one document: remove the `---`".to_owned()];
        }
    }
    node
}

fn unreadable(node: &Node, problems: &mut Vec<(Span, interpolate::Problem)>) {
    if let Some(text) = node.as_text()
        && let Err(problem) = interpolate::pieces(text)
    {
        problems.push((node.span, problem));
    }
    for item in node.items().unwrap_or_default() {
        unreadable(item, problems);
    }
    for entry in node.entries().unwrap_or_default() {
        unreadable(&entry.value, problems);
    }
}

fn tell(problems: Vec<(Span, interpolate::Problem)>, found: &mut Vec<Diagnostic>) {
    for (span, problem) in problems {
        let diagnostic = Diagnostic::error(pages::VARIABLE, problem.message);
        found.push(diagnostic.at(Some(span), "").help(problem.hint));
    }
}

fn document(root: Node, found: &mut Vec<Diagnostic>) -> Option<Document> {
    let read = Reader { found }.block(&root, &FILE, "a Compose file");
    if root.entries().is_some() && root.get("services").is_none() && root.get("include").is_none() {
        let span = Span {
            start: root.span.start,
            end: root.span.start,
        };
        let missing = Diagnostic::error(codes::MISSING_FIELD, "`services` is missing");
        found.push(
            missing
                .at(Some(span), "")
                .help("a Compose file has a map `services`"),
        );
    }
    if found.iter().any(|one| one.severity == Severity::Error) {
        return None;
    }
    match serde_json::from_value(read) {
        Ok(file) => Some(Document { file, root }),
        // The tables and the model disagree: a mistake of ours, and better said than hidden.
        Err(error) => {
            let text = format!("this file cannot be taken in: {error}");
            found.push(Diagnostic::error(codes::WRONG_TYPE, text).at(Some(root.head()), ""));
            None
        }
    }
}
