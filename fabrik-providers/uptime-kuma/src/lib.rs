//! The Uptime Kuma provider.

mod address;
mod client;
mod config;
mod connection;
mod dial;
mod lists;
mod login;
mod mark;
mod refusal;
mod totp;
mod version;
mod wire;

pub use client::Kuma;
pub use config::KumaConfig;
