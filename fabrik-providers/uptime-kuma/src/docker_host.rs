//! `uptime_kuma.docker_host`.

use std::time::Duration;

use fabrik_core::error::{Effect, Result};
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, Lost, OpId, TypeInfo, Undo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::client::Kuma;
use crate::values::object_id;

/// How the server reaches a docker daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DockerConnection {
    /// By a socket file.
    Socket,
    /// Over the network.
    Tcp,
}

/// A docker daemon that the server can ask about containers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DockerHostInputs {
    /// Its name. Uptime Kuma takes the same name twice, but Fabrik does not.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
    /// How the server reaches it.
    pub connection: DockerConnection,
    /// Where it is: `/var/run/docker.sock`, or `http://HOST:2375`.
    #[schemars(length(min = 1, max = 255))]
    pub daemon: String,
}

/// What is known of a docker host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DockerHostOutputs {
    /// Its id.
    pub id: String,
}

/// `uptime_kuma.docker_host`: a docker daemon.
#[derive(Clone, Copy, Debug)]
pub struct DockerHost;

type Seen = Observed<DockerHostInputs, DockerHostOutputs>;

impl DockerHost {
    async fn all(cx: &Cx, kuma: &Kuma) -> Result<Vec<Json>> {
        kuma.told(cx, |lists| lists.docker_hosts.clone().unwrap_or_default())
            .await
    }
}

impl Resource for DockerHost {
    const TYPE: &'static str = "uptime_kuma.docker_host";
    type Client = Kuma;
    type Spec = DockerHostInputs;
    type Outputs = DockerHostOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            // It has no room for a mark.
            lost: Lost::Name,
            settle: Duration::from_secs(2),
            timeout: crate::TIMEOUT,
            // Monitors lose it when it is deleted.
            undo_delete: Undo::Partial,
            ..info
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        spec: &DockerHostInputs,
    ) -> Result<Created<DockerHostOutputs>> {
        let args = [there(spec), Json::Null];
        let id = match kuma.make(cx, "addDockerHost", &args).await? {
            Ok(answer) => crate::made_id(&answer["id"], "addDockerHost")?,
            Err(refusal) => {
                // A refusal is no proof. Nothing of that name was there before.
                let error = refusal.error();
                let all = Self::all(cx, kuma).await;
                let all = all.map_err(|_| error.clone().effect(Effect::Unknown))?;
                let is_ours = |item: &&Json| {
                    item["name"] == spec.name.as_str()
                        && item["dockerDaemon"] == spec.daemon.as_str()
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
    ) -> Vec<ReadAnswer<DockerHostInputs, DockerHostOutputs>> {
        let all = match Self::all(cx, kuma).await {
            Ok(all) => all,
            Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
        };
        ids.iter()
            .map(|id| {
                let id = object_id(Self::TYPE, id)?;
                let found = all.iter().find(|host| host["id"].as_u64() == Some(id));
                Ok(found.and_then(observed))
            })
            .collect()
    }

    async fn update(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        id: &str,
        change: &Change<'_, DockerHostInputs>,
    ) -> Result<DockerHostOutputs> {
        let id = object_id(Self::TYPE, id)?;
        let args = [there(change.spec), json!(id)];
        let answer = kuma.set(cx, "addDockerHost", &args).await?;
        answer.map_err(|refusal| refusal.error())?;
        Ok(outputs(id))
    }

    async fn delete(&self, cx: &Cx, kuma: &Kuma, id: &str) -> Result<()> {
        let number = object_id(Self::TYPE, id)?;
        let Err(refused) = kuma.set(cx, "deleteDockerHost", &[json!(number)]).await? else {
            return Ok(());
        };
        // What is not there is refused.
        match self.read(cx, kuma, id).await? {
            None => Ok(()),
            Some(_) => Err(refused.error()),
        }
    }

    fn keys(&self, _: &Kuma, inputs: &Value) -> Keys {
        crate::named(Self::TYPE, inputs, "name")
    }

    async fn locate(
        &self,
        cx: &Cx,
        kuma: &Kuma,
        _: OpId,
        spec: &DockerHostInputs,
    ) -> Result<Option<Found<DockerHostInputs, DockerHostOutputs>>> {
        let all = Self::all(cx, kuma).await?;
        let found = all.iter().find(|host| host["name"] == spec.name.as_str());
        Ok(found.and_then(observed).map(crate::unmarked))
    }

    async fn list(
        &self,
        cx: &Cx,
        kuma: &Kuma,
    ) -> Result<Vec<Found<DockerHostInputs, DockerHostOutputs>>> {
        let all = Self::all(cx, kuma).await?;
        Ok(all
            .iter()
            .filter_map(observed)
            .map(crate::unmarked)
            .collect())
    }
}

fn there(spec: &DockerHostInputs) -> Json {
    json!({"name": spec.name, "dockerType": spec.connection, "dockerDaemon": spec.daemon})
}

fn outputs(id: u64) -> DockerHostOutputs {
    DockerHostOutputs { id: id.to_string() }
}

impl crate::HasId for DockerHostOutputs {
    fn id(&self) -> &str {
        &self.id
    }
}

fn observed(host: &Json) -> Option<Seen> {
    let spec = DockerHostInputs {
        name: host["name"].as_str()?.to_owned(),
        connection: serde_json::from_value(host["dockerType"].clone()).ok()?,
        daemon: host["dockerDaemon"].as_str()?.to_owned(),
    };
    Some(Observed::new(spec, outputs(host["id"].as_u64()?)))
}
