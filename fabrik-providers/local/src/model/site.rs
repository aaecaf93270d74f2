//! A static site: a folder served as it was when it was deployed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Headers to send, by path pattern: `/*` for all paths, `/assets/*` for those below one.
pub type Headers = BTreeMap<String, BTreeMap<String, String>>;

/// What to serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSpec {
    /// The folder to copy: an absolute path. Without it, content with this hash must already be
    /// with the agent (a rollback to a kept generation).
    pub source: Option<PathBuf>,
    /// Expected content, as [`hash_dir`](crate::hash_dir) computes it.
    pub hash: String,
    /// Whether unknown pages are answered with `index.html` (an application that routes itself).
    #[serde(default)]
    pub spa: bool,
    /// The page shown for paths without a file; `404.html` unless set.
    #[serde(default)]
    pub not_found: Option<String>,
    /// Headers to send besides the usual ones.
    #[serde(default)]
    pub headers: Headers,
    /// How many earlier contents are kept for a rollback.
    #[serde(default = "default_keep")]
    pub keep: usize,
}

impl SiteSpec {
    /// A site served from a copy of `source`, whose content has this hash.
    pub fn new(source: impl Into<PathBuf>, hash: impl Into<String>) -> Self {
        Self {
            source: Some(source.into()),
            hash: hash.into(),
            spa: false,
            not_found: None,
            headers: Headers::new(),
            keep: default_keep(),
        }
    }
}

fn default_keep() -> usize {
    3
}

/// A static site as the agent serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteInfo {
    /// Its name.
    pub name: String,
    /// Hash of the content that is served.
    pub hash: String,
    /// Whether unknown pages are answered with `index.html`.
    pub spa: bool,
    /// The page shown for paths without a file, where it is not `404.html`.
    #[serde(default)]
    pub not_found: Option<String>,
    /// Headers sent besides the usual ones.
    #[serde(default)]
    pub headers: Headers,
    /// Hashes of earlier contents that can be deployed again, latest first.
    pub kept: Vec<String>,
    /// Number of files.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}
