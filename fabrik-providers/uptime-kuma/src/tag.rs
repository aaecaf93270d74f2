//! `uptime_kuma.tag`.

use std::time::Duration;

use fabrik_core::error::{Effect, Error, ErrorKind, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, TypeInfo, Undo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::client::Kuma;
use crate::values::object_id;

/// A label that monitors can bear, each with a value of its own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TagInputs {
    /// Its name. Uptime Kuma takes the same name twice, but Fabrik does not.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// Its colour, as `#4B5563`.
    #[serde(default = "grey")]
    #[schemars(regex(pattern = "^#[0-9A-Fa-f]{6}$"), extend("x-fabrik" = {"same": "lower"}))]
    pub color: String,
}

fn grey() -> String {
    "#4B5563".to_owned()
}

/// What is known of a tag.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TagOutputs {
    /// Its id.
    pub id: String,
}

/// `uptime_kuma.tag`: a label for monitors.
#[derive(Clone, Copy, Debug)]
pub struct Tag;

type Seen = Observed<TagInputs, TagOutputs>;

impl Tag {
    async fn all(cx: &Cx, kuma: &Kuma) -> Result<Vec<Json>> {
        let answer = kuma.read(cx, "getTags", &[]).await?;
        let mut answer = answer.map_err(|refusal| refusal.error())?;
        match answer["tags"].take() {
            Json::Array(tags) => Ok(tags),
            _ => Err(
                Error::new(ErrorKind::Unavailable, "the server's list of tags is none")
                    .operation("getTags"),
            ),
        }
    }
}

impl Resource for Tag {
    const TYPE: &'static str = "uptime_kuma.tag";
    type Client = Kuma;
    type Spec = TagInputs;
    type Outputs = TagOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // It has no room for a mark.
            lost: Lost::Name,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            // Which monitors bore it does not come back.
            undo_delete: Undo::Partial,
            ..info
        }
    }

    async fn create(&self, cx: &Cx, kuma: &Kuma, spec: &TagInputs) -> Result<Created<TagOutputs>> {
        let tag = json!({"name": spec.name, "color": spec.color});
        let id = match kuma.make(cx, "addTag", &[tag]).await? {
            Ok(answer) => crate::made_id(&answer["tag"]["id"], "addTag")?,
            Err(refusal) => {
                // A refusal is no proof. Nothing of that name was there before.
                let error = refusal.error();
                let all = Self::all(cx, kuma).await;
                let all = all.map_err(|_| error.clone().effect(Effect::Unknown))?;
                let is_ours = |item: &&Json| {
                    item["name"] == spec.name.as_str() && item["color"] == spec.color.as_str()
                };
                let made = all.iter().find(is_ours);
                made.and_then(|item| item["id"].as_u64()).ok_or(error)?
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
    ) -> Vec<ReadAnswer<TagInputs, TagOutputs>> {
        let all = match Self::all(cx, kuma).await {
            Ok(all) => all,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        ids.iter()
            .map(|id| {
                let id = object_id(Self::TYPE, id)?;
                let found = all.iter().find(|tag| tag["id"].as_u64() == Some(id));
                Ok(found.and_then(observed))
            })
            .collect()
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, TagInputs>,
    ) -> Result<TagOutputs> {
        let id = object_id(Self::TYPE, id)?;
        let tag = json!({"id": id, "name": change.spec.name, "color": change.spec.color});
        let answer = kuma.set(cx, "editTag", &[tag]).await?;
        answer.map_err(|refusal| refusal.error())?;
        Ok(outputs(id))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        let id = object_id(Self::TYPE, id)?;
        let answer = kuma.set(cx, "deleteTag", &[json!(id)]).await?;
        answer.map(drop).map_err(|refusal| refusal.error())
    }

    fn keys(&self, _: &Kuma, inputs: &Value) -> Keys {
        crate::named(Self::TYPE, inputs, "name")
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        _: OpId,
        spec: &TagInputs,
    ) -> Result<Option<Found<TagInputs, TagOutputs>>> {
        let all = Self::all(cx, kuma).await?;
        let found = all.iter().find(|tag| tag["name"] == spec.name.as_str());
        Ok(found.and_then(observed).map(crate::unmarked))
    }

    async fn list(&self, cx: &Cx, kuma: &Kuma) -> Result<Vec<Found<TagInputs, TagOutputs>>> {
        let all = Self::all(cx, kuma).await?;
        Ok(all
            .iter()
            .filter_map(observed)
            .map(crate::unmarked)
            .collect())
    }
}

fn outputs(id: u64) -> TagOutputs {
    TagOutputs { id: id.to_string() }
}

impl crate::HasId for TagOutputs {
    fn id(&self) -> &str {
        &self.id
    }
}

fn observed(tag: &Json) -> Option<Seen> {
    let spec = TagInputs {
        name: tag["name"].as_str()?.to_owned(),
        color: tag["color"].as_str()?.to_owned(),
    };
    Some(Observed::new(spec, outputs(tag["id"].as_u64()?)))
}
