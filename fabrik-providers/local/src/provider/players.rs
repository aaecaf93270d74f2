//! Playing the roles dns, monitor and bucket.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Resource;
use fabrik_core::role::{BACKUP, BUCKET, DATABASE, DNS, MONITOR, Parts, Player};
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use super::backup::Backup;
use super::bucket::Bucket;
use super::database::Database;
use super::dns_name::{ADDRESS, DnsName};
use super::monitor::Monitor;
use crate::model::DatabaseEngine;
use crate::names::local_host;

/// Registers host names under `localhost`.
#[derive(Clone, Copy, Debug)]
pub struct DnsPlayer;

impl Player for DnsPlayer {
    fn role(&self) -> &'static str {
        DNS
    }

    fn cannot(&self) -> &[&'static str] {
        &["ttl"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let name = field(intent, "name")?;
        if let Some(text) = name.as_str()
            && let Err(error) = local_host("name", text)
        {
            return Err(Error::new(ErrorKind::Invalid, error.to_string())
                .field(Path::key("name"))
                .hint("other names need a provider of DNS"));
        }
        let inputs = Value::map([("name", name), ("target", field(intent, "target")?)]);
        let record = parts.add("", DnsName::TYPE, inputs)?;
        Ok(Value::map([
            ("name", Parts::output(&record, "name")),
            ("type", Value::from("A")),
            ("values", Value::list([Value::from(ADDRESS)])),
        ]))
    }
}

/// Watches URLs.
#[derive(Clone, Copy, Debug)]
pub struct MonitorPlayer;

impl Player for MonitorPlayer {
    fn role(&self) -> &'static str {
        MONITOR
    }

    fn cannot(&self) -> &[&'static str] {
        &["notify"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let url = field(intent, "url")?;
        if url.as_str().is_some_and(|url| url.starts_with("https://")) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the local monitor watches `http://` URLs only",
            )
            .field(Path::key("url"))
            .hint("set `monitor: false`, or let another provider play the role `monitor`"));
        }
        let mut inputs = vec![("name", field(intent, "name")?), ("url", url)];
        if let Some(interval) = intent.get("interval") {
            inputs.push(("interval", interval.clone()));
        }
        let monitor = parts.add("", Monitor::TYPE, Value::map(inputs))?;
        Ok(Value::map([("id", Parts::output(&monitor, "id"))]))
    }
}

/// Makes folders for objects.
#[derive(Clone, Copy, Debug)]
pub struct BucketPlayer;

impl Player for BucketPlayer {
    fn role(&self) -> &'static str {
        BUCKET
    }

    fn cannot(&self) -> &[&'static str] {
        &["public"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let inputs = Value::map([("name", field(intent, "name")?)]);
        let bucket = parts.add("", Bucket::TYPE, inputs)?;
        Ok(Value::map([
            ("name", Parts::output(&bucket, "name")),
            ("endpoint", Parts::output(&bucket, "endpoint")),
        ]))
    }
}

/// Runs databases with this machine's own programs.
#[derive(Clone, Copy, Debug)]
pub struct DatabasePlayer;

impl Player for DatabasePlayer {
    fn role(&self) -> &'static str {
        DATABASE
    }

    fn cannot(&self) -> &[&'static str] {
        &["limits"]
    }

    fn expand(&self, intent: &Value, _: &Value, parts: &mut Parts) -> Result<Value> {
        let engine = field(intent, "engine")?;
        if let Some(word) = engine.as_str()
            && DatabaseEngine::of(word).is_none()
        {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the local provider runs postgres, redis and valkey, not {word}"),
            )
            .field(Path::key("engine"))
            .hint("let another provider play the role `database`"));
        }
        let inner = field(intent, "name")?;
        let mut inputs = vec![
            ("name", Value::from(own_name(parts))),
            ("engine", engine),
            ("database", inner),
        ];
        if let Some(version) = intent.get("version") {
            inputs.push(("version", version.clone()));
        }
        let database = parts.add("database", Database::TYPE, Value::map(inputs))?;
        let outputs = ["id", "url", "host", "port", "user", "password"];
        let outputs = outputs.map(|name| (name, Parts::output(&database, name)));
        // Redis has no users.
        let has_users = intent.get("engine").and_then(Value::as_str) == Some("postgres");
        let told = outputs
            .into_iter()
            .filter(|(name, _)| *name != "user" || has_users);
        Ok(Value::map(told))
    }
}

/// Backs up databases of this provider, and folders, into a folder.
#[derive(Clone, Copy, Debug)]
pub struct BackupPlayer;

impl Player for BackupPlayer {
    fn role(&self) -> &'static str {
        BACKUP
    }

    fn options(&self) -> Json {
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "restic": {
                    "type": "boolean",
                    "description": "Whether backups go into a restic repository, which keeps what is the same only once.",
                },
                "timezone": {
                    "type": "string",
                    "minLength": 1,
                    "description": "The time zone of the backup's schedule; UTC unless set.",
                },
            },
        })
    }

    fn expand(&self, intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
        let what = field(intent, "what")?;
        let mut inputs = vec![
            ("name", Value::from(own_name(parts))),
            ("schedule", field(intent, "schedule")?),
        ];
        match what.get("kind").and_then(Value::as_str) {
            Some("database") => {
                let id = what.get("id").cloned().ok_or_else(|| {
                    cannot_save(
                        "what.id",
                        "the local backup saves databases of the local provider",
                    )
                })?;
                inputs.push(("database", id));
            }
            Some("volumes") => inputs.push(("folders", folders(&what)?)),
            _ => {
                return Err(cannot_save(
                    "what.kind",
                    "the local backup saves databases and folders",
                ));
            }
        }
        for (name, value) in [("keep", intent.get("keep")), ("to", intent.get("to"))] {
            inputs.extend(value.map(|value| (name, value.clone())));
        }
        for name in ["restic", "timezone"] {
            inputs.extend(own.get(name).map(|value| (name, value.clone())));
        }
        let backup = parts.add("", Backup::TYPE, Value::map(inputs))?;
        Ok(Value::map([("id", Parts::output(&backup, "id"))]))
    }
}

/// The folders of volumes that are folders of this machine.
fn folders(what: &Value) -> Result<Value> {
    let volumes = what.get("volumes").and_then(Value::as_list);
    let mut folders = Vec::new();
    for volume in volumes.unwrap_or_default() {
        folders.push(volume.get("source").cloned().ok_or_else(|| {
            cannot_save(
                "what.volumes",
                "the local backup saves volumes that are folders of this machine",
            )
            .hint("give them a `source`")
        })?);
    }
    Ok(Value::list(folders))
}

fn cannot_save(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, message)
        .field(Path::parse(field))
        .hint("let another provider play the role `backup`")
}

/// The app's key, and the key of its `for_each` element, as one name.
fn own_name(parts: &Parts) -> String {
    let text = parts.base().as_str();
    let last = text.rsplit('.').next().unwrap_or(text);
    let plain = last.replace("[\"", "-").replace("\"]", "");
    let name: String = plain
        .chars()
        .map(|char| match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' => char,
            _ => '-',
        })
        .collect();
    name.trim_matches(['-', '_']).to_owned()
}

/// A field that the role's schema requires.
pub(super) fn field(intent: &Value, name: &str) -> Result<Value> {
    intent.get(name).cloned().ok_or_else(|| {
        Error::new(ErrorKind::Invalid, format!("`{name}` is missing")).field(Path::key(name))
    })
}
