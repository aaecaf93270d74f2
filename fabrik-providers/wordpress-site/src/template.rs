//! Things that are made once per machine, and copied after.

use std::{
    fmt::Write as _,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};

use crate::installed::Installed;

/// The folder `name` of the templates, made by `make` unless it is there, and unless what it was
/// made from (`from`, and everything installed) has changed.
pub(crate) fn made(
    installed: &Installed,
    name: &str,
    from: &[u8],
    make: impl FnOnce(&Path),
) -> PathBuf {
    let mut hash = Sha256::new();
    hash.update(installed.stamp());
    hash.update([0]);
    hash.update(from);
    let key = &hex(&hash.finalize())[..12];
    // Not called `templates`: WordPress looks for the first `templates/` in the path of a block
    // theme's file, and finds none of its parts in a folder below one of that name.
    let templates = installed.dir().join("ready");
    let dir = templates.join(format!("{name}-{key}"));
    if dir.exists() {
        return dir;
    }
    fs::create_dir_all(&templates).expect("the folder of templates");
    let lock = File::create(templates.join(format!("{name}.lock"))).expect("a lock file");
    flock(&lock, FlockOperation::LockExclusive).expect("the lock");
    if dir.exists() {
        return dir;
    }
    // Those of other versions of this crate are of no use, unless somebody tests one beside this.
    for old in fs::read_dir(&templates)
        .expect("the folder of templates")
        .flatten()
    {
        let file_name = old.file_name();
        let old_key = file_name
            .to_str()
            .and_then(|n| n.strip_prefix(name))
            .and_then(|n| n.strip_prefix('-'));
        let age = old
            .metadata()
            .and_then(|data| data.modified())
            .ok()
            .and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > Duration::from_secs(24 * 3600))
            && old_key
                .is_some_and(|k| k.len() == key.len() && k.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            let _ = fs::remove_dir_all(old.path());
        }
    }
    let work = tempfile::Builder::new()
        .prefix(&format!("{name}-making-"))
        .tempdir_in(&templates)
        .expect("a folder to make it in");
    make(work.path());
    fs::rename(work.keep(), &dir).expect("the template gets its name");
    dir
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    tree(from, to, &[], &|from, to| {
        fs::copy(from, to)?;
        Ok(())
    });
}

/// A folder whose files are those of another, without taking room; copies where they cannot be.
/// Entries of `but` at the top are left out.
pub(crate) fn link(from: &Path, to: &Path, but: &[&str]) {
    let but: Vec<PathBuf> = but.iter().map(|name| from.join(name)).collect();
    tree(from, to, &but, &|from, to| {
        fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(|_| ()))
    });
}

fn tree(
    from: &Path,
    to: &Path,
    but: &[PathBuf],
    file: &dyn Fn(&Path, &Path) -> std::io::Result<()>,
) {
    fs::create_dir_all(to).unwrap_or_else(|e| panic!("{}: {e}", to.display()));
    for entry in fs::read_dir(from).unwrap_or_else(|e| panic!("{}: {e}", from.display())) {
        let entry = entry.expect("an entry of a folder");
        if but.contains(&entry.path()) {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type().expect("its type").is_dir() {
            tree(&entry.path(), &target, but, file);
        } else {
            file(&entry.path(), &target).unwrap_or_else(|e| panic!("{}: {e}", target.display()));
        }
    }
}

/// Runs a program that must succeed, and gives its standard output.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{} does not start: {e}", command.get_program().display()));
    assert!(
        output.status.success(),
        "{command:?} failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Bytes as text.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
