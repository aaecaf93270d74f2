//! `fabrik wp`.

mod directory;
mod preview;

use crate::args::WpCommand;
use crate::fail::Done;
use crate::session::Session;

/// Runs one of the commands.
pub(super) async fn run(session: &mut Session, command: &WpCommand) -> Done {
    match command {
        WpCommand::Preview(args) => preview::preview(session, args).await,
        WpCommand::Blueprint(args) => preview::blueprint(session, args).await,
        WpCommand::Plugins(command) => {
            directory::run(session, directory::Kind::Plugins, command).await
        }
        WpCommand::Themes(command) => {
            directory::run(session, directory::Kind::Themes, command).await
        }
    }
}
