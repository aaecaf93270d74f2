//! `fabrik outputs`.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::{Value, to_wire, to_wire_masked};
use serde_json::{Map, Value as Json};

use crate::args::OutputsArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::Tone;
use crate::output::table::Table;
use crate::place::Access;
use crate::session::Session;

/// Shows the outputs of the last revision, or one of them.
pub(super) async fn outputs(session: &mut Session, args: &OutputsArgs) -> Done {
    let place = session.locate(None)?;
    let engine = session.engine(&place, Access::Look).await?;
    let outputs = engine.store().load().await?.outputs;
    let secret = match &args.name {
        Some(name) => outputs.get(name.as_str()).is_some_and(Value::has_secret),
        None => outputs.values().any(Value::has_secret),
    };
    if args.reveal && secret {
        let question = "Show secrets in clear?";
        if !session.settings.yes && !session.can_ask() {
            return Err(Fail::refused(
                "secrets are shown only to a person or with `--yes`",
                "pass `--yes` when a program needs them",
            ));
        }
        if !ask::yes(session, question)? {
            return Ok(Exit::FAILED);
        }
    }
    let shown = |value: &Value| -> Done<Json> {
        Ok(if args.reveal {
            to_wire(value)?
        } else {
            to_wire_masked(value)
        })
    };
    if let Some(name) = &args.name {
        let value = outputs.get(name.as_str()).ok_or_else(|| {
            let message = format!("{} has no output `{name}`", place.display_name());
            let error = Error::new(ErrorKind::NotFound, message);
            let known = outputs.keys().map(AsRef::as_ref);
            Fail::from(match did_you_mean(name, known) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`fabrik outputs` lists them"),
            })
        })?;
        let json = shown(value)?;
        match json {
            Json::String(text) if !session.is_machine() => session.out.data(&text)?,
            other => session.out.structured(&other)?,
        }
        return Ok(Exit::DONE);
    }
    let mut all = Map::new();
    for (name, value) in &outputs {
        all.insert(name.to_string(), shown(value)?);
    }
    if session.is_machine() {
        session.out.structured(&all)?;
    } else if all.is_empty() {
        session.out.message("no outputs")?;
    } else {
        let mut table = Table::new(["OUTPUT", "VALUE"]);
        for (name, value) in &all {
            let text = match value {
                Json::String(text) => text.clone(),
                other => other.to_string(),
            };
            table.row([(Tone::Strong, name.as_str()), (Tone::Plain, text.as_str())]);
        }
        let text = table.render(session.out.data_style());
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}
