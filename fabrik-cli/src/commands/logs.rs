//! `fabrik logs`.

use std::sync::Arc;
use std::time::Duration;

use fabrik_core::address::Address;
use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::engine::Engine;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::provider::{LogLine, LogOptions, Mode};
use fabrik_core::stack::{Declared, Stack};
use serde_json::json;

use crate::args::LogsArgs;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::text;
use crate::place::{Access, Project};
use crate::session::Session;
use crate::signals::{Signal, Signals};

/// Time between looks for new lines.
const POLL: Duration = Duration::from_millis(500);

/// Shows the log of an app or resource.
pub(super) async fn logs(session: &mut Session, args: &LogsArgs) -> Done {
    let (project, mut addresses) = subject(session, args.what.as_deref()).await?;
    if args.build {
        addresses = builds(session, &project, &addresses)?;
    }
    let engine = session.engine(&project.place, Access::Look).await?;
    let many = addresses.len() > 1;
    let mut sources: Vec<Source> = addresses
        .into_iter()
        .map(|address| Source {
            address,
            cursor: None,
        })
        .collect();
    let mut signals = args.follow.then(|| Signals::listen(session.world.process));
    let mut tail = Some(args.tail);
    loop {
        for source in &mut sources {
            let fetched = source.fetch(&engine, &project.stack, tail).await;
            let lines = fetched.map_err(|fail| no_log(&project.stack, &source.address, fail))?;
            print(session, &source.address, &lines, many)?;
        }
        tail = None;
        let Some(signals) = &mut signals else {
            return Ok(Exit::DONE);
        };
        tokio::select! {
            () = session.world.clock.sleep(POLL) => {}
            signal = signals.next() => if signal == Signal::Stop {
                return Ok(Exit::INTERRUPTED);
            },
        }
    }
}

/// Says of an app without a log why it has none.
fn no_log(stack: &Stack, address: &Address, fail: Fail) -> Fail {
    let Fail::Error(error) = &fail else {
        return fail;
    };
    let app = stack
        .apps
        .iter()
        .find(|app| app.logs.as_ref() == Some(address));
    match app {
        Some(app) if error.kind() == ErrorKind::Unsupported => {
            let name = app.address.as_str().trim_start_matches("apps.");
            let (why, hint) = match &*app.kind {
                "static" => (
                    "a static site runs no program of its own, so it has no log".to_owned(),
                    "`fabrik status` shows whether it answers; on the local provider, requests are in `.fabrik/local/logs/access.log`",
                ),
                kind => (
                    format!("what runs this {kind} keeps no log Fabrik can read"),
                    "look at the platform that runs it",
                ),
            };
            Error::new(ErrorKind::Unsupported, format!("{name}: {why}"))
                .hint(hint)
                .into()
        }
        _ => fail,
    }
}

/// A log, and how far it was read.
struct Source {
    address: Address,
    cursor: Option<String>,
}

impl Source {
    async fn fetch(
        &mut self,
        engine: &Engine,
        stack: &Arc<Stack>,
        tail: Option<usize>,
    ) -> Done<Vec<LogLine>> {
        let options = LogOptions {
            tail,
            after: self.cursor.clone(),
        };
        let lines = engine.logs(stack.clone(), &self.address, &options).await?;
        if let Some(last) = lines.last() {
            self.cursor = Some(last.cursor.clone());
        }
        Ok(lines)
    }
}

fn print(session: &mut Session, address: &Address, lines: &[LogLine], many: bool) -> Done<()> {
    for line in lines {
        let clean = session.redactors.clean(&line.text);
        if session.settings.is_json() {
            let event = json!({
                "v": 1,
                "type": "log_line",
                "address": address,
                "stream": line.stream,
                "line": clean,
                "message": format!("{address} | {clean}"),
            });
            session.out.data(&event.to_string())?;
        } else if many {
            session
                .out
                .data(&format!("{address} | {}", text::one_line(&clean)))?;
        } else {
            session.out.data(&text::one_line(&clean))?;
        }
    }
    Ok(())
}

/// What is meant: an app or address of the spec here, or another spec.
async fn subject(session: &mut Session, what: Option<&str>) -> Done<(Project, Vec<Address>)> {
    let Some(what) = what else {
        let project = session.load(None).await?;
        let all = all_logs(&project.stack)?;
        return Ok((project, all));
    };
    if session.find(None).is_ok() {
        let project = session.load(None).await?;
        if let Some(address) = in_stack(&project.stack, what) {
            return Ok((project, vec![address]));
        }
        if session.find(Some(what)).is_err() {
            return Err(unknown(&project.stack, what));
        }
    }
    let project = session.load(Some(what)).await?;
    let all = all_logs(&project.stack)?;
    Ok((project, all))
}

/// The parts that deploy the apps whose logs these are.
fn builds(session: &Session, project: &Project, logs: &[Address]) -> Done<Vec<Address>> {
    let registry = session.registry_at(&project.place.dir);
    let is_action = |declared: &Declared| {
        let info = registry.type_info(&declared.type_name);
        info.is_ok_and(|info| info.mode == Mode::Action)
    };
    let stack = &project.stack;
    let apps = stack.apps.iter().filter(|app| {
        let own = app.logs.as_ref();
        own.is_some_and(|own| logs.contains(own))
    });
    let found: Vec<Address> = apps
        .flat_map(|app| {
            let parts = stack.resources.values();
            parts.filter(|part| part.address.matches(app.address.as_str()) && is_action(part))
        })
        .map(|part| part.address.clone())
        .collect();
    if found.is_empty() {
        let message = "what runs this keeps no log of its builds apart";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .hint("`fabrik logs` without `--build` shows what the program says; a failed build's last lines are in `fabrik history show`")
            .into());
    }
    Ok(found)
}

/// The address whose log an app or resource of the stack has.
fn in_stack(stack: &Stack, what: &str) -> Option<Address> {
    let app = stack.apps.iter().find(|app| {
        app.address.as_str() == what || app.address.as_str().strip_prefix("apps.") == Some(what)
    });
    if let Some(logs) = app.and_then(|app| app.logs.clone()) {
        return Some(logs);
    }
    let address = Address::parse(what)
        .or_else(|_| Address::resource(what))
        .ok()?;
    stack.resources.contains_key(&address).then_some(address)
}

fn all_logs(stack: &Stack) -> Done<Vec<Address>> {
    let all: Vec<Address> = stack
        .apps
        .iter()
        .filter_map(|app| app.logs.clone())
        .collect();
    if all.is_empty() {
        let message = format!("{} has no app with a log", stack.display_name());
        return Err(Error::new(ErrorKind::NotFound, message)
            .hint("name a resource: `fabrik logs resources.ID`")
            .into());
    }
    Ok(all)
}

fn unknown(stack: &Stack, what: &str) -> Fail {
    let message = format!("{} has no app or resource `{what}`", stack.display_name());
    let error = Error::new(ErrorKind::NotFound, message);
    let known = stack
        .apps
        .iter()
        .map(|app| app.address.as_str().trim_start_matches("apps."))
        .chain(stack.resources.keys().map(Address::as_str));
    Fail::from(match did_you_mean(what, known) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`fabrik graph` shows what there is"),
    })
}
