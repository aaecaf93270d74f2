//! The suite against a small provider over HTTP.

#[path = "acme/mod.rs"]
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::suite("")
        .document("tests/acme/CONFORMANCE.md")
        .run()
}
