//! The provider against the fake.

#![allow(clippy::unwrap_used, reason = "what a test does by hand has to work")]

mod bad_input;
mod examples;
mod life;
mod nameservers;
mod roles;
mod secrecy;
mod whole;
mod world;
