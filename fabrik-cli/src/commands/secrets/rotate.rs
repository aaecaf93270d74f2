//! `fabrik secrets rotate`.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};

use crate::args::SecretNameArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::place::Access;
use crate::session::Session;

/// Generates a new value, for the next apply to bring to whatever uses it.
pub(super) async fn rotate(session: &mut Session, args: &SecretNameArgs) -> Done {
    let project = session.load(None).await?;
    super::check_name(&args.name)?;
    let declared = project.stack.secrets.get(args.name.as_str());
    let Some(length) = declared.map(|secret| secret.length) else {
        let message = format!("the spec declares no secret `{}`", args.name);
        let error = Error::new(ErrorKind::NotFound, message);
        let known = project.stack.secrets.keys().map(AsRef::as_ref);
        return Err(match did_you_mean(&args.name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`fabrik secrets list` shows them"),
        }
        .into());
    };
    let engine = session.engine(&project.place, Access::Change).await?;
    engine.rotate_secret(&args.name, length).await?;
    session
        .out
        .success(&format!("{} has a new value", args.name))?;
    session
        .out
        .hint("`fabrik apply` brings it to whatever uses it")?;
    Ok(Exit::DONE)
}
