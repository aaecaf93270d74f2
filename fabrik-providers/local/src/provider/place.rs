//! A file's place: reading and writing it without ever following a link that leads elsewhere.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::value;

use super::link::clean;
use crate::hash::sha256_hex;
use crate::layout::Layout;
use crate::socket::private_dir;

/// Where a file is, or is to be.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Folder that relative paths start from and must stay in; `None` for absolute paths.
    base: Option<PathBuf>,
    path: PathBuf,
    layout: Layout,
}

/// A file as it is.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) text: String,
    /// Permission bits.
    pub(super) mode: u32,
}

impl Place {
    /// The place that a path of the spec names.
    pub(super) fn new(base: &Path, state_dir: &Path, text: &str) -> Result<Self> {
        let given = clean(Path::new(text));
        let leads_out = given.components().next() == Some(Component::ParentDir);
        if given.file_name().is_none() || text.ends_with('/') {
            return Err(at_fault(format!("`{text}` does not name a file")));
        }
        if leads_out {
            return Err(at_fault(format!("`{text}` leads out of the spec's folder"))
                .hint("give an absolute path if that is meant"));
        }
        Ok(Self {
            base: given.is_relative().then(|| base.to_owned()),
            path: base.join(given),
            layout: Layout::new(state_dir),
        })
    }

