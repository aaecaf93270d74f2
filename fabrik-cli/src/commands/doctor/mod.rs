//! `fabrik doctor`.

mod providers;
mod state;

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::{Tone, text};
use crate::place::{Place, Project};
use crate::session::Session;
use crate::spec;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Ok,
    Warn,
    Fail,
    Skip,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "FAIL",
            Verdict::Skip => "skip",
        }
    }

    fn tone(self) -> Tone {
        match self {
            Verdict::Ok => Tone::Good,
            Verdict::Warn => Tone::Warn,
            Verdict::Fail => Tone::Bad,
            Verdict::Skip => Tone::Dim,
        }
    }
}

/// One check: what was looked at, how it is, and what to do.
struct Check {
    name: String,
    verdict: Verdict,
    text: String,
    fix: Option<String>,
}

impl Check {
    fn new(name: impl Into<String>, verdict: Verdict, text: impl Into<String>) -> Check {
        Check {
            name: name.into(),
            verdict,
            text: text.into(),
            fix: None,
        }
    }

    fn fix(mut self, fix: impl Into<String>) -> Check {
        self.fix = Some(fix.into());
        self
    }

    /// A check that failed with an error, which says itself what to do.
    fn failed(name: impl Into<String>, error: &fabrik_core::error::Error) -> Check {
        let mut text = error.to_string();
        for cause in error.causes() {
            text.push_str(": ");
            text.push_str(cause);
        }
        let check = Check::new(name, Verdict::Fail, text);
        match error.hint_text() {
            Some(hint) => check.fix(hint),
            None => check,
        }
    }
}

/// Checks, in order, everything Fabrik needs.
pub(super) async fn doctor(session: &mut Session, args: &DoctorArgs) -> Done {
    let mut checks = vec![settings(session)];
    let (project, place) = find(session, args, &mut checks).await;
    if let Some(place) = &place {
        state::check(session, place, &mut checks).await;
    }
    match &project {
        Some(project) => providers::check(session, project, &mut checks).await,
        None => checks.push(
            Check::new("providers", Verdict::Skip, "known once the spec is valid")
                .fix("`fabrik validate`"),
        ),
    }
    checks.push(state::clock(session, place.as_ref()).await);
    show(session, &checks)?;
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    Ok(if failed { Exit::FAILED } else { Exit::DONE })
}

/// What the program goes by, and where that comes from.
fn settings(session: &Session) -> Check {
    let settings = &session.settings;
    let mut parts = vec![format!("fabrik {}", env!("CARGO_PKG_VERSION"))];
    parts.push(format!(
        "environment {} ({})",
        settings.env.value, settings.env.origin
    ));
    if let Some(state) = &settings.state {
        parts.push(format!(
            "state {} ({})",
            state.value.display(),
            state.origin
        ));
    }
    let names: Vec<&str> = session
        .registry
        .providers()
        .map(|provider| &*provider.info().name)
        .collect();
    parts.push(format!("providers {}", names.join(", ")));
    Check::new("program", Verdict::Ok, parts.join("; "))
}

/// The spec, and the place of its state even when the spec has mistakes.
async fn find(
    session: &Session,
    args: &DoctorArgs,
    checks: &mut Vec<Check>,
) -> (Option<Project>, Option<Place>) {
    let named = args.target.spec.as_deref();
    let path = match session.find(named) {
        Ok(path) => path,
        Err(error) => {
            checks.push(Check::failed("spec", &error));
            return (None, session.locate(named).ok());
        }
    };
    let place = spec::name_of(&path).map(|name| session.place(&path, &name));
    let loaded = match session.read(&path).await {
        Ok(loaded) => loaded,
        Err(error) => {
            checks.push(Check::failed("spec", &error));
            return (None, place.ok());
        }
    };
    let (errors, warnings) = spec::counts(&loaded.diagnostics);
    let Some(stack) = loaded.stack else {
        let text = format!("{} in `{}`", text::count(errors, "error"), path.display());
        checks.push(Check::new("spec", Verdict::Fail, text).fix("`fabrik validate` shows them"));
        return (None, place.ok());
    };
    let text = format!(
        "`{}`: {}, {}",
        path.display(),
        stack.display_name(),
        text::count(stack.resources.len(), "resource")
    );
    checks.push(if warnings == 0 {
        Check::new("spec", Verdict::Ok, text)
    } else {
        let text = format!("{text}, {}", text::count(warnings, "warning"));
        Check::new("spec", Verdict::Warn, text).fix("`fabrik validate` shows them")
    });
    let place = session.place(&path, &stack.name);
    let project = Project {
        stack: stack.into(),
        place: place.clone(),
    };
    (Some(project), Some(place))
}

fn show(session: &mut Session, checks: &[Check]) -> Done<()> {
    let redactors = session.redactors.clone();
    let clean = |text: &str| text::printable(&redactors.clean(text));
    if session.is_machine() {
        let all: Vec<Json> = checks
            .iter()
            .map(|check| {
                json!({
                    "name": check.name,
                    "status": check.verdict.word().to_lowercase(),
                    "text": clean(&check.text),
                    "fix": check.fix.as_deref().map(clean),
                })
            })
            .collect();
        session
            .out
            .structured(&json!({"v": 1, "version": env!("CARGO_PKG_VERSION"), "checks": all}))?;
        return Ok(());
    }
    let style = session.out.data_style();
    let names = checks.iter().map(|check| text::width(&check.name));
    let column = names.max().unwrap_or(0) + 2;
    let room = style.columns().saturating_sub(column + 6).max(20);
    let mut page = String::new();
    for check in checks {
        let word = format!("{:<6}", check.verdict.word());
        let fix = check.fix.iter().map(|fix| format!("→ {}", clean(fix)));
        let lines = std::iter::once(clean(&check.text)).chain(fix);
        let wrapped = lines.flat_map(|line| text::wrap(&line, room));
        for (index, line) in wrapped.enumerate() {
            if index == 0 {
                let name = text::pad(&check.name, column);
                _ = writeln!(
                    page,
                    "{name}{}{line}",
                    style.paint(check.verdict.tone(), &word)
                );
            } else {
                _ = writeln!(page, "{}{line}", " ".repeat(column + 6));
            }
        }
    }
    session.out.data(&page)?;
    Ok(())
}
