//! Secrets, and every provider the spec configures: each is opened, nothing is changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::provider::{Cx, Registry, StopSignal};
use fabrik_core::stack::InstanceDecl;
use fabrik_core::value::{Value, to_wire_masked};

use super::{Check, Verdict};
use crate::builtin;
use crate::output::text;
use crate::place::{Access, Project};
use crate::secret_sources;
use crate::session::Session;

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Checks the secrets and providers of a project.
pub(super) async fn check(session: &mut Session, project: &Project, checks: &mut Vec<Check>) {
    let kept = match session.engine(&project.place, Access::Look).await {
        Ok(engine) => engine.store().load().await.map(|snapshot| snapshot.secrets),
        // Said already, where the key and state were looked at.
        Err(_) => Ok(BTreeMap::new()),
    };
    let secrets = match kept.and_then(|kept| secret_sources::values(session, project, &kept)) {
        Ok(found) => found,
        Err(error) => {
            checks.push(Check::failed("secrets", &error));
            return;
        }
    };
    checks.push(secrets_check(&secrets));
    let registry = session.registry_at(&project.place.dir);
    for instance in project.stack.instances.values() {
        let dir = &project.place.dir;
        let check = open(session, &registry, instance, &secrets, dir).await;
        checks.push(check);
    }
}

fn secrets_check(secrets: &BTreeMap<Arc<str>, secret_sources::Known>) -> Check {
    let missing: Vec<&str> = secrets
        .iter()
        .filter(|(_, known)| known.missing)
        .map(|(name, _)| &**name)
        .collect();
    if missing.is_empty() {
        let text = format!("{} declared", text::count(secrets.len(), "secret"));
        return Check::new("secrets", Verdict::Ok, text);
    }
    Check::new(
        "secrets",
        Verdict::Fail,
        format!("missing: {}", missing.join(", ")),
    )
    .fix("set them in the environment or `.env`, or keep them with `fabrik secrets set NAME`")
}

/// Opens one configured provider.
async fn open(
    session: &Session,
    registry: &Registry,
    instance: &InstanceDecl,
    secrets: &BTreeMap<Arc<str>, secret_sources::Known>,
    dir: &Path,
) -> Check {
    let name = &*instance.name;
    let Some(provider) = registry.provider(&instance.provider) else {
        let text = format!("this program has no provider `{}`", instance.provider);
        return Check::new(name, Verdict::Fail, text);
    };
    let config = match secret_sources::fill(&instance.config, secrets) {
        Ok(config) if !config.has_unknown() => config,
        Ok(_) => {
            let text = "configured from resources or secrets that are not there yet";
            return Check::new(name, Verdict::Skip, text).fix("`fabrik apply` makes them");
        }
        Err(error) => return Check::failed(name, &error),
    };
    let cx = Cx::new(session.world.clock.clone(), StopSignal::never());
    let opened = match tokio::time::timeout(PATIENCE, provider.open(&cx, &config)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return Check::failed(name, &error),
        Err(_) => {
            let text = format!("no answer within {} s", PATIENCE.as_secs());
            return Check::new(name, Verdict::Fail, text)
                .fix("check the address in its configuration, and the network");
        }
    };
    let facts = opened.facts();
    // What closing does not manage in time is left behind: the program ends soon anyway.
    _ = tokio::time::timeout(PATIENCE, opened.close()).await;
    let version = &provider.info().version;
    let text = format!("version {version}{}", facts_text(&facts));
    if &*instance.provider != "local" {
        return Check::new(name, Verdict::Ok, text);
    }
    match builtin::agent_of(dir, &session.settings.env.value, &config).await {
        builtin::Agent::Runs(agent) => Check::new(name, Verdict::Ok, format!("{text}; {agent}")),
        builtin::Agent::Unneeded => Check::new(
            name,
            Verdict::Ok,
            format!("{text}; its agent starts with the first app"),
        ),
        builtin::Agent::Gone => Check::new(
            name,
            Verdict::Warn,
            format!("{text}; its agent is not running, so nothing answers"),
        )
        .fix("`fabrik apply` starts it"),
    }
}

/// Facts in a line.
fn facts_text(facts: &Value) -> String {
    let Some(map) = facts.as_map() else {
        return String::new();
    };
    let pairs = map.iter().map(|(key, value)| {
        let shown = match to_wire_masked(value) {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        format!("; {key} {shown}")
    });
    pairs.collect()
}
