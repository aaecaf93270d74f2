//! `local.backup`.

use std::path::PathBuf;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Finding, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, kept_by_agent};
use super::written::Of;
use crate::client::Client;
use crate::layout::Layout;
use crate::model::{BackupSource, BackupSpec, JobInfo, JobSpec, Task};
use crate::protocol::Kind;

/// Budget of setting a backup.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Something that the agent backs up at certain times, into files or a restic repository in a folder.
/// Each backup is read again before it counts. Backups stay when this is deleted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 62), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The `local.database` to back up, by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub database: Option<String>,
    /// The folders to back up instead, relative to the spec's file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(length(min = 1)))]
    pub folders: Vec<String>,
    /// When: minute, hour, day of the month, month, day of the week.
    #[schemars(length(min = 9))]
    pub schedule: String,
    /// The time zone of the schedule: `Europe/Berlin`; UTC unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub timezone: Option<String>,
    /// How many backups are kept.
    #[serde(default = "keep")]
    #[schemars(range(min = 1, max = 10000))]
    pub keep: usize,
    /// The folder they go to, relative to the spec's file; one in the agent's folder unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub to: Option<String>,
    /// Whether they go into a restic repository in that folder, which keeps what is the same only
    /// once. Its password lies beside it.
    #[serde(default)]
    pub restic: bool,
}

fn keep() -> usize {
    7
}

/// What is known of a backup.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BackupOutputs {
    /// Its id.
    pub id: String,
    /// The folder that holds the backups.
    pub folder: String,
}

/// `local.backup`: something that is backed up at certain times.
#[derive(Clone, Copy, Debug)]
pub struct Backup;

/// What the spec had, beside what the agent needs.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Written {
    folders: Vec<String>,
    to: Option<String>,
}

/// The job of a backup.
fn job(id: &str) -> String {
    format!("@{id}")
}

impl BackupInputs {
    fn folder(&self, local: &Local) -> PathBuf {
        match &self.to {
            Some(to) => local.resolve(to),
            None => Layout::new(local.state_dir()).backups(&self.name),
        }
    }

    fn wanted(&self, local: &Local) -> Result<JobSpec> {
        let source = match (&self.database, self.folders.is_empty()) {
            (Some(database), true) => BackupSource::Database(database.clone()),
            (None, false) => {
                let folders = self.folders.iter();
                BackupSource::Folders(folders.map(|folder| local.resolve(folder)).collect())
            }
            _ => return Err(Error::new(ErrorKind::Invalid, ONE_THING)),
        };
        let written = Written {
            folders: self.folders.clone(),
            to: self.to.clone(),
        };
        Ok(JobSpec {
            schedule: self.schedule.clone(),
            timezone: self.timezone.clone().unwrap_or_default(),
            task: Task::Backup(BackupSpec {
                source,
                to: self.folder(local),
                keep: self.keep,
                restic: self.restic,
            }),
            spec_hash: serde_json::to_string(&written)
                .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?,
        })
    }
}

const ONE_THING: &str = "a backup saves one thing: a `database` or `folders`";

impl Thing for Backup {
    const KIND: Kind = Kind::Job;
    type Spec = BackupInputs;
    type Outputs = BackupOutputs;

    fn id(spec: &BackupInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn claimed_as(id: &str) -> String {
        job(id)
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let names = picture.status.jobs.iter();
        names.filter_map(|job| job.name.strip_prefix('@')).collect()
    }

    fn observe(picture: &Picture, local: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.jobs.iter();
        let found = found.find(|job| job.name.strip_prefix('@') == Some(id))?;
        describe(found, id, local)
    }

    async fn put(
        _: &Cx,
        local: &Local,
        agent: &Client,
        id: &str,
        spec: &BackupInputs,
    ) -> Result<BackupOutputs> {
        let wanted = spec.wanted(local)?;
        agent.put_job(&job(id), &wanted).await.map_err(problem)?;
        Ok(BackupOutputs {
            id: id.to_owned(),
            folder: spec.folder(local).display().to_string(),
        })
    }

    fn log_of(id: &str) -> Option<Of> {
        Some(Of::Job(job(id)))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_job(&job(id)).await.map_err(problem)
    }
}

kept_by_agent! { Backup, "local.backup", BackupInputs, BackupOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            // What became of its runs does not come back; the backups themselves stay.
            undo_delete: Undo::Partial,
            ..kept(info)
        }
    }

    async fn plan(&self, _: &Cx, _: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let given = |field: &str| {
            let value = proposal.desired.get(field);
            value.is_some_and(|value| {
                !value.is_null() && value.as_list().is_none_or(|items| !items.is_empty())
            })
        };
        let mut findings = Vec::new();
        if given("database") == given("folders") {
            findings.push(Finding {
                blocking: true,
                message: ONE_THING.to_owned(),
                hint: None,
                field: Some(Path::key(if given("database") { "folders" } else { "database" })),
                adopt: None,
            });
        }
        Ok(Planned {
            inputs: Value::clone(proposal.desired),
            findings,
            ..Planned::default()
        })
    }
}

fn describe(
    info: &JobInfo,
    id: &str,
    local: &Local,
) -> Option<Observed<BackupInputs, BackupOutputs>> {
    let Task::Backup(task) = &info.spec.task else {
        return None;
    };
    let written: Written = serde_json::from_str(&info.spec.spec_hash).unwrap_or_default();
    let (database, folders) = match &task.source {
        BackupSource::Database(name) => (Some(name.clone()), Vec::new()),
        BackupSource::Folders(folders) => {
            let same = written.folders.iter().map(|folder| local.resolve(folder));
            let as_written = same.eq(folders.iter().cloned());
            let shown = folders.iter().map(|folder| folder.display().to_string());
            (
                None,
                if as_written {
                    written.folders
                } else {
                    shown.collect()
                },
            )
        }
    };
    let timezone = &info.spec.timezone;
    let mut spec = BackupInputs {
        name: id.to_owned(),
        database,
        folders,
        schedule: info.spec.schedule.clone(),
        timezone: (!timezone.is_empty()).then(|| timezone.clone()),
        keep: task.keep,
        to: written.to,
        restic: task.restic,
    };
    if spec.folder(local) != task.to {
        spec.to = Some(task.to.display().to_string());
    }
    let outputs = BackupOutputs {
        id: id.to_owned(),
        folder: task.to.display().to_string(),
    };
    Some(Observed::new(spec, outputs))
}
