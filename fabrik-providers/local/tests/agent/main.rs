//! The agent as a whole: real processes, a real proxy, real kills.
//!
//! The test binary plays every process itself, in the roles of [`helper`].

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and its roles are programs"
)]

mod crash;
mod deploy;
mod gate;
mod helper;
mod jobs;
mod launch;
mod life;
mod proxy;
mod removal;
mod sites;
mod world;
