//! `fabrik secrets reveal`.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::Value;

use crate::args::SecretRevealArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::place::Access;
use crate::session::Session;

/// Prints a value: to standard output and nowhere else.
pub(super) async fn reveal(session: &mut Session, args: &SecretRevealArgs) -> Done {
    let place = session.locate(None)?;
    if !session.settings.yes && !session.can_ask() {
        return Err(Fail::refused(
            "secrets are shown only to a person or with `--yes`",
            "pass `--yes` when a program needs it",
        ));
    }
    let engine = session.engine(&place, Access::Look).await?;
    let kept = engine.store().load().await?.secrets;
    let value = kept.get(args.name.as_str()).ok_or_else(|| {
        let message = format!("no secret `{}` is kept in state", args.name);
        let error = Error::new(ErrorKind::NotFound, message);
        let known = kept.keys().map(AsRef::as_ref);
        Fail::from(match did_you_mean(&args.name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`fabrik secrets list` says where each comes from"),
        })
    })?;
    let question = format!("Show {} in clear?", args.name);
    if !ask::yes(session, &question)? {
        return Ok(Exit::FAILED);
    }
    let text = match value.reveal() {
        Value::Str(text) => text.to_string(),
        other => fabrik_core::value::to_wire(other)?.to_string(),
    };
    session.out.data(&text)?;
    Ok(Exit::DONE)
}
