#![doc = include_str!("../README.md")]

mod client;
mod config;
mod note;

use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};

pub use client::AcmeClient;
pub use config::Config;
pub use note::{Note, NoteOutputs, NoteSpec};

/// How many requests Acme takes at once.
const IN_FLIGHT: usize = 4;

/// The provider `acme`.
pub fn provider() -> TypedProvider<Config, AcmeClient> {
    let open = async |_: &Cx, config: Config| AcmeClient::new(&config);
    ProviderBuilder::new("acme", env!("CARGO_PKG_VERSION"), open)
        .max_in_flight(IN_FLIGHT)
        .resource(Note)
        .doctor(AcmeClient::examine)
        .build()
}
