//! The engine of Fabrik: resources, providers, plan, journalled apply, state, rollback.

pub mod address;
mod apply;
pub mod clock;
pub mod codes;
pub mod diagnostic;
pub mod engine;
pub mod error;
pub mod event;
pub mod expr;
pub mod graph;
pub mod hex;
pub mod kinds;
pub mod plan;
pub mod provider;
pub mod role;
pub mod secrets;
mod session;
pub mod spec;
pub mod stack;
pub mod state;
pub mod testing;
pub mod value;
pub mod verify;
pub mod yaml;
