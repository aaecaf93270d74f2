//! Apps of kind `cron`: Coolify runs commands by schedule inside containers that stay up, so the
//! image stays up doing nothing, and a task runs the command in it.

use fabrik_compose::{Command, File, Given, Healthcheck, Mount, Service, Volume, escape};
use fabrik_core::error::Result;
use fabrik_core::provider::typed::Resource as _;
use fabrik_core::role::Parts;
use fabrik_core::value::Value;

use super::stack::{self, known};
use super::{Inputs, at, invalid, required};
use crate::scheduled_task::ScheduledTask;

/// The container that the command runs in.
const CONTAINER: &str = "job";
/// Seconds a run may take.
const TIMEOUT: i64 = 3600;

pub(super) fn expand(intent: &Value, own: &Value, parts: &mut Parts) -> Result<Value> {
    let name = required(intent, "name")?;
    if at(intent, "image").is_none() {
        return Err(invalid(
            "source",
            "Coolify runs a schedule inside a container that stays up, and what it builds starts its own command",
        )
        .hint("build an image and name it with `image`, or give the service it belongs to a `coolify.scheduled_task`"));
    }
    for field in ["hooks", "files"] {
        if at(intent, field).is_some() {
            let text = format!("Coolify has no `{field}` for what runs by schedule");
            return Err(invalid(field, text).hint("put it into the image"));
        }
    }
    let command = line(intent)?;
    let mut service = Service {
        restart: Some("unless-stopped".to_owned()),
        init: Some(Given::Is(true)),
        // In every image that has a shell for the command.
        entrypoint: Some(Command::list(["tail", "-f", "/dev/null"])),
        healthcheck: Some(Healthcheck {
            disable: Some(Given::Is(true)),
            ..Healthcheck::default()
        }),
        deploy: stack::limits(intent)?,
        ..Service::of_image(escape(&known(intent, "image")?.unwrap_or_default()))
    };
    let mut file = File::default();
    volumes(intent, &mut service, &mut file)?;
    let mut variables = Inputs::default();
    let env = at(intent, "env");
    for (variable, value) in env.as_ref().and_then(Value::as_map).into_iter().flatten() {
        variables.some(variable, Some(value));
        let filled_in = format!("${{{variable}}}");
        service
            .environment
            .insert(variable.to_string(), Some(filled_in));
    }
    file.services.insert(CONTAINER.to_owned(), service);
    let made = stack::declare(&name, own, &file, None, variables, parts)?;

    let id = Parts::output(&made.service, "uuid");
    let task = Value::map([
        ("service", id.clone()),
        ("name", name),
        ("command", command),
        ("schedule", required(intent, "schedule")?),
        ("container", Value::from(CONTAINER)),
        ("timeout", Value::from(TIMEOUT)),
    ]);
    let task = parts.add("task", ScheduledTask::TYPE, task)?;
    if let Some(part) = parts.part_mut(&task) {
        // A time that comes before the container is up would find nothing to run in.
        part.depends_on.push(made.deployment.clone());
    }
    Ok(Value::map([
        ("id", id),
        ("logs", Value::from(made.service.as_str())),
    ]))
}

/// The command as a line for the shell in which Coolify runs it.
fn line(intent: &Value) -> Result<Value> {
    let command = at(intent, "command").ok_or_else(|| {
        invalid(
            "command",
            "Coolify has to be told what to run: the image's own command is not known to it",
        )
        .hint("write the image's command as `command`")
    })?;
    let Some(words) = command.as_list() else {
        return Ok(command);
    };
    let quoted = words.iter().map(|word| {
        let text = word.as_str().ok_or_else(|| {
            invalid(
                "command",
                "the words of `command` must be known when the stack is planned",
            )
            .hint("write it as one text")
        })?;
        let is_plain = !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_-./=:,@%+".contains(c));
        Ok(if is_plain {
            text.to_owned()
        } else {
            format!("'{}'", text.replace('\'', r"'\''"))
        })
    });
    let words: Vec<String> = quoted.collect::<Result<_>>()?;
    Ok(Value::from(words.join(" ")))
}

fn volumes(intent: &Value, service: &mut Service, file: &mut File) -> Result<()> {
    let volumes = at(intent, "volumes");
    let volumes = volumes
        .as_ref()
        .and_then(Value::as_list)
        .unwrap_or_default();
    for (index, volume) in volumes.iter().enumerate() {
        let target = required(volume, "path")?;
        let text = |value: &Value| value.as_str().map(escape);
        let mut mount = Mount {
            kind: "volume".to_owned(),
            target: text(&target).unwrap_or_default(),
            ..Mount::default()
        };
        if let Some(folder) = at(volume, "source") {
            mount.kind = String::from("bind");
            mount.source = text(&folder);
        } else {
            let own = at(volume, "name").and_then(|name| text(&name));
            let own = own.unwrap_or_else(|| format!("data{}", index + 1));
            file.volumes.insert(own.clone(), Volume::default());
            mount.source = Some(own);
        }
        service.volumes.push(mount);
    }
    Ok(())
}
