//! The `fabrik` program as a library: a binary of one's own adds providers and runs it.
//!
//! See [`App`].

mod app;
pub mod args;
mod ask;
mod builtin;
mod commands;
pub mod env_vars;
pub mod exit;
mod fail;
mod files;
mod host;
mod key;
mod logging;
pub mod output;
mod panics;
mod place;
mod project;
mod reference;
mod runs;
mod secret_sources;
mod session;
mod settings;
mod signals;
mod spec;
pub mod world;

pub use app::App;
pub use exit::Exit;
pub use host::{Helper, Host};
pub use world::World;
