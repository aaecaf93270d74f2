//! `fabrik secrets rotate`.

use crate::args::SecretNameArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::pending::Later as _;
use crate::place::Access;
use crate::session::Session;

/// Generates a new value, for the next apply to bring to whatever uses it.
pub(super) async fn rotate(session: &mut Session, args: &SecretNameArgs) -> Done {
    let place = session.locate(None)?;
    super::check_name(&args.name)?;
    let engine = session.engine(&place, Access::Change).await?;
    engine.rotate_secret(&args.name).await?;
    session
        .out
        .success(&format!("{} has a new value", args.name))?;
    session
        .out
        .hint("`fabrik apply` brings it to whatever uses it")?;
    Ok(Exit::DONE)
}
