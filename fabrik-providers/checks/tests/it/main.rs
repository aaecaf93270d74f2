//! Each checker against small servers on loopback.

mod dns;
mod http;
mod schemas;
mod support;
mod tcp;
mod tls;
