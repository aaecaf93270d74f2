//! `coolify.database_backup`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::body::{Body, Made, flag, number, text, uuid};
use crate::client::{Coolify, Row, rows};
use crate::scheduled_task::check_schedule;

/// A schedule by which Coolify dumps a database. A database has one schedule of each frequency.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseBackupSpec {
    /// The id of the database.
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub database: String,
    /// When: five cron fields, or a word such as `daily`.
    #[schemars(length(min = 1))]
    pub schedule: String,
    /// Whether it is done.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The id of the S3 storage that dumps go to as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub s3: Option<String>,
    /// The names of the databases to dump; the one that was made with it unless set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub databases: Vec<String>,
    /// Whether all databases are dumped.
    #[serde(default)]
    pub all: bool,
    /// How many dumps are kept on the server; 0 for all.
    #[serde(default)]
    pub keep: u32,
    /// For how many days dumps are kept on the server; 0 for ever.
    #[serde(default)]
    pub keep_days: u32,
    /// How many dumps are kept in S3; 0 for all.
    #[serde(default)]
    pub s3_keep: u32,
    /// For how many days dumps are kept in S3; 0 for ever.
    #[serde(default)]
    pub s3_keep_days: u32,
    /// Seconds a dump may take.
    #[serde(default = "hour")]
    #[schemars(range(min = 60, max = 36000))]
    pub timeout: u32,
}

fn yes() -> bool {
    true
}
fn hour() -> u32 {
    3600
}

/// What is known of a schedule.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DatabaseBackupOutputs {
    /// Its id in Coolify.
    pub uuid: String,
}

/// `coolify.database_backup`.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseBackup;

const ROUTE: &str = "/databases/{uuid}/backups";
const ONE: &str = "/databases/{uuid}/backups/{backup}";

fn parsed(id: &str) -> Result<(&str, &str)> {
    match id.split_once('/') {
        Some((database, backup))
            if !database.is_empty() && !backup.is_empty() && !backup.contains('/') =>
        {
            Ok((database, backup))
        }
        _ => Err(
            Error::new(ErrorKind::Invalid, format!("`{id}` is no id of a schedule"))
                .hint("write it as DATABASE_UUID/BACKUP_UUID"),
        ),
    }
}

fn body(spec: &DatabaseBackupSpec) -> Body {
    let mut body = Body::default();
    body.set("frequency", spec.schedule.trim());
    body.set("enabled", spec.enabled);
    body.set("save_s3", spec.s3.is_some());
    body.some("s3_storage_uuid", spec.s3.as_deref());
    if !spec.databases.is_empty() {
        body.set("databases_to_backup", spec.databases.join(","));
    }
    body.set("dump_all", spec.all);
    body.set("database_backup_retention_amount_locally", spec.keep);
    body.set("database_backup_retention_days_locally", spec.keep_days);
    body.set("database_backup_retention_amount_s3", spec.s3_keep);
    body.set("database_backup_retention_days_s3", spec.s3_keep_days);
    body.set("timeout", spec.timeout);
    body
}

fn observe(database: &str, row: &Row) -> Observed<DatabaseBackupSpec, DatabaseBackupOutputs> {
    let databases = text(row, "databases_to_backup").unwrap_or_default();
    let s3 = text(row, "s3_storage_uuid").filter(|_| flag(row, "save_s3") == Some(true));
    // Some versions tell the storage by its number only.
    let hidden: &[&str] = if s3.is_none() && flag(row, "save_s3") == Some(true) {
        &["s3"]
    } else {
        &[]
    };
    let spec = DatabaseBackupSpec {
        database: database.to_owned(),
        schedule: text(row, "frequency").unwrap_or_default(),
        enabled: flag(row, "enabled").unwrap_or(true),
        s3,
        databases: databases
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
        all: flag(row, "dump_all").unwrap_or_default(),
        keep: number(row, "database_backup_retention_amount_locally").unwrap_or(0),
        keep_days: number(row, "database_backup_retention_days_locally").unwrap_or(0),
        s3_keep: number(row, "database_backup_retention_amount_s3").unwrap_or(0),
        s3_keep_days: number(row, "database_backup_retention_days_s3").unwrap_or(0),
        timeout: number(row, "timeout").unwrap_or_else(hour),
    };
    Observed::new(spec, DatabaseBackupOutputs { uuid: uuid(row) }).hidden(hidden)
}

