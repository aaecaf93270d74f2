//! `fabrik state rm`.

use fabrik_core::state::Row;

use crate::args::StateRemoveArgs;
use crate::ask;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::output::text;
use crate::place::Access;
use crate::session::Session;

/// Forgets objects; nothing is deleted at the service.
pub(super) async fn rm(session: &mut Session, args: &StateRemoveArgs) -> Done {
    let place = session.locate(None)?;
    let engine = session.engine(&place, Access::Change).await?;
    let snapshot = engine.store().load().await?;
    let chosen: Vec<&Row> = snapshot
        .rows
        .iter()
        .filter(|row| args.globs.iter().any(|glob| row.address.matches(glob)))
        .collect();
    for row in &chosen {
        session
            .out
            .message(&format!(". {}  {}", row.address, row.type_name))?;
    }
    if !chosen.is_empty() {
        if !session.settings.yes && !session.can_ask() {
            return Err(Fail::refused(
                "nothing was forgotten: nobody can be asked here",
                "pass `--yes`",
            ));
        }
        let question = format!(
            "Forget {}? They stay at the service, unmanaged.",
            text::count(chosen.len(), "object")
        );
        if !ask::yes(session, &question)? {
            return Ok(Exit::FAILED);
        }
    }
    let gone = engine.remove_state(&args.globs).await?;
    session
        .out
        .success(&format!("forgot {}", text::count(gone.len(), "object")))?;
    Ok(Exit::DONE)
}
