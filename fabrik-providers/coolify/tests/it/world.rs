//! A Coolify, an engine over the provider, and stacks for both.

use std::sync::Arc;

use fabrik_core::error::Error;
use fabrik_core::provider::Registry;
use fabrik_core::role::Component;
use fabrik_core::spec::{LoadRequest, load};
use fabrik_core::stack::Stack;
use fabrik_fakes::coolify::{Coolify, TOKEN};
use fabrik_provider_coolify::provider;
use fabrik_testkit::stack::Stage;
use serde_json::{Value as Json, json};

pub(crate) struct World {
    pub(crate) coolify: Coolify,
    pub(crate) stage: Stage,
    kinds: Vec<Arc<dyn Component>>,
}

impl World {
    pub(crate) fn new(version: &str) -> World {
        World::with_token(version, TOKEN)
    }

    pub(crate) fn with_token(version: &str, token: &str) -> World {
        let coolify = Coolify::start(version);
        let stage = Stage::builder()
            .provider(
                provider(),
                json!({"endpoint": coolify.url(), "token": token, "requests_per_minute": 100_000}),
            )
            .build()
            .expect("it works");
        World {
            coolify,
            stage,
            kinds: fabrik_core::kinds::all(),
        }
    }

    /// With one more kind of apps.
    pub(crate) fn with_kind(version: &str, kind: impl Component + 'static) -> World {
        let mut world = World::new(version);
        world.kinds.push(Arc::new(kind));
        world
    }

    pub(crate) fn load(&self, resources: Json) -> Arc<Stack> {
        self.stage
            .load(&json!({"resources": resources}))
            .expect("it works")
    }

    /// As [`World::load`], for a whole spec with apps.
    pub(crate) fn load_spec(&self, spec: Json) -> fabrik_core::error::Result<Arc<Stack>> {
        let mut registry = Registry::new();
        registry.register(provider());
        for kind in &self.kinds {
            registry.register_component(kind.clone());
        }
        let mut document = spec;
        document["fabrik"] = json!(1);
        document["id"] = json!("shop");
        document["providers"] = json!({"coolify": {"endpoint": self.coolify.url(), "token": TOKEN, "requests_per_minute": 100_000}});
        // Secrets that the stage was told.
        let text = document.to_string();
        let told = (1..10).map(|n| format!("fbt-{n}"));
        let told: Vec<String> = told.filter(|name| text.contains(name.as_str())).collect();
        document["secrets"] = json!(told);
        let text = document.to_string();
        let request = LoadRequest::new(&registry, "spec.json", text.as_bytes());
        load(&request).into_stack().map(Arc::new)
    }

    /// Applies, and nothing is left to do then.
    pub(crate) async fn settle(&self, resources: Json) {
        self.stage
            .settle(&self.load(resources))
            .await
            .expect("it works");
    }

    /// The error of a failing apply or plan.
    pub(crate) async fn fail(&self, resources: Json) -> Error {
        let stack = self.load(resources);
        match self.stage.apply(&stack).await {
            Ok(report) => report
                .end
                .error
                .as_ref()
                .map(Error::from)
                .expect("the run fails"),
            Err(error) => error,
        }
    }

    /// An image application of a project, as `resources`.
    pub(crate) fn app(&self, more: Json) -> Json {
        let mut spec = json!({
            "project": "${resources.shop.id}",
            "server": self.coolify.server_uuid(),
            "name": "api",
            "image": "ghcr.io/acme/api:1.5",
            "ports": [8000],
            "domains": ["https://api.example.com"],
        });
        merge(&mut spec, more);
        json!({
            "shop": {"type": "coolify.project", "spec": {"name": "Shop"}},
            "api": {"type": "coolify.application", "spec": spec},
        })
    }
}

/// Lays one object over another; null takes away.
pub(crate) fn merge(base: &mut Json, over: Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) => {
            for (key, value) in over {
                if value.is_null() {
                    base.remove(&key);
                } else {
                    merge(base.entry(key).or_insert(Json::Null), value);
                }
            }
        }
        (base, over) => *base = over,
    }
}
