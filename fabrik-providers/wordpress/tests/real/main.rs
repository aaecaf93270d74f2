//! The provider against real WordPress.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail loudly")]

#[path = "../world/mod.rs"]
mod world;

#[path = "../../../exec/tests/it/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is used here")]
mod server;

mod edits;
mod failures;
mod life;
mod places;
