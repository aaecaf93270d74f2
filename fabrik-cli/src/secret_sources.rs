//! Where declared secrets are looked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use fabrik_core::error::Result;
use fabrik_core::value::Value;

use crate::place::Project;
use crate::world::World;

/// A secret, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) declared: bool,
    pub(crate) required: bool,
    pub(crate) missing: bool,
    pub(crate) origin: String,
}

/// Every secret of a stack.
pub(crate) fn all(
    world: &World,
    project: &Project,
    kept: &BTreeMap<Arc<str>, Value>,
) -> Result<Vec<Found>> {
    let _ = (world, project, kept);
    Ok(Vec::new())
}
