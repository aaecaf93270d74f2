//! Finding the spec a command is about.

use std::path::{Path, PathBuf};

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind, Result};

/// Names a project's own spec may have.
const DEFAULT: [&str; 2] = ["fabrik.yaml", "fabrik.yml"];

/// Finds the spec: `file` (from `-f`), else `named` (a path or an id), else `fabrik.yaml`.
///
/// # Errors
/// Says what was looked for, and names like it.
pub(crate) fn find_spec(dir: &Path, file: Option<&Path>, named: Option<&str>) -> Result<PathBuf> {
    match (file, named) {
        (Some(_), Some(named)) => Err(Error::new(
            ErrorKind::Invalid,
            format!("both `-f` and `{named}` name a spec"),
        )
        .hint("leave one of them out")),
        (Some(file), None) => {
            let path = dir.join(file);
            if path.is_file() {
                Ok(path)
            } else {
                Err(missing(dir, &file.display().to_string(), vec![path]))
            }
        }
        (None, Some(named)) => by_name(dir, named),
        (None, None) => {
            let looked: Vec<PathBuf> = DEFAULT.iter().map(|name| dir.join(name)).collect();
            match looked.iter().find(|path| path.is_file()) {
                Some(path) => Ok(path.clone()),
                None => Err(missing(dir, "", looked)),
            }
        }
    }
}

fn by_name(dir: &Path, named: &str) -> Result<PathBuf> {
    let looked = candidates(dir, named);
    match looked.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(missing(dir, named, looked)),
    }
}

/// Everything a name may stand for, in the order tried.
fn candidates(dir: &Path, named: &str) -> Vec<PathBuf> {
    let path = dir.join(named);
    if path.is_dir() && !fabrik_core::address::is_id(named) {
        return [DEFAULT[0], DEFAULT[1], "spec.yaml"]
            .iter()
            .map(|name| path.join(name))
            .collect();
    }
    let mut found = vec![path];
    if fabrik_core::address::is_id(named) {
        found.extend(
            [
                format!("{named}.yaml"),
                format!("{named}.yml"),
                format!("specs/{named}.yaml"),
                format!("specs/{named}/spec.yaml"),
                format!("{named}/fabrik.yaml"),
            ]
            .map(|name| dir.join(name)),
        );
    }
    found
}

fn missing(dir: &Path, named: &str, looked: Vec<PathBuf>) -> Error {
    let message = if named.is_empty() {
        "there is no spec here".to_owned()
    } else {
        format!("there is no spec `{named}`")
    };
    let mut error = Error::new(ErrorKind::Invalid, message);
    for path in looked {
        let shown = path.strip_prefix(dir).unwrap_or(&path);
        error = error.context("looked for", shown.display());
    }
    let known = known_specs(dir);
    let like = did_you_mean(named, known.iter().map(|(id, _)| id.as_str())).or_else(|| {
        let stem = Path::new(named).file_stem()?.to_str()?;
        did_you_mean(stem, known.iter().map(|(id, _)| id.as_str()))
    });
    match (like, known.as_slice()) {
        (Some(like), _) => error.hint(format!("did you mean `{like}`?")),
        (None, []) => error.hint("name a spec with `-f FILE`, or work elsewhere with `-C DIR`"),
        (None, known) => {
            let shown: Vec<String> = known
                .iter()
                .take(8)
                .map(|(id, _)| format!("`{id}`"))
                .collect();
            error.hint(format!("name one of the specs here: {}", shown.join(", ")))
        }
    }
}

/// Specs in a directory, with the ids they can be called by.
pub(crate) fn known_specs(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for (folder, nested) in [(dir.to_path_buf(), false), (dir.join("specs"), true)] {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let spec = path.join("spec.yaml");
            let id = path.file_stem().and_then(|stem| stem.to_str());
            let yaml = path
                .extension()
                .is_some_and(|extension| extension == "yaml" || extension == "yml");
            match id {
                // `NAME.ENV.yaml` is an overlay.
                Some("fabrik") => {}
                Some(id) if yaml && fabrik_core::address::is_id(id) && looks_like_spec(&path) => {
                    found.push((id.to_owned(), path.clone()));
                }
                Some(id) if nested && spec.is_file() => found.push((id.to_owned(), spec)),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Whether a file begins like a spec: other YAML files are left out of suggestions.
fn looks_like_spec(path: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(path) else {
        return false;
    };
    text.lines().any(|line| {
        ["fabrik:", "apps:", "resources:", "id:", "template:"]
            .iter()
            .any(|key| line.starts_with(key))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "fabrik: 1\nid: x\n").unwrap();
        }
        dir
    }

    fn find(dir: &tempfile::TempDir, named: Option<&str>) -> Result<String> {
        let path = find_spec(dir.path(), None, named)?;
        Ok(path.strip_prefix(dir.path()).unwrap().display().to_string())
    }

    #[test]
    fn specs_are_found_by_path_and_id() {
        let dir = project(&[
            "fabrik.yaml",
            "my-api.yaml",
            "specs/a.yaml",
            "specs/b/spec.yaml",
        ]);
        assert_eq!(find(&dir, None).unwrap(), "fabrik.yaml");
        assert_eq!(find(&dir, Some("my-api")).unwrap(), "my-api.yaml");
        assert_eq!(find(&dir, Some("my-api.yaml")).unwrap(), "my-api.yaml");
        assert_eq!(find(&dir, Some("a")).unwrap(), "specs/a.yaml");
        assert_eq!(find(&dir, Some("b")).unwrap(), "specs/b/spec.yaml");
        assert_eq!(find(&dir, Some("./specs/b")).unwrap(), "specs/b/spec.yaml");
    }

    #[test]
    fn what_is_missing_is_named_with_what_is_near() {
        let dir = project(&["my-api.yaml", "specs/web.yaml"]);
        let error = find(&dir, Some("my-apj")).unwrap_err();
        assert_eq!(error.hint_text(), Some("did you mean `my-api`?"));
        let looked: Vec<&str> = error.context_pairs().map(|(_, path)| path).collect();
        assert!(looked.contains(&"specs/my-apj.yaml"), "{looked:?}");
        let error = find(&dir, None).unwrap_err();
        assert_eq!(
            error.hint_text(),
            Some("name one of the specs here: `my-api`, `web`")
        );
    }

    #[test]
    fn two_specs_are_one_too_many() {
        let dir = project(&["a.yaml"]);
        let error = find_spec(dir.path(), Some(Path::new("a.yaml")), Some("a")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
}
