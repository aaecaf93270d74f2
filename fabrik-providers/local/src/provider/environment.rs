//! Variables of programs, and the folder they run in: what services and jobs have in common.

use std::collections::BTreeMap;

use fabrik_core::error::Result;
use fabrik_core::provider::Finding;
use fabrik_core::value::{Path, Value};
use serde::{Deserialize, Serialize};

use super::link::{Local, blocking};
use super::problem::problem;
use super::service::hash_watched;
use super::values::secrecy;
use crate::model::Env;

/// What the agent keeps beside a spec and hands back: what the spec itself does not tell.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Mark {
    pub(super) dir: String,
    pub(super) watch: bool,
    pub(super) ignore: Vec<String>,
    pub(super) content: Option<String>,
}

impl Mark {
    /// Reads a mark; one of somebody else's making says nothing.
    pub(super) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// The folder as the spec had it, if it is still this one.
    pub(super) fn dir(&self, local: &Local, dir: &std::path::Path) -> String {
        if !self.dir.is_empty() && local.resolve(&self.dir) == dir {
            self.dir.clone()
        } else {
            dir.display().to_string()
        }
    }
}

/// Variables for the agent. Whatever is not known to be harmless is treated as secret.
pub(super) fn to_env(env: &BTreeMap<String, String>, secret: Option<&Vec<String>>) -> Env {
    let mut out = Env::new();
    for (name, value) in env {
        if secret.is_some_and(|secret| !secret.contains(name)) {
            out.set(name, value);
        } else {
            out.set_secret(name, value);
        }
    }
    out
}

/// Variables as the agent shows them.
#[derive(Default)]
pub(super) struct ShownEnv {
    /// Those that may be seen.
    pub(super) env: BTreeMap<String, String>,
    /// Names of the others; `None` when there are no variables.
    pub(super) secret: Option<Vec<String>>,
    /// The paths of the others.
    pub(super) hidden: Vec<Path>,
}

/// Variables as the agent shows them.
pub(super) fn from_env(env: &Env) -> ShownEnv {
    let mut out = ShownEnv::default();
    for (name, value) in env.iter() {
        let secret = out.secret.get_or_insert_default();
        if value.is_secret() {
            out.hidden.push(Path::key("env").join(name));
            secret.push(name.to_owned());
        } else {
            out.env.insert(name.to_owned(), value.expose().to_owned());
        }
    }
    out
}

/// Adds what is found out: the hash of a watched folder, and which variables are secret.
pub(super) async fn find_out(
    local: &Local,
    desired: &Value,
    mut inputs: Value,
) -> Result<(Value, Vec<Finding>)> {
    let mut findings = Vec::new();
    if let Some(names) = secret_names(desired.get("env")) {
        inputs = inputs.with(&Path::key("secret_env"), Value::list(names));
    }
    let dir = match desired.get("dir") {
        None | Some(Value::Null) => ".",
        Some(dir) => match dir.as_str() {
            Some(dir) => dir,
            None => return Ok((inputs, findings)),
        },
    };
    let folder = local.resolve(dir);
    if !folder.is_dir() {
        findings.push(Finding {
            blocking: false,
            message: format!("there is no folder `{dir}`"),
            hint: Some("apply fails unless something makes it before".to_owned()),
            field: Some(Path::key("dir")),
            adopt: None,
        });
    } else if desired.get("watch").and_then(Value::as_bool) == Some(true) {
        let ignore: Vec<String> = desired
            .get("ignore")
            .and_then(Value::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let hash = blocking(move || hash_watched(&folder, &ignore).map_err(problem));
        inputs = inputs.with(&Path::key("content"), Value::from(hash.await?));
    }
    Ok((inputs, findings))
}

/// The names of variables whose values are secret; `None` when that cannot be told yet, or there
/// are no variables.
fn secret_names(env: Option<&Value>) -> Option<Vec<Value>> {
    let env = env?;
    let map = env.as_map().filter(|map| !map.is_empty())?;
    let mut names = Vec::new();
    for (name, value) in map {
        if env.is_secret() || secrecy(value)? {
            names.push(Value::from(&**name));
        }
    }
    Some(names)
}
