//! The provider against real WordPress.

#[path = "../world/mod.rs"]
mod world;

mod life;
