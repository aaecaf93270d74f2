//! The `fabrik` program as a library: what it prints.

pub mod output;
