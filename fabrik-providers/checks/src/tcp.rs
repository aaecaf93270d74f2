//! `tcp`: something accepts connections.

use std::sync::Arc;

use async_trait::async_trait;
use fabrik_core::provider::Cx;
use fabrik_core::verify::{CheckFailure, Checker};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::field::{self, Timeout};
use crate::network::Network;
use crate::target::{Endpoint, connect};

/// Something accepts connections at an address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Spec {
    /// Where to connect: `host:port`.
    address: String,
    /// How long one try may take; 10 seconds unless set.
    #[serde(default)]
    timeout: Timeout,
}

/// The checker of `tcp`.
pub(crate) struct Tcp {
    network: Arc<Network>,
}

impl Tcp {
    pub(crate) fn new(network: Arc<Network>) -> Tcp {
        Tcp { network }
    }
}

#[async_trait]
impl Checker for Tcp {
    fn kind(&self) -> &'static str {
        "tcp"
    }

    fn schema(&self) -> Json {
        field::schema::<Spec>()
    }

    fn subject(&self) -> Option<&'static str> {
        Some("address")
    }

    async fn check(&self, cx: &Cx, spec: &Json) -> Result<String, CheckFailure> {
        let spec: Spec = field::spec("tcp", spec)?;
        let endpoint = Endpoint::parse(&spec.address, None)?;
        let timeout = spec.timeout.within(cx);
        let addresses = self.network.find(&endpoint, timeout).await?;
        let (_, peer) = connect(&addresses, timeout).await?;
        Ok(if peer.to_string() == endpoint.to_string() {
            format!("{endpoint} accepts connections")
        } else {
            format!("{endpoint} accepts connections (at {peer})")
        })
    }
}
