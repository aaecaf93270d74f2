//! What makes one kind of check.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value as Json;

use crate::provider::Cx;

/// Makes one kind of check, once per call.
///
/// # Behaviour
/// - A call is one try; [`super::run_checks`] repeats it.
/// - A call ends by itself, within [`Cx::time_left`] where that is given.
/// - Nothing is changed by a check.
/// - Evidence is one line for people: what was asked and what was seen, without secrets where it
///   can be helped (the runner removes those of the spec).
#[async_trait]
pub trait Checker: Send + Sync {
    /// The kind, as in [`crate::stack::CheckDecl::kind`].
    fn kind(&self) -> &str;

    /// JSON Schema of the check's spec.
    fn schema(&self) -> Json;

    /// The field of the spec that a scalar stands for: with `url`, the short form `http: X` means
    /// `{kind: http, spec: {url: X}}`. `None`: there is no short form.
    fn subject(&self) -> Option<&'static str> {
        None
    }

    /// Tries once: evidence when it holds.
    ///
    /// # Errors
    /// When it does not hold, with what was seen instead.
    async fn check(&self, cx: &Cx, spec: &Json) -> Result<String, CheckFailure>;
}

/// Why a try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckFailure {
    /// What was seen: `connection refused at 127.0.0.1:8080`.
    pub seen: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Trying again cannot help, for example because the spec is wrong.
    pub fatal: bool,
}

impl CheckFailure {
    /// A failure that may pass by waiting.
    pub fn new(seen: impl Into<String>) -> CheckFailure {
        CheckFailure {
            seen: seen.into(),
            hint: None,
            fatal: false,
        }
    }

    /// A failure that waiting will not mend.
    pub fn fatal(seen: impl Into<String>) -> CheckFailure {
        CheckFailure {
            fatal: true,
            ..CheckFailure::new(seen)
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> CheckFailure {
        self.hint = Some(hint.into());
        self
    }
}

/// The checkers a program has, by kind.
#[derive(Clone, Default)]
pub struct Checkers(BTreeMap<Arc<str>, Arc<dyn Checker>>);

impl Checkers {
    /// No checkers.
    pub fn new() -> Checkers {
        Checkers::default()
    }

    /// Adds a checker; one of the same kind is replaced.
    #[must_use]
    pub fn with(mut self, checker: impl Checker + 'static) -> Checkers {
        self.add(Arc::new(checker));
        self
    }

    /// Adds a checker; one of the same kind is replaced.
    pub fn add(&mut self, checker: Arc<dyn Checker>) {
        self.0.insert(checker.kind().into(), checker);
    }

    /// The checker of a kind.
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn Checker>> {
        self.0.get(kind)
    }

    /// Every kind, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(AsRef::as_ref)
    }
}

impl std::fmt::Debug for Checkers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
