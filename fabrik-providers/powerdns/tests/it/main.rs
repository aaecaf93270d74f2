//! The provider against a real PowerDNS.

#[path = "../server/mod.rs"]
mod server;

mod bad_input;
mod bar;
mod examples;
mod life;
mod roles;
mod warden;
mod world;
