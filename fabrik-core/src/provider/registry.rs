//! Which providers a program has.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Provider, TypeInfo};
use crate::diagnostic::did_you_mean;
use crate::error::{Error, ErrorKind, Result};
use crate::role::Player;

/// The providers linked into a program, by name.
#[derive(Clone, Default)]
pub struct Registry {
    providers: BTreeMap<Arc<str>, Arc<dyn Provider>>,
    types: BTreeMap<Arc<str>, (Arc<str>, Arc<TypeInfo>)>,
    players: Vec<(Arc<str>, Arc<dyn Player>)>,
    components: BTreeMap<Arc<str>, Arc<dyn crate::role::Component>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.providers.keys()).finish()
    }
}

impl Registry {
    /// None yet.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a provider; one of the same name is replaced.
    pub fn register(&mut self, provider: impl Provider) -> &mut Registry {
        self.register_arc(Arc::new(provider))
    }

    /// As [`Registry::register`], for one that is shared.
    pub fn register_arc(&mut self, provider: Arc<dyn Provider>) -> &mut Registry {
        let name = provider.info().name.clone();
        self.types.retain(|_, (owner, _)| *owner != name);
        self.players.retain(|(owner, _)| *owner != name);
        for info in &provider.info().types {
            self.types
                .insert(info.name.clone(), (name.clone(), info.clone()));
        }
        for player in provider.players() {
            self.players.push((name.clone(), player));
        }
        self.providers.insert(name, provider);
        self
    }

    /// Adds a component: a kind of app that expands into resources.
    pub fn register_component(
        &mut self,
        component: Arc<dyn crate::role::Component>,
    ) -> &mut Registry {
        self.components.insert(component.kind().into(), component);
        self
    }

    /// The component of a kind.
    pub fn component(&self, kind: &str) -> Option<&Arc<dyn crate::role::Component>> {
        self.components.get(kind)
    }

    /// Every component kind.
    pub fn component_kinds(&self) -> impl Iterator<Item = &str> {
        self.components.keys().map(AsRef::as_ref)
    }

    /// The provider of a name.
    pub fn provider(&self, name: &str) -> Option<&Arc<dyn Provider>> {
        self.providers.get(name)
    }

    /// Every provider, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.providers.values()
    }

    /// The type of a full name.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], with the nearest known name as hint.
    pub fn type_info(&self, name: &str) -> Result<&Arc<TypeInfo>> {
        self.types.get(name).map(|(_, info)| info).ok_or_else(|| {
            let error = Error::new(
                ErrorKind::NotFound,
                format!("no provider here has a type `{name}`"),
            );
            match did_you_mean(name, self.types.keys().map(AsRef::as_ref)) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`fabrik docs` lists the types this program knows"),
            }
        })
    }

    /// Every type, by name.
    pub fn types(&self) -> impl Iterator<Item = &Arc<TypeInfo>> {
        self.types.values().map(|(_, info)| info)
    }

    /// The providers that play a role, with their players.
    pub fn players(&self, role: &str) -> impl Iterator<Item = (&str, &Arc<dyn Player>)> {
        self.players
            .iter()
            .filter(move |(_, player)| player.role() == role)
            .map(|(name, player)| (name.as_ref(), player))
    }
}
