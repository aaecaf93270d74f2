//! `uptime_kuma.notification`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::Value;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::client::Kuma;
use crate::mark;
use crate::values::{object_id, stop};

/// Keys of a stored configuration that are no settings of the kind of notification.
const OWN: &[&str] = &[
    "applyExisting",
    "id",
    "isDefault",
    "name",
    "type",
    mark::KEY,
];

/// A way to tell somebody: a webhook, mail, a chat.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotificationInputs {
    /// Its name. Names need not be unique.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Its kind, as Uptime Kuma calls it: `webhook`, `smtp`, `slack`, `telegram`, `ntfy`.
    #[schemars(length(min = 1))]
    pub r#type: String,
    /// Whether the web interface selects it for new monitors.
    #[schemars(extend("default" = false))]
    pub is_default: Option<bool>,
    /// Settings of the kind, by Uptime Kuma's names: `webhookURL`, `webhookContentType`. Their
    /// values are never shown, since they may hold credentials.
    #[serde(default)]
    pub config: BTreeMap<String, Setting>,
}

/// A setting of a notification: a text, number, truth value, list or map.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Setting(pub Json);

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl JsonSchema for Setting {
    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A text, number, truth value, list or map.",
            "x-fabrik": {"sensitive": true},
        })
    }
}

/// What is known of a notification.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NotificationOutputs {
    /// Its id.
    pub id: String,
}

/// `uptime_kuma.notification`: a way to tell somebody.
#[derive(Clone, Copy, Debug)]
pub struct Notification;

type Seen = Observed<NotificationInputs, NotificationOutputs>;

impl Notification {
    async fn all(cx: &Cx, kuma: &Kuma) -> Result<Vec<Json>> {
        kuma.told(cx, |lists| lists.notifications.clone().unwrap_or_default())
            .await
    }

    async fn marked(cx: &Cx, kuma: &Kuma, op: OpId) -> Result<Option<Json>> {
        let mark = op.to_string();
        let all = Self::all(cx, kuma).await?;
        let is_ours = |item: &Json| config_of(item).get(mark::KEY) == Some(&json!(mark));
        Ok(all.into_iter().find(is_ours))
    }
}

