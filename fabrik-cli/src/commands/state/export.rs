//! `fabrik state export`.

use serde_json::json;

use crate::args::StateExportArgs;
use crate::dump::Dump;
use crate::exit::Exit;
use crate::fail::Done;
use crate::files;
use crate::output::text;
use crate::session::Session;

/// Writes state as JSON; secrets stay encrypted.
pub(super) async fn export(session: &mut Session, args: &StateExportArgs) -> Done {
    let place = session.locate(None)?;
    let dump = Dump::of(&place).await?;
    let objects = dump.rows.len();
    let json = serde_json::to_value(&dump).map_err(|error| crate::dump::damaged(&error))?;
    let text_form = serde_json::to_string_pretty(&json).unwrap_or_else(|_| json!({}).to_string());
    match &args.file {
        None => session.out.data(&text_form)?,
        Some(file) => {
            let path = session.settings.dir.join(file);
            files::write_private(&path, text_form.as_bytes())?;
            session.out.success(&format!(
                "wrote {} of {} to `{}`; secrets are encrypted with the state's key",
                text::count(objects, "object"),
                place.display_name(),
                path.display()
            ))?;
        }
    }
    Ok(Exit::DONE)
}
