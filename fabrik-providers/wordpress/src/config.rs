//! How to reach a site.

use std::path::PathBuf;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::Secret;
use fabrik_core::value::Path;
use fabrik_exec::{Container, Engine, Place, SshConfig, SshTarget};
use schemars::JsonSchema;
use serde::Deserialize;

/// A WordPress site: on this machine, on a server over SSH, in a container, or over its REST API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder with `wp-config.php`, an absolute path where the commands run.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub path: Option<String>,
    /// The command WP-CLI is started with, `[wp]` unless set; `[php, /opt/wp-cli.phar]` for a phar.
    #[serde(default = "wp")]
    #[schemars(length(min = 1))]
    pub wp: Vec<String>,
    /// The server on which commands run.
    #[serde(default)]
    pub ssh: Option<Ssh>,
    /// The container in which commands run, on this machine or on the server.
    #[serde(default)]
    pub container: Option<InContainer>,
    /// The login of the WordPress account whose rights count and who becomes the author of pages;
    /// the first administrator unless set.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub user: Option<String>,
    /// Where visitors reach the site; asked of the site unless set.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub url: Option<String>,
    /// The site's REST API, for hosts without a shell. It can do less.
    #[serde(default)]
    pub rest: Option<Rest>,
}

/// A server that is reached by the system's `ssh`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ssh {
    /// Host name, address, or alias in the SSH settings.
    #[schemars(length(min = 1))]
    pub host: String,
    /// User to log in as; should own the site's files.
    #[serde(default)]
    pub user: Option<String>,
    /// Port.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// File of the private key.
    #[serde(default)]
    #[schemars(extend("x-fabrik" = {"sensitive": false}))]
    pub key_file: Option<PathBuf>,
    /// SSH settings that are followed instead of the user's own.
    #[serde(default)]
    pub config_file: Option<PathBuf>,
    /// File of the known host keys.
    #[serde(default)]
    pub known_hosts: Option<PathBuf>,
}

/// A running container with the site in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InContainer {
    /// Its name or id.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The engine.
    #[serde(default)]
    pub engine: Engine,
    /// User inside: `www-data` in the official image.
    #[serde(default)]
    pub user: Option<String>,
}

/// A site's REST API.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// The site's address: `https://example.com`.
    #[schemars(length(min = 1))]
    pub url: String,
    /// Login of an administrator.
    #[schemars(extend("x-fabrik" = {"env": "WP_ADMIN_USER"}))]
    pub user: String,
    /// An application password of that account, made under *Users → Profile*; not the password of
    /// the account itself.
    #[schemars(extend("x-fabrik" = {"sensitive": true, "env": "WP_ADMIN_PASSWORD"}))]
    pub password: Secret,
}

fn wp() -> Vec<String> {
    vec!["wp".to_owned()]
}

impl Config {
    /// Where commands run.
    pub(crate) fn place(&self) -> Place {
        let server = self.ssh.as_ref().map(|ssh| {
            let mut target = SshTarget::new(&ssh.host);
            if let Some(user) = &ssh.user {
                target = target.user(user);
            }
            if let Some(port) = ssh.port {
                target = target.port(port);
            }
            if let Some(file) = &ssh.key_file {
                target = target.identity(file);
            }
            if let Some(file) = &ssh.known_hosts {
                target = target.known_hosts(file);
            }
            if let Some(file) = &ssh.config_file {
                target = target.config(SshConfig::File(file.clone()));
            }
            Place::from(target)
        });
        match &self.container {
            None => server.unwrap_or_default(),
            Some(inside) => {
                let mut container = Container::new(inside.engine, &inside.name);
                if let Some(user) = &inside.user {
                    container = container.user(user);
                }
                container.on(server.unwrap_or_default()).into()
            }
        }
    }

    /// Refuses what cannot be a way to a site.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |field: &str, text: &str, hint: &str| {
            Err(Error::new(ErrorKind::Invalid, text)
                .field(Path::key(field))
                .hint(hint))
        };
        let by_shell = self.path.is_some() || self.ssh.is_some() || self.container.is_some();
        if self.rest.is_some() && by_shell {
            return wrong(
                "rest",
                "`rest` cannot stand beside `path`, `ssh` or `container`",
                "leave `rest` out: over WP-CLI everything can be managed, over REST only a part",
            );
        }
        if self.rest.is_none() && !by_shell {
            return wrong(
                "path",
                "nothing says where the site is",
                "set `path` (a folder on this machine, or with `ssh` on that server), `container`, or `rest`",
            );
        }
        let absolute = |path: &String| path.starts_with('/') && !path.contains('\0');
        if self.path.as_ref().is_some_and(|path| !absolute(path)) {
            return wrong(
                "path",
                "`path` is not an absolute path",
                "begin it with `/`",
            );
        }
        if self.wp.is_empty() || self.wp.iter().any(|part| part.contains('\0')) {
            return wrong("wp", "`wp` is no command", "leave it out, or write `[wp]`");
        }
        self.place().check().map_err(|error| {
            let inside = if self.container.is_some() && !error.to_string().contains("host") {
                "container"
            } else {
                "ssh"
            };
            let field = error.field_path().map(ToString::to_string);
            let field = match field.as_deref() {
                Some("identity") => format!("{inside}.key_file"),
                Some("config") => format!("{inside}.config_file"),
                Some("container") => "container.name".to_owned(),
                Some(other) => format!("{inside}.{other}"),
                None => inside.to_owned(),
            };
            error.field(Path::parse(&field))
        })
    }
}
