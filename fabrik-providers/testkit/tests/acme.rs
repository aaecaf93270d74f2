//! The suite against a small provider over HTTP.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "acme/mod.rs"]
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::suite("")
        .document("tests/acme/CONFORMANCE.md")
        .run()
}
