//! `fabrik export`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use fabrik_compose::App;
use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::expr::{self, Target};
use serde_json::json;

use crate::args::{ExportArgs, ExportCommand, ExportComposeArgs};
use crate::exit::Exit;
use crate::fail::Done;
use crate::session::Session;
use crate::spec;

/// Writes a stack out.
pub(super) async fn export(session: &mut Session, args: &ExportArgs) -> Done {
    match &args.command {
        ExportCommand::Compose(args) => compose(session, args).await,
    }
}

/// Whatever the apps run on, they are rendered as Compose runs them.
async fn compose(session: &mut Session, args: &ExportComposeArgs) -> Done {
    let path = session.find(None)?;
    let choices = session.choices(&path).await?;
    let dir = path.parent().unwrap_or(&session.settings.dir).to_path_buf();
    let registry = fabrik_compose::recording(&session.registry_at(&dir));
    let loaded = spec::load_with(session, &path, choices, &registry)?;
    let stack = spec::accept(session, loaded)?;
    let mut apps = fabrik_compose::recorded(&stack);
    if let Some(name) = &args.app {
        apps = with_databases(apps, name)?;
    } else if apps.is_empty() {
        let message = format!(
            "{} has no apps that Compose could run",
            stack.display_name()
        );
        return Err(Error::new(ErrorKind::NotFound, message).into());
    }
    let rendered = fabrik_compose::render(Some(&project(&stack.name)), &apps)?;
    let text = fabrik_compose::write(&rendered.file);
    if session.is_machine() {
        session.out.structured(&json!({
            "v": 1,
            "compose": text,
            "needs": rendered.needs,
            "notes": rendered.notes,
        }))?;
        return Ok(Exit::DONE);
    }
    session.out.data(&text)?;
    for note in &rendered.notes {
        session.out.warning(note)?;
    }
    if !rendered.needs.is_empty() {
        let mut lines = String::from("to be set where the file is used, in `.env` say:\n");
        for (name, what) in &rendered.needs {
            _ = writeln!(lines, "  {name}  {what}");
        }
        session.out.message(lines.trim_end())?;
    }
    Ok(Exit::DONE)
}

/// The names of projects have small letters.
fn project(id: &str) -> String {
    id.to_ascii_lowercase()
}

/// One app, and the apps that it refers to.
fn with_databases(apps: Vec<App>, name: &str) -> Result<Vec<App>> {
    let name = name.strip_prefix("apps.").unwrap_or(name);
    let Some(first) = apps.iter().position(|app| app.name == name) else {
        let known: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
        let error = Error::new(ErrorKind::NotFound, format!("there is no app `{name}`"));
        return Err(match did_you_mean(name, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("apps here: {}", known.join(", "))),
        });
    };
    let mut chosen = BTreeSet::from([first]);
    let mut open = vec![first];
    while let Some(index) = open.pop() {
        for reference in expr::references(&apps[index].intent) {
            let Target::Resource(address) = &reference.target else {
                continue;
            };
            let other = apps
                .iter()
                .position(|app| app.address.as_ref() == Some(address));
            if let Some(other) = other.filter(|other| chosen.insert(*other)) {
                open.push(other);
            }
        }
    }
    let apps = apps.into_iter().enumerate();
    Ok(apps
        .filter(|(index, _)| chosen.contains(index))
        .map(|(_, app)| app)
        .collect())
}
