//! The `fabrik` program as a library.

pub mod args;
pub mod env_vars;
pub mod exit;
