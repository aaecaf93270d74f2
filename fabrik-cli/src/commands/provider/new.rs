//! `fabrik provider new`.

use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use fabrik_core::error::{Error, ErrorKind};
use serde_json::json;

use super::template::{self, Kind, Source};
use crate::args::ProviderNewArgs;
use crate::exit::Exit;
use crate::fail::{Done, Fail};
use crate::files::file_error;
use crate::session::Session;

/// What tells a checkout of Fabrik.
const CHECKOUT: [&str; 2] = [
    "fabrik-core/Cargo.toml",
    "fabrik-providers/testkit/Cargo.toml",
];

/// Writes a provider: a crate whose tests pass.
pub(super) fn new(session: &mut Session, args: &ProviderNewArgs) -> Done {
    let name = &args.name;
    if !template::is_name(name) {
        return Err(Fail::usage_hint(
            format!("`{name}` cannot be the name of a provider"),
            "a name begins with a small letter, and is small letters, digits and `_`",
        ));
    }
    let start = &session.settings.dir;
    let dir = match &args.dir {
        Some(dir) => start.join(dir),
        None => start.join(template::package(name)),
    };
    if std::fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some()) {
        let error = Error::new(
            ErrorKind::Conflict,
            format!("`{}` is not empty", dir.display()),
        );
        return Err(error.hint("name another with `--dir`").into());
    }
    let source = source(session, args, &dir)?;
    let kind = if args.plain { Kind::Plain } else { Kind::Http };
    let files = template::render(kind, name, &source);
    for (path, text) in &files {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(&dir);
        std::fs::create_dir_all(parent).map_err(|error| file_error("make", parent, &error))?;
        std::fs::write(&path, text).map_err(|error| file_error("write", &path, &error))?;
    }
    if session.world.process {
        format(session, &dir);
    }
    if session.is_machine() {
        let names: Vec<_> = files.iter().map(|(path, _)| path).collect();
        session
            .out
            .structured(&json!({"v": 1, "name": name, "dir": dir, "files": names}))?;
        return Ok(Exit::DONE);
    }
    let shown = dir
        .strip_prefix(start)
        .unwrap_or(&dir)
        .display()
        .to_string();
    session
        .out
        .success(&format!("wrote {} files to `{shown}`", files.len()))?;
    let steps = [
        (format!("cd {shown}"), ""),
        ("cargo test".to_owned(), "the conformance suite"),
        (
            format!("cargo run --features program -- docs {name}"),
            "a `fabrik` that has it",
        ),
    ];
    let width = steps.iter().map(|(step, _)| step.len()).max().unwrap_or(0);
    let steps: Vec<String> = steps
        .iter()
        .map(|(step, what)| format!("  {step:width$}  {what}").trim_end().to_owned())
        .collect();
    session.out.message(&format!(
        "\nNext:\n{}\n\nIts README.md says where to go on.",
        steps.join("\n")
    ))?;
    Ok(Exit::DONE)
}

/// Lines are broken elsewhere when the name is longer or shorter than the template's. Where there
/// is no formatter, they stay.
fn format(session: &Session, dir: &Path) {
    _ = std::process::Command::new("cargo")
        .arg("fmt")
        .env_clear()
        .envs(&session.world.env)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Where the crate gets Fabrik from: the checkout that was named, or the one around the folder.
fn source(session: &Session, args: &ProviderNewArgs, dir: &Path) -> Done<Source> {
    let is_checkout = |dir: &Path| CHECKOUT.iter().all(|file| dir.join(file).is_file());
    if let Some(path) = &args.fabrik_path {
        let path = session.settings.dir.join(path);
        if !is_checkout(&path) {
            return Err(Fail::usage_hint(
                format!("`{}` is no checkout of Fabrik", path.display()),
                "name the folder that has `fabrik-core` in it",
            ));
        }
        return Ok(Source::Path(between(dir, &path)));
    }
    let here = absolute(&session.settings.dir);
    Ok(match here.ancestors().find(|dir| is_checkout(dir)) {
        Some(checkout) => Source::Path(between(dir, checkout)),
        None => Source::Registry,
    })
}

/// The way from one directory to another: relative where they share more than the root.
fn between(from: &Path, to: &Path) -> PathBuf {
    let (from, to) = (absolute(from), absolute(to));
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(left, right)| left == right)
        .count();
    if shared < 2 {
        return to;
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    let path: PathBuf = up.chain(to.components().skip(shared)).collect();
    if path.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    path
}

/// An absolute path without `..`; links are followed as far as the path is there.
fn absolute(path: &Path) -> PathBuf {
    for dir in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (dir.canonicalize(), path.strip_prefix(dir)) {
            return rest.components().fold(real, |mut whole, part| {
                match part {
                    Component::ParentDir => _ = whole.pop(),
                    Component::CurDir => {}
                    part => whole.push(part),
                }
                whole
            });
        }
    }
    path.to_path_buf()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_between_directories() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        std::fs::create_dir_all(at("fabrik/examples")).unwrap();
        assert_eq!(between(&at("acme"), &at("fabrik")), Path::new("../fabrik"));
        assert_eq!(
            between(&at("fabrik/x/acme"), &at("fabrik")),
            Path::new("../..")
        );
        assert_eq!(
            between(&at("acme/../fabrik/x"), &at("fabrik")),
            Path::new("..")
        );
        assert_eq!(
            between(Path::new("/nowhere/acme"), &at("fabrik")),
            absolute(&at("fabrik"))
        );
    }
}
