//! The spec language: from YAML to a [`Stack`].
//!
//! [`load`] reads a document with its overlays and variables, checks everything it can know, and
//! gives the stack, or every mistake at once with its place. [`schema`] is the published JSON
//! Schema of the same language. Nothing here reads files or the environment.
//!
//! ```
//! use fabrik_core::provider::Registry;
//! use fabrik_core::spec::{LoadRequest, load};
//!
//! let registry = Registry::new();
//! let text = "fabrik: 1\nid: shop\nvars: { tag: \"1.4\" }\noutputs: { image: \"shop:${vars.tag}\" }\n";
//! let loaded = load(&LoadRequest::new(&registry, "fabrik.yaml", text.as_bytes()));
//! let stack = loaded.stack.expect("no mistakes");
//! assert_eq!(stack.outputs["image"].as_str(), Some("shop:1.4"));
//! ```

#![expect(
    clippy::single_match_else,
    reason = "both outcomes weigh the same, and a match shows them side by side"
)]

mod apps;
mod block;
mod budget;
mod checks;
mod document;
mod duration;
mod each;
mod expand;
pub mod expression;
mod fields;
mod kind;
mod load;
mod lower;
mod merge;
pub mod node;
mod notify;
mod offsets;
mod options;
mod order;
pub mod parse;
mod place;
mod providers;
mod publish;
mod reach;
mod report;
mod requires;
mod resolve;
mod resources;
mod roles;
mod scalars;
mod secrets;
mod shape;
mod syntax;
mod targets;
mod text;
mod top;
mod vars;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::error::{Error, ErrorKind, Result};
use crate::provider::Registry;
use crate::role::{Files, NoFiles};
use crate::stack::Stack;
use crate::verify::Checkers;

pub use fields::{Field, Section, fields};
pub use load::load;
pub use publish::schema;

/// A text a user wrote, as found.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// How to name it to the user.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Reads a file below the spec's folder, for `${file("PATH")}`.
pub type ReadFile<'a> = dyn Fn(&str) -> Result<String> + 'a;

/// What to load, and everything it may know.
#[derive(Clone)]
pub struct LoadRequest<'a> {
    /// The spec.
    pub file: Source<'a>,
    /// Overlay files (`NAME.ENV.yaml`), laid over it in order.
    pub overlays: Vec<Source<'a>>,
    /// The environment chosen; `None` is `default`.
    pub env: Option<&'a str>,
    /// Files of variables, laid over the spec's in order.
    pub var_files: Vec<Source<'a>>,
    /// `--var NAME=VALUE`, over everything else.
    pub vars: Vec<(String, String)>,
    /// The variables of the process, for `${env.X}` and for configurations the spec leaves out.
    pub variables: BTreeMap<String, String>,
    /// Providers and kinds of apps.
    pub registry: &'a Registry,
    /// Choices kept from earlier runs ([`Stack::choices`]).
    pub choices: BTreeMap<Arc<str>, Arc<str>>,
    /// How checks are made: their kinds and what they take. Without, the usual kinds are known and
    /// what they take is not checked.
    pub checkers: Option<&'a Checkers>,
    /// Templates and the kind of app each makes.
    pub templates: BTreeMap<String, String>,
    /// Reads files for `${file("PATH")}`; the path is relative, below the spec's folder.
    pub read_file: &'a ReadFile<'a>,
    /// The files of the spec's folder, for kinds of apps that read more than the spec.
    pub files: &'a dyn Files,
    /// The project the spec belongs to, for `${fabrik.project}`.
    pub project: Option<&'a str>,
    /// The version of Fabrik, for `requires`.
    pub version: &'a str,
}

impl<'a> LoadRequest<'a> {
    /// A spec alone: no environment, no overrides, and no files.
    pub fn new(registry: &'a Registry, name: &'a str, bytes: &'a [u8]) -> LoadRequest<'a> {
        LoadRequest {
            file: Source { name, bytes },
            overlays: Vec::new(),
            env: None,
            var_files: Vec::new(),
            vars: Vec::new(),
            variables: BTreeMap::new(),
            registry,
            choices: BTreeMap::new(),
            checkers: None,
            templates: BTreeMap::new(),
            read_file: &no_files,
            files: &NoFiles,
            project: None,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

impl std::fmt::Debug for LoadRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Variables may hold secrets, and are left out.
        f.debug_struct("LoadRequest")
            .field("file", &self.file.name)
            .field("env", &self.env)
            .finish_non_exhaustive()
    }
}

fn no_files(_: &str) -> Result<String> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "there are no files here",
    ))
}

/// What a spec gave.
#[derive(Debug)]
pub struct Loaded {
    /// The stack; `None` when there are errors.
    pub stack: Option<Stack>,
    /// Every mistake and warning, in the order of their places, with the texts.
    pub diagnostics: Diagnostics,
    /// The stack's id, also when there are errors.
    pub id: Option<Arc<str>>,
    /// The environments the spec names.
    pub environments: Vec<Arc<str>>,
}

impl Loaded {
    /// The stack, or every mistake as one error.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with [`Error::diagnostics`].
    pub fn into_stack(self) -> Result<Stack> {
        match self.stack {
            Some(stack) => Ok(stack),
            None => Err(Error::from_diagnostics(self.diagnostics)),
        }
    }
}
