//! `local.bucket`.

use fabrik_core::error::Result;
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, TypeInfo, Undo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::kept;
use super::link::{Local, Picture};
use super::problem::problem;
use super::thing::{Seen, Thing, kept_by_agent};
use crate::client::Client;
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

impl Thing for Bucket {
    const KIND: Kind = Kind::Bucket;
    type Spec = BucketInputs;
    type Outputs = BucketOutputs;

    fn id(spec: &BucketInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.buckets.iter();
        found.map(|bucket| bucket.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let mut found = picture.status.buckets.iter();
        found.find(|bucket| bucket.name == id).map(describe)
    }

    async fn put(
        _: &Cx,
        _: &Local,
        agent: &Client,
        id: &str,
        _: &BucketInputs,
    ) -> Result<BucketOutputs> {
        Ok(outputs(&agent.put_bucket(id).await.map_err(problem)?))
    }

    /// Removes the objects too: the engine asks before it deletes what holds data.
    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_bucket(id, true).await.map_err(problem)
    }
}

kept_by_agent! { Bucket, "local.bucket", BucketInputs, BucketOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            updatable: false,
            holds_data: true,
            undo_delete: Undo::Partial,
            ..kept(info)
        }
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
