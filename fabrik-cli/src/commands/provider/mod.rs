//! `fabrik provider`.

mod check;
mod list;
mod new;
mod template;

use crate::args::ProviderCommand;
use crate::fail::Done;
use crate::session::Session;

/// Runs one of the commands.
pub(super) async fn run(session: &mut Session, command: &ProviderCommand) -> Done {
    match command {
        ProviderCommand::List => list::list(session).await,
        ProviderCommand::New(args) => new::new(session, args),
        ProviderCommand::Check(args) => check::check(session, args),
    }
}
