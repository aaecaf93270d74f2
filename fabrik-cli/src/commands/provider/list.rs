//! `fabrik provider list`.

use std::collections::BTreeMap;

use fabrik_core::provider::Mode;
use serde_json::json;

use crate::exit::Exit;
use crate::fail::Done;
use crate::output::Tone;
use crate::output::table::Table;
use crate::session::Session;

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
    let mut table = Table::new(["PROVIDER", "VERSION", "IN THE SPEC", "ROLES", "TYPES"]);
    for (info, roles, instances) in &all {
        let types: Vec<&str> = info
            .types
            .iter()
            .map(|kind| kind.name.rsplit('.').next().unwrap_or(&kind.name))
            .collect();
        table.row([
            (Tone::Strong, info.name.to_string()),
            (Tone::Plain, info.version.to_string()),
            (Tone::Plain, instances.join(", ")),
            (Tone::Plain, roles.join(", ")),
            (Tone::Dim, types.join(", ")),
        ]);
    }
    let text = table.render(session.out.data_style());
    session.out.data(&text)?;
    session
        .out
        .message("\n`fabrik docs PROVIDER` shows one in full, `fabrik provider new` makes one")?;
    Ok(Exit::DONE)
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
    for instance in loaded.stack.iter().flat_map(|stack| stack.instances.values()) {
        found
            .entry(instance.provider.to_string())
            .or_default()
            .push(instance.name.to_string());
    }
    found
}
