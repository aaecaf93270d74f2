//! What the program passes in: the library finds out nothing by itself.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::launch::AgentLaunch;

/// How to start the agent of a state directory, with the HTTP port it is to prefer, if the user
/// names one.
pub type LaunchOf = Arc<dyn Fn(&Path, Option<u16>) -> AgentLaunch + Send + Sync>;

/// What the provider has to know of its surroundings.
///
/// ```
/// use fabrik_provider_local::{AgentLaunch, LocalSettings, provider};
///
/// let settings = LocalSettings::new("/home/me/shop/.fabrik/local", "/home/me/shop", |dir, port| {
///     let mut launch = AgentLaunch::new("/usr/bin/fabrik", dir);
///     launch.args = vec!["agent".into(), "local".into(), dir.into()];
///     launch.args.extend(port.map(|port| port.to_string().into()));
///     launch.env = vec![("PATH".into(), "/usr/bin:/bin".into())];
///     launch
/// });
/// let _provider = provider(settings);
/// ```
#[derive(Clone)]
pub struct LocalSettings {
    /// The agent's state directory, unless the configuration names another: an absolute path.
    pub state_dir: PathBuf,
    /// The folder that relative paths of a spec start from: an absolute path.
    pub base_dir: PathBuf,
    /// How to start the agent. Its environment becomes that of the services, beside their own
    /// variables: `PATH`, `HOME`, `LANG`, and no tokens.
    pub launch: LaunchOf,
}

impl LocalSettings {
    /// Settings from a state directory, a base directory and a way to start the agent.
    pub fn new(
        state_dir: impl Into<PathBuf>,
        base_dir: impl Into<PathBuf>,
        launch: impl Fn(&Path, Option<u16>) -> AgentLaunch + Send + Sync + 'static,
    ) -> Self {
        Self {
            state_dir: state_dir.into(),
            base_dir: base_dir.into(),
            launch: Arc::new(launch),
        }
    }
}

impl fmt::Debug for LocalSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSettings")
            .field("state_dir", &self.state_dir)
            .field("base_dir", &self.base_dir)
            .finish_non_exhaustive()
    }
}
