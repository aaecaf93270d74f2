//! Variables by which the agent finds its processes again, whatever became of their parents: a
//! process hands its environment on to what it starts.

use std::ffi::OsStr;
use std::path::Path;

use crate::hash::sha256_hex;

/// Which agent, told by its state directory.
pub(crate) const AGENT: &str = "FABRIK_AGENT";
/// Which run of which instance.
pub(crate) const RUN: &str = "FABRIK_RUN";

/// Whether a variable is one of the marks.
pub(crate) fn is_mark(name: &OsStr) -> bool {
    name == AGENT || name == RUN
}

/// The mark of the agent that serves a state directory.
pub(crate) fn agent_mark(state_dir: &Path) -> String {
    sha256_hex(state_dir.as_os_str().as_encoded_bytes())[..32].to_owned()
}

/// A mark for a new run of a process, never used before.
pub(crate) fn new_run() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(crate::hash::hex(&bytes))
}
