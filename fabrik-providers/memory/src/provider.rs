//! The provider, on the erased boundary.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::error::Result;
use fabrik_core::provider::typed::decode;
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo};
use fabrik_core::role::Player;
use fabrik_core::value::Value;
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;

use crate::cloud::{ACCOUNT, Cloud};
use crate::instance::MemoryInstance;
use crate::link::{Link, RemoteCloud};
use crate::players::{DnsPlayer, RuntimePlayer};
use crate::protocol::Ask;
use crate::types::{self, Tuning};

/// How many calls are in flight at once: it answers from memory.
const IN_FLIGHT: usize = 512;

/// A fake cloud in memory. Things come and go with the process, and nothing costs anything.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MemoryConfig {
    /// Whose things these are; accounts do not see each other's. `main` unless set.
    #[schemars(length(min = 1))]
    pub account: Option<String>,
    /// The token that proves it, where the cloud asks for one.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "MEMORY_TOKEN"}))]
    pub token: Option<String>,
}

/// The provider `memory`.
#[derive(Debug)]
pub struct MemoryProvider {
    info: ProviderInfo,
    link: Link,
}

impl MemoryProvider {
    fn new(link: Link, tuning: Tuning) -> MemoryProvider {
        let config = schema_for!(MemoryConfig).to_value();
        let description = config.get("description").and_then(|text| text.as_str());
        MemoryProvider {
            info: ProviderInfo {
                name: "memory".into(),
                version: env!("CARGO_PKG_VERSION").into(),
                description: description.unwrap_or_default().to_owned(),
                config,
                types: types::all(tuning),
                max_in_flight: IN_FLIGHT,
            },
            link,
        }
    }

    /// The same with other times, for tests that wait for them.
    #[must_use]
    pub fn tuned(mut self, tuning: Tuning) -> MemoryProvider {
        self.info.types = types::all(tuning);
        self
    }
}

/// The provider `memory` on a cloud of this process.
pub fn provider(cloud: Cloud) -> MemoryProvider {
    MemoryProvider::new(Link::Here(cloud), Tuning::default())
}

/// The provider `memory` on a cloud that another process serves (see [`Cloud::serve`]).
pub fn memory_provider_remote(address: SocketAddr) -> MemoryProvider {
    MemoryProvider::new(Link::There(RemoteCloud::new(address)), Tuning::default())
}

#[async_trait]
impl Provider for MemoryProvider {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn open(&self, _: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let config: MemoryConfig = decode(config)?;
        let token = config.token;
        self.link.ask(Ask::Hello { token }).await?;
        Ok(Arc::new(MemoryInstance {
            link: self.link.clone(),
            account: config.account.unwrap_or_else(|| ACCOUNT.to_owned()),
        }))
    }

    fn players(&self) -> Vec<Arc<dyn Player>> {
        vec![Arc::new(RuntimePlayer), Arc::new(DnsPlayer)]
    }
}
