//! Zip files and names that plugins and themes are installed from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::hex;
use fabrik_core::provider::{Cx, Finding};
use fabrik_core::value::Path;
use fabrik_exec::{Command, Output, Place};
use sha2::{Digest as _, Sha256};

use super::zip::Zip;
use super::{at_least, finding, short};
use crate::channel::Cli;
use crate::request::Facts;
use crate::site::Site;

/// Most bytes of a zip.
const MOST: u64 = 64 * 1024 * 1024;

/// Where something is installed from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Package {
    /// A zip file on this machine.
    File(PathBuf),
    /// A zip file that the site's server fetches.
    Url(String),
    /// WordPress's own directory, by its name there.
    Directory,
}

impl Package {
    pub(super) fn of(site: &Site, source: Option<&str>) -> Result<Package> {
        match source {
            None => Ok(Package::Directory),
            Some(url) if url.starts_with("https://") => Ok(Package::Url(url.to_owned())),
            Some(url) if url.contains("://") => Err(Error::new(
                ErrorKind::Invalid,
                "`source` is fetched over an unprotected connection",
            )
            .field(Path::key("source"))
            .hint("use an address that begins with `https://`, or a zip file on this machine")),
            Some(path) => Ok(Package::File(site.resolve(path))),
        }
    }

    /// The hash of a file's content.
    pub(super) async fn content(&self) -> Result<Option<String>> {
        match self {
            Package::File(_) => Ok(Some(hex::encode(&Sha256::digest(self.bytes().await?)))),
            _ => Ok(None),
        }
    }

    async fn bytes(&self) -> Result<Vec<u8>> {
        let Package::File(file) = self else {
            return Ok(Vec::new());
        };
        let fails = |error: std::io::Error| {
            Error::new(
                if error.kind() == std::io::ErrorKind::NotFound {
                    ErrorKind::Invalid
                } else {
                    ErrorKind::Io
                },
                format!("`{}` cannot be read: {error}", file.display()),
            )
            .field(Path::key("source"))
            .hint(
                "`source` is a zip file beside the spec, or an address that begins with `https://`",
            )
            .effect(Effect::None)
        };
        if tokio::fs::metadata(file).await.map_err(fails)?.len() > MOST {
            return Err(
                Error::new(ErrorKind::Invalid, "the zip file is larger than 64 MiB")
                    .field(Path::key("source"))
                    .effect(Effect::None),
            );
        }
        tokio::fs::read(file).await.map_err(fails)
    }

    /// What would keep this zip from being installed or activated on the site.
    pub(super) async fn inspect(
        &self,
        facts: &Facts,
        kind: &str,
        slug: &str,
        version: Option<&str>,
    ) -> Result<Vec<Finding>> {
        let Package::File(_) = self else {
            return Ok(Vec::new());
        };
        let bytes = self.bytes().await?;
        let hint = "give the zip file as it is uploaded to WordPress";
        let Some(zip) = Zip::of(&bytes) else {
            return Ok(vec![finding(
                true,
                "source",
                "`source` is no zip file".to_owned(),
                hint,
            )]);
        };
        let folder = |name: &str| name.split('/').next().unwrap_or_default().to_owned();
        let folders: BTreeSet<String> = zip.names().map(folder).collect();
        if folders.len() != 1 || !folders.contains(slug) {
            let inside: Vec<String> = folders.into_iter().take(3).collect();
            let message = format!(
                "the zip file holds `{}`, not `{slug}`",
                short(&inside.join(", "))
            );
            let hint = "the slug is the name of the only folder in the zip file";
            return Ok(vec![finding(true, "slug", message, hint)]);
        }
        let Some(head) = head(&zip, kind) else {
            let message = format!("there is no {kind} in this zip file");
            return Ok(vec![finding(true, "source", message, hint)]);
        };
        let says = |field: &str| header(&head, field).unwrap_or_default();
        let mut findings = Vec::new();
        let found = says("Version");
        if let Some(version) = version.filter(|version| !found.is_empty() && *version != found) {
            findings.push(finding(
                true,
                "version",
                format!(
                    "the zip file holds version {}, not {version}",
                    short(&found)
                ),
                "change `version`, or give the zip file of that version",
            ));
        }
        findings.extend(requirements(
            facts,
            &says("Requires PHP"),
            &says("Requires at least"),
        ));
        Ok(findings)
    }

    /// The version to ask for, where there is a choice.
    pub(super) fn pinned<'a>(&self, version: Option<&'a str>) -> Option<&'a str> {
        version.filter(|_| *self == Package::Directory)
    }

    /// What WP-CLI installs it from; the second is what to remove afterwards.
    pub(super) async fn words(
        &self,
        cx: &Cx,
        cli: &Cli,
        slug: &str,
    ) -> Result<(String, Option<String>)> {
        Ok(match self {
            Package::Directory => (slug.to_owned(), None),
            Package::Url(url) => (url.clone(), None),
            Package::File(file) if *cli.place() == Place::default() => {
                (file.display().to_string(), None)
            }
            Package::File(_) => {
                let path = upload(cx, cli, self.bytes().await?).await?;
                (path.clone(), Some(path))
            }
        })
    }
}

