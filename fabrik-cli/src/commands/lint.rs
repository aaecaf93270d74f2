//! `fabrik lint`.

use fabrik_core::diagnostic::Diagnostics;
use fabrik_core::error::{Error, ErrorKind};
use fabrik_core::spec::parse;
use serde_json::json;

use crate::args::LintArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::files;
use crate::session::Session;
use crate::spec;

/// Checks a Compose file.
pub(super) fn lint(session: &mut Session, args: &LintArgs) -> Done {
    let path = session.settings.dir.join(&args.file);
    let name = args.file.display().to_string();
    let text = files::read_text(&path)?;
    if is_spec(&text) {
        let message = format!("`{name}` is a spec of Fabrik's, not a Compose file");
        let error = Error::new(ErrorKind::Invalid, message);
        return Err(error
            .hint(format!("check it with `fabrik validate {name}`"))
            .into());
    }
    let mut found = Diagnostics::default();
    let base = found.sources.add(name.as_str(), text.as_str());
    if let Some(document) = fabrik_compose::parse(&text, base, &mut found.items) {
        found.items.extend(fabrik_compose::diagnose(&document));
    }
    let (errors, warnings) = spec::counts(&found);
    let fails = errors > 0 || (args.strict && warnings > 0);
    let exit = if fails { Exit::INVALID } else { Exit::DONE };
    if session.is_machine() {
        session.out.structured(&json!({
            "v": 1,
            "valid": errors == 0,
            "file": name,
            "diagnostics": spec::as_json(&found),
        }))?;
        return Ok(exit);
    }
    spec::show(session, &found)?;
    if found.items.is_empty() {
        session.out.success(&format!("{name}: nothing to mend"))?;
    } else {
        session
            .out
            .hint("`fabrik explain CODE` says why, and what to do")?;
    }
    Ok(exit)
}

/// Whether a text says that it is a spec.
fn is_spec(text: &str) -> bool {
    let node = parse::parse(text, 0, &mut Vec::new());
    node.is_some_and(|node| node.get("fabrik").is_some() && node.get("services").is_none())
}
