//! `cloudflare.zone_by_name`.

use fabrik_core::error::Result;
use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::Lookup;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::client::Cloudflare;
use crate::refs::{canonical, missing};
use crate::zone::outputs;

/// A zone that exists already, by its name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneByNameInputs {
    /// The domain: `example.com`.
    #[schemars(length(min = 3, max = 253))]
    pub name: String,
}

/// What is known of the zone.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ZoneByNameOutputs {
    /// The id.
    pub id: String,
    /// The name, in punycode.
    pub name: String,
    /// The id of the account it belongs to.
    pub account: String,
    /// The servers that answer for it.
    pub name_servers: Vec<String>,
    /// `pending`, `active`, `initializing` or `moved`.
    pub status: String,
    /// What is paid for: `free`, `pro`, `business`, `enterprise`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
}

/// `cloudflare.zone_by_name`: a zone that exists already.
#[derive(Clone, Copy, Debug)]
pub struct ZoneByName;

impl Lookup for ZoneByName {
    const TYPE: &'static str = "cloudflare.zone_by_name";
    type Client = Cloudflare;
    type Spec = ZoneByNameInputs;
    type Outputs = ZoneByNameOutputs;

    async fn find(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &ZoneByNameInputs,
    ) -> Result<(String, ZoneByNameOutputs)> {
        let name = canonical(&spec.name)?;
        let mut found = client.zones_named(cx, &name).await?;
        let zone = found
            .pop()
            .ok_or_else(|| missing(&name).field(fabrik_core::value::Path::key("name")))?;
        client.memo().insert(&zone);
        let shown = outputs(&zone);
        let outputs = ZoneByNameOutputs {
            id: zone.id.clone(),
            name,
            account: zone.account.id,
            name_servers: shown.name_servers,
            status: shown.status,
            plan: shown.plan,
        };
        Ok((zone.id, outputs))
    }
}
