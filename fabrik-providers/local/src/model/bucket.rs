//! A bucket: a directory for objects.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketInfo {
    /// Its name.
    pub name: String,
    /// The directory that holds its objects.
    pub path: PathBuf,
    /// Whether it holds nothing.
    pub empty: bool,
}
