//! The provider against the fake, through the engine.

#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

mod errors;
mod purge;
mod readme;
mod records;
mod redirects;
mod roles;
mod scale;
mod settings;
mod soak;
mod trouble;
mod world;
mod zones;
