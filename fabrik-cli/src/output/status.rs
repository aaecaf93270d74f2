//! How a stack is.

use fabrik_core::state::{HeldLease, RunResult};
use jiff::Timestamp;
use serde::Serialize;

use super::style::{Line, Style, Tone};
use super::table::Table;
use super::text;

/// How something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Broken.
    Bad,
    /// Not known.
    #[default]
    Unknown,
}

impl Health {
    fn tone(self) -> Tone {
        match self {
            Health::Good => Tone::Good,
            Health::Warn => Tone::Warn,
            Health::Bad => Tone::Bad,
            Health::Unknown => Tone::Dim,
        }
    }
}

/// An app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AppStatus {
    /// Its key.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// How it is.
    pub health: Health,
    /// How it is, in a word: `running`.
    pub state: String,
    /// What identifies the running version.
    pub version: String,
    /// Where it answers.
    pub url: String,
    /// Checks that held, and all checks.
    pub checks: Option<(usize, usize)>,
    /// What is worth saying besides: `tls 9d left`.
    pub note: String,
}

/// A resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ResourceStatus {
    /// Its address.
    pub address: String,
    /// Its full type name.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The service's id.
    pub id: String,
    /// How it is.
    pub health: Health,
    /// How it is, in a word: `ok`, `changed outside`, `gone`, `retired`, `incomplete`, `unsure`.
    pub state: String,
}

/// What is known of changes outside Fabrik.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftStatus {
    /// Nothing was read.
    #[default]
    Unknown,
    /// Nothing differs.
    None,
    /// These addresses differ.
    Some(Vec<String>),
}

/// The last run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastRun {
    /// When it ended, or began when it has no end.
    pub at: Timestamp,
    /// Who ran it.
    pub who: String,
    /// How it ended; `None` when it did not.
    pub result: Option<RunResult>,
}

/// A stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StackStatus {
    /// Its name as shown: `shop/production`.
    pub name: String,
    /// Its revision; 0 when nothing was applied yet.
    pub revision: u64,
    /// The last run.
    pub last: Option<LastRun>,
    /// Its apps.
    pub apps: Vec<AppStatus>,
    /// Its resources; shown when there are no apps, or when asked for.
    pub resources: Vec<ResourceStatus>,
    /// Changes outside.
    pub drift: DriftStatus,
    /// Who holds the lock.
    pub lock: Option<HeldLease>,
    /// Whether objects in state wait for a person or a further run.
    pub attention: Vec<String>,
}

/// How to show a [`StackStatus`].
#[derive(Clone, Copy, Debug)]
pub struct StatusStyle {
    /// Colour and width.
    pub style: Style,
    /// What relative times are relative to.
    pub now: Timestamp,
    /// List resources also when there are apps.
    pub resources: bool,
}

/// The status as a person reads it.
pub fn render(status: &StackStatus, style: &StatusStyle) -> String {
    let mut out = String::new();
    let mut line = |line: &Line| {
        out.push_str(&line.render(style.style));
        out.push('\n');
    };
    line(&head(status, style));
    if !status.apps.is_empty() {
        out.push_str(&apps(&status.apps).render(style.style));
    }
    if !status.resources.is_empty() && (style.resources || status.apps.is_empty()) {
        if !status.apps.is_empty() {
            out.push('\n');
        }
        out.push_str(&resources(&status.resources).render(style.style));
    }
    for text in &status.attention {
        let line = Line::default()
            .add(Tone::Warn, "! ")
            .plain(text::one_line(text));
        out.push_str(&(line.render(style.style) + "\n"));
    }
    out.push_str(&(foot(status, style).render(style.style) + "\n"));
    out
}

fn head(status: &StackStatus, style: &StatusStyle) -> Line {
    let mut line = Line::default().add(Tone::Strong, text::one_line(&status.name));
    if status.revision == 0 {
        line.push(Tone::Plain, "  nothing applied yet");
    } else {
        line.push(Tone::Plain, format!("  rev {}", status.revision));
    }
    if let Some(last) = &status.last {
        let when = text::ago(last.at, style.now);
        let who = text::one_line(&last.who);
        line.push(Tone::Plain, format!("  {when} by {who}  "));
        let (tone, word) = match last.result {
            Some(RunResult::Succeeded) => (Tone::Good, "ok"),
            Some(RunResult::CheckFailed) => (Tone::Warn, "check failed"),
            Some(RunResult::RolledBack) => (Tone::Warn, "rolled back"),
            Some(RunResult::Interrupted) => (Tone::Warn, "interrupted"),
            Some(RunResult::Failed) => (Tone::Bad, "failed"),
            Some(RunResult::Stuck) => (Tone::Bad, "stuck"),
            None => (Tone::Warn, "not ended"),
        };
        line.push(tone, word);
    }
    line
}

fn apps(apps: &[AppStatus]) -> Table {
    let mut table = Table::new(["APP", "KIND", "STATE", "VERSION", "URL", "CHECKS", ""]).keep(4);
    for app in apps {
        let (passed, tone) = match app.checks {
            None => (String::new(), Tone::Plain),
            Some((passed, total)) if passed < total => (format!("{passed}/{total}"), Tone::Bad),
            Some((passed, total)) => (format!("{passed}/{total}"), Tone::Good),
        };
        let note = match (app.note.as_str(), app.health) {
            ("", _) => String::new(),
            (note, Health::Bad) => format!("✗ {note}"),
            (note, Health::Warn) => format!("! {note}"),
            (note, _) => note.to_owned(),
        };
        table.row([
            (Tone::Strong, app.name.clone()),
            (Tone::Plain, app.kind.clone()),
            (app.health.tone(), app.state.clone()),
            (Tone::Plain, app.version.clone()),
            (Tone::Hint, app.url.clone()),
            (tone, passed),
            (app.health.tone(), note),
        ]);
    }
    table
}

fn resources(resources: &[ResourceStatus]) -> Table {
    let mut table = Table::new(["RESOURCE", "TYPE", "STATE", "ID"]);
    for resource in resources {
        table.row([
            (Tone::Plain, resource.address.clone()),
            (Tone::Dim, resource.type_name.clone()),
            (resource.health.tone(), resource.state.clone()),
            (Tone::Dim, resource.id.clone()),
        ]);
    }
    table
}

fn foot(status: &StackStatus, style: &StatusStyle) -> Line {
    let mut line = Line::default().plain("drift: ");
    match &status.drift {
        DriftStatus::Unknown => line.push(Tone::Dim, "not looked for (fabrik status --refresh)"),
        DriftStatus::None => line.push(Tone::Good, "none"),
        DriftStatus::Some(addresses) => {
            let mut names: Vec<String> = addresses
                .iter()
                .take(3)
                .map(|it| text::one_line(it))
                .collect();
            if addresses.len() > 3 {
                names.push(format!("{} more", addresses.len() - 3));
            }
            line.push(Tone::Warn, names.join(", "));
        }
    }
    line.push(Tone::Plain, "      lock: ");
    match &status.lock {
        None => line.push(Tone::Good, "free"),
        Some(held) => line.push(
            Tone::Warn,
            format!(
                "{} on {} (pid {}), {}",
                text::one_line(&held.holder.who),
                text::one_line(&held.holder.host),
                held.holder.pid,
                text::ago(held.since, style.now)
            ),
        ),
    }
    line
}
