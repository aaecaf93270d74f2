//! What a provider is tested with: a conformance suite, a fault-injecting proxy, and helpers for
//! stateful fakes of services.

pub mod serve;
