//! `fabrik outputs`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::state::Snapshot;
use fabrik_core::value::{Value, to_wire, to_wire_masked};
use serde_json::{Map, Value as Json};

use crate::apps::{self, Current};
use crate::args::OutputsArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::Tone;
use crate::output::table::Table;
use crate::place::{Access, Place};
use crate::session::Session;

/// Shows the outputs of the last revision, or one of them.
pub(super) async fn outputs(session: &mut Session, args: &OutputsArgs) -> Done {
    let (place, name) = subject(session, args)?;
    let engine = session.engine(&place, Access::Look).await?;
    let snapshot = engine.store().load().await?;
    let mut outputs = snapshot.outputs.clone();
    outputs.extend(addresses(session, &place, &snapshot).await);
    let name = name.as_ref();
    let secret = match name {
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
    if let Some(name) = name {
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
        session
            .out
            .message("no outputs: nothing is applied, or the spec declares none")?;
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

/// Which stack, and which of its outputs: a word alone may name either.
fn subject(session: &Session, args: &OutputsArgs) -> Done<(Place, Option<String>)> {
    let Some(what) = args.what.as_deref() else {
        return Ok((session.locate(None)?, None));
    };
    if args.name.is_some() {
        return Ok((session.locate(Some(what))?, args.name.clone()));
    }
    let extension = Path::new(what).extension();
    let yaml = extension.is_some_and(|extension| extension == "yaml" || extension == "yml");
    let is_path = yaml || what.contains('/');
    match session.locate(None) {
        // Known to state alone: with its spec, more is known.
        Ok(place) if place.spec.is_none() && session.find(Some(what)).is_ok() => {
            Ok((session.locate(Some(what))?, None))
        }
        // The spec here comes first, unless the word can only be another.
        Ok(place) if !is_path && (what == place.name || session.find(Some(what)).is_err()) => {
            let name = (what != place.name).then(|| what.to_owned());
            Ok((place, name))
        }
        Ok(_) | Err(_) => Ok((session.locate(Some(what))?, None)),
    }
}

/// The addresses apps answer at, as far as the spec can be read and state knows them.
async fn addresses(
    session: &Session,
    place: &Place,
    snapshot: &Snapshot,
) -> BTreeMap<Arc<str>, Value> {
    let Some(spec) = &place.spec else {
        return BTreeMap::new();
    };
    let stack = session.read(spec).await.ok().and_then(|read| read.stack);
    let current = Current::of(snapshot);
    let apps = stack.iter().flat_map(|stack| &stack.apps);
    apps.filter_map(|app| {
        let url = apps::plain(&current.resolve(&app.url))?;
        Some((format!("{}.url", app.address).into(), Value::from(url)))
    })
    .collect()
}
