//! `fabrik provider list`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use fabrik_core::provider::Mode;
use serde_json::json;

use crate::exit::Exit;
use crate::fail::Done;
use crate::output::{Tone, text};
use crate::session::Session;

/// Columns before types and roles.
const LABEL: usize = 9;

/// Lists the providers of this program, and which of them the spec configures.
pub(super) async fn list(session: &mut Session) -> Done {
    let configured = configured(session).await;
    let mut all = Vec::new();
    for provider in session.registry.providers() {
        let info = provider.info().clone();
        let mut roles: Vec<String> = provider
            .players()
            .iter()
            .map(|player| player.role().to_owned())
            .collect();
        roles.sort();
        roles.dedup();
        let instances = configured.get(&*info.name).cloned().unwrap_or_default();
        all.push((info, roles, instances));
    }
    if session.is_machine() {
        let providers: Vec<_> = all
            .iter()
            .map(|(info, roles, instances)| {
                let types: Vec<_> = info
                    .types
                    .iter()
                    .map(|kind| {
                        let mode = match kind.mode {
                            Mode::Managed => "managed",
                            Mode::Lookup => "lookup",
                            Mode::Action => "action",
                        };
                        json!({"name": kind.name, "mode": mode, "version": kind.version})
                    })
                    .collect();
                json!({
                    "name": info.name,
                    "version": info.version,
                    "description": info.description,
                    "types": types,
                    "roles": roles,
                    "instances": instances,
                })
            })
            .collect();
        session
            .out
            .structured(&json!({"v": 1, "providers": providers}))?;
        return Ok(Exit::DONE);
    }
    let style = session.out.data_style();
    let width = all
        .iter()
        .map(|(info, ..)| info.name.len())
        .max()
        .unwrap_or(0);
    let room = style.columns().saturating_sub(LABEL).max(20);
    let mut page = String::new();
    for (info, roles, instances) in &all {
        let name = format!("{:width$}", info.name);
        let known = match instances.as_slice() {
            [] => "not in the spec".to_owned(),
            [one] if **one == *info.name => "in the spec".to_owned(),
            several => format!("in the spec as {}", several.join(", ")),
        };
        _ = writeln!(
            page,
            "{}  {}  {known}",
            style.paint(Tone::Strong, &name),
            info.version
        );
        let types: Vec<&str> = info.types.iter().map(|kind| short(&kind.name)).collect();
        let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
        for (label, words) in [("types", types), ("roles", roles)] {
            for (at, line) in text::wrap(&words.join(", "), room).iter().enumerate() {
                let label = if at == 0 { label } else { "" };
                let label = text::pad(&format!("  {label}"), LABEL);
                _ = writeln!(page, "{}{line}", style.paint(Tone::Dim, &label));
            }
        }
    }
    session.out.data(page.trim_end())?;
    session
        .out
        .message("\n`fabrik docs PROVIDER` shows one in full, `fabrik provider new` makes one")?;
    Ok(Exit::DONE)
}

/// `dns_record` of `cloudflare.dns_record`.
fn short(type_name: &str) -> &str {
    type_name
        .split_once('.')
        .map_or(type_name, |(_, name)| name)
}

/// The instances of each provider that the spec has, by provider. A folder without a valid spec has
/// none: this command is not about mistakes.
async fn configured(session: &Session) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Ok(path) = session.find(None) else {
        return found;
    };
    let Ok(loaded) = session.read(&path).await else {
        return found;
    };
    for instance in loaded
        .stack
        .iter()
        .flat_map(|stack| stack.instances.values())
    {
        found
            .entry(instance.provider.to_string())
            .or_default()
            .push(instance.name.to_string());
    }
    found
}
