//! What programs on this machine find in their environment.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What programs on this machine find in their environment, and nothing else: this crate does not
/// read its own. Programs on other machines and in containers have the environment of that place.
#[derive(Clone, Default)]
pub struct BaseEnv {
    path: OsString,
    home: Option<PathBuf>,
    ssh_auth_sock: Option<PathBuf>,
    variables: BTreeMap<OsString, OsString>,
}

impl std::fmt::Debug for BaseEnv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BaseEnv")
            .field("path", &self.path)
            .field("home", &self.home)
            .field("variables", &self.variables.keys())
            .finish_non_exhaustive()
    }
}

impl BaseEnv {
    /// With `PATH`, the folders in which programs are looked for, separated by colons.
    pub fn new(path: impl Into<OsString>) -> BaseEnv {
        BaseEnv {
            path: path.into(),
            ..BaseEnv::default()
        }
    }

    /// Sets `HOME`.
    #[must_use]
    pub fn home(mut self, home: impl Into<PathBuf>) -> BaseEnv {
        self.home = Some(home.into());
        self
    }

    /// Sets `SSH_AUTH_SOCK`, the socket of the user's SSH agent. Only `ssh` gets it.
    #[must_use]
    pub fn ssh_auth_sock(mut self, socket: impl Into<PathBuf>) -> BaseEnv {
        self.ssh_auth_sock = Some(socket.into());
        self
    }

    /// Sets a further variable, such as `DOCKER_HOST` or `LANG`. Not for secrets: every program gets
    /// it.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> BaseEnv {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The variables of a program.
    pub(crate) fn variables(&self, is_ssh: bool) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        let home = self.home.as_ref().map(|home| ("HOME", home.as_os_str()));
        let agent = self
            .ssh_auth_sock
            .as_ref()
            .filter(|_| is_ssh)
            .map(|socket| ("SSH_AUTH_SOCK", socket.as_os_str()));
        [Some(("PATH", self.path.as_os_str())), home, agent]
            .into_iter()
            .flatten()
            .map(|(name, value)| (OsStr::new(name), value))
            .chain(
                self.variables
                    .iter()
                    .map(|(name, value)| (name.as_os_str(), value.as_os_str())),
            )
    }

    /// Where a program lies. One with a slash in its name is taken as it is.
    pub(crate) fn find(&self, program: &OsStr) -> Found {
        let mut refused = None;
        let by_path = program.as_encoded_bytes().contains(&b'/');
        let candidates: Vec<PathBuf> = if by_path {
            vec![PathBuf::from(program)]
        } else {
            // An empty part would be the current folder, which nobody passed in.
            std::env::split_paths(&self.path)
                .filter(|folder| folder.is_absolute())
                .map(|folder| folder.join(program))
                .collect()
        };
        for file in candidates {
            match look(&file) {
                Look::Program => return Found::At(file),
                Look::Other => refused = refused.or(Some(file)),
                Look::Nothing => {}
            }
        }
        refused.map_or(Found::Nowhere, Found::NotExecutable)
    }
}

/// Where a program was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    At(PathBuf),
    NotExecutable(PathBuf),
    Nowhere,
}

enum Look {
    Program,
    Other,
    Nothing,
}

fn look(file: &Path) -> Look {
    match file.metadata() {
        Ok(meta) if meta.is_file() && meta.permissions().mode() & 0o111 != 0 => Look::Program,
        Ok(_) => Look::Other,
        Err(_) => Look::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown_and_the_agent_is_for_ssh_alone() {
        let env = BaseEnv::new("/bin")
            .home("/home/me")
            .ssh_auth_sock("/run/agent")
            .variable("DOCKER_HOST", "unix:///canary");
        assert!(!format!("{env:?}").contains("canary"));
        let names = |is_ssh| {
            env.variables(is_ssh)
                .map(|(name, _)| name.to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["PATH", "HOME", "DOCKER_HOST"]);
        assert_eq!(
            names(true),
            ["PATH", "HOME", "SSH_AUTH_SOCK", "DOCKER_HOST"]
        );
    }

    #[test]
    fn programs_are_found_on_the_path_that_was_given() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes"), "").unwrap();
        let env = BaseEnv::new(format!(":{}:/bin", folder.path().display()));
        assert!(matches!(env.find(OsStr::new("sh")), Found::At(file) if file.ends_with("sh")));
        assert!(matches!(
            env.find(OsStr::new("notes")),
            Found::NotExecutable(_)
        ));
        assert_eq!(env.find(OsStr::new("no-such-program")), Found::Nowhere);
        assert_eq!(BaseEnv::new("").find(OsStr::new("sh")), Found::Nowhere);
    }
}
