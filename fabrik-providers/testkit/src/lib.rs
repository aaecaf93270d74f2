//! What a provider is tested with: a conformance suite, a fault-injecting proxy, and helpers for
//! stateful fakes.

mod cases;
mod cassette;
pub mod proxy;
pub mod serve;
pub mod stack;
mod suite;
mod target;
mod watch;

pub use suite::{Call, Ended, Mode, Resource, Suite, Untargeted, suite};
pub use target::{Target, Wire};
