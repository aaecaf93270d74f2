//! `local.database`.

use std::time::Duration;

use fabrik_core::error::{ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Planned, Proposal, TypeInfo, Undo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, exists, kept_by_agent};
use super::written::Of;
use super::{kept, must_run, yes};
use crate::agent::database_service;
use crate::client::Client;
use crate::model::{DatabaseEngine, DatabaseInfo, DatabaseSpec};
use crate::protocol::Kind;

/// Budget of making a cluster and starting it.
const TIMEOUT: Duration = Duration::from_secs(240);

/// A database run by this machine's own programs (PostgreSQL, Redis or Valkey), reached over loopback
/// with a password that is made once. Port, user, password and data stay until it is deleted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// Which one.
    #[schemars(extend("x-fabrik" = {"replace": true}))]
    pub engine: Engine,
    /// Its main version, such as `15`; the newest on this machine unless set. The data stays with the
    /// version that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9]+(\\.[0-9]+)*$"), extend("x-fabrik" = {"replace": true}))]
    pub version: Option<String>,
    /// The name of the database inside, and of its user; `name` with `_` for `-` and `.` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(pattern = "^[A-Za-z_][A-Za-z0-9_]{0,62}$"),
        extend("x-fabrik" = {"replace": true})
    )]
    pub database: Option<String>,
    /// Whether it runs; always wanted, so that one that is down is started again.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub running: bool,
}

/// Databases that can be run here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// PostgreSQL: a cluster of its own.
    Postgres,
    /// Redis, or Valkey where that is what there is.
    Redis,
    /// Valkey.
    Valkey,
}

/// What is known of a database.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseOutputs {
    /// Its id, for backups.
    pub id: String,
    /// How to connect, with user and password.
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub url: String,
    /// Where it answers: this machine only.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user; Redis and Valkey have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The user's password.
    #[schemars(extend("x-fabrik" = {"sensitive": true}))]
    pub password: String,
    /// The main version that its data is of.
    pub data_version: String,
}

/// `local.database`: a database of this machine's own programs.
#[derive(Clone, Copy, Debug)]
pub struct Database;

impl DatabaseInputs {
    fn inner(&self) -> String {
        let name = || self.name.replace(['-', '.'], "_");
        self.database.clone().unwrap_or_else(name)
    }
}

impl Thing for Database {
    const KIND: Kind = Kind::Database;
    type Spec = DatabaseInputs;
    type Outputs = DatabaseOutputs;

    fn id(spec: &DatabaseInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.databases.iter();
        found.map(|database| database.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.databases.iter();
        let found = found.find(|database| database.name == id)?;
        Some(describe(found))
    }

    async fn put(
        cx: &Cx,
        _: &Local,
        agent: &Client,
        id: &str,
        spec: &DatabaseInputs,
    ) -> Result<DatabaseOutputs> {
        let op = cx.op()?.to_string();
        cx.note(format!("starting the database `{id}`"));
        let wanted = DatabaseSpec {
            engine: spec.engine.into(),
            version: spec.version.clone(),
            database: spec.inner(),
        };
        let made = agent.put_database(id, &op, &wanted).await;
        made.map(|made| outputs(&made)).map_err(|error| {
            let error = problem(error);
            match error.kind() {
                ErrorKind::Invalid if error.hint_text().is_none() => error.hint(
                    "leave `version` out for the newest on this machine, or install the one you want",
                ),
                _ => error,
            }
        })
    }

    fn log_of(id: &str) -> Option<Of> {
        Some(Of::Service(database_service(id)))
    }

    /// Removes the data too: the engine asks before it deletes what holds data.
    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_database(id).await.map_err(problem)
    }
}

kept_by_agent! { Database, "local.database", DatabaseInputs, DatabaseOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            holds_data: true,
            undo_delete: Undo::Partial,
            ..kept(info)
        }
    }

    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let (inputs, mut findings) = must_run(proposal.desired);
        if proposal.last_sent.is_none() {
            findings.extend(exists::<Self>(local, "database", proposal.desired).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }
}

fn describe(info: &DatabaseInfo) -> Observed<DatabaseInputs, DatabaseOutputs> {
    let mut spec = DatabaseInputs {
        name: info.name.clone(),
        engine: info.spec.engine.into(),
        version: info.spec.version.clone(),
        database: None,
        running: info.running == Some(true),
    };
    if spec.inner() != info.spec.database {
        spec.database = Some(info.spec.database.clone());
    }
    Observed::new(spec, outputs(info))
}

fn outputs(info: &DatabaseInfo) -> DatabaseOutputs {
    DatabaseOutputs {
        id: info.name.clone(),
        url: info.url().expose().to_owned(),
        host: "127.0.0.1".to_owned(),
        port: info.port,
        user: info.user().map(str::to_owned),
        password: info.password.expose().to_owned(),
        data_version: info.version.clone(),
    }
}

impl From<Engine> for DatabaseEngine {
    fn from(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::Postgres,
            Engine::Redis => Self::Redis,
            Engine::Valkey => Self::Valkey,
        }
    }
}

impl From<DatabaseEngine> for Engine {
    fn from(engine: DatabaseEngine) -> Self {
        match engine {
            DatabaseEngine::Postgres => Self::Postgres,
            DatabaseEngine::Redis => Self::Redis,
            DatabaseEngine::Valkey => Self::Valkey,
        }
    }
}
