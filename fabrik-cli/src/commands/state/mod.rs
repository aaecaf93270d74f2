//! `fabrik state`.

mod export;
mod import;
mod list;
mod mv;
mod rm;
mod show;
mod unlock;

use crate::args::StateCommand;
use crate::fail::Done;
use crate::session::Session;

/// Runs one of the commands.
pub(super) async fn run(session: &mut Session, command: &StateCommand) -> Done {
    match command {
        StateCommand::List(args) => list::list(session, args).await,
        StateCommand::Show(args) => show::show(session, args).await,
        StateCommand::Mv(args) => mv::mv(session, args).await,
        StateCommand::Rm(args) => rm::rm(session, args).await,
        StateCommand::Unlock(args) => unlock::unlock(session, args).await,
        StateCommand::Export(args) => export::export(session, args).await,
        StateCommand::Import(args) => import::import(session, args).await,
    }
}
