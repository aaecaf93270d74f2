//! The provider against the fake server, beyond what the conformance suite looks at.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../support/mod.rs"]
mod support;
