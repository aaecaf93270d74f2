//! What is wrong with a Compose file, and what will go wrong with it on a platform.

mod refer;
mod serve;

use fabrik_core::diagnostic::{Diagnostic, Severity};
use fabrik_core::value::{Path, Segment};

use crate::document::Document;
use crate::model::{File, Service};
use crate::pages;

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule: a code that [`explain`](crate::explain) knows.
    pub code: &'static str,
    /// An error where Compose refuses the file; a warning where it takes it.
    pub severity: Severity,
    /// Where: `services.web.ports[0]`.
    pub path: Path,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

/// Everything wrong with a file, in the order of the file's parts.
///
/// Errors are what Compose refuses. Warnings are what makes trouble on a platform with a proxy of
/// its own, which is where Fabrik's files go.
pub fn lint(file: &File) -> Vec<Finding> {
    let mut found = Findings::default();
    if file.other.contains_key("version") {
        found.warn(
            pages::OBSOLETE,
            Path::key("version"),
            "`version` means nothing any more".to_owned(),
            "remove it",
        );
    }
    refer::check(file, &mut found);
    for (name, service) in &file.services {
        serve::check(file, name, service, &mut found);
    }
    refer::unused(file, &mut found);
    found.0
}

/// Everything wrong with a file, each thing with its place.
pub fn diagnose(document: &Document) -> Vec<Diagnostic> {
    lint(&document.file)
        .into_iter()
        .map(|finding| {
            let new = match finding.severity {
                Severity::Error => Diagnostic::error,
                Severity::Warning => Diagnostic::warning,
            };
            let span = document.span(&finding.path, true);
            new(finding.code, finding.message)
                .at(Some(span), "")
                .path(finding.path)
                .help(finding.hint)
        })
        .collect()
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(
        &mut self,
        code: &'static str,
        severity: Severity,
        path: Path,
        message: String,
        hint: impl Into<String>,
    ) {
        self.0.push(Finding {
            code,
            severity,
            path,
            message,
            hint: hint.into(),
        });
    }

    fn error(&mut self, code: &'static str, path: Path, message: String, hint: impl Into<String>) {
        self.add(code, Severity::Error, path, message, hint);
    }

    fn warn(&mut self, code: &'static str, path: Path, message: String, hint: impl Into<String>) {
        self.add(code, Severity::Warning, path, message, hint);
    }
}

fn service_path(name: &str) -> Path {
    Path::key("services").join(name)
}

fn item(path: &Path, index: usize) -> Path {
    let mut path = path.clone();
    path.push(Segment::Index(index));
    path
}

/// Whether a service ends by itself: it is not to be started again, or others wait for its end.
fn is_job(file: &File, name: &str, service: &Service) -> bool {
    let ends = service
        .restart
        .as_deref()
        .is_some_and(|policy| policy == "no" || policy.starts_with("on-failure"));
    ends || file.services.values().any(|other| {
        other.depends_on.get(name).is_some_and(|dependency| {
            dependency.condition.as_deref() == Some("service_completed_successfully")
        })
    })
}

/// Whether a health check is there and not turned off.
fn is_checked(service: &Service) -> bool {
    service.healthcheck.as_ref().is_some_and(|health| {
        let is_off = health.disable.as_ref().and_then(crate::Given::known) == Some(&true);
        let is_none = health
            .test
            .as_ref()
            .is_some_and(|test| test.text() == "NONE");
        !is_off && !is_none
    })
}
