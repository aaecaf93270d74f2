//! The agent's socket, for state directories of any path length.
//!
//! The address of a Unix socket holds about 100 bytes only. Where a path is longer, the directory
//! is opened and the socket addressed through `/proc/self/fd`, which is short whatever the path.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::layout::SOCKET;

/// Longest path that fits a socket address on every system.
const LONGEST: usize = 100;

/// A short path to the socket, and the open directory that it leads through.
fn short_path(dir: &Path) -> io::Result<(PathBuf, Option<File>)> {
    let path = dir.join(SOCKET);
    if path.as_os_str().len() <= LONGEST {
        return Ok((path, None));
    }
    if !cfg!(target_os = "linux") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!("the path of the socket is longer than {LONGEST} bytes"),
        ));
    }
    let handle = File::open(dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", handle.as_raw_fd()));
    Ok((path, Some(handle)))
}

/// Listens on the socket in `dir`, in place of one that a dead agent left. The caller holds the
/// lock of the directory.
pub(crate) fn bind(dir: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(dir.join(SOCKET)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // Bound inside a directory of mode 0700, so nobody else can connect before the mode is set.
    let (path, _handle) = short_path(dir)?;
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(dir.join(SOCKET), std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Connects to the agent of `dir`.
pub(crate) async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let (path, _handle) = short_path(dir)?;
    UnixStream::connect(path).await
}

/// Makes a directory that only its owner may enter, with its parents.
pub(crate) fn private_dir(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
}
