#![doc = include_str!("../README.md")]

mod document;
mod interpolate;
mod lint;
mod model;
pub mod pages;
mod read;
mod record;
mod render;
mod shape;
mod short;
pub mod wordpress;
mod write;

pub use document::{Document, parse, parse_with};
pub use interpolate::{Otherwise, Piece, Problem, Variable, Wanted, escape, fill, pieces};
pub use lint::{Finding, diagnose, lint};
pub use model::{
    Amounts, Attachment, Build, Command, Dependency, Deploy, EnvFile, File, Given, Healthcheck,
    Logging, Mount, Network, Other, Port, Resources, Service, Source, Ulimit, Use, Volume,
};
pub use pages::explain;
pub use record::{recorded, recording};
pub use render::{App, Rendered, render};
pub use write::write;
