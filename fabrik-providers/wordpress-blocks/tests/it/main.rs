//! Block markup: reading, writing, merging.

#[path = "../support/generate.rs"]
mod generate;

mod merge;
mod parse;
