//! A route: which requests go where.

use serde::{Deserialize, Serialize};

/// Sends the requests for some hosts, below a path, to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// Host names without a port, compared without case. `*.example.localhost` stands for every
    /// name below `example.localhost`; an exact name wins over it.
    pub hosts: Vec<String>,
    /// Only paths equal to or below this one, such as `/api`. The longest prefix wins.
    #[serde(default)]
    pub path_prefix: Option<String>,
    /// Whether the prefix is taken off before the request is passed on.
    #[serde(default)]
    pub strip_prefix: bool,
    /// Who answers.
    pub target: Target,
}

impl RouteSpec {
    /// A route of all paths of one host.
    pub fn host(host: impl Into<String>, target: Target) -> Self {
        Self {
            hosts: vec![host.into()],
            path_prefix: None,
            strip_prefix: false,
            target,
        }
    }

    /// The same route limited to a path prefix.
    #[must_use]
    pub fn below(mut self, prefix: impl Into<String>, strip: bool) -> Self {
        self.path_prefix = Some(prefix.into());
        self.strip_prefix = strip;
        self
    }
}

impl RouteSpec {
    /// Addresses to open when the agent serves on this port, one for each host without `*`.
    pub(crate) fn urls(&self, port: u16) -> Vec<String> {
        let path = self.path_prefix.as_deref().unwrap_or_default();
        let url = |host: &String| match port {
            80 => format!("http://{host}{path}"),
            _ => format!("http://{host}:{port}{path}"),
        };
        self.hosts
            .iter()
            .filter(|host| !host.starts_with('*'))
            .map(url)
            .collect()
    }
}

/// Who answers the requests of a route. It need not exist yet: requests get a 503 until it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The live generation of the service of this name.
    Service(String),
    /// The static site of this name.
    Site(String),
}

/// A route as the agent serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteInfo {
    /// The name it was put under.
    pub name: String,
    /// What was asked for.
    pub spec: RouteSpec,
    /// Addresses to open, one for each host; empty before an agent ever ran.
    pub urls: Vec<String>,
}
