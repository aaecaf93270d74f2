//! Where commands run.

use std::fmt;
use std::path::{Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::secrets::printable;
use fabrik_core::value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where commands run.
///
/// Its stored form is for outputs that say how to run commands in something, which another provider
/// then takes: `"here"`, `{"ssh": {…}}`, `{"container": {…}}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// On this machine.
    #[default]
    Here,
    /// On a machine that is reached by SSH.
    Ssh(SshTarget),
    /// Inside a running container.
    Container(Container),
}

impl From<SshTarget> for Place {
    fn from(target: SshTarget) -> Self {
        Place::Ssh(target)
    }
}
impl From<Container> for Place {
    fn from(container: Container) -> Self {
        Place::Container(container)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Here => f.write_str("this machine"),
            Place::Ssh(target) => target.fmt(f),
            Place::Container(container) => container.fmt(f),
        }
    }
}

impl Place {
    /// Refuses what cannot be a host, a user, a container: above all what begins with `-` and would
    /// be taken for an option. [`crate::Runner`] asks before each command; a provider asks when it is
    /// configured.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] at the field `host`, `user`, `port`, `identity`, `known_hosts`,
    /// `config`, `container` or `program`.
    pub fn check(&self) -> Result<()> {
        match self {
            Place::Here => Ok(()),
            Place::Ssh(target) => target.check(),
            Place::Container(container) => container.check(),
        }
    }
}

/// Whose settings `ssh` follows besides the target's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SshConfig {
    /// Those of the user and the system (`~/.ssh/config`, `/etc/ssh/ssh_config`): names of hosts,
    /// jump hosts and keys are taken from there.
    #[default]
    User,
    /// Nobody's.
    None,
    /// Those of a file.
    File(PathBuf),
}

/// A machine that is reached by the system's `ssh`, as its `ssh_config(5)` says.
///
/// - The host's key must be known already: an unknown or changed one ends the attempt.
/// - Nothing is asked: keys come from the agent, from a file without passphrase, or from the user's
///   settings.
/// - The account's shell must be a POSIX shell, as `sh`, `bash`, `dash` and `zsh` are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SshTarget {
    /// Host name, address, or alias in the SSH settings.
    pub(crate) host: String,
    /// User to log in as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) port: Option<u16>,
    /// File of the private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<PathBuf>,
    /// File of the known host keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) known_hosts: Option<PathBuf>,
    /// Whose SSH settings are followed: `user`, `none`, or `file` with a path.
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) config: SshConfig,
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{}@", printable(user))?;
        }
        f.write_str(&printable(&self.host))?;
        match self.port {
            Some(port) if port != 22 => write!(f, " port {port}"),
            _ => Ok(()),
        }
    }
}

impl SshTarget {
    /// A host by its name, address, or alias in the user's settings. User, port and key are those of
    /// the settings unless set.
    pub fn new(host: impl Into<String>) -> SshTarget {
        SshTarget {
            host: host.into(),
            user: None,
            port: None,
            identity: None,
            known_hosts: None,
            config: SshConfig::User,
        }
    }

    /// Sets the user to log in as.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> SshTarget {
        self.user = Some(user.into());
        self
    }

    /// Sets the port.
    #[must_use]
    pub fn port(mut self, port: u16) -> SshTarget {
        self.port = Some(port);
        self
    }

    /// Sets the file of the private key; then no other key is tried.
    #[must_use]
    pub fn identity(mut self, file: impl Into<PathBuf>) -> SshTarget {
        self.identity = Some(file.into());
        self
    }

    /// Sets the file of known host keys; then no other file counts.
    #[must_use]
    pub fn known_hosts(mut self, file: impl Into<PathBuf>) -> SshTarget {
        self.known_hosts = Some(file.into());
        self
    }

    /// Sets whose settings are followed.
    #[must_use]
    pub fn config(mut self, config: SshConfig) -> SshTarget {
        self.config = config;
        self
    }

    fn check(&self) -> Result<()> {
        let host_char =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if !is_name(&self.host, host_char) {
            return Err(wrong("host", &self.host, "cannot be a host")
                .hint("write a host name, an address, or an alias of your SSH settings; user and port have fields of their own"));
        }
        let user_char =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
        if let Some(user) = self.user.as_ref().filter(|user| !is_name(user, user_char)) {
            return Err(wrong("user", user, "cannot be a user"));
        }
        if self.port == Some(0) {
            return Err(wrong("port", "0", "cannot be a port"));
        }
        let config = match &self.config {
            SshConfig::File(file) => Some(file),
            SshConfig::User | SshConfig::None => None,
        };
        for (field, file) in [
            ("identity", self.identity.as_ref()),
            ("known_hosts", self.known_hosts.as_ref()),
            ("config", config),
        ] {
            let Some(file) = file else { continue };
            let text = file.to_string_lossy();
            if !is_plain_path(file) {
                return Err(wrong(field, &text, "cannot be passed to ssh").hint(
                    "use an absolute path without quotes, backslashes, `$` and control characters",
                ));
            }
            // ssh would only warn of a missing key, and then say "permission denied".
            if let Err(error) = std::fs::File::open(file) {
                return Err(wrong(field, &text, &format!("cannot be read: {error}"))
                    .hint("check the path and who may read the file"));
            }
        }
        Ok(())
    }
}

/// A container engine's command-line client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// `docker`.
    #[default]
    Docker,
    /// `podman`.
    Podman,
}

impl Engine {
    /// The name of its program.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Docker => "docker",
            Engine::Podman => "podman",
        }
    }
}

/// A running container, entered by the engine's `exec`. It needs `sh` and `env` inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Container {
    #[serde(default)]
    pub(crate) engine: Engine,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) program: Option<PathBuf>,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(crate) on: Box<Place>,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "container {}", printable(&self.name))?;
        match &*self.on {
            Place::Here => Ok(()),
            on => write!(f, " on {on}"),
        }
    }
}

