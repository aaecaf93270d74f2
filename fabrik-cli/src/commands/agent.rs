//! `fabrik agent NAME …`: a helper process of a provider.

use crate::args::AgentArgs;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::session::Session;

/// Runs a helper process until it ends.
pub(super) fn agent(session: &mut Session, args: &AgentArgs) -> Done {
    let name = args
        .args
        .first()
        .and_then(|word| word.to_str())
        .unwrap_or_default();
    let helper = session
        .helpers
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, helper)| *helper);
    match helper {
        Some(helper) => {
            helper(&session.host, &args.args[1..])?;
            Ok(Exit::DONE)
        }
        None => Err(Fail::usage(format!("there is no helper process `{name}`"))),
    }
}
