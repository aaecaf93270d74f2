//! `coolify.scheduled_task`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, Resource};
use fabrik_core::provider::{Cx, Finding, Lost, OpId, Planned, Proposal, TypeInfo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::body::{Body, Made, flag, number, text, uuid};
use crate::client::{Coolify, Row, rows};
use crate::owner::{self, Kind, Owner};

/// A command that Coolify runs inside an application or service at certain times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduledTaskSpec {
    /// The id of the application it runs in. One of `application` and `service` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub application: Option<String>,
    /// The id of the service it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("x-fabrik" = {"replace": true}))]
    pub service: Option<String>,
    /// Its name; Fabrik wants it to be unique there.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// The command.
    #[schemars(length(min = 1))]
    pub command: String,
    /// When: five cron fields, or a word such as `daily`.
    #[schemars(length(min = 1))]
    pub schedule: String,
    /// The container it runs in, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub container: Option<String>,
    /// Seconds it may take.
    #[serde(default = "five_minutes")]
    #[schemars(range(min = 1))]
    pub timeout: u32,
    /// Whether it runs.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn five_minutes() -> u32 {
    300
}
fn yes() -> bool {
    true
}

/// What is known of a task.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledTaskOutputs {
    /// Its id in Coolify.
    pub uuid: String,
}

/// `coolify.scheduled_task`.
#[derive(Clone, Copy, Debug)]
pub struct ScheduledTask;

const SHAPE: &str = "application/UUID/TASK_UUID or service/UUID/TASK_UUID";
const ROUTES: [&str; 3] = [
    "/applications/{uuid}/scheduled-tasks",
    "/services/{uuid}/scheduled-tasks",
    "",
];
const ONE: [&str; 3] = [
    "/applications/{uuid}/scheduled-tasks/{task}",
    "/services/{uuid}/scheduled-tasks/{task}",
    "",
];

impl ScheduledTaskSpec {
    fn owner(&self) -> Result<Owner> {
        Owner::of([self.application.as_ref(), self.service.as_ref(), None])
    }
}

/// Words for when, besides cron fields.
const WORDS: &[&str] = &[
    "every_minute",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "yearly",
    "@every_minute",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@yearly",
];

/// Refuses what is no time for Coolify.
pub(crate) fn check_schedule(desired: &Value) -> Option<Finding> {
    let text = desired.get("schedule")?.as_str()?;
    let fine = WORDS.contains(&text.trim()) || text.split_whitespace().count() == 5;
    (!fine).then(|| Finding {
        blocking: true,
        message: format!("`{text}` is no schedule"),
        hint: Some(format!(
            "write five cron fields such as `0 3 * * *`, or one of: {}",
            WORDS[..6].join(", ")
        )),
        field: Some(Path::key("schedule")),
        adopt: None,
    })
}

fn body(spec: &ScheduledTaskSpec) -> Body {
    let mut body = Body::default();
    body.set("name", spec.name.trim());
    body.set("command", spec.command.trim());
    body.set("frequency", spec.schedule.trim());
    body.some("container", spec.container.as_deref());
    body.set("timeout", spec.timeout);
    body.set("enabled", spec.enabled);
    body
}

fn observe(owner: &Owner, row: &Row) -> Observed<ScheduledTaskSpec, ScheduledTaskOutputs> {
    let named = |kind: Kind| (owner.kind == kind).then(|| owner.uuid.clone());
    let spec = ScheduledTaskSpec {
        application: named(Kind::Application),
        service: named(Kind::Service),
        name: text(row, "name").unwrap_or_default(),
        command: text(row, "command").unwrap_or_default(),
        schedule: text(row, "frequency").unwrap_or_default(),
        container: text(row, "container"),
        timeout: number(row, "timeout").unwrap_or_else(five_minutes),
        enabled: flag(row, "enabled").unwrap_or(true),
    };
    Observed::new(spec, ScheduledTaskOutputs { uuid: uuid(row) })
}

async fn tasks(cx: &Cx, coolify: &Coolify, owner: &Owner) -> Result<Vec<Row>> {
    let shown: Option<Json> = coolify
        .http
        .get(cx, owner.kind.pick(ROUTES))
        .arg("uuid", &owner.uuid)
        .json_opt()
        .await?;
    Ok(rows(shown.unwrap_or_default()))
}

