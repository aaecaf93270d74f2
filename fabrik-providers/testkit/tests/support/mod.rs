//! The memory provider's cloud as a target: served over TCP, one line each way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::{Cx, Instance, Provider, ProviderInfo};
use fabrik_core::value::{Path, Value};
use fabrik_provider_memory::{Behaviour, Cloud, MemoryProvider, Tuning, memory_provider_remote};
use fabrik_testkit::proxy::Exchange;
use fabrik_testkit::{Target, Wire};
use serde_json::{Value as Json, json};

pub(crate) const TOKEN: &str = "memory-token-6f1d";

/// A cloud and its server, on a thread of its own.
pub(crate) struct MemoryTarget {
    pub(crate) cloud: Cloud,
    address: SocketAddr,
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl MemoryTarget {
    pub(crate) fn start() -> MemoryTarget {
        let cloud = Cloud::new();
        cloud.behave(Behaviour {
            token: Some(TOKEN.to_owned()),
            ..Behaviour::default()
        });
        let (told, tells) = std::sync::mpsc::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = cloud.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let server = served.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
                told.send(server.address()).unwrap();
                let _ = stopped.await;
            });
        });
        MemoryTarget {
            cloud,
            address: tells.recv().unwrap(),
            _stop: stop,
        }
    }

    pub(crate) fn set(&self, id: &str, field: &str, value: Json) {
        assert!(self.cloud.tamper(id, field, value), "there is no `{id}`");
    }

    pub(crate) fn remove(&self, id: &str) {
        assert!(self.cloud.remove(id).is_some(), "there is no `{id}`");
    }
}

impl Target for MemoryTarget {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn config(&self, at: SocketAddr) -> Json {
        json!({"endpoint": at.to_string(), "token": TOKEN})
    }

    fn dump(&self) -> Json {
        serde_json::to_value(self.cloud.things()).unwrap()
    }

    fn count(&self, type_name: &str) -> usize {
        self.cloud.of(type_name).len()
    }

    fn wire(&self) -> Wire {
        Wire::Lines
    }
}

/// Whether a message changes nothing.
pub(crate) fn reads(exchange: &Exchange) -> bool {
    exchange.path != "write"
}

/// The memory provider with the address of its cloud in its configuration.
pub(crate) struct Configured {
    info: ProviderInfo,
}

fn tuned(at: SocketAddr) -> MemoryProvider {
    memory_provider_remote(at).tuned(Tuning {
        timeout: Duration::from_secs(30),
        settle: Duration::from_secs(5),
    })
}

pub(crate) fn provider() -> Configured {
    let mut info = tuned(SocketAddr::from(([127, 0, 0, 1], 1))).info().clone();
    info.config["properties"]["endpoint"] =
        json!({"type": "string", "description": "Where the cloud is served: `HOST:PORT`."});
    Configured { info }
}

#[async_trait]
impl Provider for Configured {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    async fn open(&self, cx: &Cx, config: &Value) -> Result<Arc<dyn Instance>> {
        let endpoint = config.get("endpoint").and_then(Value::as_str);
        let endpoint = endpoint.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, "`endpoint` is not an address")
                .field(Path::key("endpoint"))
        })?;
        let rest = config.without(&Path::key("endpoint"));
        tuned(endpoint).open(cx, &rest).await
    }
}
