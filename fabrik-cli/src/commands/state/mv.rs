//! `fabrik state mv`.

use crate::args::StateMoveArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::text;
use crate::place::Access;
use crate::session::Session;

/// Gives objects another address.
pub(super) async fn mv(session: &mut Session, args: &StateMoveArgs) -> Done {
    let place = session.locate(None)?;
    let engine = session.engine(&place, Access::Change).await?;
    let moved = engine.move_state(&args.from, &args.to).await?;
    session.out.success(&format!(
        "moved {} from {} to {}",
        text::count(moved, "object"),
        args.from,
        args.to
    ))?;
    Ok(Exit::DONE)
}
