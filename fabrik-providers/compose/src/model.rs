//! What a Compose file says, in long form.
//!
//! Field names, types and meanings are those of the Compose specification. What a file says in a
//! short form (`ports: ["80:80"]`) is in the long form here; [`write()`](crate::write) uses the
//! short form again where it says the same.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// Keys that the model has no field for, as they stand in the file: `x-*`, and rare ones.
pub type Other = BTreeMap<String, Json>;

/// A number or truth value, or a text with variables that will become one: `${REPLICAS:-2}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Given<T> {
    /// Known.
    Is(T),
    /// A text that Compose fills in.
    Text(String),
}

impl<T> Given<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Given::Is(value) => Some(value),
            Given::Text(_) => None,
        }
    }
}

impl<T> From<T> for Given<T> {
    fn from(value: T) -> Given<T> {
        Given::Is(value)
    }
}

impl<T: Serialize> Serialize for Given<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Given::Is(value) => value.serialize(serializer),
            Given::Text(text) => text.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(text) => Ok(Given::Text(text)),
            other => serde_json::from_value(other)
                .map(Given::Is)
                .map_err(serde::de::Error::custom),
        }
    }
}

/// A whole Compose file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct File {
    /// The project's name.
    pub name: Option<String>,
    /// What runs.
    pub services: BTreeMap<String, Service>,
    /// Networks that services join.
    pub networks: BTreeMap<String, Network>,
    /// Volumes that services mount.
    pub volumes: BTreeMap<String, Volume>,
    /// Secrets that services read from files.
    pub secrets: BTreeMap<String, Source>,
    /// Files that services read.
    pub configs: BTreeMap<String, Source>,
    /// Everything else: `x-*`, `include`, `models`, the obsolete `version`.
    pub other: Other,
}

/// One service: containers of one image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Service {
    /// The image, with its tag.
    pub image: Option<String>,
    /// How the image is built.
    pub build: Option<Build>,
    /// What to start, instead of the image's own command.
    pub command: Option<Command>,
    /// What to start before the command.
    pub entrypoint: Option<Command>,
    /// Environment variables; `None` takes the value from where Compose runs.
    pub environment: BTreeMap<String, Option<String>>,
    /// Files of environment variables.
    pub env_file: Vec<EnvFile>,
    /// Ports of the host that lead inside.
    pub ports: Vec<Port>,
    /// Ports that other services use.
    pub expose: Vec<String>,
    /// What is mounted.
    pub volumes: Vec<Mount>,
    /// Networks it joins; none means the default one.
    pub networks: BTreeMap<String, Attachment>,
    /// What must be there first.
    pub depends_on: BTreeMap<String, Dependency>,
    /// When it counts as working.
    pub healthcheck: Option<Healthcheck>,
    /// When it is started again: `no`, `always`, `on-failure[:N]`, `unless-stopped`.
    pub restart: Option<String>,
    /// Replicas and limits.
    pub deploy: Option<Deploy>,
    /// Labels of the containers.
    pub labels: BTreeMap<String, Option<String>>,
    /// Secrets it reads.
    pub secrets: Vec<Use>,
    /// Files it reads.
    pub configs: Vec<Use>,
    /// Where its log goes.
    pub logging: Option<Logging>,
    /// The user it runs as.
    pub user: Option<String>,
    /// The folder it starts in.
    pub working_dir: Option<String>,
    /// How long it has to stop.
    pub stop_grace_period: Option<String>,
    /// The signal that stops it.
    pub stop_signal: Option<String>,
    /// Whether a small init process runs first.
    pub init: Option<Given<bool>>,
    /// Folders in memory.
    pub tmpfs: Vec<String>,
    /// Limits of the kernel, by name.
    pub ulimits: BTreeMap<String, Ulimit>,
    /// Rights beyond the usual ones.
    pub cap_add: Vec<String>,
    /// Rights it does not get.
    pub cap_drop: Vec<String>,
    /// Whether its own files are read only.
    pub read_only: Option<Given<bool>>,
    /// Host names with addresses: `name=address`.
    pub extra_hosts: Vec<String>,
    /// Profiles it belongs to; with any, it starts only when one is asked for.
    pub profiles: Vec<String>,
    /// Everything else, such as `hostname`, `privileged` or `x-*`.
    pub other: Other,
}

/// How an image is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Build {
    /// The folder or repository.
    pub context: Option<String>,
    /// The Dockerfile in it.
    pub dockerfile: Option<String>,
    /// The text of the Dockerfile, instead of a file.
    pub dockerfile_inline: Option<String>,
    /// The stage to build.
    pub target: Option<String>,
    /// Build arguments.
    pub args: BTreeMap<String, Option<String>>,
    /// Secrets the build reads.
    pub secrets: Vec<Use>,
    /// Labels of the image.
    pub labels: BTreeMap<String, Option<String>>,
    /// Everything else.
    pub other: Other,
}

/// A command: a line, or a program with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// One line. Compose splits it into words; no shell is involved.
    Line(String),
    /// A program and its arguments.
    List(Vec<String>),
}

impl Command {
    /// A program and its arguments.
    pub fn list<T: Into<String>>(words: impl IntoIterator<Item = T>) -> Command {
        Command::List(words.into_iter().map(Into::into).collect())
    }

    /// All of it, for looking at.
    pub fn text(&self) -> String {
        match self {
            Command::Line(line) => line.clone(),
            Command::List(words) => words.join(" "),
        }
    }
}

/// A file of environment variables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvFile {
    /// Its path.
    pub path: String,
    /// Whether it must be there; it must unless set.
    pub required: Option<Given<bool>>,
    /// How it is read.
    pub format: Option<String>,
}