/// Installs packages over what is there, in one process. On failure the output says why, and some may
/// have been installed.
pub(super) async fn install(
    cx: &Cx,
    cli: &Cli,
    kind: &str,
    packages: &[(&Package, &str)],
    version: Option<&str>,
) -> Result<Output> {
    let mut words = vec![kind.to_owned(), "install".to_owned()];
    let mut uploaded = vec!["-f".to_owned(), "--".to_owned()];
    for (package, slug) in packages {
        let (word, made) = package.words(cx, cli, slug).await?;
        words.push(word);
        uploaded.extend(made);
    }
    words.extend(version.map(|version| format!("--version={version}")));
    words.push("--force".to_owned());
    let output = cli.run(cx, &cli.wp(words.iter().map(String::as_str))).await;
    if uploaded.len() > 2 {
        // What is left behind is a file in the server's folder for them.
        let _ = cli.run(cx, &Command::new("rm").args(uploaded)).await;
    }
    output
}

/// The text in which a plugin or theme says what it is.
fn head(zip: &Zip<'_>, kind: &str) -> Option<String> {
    let names: Vec<&str> = zip.names().collect();
    names.into_iter().find_map(|name| {
        let rest = name.split_once('/')?.1;
        let (candidate, field) = match kind {
            "theme" => (rest == "style.css", "Theme Name"),
            _ => (
                !rest.contains('/')
                    && std::path::Path::new(rest)
                        .extension()
                        .is_some_and(|end| end == "php"),
                "Plugin Name",
            ),
        };
        let text = if candidate {
            zip.text(name)?
        } else {
            return None;
        };
        header(&text, field).map(|_| text)
    })
}

/// A field of a file's head, as WordPress reads it: in the first 8 KiB, to the end of its line.
fn header(text: &str, field: &str) -> Option<String> {
    let mut end = text.len().min(8192);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].lines().find_map(|line| {
        let line = line.trim_start_matches([' ', '\t', '/', '*', '#', '@', '<', '?', 'p', 'h']);
        let value = line.strip_prefix(field)?.trim_start().strip_prefix(':')?;
        let value = value.split("*/").next().unwrap_or(value).trim();
        Some(value.to_owned()).filter(|value| !value.is_empty())
    })
}

async fn upload(cx: &Cx, cli: &Cli, bytes: Vec<u8>) -> Result<String> {
    const SCRIPT: &str = r#"f=$(mktemp "${TMPDIR:-/tmp}/fabrik-XXXXXX") && mv "$f" "$f.zip" && cat >"$f.zip" && printf %s "$f.zip""#;
    let command = Command::new("sh").args(["-c", SCRIPT]).input(bytes);
    let output = cli.run(cx, &command).await?.check()?;
    let path = output.text()?.to_owned();
    if path.starts_with('/') && !path.contains(['\n', '\0']) {
        return Ok(path);
    }
    Err(Error::new(
        ErrorKind::Misbehaved,
        "the server gave no name for the uploaded file",
    )
    .effect(Effect::None))
}

/// What of these requirements the site does not meet.
pub(super) fn requirements(facts: &Facts, php: &str, wordpress: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !php.is_empty() && !at_least(&facts.php, php) {
        findings.push(finding(
            true,
            "slug",
            format!(
                "it needs PHP {}, the site has {}",
                short(php),
                short(&facts.php)
            ),
            "update PHP there, or take an older version",
        ));
    }
    if !wordpress.is_empty() && !at_least(&facts.wordpress, wordpress) {
        findings.push(finding(
            true,
            "slug",
            format!(
                "it needs WordPress {}, the site has {}",
                short(wordpress),
                short(&facts.wordpress)
            ),
            "update WordPress there, or take an older version",
        ));
    }
    findings
}

/// Refuses what cannot be the name of a plugin's or theme's folder.
pub(super) fn slug(slug: &str) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if (1..=100).contains(&slug.len()) && slug.bytes().all(good) && !slug.starts_with(['.', '-']) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!(
            "`{}` cannot be the name of a folder of WordPress",
            short(slug)
        ),
    )
    .field(Path::key("slug"))
    .hint("it is the last part of its address in the directory: `contact-form-7`"))
}

/// Refuses what cannot be a version.
pub(super) fn version(version: Option<&str>) -> Result<()> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    match version {
        Some(text)
            if text.is_empty()
                || text.len() > 40
                || !text.bytes().all(good)
                || text.starts_with('-') =>
        {
            Err(Error::new(ErrorKind::Invalid, "this is no version")
                .field(Path::key("version"))
                .hint("write it as WordPress shows it: `6.1.2`, in quotes"))
        }
        _ => Ok(()),
    }
}
