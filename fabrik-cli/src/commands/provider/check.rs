//! `fabrik provider check`.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use fabrik_core::diagnostic::did_you_mean;
use fabrik_core::error::{Error, ErrorKind};
use serde_json::json;

use crate::args::ProviderCheckArgs;
use crate::exit::Exit;
use crate::fail::Done;
use crate::lint::{self, Lint};
use crate::output::{Tone, text};
use crate::session::Session;

/// Checks the schemas of providers of this program, or a crate as a whole.
pub(super) fn check(session: &mut Session, args: &ProviderCheckArgs) -> Done {
    let Some(what) = args.what.as_deref() else {
        return schemas(session, None);
    };
    if session.registry.provider(what).is_some() {
        return schemas(session, Some(what));
    }
    let dir = session.settings.dir.join(what);
    if dir.join("Cargo.toml").is_file() {
        return crate_at(session, &dir);
    }
    let names = session
        .registry
        .providers()
        .map(|provider| &*provider.info().name);
    let error = Error::new(
        ErrorKind::NotFound,
        format!("`{what}` is neither a provider of this program nor the directory of a crate"),
    );
    Err(match did_you_mean(what, names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("`fabrik provider list` lists the providers"),
    }
    .into())
}

fn schemas(session: &mut Session, only: Option<&str>) -> Done {
    let mut found: Vec<Lint> = Vec::new();
    let mut types = 0;
    for provider in session.registry.providers() {
        let info = provider.info();
        if only.is_none_or(|only| only == &*info.name) {
            types += info.types.len();
            found.extend(lint::provider(info));
        }
    }
    let exit = if found.is_empty() {
        Exit::DONE
    } else {
        Exit::FAILED
    };
    if session.is_machine() {
        let lints: Vec<_> = found
            .iter()
            .map(|lint| json!({"case": lint.case, "place": lint.place, "problem": lint.problem}))
            .collect();
        session
            .out
            .structured(&json!({"v": 1, "types": types, "lints": lints}))?;
        return Ok(exit);
    }
    let style = session.out.data_style();
    let lines: Vec<String> = found
        .iter()
        .map(|lint| {
            let line = format!("{}  {}: {}", lint.case, lint.place, lint.problem);
            style.paint(Tone::Warn, &text::one_line(&line))
        })
        .collect();
    if !lines.is_empty() {
        session.out.data(&lines.join("\n"))?;
    }
    let checked = format!("{} checked", text::count(types, "type"));
    if found.is_empty() {
        session
            .out
            .success(&format!("{checked}: nothing to mend"))?;
    } else {
        session.out.message(&format!(
            "{checked}, {} to mend",
            text::count(found.len(), "thing")
        ))?;
    }
    Ok(exit)
}

/// The tests and the documentation of a crate, by cargo.
fn crate_at(session: &mut Session, dir: &Path) -> Done {
    let tests = cargo(session, dir, &["test"], "")?;
    // With failed tests, nobody waits for documentation.
    let docs = tests && cargo(session, dir, &["doc", "--no-deps"], "-D warnings")?;
    if session.is_machine() {
        session
            .out
            .structured(&json!({"v": 1, "crate": dir, "tests": tests, "docs": docs}))?;
    }
    if tests && docs {
        session
            .out
            .success("tests passed, documentation is complete")?;
        return Ok(Exit::DONE);
    }
    let (what, hint) = if tests {
        (
            "its documentation has mistakes",
            "`cargo doc --no-deps` shows them",
        )
    } else {
        (
            "its tests failed",
            "`cargo test --test conformance -- CASE` runs a case alone",
        )
    };
    let error = Error::new(ErrorKind::CheckFailed, what).hint(hint);
    session.out.error(&error)?;
    Ok(Exit::FAILED)
}

/// Runs cargo there; what it prints is passed on. Gives whether it succeeded.
fn cargo(session: &mut Session, dir: &Path, words: &[&str], rustdoc: &str) -> Done<bool> {
    let program = session
        .world
        .env
        .get("CARGO")
        .map_or("cargo", String::as_str);
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, "`cargo` cannot be run")
            .cause(error)
            .hint("install Rust: https://rustup.rs")
    };
    let line = format!(
        "cargo {} in {}",
        words.join(" "),
        shown(session, dir).display()
    );
    session.out.message(&line)?;
    let stderr = if session.world.process && !session.out.is_quiet() {
        Stdio::inherit()
    } else {
        Stdio::null()
    };
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(&session.world.env)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    if !rustdoc.is_empty() {
        command.env("RUSTDOCFLAGS", rustdoc);
    }
    let mut child = command.spawn().map_err(failed)?;
    if let Some(stdout) = child.stdout.take() {
        let lines = std::io::BufReader::new(stdout).lines();
        for line in lines.map_while(Result::ok) {
            session.out.message(&text::printable(&line))?;
        }
    }
    Ok(child.wait().map_err(failed)?.success())
}

fn shown(session: &Session, dir: &Path) -> PathBuf {
    let short = dir.strip_prefix(&session.settings.dir).unwrap_or(dir);
    if short.as_os_str().is_empty() {
        return PathBuf::from(".");
    }
    short.to_path_buf()
}
