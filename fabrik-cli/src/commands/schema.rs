//! `fabrik schema`.

use serde_json::{Value as Json, json};

use crate::args::{Format, SchemaArgs};
use crate::exit::Exit;
use crate::fail::Done;
use crate::reference;
use crate::session::Session;

/// Prints the JSON Schema of specs, or of one type or kind.
pub(super) fn schema(session: &mut Session, args: &SchemaArgs) -> Done {
    let schema: Json = match &args.name {
        None => fabrik_core::spec::schema(&session.registry),
        Some(name) => {
            if let Some(kind) = session.registry.component(name) {
                kind.schema()
            } else {
                let info = reference::type_info(&session.registry, name)?;
                json!({"inputs": info.schema, "outputs": info.outputs})
            }
        }
    };
    if session.settings.format.value == Format::Yaml {
        session.out.structured(&schema)?;
    } else {
        let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        session.out.data(&text)?;
    }
    Ok(Exit::DONE)
}