fn parsed(id: &str) -> Result<(Owner, &str)> {
    let (owner, rest) = Owner::parse(id, 1, SHAPE)?;
    if owner.kind == Kind::Database {
        return Err(
            Error::new(ErrorKind::Invalid, "databases have no scheduled tasks")
                .hint(format!("write it as {SHAPE}")),
        );
    }
    Ok((owner, rest[0]))
}

impl Resource for ScheduledTask {
    const TYPE: &'static str = "coolify.scheduled_task";
    type Client = Coolify;
    type Spec = ScheduledTaskSpec;
    type Outputs = ScheduledTaskOutputs;

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
        spec: &ScheduledTaskSpec,
    ) -> Result<Created<ScheduledTaskOutputs>> {
        let owner = spec.owner()?;
        let request = coolify
            .http
            .post(cx, owner.kind.pick(ROUTES))
            .arg("uuid", &owner.uuid);
        let made: Made = request.body(&body(spec).0).json().await?;
        let uuid = made.uuid()?;
        Ok(Created::new(
            format!("{}/{uuid}", owner.id()),
            ScheduledTaskOutputs { uuid },
        ))
    }

    async fn read(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
    ) -> Result<Option<Observed<ScheduledTaskSpec, ScheduledTaskOutputs>>> {
        let (owner, task) = parsed(id)?;
        let found = tasks(cx, coolify, &owner).await?;
        Ok(found
            .iter()
            .find(|row| uuid(row) == task)
            .map(|row| observe(&owner, row)))
    }

    async fn update(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        id: &str,
        change: &Change<'_, ScheduledTaskSpec>,
    ) -> Result<ScheduledTaskOutputs> {
        let (owner, task) = parsed(id)?;
        let mut body = body(change.spec);
        if change.spec.container.is_none() && change.is_changed("container") {
            body.set("container", Json::Null);
        }
        let request = coolify
            .http
            .patch(cx, owner.kind.pick(ONE))
            .arg("uuid", &owner.uuid)
            .arg("task", task);
        request.body(&body.0).idempotent().unit().await?;
        Ok(ScheduledTaskOutputs {
            uuid: task.to_owned(),
        })
    }

    async fn delete(&self, cx: &Cx, coolify: &Coolify, id: &str) -> Result<()> {
        let (owner, task) = parsed(id)?;
        let request = coolify
            .http
            .delete(cx, owner.kind.pick(ONE))
            .arg("uuid", &owner.uuid)
            .arg("task", task);
        request.ok_if(404).unit().await
    }

    async fn plan(&self, _: &Cx, _: &Coolify, proposal: Proposal<'_>) -> Result<Planned> {
        let mut findings: Vec<Finding> =
            owner::check(proposal.desired, &[Kind::Application, Kind::Service])
                .into_iter()
                .collect();
        findings.extend(check_schedule(proposal.desired));
        let mut inputs = proposal.desired.clone();
        for field in ["name", "command", "schedule"] {
            if let Some(text) = proposal.desired.get(field).and_then(Value::as_str)
                && text != text.trim()
            {
                inputs = inputs.with(&Path::key(field), Value::from(text.trim()));
            }
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        coolify: &Coolify,
        _: OpId,
        spec: &ScheduledTaskSpec,
    ) -> Result<Option<Found<ScheduledTaskSpec, ScheduledTaskOutputs>>> {
        let owner = spec.owner()?;
        let found = tasks(cx, coolify, &owner).await?;
        let row = found
            .iter()
            .find(|row| text(row, "name").as_deref() == Some(spec.name.trim()));
        Ok(row.map(|row| Found {
            id: format!("{}/{}", owner.id(), uuid(row)),
            observed: observe(&owner, row),
            marked: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn schedules_are_words_or_five_fields() {
        let check =
            |text: &str| check_schedule(&fabrik_core::value::from_json(&json!({"schedule": text})));
        for fine in ["daily", "@hourly", "*/5 * * * *"] {
            assert!(check(fine).is_none(), "{fine}");
        }
        let finding = check("at noon").unwrap();
        assert_eq!(finding.message, "`at noon` is no schedule");
    }
}
