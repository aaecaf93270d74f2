//! Databases: a cluster or server of this machine's own programs, one for each, run as a service
//! that only the agent knows, on a port that stays the same.

mod postgres;
mod redis;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::agent::Agent;
use crate::agent::book::blocking;
use crate::agent::shared::Shared;
use crate::agent::table::{Table, stored};
use crate::agent::tool::Tool;
use crate::error::Error;
use crate::hash::hex;
use crate::layout::Layout;
use crate::model::{
    DatabaseEngine, DatabaseInfo, DatabaseSpec, Hidden, Port, ServiceSpec, StopPolicy,
};
use crate::names;
use crate::records;
use crate::socket::private_dir;

/// How long a started database may take until it answers: it may have to replay its log.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long making the data, or asking a program its version, may take.
const TOOL_PATIENCE: Duration = Duration::from_secs(120);
/// How long a database may take to write everything down before it is killed.
const GRACE: Duration = Duration::from_secs(30);

/// The databases.
#[derive(Debug)]
pub(crate) struct Databases {
    shared: Arc<Shared>,
    records: Table<DatabaseRecord>,
    /// One is made or removed at a time.
    turn: tokio::sync::Mutex<()>,
}

/// One entry of `databases.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DatabaseRecord {
    spec: DatabaseSpec,
    /// The main version that made the data, and can read it.
    version: String,
    port: u16,
    password: Hidden,
}

/// What is stored of databases. Blocks on files.
pub(crate) fn all(layout: &Layout) -> Result<Vec<DatabaseInfo>, Error> {
    let records = stored(&layout.databases_record())?;
    Ok(records
        .into_iter()
        .map(|(name, record)| describe(layout, name, record, None))
        .collect())
}

/// The name of the service that runs a database.
pub(crate) fn service_of(name: &str) -> String {
    format!("@{name}")
}

fn describe(
    layout: &Layout,
    name: String,
    record: DatabaseRecord,
    running: Option<bool>,
) -> DatabaseInfo {
    DatabaseInfo {
        dir: layout.database(&name),
        name,
        spec: record.spec,
        version: record.version,
        port: record.port,
        password: record.password,
        running,
    }
}

/// The programs of an engine.
#[derive(Clone, Debug)]
struct Programs {
    engine: DatabaseEngine,
    /// The server; others lie beside it.
    server: PathBuf,
    /// Its main version.
    version: String,
}

impl Programs {
    /// The programs of this machine; of a certain main version where that is wanted.
    async fn find(
        shared: &Shared,
        engine: DatabaseEngine,
        version: Option<&str>,
    ) -> Result<Self, Error> {
        let (servers, title, package) = match engine {
            DatabaseEngine::Postgres => (postgres::servers(shared), "PostgreSQL", "postgresql"),
            DatabaseEngine::Redis => (redis::servers(shared, false), "Redis", "redis-server"),
            DatabaseEngine::Valkey => (redis::servers(shared, true), "Valkey", "valkey-server"),
        };
        let mut found: Vec<Self> = Vec::new();
        for server in servers {
            if let Some(version) = main_version(shared, &server).await {
                found.push(Self {
                    engine,
                    server,
                    version,
                });
            }
        }
        found.sort_by_key(|programs| programs.version.parse::<u32>().unwrap_or_default());
        let Some(newest) = found.last() else {
            return Err(Error::Missing {
                program: title.to_owned(),
                package: package.to_owned(),
            });
        };
        let Some(wanted) = version else {
            return Ok(newest.clone());
        };
        let main = wanted.split('.').next().unwrap_or(wanted);
        let fits = found.iter().rev().find(|programs| programs.version == main);
        fits.cloned().ok_or_else(|| {
            let there: Vec<&str> = found.iter().map(|found| found.version.as_str()).collect();
            let there = there.join(", ");
            Error::invalid(
                "version",
                format!("{title} {main} is not on this machine: there is {there}"),
            )
        })
    }

    /// Another program of the same package.
    fn other(&self, name: &str) -> String {
        self.server.with_file_name(name).display().to_string()
    }

    /// Makes the data, unless it is there.
    async fn make(
        &self,
        shared: &Shared,
        home: &Path,
        record: &DatabaseRecord,
    ) -> Result<(), Error> {
        private_dir(home).map_err(|error| Error::file("make", home, error))?;
        match self.engine {
            DatabaseEngine::Postgres => postgres::make(self, shared, home, record).await,
            DatabaseEngine::Redis | DatabaseEngine::Valkey => redis::make(home, record),
        }
    }

