//! `fabrik docs`.

use std::fmt::Write as _;

use fabrik_core::spec;
use serde_json::json;

use crate::args::DocsArgs;
use crate::env_vars;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::{Tone, text};
use crate::reference::{self, TOPICS};
use crate::session::Session;

/// Explains a type, kind, provider or topic; lists them when none is named.
pub(super) fn docs(session: &mut Session, args: &DocsArgs) -> Done {
    let page = match &args.topic {
        None => return list(session),
        Some(topic) => page(session, topic)?,
    };
    if session.is_machine() {
        session
            .out
            .structured(&json!({"v": 1, "topic": args.topic, "markdown": page}))?;
        return Ok(Exit::DONE);
    }
    let style = session.out.data_style();
    let mut shown: Vec<String> = Vec::new();
    let mut code = false;
    for line in page.lines() {
        if line.starts_with("```") {
            code = !code;
        } else if code {
            shown.push(line.to_owned());
        } else if line.starts_with('#') {
            shown.push(style.paint(Tone::Strong, line.trim_start_matches(['#', ' '])));
        } else {
            shown.extend(wrapped(line, style.columns()));
        }
    }
    session.out.data(&shown.join("\n"))?;
    Ok(Exit::DONE)
}

/// A line of prose or of a list in lines that fit, further ones below the text of the first.
fn wrapped(line: &str, columns: usize) -> Vec<String> {
    let rest = line.trim_start();
    let bullet = if rest.starts_with("- ") { 2 } else { 0 };
    let indent = line.len() - rest.len();
    let (mark, text) = rest.split_at(bullet);
    let room = columns.saturating_sub(indent + bullet).max(20);
    let lines = text::wrap(text, room).into_iter().enumerate();
    let lines: Vec<String> = lines
        .map(|(at, part)| {
            let mark = if at == 0 {
                mark
            } else {
                "  ".get(..bullet).unwrap_or("")
            };
            format!("{}{mark}{part}", " ".repeat(indent))
        })
        .collect();
    if lines.is_empty() {
        return vec![String::new()];
    }
    lines
}

fn page(session: &Session, topic: &str) -> Done<String> {
    let registry = &session.registry;
    if let Some(kind) = registry.component(topic) {
        let intro = format!("A kind of app: `kind: {topic}` in a block below `apps`.");
        return Ok(reference::schema_page(topic, &intro, &kind.schema()));
    }
    if let Some(provider) = registry.provider(topic) {
        let info = provider.info();
        let mut intro = format!("{}\n\nTypes:\n", info.description.trim());
        for kind in &info.types {
            _ = writeln!(
                intro,
                "- `{}`: {}",
                kind.name,
                first_sentence(&kind.description)
            );
        }
        _ = writeln!(intro, "\nConfigured below `providers: {{{topic}: …}}`.");
        return Ok(reference::schema_page(topic, &intro, &info.config));
    }
    if let Some(section) = spec::fields().iter().find(|section| section.name == topic) {
        return Ok(reference::section_page(section));
    }
    match topic {
        "exit-codes" => {
            let mut page = "# Exit codes\n\n".to_owned();
            for (exit, meaning) in Exit::TABLE {
                _ = writeln!(page, "- {}: {meaning}", exit.0);
            }
            Ok(page)
        }
        "env" => {
            let mut page = "# Environment variables\n\n".to_owned();
            for variable in env_vars::ALL {
                _ = writeln!(page, "- `{}`: {}", variable.name, variable.help);
            }
            Ok(page)
        }
        _ => Ok(reference::type_page(reference::type_info(registry, topic)?)),
    }
}

fn list(session: &mut Session) -> Done {
    let registry = &session.registry;
    let kinds: Vec<(String, String)> = registry
        .component_kinds()
        .map(|kind| {
            let schema = registry.component(kind).map(|kind| kind.schema());
            let text = schema
                .as_ref()
                .and_then(|schema| schema.get("description")?.as_str())
                .map(first_sentence)
                .unwrap_or_default();
            (kind.to_owned(), text)
        })
        .collect();
    let types = registry
        .types()
        .map(|info| (info.name.to_string(), first_sentence(&info.description)))
        .collect();
    let providers = registry
        .providers()
        .map(|provider| {
            let info = provider.info();
            (info.name.to_string(), first_sentence(&info.description))
        })
        .collect();
    let topics = TOPICS
        .iter()
        .map(|(topic, text)| ((*topic).to_owned(), (*text).to_owned()))
        .collect();
    let language = spec::fields()
        .iter()
        .map(|section| (section.name.to_owned(), first_sentence(section.about)))
        .collect();
    let groups: [(&str, Vec<(String, String)>); 5] = [
        ("The language", language),
        ("Kinds of apps", kinds),
        ("Resource types", types),
        ("Providers", providers),
        ("Topics", topics),
    ];
    if session.is_machine() {
        let all: Vec<_> = groups
            .iter()
            .flat_map(|(group, entries)| {
                entries
                    .iter()
                    .map(move |(name, text)| json!({"group": group, "name": name, "text": text}))
            })
            .collect();
        session.out.structured(&json!({"v": 1, "docs": all}))?;
        return Ok(Exit::DONE);
    }
    let style = session.out.data_style();
    let mut text = String::new();
    for (title, entries) in groups.iter().filter(|(_, entries)| !entries.is_empty()) {
        _ = writeln!(text, "{}", style.paint(Tone::Strong, title));
        let width = entries
            .iter()
            .map(|(name, _)| name.len())
            .max()
            .unwrap_or(0);
        for (name, about) in entries {
            _ = writeln!(text, "{}", format!("  {name:width$}  {about}").trim_end());
        }
        text.push('\n');
    }
    session.out.data(text.trim_end())?;
    session
        .out
        .message("\n`fabrik docs NAME` shows one in full")?;
    Ok(Exit::DONE)
}

/// The first sentence, on one line however the text is broken.
fn first_sentence(text: &str) -> String {
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let text = words.join(" ");
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text[..end].to_owned()
}
