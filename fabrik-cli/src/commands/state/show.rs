//! `fabrik state show`.

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::state::Row;
use fabrik_core::value::to_wire_masked;
use serde_json::{Value as Json, json};

use crate::args::StateShowArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::place::Access;
use crate::session::Session;

/// Shows every object of an address; secrets masked.
pub(super) async fn show(session: &mut Session, args: &StateShowArgs) -> Done {
    let place = session.locate(None)?;
    let engine = session.engine(&place, Access::Look).await?;
    let snapshot = engine.store().load().await?;
    let wanted = args.address.as_str();
    let rows: Vec<&Row> = snapshot
        .rows
        .iter()
        .filter(|row| {
            let address = row.address.as_str();
            address == wanted || address.strip_prefix("resources.") == Some(wanted)
        })
        .collect();
    if rows.is_empty() {
        let message = format!("state has no object at `{wanted}`");
        let error = Error::new(ErrorKind::NotFound, message);
        let known = snapshot.rows.iter().map(|row| row.address.as_str());
        return Err(match did_you_mean(wanted, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`fabrik state list` lists them"),
        }
        .into());
    }
    let objects: Vec<Json> = rows.iter().map(|row| object(row)).collect();
    if session.is_machine() {
        session
            .out
            .structured(&json!({"v": 1, "objects": objects}))?;
        return Ok(Exit::DONE);
    }
    for json in &objects {
        let text = fabrik_core::yaml::to_text(&fabrik_core::value::from_json(json));
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}

fn object(row: &Row) -> Json {
    json!({
        "address": row.address,
        "type": row.type_name,
        "version": row.version,
        "instance": row.instance,
        "status": row.status,
        "id": row.object.id,
        "operation": row.oid,
        "adopted": row.adopted,
        "declared": to_wire_masked(row.declared()),
        "inputs": to_wire_masked(&row.object.inputs),
        "outputs": to_wire_masked(&row.object.outputs),
        "hidden": row.object.hidden.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "depends_on": row.deps,
    })
}
