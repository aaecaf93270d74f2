//! `fabrik completions`.

use crate::args::CompletionsArgs;
use crate::complete;
use crate::exit::Exit;
use crate::fail::Done;
use crate::session::Session;

/// Prints what a shell has to load to complete this program's command line.
pub(super) fn completions(session: &mut Session, args: &CompletionsArgs) -> Done {
    let script = complete::script(args.shell, &session.world.program)?;
    session.out.data(&script)?;
    Ok(Exit::DONE)
}
