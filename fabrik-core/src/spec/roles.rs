//! Who plays which role for an app.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Data, Node};
use super::world::World;
use crate::codes;
use crate::diagnostic::Span;
use crate::error::{Error, ErrorKind, Result};
use crate::role::{Player, ROLES, RUNTIME};
use crate::value::{Path, Value};

/// Keys of `on` that say where, not who.
pub(super) const PLACES: &[&str] = &["server", "project", "environment"];
/// The provider that plays a role when no other is configured.
const FALLBACK: &str = "local";

/// `on` as written: who plays a role, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct On {
    /// Instance names by role, with their places.
    pub(super) roles: BTreeMap<Arc<str>, (Arc<str>, Span)>,
    /// `server`, `project`, `environment`; true where the app itself says so.
    pub(super) places: BTreeMap<Arc<str>, (Value, bool)>,
}

/// A role with its player.
#[derive(Clone)]
pub(super) struct Cast {
    /// The instance that does it.
    pub(super) instance: Arc<str>,
    /// Its provider.
    pub(super) provider: Arc<str>,
    /// How it plays the role.
    pub(super) player: Arc<dyn Player>,
    /// Nobody said so: it was found.
    pub(super) by_default: bool,
}

impl On {
    /// What is said here, and else what is said further out.
    pub(super) fn or(mut self, outer: &On) -> On {
        for (role, who) in &outer.roles {
            self.roles
                .entry(role.clone())
                .or_insert_with(|| who.clone());
        }
        for (place, value) in &outer.places {
            self.places
                .entry(place.clone())
                .or_insert_with(|| (value.0.clone(), false));
        }
        self
    }
}

