//! The provider against real WordPress.

#[path = "../world/mod.rs"]
mod world;

mod edits;
mod failures;
mod life;
mod places;
