//! `uptime_kuma.monitor`.

mod check;
mod convert;
mod fields;
mod spec;

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::secrets::Secret;
use fabrik_core::value::{Path, Value};
use serde_json::{Value as Json, json};

use crate::client::Kuma;
use crate::mark;
use crate::refusal::Refusal;
use crate::values::object_id;

pub use spec::{BasicAuth, Condition, MonitorInputs, MonitorOutputs, MonitorTag, MonitorType};

/// How often a monitor is looked for whose making was not answered.
const LOOKS: u32 = 4;

/// `uptime_kuma.monitor`: something that is watched.
#[derive(Clone, Copy, Debug)]
pub struct Monitor;

type Seen = Observed<MonitorInputs, MonitorOutputs>;

impl Monitor {
    /// The monitor that an operation made.
    async fn marked(cx: &Cx, kuma: &Kuma, op: OpId) -> Result<Option<Json>> {
        kuma.monitors(cx, |lists| {
            let mut monitors = lists.monitors.iter().flat_map(BTreeMap::values);
            monitors
                .find(|monitor| mark::is_of(monitor["description"].as_str(), op))
                .cloned()
        })
        .await
    }

    async fn all(cx: &Cx, kuma: &Kuma) -> Result<BTreeMap<u64, Json>> {
        kuma.monitors(cx, |lists| lists.monitors.clone().unwrap_or_default())
            .await
    }

