//! Each checker against small servers on loopback.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod dns;
mod http;
mod kinds;
mod schemas;
mod support;
mod tcp;
mod tls;
