//! The provider against the fake.

mod application;
mod description;
mod documents;
mod errors;
mod roles;
mod traps;
mod world;
