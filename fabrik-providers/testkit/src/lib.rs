#![doc = include_str!("../README.md")]

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
