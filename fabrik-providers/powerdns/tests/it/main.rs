//! The provider against a real PowerDNS.

#![allow(clippy::unwrap_used, reason = "what a test does by hand has to work")]

#[path = "../server/mod.rs"]
mod server;

mod bad_input;
mod bar;
mod examples;
mod life;
mod roles;
mod warden;
mod world;