    /// The service that runs it.
    fn service(
        &self,
        shared: &Shared,
        home: &Path,
        record: &DatabaseRecord,
    ) -> Result<ServiceSpec, Error> {
        let (command, signal) = match self.engine {
            DatabaseEngine::Postgres => postgres::command(self, shared, home, record)?,
            DatabaseEngine::Redis | DatabaseEngine::Valkey => redis::command(self, home),
        };
        let mut spec = ServiceSpec::new(command, home);
        spec.port = Port::Fixed(record.port);
        spec.keep = 0;
        spec.stop = StopPolicy {
            signal,
            grace: GRACE,
        };
        Ok(spec)
    }
}

/// The main version that a program tells with `--version`.
async fn main_version(shared: &Shared, server: &Path) -> Option<String> {
    let tool = Tool {
        words: vec![server.display().to_string(), "--version".to_owned()],
        dir: Path::new("/"),
        env: BTreeMap::new(),
        input: String::new(),
        patience: TOOL_PATIENCE,
    };
    version_in(&tool.run(shared).await.ok()?)
}

/// `15` of `postgres (PostgreSQL) 15.18 (Debian …)`, `7` of `Redis server v=7.0.15 sha=…`.
fn version_in(told: &str) -> Option<String> {
    told.split_ascii_whitespace()
        .map(|word| word.trim_start_matches("v="))
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(|word| word.chars().take_while(char::is_ascii_digit).collect())
}

/// What it takes to read a database.
#[derive(Debug)]
pub(crate) struct Access {
    programs: Programs,
    record: DatabaseRecord,
}

impl Access {
    /// How files of dumps end.
    pub(crate) fn dump_suffix(&self) -> &'static str {
        match self.programs.engine {
            DatabaseEngine::Postgres => "dump",
            DatabaseEngine::Redis | DatabaseEngine::Valkey => "rdb",
        }
    }

    /// Dumps it into a file, and makes sure that the file can be read.
    pub(crate) async fn dump(&self, shared: &Shared, file: &Path) -> Result<(), Error> {
        match self.programs.engine {
            DatabaseEngine::Postgres => postgres::dump(self, shared, file).await,
            DatabaseEngine::Redis | DatabaseEngine::Valkey => redis::dump(self, shared, file).await,
        }
    }
}

