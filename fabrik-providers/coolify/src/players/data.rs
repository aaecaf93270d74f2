//! Playing the roles database and backup.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{BACKUP, DATABASE, Parts, Player};
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

use super::runtime::docker_size;
use super::{Inputs, at, invalid, options, place, plain, required};
use crate::database::Database;
use crate::database_backup::DatabaseBackup;

/// Runs databases.
#[derive(Clone, Copy, Debug)]
pub struct DatabasePlayer;

/// The role's engines, Coolify's names of them, and their images.
const ENGINES: &[(&str, &str, &str)] = &[
    ("postgres", "postgresql", "postgres"),
    ("mysql", "mysql", "mysql"),
    ("mariadb", "mariadb", "mariadb"),
    ("redis", "redis", "redis"),
    ("keydb", "keydb", "eqalpha/keydb"),
    ("mongodb", "mongodb", "mongo"),
    ("clickhouse", "clickhouse", "clickhouse/clickhouse-server"),
];

impl Player for DatabasePlayer {
    fn role(&self) -> &'static str {
        DATABASE
    }

    fn options(&self) -> Json {
        let port = json!({"type": "integer", "minimum": 1024, "maximum": 65535, "description": "A port of the server at which everybody can reach it."});
        options("Where the database runs.", &[("public_port", port)])
    }

    fn cannot(&self) -> &[&'static str] {
        &["limits.disk"]
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let name = required(intent, "name")?;
        let engine = required(intent, "engine")?;
        let engine = engine
            .as_str()
            .ok_or_else(|| invalid("engine", "`engine` must be known when the stack is planned"))?;
        let Some((_, word, image)) = ENGINES.iter().find(|(known, ..)| *known == engine) else {
            return Err(
                invalid("engine", format!("Coolify does not offer {engine}"))
                    .hint("use redis, or a service with a compose text of your own"),
            );
        };
        let mut inputs = Inputs::default();
        inputs.set("engine", *word);
        inputs.set("name", name.clone());
        if let Some(version) = at(intent, "version") {
            let version = plain(&version).ok_or_else(|| {
                invalid(
                    "version",
                    "`version` must be known when the stack is planned",
                )
            })?;
            inputs.set("image", format!("{image}:{version}"));
        }
        // Identifiers have no dashes. What has no user has no databases to name either.
        if let Some(text) = name
            .as_str()
            .filter(|_| !matches!(engine, "redis" | "keydb" | "clickhouse"))
        {
            let text: String = text
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let sign = if starts_well { "" } else { "_" };
            inputs.set("database", format!("{sign}{text}"));
        }
        if let Some(limits) = limits(intent)? {
            inputs.set("limits", limits);
        }
        inputs.some("public_port", own.get("public_port"));
        place(&name, own, &mut inputs, parts)?;
        let database = parts.add("database", Database::TYPE, inputs.value())?;
        Ok(Value::map([
            ("id", Parts::output(&database, "uuid")),
            ("url", Parts::output(&database, "url")),
            ("host", Parts::output(&database, "host")),
            ("port", Parts::output(&database, "port")),
            ("user", Parts::output(&database, "user")),
            ("password", Parts::output(&database, "password")),
        ]))
    }
}

fn limits(intent: &Value) -> Result<Option<Value>> {
    let mut limits = Inputs::default();
    for (field, to) in [("limits.cpu", "cpus"), ("limits.memory", "memory")] {
        let Some(value) = at(intent, field) else {
            continue;
        };
        let text = plain(&value).ok_or_else(|| {
            invalid(
                field,
                format!("`{field}` must be known when the stack is planned"),
            )
        })?;
        let is_memory = to == "memory";
        limits.set(to, if is_memory { docker_size(&text) } else { text });
    }
    Ok((!limits.0.is_empty()).then(|| limits.value()))
}

/// The engines that Coolify dumps.
const DUMPED: &[&str] = &["postgres", "mysql", "mariadb", "mongodb"];

/// The id of the database that is dumped.
fn dumped(intent: &Value) -> Result<Value> {
    let kind = at(intent, "what.kind");
    let kind = kind.as_ref().and_then(Value::as_str);
    let database = match kind {
        Some("database") => at(intent, "what.id"),
        // An id alone, from whoever knows it.
        _ => at(intent, "what.database"),
    };
    let engine = at(intent, "what.engine");
    let engine = engine.as_ref().and_then(Value::as_str);
    match (database, engine) {
        (Some(_), Some(engine)) if !DUMPED.contains(&engine) => {
            Err(invalid("what.engine", format!("Coolify does not dump {engine}"))
                .hint(format!("it dumps {}; leave `backup` out here, or name another player with `on`", DUMPED.join(", "))))
        }
        (Some(database), _) => Ok(database),
        (None, _) if kind == Some("database") => Err(invalid(
            "what",
            "the database is none of this Coolify's: it has no `id` here",
        )
        .hint("let the same Coolify play `database` and `backup`, or name another player with `on`")),
        (None, _) => Err(invalid(
            "what",
            "Coolify is asked for dumps of databases only: files in volumes are not among them",
        )
        .hint("name another player of `backup` with `on: {backup: …}`, or set the volume's backup up in Coolify")),
    }
}

/// Dumps databases by schedule.
#[derive(Clone, Copy, Debug)]
pub struct BackupPlayer;

impl Player for BackupPlayer {
    fn role(&self) -> &'static str {
        BACKUP
    }

    fn options(&self) -> Json {
        json!({
            "type": "object",
            "description": "Where dumps go.",
            "additionalProperties": false,
            "properties": {
                "s3": {"type": "string", "minLength": 1, "description": "The id of the S3 storage that dumps go to as well."},
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let mut inputs = Inputs::default();
        inputs.set("database", dumped(intent)?);
        inputs.set("schedule", required(intent, "schedule")?);
        inputs.some("keep", intent.get("keep"));
        // Where dumps go is an S3 storage of Coolify's, by its id.
        let to = at(intent, "to").or_else(|| own.get("s3").cloned());
        if let Some(s3) = to {
            inputs.set("s3", s3);
            inputs.some("s3_keep", intent.get("keep"));
        }
        let backup = parts.add("", DatabaseBackup::TYPE, inputs.value())?;
        Ok(Value::map([("id", Parts::output(&backup, "id"))]))
    }
}
