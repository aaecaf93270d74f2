//! `.env` beside the spec: variables that the environment does not set.

use std::collections::BTreeMap;
use std::path::Path;

use fabrik_core::error::Result;
use fabrik_core::secrets::parse_dotenv;

use crate::files;
use crate::world::World;

/// What `.env` in a directory says; nothing when there is none.
///
/// # Errors
/// For a file that cannot be read or has a line that is none.
pub(crate) fn read(dir: &Path) -> Result<BTreeMap<String, String>> {
    let path = dir.join(".env");
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    parse_dotenv(&path.display().to_string(), &files::read_text(&path)?)
}

/// The environment, and what `.env` in a directory adds to it.
///
/// # Errors
/// As [`read`].
pub(crate) fn variables(world: &World, dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut variables = read(dir)?;
    variables.extend(world.env.clone());
    Ok(variables)
}
