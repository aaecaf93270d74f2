//! What a user says of an application.

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An application that Coolify builds and runs: an image, a git repository or a Dockerfile.
///
/// Making or changing one deploys nothing by itself: `coolify.deployment` does, once its variables
/// and storages are there too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApplicationSpec {
    /// The id of its project.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub project: String,
    /// The name of its environment; `production` unless set.
    #[serde(default = "production")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub environment: String,
    /// The id of its server.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub server: String,
    /// The id of the server's destination (network), where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub destination: Option<String>,
    /// Its name. Not unique in Coolify.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// What it is for. Fabrik keeps a mark at the end of it in Coolify.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub description: Option<String>,
    /// The image to run: `ghcr.io/acme/api:1.5`, or with a digest. One of `image`, `git` and
    /// `dockerfile` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub image: Option<String>,
    /// The repository to build from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
    /// The text of a Dockerfile that needs no files besides. Coolify cannot change it in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub dockerfile: Option<String>,
    /// How it is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The ports it listens on inside, the one that is asked first. Required before Coolify 4.1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"sticky": true}))]
    pub ports: Option<Vec<u16>>,
    /// Ports of the server that lead to ports inside: `8080:80`. With any, a new version cannot run
    /// beside the old one, so each deployment has a gap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = r"^\d+:\d+$")), extend("x-fabrik" = {"list": "set"}))]
    pub publish: Vec<String>,
    /// Where it answers: URLs such as `https://api.example.com`; a port in one is the port inside.
    /// Coolify makes up an address when this is not set; with an empty list there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(inner(regex(pattern = r"^https?://[^\s,]+$")), extend("x-fabrik" = {"list": "set", "sticky": true}))]
    pub domains: Option<Vec<String>>,
    /// Whether to take domains that something else in this Coolify has already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub force_domains: bool,
    /// Whether one of `www.` and the bare name leads to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub redirect: Option<Redirect>,
    /// When it counts as working. Checked inside the container, which needs `curl` or `wget` unless
    /// a command is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The most it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Switches of Coolify. Before Coolify 4.2.0 the service does not show them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub settings: Option<Settings>,
    /// Labels of the container instead of those that Coolify makes for its proxy: `name=value`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"list": "set", "sticky": true}))]
    pub labels: Option<Vec<String>>,
    /// Further options for `docker run`, such as `--cap-add=NET_ADMIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub docker_options: Option<String>,
    /// Further names of the container in its network.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub network_aliases: Vec<String>,
    /// A command run in the old container before a new version takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_deploy: Option<Hook>,
    /// A command run in the new container once it has taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_deploy: Option<Hook>,
    /// Asks for a user and password before anything is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// How often a container that ends is started again before Coolify gives up. Needs Coolify 4.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0), extend("x-fabrik" = {"sticky": true}))]
    pub max_restart_count: Option<u32>,
    /// Whether deleting the application destroys its volumes; Coolify's own default is to do so,
    /// Fabrik's is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub delete_volumes: bool,
}

pub(crate) fn production() -> String {
    "production".to_owned()
}

/// A git repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Git {
    /// Its URL: `https://github.com/acme/api`, or `git@…` with a key.
    #[schemars(length(min = 1), extend("x-fabrik" = {"same": "url"}))]
    pub repository: String,
    /// The branch.
    #[schemars(length(min = 1))]
    pub branch: String,
    /// The commit; the tip of the branch unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 7, max = 64))]
    pub commit: Option<String>,
    /// The id of the deploy key that opens a private repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub deploy_key: Option<String>,
    /// The id of the GitHub app that opens a private repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub github_app: Option<String>,
}

/// Who builds a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pack {
    /// Nixpacks finds out what the source is.
    Nixpacks,
    /// Railpack finds out what the source is. Needs Coolify 4.1.0.
    Railpack,
    /// Files are served as they are.
    Static,
    /// A Dockerfile in the repository.
    Dockerfile,
}

