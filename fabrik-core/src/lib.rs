//! The engine of Fabrik: resources, providers, plan, journalled apply, state, rollback.

pub mod address;
pub mod clock;
pub mod codes;
pub mod diagnostic;
pub mod error;
pub mod expr;
pub mod hex;
pub mod provider;
pub mod role;
pub mod secrets;
pub mod spec;
pub mod stack;
pub mod state;
pub mod value;
pub mod yaml;
