#![doc = include_str!("../README.md")]

mod config;
mod note;

use std::path::PathBuf;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{ProviderBuilder, TypedProvider};
use fabrik_core::provider::{Cx, Health};
use fabrik_core::value::Path;

pub use config::Config;
pub use note::{Note, NoteOutputs, NoteSpec};

/// What resources work with: here no more than a folder. Yours may be a connection, a program to
/// run, a database.
#[derive(Clone, Debug)]
pub struct AcmeClient {
    pub(crate) folder: PathBuf,
}

/// The provider `acme`.
pub fn provider() -> TypedProvider<Config, AcmeClient> {
    let open = async |_: &Cx, config: Config| connect(config);
    ProviderBuilder::new("acme", env!("CARGO_PKG_VERSION"), open)
        .resource(Note)
        .doctor(async |_: &Cx, client: &AcmeClient| vec![examine(client)])
        .build()
}

fn connect(config: Config) -> Result<AcmeClient> {
    if config.folder.is_dir() {
        return Ok(AcmeClient {
            folder: config.folder,
        });
    }
    let message = format!("there is no folder `{}`", config.folder.display());
    Err(Error::new(ErrorKind::NotFound, message)
        .field(Path::key("folder"))
        .hint("make it, or set `folder` (or ACME_FOLDER) to another"))
}

/// How it is: what `fabrik doctor` shows.
fn examine(client: &AcmeClient) -> Health {
    match std::fs::metadata(&client.folder) {
        Ok(folder) if folder.permissions().readonly() => {
            Health::fail("folder", "cannot be written to").hint("change its mode")
        }
        Ok(_) => Health::ok("folder", client.folder.display().to_string()),
        Err(error) => Health::fail("folder", error.to_string()),
    }
}
