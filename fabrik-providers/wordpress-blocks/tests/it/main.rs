//! Block markup: reading, writing, merging.

mod merge;
mod parse;
