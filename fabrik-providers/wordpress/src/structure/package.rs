//! Zip files and names that plugins and themes are installed from.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::hex;
use fabrik_core::provider::{Cx, Finding};
use fabrik_core::value::Path;
use fabrik_exec::{Command, Output, Place};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{asked, at_least, finding, short};
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

/// What a zip says of itself.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Inspected {
    problem: String,
    unknown: bool,
    folders: Vec<String>,
    main: String,
    version: String,
    requires_php: String,
    requires_wp: String,
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
        cx: &Cx,
        site: &Site,
        kind: &str,
        slug: &str,
        version: Option<&str>,
    ) -> Result<Vec<Finding>> {
        let Package::File(_) = self else {
            return Ok(Vec::new());
        };
        let op = json!({"kind": kind, "do": "inspect", "id": slug, "zip": BASE64.encode(self.bytes().await?)});
        let raw = asked(cx, site, op).await?;
        let found: Inspected = serde_json::from_value(raw).unwrap_or_default();
        let facts = site.facts(cx).await?;
        let mut findings = Vec::new();
        let mut wrong = |field: &str, message: String, hint: &str| {
            findings.push(finding(true, field, message, hint));
        };
        if found.unknown {
            return Ok(findings);
        }
        if !found.problem.is_empty() {
            wrong(
                "source",
                format!("`source`: {}", short(&found.problem)),
                "give the zip file as it is uploaded to WordPress",
            );
        } else if found.main.is_empty() {
            wrong(
                "source",
                format!("there is no {kind} in this zip file"),
                "give the zip file as it is uploaded to WordPress",
            );
        } else if found.folders != [slug] {
            let inside = short(&found.folders.join(", "));
            wrong(
                "slug",
                format!("the zip file holds `{inside}`, not `{slug}`"),
                "the slug is the name of the folder in the zip file",
            );
        }
        if let Some(version) =
            version.filter(|version| !found.version.is_empty() && *version != found.version)
        {
            wrong(
                "version",
                format!(
                    "the zip file holds version {}, not {version}",
                    short(&found.version)
                ),
                "change `version`, or give the zip file of that version",
            );
        }
        findings.extend(requirements(
            &facts,
            &found.requires_php,
            &found.requires_wp,
        ));
        Ok(findings)
    }

    /// Installs it over what is there. On failure the output says why.
    pub(super) async fn install(
        &self,
        cx: &Cx,
        cli: &Cli,
        kind: &str,
        slug: &str,
        version: Option<&str>,
    ) -> Result<Output> {
        let mut command = vec![kind.to_owned(), "install".to_owned()];
        let mut uploaded = None;
        match self {
            Package::Directory => {
                command.push(slug.to_owned());
                command.extend(version.map(|version| format!("--version={version}")));
            }
            Package::Url(url) => command.push(url.clone()),
            Package::File(file) if *cli.place() == Place::default() => {
                command.push(file.display().to_string());
            }
            Package::File(_) => {
                let path = upload(cx, cli, self.bytes().await?).await?;
                command.push(path.clone());
                uploaded = Some(path);
            }
        }
        command.push("--force".to_owned());
        let output = cli
            .run(cx, &cli.wp(command.iter().map(String::as_str)))
            .await;
        if let Some(path) = uploaded {
            // What is left behind is a file in the server's folder for them.
            let _ = cli
                .run(cx, &Command::new("rm").args(["-f", "--", &path]))
                .await;
        }
        output
    }
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
