//! `cloudflare.cache_purge`.

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::Cx;
use fabrik_core::provider::typed::Action;
use fabrik_core::value::Path;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::client::Cloudflare;

/// How many files, hosts, tags or prefixes one request takes.
const PER_REQUEST: usize = 30;

/// Empties the cache of a zone: all of it, or what is named. Exactly one of `everything`, `files`,
/// `hosts`, `tags` and `prefixes` is set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CachePurgeInputs {
    /// The zone, by name or id.
    #[schemars(length(min = 1))]
    pub zone: String,
    /// Everything.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everything: bool,
    /// These URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub files: Vec<String>,
    /// What these hosts answered. Not on every plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub hosts: Vec<String>,
    /// What carries these tags. Not on every plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub tags: Vec<String>,
    /// What lies below these (`example.com/images`). Not on every plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-fabrik" = {"list": "set"}))]
    pub prefixes: Vec<String>,
}

/// What came of a purge.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CachePurgeOutputs {
    /// How many requests it took.
    pub requests: usize,
}

/// `cloudflare.cache_purge`: empties the cache of a zone.
#[derive(Clone, Copy, Debug)]
pub struct CachePurge;

impl CachePurgeInputs {
    /// The bodies of the requests.
    fn bodies(&self) -> Result<Vec<Json>> {
        let lists = [
            ("files", &self.files),
            ("hosts", &self.hosts),
            ("tags", &self.tags),
            ("prefixes", &self.prefixes),
        ];
        let used: Vec<&(&str, &Vec<String>)> =
            lists.iter().filter(|(_, list)| !list.is_empty()).collect();
        match (self.everything, used.as_slice()) {
            (true, []) => Ok(vec![json!({"purge_everything": true})]),
            (false, [(name, list)]) => {
                Ok(list.chunks(PER_REQUEST).map(|part| json!({*name: part})).collect())
            }
            (false, []) => Err(Error::new(ErrorKind::Invalid, "it is not said what to purge")
                .field(Path::key("everything"))
                .hint("set `everything: true`, or one of `files`, `hosts`, `tags`, `prefixes`")),
            _ => Err(Error::new(ErrorKind::Invalid, "one purge is of one kind only")
                .field(Path::key(if self.everything { "everything" } else { used[0].0 }))
                .hint("keep one of `everything`, `files`, `hosts`, `tags`, `prefixes`; make a purge of its own for each other")),
        }
    }
}

impl Action for CachePurge {
    const TYPE: &'static str = "cloudflare.cache_purge";
    type Client = Cloudflare;
    type Spec = CachePurgeInputs;
    type Outputs = CachePurgeOutputs;

    async fn run(
        &self,
        cx: &Cx,
        client: &Cloudflare,
        spec: &CachePurgeInputs,
    ) -> Result<CachePurgeOutputs> {
        let bodies = spec.bodies()?;
        let zone = client.zone(cx, &spec.zone).await?;
        for body in &bodies {
            let purge = client.http.post(cx, "/zones/{zone}/purge_cache");
            // What is purged twice is purged.
            purge
                .arg("zone", &zone.id)
                .body(body)
                .idempotent()
                .unit()
                .await?;
        }
        Ok(CachePurgeOutputs {
            requests: bodies.len(),
        })
    }
}
