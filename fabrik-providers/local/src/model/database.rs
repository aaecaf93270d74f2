//! A database of this machine's own programs.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a database is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSpec {
    /// Which one.
    pub engine: DatabaseEngine,
    /// Its main version, such as `15`; the newest on this machine unless set.
    pub version: Option<String>,
    /// The name of the database inside, which is also its user's.
    pub database: String,
}

/// Databases that the agent can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseEngine {
    /// PostgreSQL.
    Postgres,
    /// Redis, or Valkey where that is what there is.
    Redis,
    /// Valkey.
    Valkey,
}

impl DatabaseEngine {
    /// The word for it, as the spec has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Valkey => "valkey",
        }
    }

    /// The engine of a word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Postgres, Self::Redis, Self::Valkey]
            .into_iter()
            .find(|engine| engine.word() == word)
    }
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// A database and where it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub spec: DatabaseSpec,
    /// The main version that runs.
    pub version: String,
    /// The port on loopback, which stays the same.
    pub port: u16,
    /// The user's password.
    pub password: Hidden,
    /// Whether it answers; `None` when no agent runs.
    pub running: Option<bool>,
    /// The folder with its data.
    pub dir: PathBuf,
}

impl DatabaseInfo {
    /// How to connect, password included.
    pub fn url(&self) -> Hidden {
        let (port, password) = (self.port, self.password.expose());
        let database = &self.spec.database;
        Hidden::new(match self.spec.engine {
            DatabaseEngine::Postgres => {
                format!("postgres://{database}:{password}@127.0.0.1:{port}/{database}")
            }
            DatabaseEngine::Redis | DatabaseEngine::Valkey => {
                format!("redis://:{password}@127.0.0.1:{port}/0")
            }
        })
    }

    /// The user to connect as, where the engine has users.
    pub fn user(&self) -> Option<&str> {
        match self.spec.engine {
            DatabaseEngine::Postgres => Some(&self.spec.database),
            DatabaseEngine::Redis | DatabaseEngine::Valkey => None,
        }
    }
}