async fn backups(cx: &Cx, coolify: &Coolify, database: &str) -> Result<Vec<Row>> {
    let shown: Option<Json> = coolify
        .http
        .get(cx, ROUTE)
        .arg("uuid", database)
        .json_opt()
        .await?;
    Ok(rows(shown.unwrap_or_default()))
}

impl Resource for DatabaseBackup {
    const TYPE: &'static str = "coolify.database_backup";
    type Client = Coolify;
    type Spec = DatabaseBackupSpec;
    type Outputs = DatabaseBackupOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Name,
            exclusive: true,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        spec: &DatabaseBackupSpec,
    ) -> Result<Created<DatabaseBackupOutputs>> {
        let request = coolify.http.post(cx, ROUTE).arg("uuid", &spec.database);
        let made: Made = request.body(&body(spec).0).json().await?;
        let uuid = made.uuid()?;
        Ok(Created::new(
            format!("{}/{uuid}", spec.database),
            DatabaseBackupOutputs { uuid },
        ))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<DatabaseBackupSpec, DatabaseBackupOutputs>>> {
        let (database, backup) = parsed(id)?;
        let found = backups(cx, coolify, database).await?;
        Ok(found
            .iter()
            .find(|row| uuid(row) == backup)
            .map(|row| observe(database, row)))
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, DatabaseBackupSpec>,
    ) -> Result<DatabaseBackupOutputs> {
        let (database, backup) = parsed(id)?;
        let mut body = body(change.spec);
        if change.spec.databases.is_empty() {
            body.set("databases_to_backup", Json::Null);
        }
        let request = coolify
            .http
            .patch(cx, ONE)
            .arg("uuid", database)
            .arg("backup", backup);
        request.body(&body.0).idempotent().unit().await?;
        Ok(DatabaseBackupOutputs {
            uuid: backup.to_owned(),
        })
    }

    /// Dumps in S3 stay.
    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        let (database, backup) = parsed(id)?;
        let request = coolify
            .http
            .delete(cx, ONE)
            .arg("uuid", database)
            .arg("backup", backup);
        request.query("delete_s3", false).ok_if(404).unit().await
    }

    async fn plan(&self, _: &Cx, _: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let mut findings: Vec<Finding> = check_schedule(desired).into_iter().collect();
        let has_s3 = desired.get("s3").is_some_and(|value| !value.is_null());
        for field in ["s3_keep", "s3_keep_days"] {
            if !has_s3
                && desired
                    .get(field)
                    .and_then(Value::as_i64)
                    .is_some_and(|count| count > 0)
            {
                findings.push(Finding {
                    blocking: true,
                    message: format!("`{field}` says what is kept in S3, and nothing goes there"),
                    hint: Some("set `s3` to the id of a storage".to_owned()),
                    field: Some(Path::key(field)),
                    adopt: None,
                });
            }
        }
        Ok(Planned {
            inputs: desired.clone(),
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        _: OpId,
        spec: &DatabaseBackupSpec,
    ) -> Result<Option<Found<DatabaseBackupSpec, DatabaseBackupOutputs>>> {
        let found = backups(cx, coolify, &spec.database).await?;
        let row = found
            .iter()
            .find(|row| text(row, "frequency").as_deref() == Some(spec.schedule.trim()));
        Ok(row.map(|row| Found {
            id: format!("{}/{}", spec.database, uuid(row)),
            observed: observe(&spec.database, row),
            marked: false,
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        coolify: &Coolify,
    ) -> Result<Vec<Found<DatabaseBackupSpec, DatabaseBackupOutputs>>> {
        let mut all = Vec::new();
        for database in coolify.list(cx, "/databases").await? {
            let database = uuid(&database);
            for row in backups(cx, coolify, &database).await? {
                all.push(Found {
                    id: format!("{database}/{}", uuid(&row)),
                    observed: observe(&database, &row),
                    marked: false,
                });
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_have_two_parts() {
        assert_eq!(parsed("db/bk").unwrap(), ("db", "bk"));
        for odd in ["db", "db/", "/bk", "db/bk/x"] {
            let error = parsed(odd).unwrap_err();
            assert_eq!(
                error.hint_text(),
                Some("write it as DATABASE_UUID/BACKUP_UUID")
            );
        }
        assert_eq!(
            body(&DatabaseBackupSpec::default()).0["save_s3"],
            json!(false)
        );
    }
}
