#![doc = include_str!("../README.md")]

mod client;
mod config;
mod content;
mod domain;
mod error;
mod name;
mod nameservers;
mod player;
mod record_set;
mod xml;

use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};

pub use client::Namecheap;
pub use config::Config;
pub use domain::{Domain, DomainOutputs, DomainSpec};
pub use nameservers::{NameServers, NameServersOutputs, NameServersSpec};
pub use player::DnsPlayer;
pub use record_set::{RecordSet, RecordSetOutputs, RecordSetSpec};

/// The provider `namecheap`.
pub fn provider() -> TypedProvider<Config, Namecheap> {
    let open = async |_: &Cx, config: Config| Namecheap::open(&config);
    ProviderBuilder::new("namecheap", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(4)
        .resource(RecordSet)
        .resource(NameServers)
        .lookup(Domain)
        .player(DnsPlayer)
        .doctor(Namecheap::examine)
        .build()
}