/// How an application is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Who builds it; nixpacks unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub pack: Option<Pack>,
    /// The folder in the repository to build in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"))]
    pub base_directory: Option<String>,
    /// The folder that the build leaves its result in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"))]
    pub publish_directory: Option<String>,
    /// The Dockerfile in the repository; `/Dockerfile` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^/"))]
    pub dockerfile: Option<String>,
    /// The stage of the Dockerfile to build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub target: Option<String>,
    /// Installs what the build needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub install: Option<String>,
    /// Builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub command: Option<String>,
    /// Starts what was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub start: Option<String>,
    /// Paths whose changes deploy by themselves, one pattern a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub watch: Option<String>,
}

/// Which name leads to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Redirect {
    /// The bare name leads to `www.`.
    Www,
    /// `www.` leads to the bare name.
    NonWww,
    /// Both answer.
    Both,
}

/// The method of a health check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
    /// OPTIONS.
    Options,
}

/// When an application counts as working.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// A command that must succeed inside, instead of a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1000))]
    pub command: Option<String>,
    /// The path to ask for, without a query.
    #[serde(default = "root")]
    #[schemars(regex(pattern = r"^/[A-Za-z0-9/\-_.~%,;]*$"))]
    pub path: String,
    /// The port to ask at; the first exposed one unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The host to ask.
    #[serde(default = "localhost")]
    #[schemars(length(min = 1))]
    pub host: String,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The expected status.
    #[serde(default = "ok")]
    #[schemars(range(min = 100, max = 599))]
    pub status: u16,
    /// A text the answer must contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub body: Option<String>,
    /// Seconds between two tries.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub interval: u32,
    /// Seconds one try may take.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub timeout: u32,
    /// How many failed tries make it unhealthy.
    #[serde(default = "ten")]
    #[schemars(range(min = 1))]
    pub retries: u32,
    /// Seconds it may take to start.
    #[serde(default = "five")]
    pub start_period: u32,
}

fn root() -> String {
    "/".to_owned()
}
fn localhost() -> String {
    "localhost".to_owned()
}
fn ok() -> u16 {
    200
}
fn five() -> u32 {
    5
}
fn ten() -> u32 {
    10
}

/// The most a container may use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory, as Docker writes it: `512m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub memory: Option<String>,
    /// Memory and swap together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub memory_swap: Option<String>,
    /// Memory that is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub memory_reservation: Option<String>,
    /// Processor cores: `0.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub cpus: Option<String>,
    /// Which processor cores: `0-2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub cpuset: Option<String>,
    /// Weight against other containers; 1024 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2))]
    pub cpu_shares: Option<u32>,
}

/// A command at a moment of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// The command.
    #[schemars(length(min = 1))]
    pub command: String,
    /// The container to run it in, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
}

/// A user and password that are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// The user.
    #[schemars(length(min = 1))]
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// Switches of Coolify. What is not set is left as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether a push deploys by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub auto_deploy: Option<bool>,
    /// Whether plain HTTP is redirected to HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub force_https: Option<bool>,
    /// Whether the build serves files only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub static_site: Option<bool>,
    /// Whether unknown paths of a static site give its first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub spa: Option<bool>,
    /// Whether another server builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub build_server: Option<bool>,
    /// Whether the container joins the predefined network of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub predefined_network: Option<bool>,
    /// Whether special characters in labels are escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub escape_labels: Option<bool>,
    /// Whether layers of earlier builds are used again. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub build_cache: Option<bool>,
    /// Whether variables reach the build as Docker secrets. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub build_secrets: Option<bool>,
    /// Whether pull requests get a deployment of their own. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub preview_deployments: Option<bool>,
    /// Whether submodules are fetched. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub git_submodules: Option<bool>,
    /// Whether large files are fetched. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub git_lfs: Option<bool>,
    /// Whether only the last commit is fetched. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub git_shallow: Option<bool>,
    /// Whether the proxy compresses. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub gzip: Option<bool>,
    /// Whether the path of a domain is taken off before the request is passed on. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub strip_prefix: Option<bool>,
    /// How many earlier images are kept to go back to. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub images_to_keep: Option<u32>,
    /// Seconds a container may take to end. Needs Coolify 4.2.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub stop_grace_period: Option<u32>,
    /// Whether the container always has the same name, so that a new version cannot run beside the
    /// old one. Needs Coolify 4.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub consistent_container_name: Option<bool>,
}

/// What is known of an application.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ApplicationOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
    /// Where it answers: the first domain, without a `/` at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Every URL it answers at.
    pub addresses: Vec<String>,
}
