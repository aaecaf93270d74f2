//! The provider `logbook`: books are folders, entries are files in them, and whatever is to be
//! watched is noted in a book.
//!
//! It has two resources, `logbook.book` and `logbook.entry`, and plays the role `monitor`: an app
//! with `monitor: true` gets an entry that says which URL to look at.
//!
//! [`pier`] is a second one, a runtime.

mod book;
mod entry;
pub mod pier;
mod player;

use std::path::PathBuf;

use fabrik_core::error::{Effect, Error, ErrorKind};
use fabrik_core::provider::typed::ProviderBuilder;
use fabrik_core::provider::{Cx, Provider};
use schemars::JsonSchema;
use serde::Deserialize;

pub use book::{Book, BookOutputs, BookSpec};
pub use entry::{Entry, EntryOutputs, EntrySpec};
pub use player::Watcher;

/// Where books are kept.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The shelf: a folder that is there.
    #[schemars(extend("x-fabrik" = {"env": "LOGBOOK_SHELF"}))]
    shelf: PathBuf,
}

/// The provider `logbook`. Its client is nothing more than the folder.
pub fn provider() -> impl Provider {
    ProviderBuilder::new(
        "logbook",
        env!("CARGO_PKG_VERSION"),
        async |_: &Cx, config: Config| {
            if config.shelf.is_dir() {
                return Ok(config.shelf);
            }
            let message = format!("there is no shelf `{}`", config.shelf.display());
            Err(Error::new(ErrorKind::NotFound, message)
                .hint("make the folder, or set `LOGBOOK_SHELF`"))
        },
    )
    .resource(Book)
    .resource(Entry)
    .player(Watcher)
    .build()
}

/// A file or folder that could not be worked with. Nothing was changed: every write here is one
/// system call.
fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{what} failed"))
        .cause(error)
        .effect(Effect::None)
}

/// A name somebody else has.
fn taken(what: &str, name: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("there is a {what} `{name}` already"),
    )
    .effect(Effect::None)
}
