//! The provider against the fake.

mod bad_input;
mod examples;
mod life;
mod nameservers;
mod roles;
mod secrecy;
mod whole;
mod world;
