//! `local.static_site`.

use std::time::Duration;

use fabrik_core::error::{Error, ErrorKind, Result};
use fabrik_core::provider::typed::Observed;
use fabrik_core::provider::{Cx, Finding, Planned, Proposal, TypeInfo, Undo};
use fabrik_core::value::{Path, Value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::link::{Local, Picture, blocking};
use super::problem::problem;
use super::thing::{Seen, Thing, exists, kept_by_agent};
use super::{kept, must_run, yes};
use crate::client::Client;
use crate::error::Error as AgentError;
use crate::hash::hash_dir;
use crate::model::{SiteInfo, SiteSpec};
use crate::protocol::Kind;

/// Budget of a deployment, with room for copying a large folder.
const TIMEOUT: Duration = Duration::from_secs(90);

/// A folder served as it was when it was deployed: a later change of the folder is an update.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticSiteInputs {
    /// Its name, unique in the agent.
    #[schemars(length(min = 1, max = 63), extend("x-fabrik" = {"replace": true}))]
    pub name: String,
    /// The folder to serve, relative to the spec's file.
    #[schemars(length(min = 1))]
    pub source: String,
    /// Whether unknown pages give `index.html`: an application that routes itself.
    #[serde(default)]
    pub spa: bool,
    /// The page shown for paths without a file; `404.html` unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_found: Option<String>,
    /// Headers to send, by path pattern: `/*` for all paths, `/assets/*` for those below one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, BTreeMap<String, String>>,
    /// How many earlier contents are kept to go back to.
    #[serde(default = "keep")]
    #[schemars(range(max = 100))]
    pub keep: usize,
    /// Hash of the content; found out from the folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub content: Option<String>,
    /// Whether it is served; always wanted, so that an agent that ended is started again.
    #[serde(default = "yes")]
    #[schemars(extend("x-fabrik" = {"computed": true}))]
    pub running: bool,
}

fn keep() -> usize {
    3
}

/// What is known of a static site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StaticSiteOutputs {
    /// Hash of the content that is served.
    pub hash: String,
    /// Number of files.
    pub files: usize,
    /// Their size in bytes.
    pub bytes: u64,
}

/// `local.static_site`: a folder that is served.
#[derive(Clone, Copy, Debug)]
pub struct StaticSite;

impl Thing for StaticSite {
    const KIND: Kind = Kind::Site;
    type Spec = StaticSiteInputs;
    type Outputs = StaticSiteOutputs;

    fn id(spec: &StaticSiteInputs) -> Result<String> {
        Ok(spec.name.clone())
    }

    fn ids(picture: &Picture) -> Vec<&str> {
        let found = picture.status.sites.iter();
        found.map(|site| site.name.as_str()).collect()
    }

    fn observe(picture: &Picture, _: &Local, id: &str) -> Option<Seen<Self>> {
        let found = picture.status.sites.iter().find(|site| site.name == id)?;
        Some(describe(found, picture.running))
    }

    async fn put(
        _: &Cx,
        local: &Local,
        agent: &Client,
        _: &str,
        spec: &StaticSiteInputs,
    ) -> Result<StaticSiteOutputs> {
        let source = local.resolve(&spec.source);
        let hash = if let Some(content) = &spec.content {
            content.clone()
        } else {
            let folder = source.clone();
            blocking(move || hash_dir(&folder).map_err(problem)).await?
        };
        let wanted = SiteSpec {
            spa: spec.spa,
            not_found: spec.not_found.clone(),
            headers: spec.headers.clone(),
            keep: spec.keep,
            ..SiteSpec::new(source, hash)
        };
        match agent.deploy_site(&spec.name, &wanted).await {
            Ok(made) => Ok(outputs(&made)),
            Err(AgentError::Invalid { field, message }) if field == "hash" => {
                Err(Error::new(ErrorKind::Conflict, message)
                    .field(Path::key("source"))
                    .hint("the folder was changed while this ran, and what it held before is no longer kept; apply again"))
            }
            Err(error) => Err(problem(error)),
        }
    }

    async fn remove(agent: &Client, id: &str) -> Result<()> {
        agent.remove_site(id).await.map_err(problem)
    }
}

kept_by_agent! { StaticSite, "local.static_site", StaticSiteInputs, StaticSiteOutputs;
    fn describe(&self, info: TypeInfo) -> TypeInfo {
        TypeInfo {
            timeout: TIMEOUT,
            // Made again from the folder, which may hold something else by then.
            undo_delete: Undo::Partial,
            volatile: ["hash", "files", "bytes"].map(Path::key).to_vec(),
            ..kept(info)
        }
    }

    /// What the folder holds is an input, so that a changed folder is a change.
    async fn plan(&self, _: &Cx, local: &Local, proposal: Proposal<'_>) -> Result<Planned> {
        let (mut inputs, mut findings) = must_run(proposal.desired);
        let content = Path::key("content");
        let known = proposal
            .desired
            .at(&content)
            .is_some_and(|value| !value.is_null());
        if let Some(source) = proposal.desired.get("source").and_then(Value::as_str)
            && !known
        {
            let folder = local.resolve(source);
            let hash =
                blocking(move || Ok(folder.is_dir().then(|| hash_dir(&folder).map_err(problem))));
            match hash.await? {
                Some(Ok(hash)) => inputs = inputs.with(&content, Value::from(hash)),
                Some(Err(error)) => findings.push(about_source(true, error.to_string(), None)),
                None => findings.push(about_source(
                    false,
                    format!("there is no folder `{source}`"),
                    Some("apply fails unless something makes it before".to_owned()),
                )),
            }
        }
        if proposal.last_sent.is_none() {
            findings.extend(exists::<Self>(local, "static site", proposal.desired).await?);
        }
        Ok(Planned {
            inputs,
            findings,
            ..Planned::default()
        })
    }
}

fn about_source(blocking: bool, message: String, hint: Option<String>) -> Finding {
    Finding {
        blocking,
        message,
        hint,
        field: Some(Path::key("source")),
        adopt: None,
    }
}

fn describe(info: &SiteInfo, running: bool) -> Observed<StaticSiteInputs, StaticSiteOutputs> {
    let spec = StaticSiteInputs {
        name: info.name.clone(),
        // The agent keeps the content and not where it came from.
        source: String::new(),
        spa: info.spa,
        not_found: info.not_found.clone(),
        headers: info.headers.clone(),
        keep: keep(),
        content: Some(info.hash.clone()),
        running,
    };
    Observed::new(spec, outputs(info)).hidden(&["source", "keep"])
}

fn outputs(info: &SiteInfo) -> StaticSiteOutputs {
    StaticSiteOutputs {
        hash: info.hash.clone(),
        files: info.files,
        bytes: info.bytes,
    }
}
