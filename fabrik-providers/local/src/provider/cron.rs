//! `local.cron`.

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Planned, Proposal, TypeInfo, Undo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::environment::{Mark, find_out, from_env, to_env};
use super::kept;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, exists, kept_by_agent};
use super::values::CommandLine;
use super::written::Of;
use crate::client::Client;
use crate::model::{JobInfo, JobSpec, Task};
use crate::protocol::Kind;

/// Budget of setting a job: what is run before may install and build.
const TIMEOUT: Duration = Duration::from_secs(900);

/// A program that the agent runs at certain times. It never runs twice at once: a time that comes
/// while it still runs is left out, and so is one that comes while no agent runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// What to run: a line for the shell, or a list of a program and its arguments.
    pub command: CommandLine,
    /// When: minute, hour, day of the month, month, day of the week.
    #[schemars(length(min = 9))]
    pub schedule: String,
    /// The time zone of the schedule: `Europe/Berlin`; UTC unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub timezone: Option<String>,
    /// Commands run once, one after another, when the job is set: installing, building. The job
    /// stays as it was when one fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prepare: Vec<CommandLine>,
    /// The folder to run it in, relative to the spec's file.
    #[serde(default = "here")]
    #[schemars(length(min = 1))]
    pub dir: String,
    /// Variables of the program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Names of the variables whose values are secret and masked in logs; found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true, "list": "set"}))]
    pub secret_env: Option<Vec<String>>,
    /// Whether `prepare` is run again when files in `dir` change.
    #[serde(default)]
    pub watch: bool,
    /// With `watch`: names of files and folders that do not count; `*` stands for anything.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub ignore: Vec<String>,
    /// Hash of the watched files; found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
}

fn here() -> String {
    ".".to_owned()
}

/// What is known of a job.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CronOutputs {
    /// Its id.
    pub id: String,
}

/// `local.cron`: a program that runs at certain times.
#[derive(Clone, Copy, Debug)]
pub struct Cron;

impl CronInputs {
    fn wanted(&self, local: &Local) -> Result<JobSpec> {
        let mark = Mark {
            dir: self.dir.clone(),
            watch: self.watch,
            ignore: self.ignore.clone(),
            content: self.content.clone(),
        };
        Ok(JobSpec {
            schedule: self.schedule.clone(),
            timezone: self.timezone.clone().unwrap_or_default(),
            task: Task::Program {
                command: (&self.command).into(),
                prepare: self.prepare.iter().map(Into::into).collect(),
                dir: local.resolve(&self.dir),
                env: to_env(&self.env, self.secret_env.as_ref()),
            },
            spec_hash: serde_json::to_string(&mark)
                .map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?,
        })
    }
}

impl Thing for Cron {
    const KIND: Kind = Kind::Job;
    type Spec = CronInputs;
    type Outputs = CronOutputs;

    fn id(spec: &CronInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let names = picture.status.jobs.iter().map(|job| job.name.as_str());
        names.filter(|name| !name.starts_with('@')).collect()
    }

    fn observe(picture: &Picture, local: &Local, id: &str) -> Option<Seen<Self>> {
        let found = picture.status.jobs.iter().find(|job| job.name == id)?;
        describe(found, local)
    }

    async fn put(
        cx: &Cx,
        local: &Local,
        agent: &Client,
        id: &str,
        spec: &CronInputs,
    ) -> Result<CronOutputs> {
        if !spec.prepare.is_empty() {
            cx.note(format!("preparing `{id}`"));
        }
        let wanted = spec.wanted(local)?;
        agent.put_job(id, &wanted).await.map_err(problem)?;
        Ok(CronOutputs { id: id.to_owned() })
    }

    fn log_of(id: &str) -> Option<Of> {
        Some(Of::Job(id.to_owned()))
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_job(id).await.map_err(problem)
    }
}

kept_by_agent! { Cron, "local.cron", CronInputs, CronOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            // What became of its runs does not come back.
            undo_delete: Undo::Partial,
            ..kept(info)
        }
    }

    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let desired = proposal.desired;
        let (inputs, mut findings) = find_out(local, desired, desired.clone()).await?;
        if proposal.last_sent.is_none() {
            findings.extend(exists::<Self>(local, "job", desired).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }
}

fn describe(info: &JobInfo, local: &Local) -> Option<Observed<CronInputs, CronOutputs>> {
    let Task::Program {
        command,
        prepare,
        dir,
        env,
    } = &info.spec.task
    else {
        return None;
    };
    let mark = Mark::read(&info.spec.spec_hash);
    let shown = from_env(env);
    let timezone = &info.spec.timezone;
    let spec = CronInputs {
        name: info.name.clone(),
        command: command.into(),
        schedule: info.spec.schedule.clone(),
        timezone: (!timezone.is_empty()).then(|| timezone.clone()),
        prepare: prepare.iter().map(Into::into).collect(),
        dir: mark.dir(local, dir),
        env: shown.env,
        secret_env: shown.secret,
        watch: mark.watch,
        ignore: mark.ignore,
        content: mark.content,
    };
    let outputs = CronOutputs {
        id: info.name.clone(),
    };
    let mut observed = Observed::new(spec, outputs);
    observed.hidden = shown.hidden;
    Some(observed)
}
