//! `fabrik history list`.

use serde_json::json;

use crate::args::HistoryListArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::history;
use crate::session::Session;

/// Lists runs, newest first.
pub(super) async fn list(session: &mut Session, args: &HistoryListArgs) -> Done {
    let place = session.locate(args.target.spec.as_deref())?;
    let runs = fabrik_core::state::StateStore::runs(&place.open()?, args.limit).await?;
    if session.is_machine() {
        session.out.structured(&json!({
            "v": 1,
            "stack": place.name,
            "env": place.env,
            "runs": runs,
        }))?;
    } else {
        let text = history::render(&runs, session.world.clock.now(), session.out.data_style());
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}
