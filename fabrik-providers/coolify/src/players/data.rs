//! Playing the roles database and backup.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::{BACKUP, DATABASE, Parts, Player};
use fabrik_core::value::Value;
use serde_json::{Value as Json, json};

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
        // Identifiers have no dashes.
        if let Some(text) = name
            .as_str()
            .filter(|_| !matches!(engine, "redis" | "clickhouse"))
        {
            let text: String = text
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
                .collect();
            let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            inputs.set(
                "database",
                if starts_well {
                    text
                } else {
                    format!("_{text}")
                },
            );
        }
        inputs.some("public_port", own.get("public_port"));
        place(&name, own, &mut inputs, parts)?;
        let database = parts.add("database", Database::TYPE, inputs.value())?;
        Ok(Value::map([
            ("id", Parts::output(&database, "uuid")),
            ("url", Parts::output(&database, "url")),
            ("host", Parts::output(&database, "host")),
            ("port", Parts::output(&database, "port")),
        ]))
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
        let is_database =
            at(intent, "what.kind").is_some_and(|kind| kind.as_str() == Some("database"));
        let own_id = at(intent, "what.id").filter(|_| is_database);
        let database = at(intent, "what.database").or(own_id).ok_or_else(|| {
            invalid(
                "what",
                "Coolify backs up databases: `what` has no `database`",
            )
            .hint("give the id of a database of this Coolify as `database`")
        })?;
        let mut inputs = Inputs::default();
        inputs.set("database", database);
        inputs.set("schedule", required(intent, "schedule")?);
        inputs.some("keep", intent.get("keep"));
        if let Some(s3) = own.get("s3") {
            inputs.set("s3", s3.clone());
            inputs.some("s3_keep", intent.get("keep"));
        }
        let backup = parts.add("", DatabaseBackup::TYPE, inputs.value())?;
        Ok(Value::map([("id", Parts::output(&backup, "id"))]))
    }
}
