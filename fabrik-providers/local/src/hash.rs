//! The hash of a folder's content.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// SHA-256 of what a folder holds, in hex: relative paths, contents, and whether a file may be
/// executed. Times, owners and empty directories do not count. A symbolic link to a file inside
/// the folder counts as that file; one that leads out of the folder or to a directory, and
/// anything that is neither file nor directory, is an error.
///
/// Reads every file: call it where blocking is allowed.
pub fn hash_dir(root: &Path) -> Result<String, Error> {
    let mut hasher = TreeHasher::default();
    for file in list(root)? {
        hasher.file(&file, &mut io::sink())?;
    }
    Ok(hasher.finish())
}

/// A file found in a folder.
#[derive(Debug)]
pub(crate) struct Found {
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Its name inside the folder, parts separated by `/`.
    pub(crate) relative: String,
    /// Whether it may be executed.
    pub(crate) executable: bool,
}

/// What one file held.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// All files of a folder in the order of their names.
pub(crate) fn list(root: &Path) -> Result<Vec<Found>, Error> {
    let root = root
        .canonicalize()
        .map_err(|error| Error::file("open", root, error))?;
    let mut found = Vec::new();
    walk(&root, &root, &mut found)?;
    found.sort_by(|a, b| a.relative.cmp(&b.relative));
    Ok(found)
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<Found>) -> Result<(), Error> {
    let unreadable = |error| Error::file("read", dir, error);
    for entry in dir.read_dir().map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let metadata = path
            .symlink_metadata()
            .map_err(|error| Error::file("read", &path, error))?;
        if metadata.is_dir() {
            walk(root, &path, found)?;
        } else {
            let metadata = file_metadata(root, &path, metadata)?;
            found.push(Found {
                relative: relative(root, &path)?,
                executable: metadata.permissions().mode() & 0o111 != 0,
                path,
            });
        }
    }
    Ok(())
}

/// The metadata of the regular file behind `path`, which may be a link inside `root`.
fn file_metadata(root: &Path, path: &Path, metadata: Metadata) -> Result<Metadata, Error> {
    let refused = |message: &str| {
        Err(Error::invalid(
            "source",
            format!("`{}` {message}", path.display()),
        ))
    };
    if metadata.is_file() {
        return Ok(metadata);
    }
    if !metadata.is_symlink() {
        return refused("is neither a file nor a directory");
    }
    let target = path
        .canonicalize()
        .map_err(|error| Error::file("follow", path, error))?;
    if !target.starts_with(root) {
        return refused("is a link that leads out of the folder");
    }
    let metadata = target
        .metadata()
        .map_err(|error| Error::file("read", &target, error))?;
    if !metadata.is_file() {
        return refused("is a link to something that is not a file");
    }
    Ok(metadata)
}

fn relative(root: &Path, path: &Path) -> Result<String, Error> {
    let inside = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        Error::invalid(
            "source",
            format!("the name of `{}` is not UTF-8", path.display()),
        )
    })
}

/// Hashes files one after the other, copying them meanwhile.
#[derive(Default)]
pub(crate) struct TreeHasher(Sha256);

impl TreeHasher {
    /// Takes one file in; what is read is written to `copy` too.
    pub(crate) fn file(&mut self, file: &Found, copy: &mut dyn Write) -> Result<Content, Error> {
        let failed = |error: io::Error| Error::file("read", &file.path, error);
        let mut input = File::open(&file.path).map_err(failed)?;
        let mut content = Sha256::new();
        let mut bytes = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            content.update(&buffer[..read]);
            copy.write_all(&buffer[..read]).map_err(failed)?;
            bytes += read as u64;
        }
        let digest = content.finalize();
        // Every part has a fixed length or ends in a byte that it cannot hold.
        self.0.update(file.relative.as_bytes());
        self.0.update([0, u8::from(file.executable)]);
        self.0.update(digest);
        Ok(Content {
            sha256: hex(&digest),
            bytes,
        })
    }

    /// The hash of everything taken in.
    pub(crate) fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The SHA-256 of some bytes, in hex.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::hash_dir;

    #[test]
    fn depends_on_names_contents_and_the_executable_bit_only() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("b")).unwrap();
        fs::write(root.join("a"), "one").unwrap();
        fs::write(root.join("b/c"), "two").unwrap();
        let first = hash_dir(root).unwrap();
        fs::create_dir(root.join("empty")).unwrap();
        fs::write(root.join("a"), "one").unwrap();
        assert_eq!(hash_dir(root).unwrap(), first);
        fs::set_permissions(root.join("a"), fs::Permissions::from_mode(0o755)).unwrap();
        let executable = hash_dir(root).unwrap();
        assert_ne!(executable, first);
        fs::rename(root.join("b/c"), root.join("b/d")).unwrap();
        assert_ne!(hash_dir(root).unwrap(), executable);
    }

    #[test]
    fn links_may_not_lead_out() {
        let outside = tempfile::NamedTempFile::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "one").unwrap();
        symlink("a", dir.path().join("inside")).unwrap();
        assert!(hash_dir(dir.path()).is_ok());
        symlink(outside.path(), dir.path().join("outside")).unwrap();
        let error = hash_dir(dir.path()).unwrap_err().to_string();
        assert!(error.contains("leads out of the folder"), "{error}");
    }
}
