//! `fabrik docs`.

use std::fmt::Write as _;

use fabrik_core::spec;
use serde_json::json;

use crate::args::DocsArgs;
use crate::env_vars;
use crate::exit::Exit;
use crate::fail::Done;
use crate::output::Tone;
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
    let shown: Vec<String> = page
        .lines()
        .filter(|line| !line.starts_with("```"))
        .map(|line| {
            if line.starts_with('#') {
                style.paint(Tone::Strong, line.trim_start_matches(['#', ' ']))
            } else {
                line.to_owned()
            }
        })
        .collect();
    session.out.data(&shown.join("\n"))?;
    Ok(Exit::DONE)
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
                first_line(&kind.description)
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
                .map(first_line)
                .unwrap_or_default();
            (kind.to_owned(), text)
        })
        .collect();
    let types = registry
        .types()
        .map(|info| (info.name.to_string(), first_line(&info.description)))
        .collect();
    let providers = registry
        .providers()
        .map(|provider| {
            let info = provider.info();
            (info.name.to_string(), first_line(&info.description))
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

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |at| at + 1);
    text[..end].to_owned()
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().to_owned()
}
