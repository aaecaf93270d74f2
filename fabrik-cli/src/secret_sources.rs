//! Where declared secrets are looked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use fabrik_core::error::Result;
use fabrik_core::expr::{self, Reference, Target};
use fabrik_core::value::Value;

use crate::place::Project;
use crate::session::Session;

/// A secret, and where it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Whether the spec declares it.
    pub(crate) declared: bool,
    /// Whether it may not be generated.
    pub(crate) required: bool,
    /// Whether it has to be found and was not.
    pub(crate) missing: bool,
    /// Where it comes from, in words.
    pub(crate) origin: String,
    /// Its value, when there is one yet.
    pub(crate) value: Option<Value>,
}

/// Every secret of a stack, by name.
pub(crate) fn values(
    session: &Session,
    project: &Project,
    kept: &BTreeMap<Arc<str>, Value>,
) -> Result<BTreeMap<Arc<str>, Known>> {
    let _ = (session, project, kept);
    Ok(BTreeMap::new())
}

/// A value with its references to secrets filled in, as far as they are known.
pub(crate) fn fill(value: &Value, secrets: &BTreeMap<Arc<str>, Known>) -> Result<Value> {
    let scope = |reference: &Reference| {
        Ok(match &reference.target {
            Target::Secret(name) => secrets.get(name).and_then(|known| known.value.clone()),
            _ => None,
        })
    };
    expr::resolve(value, &scope)
}
