//! The provider `pier`: a runtime, in three resources.
//!
//! An app becomes a berth (a port that is kept for it), cargo (a copy of its source, with what it
//! needs installed), and a ship (the process that runs from the copy and listens at the berth). So
//! the spec of a template runs with `on: pier`, and nothing else in it changes.
//!
//! It is an example: a process is started and left alone. Nobody starts it again when it ends.

mod berth;
mod cargo;
mod player;
mod ship;

use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::ProviderBuilder;
use fabrik_core::provider::{Cx, Lost, Provider, TypeInfo};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use berth::{Berth, BerthOutputs, BerthSpec};
pub use cargo::{Cargo, CargoOutputs, CargoSpec};
pub use player::Harbour;
pub use ship::{Ship, ShipOutputs, ShipSpec};

use crate::failed;

/// Where everything is kept, and where sources are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder of everything that the pier keeps; it is made when it is missing.
    #[schemars(extend("x-fabrik" = {"env": "PIER_DIR"}))]
    dir: PathBuf,
    /// The folder that sources are relative to.
    #[schemars(extend("x-fabrik" = {"env": "PIER_PROJECT"}))]
    project: PathBuf,
}

/// The provider `pier`.
pub fn provider() -> impl Provider {
    ProviderBuilder::new(
        "pier",
        env!("CARGO_PKG_VERSION"),
        async |_: &Cx, config: Config| Ok(config),
    )
    .resource(Berth)
    .resource(Cargo)
    .resource(Ship)
    .player(Harbour)
    .build()
}

/// What holds of all three types: a name is unique, and everything is there at once or not at all.
fn named(info: TypeInfo, description: &str) -> TypeInfo {
    TypeInfo {
        description: description.to_owned(),
        lost: Lost::Name,
        exclusive: true,
        settle: std::time::Duration::ZERO,
        ..info
    }
}

impl Config {
    /// The folder of an object, and the file that describes it.
    fn place(&self, kind: &str, name: &str) -> (PathBuf, PathBuf) {
        let folder = self.dir.join(kind);
        (folder.join(name), folder.join(format!("{name}.json")))
    }

    /// What is kept of an object; `None` when there is none.
    fn load<T: DeserializeOwned>(&self, kind: &str, name: &str) -> Result<Option<T>> {
        let (_, file) = self.place(kind, name);
        match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
                Error::new(ErrorKind::Misbehaved, format!("`{}` is damaged", file.display()))
                    .cause(error)
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading what is kept", &error)),
        }
    }

    /// Keeps an object: the old or the new, never half of it.
    fn store<T: Serialize>(&self, kind: &str, name: &str, object: &T) -> Result<()> {
        let (_, file) = self.place(kind, name);
        let new = file.with_extension("new");
        let bytes = serde_json::to_vec(object)
            .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?;
        let folder = file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&new, bytes))
            .and_then(|()| std::fs::rename(&new, &file))
            .map_err(|error| failed("keeping it", &error))
    }

    /// Forgets an object.
    fn forget(&self, kind: &str, name: &str) -> Result<()> {
        let (_, file) = self.place(kind, name);
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(failed("forgetting it", &error))
            }
            _ => Ok(()),
        }
    }
}
