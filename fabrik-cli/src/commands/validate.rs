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
    let (errors, warnings) = spec::counts(&loaded.diagnostics);
    match &loaded.stack {
        Some(stack) if valid => {
            let mut line = format!(
                "{} is valid: {}",
                stack.display_name(),
                text::count(stack.resources.len(), "resource")
            );
            if warnings > 0 {
                line.push_str(&format!(", {}", text::count(warnings, "warning")));
            }
            session.out.success(&line)?;
        }
        _ => session.out.always(&format!(
            "{}, {}",
            text::count(errors, "error"),
            text::count(warnings, "warning")
        ))?,
    }
    Ok(exit)
}
