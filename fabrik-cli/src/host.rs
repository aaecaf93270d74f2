//! What providers may know of the machine they run on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use fabrik_core::error::Result;

/// The surroundings a provider is registered in.
#[derive(Clone)]
pub struct Host {
    /// This program's file: what a provider starts to get a helper process
    /// (`PROGRAM agent NAME …`).
    pub program: PathBuf,
    /// Where data of this user is kept; `None` without a home directory.
    pub data_dir: Option<PathBuf>,
    /// The directory worked in.
    pub dir: PathBuf,
    /// The environment of the stack: what a provider keeps on this machine is kept apart by it.
    pub environment: String,
    /// Environment variables: for the conventional names of a service's credentials.
    pub env: BTreeMap<String, String>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The environment may hold secrets.
        f.debug_struct("Host")
            .field("program", &self.program)
            .field("data_dir", &self.data_dir)
            .field("dir", &self.dir)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

/// Runs a helper process with its words until it ends.
pub type Helper = fn(&Host, &[OsString]) -> Result<()>;
