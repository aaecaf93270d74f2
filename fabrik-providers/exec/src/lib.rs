#![doc = include_str!("../README.md")]

mod capture;
mod command;
mod compose;
mod env;
mod failure;
mod lines;
mod marks;
mod output;
mod place;
mod process;
mod quote;
mod runner;

pub use command::{Command, Input};
pub use env::BaseEnv;
pub use lines::Stream;
pub use output::Output;
pub use place::{Container, Engine, Place, SshConfig, SshTarget};
pub use runner::Runner;
