#![doc = include_str!("../README.md")]

use fabrik_core::provider::Registry;

#[cfg(feature = "local")]
pub use fabrik_provider_local as local;
#[cfg(feature = "memory")]
pub use fabrik_provider_memory as memory;

/// What the providers have to know of the program they are in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// For `local`: where its agent keeps things and how it is started.
    #[cfg(feature = "local")]
    pub local: Option<local::LocalSettings>,
    /// For `memory`: the cloud in which its things are.
    #[cfg(feature = "memory")]
    pub memory: Option<memory::Cloud>,
}

impl Settings {
    /// Nothing is set, so nothing is registered.
    pub fn new() -> Settings {
        Settings::default()
    }

    /// Sets what `local` needs.
    #[cfg(feature = "local")]
    #[must_use]
    pub fn local(mut self, settings: local::LocalSettings) -> Settings {
        self.local = Some(settings);
        self
    }

    /// Sets the cloud of `memory`.
    #[cfg(feature = "memory")]
    #[must_use]
    pub fn memory(mut self, cloud: memory::Cloud) -> Settings {
        self.memory = Some(cloud);
        self
    }
}

/// Registers every provider that is switched on and has its settings.
pub fn register(registry: &mut Registry, settings: &Settings) {
    #[cfg(feature = "local")]
    if let Some(settings) = &settings.local {
        registry.register(local::provider(settings.clone()));
    }
    #[cfg(feature = "memory")]
    if let Some(cloud) = &settings.memory {
        registry.register(memory::provider(cloud.clone()));
    }
    #[cfg(not(any(feature = "local", feature = "memory")))]
    let _ = (registry, settings);
}

#[cfg(all(test, feature = "local"))]
mod tests {
    use fabrik_core::provider::Registry;
    use fabrik_core::role::RUNTIME;

    use super::local::{AgentLaunch, LocalSettings};
    use super::{Settings, register};

    #[test]
    fn what_has_its_settings_is_registered() {
        let mut registry = Registry::new();
        register(&mut registry, &Settings::new());
        assert_eq!(registry.providers().count(), 0);
        let local = LocalSettings::new("/x/state", "/x", |dir, _| {
            AgentLaunch::new("/x/fabrik", dir)
        });
        let settings = Settings::new().local(local);
        #[cfg(feature = "memory")]
        let settings = settings.memory(super::memory::Cloud::new());
        register(&mut registry, &settings);
        assert!(registry.provider("local").is_some());
        assert_eq!(
            registry.provider("memory").is_some(),
            cfg!(feature = "memory")
        );
        let runtimes = registry.players(RUNTIME).count();
        assert_eq!(runtimes, 1 + usize::from(cfg!(feature = "memory")));
    }
}
