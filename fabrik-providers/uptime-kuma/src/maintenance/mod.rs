//! `uptime_kuma.maintenance`.

mod convert;
mod spec;

use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, Object, OpId, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::{Path, Value};
use serde_json::{Map, Value as Json, json};

use crate::client::Kuma;
use crate::mark;
use crate::values::{Id, object_id};

pub use spec::{Day, MaintenanceInputs, MaintenanceOutputs, Strategy, TimeRange, Weekday};

/// How often a maintenance is looked for whose making was not answered.
const LOOKS: u32 = 4;

/// `uptime_kuma.maintenance`: a time during which monitors alert nobody.
#[derive(Clone, Copy, Debug)]
pub struct Maintenance;

type Seen = Observed<MaintenanceInputs, MaintenanceOutputs>;

impl Maintenance {
    async fn all(cx: &Cx, kuma: &Kuma) -> Result<BTreeMap<u64, Json>> {
        kuma.maintenances(cx, |lists| lists.maintenances.clone().unwrap_or_default())
            .await
    }

    async fn marked(cx: &Cx, kuma: &Kuma, op: OpId) -> Result<Option<Json>> {
        let all = Self::all(cx, kuma).await?;
        let mut all = all.into_values();
        Ok(all.find(|item| mark::is_of(item["description"].as_str(), op)))
    }

    /// With what it covers, which is not in the list.
    async fn observed(cx: &Cx, kuma: &Kuma, item: &Json) -> Result<Option<Seen>> {
        let Some(id) = item["id"].as_u64() else {
            return Ok(None);
        };
        let linked = |answer: &Json, key: &str| -> Vec<u64> {
            let items = answer[key].as_array().into_iter().flatten();
            items.filter_map(|item| item["id"].as_u64()).collect()
        };
        let answer = kuma.read(cx, "getMonitorMaintenance", &[json!(id)]).await?;
        let answer = answer.map_err(|refusal| refusal.error())?;
        let monitors = linked(&answer, "monitors").into_iter().map(Id).collect();
        let answer = kuma
            .read(cx, "getMaintenanceStatusPage", &[json!(id)])
            .await?;
        let answer = answer.map_err(|refusal| refusal.error())?;
        let mut pages = Vec::new();
        for page in linked(&answer, "statusPages") {
            pages.extend(kuma.slug_of(cx, page).await?);
        }
        let spec = convert::observed(item, monitors, pages);
        Ok(spec.map(|spec| Observed::new(spec, outputs(id))))
    }