/// A port of the host that leads inside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Port {
    /// The port or range inside.
    pub target: String,
    /// The port or range of the host; any free one unless set.
    pub published: Option<String>,
    /// The host's address that it is bound to; every address unless set.
    pub host_ip: Option<String>,
    /// `tcp` (unless set) or `udp`.
    pub protocol: Option<String>,
    /// `host` or `ingress`.
    pub mode: Option<String>,
    /// Its name, for people.
    pub name: Option<String>,
    /// The protocol of the program, such as `http`.
    pub app_protocol: Option<String>,
}

/// Something that is mounted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mount {
    /// `volume`, `bind`, `tmpfs`, `npipe`, `cluster` or `image`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The volume's name, or the host's path; an unnamed volume has none.
    pub source: Option<String>,
    /// The path inside.
    pub target: String,
    /// Whether it is read only.
    pub read_only: Option<Given<bool>>,
    /// Options of the short form besides `ro` and `rw`: `z`, `cached`, …
    pub flags: Vec<String>,
    /// Options of the long form: `bind`, `volume`, `tmpfs`, `consistency`, …
    pub other: Other,
}

/// How a service is in a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// Further names of it there.
    pub aliases: Vec<String>,
    /// Its address there.
    pub ipv4_address: Option<String>,
    /// Its address there.
    pub ipv6_address: Option<String>,
    /// Everything else.
    pub other: Other,
}

/// What must have happened to another service first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependency {
    /// `service_started` (unless set), `service_healthy` or `service_completed_successfully`.
    pub condition: Option<String>,
    /// Whether this one starts anew with the other.
    pub restart: Option<Given<bool>>,
    /// Whether the other must be there; it must unless set.
    pub required: Option<Given<bool>>,
}

/// When a container counts as working.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Healthcheck {
    /// The command; a list begins with `CMD`, `CMD-SHELL` or `NONE`.
    pub test: Option<Command>,
    /// Time between two tries.
    pub interval: Option<String>,
    /// How long one may take.
    pub timeout: Option<String>,
    /// How many failed ones make it unhealthy.
    pub retries: Option<Given<u64>>,
    /// How long it may take to start.
    pub start_period: Option<String>,
    /// Time between two tries while it starts.
    pub start_interval: Option<String>,
    /// Turns off the check of the image.
    pub disable: Option<Given<bool>>,
}

/// Replicas, limits, and how versions change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Deploy {
    /// How many containers.
    pub replicas: Option<Given<u64>>,
    /// Limits and reservations.
    pub resources: Option<Resources>,
    /// Labels of the service.
    pub labels: BTreeMap<String, Option<String>>,
    /// Everything else: `mode`, `placement`, `restart_policy`, `update_config`, …
    pub other: Other,
}

/// Limits and reservations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// The most it may use.
    pub limits: Option<Amounts>,
    /// What is set aside for it.
    pub reservations: Option<Amounts>,
}

/// Amounts of what a host has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Amounts {
    /// Processor cores: `0.5`.
    pub cpus: Option<String>,
    /// Memory: `512m`.
    pub memory: Option<String>,
    /// Processes.
    pub pids: Option<Given<u64>>,
    /// Everything else, such as `devices`.
    pub other: Other,
}

/// The use of a secret or config.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Use {
    /// Its name in the file.
    pub source: String,
    /// Where it is found inside.
    pub target: Option<String>,
    /// The owner.
    pub uid: Option<String>,
    /// The owner's group.
    pub gid: Option<String>,
    /// Its permissions: `"0440"`.
    pub mode: Option<String>,
}

/// Where a log goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// The driver.
    pub driver: Option<String>,
    /// Its options.
    pub options: BTreeMap<String, Option<String>>,
}

/// A limit of the kernel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ulimit {
    /// The limit that the program may raise.
    pub soft: Option<Given<i64>>,
    /// The limit of that.
    pub hard: Option<Given<i64>>,
}

/// A network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Its name outside the project.
    pub name: Option<String>,
    /// The driver.
    pub driver: Option<String>,
    /// Whether it was made outside.
    pub external: Option<Given<bool>>,
    /// Whether it has no way out.
    pub internal: Option<Given<bool>>,
    /// Labels.
    pub labels: BTreeMap<String, Option<String>>,
    /// Everything else: `driver_opts`, `ipam`, …
    pub other: Other,
}

/// A volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its name outside the project.
    pub name: Option<String>,
    /// The driver.
    pub driver: Option<String>,
    /// Options of the driver.
    pub driver_opts: BTreeMap<String, Option<String>>,
    /// Whether it was made outside.
    pub external: Option<Given<bool>>,
    /// Labels.
    pub labels: BTreeMap<String, Option<String>>,
    /// Everything else.
    pub other: Other,
}

/// A secret or config: where its content comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Source {
    /// Its name outside the project.
    pub name: Option<String>,
    /// A file.
    pub file: Option<String>,
    /// A variable of where Compose runs.
    pub environment: Option<String>,
    /// The content itself; configs only.
    pub content: Option<String>,
    /// Whether it was made outside.
    pub external: Option<Given<bool>>,
    /// Labels.
    pub labels: BTreeMap<String, Option<String>>,
    /// Everything else.
    pub other: Other,
}

impl Service {
    /// A service of an image.
    pub fn of_image(image: impl Into<String>) -> Service {
        Service {
            image: Some(image.into()),
            ..Service::default()
        }
    }

    /// The most it may use, in `deploy` or by the older keys.
    pub fn limits(&self) -> Option<&Amounts> {
        self.deploy.as_ref()?.resources.as_ref()?.limits.as_ref()
    }
}
