//! `local.bucket`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::{Change, Created, Found, Observed, ReadAnswer, Resource};
use fabrik_core::provider::{Cx, Keys, TypeInfo, Undo};
use fabrik_core::value::Value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::link::{Local, Picture};
use super::problem::problem;
use super::{group, kept};
use crate::model::BucketInfo;
use crate::protocol::Kind;

/// A folder for objects, kept by the agent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BucketInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
}

/// What is known of a bucket.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BucketOutputs {
    /// The folder that holds its objects.
    pub path: String,
    /// The same as a URL.
    pub endpoint: String,
}

/// `local.bucket`: a folder for objects.
#[derive(Clone, Copy, Debug)]
pub struct Bucket;

impl Bucket {
    fn observe(picture: &Picture, id: &str) -> Option<Observed<BucketInputs, BucketOutputs>> {
        let found = picture
            .status
            .buckets
            .iter()
            .find(|bucket| bucket.name == id)?;
        Some(describe(found))
    }
}

impl Resource for Bucket {
    const TYPE: &'static str = "local.bucket";
    type Client = Local;
    type Spec = BucketInputs;
    type Outputs = BucketOutputs;

    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            updatable: false,
            holds_data: true,
            undo_delete: Undo::Partial,
            ..kept(info)
        }
    }

    async fn create(
        &self,
        cx: &Cx,
        local: &Local,
        spec: &BucketInputs,
    ) -> Result<Created<BucketOutputs>> {
        let agent = local.claimed(cx, Kind::Bucket, &spec.name).await?;
        let made = agent.put_bucket(&spec.name).await.map_err(problem)?;
        Ok(Created::new(made.name.clone(), outputs(&made)))
    }

    async fn read(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
    ) -> Result<Option<Observed<BucketInputs, BucketOutputs>>> {
        Ok(Self::observe(&local.picture().await?, id))
    }

    async fn read_many(
        &self,
        _: &Cx,
        local: &Local,
        ids: &[String],
    ) -> Vec<ReadAnswer<BucketInputs, BucketOutputs>> {
        local.read_many(ids, Self::observe).await
    }

    async fn update(
        &self,
        _: &Cx,
        local: &Local,
        id: &str,
        _: &Change<'_, BucketInputs>,
    ) -> Result<BucketOutputs> {
        let agent = local.agent().await?;
        Ok(outputs(&agent.put_bucket(id).await.map_err(problem)?))
    }

    /// Removes the objects too: the engine asks before it deletes what holds data.
    async fn delete(&self, _: &Cx, local: &Local, id: &str) -> Result<()> {
        match local.agent_with(id, Self::observe).await? {
            Some(agent) => agent.remove_bucket(id, true).await.map_err(problem),
            None => Ok(()),
        }
    }

    fn keys(&self, _: &Local, inputs: &Value) -> Keys {
        group(Self::TYPE, "name", inputs)
    }

    async fn list(&self, _: &Cx, local: &Local) -> Result<Vec<Found<BucketInputs, BucketOutputs>>> {
        let picture = local.picture().await?;
        let found = picture.status.buckets.iter().map(|bucket| Found {
            id: bucket.name.clone(),
            observed: describe(bucket),
            marked: false,
        });
        Ok(found.collect())
    }
}

fn describe(info: &BucketInfo) -> Observed<BucketInputs, BucketOutputs> {
    let spec = BucketInputs {
        name: info.name.clone(),
    };
    Observed::new(spec, outputs(info))
}

fn outputs(info: &BucketInfo) -> BucketOutputs {
    let path = info.path.display().to_string();
    BucketOutputs {
        endpoint: format!("file://{path}"),
        path,
    }
}
