//! The provider against the fake.

mod application;
mod description;
mod documents;
mod errors;
mod replace;
mod roles;
mod traps;
mod world;
