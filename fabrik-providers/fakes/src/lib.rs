//! Stateful fakes of the services that Fabrik has providers for.
//!
//! Each behaves as its service's documentation and recorded behaviour say, refusals, odd statuses and
//! delays included. None shares a type with the provider that it tests.

pub mod cloudflare;
pub mod coolify;
pub mod edge;
pub mod host;
pub mod kuma;
pub mod namecheap;
pub mod names;
