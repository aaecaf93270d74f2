//! Reading a spec with everything that belongs to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fabrik_core::diagnostic::{Diagnostic, Diagnostics, Severity, SourceMap};
use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Registry;
use fabrik_core::role::Files;
use fabrik_core::spec::{self, LoadRequest, Loaded, Source};
use fabrik_core::stack::Stack;
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use crate::dotenv;
use crate::fail::{Done, Fail};
use crate::files;
use crate::output::diagnostic;
use crate::session::Session;

/// Largest file that `${file(…)}` reads.
const MOST: u64 = 4 * 1024 * 1024;
/// Largest file that a kind of app reads.
const MOST_ASSET: u64 = 64 * 1024 * 1024;

/// Loads a spec, with its overlay, `.env` and variables. `choices` are those kept in state.
///
/// # Errors
/// When a file cannot be read. Mistakes in the spec are in what is returned.
pub(crate) fn load(
    session: &Session,
    path: &Path,
    choices: BTreeMap<Arc<str>, Arc<str>>,
) -> Result<Loaded> {
    let dir = path.parent().unwrap_or(&session.settings.dir);
    load_with(session, path, choices, &session.registry_at(dir))
}

/// As [`load`], with other providers.
pub(crate) fn load_with(
    session: &Session,
    path: &Path,
    choices: BTreeMap<Arc<str>, Arc<str>>,
    registry: &Registry,
) -> Result<Loaded> {
    let settings = &session.settings;
    let dir = path.parent().unwrap_or(&settings.dir);
    let shown = |path: &Path| {
        let short = path.strip_prefix(&settings.dir).unwrap_or(path);
        short.display().to_string()
    };
    let env = settings.env.value.as_str();
    let name = shown(path);
    let bytes = files::read(path)?;
    let overlay = overlay(path, env).filter(|path| path.is_file());
    let overlays: Vec<(String, Vec<u8>)> = overlay
        .iter()
        .map(|path| Ok((shown(path), files::read(path)?)))
        .collect::<Result<_>>()?;
    let var_files: Vec<(String, Vec<u8>)> = settings
        .var_files
        .iter()
        .map(|path| Ok((shown(path), files::read(path)?)))
        .collect::<Result<_>>()?;
    let read_file = |relative: &str| read_below(dir, relative);
    let below = Below { dir };
    let project = settings.dir.file_name().and_then(|name| name.to_str());
    let request = LoadRequest {
        overlays: sources(&overlays),
        env: (env != "default").then_some(env),
        var_files: sources(&var_files),
        vars: settings.vars.clone(),
        variables: dotenv::variables(&session.world, dir)?,
        choices,
        read_file: &read_file,
        files: &below,
        project,
        ..LoadRequest::new(registry, &name, &bytes)
    };
    Ok(spec::load(&request))
}

fn sources(files: &[(String, Vec<u8>)]) -> Vec<Source<'_>> {
    files
        .iter()
        .map(|(name, bytes)| Source { name, bytes })
        .collect()
}

/// Shows warnings; mistakes end the command.
pub(crate) fn accept(session: &mut Session, loaded: Loaded) -> Done<Stack> {
    if loaded.stack.is_some() {
        show(session, &loaded.diagnostics)?;
    }
    loaded.into_stack().map_err(Fail::from)
}

/// Shows everything found among the messages.
pub(crate) fn show(session: &mut Session, found: &Diagnostics) -> Done<()> {
    if found.items.is_empty() {
        return Ok(());
    }
    let text = diagnostic::render(found, session.out.style());
    if found.has_errors() {
        session.out.always(&text)?;
    } else {
        session.out.message(&text)?;
    }
    Ok(())
}

/// How many errors and warnings there are.
pub(crate) fn counts(found: &Diagnostics) -> (usize, usize) {
    let errors = found
        .items
        .iter()
        .filter(|item| item.severity == Severity::Error)
        .count();
    (errors, found.items.len() - errors)
}

/// The diagnostics for machines.
pub(crate) fn as_json(found: &Diagnostics) -> Vec<Json> {
    found
        .items
        .iter()
        .map(|item| one_as_json(item, &found.sources))
        .collect()
}

fn one_as_json(item: &Diagnostic, sources: &SourceMap) -> Json {
    let labels: Vec<Json> = item
        .labels
        .iter()
        .filter_map(|label| {
            let start = sources.position(label.span)?;
            Some(json!({
                "file": &*start.file,
                "line": start.line,
                "column": start.column,
                "text": label.text,
            }))
        })
        .collect();
    json!({
        "code": item.code,
        "severity": match item.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "summary": item.summary,
        "address": item.address,
        "field": item.path.as_ref().map(ToString::to_string),
        "labels": labels,
        "causes": item.causes,
        "help": item.help,
    })
}

/// The stack's name, from a spec that may have any other mistake.
///
/// # Errors
/// When there is no name to be found.
pub(crate) fn name_of(path: &Path) -> Result<String> {
    let node = top_of(path)?;
    let id = node
        .as_ref()
        .and_then(|node| node.get("id"))
        .and_then(|id| id.as_text());
    match id {
        Some(id) if fabrik_core::address::is_id(id) => Ok(id.to_string()),
        _ => Err(Error::new(
            ErrorKind::Invalid,
            format!("`{}` does not say its `id`", path.display()),
        )
        .hint("`fabrik validate` shows what is wrong with it")),
    }
}

