//! The transport against a server on loopback. Waiting is virtual.
#![expect(clippy::unwrap_used, reason = "a failed test is told by its panic")]

mod answers;
mod limits;
mod retries;
mod support;
