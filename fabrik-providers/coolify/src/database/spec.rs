//! What a user says of a database.

use fabrik_core::secrets::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::{Limits, production};

/// A database of one of eight engines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// Which one.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub engine: Engine,
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
    /// The image to run; what Coolify has for the engine unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"sticky": true}))]
    pub image: Option<String>,
    /// The user that is made with it. Not for Redis, KeyDB and Dragonfly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$"), extend("x-fabrik" = {"replace": true, "sticky": true}))]
    pub user: Option<String>,
    /// The password; Coolify makes one up unless set. A change is kept by Coolify, but a database that
    /// has data keeps its old one until it is changed inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "sticky": true}))]
    pub password: Option<Secret>,
    /// The password of root, for MySQL and MariaDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sensitive": true, "sticky": true}))]
    pub root_password: Option<Secret>,
    /// The database that is made with it. Not for Redis, KeyDB, Dragonfly and ClickHouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$"), extend("x-fabrik" = {"replace": true, "sticky": true}))]
    pub database: Option<String>,
    /// The text of its configuration file. Not for Dragonfly and ClickHouse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub conf: Option<String>,
    /// Arguments of PostgreSQL's `initdb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub initdb_args: Option<String>,
    /// PostgreSQL's method of authentication by host, such as `scram-sha-256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub host_auth_method: Option<String>,
    /// A port of the server at which everybody can reach it; nobody outside can unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1024, max = 65535))]
    pub public_port: Option<u16>,
    /// The most it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// How Coolify checks whether it works. Needs Coolify 4.1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"sticky": true}))]
    pub health: Option<DatabaseHealth>,
    /// Whether it is started when it is made, and again when it is changed.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub start: bool,
    /// Whether deleting the database destroys its data; Coolify's own default is to do so, Fabrik's
    /// is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("x-fabrik" = {"write_only": true}))]
    pub delete_volumes: bool,
}

fn yes() -> bool {
    true
}

/// An engine of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgresql,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// MongoDB.
    Mongodb,
    /// Redis.
    Redis,
    /// KeyDB.
    Keydb,
    /// Dragonfly.
    Dragonfly,
    /// ClickHouse.
    Clickhouse,
}

/// How Coolify checks a database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseHealth {
    /// Whether it is checked.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Seconds between two tries.
    #[serde(default = "fifteen")]
    #[schemars(range(min = 1))]
    pub interval: u32,
    /// Seconds one try may take.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub timeout: u32,
    /// How many failed tries make it unhealthy.
    #[serde(default = "five")]
    #[schemars(range(min = 1))]
    pub retries: u32,
    /// Seconds it may take to start.
    #[serde(default = "five")]
    pub start_period: u32,
}

fn fifteen() -> u32 {
    15
}
fn five() -> u32 {
    5
}

/// What is known of a database.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseOutputs {
    /// Its id, as other resources want it.
    pub uuid: String,
    /// The host name that other containers of the network reach it by.
    pub host: String,
    /// The port it listens on there.
    pub port: u16,
    /// How containers connect, with credentials. Needs a token with `read:sensitive`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Secret>,
    /// The user in `url`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password in `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// How everybody connects, with credentials, where it has a public port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Secret>,
}
