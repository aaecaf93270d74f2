//! The provider against the fake.

mod application;
mod world;