impl Databases {
    /// Takes up the stored databases. Blocks on files.
    pub(crate) fn open(shared: &Arc<Shared>) -> Result<Self, Error> {
        Ok(Self {
            shared: Arc::clone(shared),
            records: Table::open(shared.layout.databases_record(), shared)?,
            turn: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) async fn is_empty(&self) -> bool {
        self.records.all().await.is_empty()
    }

    /// What it takes to read a database.
    pub(crate) async fn access(&self, name: &str) -> Result<Access, Error> {
        let record = self.records.get(name).await;
        let record = record.ok_or_else(|| Error::NotFound {
            what: format!("database `{name}`"),
        })?;
        let version = Some(record.version.as_str());
        Ok(Access {
            programs: Programs::find(&self.shared, record.spec.engine, version).await?,
            record,
        })
    }
}

impl Agent {
    pub(super) async fn databases(&self) -> Vec<DatabaseInfo> {
        let mut found = Vec::new();
        for (name, record) in self.databases.records.all().await {
            found.push(self.told(name, record).await);
        }
        found
    }

    pub(super) async fn database(&self, name: &str) -> Option<DatabaseInfo> {
        let record = self.databases.records.get(name).await?;
        Some(self.told(name.to_owned(), record).await)
    }

    async fn told(&self, name: String, record: DatabaseRecord) -> DatabaseInfo {
        let service = self.service_info(&service_of(&name)).await;
        let running =
            service.is_some_and(|service| service.live.is_some_and(|live| live.is_serving()));
        describe(&self.shared.layout, name, record, Some(running))
    }

    /// Makes a database and starts it, or starts it again when it is down. A first attempt that
    /// fails leaves nothing; later ones leave the data alone.
    pub(super) async fn put_database(
        &self,
        name: &str,
        op_id: &str,
        spec: DatabaseSpec,
    ) -> Result<DatabaseInfo, Error> {
        names::check("database", name)?;
        names::check_op_id(op_id)?;
        check(&spec)?;
        let _turn = self.databases.turn.lock().await;
        let before = self.databases.records.get(name).await;
        if let Some(before) = &before
            && (before.spec.engine, &before.spec.database) != (spec.engine, &spec.database)
        {
            return Err(Error::invalid(
                "engine",
                "another database needs another name",
            ));
        }
        let version = before.as_ref().map(|before| before.version.as_str());
        let wanted = spec.version.as_deref();
        if let (Some(there), Some(wanted)) = (version, wanted)
            && wanted.split('.').next() != Some(there)
        {
            let message =
                format!("the data is of version {there}; another version needs another database");
            return Err(Error::invalid("version", message));
        }
        let programs = Programs::find(&self.shared, spec.engine, version.or(wanted)).await?;
        let fresh = before.is_none();
        let record = match before {
            Some(before) => DatabaseRecord { spec, ..before },
            None => DatabaseRecord {
                spec,
                version: programs.version.clone(),
                port: self.free_port()?,
                password: new_password()?,
            },
        };
        self.databases.records.put(name, record.clone()).await?;
        let started = self.start_database(name, op_id, &programs, &record).await;
        if let Err(error) = started {
            if fresh {
                self.drop_database(name).await?;
            }
            return Err(named_after(error, name));
        }
        Ok(self.told(name.to_owned(), record).await)
    }

    /// A free port, promised to nobody: the service takes it.
    fn free_port(&self) -> Result<u16, Error> {
        let lease = self.shared.ports.free();
        let lease = lease.map_err(|error| Error::system("find a free port", error))?;
        Ok(lease.port)
    }

    async fn start_database(
        &self,
        name: &str,
        op_id: &str,
        programs: &Programs,
        record: &DatabaseRecord,
    ) -> Result<(), Error> {
        let home = self.shared.layout.database(name);
        programs.make(&self.shared, &home, record).await?;
        let spec = programs.service(&self.shared, &home, record)?;
        let service = service_of(name);
        let there = self.service_info(&service).await.and_then(|info| info.live);
        if there.is_none_or(|live| live.spec != spec || !live.is_serving()) {
            self.run_service(&service, op_id, spec).await?;
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let answered = match record.spec.engine {
                DatabaseEngine::Postgres => postgres::answers(record).await,
                DatabaseEngine::Redis | DatabaseEngine::Valkey => redis::answers(record).await,
            };
            match answered {
                Ok(()) => return Ok(()),
                Err(reason) if Instant::now() > until => {
                    return Err(Error::system(
                        format!("reach the database `{name}`"),
                        reason,
                    ));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// Stops a database and removes its data.
    pub(super) async fn remove_database(&self, name: &str) -> Result<(), Error> {
        names::check("database", name)?;
        let _turn = self.databases.turn.lock().await;
        self.drop_database(name).await
    }

    async fn drop_database(&self, name: &str) -> Result<(), Error> {
        let service = service_of(name);
        if let Some(running) = self.registry.get(&service) {
            running.remove(false).await?;
            self.registry.remove(&service, &running);
        }
        let home = self.shared.layout.database(name);
        blocking(move || records::remove_tree(&home)).await?;
        self.databases.records.remove(name).await
    }
}

/// Whether a database can be made.
fn check(spec: &DatabaseSpec) -> Result<(), Error> {
    let name = &spec.database;
    let starts = |first: char| first.is_ascii_alphabetic() || first == '_';
    let rest = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if name.len() > 63 || !name.starts_with(starts) || !name.chars().all(rest) {
        return Err(Error::invalid(
            "database",
            format!("`{name}` must be letters, digits and `_`, and begin with a letter"),
        ));
    }
    // Names that PostgreSQL keeps for itself.
    if spec.engine == DatabaseEngine::Postgres
        && (name.starts_with("pg_")
            || ["postgres", "template0", "template1"].contains(&name.as_str()))
    {
        return Err(Error::invalid(
            "database",
            format!("`{name}` is PostgreSQL's own"),
        ));
    }
    Ok(())
}

/// An error of the service as one of the database.
fn named_after(error: Error, name: &str) -> Error {
    match error {
        Error::HealthGate {
            generation,
            reason,
            logs,
            expected_port,
            listening_ports,
            ..
        } => Error::HealthGate {
            service: name.to_owned(),
            generation,
            reason,
            logs,
            expected_port,
            listening_ports,
        },
        other => other,
    }
}

/// Letters and digits, so that it needs no quoting anywhere.
fn new_password() -> Result<Hidden, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::system("make a password", error))?;
    Ok(Hidden::new(hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (told, version) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                "15",
            ),
            (
                "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc bits=64 build=1\n",
                "7",
            ),
            ("Valkey server v=8.0.1 sha=0 malloc=libc bits=64\n", "8"),
        ] {
            assert_eq!(version_in(told).as_deref(), Some(version));
        }
        assert_eq!(version_in("no version"), None);
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        let spec = |engine, database: &str| DatabaseSpec {
            engine,
            version: None,
            database: database.to_owned(),
        };
        for good in ["main_db", "_x", "Shop2"] {
            check(&spec(DatabaseEngine::Postgres, good)).unwrap();
        }
        for bad in ["", "2x", "a-b", "a b", "postgres", "pg_x", "\u{e9}"] {
            assert!(
                check(&spec(DatabaseEngine::Postgres, bad)).is_err(),
                "{bad}"
            );
        }
        check(&spec(DatabaseEngine::Redis, "postgres")).unwrap();
    }
}
