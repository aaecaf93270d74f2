//! `fabrik secrets`.

mod list;
mod reveal;
mod rotate;
mod set;

use crate::args::SecretsCommand;
use crate::fail::{Done, Fail};
use crate::session::Session;

/// Runs one of the commands.
pub(super) async fn run(session: &mut Session, command: &SecretsCommand) -> Done {
    match command {
        SecretsCommand::List => list::list(session).await,
        SecretsCommand::Set(args) => set::set(session, args).await,
        SecretsCommand::Reveal(args) => reveal::reveal(session, args).await,
        SecretsCommand::Rotate(args) => rotate::rotate(session, args).await,
    }
}

/// A name that could be a variable's.
fn check_name(name: &str) -> Done<()> {
    if fabrik_core::address::is_id(name) {
        return Ok(());
    }
    Err(Fail::usage_hint(
        format!("`{name}` cannot be the name of a secret"),
        "a name is letters, digits, `_` and `-`",
    ))
}
