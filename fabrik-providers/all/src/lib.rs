#![doc = include_str!("../README.md")]

use fabrik_core::provider::Registry;

#[cfg(feature = "cloudflare")]
pub use fabrik_provider_cloudflare as cloudflare;
#[cfg(feature = "coolify")]
pub use fabrik_provider_coolify as coolify;
#[cfg(feature = "local")]
pub use fabrik_provider_local as local;
#[cfg(feature = "memory")]
pub use fabrik_provider_memory as memory;
#[cfg(feature = "namecheap")]
pub use fabrik_provider_namecheap as namecheap;
#[cfg(feature = "powerdns")]
pub use fabrik_provider_powerdns as powerdns;
#[cfg(feature = "uptime_kuma")]
pub use fabrik_provider_uptime_kuma as uptime_kuma;
#[cfg(feature = "wordpress")]
pub use fabrik_provider_wordpress as wordpress;

/// Registers providers of services, which need nothing of the program: a feature and a module each.
macro_rules! register_services {
    ($registry:ident: $($feature:literal $module:ident),* $(,)?) => {
        $(
            #[cfg(feature = $feature)]
            $registry.register($module::provider());
        )*
    };
}

/// What providers have to know of the program they are in; those of services need nothing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Settings {
    /// For `local`: where its agent keeps things and how it is started.
    #[cfg(feature = "local")]
    pub local: Option<local::LocalSettings>,
    /// For `memory`: the cloud in which its things are.
    #[cfg(feature = "memory")]
    pub memory: Option<memory::Cloud>,
    /// For `wordpress`: what programs find that are started on this machine (`wp`, `ssh`, `docker`),
    /// and the folder that paths of images and zip files are relative to.
    #[cfg(feature = "wordpress")]
    pub wordpress: Option<(fabrik_exec::BaseEnv, std::path::PathBuf)>,
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

    /// Sets what `wordpress` needs: what programs find that it starts on this machine, and the folder
    /// that paths are relative to.
    #[cfg(feature = "wordpress")]
    #[must_use]
    pub fn wordpress(
        mut self,
        env: fabrik_exec::BaseEnv,
        base: impl Into<std::path::PathBuf>,
    ) -> Settings {
        self.wordpress = Some((env, base.into()));
        self
    }
}

/// Registers every provider that is switched on and has the settings it needs.
pub fn register(registry: &mut Registry, settings: &Settings) {
    register_services!(registry:
        "cloudflare" cloudflare,
        "coolify" coolify,
        "namecheap" namecheap,
        "powerdns" powerdns,
        "uptime_kuma" uptime_kuma,
    );
    #[cfg(feature = "local")]
    if let Some(settings) = &settings.local {
        registry.register(local::provider(settings.clone()));
    }
    #[cfg(feature = "memory")]
    if let Some(cloud) = &settings.memory {
        registry.register(memory::provider(cloud.clone()));
    }
    #[cfg(feature = "wordpress")]
    if let Some((env, base)) = &settings.wordpress {
        registry.register(wordpress::provider_at(env.clone(), base));
    }
    // With few features, some of these are not used.
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
        assert!(registry.provider("local").is_none());
        let local = LocalSettings::new("/x/state", "/x", |dir, _| {
            AgentLaunch::new("/x/fabrik", dir)
        });
        let settings = Settings::new().local(local);
        #[cfg(feature = "memory")]
        let settings = settings.memory(super::memory::Cloud::new());
        #[cfg(feature = "wordpress")]
        let settings = settings.wordpress(fabrik_exec::BaseEnv::new("/usr/bin"), "/x");
        register(&mut registry, &settings);
        assert!(registry.provider("local").is_some());
        assert_eq!(
            registry.provider("wordpress").is_some(),
            cfg!(feature = "wordpress")
        );
        assert_eq!(
            registry.provider("memory").is_some(),
            cfg!(feature = "memory")
        );
        let runtimes: Vec<&str> = registry.players(RUNTIME).map(|(name, _)| name).collect();
        assert!(runtimes.contains(&"local"));
        assert_eq!(runtimes.contains(&"memory"), cfg!(feature = "memory"));
    }
}
