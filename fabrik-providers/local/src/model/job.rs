//! Jobs: programs and backups that run at times and end.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Command, Env};

/// What runs, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Five cron fields.
    pub schedule: String,
    /// The time zone of the schedule: `Europe/Berlin`; UTC when empty.
    #[serde(default)]
    pub timezone: String,
    /// What is done.
    pub task: Task,
    /// The caller's own mark of this spec, kept and handed back as is.
    #[serde(default)]
    pub spec_hash: String,
}

/// What a job does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Runs a program.
    Program {
        /// What to run.
        command: Command,
        /// What is run once when the job is set: installing, building, migrating.
        prepare: Vec<Command>,
        /// Working directory: an absolute path.
        dir: PathBuf,
        /// Variables of the program, beside the agent's base environment.
        env: Env,
    },
    /// Copies data away.
    Backup(BackupSpec),
}

/// What is backed up, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSpec {
    /// What.
    pub source: BackupSource,
    /// The folder that backups go to: an absolute path.
    pub to: PathBuf,
    /// How many are kept.
    pub keep: usize,
    /// Whether they go into a restic repository; otherwise each is a file.
    pub restic: bool,
}

/// What is backed up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupSource {
    /// A database of this agent, by its name.
    Database(String),
    /// Folders: absolute paths.
    Folders(Vec<PathBuf>),
}

/// One run of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// Its number, from 1.
    pub number: u64,
    /// When it began, in seconds since 1970.
    pub at: u64,
    /// How long it took.
    pub millis: u64,
    /// Whether it is known to have succeeded.
    pub success: bool,
    /// How it ended, in words.
    pub text: String,
}

/// A job and what became of its runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobInfo {
    /// Its name; that of a backup begins with `@`.
    pub name: String,
    /// What it does; the values of secret variables are left out.
    pub spec: JobSpec,
    /// When it runs next, in seconds since 1970; `None` when no agent runs.
    pub next: Option<u64>,
    /// Since when it runs, if it does now.
    pub running_since: Option<u64>,
    /// Its last run that ended.
    pub last: Option<JobRun>,
    /// How often it ran.
    pub runs: u64,
    /// How often that failed.
    pub failures: u64,
}
