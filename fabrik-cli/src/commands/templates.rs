//! `fabrik templates`.

use fabrik_templates::Template;
use serde_json::{Value as Json, json};

use crate::args::TemplatesArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::style::Tone;
use crate::output::table::Table;
use crate::session::Session;

/// Lists templates, or shows one.
pub(super) fn templates(session: &mut Session, args: &TemplatesArgs) -> Done {
    match &args.name {
        Some(name) => one(session, fabrik_templates::find(name)?),
        None => list(session),
    }
}

fn list(session: &mut Session) -> Done {
    let all = fabrik_templates::all();
    if session.is_machine() {
        let all: Vec<Json> = all.iter().map(about).collect();
        session.out.structured(&all)?;
        return Ok(Exit::DONE);
    }
    let mut table = Table::new(["TEMPLATE", "KIND", "WHAT IT IS"]).keep(0);
    for template in all {
        table.row([
            (Tone::Plain, template.name),
            (Tone::Plain, &template.kind),
            (Tone::Plain, &template.description),
        ]);
    }
    session.out.data(&table.render(session.out.data_style()))?;
    session.out.hint(
        "`fabrik new TEMPLATE NAME` writes one; `fabrik templates TEMPLATE` shows what it asks",
    )?;
    Ok(Exit::DONE)
}

fn one(session: &mut Session, template: &Template) -> Done {
    if session.is_machine() {
        session.out.structured(&about(template))?;
        return Ok(Exit::DONE);
    }
    let mut text = format!("{}: {}\n", template.name, template.description);
    if !template.needs.is_empty() {
        text.push_str("\nTo run it on this machine: ");
        text.push_str(&template.needs.join(", "));
        text.push('\n');
    }
    text.push_str("\nIt asks for (`--set NAME=VALUE`):\n");
    let mut table = Table::default();
    let questions = template.questions["properties"].as_object();
    for (name, question) in questions.into_iter().flatten() {
        let default = match &question["default"] {
            Json::Null => String::new(),
            Json::String(text) => format!("[{text}]"),
            other => format!("[{other}]"),
        };
        table.row([
            (Tone::Plain, format!("  {name}")),
            (Tone::Plain, default),
            (
                Tone::Plain,
                question["description"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            ),
        ]);
    }
    text.push_str(&table.render(session.out.data_style()));
    session.out.data(&text)?;
    Ok(Exit::DONE)
}

fn about(template: &Template) -> Json {
    json!({
        "name": template.name,
        "kind": template.kind,
        "description": template.description,
        "needs": template.needs,
        "questions": template.questions,
        "check": {
            "health": template.check.health,
            "path": template.check.path,
            "contains": template.check.contains,
        },
    })
}
