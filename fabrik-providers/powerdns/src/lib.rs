#![doc = include_str!("../README.md")]

mod client;
mod config;
mod content;
mod error;
mod metadata;
mod name;
mod player;
mod record_set;
mod wire;
mod zone;

use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};

pub use client::PowerDns;
pub use config::Config;
pub use metadata::{Metadata, MetadataOutputs, MetadataSpec};
pub use player::DnsPlayer;
pub use record_set::{RecordSet, RecordSetOutputs, RecordSetSpec};
pub use zone::{SoaEdit, Zone, ZoneKind, ZoneOutputs, ZoneSpec};

/// How many calls go to a server at once.
const IN_FLIGHT: usize = 8;

/// The provider `powerdns`.
pub fn provider() -> TypedProvider<Config, PowerDns> {
    let open = async |cx: &Cx, config: Config| PowerDns::open(cx, config).await;
    ProviderBuilder::new("powerdns", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .resource(Zone)
        .resource(RecordSet)
        .resource(Metadata)
        .player(DnsPlayer)
        .facts(PowerDns::facts)
        .doctor(PowerDns::examine)
        .build()
}
