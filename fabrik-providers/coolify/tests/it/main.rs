//! The provider against the fake.

mod application;
mod errors;
mod roles;
mod traps;
mod world;
