//! Whole servers from one spec: the examples `base-stack` and `staging-production`, by the real
//! program, on the fakes that the orchestrated run uses.

#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

mod base;
mod environments;
mod support;
#[path = "../orchestra/world.rs"]
#[expect(dead_code, reason = "written for the orchestrated run of one app")]
mod world;
