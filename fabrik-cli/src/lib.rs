//! The `fabrik` program as a library: a binary of one's own adds providers and runs it.
//!
//! See [`App`].

mod app;
mod apps;
pub mod args;
mod ask;
mod builtin;
mod carry;
mod commands;
mod complete;
mod dotenv;
mod dump;
pub mod env_vars;
pub mod exit;
mod expand;
mod fail;
mod files;
mod host;
mod key;
mod lint;
mod logging;
mod notify;
pub mod output;
mod panics;
mod place;
mod project;
mod reference;
mod replay;
mod runs;
mod saved;
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
