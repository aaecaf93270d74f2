//! `fabrik state unlock`.

use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::state::StateStore as _;

use crate::args::StateUnlockArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::text;
use crate::session::Session;

/// Takes the lock away from a run that is gone.
pub(super) async fn unlock(session: &mut Session, args: &StateUnlockArgs) -> Done {
    let place = session.locate(None)?;
    let store = place.open()?;
    let Some(held) = store.holder().await? else {
        session.out.message("the lock is free")?;
        return Ok(Exit::DONE);
    };
    let now = session.world.clock.now();
    session.out.message(&format!(
        "lock {} is held by {} on {} (pid {}) since {}: {}",
        held.token,
        text::one_line(&held.holder.who),
        text::one_line(&held.holder.host),
        held.holder.pid,
        text::ago(held.since, now),
        text::one_line(&held.holder.command),
    ))?;
    let token = match args.token {
        Some(token) => token,
        None if session.settings.yes || session.can_ask() => {
            let question = "Take it away? Do so only when that run is gone for certain.";
            if !ask::yes(session, question)? {
                return Ok(Exit::FAILED);
            }
            held.token
        }
        None => {
            return Err(Fail::refused(
                "not unlocked: nobody can be asked here",
                format!("name the lock: `fabrik state unlock {}`", held.token),
            ));
        }
    };
    if token != held.token {
        let message = format!("the lock is {} now, not {token}", held.token);
        return Err(Error::new(ErrorKind::Conflict, message)
            .hint("another run has it since; look again")
            .into());
    }
    store.break_lease(token).await?;
    session
        .out
        .success("unlocked; a run that still has it writes nothing more")?;
    Ok(Exit::DONE)
}
