//! The one error of the library.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostics;
use crate::value::Path;

/// A result with the library's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in a form to match on. Callers match on this, never on text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller's or user's input is wrong; [`Error::diagnostics`] may hold every mistake.
    Invalid,
    /// Credentials are missing or wrong.
    Auth,
    /// Credentials lack a permission.
    Permission,
    /// What was asked for does not exist.
    NotFound,
    /// The name is taken, or the object changed meanwhile.
    Conflict,
    /// The service or component cannot be reached.
    Unavailable,
    /// An operation did not end within its budget.
    Timeout,
    /// The service asks to slow down.
    RateLimited,
    /// A quota or limit of the service is reached.
    Quota,
    /// This service, version or provider cannot do it.
    Unsupported,
    /// Another run holds the stack's lock.
    Locked,
    /// The run's lease was taken over; it may write nothing more.
    LeaseLost,
    /// The plan was made from another state, spec or provider version.
    Stale,
    /// The plan would lose data, or touches something protected, without being allowed to.
    Refused,
    /// A file or disk failed.
    Io,
    /// Stored data is damaged.
    Corrupt,
    /// Stored data was written by a newer version.
    Newer,
    /// Stopped on request.
    Cancelled,
    /// A value needed now is not known yet.
    Unresolved,
    /// A check after apply failed.
    CheckFailed,
    /// A provider broke its contract.
    Misbehaved,
    /// A provider panicked.
    Panicked,
    /// A remote object may or may not exist, and cannot be found out.
    Unsure,
    /// A bug in Fabrik.
    Unexpected,
}

/// What a failed mutating call did to the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing was changed.
    None,
    /// Something was made; the checkpoint says what exists.
    Partial,
    /// Not known: the request may have landed, or may land later.
    #[default]
    Unknown,
}

/// The library's error: a kind to match on, and everything a person needs to act.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    effect: Effect,
    temporary: bool,
    retry_after: Option<Duration>,
    operation: Option<Cow<'static, str>>,
    message: String,
    context: Vec<(Cow<'static, str>, String)>,
    hint: Option<String>,
    field: Option<Path>,
    code: Option<&'static str>,
    causes: Vec<String>,
    log_tail: Vec<String>,
    diagnostics: Option<Diagnostics>,
}

