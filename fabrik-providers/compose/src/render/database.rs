//! Databases: image, variables, volume, health check, and how others connect.

use fabrik_core::error::Result;
use fabrik_core::value::Value;

use super::text::{Writer, variable};
use super::{App, BACK, Draft, at, invalid, program};
use crate::model::{Command, Given, Healthcheck, Mount, Volume};

/// What there is to know of an engine.
struct Engine {
    /// The role's name of it.
    name: &'static str,
    image: &'static str,
    /// The version where none is asked for.
    version: &'static str,
    scheme: &'static str,
    port: u16,
    data: &'static str,
    /// Variables that name user, password and database; empty where there is none.
    variables: [&'static str; 3],
    more: &'static [(&'static str, &'static str)],
    /// What must succeed in a shell.
    health: &'static str,
    command: Option<&'static str>,
    after: &'static str,
}

const REDIS_HEALTH: &str = "REDISCLI_AUTH=\"$$REDIS_PASSWORD\" redis-cli ping | grep -q PONG";

const ENGINES: &[Engine] = &[
    Engine {
        name: "postgres",
        image: "postgres",
        version: "17",
        scheme: "postgres",
        port: 5432,
        data: "/var/lib/postgresql/data",
        variables: ["POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB"],
        more: &[],
        health: "pg_isready -q -U \"$$POSTGRES_USER\" -d \"$$POSTGRES_DB\"",
        command: None,
        after: "",
    },
    Engine {
        name: "mysql",
        image: "mysql",
        version: "8.4",
        scheme: "mysql",
        port: 3306,
        data: "/var/lib/mysql",
        variables: ["MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_DATABASE"],
        more: &[("MYSQL_RANDOM_ROOT_PASSWORD", "yes")],
        health: "mysqladmin ping -h 127.0.0.1 -u \"$$MYSQL_USER\" --password=\"$$MYSQL_PASSWORD\" --silent",
        command: None,
        after: "",
    },
    Engine {
        name: "mariadb",
        image: "mariadb",
        version: "11.4",
        scheme: "mysql",
        port: 3306,
        data: "/var/lib/mysql",
        variables: ["MARIADB_USER", "MARIADB_PASSWORD", "MARIADB_DATABASE"],
        more: &[("MARIADB_RANDOM_ROOT_PASSWORD", "yes")],
        health: "healthcheck.sh --connect --innodb_initialized",
        command: None,
        after: "",
    },
    Engine {
        name: "redis",
        image: "redis",
        version: "7.4",
        scheme: "redis",
        port: 6379,
        data: "/data",
        variables: ["", "REDIS_PASSWORD", ""],
        more: &[],
        health: REDIS_HEALTH,
        command: Some("exec redis-server --appendonly yes --requirepass \"$$REDIS_PASSWORD\""),
        after: "/0",
    },
    Engine {
        name: "valkey",
        image: "valkey/valkey",
        version: "8",
        scheme: "redis",
        port: 6379,
        data: "/data",
        variables: ["", "REDIS_PASSWORD", ""],
        more: &[],
        health: "REDISCLI_AUTH=\"$$REDIS_PASSWORD\" valkey-cli ping | grep -q PONG",
        command: Some("exec valkey-server --appendonly yes --requirepass \"$$REDIS_PASSWORD\""),
        after: "/0",
    },
    Engine {
        name: "mongodb",
        image: "mongo",
        version: "8.0",
        scheme: "mongodb",
        port: 27017,
        data: "/data/db",
        variables: [
            "MONGO_INITDB_ROOT_USERNAME",
            "MONGO_INITDB_ROOT_PASSWORD",
            "MONGO_INITDB_DATABASE",
        ],
        more: &[],
        health: "mongosh --quiet --eval 'db.runCommand({ping: 1}).ok' | grep -q 1",
        command: None,
        after: "?authSource=admin",
    },
    Engine {
        name: "clickhouse",
        image: "clickhouse/clickhouse-server",
        version: "25.8",
        scheme: "clickhouse",
        port: 9000,
        data: "/var/lib/clickhouse",
        variables: ["CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD", "CLICKHOUSE_DB"],
        more: &[],
        health: "wget -q -O /dev/null http://127.0.0.1:8123/ping",
        command: None,
        after: "",
    },
];

fn engine(app: &App) -> Result<&'static Engine> {
    let name = at(&app.intent, "engine");
    let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
    ENGINES
        .iter()
        .find(|known| known.name == name)
        .ok_or_else(|| {
            let known: Vec<&str> = ENGINES.iter().map(|engine| engine.name).collect();
            invalid(
                "engine",
                format!("there is no Compose service for `{name}`"),
            )
            .hint(format!("there is one for: {}", known.join(", ")))
        })
}

/// The name of user and database.
fn name(app: &App) -> String {
    at(&app.intent, "name")
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_else(|| app.name.replace('-', "_"))
}

fn password(app: &App, writer: &mut Writer<'_>) -> String {
    let what = format!("the password of `{}`: letters and digits", app.name);
    writer.need(&variable(&[&app.name, "password"]), what)
}

/// What others connect by.
pub(super) fn output(app: &App, path: &str, writer: &mut Writer<'_>) -> Result<String> {
    let engine = engine(app)?;
    let has_user = !engine.variables[0].is_empty();
    let user = if has_user { name(app) } else { String::new() };
    Ok(match path {
        "host" => app.name.clone(),
        "port" => engine.port.to_string(),
        "user" => user,
        "password" => password(app, writer),
        _ => {
            let password = password(app, writer);
            let database = match engine.variables[2] {
                "" => String::new(),
                _ => format!("/{}", name(app)),
            };
            format!(
                "{}://{user}:{password}@{}:{}{database}{}",
                engine.scheme, app.name, engine.port, engine.after
            )
        }
    })
}

impl Draft<'_, '_> {
    pub(super) fn database(&mut self) -> Result<()> {
        let engine = engine(self.app)?;
        let version = self.known("version")?;
        let version = version.as_deref().unwrap_or(engine.version);
        self.service.image = Some(format!("{}:{version}", engine.image));
        self.service.restart = Some("unless-stopped".to_owned());
        let password = password(self.app, self.writer);
        let name = name(self.app);
        let values = [name.clone(), password, name];
        for (variable, value) in engine.variables.iter().zip(values) {
            if !variable.is_empty() {
                self.service
                    .environment
                    .insert((*variable).to_owned(), Some(value));
            }
        }
        for (variable, value) in engine.more {
            self.service
                .environment
                .insert((*variable).to_owned(), Some((*value).to_owned()));
        }
        self.service.command = engine
            .command
            .map(|line| Command::list(["/bin/sh", "-c", line]));
        self.service.expose = vec![engine.port.to_string()];
        let volume = format!("{}-data", self.app.name);
        self.service.volumes.push(Mount {
            kind: "volume".to_owned(),
            source: Some(volume.clone()),
            target: engine.data.to_owned(),
            ..Mount::default()
        });
        self.rendered.file.volumes.insert(volume, Volume::default());
        self.service.healthcheck = Some(Healthcheck {
            test: Some(Command::list(["CMD-SHELL", engine.health])),
            interval: Some("10s".to_owned()),
            timeout: Some("5s".to_owned()),
            retries: Some(Given::Is(5)),
            start_period: Some("30s".to_owned()),
            ..Healthcheck::default()
        });
        program::limits(self)?;
        self.join(BACK);
        Ok(())
    }
}