impl Container {
    /// A container of this machine by its name or id.
    pub fn new(engine: Engine, name: impl Into<String>) -> Container {
        Container {
            engine,
            program: None,
            name: name.into(),
            user: None,
            on: Box::new(Place::Here),
        }
    }

    /// Sets the user inside, by name or number, with `:group` where wanted. The image's unless set.
    #[must_use]
    pub fn user(mut self, user: impl Into<String>) -> Container {
        self.user = Some(user.into());
        self
    }

    /// Sets where the engine is.
    #[must_use]
    pub fn on(mut self, place: impl Into<Place>) -> Container {
        self.on = Box::new(place.into());
        self
    }

    /// Sets the absolute path of the engine's program, where it is not on the search path.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Container {
        self.program = Some(program.into());
        self
    }

    fn check(&self) -> Result<()> {
        let name_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if !is_name(&self.name, name_char) {
            return Err(wrong("container", &self.name, "cannot be a container")
                .hint("write its name or id: letters, digits, `_`, `.` and `-`, not first a `-`"));
        }
        let user_char = |c: char| name_char(c) || c == ':';
        if let Some(user) = self.user.as_ref().filter(|user| !is_name(user, user_char)) {
            return Err(wrong("user", user, "cannot be a user of a container"));
        }
        if let Some(program) = self
            .program
            .as_ref()
            .filter(|program| !is_plain_path(program))
        {
            return Err(wrong(
                "program",
                &program.to_string_lossy(),
                "cannot be the engine's program",
            )
            .hint("use an absolute path"));
        }
        self.on.check()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_name(text: &str, allowed: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.len() <= 255 && !text.starts_with('-') && text.chars().all(allowed)
}

/// Whether `ssh` and its settings take it as it stands.
fn is_plain_path(path: &Path) -> bool {
    path.is_absolute()
        && path.to_str().is_some_and(|text| {
            !text.contains(|c: char| c.is_control() || matches!(c, '"' | '\'' | '\\' | '$' | '='))
        })
}

fn wrong(field: &str, text: &str, problem: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        format!("`{}` {problem}", printable(text)),
    )
    .field(value::Path::key(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_an_option_is_refused_with_its_field() {
        let docker = |name: &str| Container::new(Engine::Docker, name);
        for (place, field) in [
            (Place::from(SshTarget::new("-oProxyCommand=id")), "host"),
            (SshTarget::new("").into(), "host"),
            (SshTarget::new("me@host").into(), "host"),
            (SshTarget::new("ssh://host").into(), "host"),
            (SshTarget::new("host;id").into(), "host"),
            (SshTarget::new("a b").into(), "host"),
            (SshTarget::new("h").user("-l").into(), "user"),
            (SshTarget::new("h").user("$(id)").into(), "user"),
            (SshTarget::new("h").port(0).into(), "port"),
            (SshTarget::new("h").identity("key").into(), "identity"),
            (
                SshTarget::new("h").identity("/nowhere/key").into(),
                "identity",
            ),
            (
                SshTarget::new("h").known_hosts("/a\"b").into(),
                "known_hosts",
            ),
            (
                SshTarget::new("h")
                    .config(SshConfig::File("-F".into()))
                    .into(),
                "config",
            ),
            (docker("--privileged").into(), "container"),
            (docker("a/b").into(), "container"),
            (docker("web").user("-u").into(), "user"),
            (docker("web").program("docker").into(), "program"),
            (docker("web").on(SshTarget::new("-x")).into(), "host"),
        ] {
            let error = place.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert_eq!(
                error.field_path(),
                Some(&value::Path::key(field)),
                "{error:?}"
            );
        }
    }

    #[test]
    fn places_have_names_for_messages() {
        let target = SshTarget::new("2001:db8::1").user("deploy").port(2222);
        assert_eq!(
            Place::from(target.clone()).to_string(),
            "deploy@2001:db8::1 port 2222"
        );
        assert!(target.check().is_ok());
        let container = Container::new(Engine::Podman, "web_1")
            .user("33:33")
            .on(SshTarget::new("shop"));
        assert!(container.check().is_ok());
        assert_eq!(
            Place::from(container).to_string(),
            "container web_1 on shop"
        );
        assert_eq!(Place::default().to_string(), "this machine");
    }

    #[test]
    fn places_are_stored_and_taken_up_again() {
        let target = SshTarget::new("h")
            .user("me")
            .port(7)
            .identity("/k")
            .known_hosts("/n");
        let text =
            r#"{"ssh":{"host":"h","user":"me","port":7,"identity":"/k","known_hosts":"/n"}}"#;
        assert_eq!(
            serde_json::to_string(&Place::from(target.clone())).unwrap(),
            text
        );
        let target = target.config(SshConfig::File("/c".into()));
        let container = Container::new(Engine::Podman, "web").user("33").on(target);
        for place in [
            Place::Here,
            SshTarget::new("h").config(SshConfig::None).into(),
            container.into(),
        ] {
            let text = serde_json::to_string(&place).unwrap();
            assert_eq!(
                serde_json::from_str::<Place>(&text).unwrap(),
                place,
                "{text}"
            );
        }
        assert_eq!(serde_json::to_string(&Place::Here).unwrap(), r#""here""#);
        // What is taken up is not trusted: it is checked like any other.
        let place: Place =
            serde_json::from_str(r#"{"container":{"name":"--privileged"}}"#).unwrap();
        assert!(place.check().is_err());
        assert!(serde_json::from_str::<Place>(r#"{"ssh":{"host":"h","prot":1}}"#).is_err());
    }
}
