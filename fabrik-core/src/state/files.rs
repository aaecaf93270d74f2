//! Files and folders only their owner can read, made so that a crash leaves all or nothing.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::clock::{Entropy as _, SystemEntropy};
use crate::error::{Effect, Error, ErrorKind, Result};

/// The folder a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Makes a folder and those above it, for the owner alone; one that exists stays as it is.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A name beside `path` that nobody uses.
pub(super) fn beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{:016x}", SystemEntropy.id()? >> 64)))
}

/// Writes a new file for the owner alone, durable when it returns.
pub(super) fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let done = file.write_all(content).and_then(|()| file.sync_all());
    if done.is_err() {
        _ = std::fs::remove_file(path);
    }
    done
}

/// Gives a finished file its final name, unless that is taken: then `false`, and the finished file
/// is gone. The name is durable when it returns.
pub(super) fn publish(finished: &Path, name: &Path) -> io::Result<bool> {
    let linked = std::fs::hard_link(finished, name).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        _ => rename_new(finished, name, error),
    });
    _ = std::fs::remove_file(finished);
    match linked {
        Ok(()) => sync_folder(folder_of(name)).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// For file systems without hard links.
#[cfg(target_os = "linux")]
fn rename_new(from: &Path, to: &Path, _: io::Error) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

#[cfg(not(target_os = "linux"))]
fn rename_new(_: &Path, _: &Path, error: io::Error) -> io::Result<()> {
    Err(error)
}

/// Writes a file in place of whatever has the name, all or nothing.
pub(super) fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let draft = beside(path)?;
    write_new(&draft, content)
        .and_then(|()| std::fs::rename(&draft, path))
        .map_err(|error| {
            _ = std::fs::remove_file(&draft);
            failed("writing", path, &error)
        })
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A failed file operation on state, with what to do about it.
pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FULL,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => READ_ONLY,
        _ => "check the disk and the path; the state is as it was before",
    };
    Error::new(
        ErrorKind::Io,
        format!("{doing} the state at {} failed: {error}", path.display()),
    )
    .effect(Effect::None)
    .code(crate::codes::STATE_IO)
    .hint(hint)
}

/// What to do when the disk is full.
pub(super) const FULL: &str =
    "the disk is full: free some space and run the command again; the state is as it was before";

/// What to do when state cannot be written.
pub(super) const READ_ONLY: &str = "the state file and its folder must be writable by you: \
     check owner, permissions and mount, or keep the state elsewhere (`--state`)";
