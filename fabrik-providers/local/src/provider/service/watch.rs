//! The hash of a program's folder, without what programs write there themselves.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::glob::fits;
use crate::hash::{Found, TreeHasher};

/// Names that never count, besides hidden ones.
const IGNORED: &[&str] = &[
    "__pycache__",
    "node_modules",
    "target",
    "*.db",
    "*.db-*",
    "*.log",
    "*.pid",
    "*.pyc",
    "*.sock",
    "*.sqlite",
    "*.sqlite-*",
    "*.sqlite3",
    "*.sqlite3-*",
];

/// SHA-256 of a folder's files in hex, leaving out what has one of these names. What is neither
/// file nor folder is left out; links are not followed. Reads every file.
pub(crate) fn hash(root: &Path, ignore: &[String]) -> Result<String, Error> {
    let mut found = Vec::new();
    walk(root, "", ignore, &mut found)?;
    found.sort_by(|a, b| a.relative.cmp(&b.relative));
    let mut hasher = TreeHasher::default();
    for file in found {
        hasher.file(&file, &mut io::sink())?;
    }
    Ok(hasher.finish())
}

fn walk(dir: &Path, prefix: &str, ignore: &[String], found: &mut Vec<Found>) -> Result<(), Error> {
    let unreadable = |error| Error::file("read", dir, error);
    for entry in dir.read_dir().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let ignored = name.starts_with('.')
            || IGNORED.iter().any(|pattern| fits(pattern, &name))
            || ignore.iter().any(|pattern| fits(pattern, &name));
        if ignored {
            continue;
        }
        let path: PathBuf = entry.path();
        // Something may be removed while this looks.
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let relative = format!("{prefix}{name}");
        if metadata.is_dir() {
            walk(&path, &format!("{relative}/"), ignore, found)?;
        } else if metadata.is_file() {
            found.push(Found {
                path,
                relative,
                executable: metadata.permissions().mode() & 0o111 != 0,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::hash;

    #[test]
    fn what_programs_write_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("src")).unwrap();
        fs::write(root.join("src/main.py"), "1").unwrap();
        let before = hash(root, &[]).unwrap();
        for name in ["app.log", "app.db-wal", ".cache"] {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::create_dir(root.join("__pycache__")).unwrap();
        fs::write(root.join("__pycache__/main.pyc"), "x").unwrap();
        assert_eq!(hash(root, &[]).unwrap(), before);
        fs::write(root.join("uploads.txt"), "x").unwrap();
        assert_ne!(hash(root, &[]).unwrap(), before);
        assert_eq!(hash(root, &["uploads.*".to_owned()]).unwrap(), before);
        fs::write(root.join("src/main.py"), "2").unwrap();
        assert_ne!(hash(root, &["uploads.*".to_owned()]).unwrap(), before);
    }
}
