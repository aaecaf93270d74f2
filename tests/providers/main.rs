//! Every provider of a service together: faults on every wire, crashes at every moment.

#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

mod cast;
mod crash;
mod kill;
#[path = "../../fabrik-providers/powerdns/tests/server/mod.rs"]
#[expect(dead_code, reason = "the provider's own tests use more of it")]
mod server;
mod soak;
