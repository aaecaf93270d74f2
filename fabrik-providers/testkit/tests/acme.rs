//! The suite against a small provider over HTTP.

#[path = "acme/mod.rs"]
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
    service::suite("").run()
}
