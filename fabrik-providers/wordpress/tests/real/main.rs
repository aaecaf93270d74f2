//! The provider against real WordPress.

#[path = "../world/mod.rs"]
mod world;

#[path = "../../../exec/tests/it/server.rs"]
#[allow(dead_code, unreachable_pub, reason = "not all of it is used here")]
mod server;

mod edits;
mod failures;
mod life;
mod places;
