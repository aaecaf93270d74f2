//! Looking at a folder without changing anything.

use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};

use super::Origin;

/// Longest file that is read.
const LONGEST: u64 = 1 << 20;
/// Most files that are looked through.
const MOST: usize = 2_000;

/// A folder being looked at.
pub(super) struct Look {
    folder: PathBuf,
    /// Files below it, with `/`, without those of tools and dependencies.
    pub(super) files: Vec<String>,
}

impl Look {
    pub(super) fn at(folder: &Path) -> Result<Look> {
        let folder = folder.canonicalize().map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("{} cannot be looked at", folder.display()),
            )
            .cause(error)
        })?;
        let mut files = Vec::new();
        walk(&folder, "", &mut files);
        files.sort();
        Ok(Look { folder, files })
    }

    /// The text of a file, when it is there and is not too long.
    pub(super) fn read(&self, file: &str) -> Option<String> {
        let path = self.folder.join(file);
        if path.metadata().ok()?.len() > LONGEST {
            return None;
        }
        std::fs::read_to_string(path).ok()
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.files.iter().any(|found| found == file)
    }

    /// Files with one of these endings.
    pub(super) fn ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.files
            .iter()
            .map(String::as_str)
            .filter(|file| endings.iter().any(|ending| file.ends_with(ending)))
    }

    /// The folder's name as an app's key.
    pub(super) fn name(&self) -> String {
        let name = self
            .folder
            .file_name()
            .map(|name| name.to_string_lossy().to_lowercase());
        let mut clean = String::new();
        for c in name.unwrap_or_default().chars() {
            if c.is_ascii_lowercase() || (c.is_ascii_digit() && !clean.is_empty()) {
                clean.push(c);
            } else if !clean.is_empty() && !clean.ends_with('-') {
                clean.push('-');
            }
        }
        let clean = clean.trim_end_matches('-');
        if clean.is_empty() {
            "app".to_owned()
        } else {
            clean.to_owned()
        }
    }

    /// The remote `origin` of a git repository whose root this is.
    pub(super) fn repository(&self) -> Option<Origin<String>> {
        let config = self.read(".git/config")?;
        let mut here = false;
        for line in config.lines().map(str::trim) {
            if line.starts_with('[') {
                here = line == "[remote \"origin\"]";
            } else if here
                && let Some((key, url)) = line.split_once('=')
                && key.trim() == "url"
            {
                let url = without_credentials(url.trim());
                return Some(Origin::new(url, "the remote `origin` of git"));
            }
        }
        None
    }

    /// A path that sources answer for health.
    pub(super) fn health_path(&self) -> Option<Origin<String>> {
        let endings = [
            ".py",
            ".js",
            ".ts",
            ".mjs",
            ".rs",
            ".go",
            ".rb",
            ".php",
            "Dockerfile",
        ];
        for file in self.ending(&endings) {
            let text = self.read(file)?;
            for path in ["/healthz", "/health", "/up", "/livez", "/ping"] {
                let quoted = ['"', '\'', '`']
                    .iter()
                    .any(|quote| text.contains(&format!("{quote}{path}{quote}")));
                if quoted {
                    return Some(Origin::new(path.to_owned(), format!("a route in {file}")));
                }
            }
        }
        None
    }
}

/// A token in a remote's address stays out of the spec.
fn without_credentials(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            match host.rsplit_once('@') {
                Some((user, _)) => format!("{scheme}://{}", &rest[user.len() + 1..]),
                None => url.to_owned(),
            }
        }
        None => url.to_owned(),
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<String>) {
    let skipped = [
        "node_modules",
        "target",
        "__pycache__",
        "venv",
        "vendor",
        "dist",
        "build",
        "tests",
        "test",
    ];
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Links may lead out of the folder, or round in it.
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if files.len() >= MOST {
            return;
        }
        if kind.is_dir() {
            if !name.starts_with('.')
                && !skipped.contains(&&*name)
                && prefix.matches('/').count() < 4
            {
                walk(&entry.path(), &format!("{prefix}{name}/"), files);
            }
        } else if kind.is_file() {
            files.push(format!("{prefix}{name}"));
        }
    }
}