/// The environments a spec names, whatever mistakes it has.
pub(crate) fn environments_of(path: &Path) -> Vec<String> {
    let node = top_of(path).ok().flatten();
    let named = node.as_ref().and_then(|node| node.get("environments"));
    let entries = named.and_then(|named| named.entries()).unwrap_or_default();
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

/// What a spec's file says, as far as it is YAML.
fn top_of(path: &Path) -> Result<Option<spec::node::Node>> {
    let text = files::read_text(path)?;
    Ok(spec::parse::parse(&text, 0, &mut Vec::new()))
}

/// Choices made by default in earlier runs: state keeps each under `choice.KEY`.
pub(crate) fn choices_of(meta: &BTreeMap<Arc<str>, Value>) -> BTreeMap<Arc<str>, Arc<str>> {
    meta.iter()
        .filter_map(|(key, value)| {
            let key = key.strip_prefix("choice.")?;
            Some((key.into(), value.as_str()?.into()))
        })
        .collect()
}

/// `NAME.ENV.yaml` beside `NAME.yaml`.
fn overlay(path: &Path, env: &str) -> Option<PathBuf> {
    if !fabrik_core::address::is_id(env) {
        return None;
    }
    let stem = path.file_stem()?.to_str()?;
    let extension = path.extension()?.to_str()?;
    Some(path.with_file_name(format!("{stem}.{env}.{extension}")))
}

/// Most files a folder may hold that a kind of app reads.
const MOST_FILES: usize = 5_000;

/// The files of the spec's folder; links that lead out of it are refused.
pub(crate) struct Below<'a> {
    /// The folder.
    pub(crate) dir: &'a Path,
}

impl Below<'_> {
    /// The real path of what lies below the folder.
    fn real(&self, relative: &str) -> Result<PathBuf> {
        let path = self.dir.join(relative);
        let failed = |error: std::io::Error| files::file_error("read", &path, &error);
        let root = self.dir.canonicalize().map_err(failed)?;
        let real = path.canonicalize().map_err(failed)?;
        if !real.starts_with(&root) {
            let message = format!("`{relative}` is not below the spec's folder");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        Ok(real)
    }

    /// Adds what lies in a folder, by names below `shown`.
    fn add(folder: &Path, shown: &str, found: &mut Vec<String>) -> Result<()> {
        let failed = |error: std::io::Error| files::file_error("read", folder, &error);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let path = format!("{}/{name}", shown.trim_end_matches('/'));
            if found.len() >= MOST_FILES {
                let message = format!("`{shown}` holds more than {MOST_FILES} files");
                return Err(Error::new(ErrorKind::Invalid, message));
            }
            // Links are followed when they are read, where they are checked.
            if entry.file_type().map_err(failed)?.is_dir() {
                Self::add(&entry.path(), &path, found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
}

impl Files for Below<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>> {
        let real = self.real(path)?;
        let size = std::fs::metadata(&real)
            .map_err(|error| files::file_error("read", &real, &error))?
            .len();
        if size > MOST_ASSET {
            let message = format!("`{path}` is larger than 64 MiB");
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        files::read(&real)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        Self::add(&self.real(folder)?, folder, &mut found)?;
        found.sort();
        Ok(found)
    }
}

/// Reads a file below a folder; links that lead out of it are refused.
fn read_below(dir: &Path, relative: &str) -> Result<String> {
    let real = Below { dir }.real(relative)?;
    let failed = |error: std::io::Error| files::file_error("read", &real, &error);
    if std::fs::metadata(&real).map_err(failed)?.len() > MOST {
        return Err(Error::new(
            ErrorKind::Invalid,
            format!("`{relative}` is larger than 4 MiB"),
        ));
    }
    files::read_text(&real)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_lie_beside_the_spec() {
        let overlay = |env| overlay(Path::new("a/shop.yaml"), env);
        assert_eq!(overlay("prod"), Some("a/shop.prod.yaml".into()));
        assert_eq!(overlay("../x"), None);
    }

    #[test]
    fn files_outside_the_folder_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(dir.path().join("secret"), "x").unwrap();
        std::fs::write(inner.join("open"), "y").unwrap();
        std::os::unix::fs::symlink("../secret", inner.join("link")).unwrap();
        assert_eq!(read_below(&inner, "open").unwrap(), "y");
        assert!(read_below(&inner, "../secret").is_err());
        assert!(read_below(&inner, "link").is_err());
        std::fs::create_dir(inner.join("posts")).unwrap();
        std::fs::write(inner.join("posts/b.md"), "b").unwrap();
        let below = Below { dir: &inner };
        assert_eq!(
            below.list(".").unwrap(),
            ["./link", "./open", "./posts/b.md"]
        );
        assert_eq!(below.read("posts/b.md").unwrap(), b"b");
        assert!(below.read("link").is_err());
        assert!(below.list("..").is_err());
    }
}
