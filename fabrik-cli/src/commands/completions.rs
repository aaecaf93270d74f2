//! `fabrik completions`.

use crate::args::{CompletionsArgs, parse};
use crate::exit::Exit;
use crate::fail::Done;
use crate::session::Session;

/// Prints completions for a shell.
pub(super) fn completions(session: &mut Session, args: &CompletionsArgs) -> Done {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut parse::command(), "fabrik", &mut text);
    session.out.data(&String::from_utf8_lossy(&text))?;
    Ok(Exit::DONE)
}
