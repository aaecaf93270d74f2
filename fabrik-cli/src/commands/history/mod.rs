//! `fabrik history`.

mod list;
mod show;

use crate::args::{HistoryArgs, HistoryCommand};
use crate::fail::Done;
use crate::session::Session;

/// Runs one of the commands; the list when none is named.
pub(super) async fn run(session: &mut Session, args: &HistoryArgs) -> Done {
    match &args.command {
        None => list::list(session, &args.list).await,
        Some(HistoryCommand::List(list)) => list::list(session, list).await,
        Some(HistoryCommand::Show(show)) => show::show(session, show).await,
    }
}
