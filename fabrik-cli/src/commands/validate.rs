//! `fabrik validate`.

use serde_json::json;

use crate::args::ValidateArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::text;
use crate::session::Session;
use crate::spec;

/// Checks the spec without touching anything.
pub(super) async fn validate(session: &mut Session, args: &ValidateArgs) -> Done {
    let path = session.find(args.target.spec.as_deref())?;
    let loaded = session.read(&path).await?;
    let valid = loaded.stack.is_some() && !loaded.diagnostics.has_errors();
    let exit = if valid { Exit::DONE } else { Exit::INVALID };
    if session.is_machine() {
        session.out.structured(&json!({
            "v": 1,
            "valid": valid,
            "spec": path,
            "diagnostics": spec::as_json(&loaded.diagnostics),
        }))?;
        return Ok(exit);
    }
    spec::show(session, &loaded.diagnostics)?;
    let (_, warnings) = spec::counts(&loaded.diagnostics);
    match &loaded.stack {
        Some(stack) if valid => {
            let mut parts = vec![text::count(stack.resources.len(), "resource")];
            if warnings > 0 {
                parts.push(text::count(warnings, "warning"));
            }
            let name = stack.display_name();
            session
                .out
                .success(&format!("{name} is valid: {}", parts.join(", ")))?;
        }
        // What is wrong was said, with how many there are.
        _ => {}
    }
    Ok(exit)
}
