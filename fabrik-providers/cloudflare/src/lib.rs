#![doc = include_str!("../README.md")]

mod api;
mod cache_purge;
mod client;
mod config;
mod dns_record;
mod doctor;
mod errors;
mod names;
mod player;
mod redirect_rule;
mod refs;
mod values;
mod zone;
mod zone_activation;
mod zone_by_name;
mod zone_settings;

use fabrik_core::error::Result;
use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};

pub use cache_purge::{CachePurge, CachePurgeInputs, CachePurgeOutputs};
pub use client::Cloudflare;
pub use config::CloudflareConfig;
pub use dns_record::{DnsRecord, DnsRecordInputs, DnsRecordOutputs, RecordType};
pub use player::DnsPlayer;
pub use redirect_rule::{RedirectRule, RedirectRuleInputs, RedirectRuleOutputs};
pub use zone::{OnDestroy, Zone, ZoneInputs, ZoneKind, ZoneOutputs};
pub use zone_activation::{ZoneActivation, ZoneActivationInputs, ZoneActivationOutputs};
pub use zone_by_name::{ZoneByName, ZoneByNameInputs, ZoneByNameOutputs};
pub use zone_settings::{ZoneSettings, ZoneSettingsInputs, ZoneSettingsOutputs};

/// How many steps go at once. Most of them share a batch; the client sends four requests at a time.
const IN_FLIGHT: usize = 1_000;

/// The provider `cloudflare`.
pub fn provider() -> TypedProvider<CloudflareConfig, Cloudflare> {
    let open = |cx: &Cx, config: CloudflareConfig| {
        let cx = cx.clone();
        async move { Cloudflare::open(&cx, config).await as Result<Cloudflare> }
    };
    ProviderBuilder::new("cloudflare", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .resource(Zone)
        .resource(ZoneSettings)
        .resource(DnsRecord)
        .resource(RedirectRule)
        .lookup(ZoneByName)
        .action(CachePurge)
        .action(ZoneActivation)
        .player(DnsPlayer)
        .facts(Cloudflare::facts)
        .doctor(async |cx: &Cx, client: &Cloudflare| doctor::examine(cx, client).await)
        .build()
}
