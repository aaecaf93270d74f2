//! The provider against the fake, through the engine.

mod errors;
mod purge;
mod readme;
mod records;
mod redirects;
mod roles;
mod scale;
mod settings;
mod trouble;
mod world;
mod zones;