    /// The absolute path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file as it is; `None` when there is nothing.
    pub(super) fn read(&self) -> Result<Option<Content>> {
        let found = match self.path.symlink_metadata() {
            Ok(found) => found,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(self.failed("read", &error)),
        };
        self.check_folder()?;
        if found.is_symlink() {
            return Err(self.in_the_way("is a symbolic link, which is never followed"));
        }
        if !found.is_file() {
            return Err(self.in_the_way("is no plain file"));
        }
        let bytes = fs::read(&self.path).map_err(|error| self.failed("read", &error))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| self.in_the_way("holds something that is not text in UTF-8"))?;
        let mode = found.permissions().mode() & 0o7777;
        Ok(Some(Content { text, mode }))
    }

    /// Writes the file so that either the old or the new content is there at any time. Without
    /// `replace`, an existing file is left alone and an error.
    pub(super) fn write(&self, text: &str, mode: u32, replace: bool) -> Result<()> {
        let failed = |error: io::Error| self.failed("write", &error);
        self.make_folders()?;
        self.check_folder()?;
        let temporary = self.temporary();
        match fs::remove_file(&temporary) {
            Err(error) if !is_absent(&error) => return Err(failed(error)),
            _ => {}
        }
        let written = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&temporary)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.set_permissions(fs::Permissions::from_mode(mode))?;
                file.sync_all()
            });
        let placed = written.and_then(|()| {
            if replace {
                fs::rename(&temporary, &self.path)
            } else {
                // Fails when somebody was quicker, where a rename would overwrite.
                fs::hard_link(&temporary, &self.path)
            }
        });
        let _ = fs::remove_file(&temporary);
        match placed {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(self.taken());
            }
            Err(error) => return Err(failed(error)),
        }
        self.sync_folder().map_err(failed)
    }

    /// Removes the file, and folders that were made for it and are empty now.
    pub(super) fn remove(&self) -> Result<()> {
        let _ = fs::remove_file(self.temporary());
        match fs::remove_file(&self.path) {
            Ok(()) => {
                let _ = self.sync_folder();
            }
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(self.failed("remove", &error)),
        }
        self.remove_folders();
        Ok(())
    }

    /// The error for a file that somebody else made.
    pub(super) fn taken(&self) -> Error {
        Error::new(
            ErrorKind::Conflict,
            format!("`{}` exists already", self.path.display()),
        )
        .field(value::Path::key("path"))
        .hint("take it over with `adopt: true`, or choose another path")
    }

    fn temporary(&self) -> PathBuf {
        let mut name = OsString::from(".");
        name.push(self.path.file_name().unwrap_or_default());
        name.push(".fabrik-new");
        self.path.with_file_name(name)
    }

    /// A relative path may not leave the spec's folder through a link either.
    fn check_folder(&self) -> Result<()> {
        let (Some(base), Some(folder)) = (&self.base, self.path.parent()) else {
            return Ok(());
        };
        let real = |path: &Path| {
            path.canonicalize()
                .map_err(|error| self.failed("reach", &error))
        };
        if real(folder)?.starts_with(real(base)?) {
            return Ok(());
        }
        Err(at_fault(format!(
            "`{}` leads out of the spec's folder through a symbolic link",
            self.path.display()
        )))
    }

    /// Makes missing folders, and notes that they were made.
    fn make_folders(&self) -> Result<()> {
        let failed = |error: io::Error| self.failed("make the folder of", &error);
        let mut missing = Vec::new();
        let mut folder = self.path.parent();
        while let Some(here) = folder {
            match here.symlink_metadata() {
                Ok(_) => break,
                Err(error) if is_absent(&error) => missing.push(here),
                Err(error) => return Err(failed(error)),
            }
            folder = here.parent();
        }
        for folder in missing.into_iter().rev() {
            let note = self.note(folder);
            private_dir(&self.layout.made_dirs())
                .and_then(|()| fs::write(note, folder.as_os_str().as_encoded_bytes()))
                .map_err(failed)?;
            match fs::create_dir(folder) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(failed(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn remove_folders(&self) {
        let mut folder = self.path.parent();
        while let Some(here) = folder {
            let note = self.note(here);
            // A folder that holds something is left; its note too, for the last file in it.
            if !note.exists() || fs::remove_dir(here).is_err_and(|error| !is_absent(&error)) {
                break;
            }
            let _ = fs::remove_file(note);
            folder = here.parent();
        }
        // These go only when they are empty.
        let _ = fs::remove_dir(self.layout.made_dirs());
        let _ = fs::remove_dir(self.layout.root());
    }

    fn note(&self, folder: &Path) -> PathBuf {
        let name = sha256_hex(folder.as_os_str().as_encoded_bytes());
        self.layout.made_dirs().join(&name[..32])
    }

    fn sync_folder(&self) -> io::Result<()> {
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }

    fn in_the_way(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Conflict,
            format!("`{}` {what}", self.path.display()),
        )
        .field(value::Path::key("path"))
    }

    /// Whatever fails here, the file is as it was: it changes by one rename.
    fn failed(&self, verb: &str, error: &io::Error) -> Error {
        let kind = match error.kind() {
            io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            _ => ErrorKind::Io,
        };
        let path = self.path.display();
        Error::new(kind, format!("could not {verb} `{path}`: {error}")).effect(Effect::None)
    }
}

fn at_fault(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).field(value::Path::key("path"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn place(dir: &Path, path: &str) -> Result<Place> {
        Place::new(&dir.join("base"), &dir.join("state"), path)
    }

    fn world() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("base")).unwrap();
        dir
    }

    #[test]
    fn folders_made_for_a_file_go_with_it() {
        let dir = world();
        let base = dir.path().join("base");
        let one = place(dir.path(), "a/b/one").unwrap();
        let two = place(dir.path(), "a/two").unwrap();
        one.write("1", 0o640, false).unwrap();
        two.write("2", 0o644, false).unwrap();
        let read = one.read().unwrap().unwrap();
        assert_eq!((read.text.as_str(), read.mode), ("1", 0o640));
        one.remove().unwrap();
        assert!(!base.join("a/b").exists() && base.join("a/two").exists());
        two.remove().unwrap();
        two.remove().unwrap();
        assert!(!base.join("a").exists());
        assert!(!dir.path().join("state").exists());
    }

    #[test]
    fn folders_of_others_stay() {
        let dir = world();
        let base = dir.path().join("base");
        fs::create_dir(base.join("mine")).unwrap();
        let one = place(dir.path(), "mine/one").unwrap();
        one.write("1", 0o644, false).unwrap();
        one.remove().unwrap();
        assert!(base.join("mine").is_dir());
    }

    #[test]
    fn nothing_is_overwritten_by_a_create() {
        let dir = world();
        let base = dir.path().join("base");
        fs::write(base.join("one"), "theirs").unwrap();
        let one = place(dir.path(), "one").unwrap();
        let error = one.write("mine", 0o644, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert_eq!(fs::read_to_string(base.join("one")).unwrap(), "theirs");
        assert_eq!(fs::read_dir(&base).unwrap().count(), 1);
    }

    #[test]
    fn links_are_not_followed() {
        let dir = world();
        let base = dir.path().join("base");
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/secret"), "x").unwrap();
        symlink(dir.path().join("outside"), base.join("way")).unwrap();
        symlink(dir.path().join("outside/secret"), base.join("link")).unwrap();
        let through = place(dir.path(), "way/secret").unwrap();
        assert_eq!(through.read().unwrap_err().kind(), ErrorKind::Invalid);
        assert!(through.write("y", 0o644, true).is_err());
        let link = place(dir.path(), "link").unwrap();
        assert_eq!(link.read().unwrap_err().kind(), ErrorKind::Conflict);
        link.write("y", 0o644, true).unwrap();
        let secret = fs::read_to_string(dir.path().join("outside/secret")).unwrap();
        assert_eq!(secret, "x");
        assert_eq!(fs::read_to_string(base.join("link")).unwrap(), "y");
    }

    #[test]
    fn paths_stay_in_the_folder() {
        let dir = world();
        for bad in ["", ".", "..", "../x", "a/../../x", "a/"] {
            assert!(place(dir.path(), bad).is_err(), "{bad}");
        }
        assert!(place(dir.path(), "/etc/hosts").is_ok());
    }
}