    async fn add(cx: &Cx, kuma: &Kuma, op: OpId, item: Json) -> Result<u64> {
        match kuma.make(cx, "addMaintenance", &[item]).await {
            Ok(Ok(answer)) => crate::made_id(&answer["maintenanceID"], "addMaintenance"),
            Ok(Err(refusal)) => {
                // A refusal is no proof: ask what is there.
                let error = refusal.error();
                let made = Self::marked(cx, kuma, op).await;
                let made = made.map_err(|_| error.clone().effect(Effect::Unknown))?;
                made.and_then(|made| made["id"].as_u64()).ok_or(error)
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

    /// What it covers. Each list is replaced as a whole.
    async fn link(
        cx: &Cx,
        kuma: &Kuma,
        id: u64,
        spec: &MaintenanceInputs,
        prior: Option<&MaintenanceInputs>,
    ) -> Result<()> {
        if spec.monitors.is_some() || prior.is_some_and(|prior| prior.monitors.is_some()) {
            let monitors = spec.monitors.iter().flatten();
            let monitors: Vec<Json> = monitors.map(|monitor| json!({"id": monitor.0})).collect();
            let args = [json!(id), json!(monitors)];
            let answer = kuma.set(cx, "addMonitorMaintenance", &args).await?;
            answer.map_err(|refusal| refusal.error().field(Path::key("monitors")))?;
        }
        if spec.status_pages.is_some() || prior.is_some_and(|prior| prior.status_pages.is_some()) {
            let mut pages = Vec::new();
            for slug in spec.status_pages.iter().flatten() {
                let page = kuma.page(cx, slug).await?.ok_or_else(|| {
                    Error::new(
                        ErrorKind::Invalid,
                        format!("there is no status page `{}`", slug.escape_default()),
                    )
                    .field(Path::key("status_pages"))
                    .hint("refer to a status page of this stack by `${resources.NAME.id}`")
                })?;
                pages.push(json!({"id": page["id"]}));
            }
            let args = [json!(id), json!(pages)];
            let answer = kuma.set(cx, "addMaintenanceStatusPage", &args).await?;
            answer.map_err(|refusal| refusal.error().field(Path::key("status_pages")))?;
        }
        Ok(())
    }

    async fn one(cx: &Cx, kuma: &Kuma, id: u64) -> Result<Map<String, Json>> {
        match Self::all(cx, kuma).await?.remove(&id) {
            Some(Json::Object(item)) => Ok(item),
            _ => Err(Error::new(ErrorKind::NotFound, "the maintenance is gone")
                .hint("plan again: it will be made anew")),
        }
    }
}

impl Resource for Maintenance {
    const TYPE: &'static str = "uptime_kuma.maintenance";
    type Client = Kuma;
    type Spec = MaintenanceInputs;
    type Outputs = MaintenanceOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            resumable: true,
            undo_delete: Undo::Full,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &MaintenanceInputs,
    ) -> Result<Created<MaintenanceOutputs>> {
        let op = cx.op()?;
        let mut wanted = Map::new();
        convert::set(spec, None, Some(&op.to_string()), &mut wanted);
        let id = Self::add(cx, kuma, op, Json::Object(wanted)).await?;
        if spec.monitors.is_some() || spec.status_pages.is_some() {
            cx.made(crate::checkpoint(id, &spec.title)).await?;
            Self::link(cx, kuma, id, spec, None)
                .await
                .map_err(|error| error.effect(Effect::Partial))?;
        }
        Ok(Created::new(id.to_string(), outputs(id)))
    }

    async fn resume(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &MaintenanceInputs,
        checkpoint: &Object,
    ) -> Result<Created<MaintenanceOutputs>> {
        let id = object_id(Self::TYPE, &checkpoint.id)?;
        if !Self::all(cx, kuma).await?.contains_key(&id) {
            return self.create(cx, kuma, spec).await;
        }
        Self::link(cx, kuma, id, spec, None)
            .await
            .map_err(|error| error.effect(Effect::Partial))?;
        Ok(Created::new(id.to_string(), outputs(id)))
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
    ) -> Vec<ReadAnswer<MaintenanceInputs, MaintenanceOutputs>> {
        let all = match Self::all(cx, kuma).await {
            Ok(all) => all,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        let mut answers = Vec::with_capacity(ids.len());
        for id in ids {
            answers.push(match object_id(Self::TYPE, id).map(|id| all.get(&id)) {
                Ok(Some(item)) => Self::observed(cx, kuma, item).await,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            });
        }
        answers
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, MaintenanceInputs>,
    ) -> Result<MaintenanceOutputs> {
        let id = object_id(Self::TYPE, id)?;
        let mut item = Self::one(cx, kuma, id).await?;
        let was_active = item.get("active").and_then(Json::as_bool);
        convert::set(change.spec, change.prior.as_ref(), None, &mut item);
        let is_active = item.get("active").and_then(Json::as_bool);
        let answer = kuma
            .set(cx, "editMaintenance", &[Json::Object(item)])
            .await?;
        answer.map_err(|refusal| refusal.error())?;
        let partial = |error: Error| error.effect(Effect::Unknown);
        if was_active != is_active {
            // The edit writes it down; these start and stop it.
            let event = if is_active == Some(true) {
                "resumeMaintenance"
            } else {
                "pauseMaintenance"
            };
            let answer = kuma.set(cx, event, &[json!(id)]).await.map_err(partial)?;
            answer.map_err(|refusal| partial(refusal.error()))?;
        }
        Self::link(cx, kuma, id, change.spec, change.prior.as_ref())
            .await
            .map_err(partial)?;
        Ok(outputs(id))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        // Deleting what is not there is answered as if it had been.
        let id = object_id(Self::TYPE, id)?;
        let answer = kuma.set(cx, "deleteMaintenance", &[json!(id)]).await?;
        answer.map(drop).map_err(|refusal| refusal.error())
    }

    fn keys(&self, _: &Kuma, _: &Value) -> Keys {
        Keys {
            read_group: Some(Self::TYPE.into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &Kuma, proposal: Proposal<'_>) -> Result<Planned> {
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: convert::findings(proposal.desired),
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        op: OpId,
        _: &MaintenanceInputs,
    ) -> Result<Option<Found<MaintenanceInputs, MaintenanceOutputs>>> {
        let Some(item) = Self::marked(cx, kuma, op).await? else {
            return Ok(None);
        };
        let seen = Self::observed(cx, kuma, &item).await?;
        Ok(seen.map(|observed| Found {
            marked: true,
            ..crate::unmarked(observed)
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        kuma: &Kuma,
    ) -> Result<Vec<Found<MaintenanceInputs, MaintenanceOutputs>>> {
        let mut found = Vec::new();
        for item in Self::all(cx, kuma).await?.values() {
            found.extend(Self::observed(cx, kuma, item).await?.map(crate::unmarked));
        }
        Ok(found)
    }
}

fn outputs(id: u64) -> MaintenanceOutputs {
    MaintenanceOutputs { id: id.to_string() }
}

impl crate::HasId for MaintenanceOutputs {
    fn id(&self) -> &str {
        &self.id
    }
}
