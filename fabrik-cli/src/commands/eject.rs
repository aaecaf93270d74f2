//! `fabrik eject`.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::value::to_wire_masked;

use crate::args::{EjectArgs, Format};
use crate::exit::Exit;
use crate::expand;
use crate::fail::Done;
use crate::session::Session;

/// Writes an app out as raw resources.
pub(super) async fn eject(session: &mut Session, args: &EjectArgs) -> Done {
    let project = session.load(None).await?;
    let stack = &project.stack;
    let address = args.app.strip_prefix("apps.").unwrap_or(&args.app);
    let below = format!("apps.{address}");
    let resources = expand::resources(stack, &below);
    if resources.is_empty() {
        let known: Vec<&str> = stack
            .apps
            .iter()
            .map(|app| app.address.as_str().trim_start_matches("apps."))
            .collect();
        let message = format!("{} has no app `{address}`", stack.display_name());
        let error = Error::new(ErrorKind::NotFound, message);
        return Err(match did_you_mean(address, known.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.hint("this spec has no apps"),
            None => error.hint(format!("apps here: {}", known.join(", "))),
        }
        .into());
    }
    if session.settings.format.value == Format::Json {
        session
            .out
            .structured(&to_wire_masked(&expand::value(resources)))?;
    } else {
        session.out.data(&expand::text(resources))?;
    }
    session.out.hint(&format!(
        "put these below `resources:`, take `{address}` out of `apps:`, and keep what runs with `fabrik state mv` for each address"
    ))?;
    Ok(Exit::DONE)
}
