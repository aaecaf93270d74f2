//! The provider through the engine: the life of every type, and each odd behaviour.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod groups;
mod life;
mod odd;
mod remote;
mod roles;
mod world;
