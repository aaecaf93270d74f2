//! A name under `localhost`: a registration and nothing more, for such names resolve by themselves.

use serde::{Deserialize, Serialize};

/// A registered name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameInfo {
    /// The host name.
    pub name: String,
    /// What it is meant for.
    pub target: String,
}
