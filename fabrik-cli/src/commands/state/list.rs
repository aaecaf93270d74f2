//! `fabrik state list`.

use fabrik_core::state::RowStatus;
use serde_json::json;

use crate::args::StateListArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::Tone;
use crate::output::table::Table;
use crate::place::Access;
use crate::session::Session;

/// Lists the objects in state.
pub(super) async fn list(session: &mut Session, args: &StateListArgs) -> Done {
    let place = session.locate(None)?;
    let engine = session.engine(&place, Access::Look).await?;
    let snapshot = engine.store().load().await?;
    let mut rows: Vec<_> = snapshot
        .rows
        .iter()
        .filter(|row| {
            args.globs.is_empty() || args.globs.iter().any(|glob| row.address.matches(glob))
        })
        .collect();
    rows.sort_by(|left, right| (&left.address, left.oid).cmp(&(&right.address, right.oid)));
    if session.is_machine() {
        let objects: Vec<_> = rows
            .iter()
            .map(|row| {
                json!({
                    "address": row.address,
                    "type": row.type_name,
                    "instance": row.instance,
                    "status": row.status,
                    "id": row.object.id,
                })
            })
            .collect();
        session.out.structured(&json!({
            "v": 1,
            "stack": place.name,
            "env": place.env,
            "revision": snapshot.revision,
            "objects": objects,
        }))?;
        return Ok(Exit::DONE);
    }
    if rows.is_empty() {
        session.out.message("no objects in state")?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(["ADDRESS", "TYPE", "ID", ""]);
    for row in rows {
        let (tone, status) = status_word(row.status);
        table.row([
            (Tone::Strong, row.address.as_str()),
            (Tone::Dim, &row.type_name),
            (Tone::Plain, &row.object.id),
            (tone, status),
        ]);
    }
    let text = table.render(session.out.data_style());
    session.out.data(&text)?;
    Ok(Exit::DONE)
}

/// What an object is, where that is worth saying.
pub(super) fn status_word(status: RowStatus) -> (Tone, &'static str) {
    match status {
        RowStatus::Current => (Tone::Plain, ""),
        RowStatus::Retired => (Tone::Warn, "to be deleted"),
        RowStatus::Incomplete => (Tone::Warn, "half made"),
        RowStatus::Unsure => (Tone::Bad, "unsure"),
    }
}
