//! `fabrik secrets list`.

use serde_json::json;

use crate::exit::Exit;
use crate::fail::Done;
use crate::output::Tone;
use crate::output::table::Table;
use crate::place::Access;
use crate::secret_sources::{self, Known};
use crate::session::Session;

/// Lists the secrets of a stack, and where each comes from; never a value.
pub(super) async fn list(session: &mut Session) -> Done {
    let project = session.load(None).await?;
    let engine = session.engine(&project.place, Access::Look).await?;
    let kept = engine.store().load().await?.secrets;
    let found = secret_sources::values(session, &project, &kept)?;
    if session.is_machine() {
        let secrets: Vec<_> = found
            .iter()
            .map(|(name, secret)| {
                json!({
                    "name": name,
                    "declared": secret.declared,
                    "required": secret.required,
                    "origin": secret.origin,
                    "missing": secret.missing,
                })
            })
            .collect();
        session
            .out
            .structured(&json!({"v": 1, "secrets": secrets}))?;
        return Ok(Exit::DONE);
    }
    if found.is_empty() {
        session.out.message("no secrets")?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(["SECRET", "COMES FROM", ""]);
    for (name, secret) in &found {
        let tone = if secret.missing {
            Tone::Bad
        } else {
            Tone::Plain
        };
        table.row([
            (Tone::Strong, &**name),
            (tone, secret.origin.as_str()),
            (Tone::Dim, note(secret)),
        ]);
    }
    let text = table.render(session.out.data_style());
    session.out.data(&text)?;
    Ok(Exit::DONE)
}

fn note(secret: &Known) -> &'static str {
    match (secret.declared, secret.required) {
        (false, _) => "not in the spec",
        (true, true) => "required",
        (true, false) => "",
    }
}
