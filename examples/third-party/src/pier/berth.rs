//! `pier.berth`.

use std::net::TcpListener;

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, OpId, TypeInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Config, named};
use crate::{failed, taken};

/// A port on loopback, kept for one app.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BerthSpec {
    /// Its name, unique on the pier.
    #[schemars(regex(pattern = "^[a-z0-9-]+$"), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The port; a free one unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub wish: Option<u16>,
}

/// What is known of a berth.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BerthOutputs {
    /// Its port.
    pub port: u16,
}

/// What is kept of a berth.
#[derive(Serialize, Deserialize)]
struct Kept {
    spec: BerthSpec,
    port: u16,
}

/// `pier.berth`: a port on loopback.
#[derive(Clone, Copy, Debug)]
pub struct Berth;

const KIND: &str = "berths";

fn observe(pier: &Config, name: &str) -> Result<Option<Observed<BerthSpec, BerthOutputs>>> {
    let kept: Option<Kept> = pier.load(KIND, name)?;
    Ok(kept.map(|kept| Observed::new(kept.spec, BerthOutputs { port: kept.port })))
}

impl Resource for Berth {
    const TYPE: &'static str = "pier.berth";
    type Client = Config;
    type Spec = BerthSpec;
    type Outputs = BerthOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            updatable: false,
            ..named(info, "A port on loopback, kept for one app.")
        }
    }

    async fn create(
        &self,
        _: &Cx,
        pier: &Config,
        spec: &BerthSpec,
    ) -> Result<Created<BerthOutputs>> {
        if observe(pier, &spec.name)?.is_some() {
            return Err(taken("berth", &spec.name));
        }
        let port = match spec.wish {
            Some(port) => port,
            None => TcpListener::bind("127.0.0.1:0")
                .and_then(|listener| listener.local_addr())
                .map_err(|error| failed("finding a free port", &error))?
                .port(),
        };
        let spec = spec.clone();
        let name = spec.name.clone();
        pier.store(KIND, &name, &Kept { spec, port })?;
        Ok(Created::new(name, BerthOutputs { port }))
    }

    async fn read(
        &self,
        _: &Cx,
        pier: &Config,
        id: &str,
    ) -> Result<Option<Observed<BerthSpec, BerthOutputs>>> {
        observe(pier, id)
    }

    async fn update(
        &self,
        _: &Cx,
        _: &Config,
        _: &str,
        change: &Change<'_, BerthSpec>,
    ) -> Result<BerthOutputs> {
        // Every field makes another berth, so this is never called.
        Ok(BerthOutputs {
            port: change.spec.wish.unwrap_or_default(),
        })
    }

    async fn delete(&self, _: &Cx, pier: &Config, id: &str) -> Result<()> {
        pier.forget(KIND, id)
    }

    async fn locate(
        &self,
        _: &Cx,
        pier: &Config,
        _: OpId,
        spec: &BerthSpec,
    ) -> Result<Option<Found<BerthSpec, BerthOutputs>>> {
        Ok(observe(pier, &spec.name)?.map(|observed| Found {
            id: spec.name.clone(),
            observed,
            marked: false,
        }))
    }
}
