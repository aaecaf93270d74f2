//! Files, with errors that name them.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fabrik_core::error::{Error, ErrorKind, Result};

/// An error about a file.
pub(crate) fn file_error(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("cannot {verb} `{}`", path.display());
    let failed = Error::new(ErrorKind::Io, message).cause(error);
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            failed.hint("check the owner and mode of the file and its directory")
        }
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            failed.hint("free some space and run the command again")
        }
        _ => failed,
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| file_error("read", path, &error))
}

/// Reads a file of text.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).map_err(|_| {
        Error::new(
            ErrorKind::Invalid,
            format!("`{}` is not UTF-8 text", path.display()),
        )
    })
}

/// Makes a directory that only its owner can enter, when it is missing.
pub(crate) fn private_dir(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(|error| file_error("make", path, &error))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
        .map_err(|error| file_error("protect", path, &error))
}

/// Writes a file as a whole or not at all, readable by its owner only.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    match temporary(path, content)?.persist(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(file_error("write", path, &error.error)),
    }
}

/// Writes a new file, whole and readable by its owner only; `false` when there is one already.
pub(crate) fn create_private(path: &Path, content: &[u8]) -> Result<bool> {
    match temporary(path, content)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(file_error("write", path, &error.error)),
    }
}

/// The content in a file of another name beside the path: of mode 0600, and on the disk.
fn temporary(path: &Path, content: &[u8]) -> Result<tempfile::NamedTempFile> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let failed = |error: std::io::Error| file_error("write", path, &error);
    let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    Ok(file)
}
