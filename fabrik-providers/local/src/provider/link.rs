//! The provider's client: reads without launching anything, writes through the agent.

use std::path::{Component, Path, PathBuf};

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use tokio::sync::OnceCell;

use super::LocalConfig;
use super::problem::problem;
use super::settings::LocalSettings;
use crate::client::Client;
use crate::error::Error as AgentError;
use crate::launch::{AgentLaunch, ensure_agent};
use crate::model::AgentStatus;
use crate::offline::stored_status;
use crate::protocol::Kind;

/// One agent, running or not, and the folder that paths start from.
#[derive(Debug)]
pub struct Local {
    launch: AgentLaunch,
    base_dir: PathBuf,
    agent: OnceCell<Client>,
}

/// What is there.
pub(super) struct Picture {
    pub(super) status: AgentStatus,
    /// Whether an agent answers, so that what is there is also running and served.
    pub(super) running: bool,
}

impl Local {
    pub(super) fn new(settings: &LocalSettings, config: &LocalConfig) -> Self {
        let base_dir = clean(&settings.base_dir);
        let state_dir = match &config.state_dir {
            Some(dir) => clean(&base_dir.join(dir)),
            None => settings.state_dir.clone(),
        };
        let mut launch = (settings.launch)(&state_dir, config.port);
        launch.state_dir = state_dir;
        Self {
            launch,
            base_dir,
            agent: OnceCell::new(),
        }
    }

    /// The agent's state directory.
    pub fn state_dir(&self) -> &Path {
        &self.launch.state_dir
    }

    /// The folder that relative paths start from.
    pub fn base_dir(&self) -> &Path {
        &self.base_dir
    }

    /// The agent, launched if none runs. Only for calls that change something.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`] when it cannot be started.
    pub async fn agent(&self) -> Result<&Client> {
        self.agent
            .get_or_try_init(|| async {
                match ensure_agent(self.launch.clone()).await {
                    // One of another version: its processes go on while ours takes over.
                    Err(AgentError::VersionMismatch { .. }) => {
                        Client::new(self.state_dir()).shutdown(false).await?;
                        ensure_agent(self.launch.clone()).await
                    }
                    other => other,
                }
            })
            .await
            .map_err(problem)
    }

    /// The agent, once it has noted that this operation is about to make something of this name.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when somebody else made one: a create overwrites nothing.
    pub(super) async fn claimed(&self, cx: &Cx, kind: Kind, name: &str) -> Result<&Client> {
        let agent = self.agent().await?;
        let op = cx.op()?.to_string();
        agent.claim(kind, name, &op).await.map_err(problem)?;
        Ok(agent)
    }

    /// What is there, from the agent if one runs, else from what it stored.
    pub(super) async fn picture(&self) -> Result<Picture> {
        match Client::new(self.state_dir()).status().await {
            Ok(status) => {
                return Ok(Picture {
                    status,
                    running: true,
                });
            }
            Err(
                AgentError::Unreachable { .. }
                | AgentError::Lost { .. }
                | AgentError::VersionMismatch { .. },
            ) => {}
            Err(error) => return Err(problem(error)),
        }
        let dir = self.state_dir().to_owned();
        let status = blocking(move || stored_status(&dir).map_err(problem)).await?;
        Ok(Picture {
            status,
            running: false,
        })
    }

    /// The absolute form of a path of the spec.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        clean(&self.base_dir.join(path))
    }
}

/// A path without `.` and inner `..`, found out by its text alone.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Runs something that blocks on files where it may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, error.to_string())))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::clean;

    #[test]
    fn paths_are_cleaned_by_their_text() {
        for (path, expected) in [
            ("/a/./b", "/a/b"),
            ("/a/b/../c", "/a/c"),
            ("../x", "../x"),
            ("/a/", "/a"),
        ] {
            assert_eq!(clean(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
