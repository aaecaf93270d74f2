//! Site specs into resources, without a WordPress.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod examples;
mod mistakes;
mod sites;
mod support;