impl Error {
    /// An error of a kind. The message is a lower-case fragment that fits after "failed: ".
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let effect = match kind {
            ErrorKind::Invalid
            | ErrorKind::Auth
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::Conflict
            | ErrorKind::RateLimited
            | ErrorKind::Quota
            | ErrorKind::Unsupported
            | ErrorKind::Unresolved => Effect::None,
            _ => Effect::Unknown,
        };
        Error(Box::new(Inner {
            kind,
            effect,
            temporary: matches!(
                kind,
                ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::RateLimited
            ),
            retry_after: None,
            operation: None,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            field: None,
            code: None,
            causes: Vec::new(),
            log_tail: Vec::new(),
            diagnostics: None,
        }))
    }

    /// Mistakes of a user, with their places.
    pub fn from_diagnostics(diagnostics: Diagnostics) -> Error {
        let message = diagnostics
            .first_error()
            .unwrap_or("invalid input")
            .to_owned();
        let mut error = Error::new(ErrorKind::Invalid, message);
        error.0.diagnostics = Some(diagnostics);
        error
    }

    /// States the effect of a failed mutating call. Unless stated, it follows from the kind:
    /// refusals had none, everything else is unknown.
    #[must_use]
    pub fn effect(mut self, effect: Effect) -> Error {
        self.0.effect = effect;
        self
    }

    /// States whether trying again may help.
    #[must_use]
    pub fn temporary(mut self, temporary: bool) -> Error {
        self.0.temporary = temporary;
        self
    }

    /// States how long the service asks to wait.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Error {
        self.0.retry_after = Some(wait);
        self.0.temporary = true;
        self
    }

    /// Names the operation that failed; an operation named before becomes context.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<Cow<'static, str>>) -> Error {
        if let Some(inner) = self.0.operation.replace(operation.into()) {
            self.0.context.push(("called".into(), inner.into_owned()));
        }
        self
    }

    /// Adds a fact worth knowing, such as a request id or a file.
    #[must_use]
    pub fn context(mut self, key: impl Into<Cow<'static, str>>, value: impl fmt::Display) -> Error {
        self.0.context.push((key.into(), value.to_string()));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Points at the field of the spec that is at fault.
    #[must_use]
    pub fn field(mut self, field: Path) -> Error {
        self.0.field = Some(field);
        self
    }

    /// The code of the page that explains it.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Error {
        self.0.code = Some(code);
        self
    }

    /// Adds a deeper cause.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Error {
        self.0.causes.push(cause.to_string());
        self
    }

    /// Adds the last lines of a build or service log.
    #[must_use]
    pub fn log_tail(mut self, lines: impl IntoIterator<Item = String>) -> Error {
        self.0.log_tail = lines.into_iter().collect();
        self
    }

    /// The kind, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What a mutating call that failed with this did.
    pub fn effect_of(&self) -> Effect {
        self.0.effect
    }

    /// Whether trying again may help.
    pub fn is_temporary(&self) -> bool {
        self.0.temporary
    }

    /// How long the service asked to wait.
    pub fn wait(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What to do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The field of the spec at fault.
    pub fn field_path(&self) -> Option<&Path> {
        self.0.field.as_ref()
    }

    /// The code of the page that explains it.
    pub fn code_text(&self) -> Option<&'static str> {
        self.0.code
    }

    /// Deeper causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// Last log lines.
    pub fn log_lines(&self) -> &[String] {
        &self.0.log_tail
    }

    /// Context pairs in the order added.
    pub fn context_pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .context
            .iter()
            .map(|(key, value)| (key.as_ref(), value.as_str()))
    }

    /// The operation that failed.
    pub fn operation_name(&self) -> Option<&str> {
        self.0.operation.as_deref()
    }

    /// Every mistake with its place, when the error is about a user's input.
    pub fn diagnostics(&self) -> Option<&Diagnostics> {
        self.0.diagnostics.as_ref()
    }

    /// Gives diagnostics the texts their places point into, when they have none.
    #[must_use]
    pub fn with_sources(mut self, sources: &crate::diagnostic::SourceMap) -> Error {
        if let Some(diagnostics) = &mut self.0.diagnostics
            && diagnostics.sources.files().is_empty()
        {
            diagnostics.sources = sources.clone();
        }
        self
    }

    /// A copy with every text passed through `clean`: for removing secrets.
    #[must_use]
    pub fn map_text(mut self, clean: &dyn Fn(&str) -> String) -> Error {
        let inner = &mut self.0;
        inner.message = clean(&inner.message);
        if let Some(hint) = &mut inner.hint {
            *hint = clean(hint);
        }
        for text in inner.causes.iter_mut().chain(&mut inner.log_tail) {
            *text = clean(text);
        }
        for (_, text) in &mut inner.context {
            *text = clean(text);
        }
        self
    }

    /// The serialisable form for events and the journal.
    pub fn report(&self) -> ErrorReport {
        ErrorReport {
            kind: self.0.kind,
            effect: self.0.effect,
            message: self.0.message.clone(),
            operation: self.0.operation.as_ref().map(ToString::to_string),
            context: self
                .0
                .context
                .iter()
                .map(|(key, value)| (key.to_string(), value.clone()))
                .collect(),
            hint: self.0.hint.clone(),
            field: self.0.field.clone(),
            code: self.0.code.map(str::to_owned),
            causes: self.0.causes.clone(),
            log_tail: self.0.log_tail.clone(),
        }
    }
}

/// An [`Error`] as recorded in events, the journal and history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The kind.
    pub kind: ErrorKind,
    /// What the failed call did.
    #[serde(default)]
    pub effect: Effect,
    /// The message.
    pub message: String,
    /// The operation that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Facts worth knowing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<(String, String)>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The field of the spec at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Path>,
    /// The code of the page that explains it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Deeper causes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// Last log lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log_tail: Vec<String>,
}

impl From<&ErrorReport> for Error {
    fn from(report: &ErrorReport) -> Self {
        let mut error = Error::new(report.kind, report.message.clone()).effect(report.effect);
        error.0.hint.clone_from(&report.hint);
        error.0.field.clone_from(&report.field);
        error.0.operation = report.operation.clone().map(Cow::Owned);
        error.0.causes.clone_from(&report.causes);
        error.0.log_tail.clone_from(&report.log_tail);
        error.0.context = report
            .context
            .iter()
            .map(|(key, value)| (Cow::Owned(key.clone()), value.clone()))
            .collect();
        error
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operation) = &self.0.operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        for (key, value) in &self.0.context {
            write!(f, "\n  {key}: {value}")?;
        }
        for cause in &self.0.causes {
            write!(f, "\n  caused by: {cause}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\n  help: {hint}")?;
        }
        if let Some(diagnostics) = &self.0.diagnostics {
            write!(f, "\n{diagnostics:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
