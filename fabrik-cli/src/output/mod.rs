//! What the program prints: data on one stream, everything else on the other.
//!
//! Renderers are pure: they take data and a [`Style`] and give text. Everything that comes from a
//! service is made printable on the way, and secrets are masked.

mod console;
pub mod diagnostic;
pub mod error;
pub mod graph;
pub mod history;
pub mod plan;
pub mod progress;
pub mod prompt;
pub mod status;
pub mod style;
pub mod table;
pub mod text;

pub use console::{Color, Format, Output, OutputConfig, OutputError, Result, Verbosity};
pub use style::{Line, Style, Tone};