impl World<'_> {
    /// Reads an `on` block: a scalar is the runtime.
    pub(super) fn read_on(&mut self, node: &Node, place: &super::world::Place<'_>) -> On {
        let mut on = On::default();
        match &node.data {
            Data::Scalar(_) if node.is_null() => {}
            Data::Scalar(_) => {
                if let Some(name) = self.player_name(node, place) {
                    on.roles.insert(RUNTIME.into(), (name, node.span));
                }
            }
            Data::Map(entries) => {
                for entry in entries {
                    let key = &*entry.key;
                    let known =
                        ROLES.contains(&key) || self.request.registry.players(key).next().is_some();
                    if known {
                        if let Some(name) = self.player_name(&entry.value, place) {
                            on.roles.insert(entry.key.clone(), (name, entry.value.span));
                        }
                    } else if PLACES.contains(&key) {
                        let value = self.lower(&entry.value, None, place);
                        on.places.insert(entry.key.clone(), (value, true));
                    } else if !key.starts_with("x-") {
                        let help = self
                            .report
                            .suggest(key, ROLES.iter().chain(PLACES).copied());
                        let text = format!("unknown field `{key}` in `on`");
                        self.error(codes::UNKNOWN_FIELD, entry.key_span, place, text, help);
                    }
                }
            }
            Data::List(_) => {
                let text = "`on` takes the name of a runtime or a map of roles, not a list";
                let help = "write `on: NAME` or `on: { runtime: NAME, dns: NAME }`".to_owned();
                self.error(codes::WRONG_TYPE, node.span, place, text, Some(help));
            }
        }
        on
    }

    /// The name of a provider or configuration.
    fn player_name(&mut self, node: &Node, place: &super::world::Place<'_>) -> Option<Arc<str>> {
        let value = self.lower(node, None, place);
        if super::world::is_poison(&value) {
            return None;
        }
        let name = value.as_str().unwrap_or_default().to_owned();
        let found = self.find_instance(&name).map(|(instance, _)| instance);
        if found.is_none() {
            let known = self.instance_names();
            let help = self.report.suggest(&name, known.iter().map(AsRef::as_ref));
            let text = if name.is_empty() {
                "this must be the name of a provider, known when planning".to_owned()
            } else {
                format!("there is no provider `{name}`, and none is configured by that name")
            };
            self.error(codes::PROVIDER, node.span, place, text, help);
        }
        found
    }

    /// Who plays a role: as said, else the only configured provider that does, else `local`.
    ///
    /// # Errors
    /// Nobody does, or more than one could.
    pub(super) fn cast(&self, role: &str, on: &On) -> Result<Cast> {
        if let Some((instance, _)) = on.roles.get(role) {
            return self.explicit(role, instance);
        }
        let candidates = self.candidates(role);
        match candidates.as_slice() {
            [only] => self
                .player(role, only, true)
                .ok_or_else(|| nobody(role, self)),
            [] => Err(nobody(role, self)),
            several => Err(Error::new(
                ErrorKind::Invalid,
                format!("{} could each play the role `{role}`", listed(several)),
            )
            .code(codes::AMBIGUOUS)
            .field(Path::key("on"))
            .hint(format!("say which one: `on: {{ {role}: {} }}`", several[0]))),
        }
    }

    /// Whether anybody could play the role.
    pub(super) fn has_cast(&self, role: &str, on: &On) -> bool {
        on.roles.contains_key(role) || !self.candidates(role).is_empty()
    }

    fn explicit(&self, role: &str, instance: &Arc<str>) -> Result<Cast> {
        self.player(role, instance, false).ok_or_else(|| {
            let provider = instance.split('.').next().unwrap_or_default();
            let could: Vec<&str> = self
                .request
                .registry
                .players(role)
                .map(|(name, _)| name)
                .collect();
            let error = Error::new(
                ErrorKind::Invalid,
                format!("`{provider}` does not play the role `{role}`"),
            )
            .code(codes::NO_PLAYER)
            .field(Path::key("on").join(role));
            if could.is_empty() {
                error
            } else {
                error.hint(format!("{} could", could.join(", ")))
            }
        })
    }

    fn player(&self, role: &str, instance: &Arc<str>, by_default: bool) -> Option<Cast> {
        let (_, provider) = self.find_instance(instance)?;
        let (_, player) = self
            .request
            .registry
            .players(role)
            .find(|(name, _)| **name == *provider)?;
        Some(Cast {
            instance: instance.clone(),
            provider,
            player: player.clone(),
            by_default,
        })
    }

    /// Configured instances that play a role: in the spec, else by variables of the process, else
    /// `local`.
    fn candidates(&self, role: &str) -> Vec<Arc<str>> {
        let players: Vec<&str> = self
            .request
            .registry
            .players(role)
            .map(|(name, _)| name)
            .collect();
        let written: Vec<Arc<str>> = self
            .configured
            .iter()
            .filter(|one| players.contains(&&*one.provider))
            .map(|one| one.instance.clone())
            .collect();
        if !written.is_empty() {
            return written;
        }
        let by_env: Vec<Arc<str>> = players
            .iter()
            .filter_map(|name| self.request.registry.provider(name))
            .filter(|provider| self.is_configured_by_env(provider.info()))
            .map(|provider| provider.info().name.clone())
            .collect();
        if !by_env.is_empty() {
            return by_env;
        }
        players
            .iter()
            .filter(|name| **name == FALLBACK)
            .map(|name| Arc::from(*name))
            .collect()
    }
}

fn nobody(role: &str, world: &World<'_>) -> Error {
    let could: Vec<&str> = world
        .request
        .registry
        .players(role)
        .map(|(name, _)| name)
        .collect();
    let error = Error::new(
        ErrorKind::Invalid,
        format!("no configured provider plays the role `{role}`"),
    )
    .code(codes::NO_PLAYER)
    .field(Path::key("on"));
    if could.is_empty() {
        error.hint("no provider of this program plays it")
    } else {
        error.hint(format!(
            "configure one under `providers:`: {}",
            could.join(", ")
        ))
    }
}

fn listed(names: &[Arc<str>]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