    /// Sends `add`, and finds out what it did when that is not certain.
    async fn add(
        cx: &Cx,
        kuma: &Kuma,
        op: OpId,
        spec: &MonitorInputs,
        monitor: Json,
    ) -> Result<u64> {
        match kuma.make(cx, "add", std::slice::from_ref(&monitor)).await {
            Ok(Ok(answer)) => answer["monitorID"].as_u64().ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, "the server gave no id").operation("add")
            }),
            Ok(Err(refusal)) => {
                // The row is written before its links: a refusal may come after it.
                let error = Self::blame(cx, kuma, spec, &refusal).await;
                let Some(made) = Self::marked(cx, kuma, op)
                    .await
                    .map_err(|_| error.clone().effect(Effect::Unknown))?
                else {
                    return Err(error);
                };
                let id = made["id"].as_u64().unwrap_or_default();
                if made["notificationIDList"] == monitor["notificationIDList"] {
                    return Ok(id);
                }
                match kuma.set(cx, "deleteMonitor", &[json!(id)]).await {
                    Ok(Ok(_)) => Err(error),
                    _ => Err(error.effect(Effect::Unknown)),
                }
            }
            Err(error)
                if error.effect_of() == Effect::Unknown && error.kind() != ErrorKind::Cancelled =>
            {
                for look in 0..LOOKS {
                    if let Ok(Some(made)) = Self::marked(cx, kuma, op).await {
                        return Ok(made["id"].as_u64().unwrap_or_default());
                    }
                    cx.sleep(Duration::from_millis(250 << look)).await?;
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// A refusal as an error that names the field, where an id refers to nothing: the server does not
    /// say which.
    async fn blame(cx: &Cx, kuma: &Kuma, spec: &MonitorInputs, refusal: &Refusal) -> Error {
        let error = refusal.error();
        if !refusal.is_reference() {
            return error;
        }
        let field = kuma
            .told(cx, |lists| check::dangling(spec, lists))
            .await
            .ok()
            .flatten();
        match field {
            Some(field) => error.field(Path::key(field)),
            None => error,
        }
    }

    /// What is no part of the row: tags, and whether it runs.
    async fn finish(cx: &Cx, kuma: &Kuma, id: u64, spec: &MonitorInputs) -> Result<()> {
        Self::set_tags(cx, kuma, id, spec).await?;
        if spec.active == Some(false) {
            let answer = kuma.set(cx, "pauseMonitor", &[json!(id)]).await?;
            answer.map_err(|refusal| refusal.error())?;
        }
        Ok(())
    }

    /// Tags are rows of their own that may be there twice, so what is there is looked at first.
    async fn set_tags(cx: &Cx, kuma: &Kuma, id: u64, spec: &MonitorInputs) -> Result<()> {
        let wanted = convert::wanted_tags(spec);
        let there = Self::get(cx, kuma, id).await?.ok_or_else(gone)?;
        let there = convert::tags_of(&there);
        for (tag, value) in wanted.difference(&there) {
            let args = [json!(tag), json!(id), json!(value)];
            let answer = kuma.set(cx, "addMonitorTag", &args).await?;
            answer.map_err(|refusal| refusal.error().field(Path::key("tags")))?;
        }
        for (tag, value) in there.difference(&wanted) {
            let args = [json!(tag), json!(id), json!(value)];
            let answer = kuma.set(cx, "deleteMonitorTag", &args).await?;
            answer.map_err(|refusal| refusal.error())?;
        }
        Ok(())
    }

    /// One monitor, in the form that `editMonitor` takes back.
    async fn get(cx: &Cx, kuma: &Kuma, id: u64) -> Result<Option<Json>> {
        match kuma.read(cx, "getMonitor", &[json!(id)]).await? {
            Ok(mut answer) => Ok(Some(answer["monitor"].take())),
            Err(refusal) => {
                // What is not there is refused with the crash it causes: the list knows.
                if Self::all(cx, kuma).await?.contains_key(&id) {
                    Err(refusal.error())
                } else {
                    Ok(None)
                }
            }
        }
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::NotFound, "the monitor is gone").hint("plan again: it will be made anew")
}

impl Resource for Monitor {
    const TYPE: &'static str = "uptime_kuma.monitor";
    type Client = Kuma;
    type Spec = MonitorInputs;
    type Outputs = MonitorOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            resumable: true,
            // What was seen so far does not come back.
            undo_delete: Undo::Partial,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &MonitorInputs,
    ) -> Result<Created<MonitorOutputs>> {
        let op = cx.op()?;
        let mut monitor = convert::new_monitor(spec, kuma.version(), op)?;
        let mut token = spec.push_token.clone();
        if spec.r#type == MonitorType::Push && token.is_none() {
            let made = new_token()?;
            monitor.insert("pushToken".to_owned(), json!(made.expose()));
            token = Some(made);
        }
        let id = Self::add(cx, kuma, op, spec, Json::Object(monitor)).await?;
        let outputs = convert::outputs(id, token.as_ref(), &kuma.base());
        if spec.tags.as_ref().is_some_and(|tags| !tags.is_empty()) || spec.active == Some(false) {
            cx.made(crate::checkpoint(id, &spec.name)).await?;
            Self::finish(cx, kuma, id, spec)
                .await
                .map_err(|error| error.effect(Effect::Partial))?;
        }
        Ok(Created::new(id.to_string(), outputs))
    }

    async fn resume(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &MonitorInputs,
        checkpoint: &Object,
    ) -> Result<Created<MonitorOutputs>> {
        let id = object_id(Self::TYPE, &checkpoint.id)?;
        let Some(monitor) = Self::get(cx, kuma, id).await? else {
            return self.create(cx, kuma, spec).await;
        };
        Self::finish(cx, kuma, id, spec)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
        let token = monitor["pushToken"].as_str().map(Secret::from);
        let outputs = convert::outputs(id, token.as_ref(), &kuma.base());
        Ok(Created::new(id.to_string(), outputs))
    }

    async fn read(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<Option<Seen>> {
        let mut answers = self.read_many(cx, kuma, &[id.to_owned()]).await;
        answers.pop().unwrap_or(Ok(None))
    }

    async fn read_many(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        ids: &[String],
    ) -> Vec<ReadAnswer<MonitorInputs, MonitorOutputs>> {
        let all = match Self::all(cx, kuma).await {
            Ok(all) => all,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let one = |id: &String| {
            let Some(monitor) = all.get(&object_id(Self::TYPE, id)?) else {
                return Ok(None);
            };
            let seen = convert::observed(monitor, &kuma.base());
            seen.map(Some).ok_or_else(|| {
                let kind = monitor["type"].as_str().unwrap_or_default();
                Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "monitor {id} is of the type `{}`, which is not managed",
                        kind.escape_default()
                    ),
                )
                .hint(
                    "types are http, keyword, json-query, port, ping, dns, push, docker and group",
                )
            })
        };
        ids.iter().map(one).collect()
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, MonitorInputs>,
    ) -> Result<MonitorOutputs> {
        let id = object_id(Self::TYPE, id)?;
        let (spec, prior) = (change.spec, change.prior.as_ref());
        let Some(Json::Object(mut monitor)) = Self::get(cx, kuma, id).await? else {
            return Err(gone());
        };
        let was_active = monitor.get("active").and_then(Json::as_bool);
        convert::changed_monitor(spec, prior, kuma.version(), &mut monitor)?;
        let token = monitor
            .get("pushToken")
            .and_then(Json::as_str)
            .map(Secret::from);
        let answer = kuma
            .set(cx, "editMonitor", &[Json::Object(monitor)])
            .await?;
        if let Err(refusal) = answer {
            return Err(Self::blame(cx, kuma, spec, &refusal).await);
        }
        let partial = |error: Error| error.effect(Effect::Unknown);
        if spec.tags.is_some() || prior.is_some_and(|prior| prior.tags.is_some()) {
            Self::set_tags(cx, kuma, id, spec).await.map_err(partial)?;
        }
        let had_active = prior.is_some_and(|prior| prior.active.is_some());
        if spec.active.is_some() || had_active {
            let wanted = spec.active.unwrap_or(true);
            // A paused group makes it look paused: then it is set whatever it looks like.
            if was_active != Some(wanted) {
                let event = if wanted {
                    "resumeMonitor"
                } else {
                    "pauseMonitor"
                };
                let answer = kuma.set(cx, event, &[json!(id)]).await.map_err(partial)?;
                answer.map_err(|refusal| partial(refusal.error()))?;
            }
        }
        Ok(convert::outputs(id, token.as_ref(), &kuma.base()))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        // Deleting what is not there is answered as if it had been.
        let id = object_id(Self::TYPE, id)?;
        let answer = kuma.set(cx, "deleteMonitor", &[json!(id)]).await?;
        answer.map(drop).map_err(|refusal| refusal.error())
    }

    fn keys(&self, _: &Kuma, _: &Value) -> Keys {
        Keys {
            read_group: Some(Self::TYPE.into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, cx: &Cx, kuma: &Kuma, proposal: Proposal<'_>) -> Result<Planned> {
        let mut findings = check::findings(proposal.desired, kuma.version());
        let names = proposal.desired.get("notifications");
        let (inputs, unknown) = match names {
            Some(_) => {
                kuma.known(cx, |lists| check::with_ids(proposal.desired, lists))
                    .await?
            }
            None => (proposal.desired.clone(), Vec::new()),
        };
        findings.extend(unknown);
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        op: OpId,
        _: &MonitorInputs,
    ) -> Result<Option<Found<MonitorInputs, MonitorOutputs>>> {
        let Some(monitor) = Self::marked(cx, kuma, op).await? else {
            return Ok(None);
        };
        Ok(
            convert::observed(&monitor, &kuma.base()).map(|observed| Found {
                id: observed.outputs.id.clone(),
                observed,
                marked: true,
            }),
        )
    }

    async fn list(
        &self,
        cx: &Cx,
        kuma: &Kuma,
    ) -> Result<Vec<Found<MonitorInputs, MonitorOutputs>>> {
        let base = kuma.base();
        let all = Self::all(cx, kuma).await?;
        let seen = all
            .values()
            .filter_map(|monitor| convert::observed(monitor, &base));
        Ok(seen
            .map(|observed| Found {
                id: observed.outputs.id.clone(),
                observed,
                marked: false,
            })
            .collect())
    }
}

/// 32 letters and digits, as the web interface makes them.
fn new_token() -> Result<Secret> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut token = String::with_capacity(32);
    let mut bytes = [0_u8; 64];
    while token.len() < 32 {
        getrandom::fill(&mut bytes).map_err(|error| {
            Error::new(ErrorKind::Io, "the system gives no random bytes")
                .cause(error)
                .effect(Effect::None)
        })?;
        // Four times 62 is 248: the rest would make some letters likelier.
        let picked = bytes.iter().filter(|byte| **byte < 248);
        token.extend(picked.map(|byte| char::from(LETTERS[usize::from(byte % 62)])));
    }
    token.truncate(32);
    Ok(Secret::from(token))
}
