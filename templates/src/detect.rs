//! What a folder holds: for `fabrik new --from DIR`.

mod languages;
mod look;
mod spec;

use std::path::Path as FsPath;

use fabrik_core::error::{Error, ErrorKind, Result};

use look::Look;

/// Something found out, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<T> {
    /// What it is.
    pub value: T,
    /// Where it was found, for a comment: `EXPOSE in Dockerfile`.
    pub from: String,
}

impl<T> Origin<T> {
    fn new(value: T, from: impl Into<String>) -> Origin<T> {
        Origin {
            value,
            from: from.into(),
        }
    }
}

/// What is known of a project after looking at its folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// Its name, usable as an app's key.
    pub name: String,
    /// What it is: `Python (FastAPI)`.
    pub what: String,
    /// The kind of app.
    pub kind: &'static str,
    /// The folder to serve or run, below the one that was looked at; `.` for itself.
    pub folder: Option<Origin<String>>,
    /// The repository it is in.
    pub repo: Option<Origin<String>>,
    /// What installs what it needs.
    pub install: Option<Origin<String>>,
    /// What builds it.
    pub build: Option<Origin<String>>,
    /// What starts it.
    pub command: Option<Origin<String>>,
    /// The port it listens on.
    pub port: Option<Origin<u16>>,
    /// The path that answers while it works.
    pub health: Option<Origin<String>>,
    /// Variables it reads.
    pub env: Vec<Origin<(String, String)>>,
    /// Secrets it reads.
    pub secrets: Vec<Origin<String>>,
    /// It has a Dockerfile.
    pub dockerfile: bool,
}

/// Looks at a folder; reads, never writes or runs.
///
/// # Errors
/// [`ErrorKind::Io`] when it cannot be read, [`ErrorKind::NotFound`] when nothing in it is known.
pub fn detect(folder: &FsPath) -> Result<Detected> {
    let look = Look::at(folder)?;
    let mut found = languages::detect(&look).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("nothing in {} says what it is", folder.display()),
        )
        .hint("known are: requirements.txt, pyproject.toml, package.json, Cargo.toml, Dockerfile, compose.yaml, index.html")
    })?;
    found.name = look.name();
    found.repo = look.repository();
    if let Some(text) = look.read("Dockerfile") {
        found.dockerfile = true;
        if let Some(port) = exposed(&text) {
            found.port = Some(Origin::new(port, "EXPOSE in Dockerfile"));
        }
    }
    if found.kind == "service" {
        found.health = found.health.or_else(|| look.health_path());
    }
    environment(&look, &mut found);
    Ok(found)
}

/// The port of the last `EXPOSE`.
fn exposed(dockerfile: &str) -> Option<u16> {
    dockerfile
        .lines()
        .filter_map(|line| line.trim().strip_prefix("EXPOSE "))
        .filter_map(|rest| rest.split(['/', ' ']).next()?.trim().parse().ok())
        .next_back()
}

/// Variables of `.env.example`; those that sound like secrets are named only.
fn environment(look: &Look, found: &mut Detected) {
    for file in [".env.example", ".env.sample", ".env.template"] {
        let Some(text) = look.read(file) else {
            continue;
        };
        let lines = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'));
        for (name, value) in lines.filter_map(|line| line.split_once('=')) {
            let name = name.trim_start_matches("export ").trim();
            let value = value.trim().trim_matches(['"', '\'']);
            let upper = name.to_ascii_uppercase();
            let is_name = !name.is_empty()
                && !name.starts_with(|first: char| first.is_ascii_digit())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !is_name || upper == "PORT" {
                continue;
            }
            let secret = [
                "SECRET",
                "TOKEN",
                "PASSWORD",
                "PASS",
                "KEY",
                "CREDENTIAL",
                "DSN",
                "DATABASE_URL",
            ];
            if secret
                .iter()
                .any(|word| upper.ends_with(word) || upper.contains(&format!("{word}_")))
            {
                found.secrets.push(Origin::new(name.to_owned(), file));
            } else {
                found
                    .env
                    .push(Origin::new((name.to_owned(), value.to_owned()), file));
            }
        }
        return;
    }
}

#[cfg(test)]
mod tests;