impl Resource for Notification {
    const TYPE: &'static str = "uptime_kuma.notification";
    type Client = Kuma;
    type Spec = NotificationInputs;
    type Outputs = NotificationOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            lost: Lost::Mark,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            // Which monitors use it does not come back.
            undo_delete: Undo::Partial,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &NotificationInputs,
    ) -> Result<Created<NotificationOutputs>> {
        let op = cx.op()?;
        let mut wanted = Map::new();
        set(spec, None, &mut wanted);
        wanted.insert("applyExisting".to_owned(), json!(false));
        wanted.insert(mark::KEY.to_owned(), json!(op.to_string()));
        let args = [Json::Object(wanted), Json::Null];
        let id = match kuma.make(cx, "addNotification", &args).await? {
            Ok(answer) => crate::made_id(&answer["id"], "addNotification")?,
            Err(refusal) => {
                // A refusal is no proof: ask what is there.
                let error = refusal.error();
                let made = Self::marked(cx, kuma, op).await;
                let made = made.map_err(|_| error.clone().effect(Effect::Unknown))?;
                made.and_then(|made| made["id"].as_u64()).ok_or(error)?
            }
        };
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
    ) -> Vec<ReadAnswer<NotificationInputs, NotificationOutputs>> {
        let all = match Self::all(cx, kuma).await {
            Ok(all) => all,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        ids.iter()
            .map(|id| {
                let id = object_id(Self::TYPE, id)?;
                let found = all.iter().find(|item| item["id"].as_u64() == Some(id));
                Ok(found.and_then(observed))
            })
            .collect()
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, NotificationInputs>,
    ) -> Result<NotificationOutputs> {
        let id = object_id(Self::TYPE, id)?;
        let all = Self::all(cx, kuma).await?;
        let Some(there) = all.iter().find(|item| item["id"].as_u64() == Some(id)) else {
            return Err(Error::new(ErrorKind::NotFound, "the notification is gone")
                .hint("plan again: it will be made anew"));
        };
        // It is replaced as a whole: what Fabrik never set is sent back as it is.
        let mut wanted = config_of(there);
        set(change.spec, change.prior.as_ref(), &mut wanted);
        wanted.insert("applyExisting".to_owned(), json!(false));
        if !wanted.contains_key("isDefault") {
            wanted.insert("isDefault".to_owned(), there["isDefault"].clone());
        }
        let args = [Json::Object(wanted), json!(id)];
        let answer = kuma.set(cx, "addNotification", &args).await?;
        answer.map_err(|refusal| refusal.error())?;
        Ok(outputs(id))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        let number = object_id(Self::TYPE, id)?;
        let Err(refused) = kuma.set(cx, "deleteNotification", &[json!(number)]).await? else {
            return Ok(());
        };
        // What is not there is refused.
        match self.read(cx, kuma, id).await? {
            None => Ok(()),
            Some(_) => Err(refused.error()),
        }
    }

    fn keys(&self, _: &Kuma, _: &Value) -> Keys {
        Keys {
            read_group: Some(Self::TYPE.into()),
            ..Keys::default()
        }
    }

    async fn plan(&self, _: &Cx, _: &Kuma, proposal: Proposal<'_>) -> Result<Planned> {
        let config = proposal.desired.get("config").and_then(Value::as_map);
        let is_there = |key: &str| config.is_some_and(|config| config.contains_key(key));
        let findings = OWN.iter().filter(|key| is_there(key)).map(|key| {
            stop(
                &format!("config.{key}"),
                format!("`{key}` is no setting of a kind of notification"),
                "set `name`, `type` and `is_default` beside `config`; nothing else is needed",
            )
        });
        Ok(Planned {
            inputs: proposal.desired.clone(),
            findings: findings.collect(),
            ..Planned::default()
        })
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        op: OpId,
        _: &NotificationInputs,
    ) -> Result<Option<Found<NotificationInputs, NotificationOutputs>>> {
        let found = Self::marked(cx, kuma, op).await?;
        Ok(found.as_ref().and_then(observed).map(|observed| Found {
            marked: true,
            ..crate::unmarked(observed)
        }))
    }

    async fn list(
        &self,
        cx: &Cx,
        kuma: &Kuma,
    ) -> Result<Vec<Found<NotificationInputs, NotificationOutputs>>> {
        let all = Self::all(cx, kuma).await?;
        Ok(all
            .iter()
            .filter_map(observed)
            .map(crate::unmarked)
            .collect())
    }
}

/// Writes what is wanted over what is there, and takes away what was set before and is no longer.
fn set(
    spec: &NotificationInputs,
    prior: Option<&NotificationInputs>,
    there: &mut Map<String, Json>,
) {
    for key in prior.iter().flat_map(|prior| prior.config.keys()) {
        if !spec.config.contains_key(key) {
            there.remove(key);
        }
    }
    there.insert("name".to_owned(), json!(spec.name));
    there.insert("type".to_owned(), json!(spec.r#type));
    if spec.is_default.is_some() || prior.is_none_or(|prior| prior.is_default.is_some()) {
        there.insert(
            "isDefault".to_owned(),
            json!(spec.is_default.unwrap_or_default()),
        );
    }
    let settings = spec.config.iter();
    there.extend(settings.map(|(key, setting)| (key.clone(), setting.0.clone())));
}

/// The stored configuration: JSON in a text, with everything that was ever sent.
fn config_of(item: &Json) -> Map<String, Json> {
    let text = item["config"].as_str().unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

fn outputs(id: u64) -> NotificationOutputs {
    NotificationOutputs { id: id.to_string() }
}

impl crate::HasId for NotificationOutputs {
    fn id(&self) -> &str {
        &self.id
    }
}

fn observed(item: &Json) -> Option<Seen> {
    let config = config_of(item);
    let spec = NotificationInputs {
        name: item["name"].as_str()?.to_owned(),
        r#type: config.get("type")?.as_str()?.to_owned(),
        // A truth value here, a number there.
        is_default: Some(
            item["isDefault"].as_bool() == Some(true) || item["isDefault"].as_u64() == Some(1),
        ),
        config: config
            .into_iter()
            .filter(|(key, value)| !OWN.contains(&key.as_str()) && !value.is_null())
            .map(|(key, value)| (key, Setting(value)))
            .collect(),
    };
    Some(Observed::new(spec, outputs(item["id"].as_u64()?)))
}
