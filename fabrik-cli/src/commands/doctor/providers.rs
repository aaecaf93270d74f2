//! Secrets, and every provider the spec configures: each is opened and looks at its service;
//! nothing is changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fabrik_core::provider::{self, Cx, Health, Registry, StopSignal};
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
        checks.extend(examine(session, &registry, instance, &secrets, dir).await);
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

/// Opens one configured provider and lets it look at its service: a line for itself, and one for
/// each thing it looked at.
async fn examine(
    session: &Session,
    registry: &Registry,
    instance: &InstanceDecl,
    secrets: &BTreeMap<Arc<str>, secret_sources::Known>,
    dir: &Path,
) -> Vec<Check> {
    let name = &*instance.name;
    let Some(provider) = registry.provider(&instance.provider) else {
        let text = format!("this program has no provider `{}`", instance.provider);
        return vec![Check::new(name, Verdict::Fail, text).fix("`fabrik provider list`")];
    };
    let config = match secret_sources::fill(&instance.config, secrets) {
        Ok(config) if !config.has_unknown() => config,
        Ok(_) => {
            let text = "configured from resources or secrets that are not there yet";
            return vec![Check::new(name, Verdict::Skip, text).fix("`fabrik apply` makes them")];
        }
        Err(error) => return vec![Check::failed(name, &error)],
    };
    let cx = Cx::new(session.world.clock.clone(), StopSignal::never());
    let opened = match tokio::time::timeout(PATIENCE, provider.open(&cx, &config)).await {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => return vec![Check::failed(name, &error)],
        Err(_) => return vec![silent(name)],
    };
    let facts = opened.facts();
    let version = &provider.info().version;
    let text = format!("version {version}{}", facts_text(&facts));
    let own = if &*instance.provider == "local" {
        local(
            name,
            text,
            builtin::agent_of(dir, &session.settings.env.value, &config).await,
        )
    } else {
        Check::new(name, Verdict::Ok, text)
    };
    let mut checks = vec![own];
    match tokio::time::timeout(PATIENCE, opened.examine(&cx)).await {
        Ok(found) => checks.extend(found.into_iter().map(|health| of_health(name, health))),
        Err(_) => checks.push(silent(name)),
    }
    // What closing does not manage in time is left behind: the program ends soon anyway.
    _ = tokio::time::timeout(PATIENCE, opened.close()).await;
    checks
}

fn silent(name: &str) -> Check {
    let text = format!("no answer within {} s", PATIENCE.as_secs());
    Check::new(name, Verdict::Fail, text)
        .fix("check the address in its configuration, and the network")
}

fn of_health(instance: &str, health: Health) -> Check {
    Check {
        name: format!("{instance} {}", text::one_line(&health.name)),
        verdict: match health.verdict {
            provider::Verdict::Ok => Verdict::Ok,
            provider::Verdict::Warn => Verdict::Warn,
            provider::Verdict::Fail => Verdict::Fail,
        },
        text: health.text,
        fix: health.hint,
    }
}

fn local(name: &str, text: String, agent: builtin::Agent) -> Check {
    match agent {
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
