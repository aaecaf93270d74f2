#![doc = include_str!("../README.md")]

mod cloud;
mod instance;
mod link;
mod ops;
mod players;
mod protocol;
mod provider;
mod server;
mod specs;
mod types;

pub use cloud::{ACCOUNT, Behaviour, Cloud, Does, Fault, LogEntry, Match, PERMISSIONS};
pub use link::RemoteCloud;
pub use players::{DnsPlayer, RuntimePlayer};
pub use protocol::{Thing, What};
pub use provider::{MemoryConfig, MemoryProvider, memory_provider_remote, provider};
pub use server::Server;
pub use specs::{
    AppOutputs, AppSpec, BatchSpec, BlobOutputs, BlobSpec, ChildSpec, DnsOutputs, DnsSpec,
    FlushOutputs, FlushSpec, KeyedSpec, LatestOutputs, LatestSpec, NameSpec, NoteSpec, NullOutputs,
    NullSpec, PageSpec, RecordSpec, ThingOutputs,
};
pub use types::Tuning;
